import type { ObservedStatus } from '../adapter.ts';
import type { OrderRow } from './responses.ts';

type Observed = ObservedStatus['status'];

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

/** Money is being settled or argued about: where the goods are, the second state says. */
const BY_LOGISTICS = ['WAIT_SELLER_EXAMINE_MONEY', 'FUND_PROCESSING', 'IN_ISSUE', 'IN_FROZEN', 'ARCHIVE'];
const SETTLING = ['WAIT_SELLER_EXAMINE_MONEY', 'FUND_PROCESSING'];

const LOGISTICS = new Map<string, OrderStage>([
  ['WAIT_SELLER_SEND_GOODS', 'processing'],
  ['SELLER_SEND_PART_GOODS', 'processing'],
  ['SELLER_SEND_GOODS', 'moving'],
  ['BUYER_ACCEPT_GOODS', 'delivered'],
]);

const NEVER_SENT = ['NO_LOGISTICS', 'WAIT_SELLER_SEND_GOODS'];

/** A receipt that was confirmed by a timeout is a receipt, so these come first. */
const RECEIVED = /accept|confirm|receiv|complet|success/i;
const GIVEN_UP = /cancel|time_?\s?out|timed|overdue|close|no_?\s?pay|un_?paid|not_?\s?paid|refund|risk|fail/i;

/** FINISH closes what was delivered and what was cancelled alike; why is said by its parts, in free text. */
function stageOfClosed({ child_order_list: children, logistics_status }: OrderRow): OrderStage {
  const reasons = children.map(({ end_reason, end_reason_desc }) => end_reason ?? end_reason_desc ?? '');
  const isGivenUp = (reason: string): boolean => !RECEIVED.test(reason) && GIVEN_UP.test(reason);
  if (reasons.length > 0 && reasons.every(isGivenUp)) return 'cancelled';
  if (logistics_status === 'BUYER_ACCEPT_GOODS' || reasons.some((reason) => RECEIVED.test(reason)))
    return 'delivered';
  if (logistics_status !== null && NEVER_SENT.includes(logistics_status)) return 'cancelled';
  return 'moving';
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

export const isCancelled = (row: OrderRow): boolean => stageOf(row) === 'cancelled';

/** A state that we do not know counts as paid: paying twice is the costly mistake. An absent one says nothing. */
export const countsAsPaid = (row: OrderRow): boolean => {
  const stage = stageOf(row);
  return row.order_status !== null && stage !== 'awaiting_payment' && stage !== 'cancelled';
};
