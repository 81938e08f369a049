import type { Attention, SupplierOrderObserved } from '../../../contracts/events/supplier-order-observed.ts';
import type { HoldReason } from '../../../contracts/vocabulary.ts';
import type { OrderRow } from './responses.ts';

type Observed = SupplierOrderObserved['status'];

/**
 * What an order says of itself. `moving`: paid and on its way or there, which only its parcels tell. Null: a state that
 * is absent or unknown, so that what was known before still holds.
 */
export type OrderStage = Observed | 'moving' | null;

const STAGES = new Map<string, Observed>([
  ['PLACE_ORDER_SUCCESS', 'awaiting_payment'],
  ['WAIT_BUYER_PAY', 'awaiting_payment'],
  ['RISK_CONTROL', 'processing'],
  ['WAIT_SELLER_SEND_GOODS', 'processing'],
  // Until it is closed nobody knows whether it will be cancelled.
  ['IN_CANCEL', 'processing'],
  // Which part was sent its parcels say; the order as a whole is still at the seller's.
  ['SELLER_PART_SEND_GOODS', 'processing'],
  ['WAIT_BUYER_ACCEPT_GOODS', 'shipped'],
]);

const SETTLING = ['WAIT_SELLER_EXAMINE_MONEY', 'FUND_PROCESSING'];
/** Money is being settled or argued about: where the goods are, the second state says. */
const BY_LOGISTICS = [...SETTLING, 'IN_ISSUE', 'IN_FROZEN', 'ARCHIVE'];

/** What has to be said of a state on AliExpress's site, where we have no call for it. */
const TROUBLES = new Map<string, { readonly reason: HoldReason; readonly cause: string }>([
  ['IN_ISSUE', { reason: 'operator', cause: 'a dispute is open: see to it on the site of AliExpress' }],
  ['IN_FROZEN', { reason: 'supplier_rejected', cause: 'AliExpress has frozen the order' }],
  [
    'IN_CANCEL',
    { reason: 'operator', cause: 'its cancellation was asked for at AliExpress, and the seller decides' },
  ],
]);

const LOGISTICS = new Map<string, OrderStage>([
  ['WAIT_SELLER_SEND_GOODS', 'processing'],
  ['SELLER_SEND_PART_GOODS', 'processing'],
  ['SELLER_SEND_GOODS', 'moving'],
  ['BUYER_ACCEPT_GOODS', 'delivered'],
]);

const SENT = ['SELLER_SEND_GOODS', 'SELLER_SEND_PART_GOODS'];
const NEVER_SENT = ['NO_LOGISTICS', 'WAIT_SELLER_SEND_GOODS'];

/** These come first: "payment not received" and "cancellation accepted" are no receipts. */
const CALLED_OFF = /cancel|pay|paid|refund|issue|dispute|risk/i;
/** A receipt that was confirmed by a timeout is a receipt, so these come before the rest. */
const RECEIVED = /accept|confirm|receiv|complet|success/i;
const GIVEN_UP = /time_?\s?out|timed|overdue|order_?\s?expir|close|fail/i;

/** All that is said of the end of one part: a code may hide what stands in words beside it. */
type End = readonly string[];

const saysReceipt = (text: string): boolean => !CALLED_OFF.test(text) && RECEIVED.test(text);
const saysGivenUp = (text: string): boolean =>
  CALLED_OFF.test(text) || (!RECEIVED.test(text) && GIVEN_UP.test(text));

/** Code and words that contradict each other say neither. */
const isReceipt = (end: End): boolean => end.some(saysReceipt) && !end.some(saysGivenUp);
const isGivenUp = (end: End): boolean => end.some(saysGivenUp) && !end.some(saysReceipt);

const endsOf = ({ child_order_list: children }: OrderRow): End[] =>
  children.map(({ end_reason, end_reason_desc }) => [end_reason ?? '', end_reason_desc ?? '']);

/**
 * FINISH closes what was delivered and what was cancelled alike; why is said by its parts, in free text. Null where a
 * receipt is claimed of what was never sent.
 */
function stageOfClosed(row: OrderRow): OrderStage {
  const { logistics_status: logistics } = row;
  const ends = endsOf(row);
  if (ends.length > 0 && ends.every(isGivenUp)) return 'cancelled';
  const isReceived = logistics === 'BUYER_ACCEPT_GOODS' || ends.some(isReceipt);
  if (logistics !== null && NEVER_SENT.includes(logistics)) return isReceived ? null : 'cancelled';
  return isReceived ? 'delivered' : 'moving';
}

export function stageOf(row: OrderRow): OrderStage {
  const { order_status: status, logistics_status } = row;
  if (status === null) return null;
  if (status === 'FINISH') return stageOfClosed(row);
  if (!BY_LOGISTICS.includes(status)) return STAGES.get(status) ?? null;
  const stage = LOGISTICS.get(logistics_status ?? '') ?? null;
  if (stage !== null || !SETTLING.includes(status)) return stage;
  // It is settled after the receipt as a rule, and before anything is sent where nothing was.
  return logistics_status === 'NO_LOGISTICS' ? 'processing' : 'moving';
}

/** Of the two states either may be behind the other, and more may be to come where one of them says so. */
export const isSentInPart = ({ order_status: status, logistics_status: logistics }: OrderRow): boolean =>
  status === 'SELLER_PART_SEND_GOODS' || logistics === 'SELLER_SEND_PART_GOODS';

const isKnown = (status: string): boolean =>
  status === 'FINISH' || BY_LOGISTICS.includes(status) || STAGES.has(status);

function causeOf(row: OrderRow, status: string): { reason: HoldReason; cause: string } | null {
  const trouble = TROUBLES.get(status);
  if (trouble !== undefined) return trouble;
  if (!isKnown(status))
    return { reason: 'operator', cause: 'AliExpress names a state that nobody knows here' };
  if (status !== 'FINISH') return null;
  const stage = stageOf(row);
  if (stage === null)
    return { reason: 'operator', cause: 'it was closed as received, and by its logistics was never sent' };
  return stage !== 'cancelled' && endsOf(row).some(isGivenUp)
    ? { reason: 'operator', cause: 'a part of it was cancelled or paid back' }
    : null;
}

const attention = (
  reason: HoldReason,
  supplierReference: string,
  { order_status: orderStatus }: OrderRow,
  cause: string,
): Attention => ({ reason, evidence: { supplierReference, orderStatus, cause } });

/** What a person has to see to; null as a rule. It is the same for as long as AliExpress says the same. */
export function troubleOf(row: OrderRow, orderId: string): Attention | null {
  const trouble = row.order_status === null ? null : causeOf(row, row.order_status);
  return trouble === null ? null : attention(trouble.reason, orderId, row, trouble.cause);
}

/** The same of an order of which no parcel is told: one that was closed will not come to say more by itself. */
export const riddleOf = (row: OrderRow, orderId: string): Attention | null =>
  row.order_status === 'FINISH'
    ? attention(
        'operator',
        orderId,
        row,
        'it was closed: neither why nor any parcel that can be told is shown',
      )
    : null;

/** The same of an order that was received. A parcel is known by its number: without one nobody can be told of it. */
export const unnumberedOf = (row: OrderRow, orderId: string): Attention =>
  attention(
    'operator',
    orderId,
    row,
    'AliExpress shows it received and names no tracking number: ask the seller for it',
  );

export const isCancelled = (row: OrderRow): boolean => stageOf(row) === 'cancelled';

/**
 * Whether our money is in it; null in a state that we do not know, and of a closed order that is not known to have been
 * sent or received: it is neither paid for nor taken for paid. An absent state says nothing.
 */
export const isPaidIn = (row: OrderRow): boolean | null => {
  const { order_status: status, logistics_status: logistics } = row;
  if (status === null) return false;
  if (!isKnown(status)) return null;
  const stage = stageOf(row);
  if (stage === 'awaiting_payment' || stage === 'cancelled') return false;
  return status === 'FINISH' && stage !== 'delivered' && !SENT.includes(logistics ?? '') ? null : true;
};
