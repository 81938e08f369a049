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

const NEVER_SENT = ['NO_LOGISTICS', 'WAIT_SELLER_SEND_GOODS'];

/** These come first: "payment not received" and "cancellation accepted" are no receipts. */
const CALLED_OFF = /cancel|pay|paid|refund|issue|dispute|risk/i;
/** A receipt that was confirmed by a timeout is a receipt, so these come before the rest. */
const RECEIVED = /accept|confirm|receiv|complet|success/i;
const GIVEN_UP = /time_?\s?out|timed|overdue|close|fail/i;

const isReceipt = (reason: string): boolean => !CALLED_OFF.test(reason) && RECEIVED.test(reason);
const isGivenUp = (reason: string): boolean =>
  CALLED_OFF.test(reason) || (!RECEIVED.test(reason) && GIVEN_UP.test(reason));

const endReasons = ({ child_order_list: children }: OrderRow): string[] =>
  children.map(({ end_reason, end_reason_desc }) => end_reason ?? end_reason_desc ?? '');

/**
 * FINISH closes what was delivered and what was cancelled alike; why is said by its parts, in free text. Null where a
 * receipt is claimed of what was never sent.
 */
function stageOfClosed(row: OrderRow): OrderStage {
  const { logistics_status: logistics } = row;
  const reasons = endReasons(row);
  if (reasons.length > 0 && reasons.every(isGivenUp)) return 'cancelled';
  const isReceived = logistics === 'BUYER_ACCEPT_GOODS' || reasons.some(isReceipt);
  if (logistics !== null && NEVER_SENT.includes(logistics)) return isReceived ? null : 'cancelled';
  return isReceived ? 'delivered' : 'moving';
}

export function stageOf(row: OrderRow): OrderStage {
  const { order_status: status, logistics_status } = row;
  if (status === null) return null;
  if (status === 'FINISH') return stageOfClosed(row);
  if (!BY_LOGISTICS.includes(status)) return STAGES.get(status) ?? null;
  const stage = LOGISTICS.get(logistics_status ?? '') ?? null;
  // It is settled after the receipt as a rule.
  return stage === null && SETTLING.includes(status) ? 'moving' : stage;
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
  return stage !== 'cancelled' && endReasons(row).some(isGivenUp)
    ? { reason: 'operator', cause: 'a part of it was cancelled or paid back' }
    : null;
}

/** What a person has to see to; null as a rule. It is the same for as long as AliExpress says the same. */
export function troubleOf(row: OrderRow, orderId: string): Attention | null {
  const { order_status: orderStatus } = row;
  const trouble = orderStatus === null ? null : causeOf(row, orderStatus);
  if (trouble === null) return null;
  const { reason, cause } = trouble;
  return { reason, evidence: { supplierReference: orderId, orderStatus, cause } };
}

export const isCancelled = (row: OrderRow): boolean => stageOf(row) === 'cancelled';

/**
 * Whether our money is in it; null in a state that we do not know, which is neither paid for nor taken for paid. An absent
 * one says nothing.
 */
export const isPaidIn = (row: OrderRow): boolean | null => {
  const { order_status: status } = row;
  if (status === null) return false;
  if (!isKnown(status)) return null;
  const stage = stageOf(row);
  return stage !== 'awaiting_payment' && stage !== 'cancelled';
};
