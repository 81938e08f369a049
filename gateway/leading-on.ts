import type { HoldView } from '../contracts/resources/hold.ts';
import {
  ASKED_IN_SHOP,
  ORDER_GONE_ASTRAY,
  ORDER_STATE_WORDS,
  type StateWords,
} from '../contracts/state-words.ts';
import type { OrderStateName } from '../contracts/vocabulary.ts';
import { DEAD } from '../machines/hold-scope.ts';
import { isAstray } from './explain-purchase.ts';
import type { Explained } from './explained.ts';

/** Until then a hold of the whole order keeps it where it is. */
const BEFORE_BOUGHT: readonly OrderStateName[] = [
  'received',
  'awaiting_payment',
  'grace',
  'sourcing',
  'purchasing',
];
/** No unit waits to be bought any more, and a hold stops nothing. */
const BOUGHT: readonly OrderStateName[] = ['awaiting_shipment', 'shipped', 'cancelling'];

/** Those go with the payment, whatever else stays. */
const goesWithPayment = ({ reason, supplierOrderId, evidence }: HoldView): boolean =>
  (reason === 'payment_pending' || reason === 'overdue') &&
  supplierOrderId === null &&
  (evidence.heldInShop ?? '') === '';

const untilReleased = ({ length }: readonly HoldView[]): string =>
  `until ${length === 1 ? 'the hold is' : `all ${length} holds are`} released`;

/** All that is still to be bought is held: nobody is asked for anything. */
const isIdle = ({ status, supplierOrders, waiting, isStopped }: Explained): boolean =>
  BEFORE_BOUGHT.includes(status) &&
  !isStopped &&
  waiting.held &&
  !waiting.toSource &&
  supplierOrders.every(({ status: purchase }) => DEAD.includes(purchase));

/** Where it is, and what leads on where nothing is held. */
export function stateWordsOf({ status, timers, supplierOrders }: Explained): StateWords {
  if (status === 'grace' && timers.some(({ deadline }) => deadline === 'verify')) return ASKED_IN_SHOP;
  if (status === 'shipped' && supplierOrders.some(isAstray)) return ORDER_GONE_ASTRAY;
  return ORDER_STATE_WORDS[status];
}

/** What leads on from here, and what of it a hold keeps waiting. */
export function leadingOn(order: Explained): string[] {
  const { status, holds, isStopped } = order;
  const leadsOn = stateWordsOf(order).next;
  if (holds.length === 0 || BOUGHT.includes(status)) return [leadsOn];
  if (status === 'awaiting_payment') {
    const others = holds.filter((hold) => !goesWithPayment(hold));
    if (others.length === 0) return [leadsOn];
    return [leadsOn, `Even when it is paid, what else holds it waits ${untilReleased(others)}.`];
  }
  const released = untilReleased(holds);
  if (isIdle(order)) return [`All that is to be bought waits ${released}; a line goes on with its own.`];
  if (!isStopped) return [leadsOn, `What is held waits ${released}; the rest goes on.`];
  const stopped = `Nothing more is bought ${released}; then it goes on from here.`;
  return BEFORE_BOUGHT.includes(status) ? [stopped] : [leadsOn, stopped];
}

/** Units came to an order that was done. */
export const isAdded = ({ status, holds, waiting }: Explained): boolean =>
  status === 'delivered' && holds.length > 0 && (waiting.held || waiting.toSource);
export const ARRIVED = 'All that was bought of the order has arrived.';

export const addedWaits = ({ holds }: Explained): string =>
  `Units that came to it since, or came back, wait to be bought ${untilReleased(holds)}.`;
