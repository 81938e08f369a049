import {
  COMPENSATION_WORDS,
  GONE_ASTRAY,
  NOT_GIVEN_UP,
  PAID_BY_HAND,
  PARCEL_WORDS,
  PARTLY_UNWANTED,
  PERSON_WORDS,
  STOPPED_WORDS,
  SUPPLIER_ORDER_STATE_WORDS,
  UNWANTED,
  WANTED_AGAIN,
} from '../contracts/state-words.ts';
import {
  type Compensation,
  ENDED_PARCELS,
  PARCEL_STATES,
  type ParcelStateName,
  type SupplierOrderStateName,
} from '../contracts/vocabulary.ts';
import { LEFT } from '../machines/cancel-cost.ts';
import { DEAD } from '../machines/hold-scope.ts';
import type { Explained } from './explained.ts';

type Purchase = Explained['supplierOrders'][number];

/** Where parcels come and are looked at. */
export const SENDING: readonly SupplierOrderStateName[] = [
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
];

/** Bought, and not left. One that was to be undone stands here because its supplier did not give it up. */
export const STAYS: readonly SupplierOrderStateName[] = ['accepted', 'processing'];

/** Then what was still to be done about it is past. */
export const isOver = (status: SupplierOrderStateName): boolean => [...DEAD, ...LEFT].includes(status);
const TO_BE_DONE: readonly Compensation[] = ['await_verdict', 'cancel_at_supplier', 'ask_supplier'];

function wordsOf(status: SupplierOrderStateName, compensation: Compensation): string {
  if (TO_BE_DONE.includes(compensation)) {
    if (isOver(status)) return UNWANTED;
    if (STAYS.includes(status)) return `${UNWANTED}; ${NOT_GIVEN_UP}`;
  }
  return COMPENSATION_WORDS[compensation];
}

const undoneOf = ({ status, compensation, wanted }: Purchase): string => {
  if (compensation === null) return '';
  // Elsewhere it is being undone, for another address or because others sent the same.
  if (wanted === 'all' && [...SENDING, 'delivered'].includes(status)) return WANTED_AGAIN;
  const words = wordsOf(status, compensation);
  return wanted === 'a part' && !DEAD.includes(status) ? words.replace(UNWANTED, PARTLY_UNWANTED) : words;
};

const hasEnded = (state: ParcelStateName): boolean => ENDED_PARCELS.some((end) => end === state);

/** Something of it travels to the customer. */
export const isTravelling = ({ status, parcels }: Purchase): boolean =>
  status === 'partially_shipped' || (status === 'shipped' && !parcels.every(hasEnded));

/** Shipped, with nothing that travels to the customer any more, though not all of it has arrived. */
export const isAstray = ({ status, parcels }: Purchase): boolean =>
  status === 'shipped' && parcels.every(hasEnded) && parcels.some((state) => state !== 'delivered');

/** What of its parcels is not as one hopes. */
const parcelsOf = ({ parcels }: Purchase): string[] =>
  PARCEL_STATES.flatMap((state) => {
    const count = parcels.filter((parcel) => parcel === state).length;
    const words = PARCEL_WORDS[state];
    if (words === undefined || count === 0) return [];
    return [count === 1 ? `a parcel of it ${words.one}` : `${count} parcels of it ${words.several}`];
  });

const wordsOfState = (purchase: Purchase) =>
  isAstray(purchase) ? GONE_ASTRAY : SUPPLIER_ORDER_STATE_WORDS[purchase.status];

type Around = Pick<Explained, 'holds' | 'timers' | 'isStopped'>;

/**
 * Nobody asks the supplier any more: a person gives it up there, or releases the hold to have it asked again. The hold may
 * be of an earlier answer, while it is asked once more.
 */
const isLeftToPerson = ({ id, status }: Purchase, { holds, timers }: Around): boolean =>
  status === 'cancelling' &&
  holds.some(({ supplierOrderId, evidence }) => supplierOrderId === id && evidence.cancelled === false) &&
  !timers.some(({ supplierOrderId, deadline }) => supplierOrderId === id && deadline === 'cancel');

/** Such a question spends nothing: it is put at its deadline, whatever is held. */
const QUESTIONS: Partial<Readonly<Record<SupplierOrderStateName, string>>> = {
  outcome_unknown: 'look_up',
  cancelling: 'cancel',
};

function nextOf(purchase: Purchase, { holds, timers, isStopped }: Around): string {
  const { next } = wordsOfState(purchase);
  const isOfIt = ({ supplierOrderId }: { readonly supplierOrderId: string | null }): boolean =>
    supplierOrderId === purchase.id;
  const question = QUESTIONS[purchase.status];
  if (timers.some((timer) => isOfIt(timer) && timer.deadline === question)) return next;
  const own = holds.filter(isOfIt);
  if (own.length === 0) return isStopped ? (STOPPED_WORDS[purchase.status] ?? next) : next;
  const isUnpaid = purchase.status === 'awaiting_payment';
  if (isUnpaid && own.every(({ reason }) => reason === 'payment_pending')) return PAID_BY_HAND;
  return PERSON_WORDS[purchase.status] ?? next;
}

/** Where a purchase is, what leads on from there, and what is done about it where nobody wants it, in one sentence. */
export const saysOf = (purchase: Purchase, around: Around): string => {
  const { id, supplier } = purchase;
  const { is } = wordsOfState(purchase);
  if (isLeftToPerson(purchase, around))
    return `${id} at ${supplier} was to be cancelled there; ${UNWANTED}; ${NOT_GIVEN_UP}.`;
  const undone = undoneOf(purchase);
  const leadsOn = nextOf(purchase, around);
  const parts = [`${id} at ${supplier} ${is}`, ...parcelsOf(purchase), leadsOn, undone];
  return `${parts.filter((part) => part !== '').join('; ')}.`;
};
