import type { HoldView } from '../contracts/resources/hold.ts';
import {
  ARRIVED,
  ASKED_FOR_MORE,
  ASKED_FOR_RISK,
  ASKED_IN_SHOP,
  ENDED_BEFORE,
  GRACE_BEFORE_RISK,
  GRACE_OVER,
  NOT_BOUGHT,
  NOT_SOUGHT,
  NOTHING_SOUGHT,
  ORDER_GONE_ASTRAY,
  ORDER_STATE_WORDS,
  PARTLY_BOUGHT,
  PURCHASES_UNDONE,
  REST_ASTRAY,
  type StateWords,
} from '../contracts/state-words.ts';
import { hasEnded, type OrderStateName, type SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { DEAD } from '../machines/hold-scope.ts';
import { isAstray, isTravelling, STAYS } from './explain-purchase.ts';
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

/** Money of ours is still to be spent on it, or may have been. */
const UNBOUGHT: readonly SupplierOrderStateName[] = [
  'draft',
  'placing',
  'outcome_unknown',
  'awaiting_payment',
];

type Purchase = Explained['supplierOrders'][number];

const isToBeBought = ({ status, compensation }: Purchase): boolean =>
  UNBOUGHT.includes(status) && compensation === null;

function purchasingWords({ supplierOrders }: Explained): StateWords {
  if (supplierOrders.some(isToBeBought)) return ORDER_STATE_WORDS.purchasing;
  if (supplierOrders.some(({ status }) => [...UNBOUGHT, 'cancelling'].includes(status)))
    return PURCHASES_UNDONE;
  return supplierOrders.every(({ status }) => DEAD.includes(status)) ? NOT_BOUGHT : PARTLY_BOUGHT;
}

function sourcingWords({ isStopped, waiting }: Explained, isAsked: boolean): StateWords {
  if (!waiting.toSource && !waiting.held) return NOTHING_SOUGHT;
  if (isStopped || !waiting.toSource) return NOT_SOUGHT;
  return isAsked ? ASKED_FOR_MORE : ORDER_STATE_WORDS.sourcing;
}

function graceWords({ isRiskAwaited }: Explained, has: (timer: string) => boolean): StateWords {
  if (has('verify')) return isRiskAwaited ? { ...ASKED_IN_SHOP, next: ASKED_FOR_RISK } : ASKED_IN_SHOP;
  if (!has('grace')) return GRACE_OVER;
  const { grace } = ORDER_STATE_WORDS;
  return isRiskAwaited ? { ...grace, next: GRACE_BEFORE_RISK } : grace;
}

const isRestAstray = ({ supplierOrders, waiting }: Explained): boolean =>
  !waiting.toSource &&
  !waiting.held &&
  supplierOrders.some(isAstray) &&
  supplierOrders.every(
    (purchase) =>
      !(isTravelling(purchase) || [...UNBOUGHT, ...STAYS, 'cancelling'].includes(purchase.status)),
  );

/** Where it is, and what leads on where nothing is held. */
export function stateWordsOf(order: Explained): StateWords {
  const { status, timers, supplierOrders } = order;
  const has = (name: string): boolean => timers.some(({ deadline }) => deadline === name);
  if (status === 'grace') return graceWords(order, has);
  if (status === 'sourcing') return sourcingWords(order, has('verify'));
  if (status === 'purchasing') return purchasingWords(order);
  if (status === 'shipped' && supplierOrders.some(isAstray)) return ORDER_GONE_ASTRAY;
  if (status === 'partially_delivered' && isRestAstray(order)) return REST_ASTRAY;
  return ORDER_STATE_WORDS[status];
}

/** Something of it is bought no sooner than its holds are released. */
const isKept = ({ supplierOrders, waiting, holds, isStopped }: Explained): boolean =>
  waiting.held ||
  (isStopped && waiting.toSource) ||
  supplierOrders.some(
    (purchase) =>
      isToBeBought(purchase) &&
      (isStopped || holds.some(({ supplierOrderId }) => supplierOrderId === purchase.id)),
  );

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
  if (!isKept(order)) return [leadsOn];
  const released = untilReleased(holds);
  if (isIdle(order)) return [`All that is to be bought waits ${released}; a line goes on with its own.`];
  if (!isStopped) return [leadsOn, `What is held waits ${released}; the rest goes on.`];
  const stopped = `Nothing more is bought ${released}; then it goes on from here.`;
  return BEFORE_BOUGHT.includes(status) ? [stopped] : [leadsOn, stopped];
}

/** Units came to an order that was over. */
export const isAdded = ({ status, holds, waiting }: Explained): boolean =>
  hasEnded(status) && holds.length > 0 && (waiting.held || waiting.toSource);

/** Where such an order is. */
export const wordsOfAdded = ({ status }: Explained): string =>
  status === 'delivered' ? ARRIVED : ENDED_BEFORE;

export const addedWaits = ({ holds }: Explained): string =>
  `Units that came to it since, or came back, wait to be bought ${untilReleased(holds)}.`;
