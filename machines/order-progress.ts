import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OrderContext } from './order-context.ts';
import { liveSupplierOrders } from './order-units.ts';

/** The states of an order that has supplier orders and follows them. */
export const PROGRESS = [
  'purchasing',
  'awaiting_shipment',
  'partially_shipped',
  'shipped',
  'partially_delivered',
  'delivered',
] as const;
export type Progress = (typeof PROGRESS)[number];

/** Neither bought for certain nor dead. */
const UNSETTLED: readonly SupplierOrderStateName[] = [
  'draft',
  'placing',
  'outcome_unknown',
  'awaiting_payment',
  'cancelling',
];
const SHIPPED: readonly SupplierOrderStateName[] = ['shipped', 'delivered'];

/** The state that the supplier orders together amount to. */
export function progressOf(context: OrderContext): Progress {
  const live = liveSupplierOrders(context);
  const states = live.map(({ state }) => state);
  const isWhole = Object.values(context.lines).every(({ unallocated, held }) => unallocated + held === 0);
  if (states.some((state) => UNSETTLED.includes(state)) || states.length === 0) return 'purchasing';
  if (isWhole && states.every((state) => state === 'delivered')) return 'delivered';
  if (live.some(({ state, hasArrived }) => state === 'delivered' || hasArrived === true))
    return 'partially_delivered';
  if (isWhole && states.every((state) => SHIPPED.includes(state))) return 'shipped';
  if (states.some((state) => SHIPPED.includes(state) || state === 'partially_shipped'))
    return 'partially_shipped';
  return isWhole ? 'awaiting_shipment' : 'purchasing';
}
