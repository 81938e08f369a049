import type { SupplierOrderObserved } from '../../../contracts/events/supplier-order-observed.ts';

type Observed = SupplierOrderObserved['status'];

/** CJ's order states, in the spellings that were seen. */
const STATUSES = new Map<string, Observed>([
  ['CREATED', 'awaiting_payment'],
  ['IN_CART', 'awaiting_payment'],
  ['UNPAID', 'awaiting_payment'],
  ['UNSHIPPED', 'processing'],
  ['PENDING', 'processing'],
  ['PROCESSING', 'processing'],
  ['SHIPPED', 'shipped'],
  ['DELIVERED', 'delivered'],
  ['COMPLETED', 'delivered'],
  ['CANCELLED', 'cancelled'],
  ['CANCELED', 'cancelled'],
  ['CLOSED', 'cancelled'],
  ['REFUND_COMPLETE', 'cancelled'],
]);

/** Null for a state that is absent or unknown: what was known before still holds. */
export const observedStatusOf = (orderStatus: string | null): Observed | null =>
  STATUSES.get(orderStatus?.toUpperCase() ?? '') ?? null;

/** CREATED and IN_CART come before UNPAID: they must be confirmed before CJ takes money. */
export const needsConfirmation = (orderStatus: string | null): boolean =>
  orderStatus !== null && ['CREATED', 'IN_CART'].includes(orderStatus.toUpperCase());

export const isCancelled = (orderStatus: string | null): boolean =>
  observedStatusOf(orderStatus) === 'cancelled';

/**
 * Whether our money is in it; null in a state that we do not know, which is neither paid for nor taken for paid. An absent
 * one says nothing.
 */
export const isPaidIn = (orderStatus: string | null): boolean | null => {
  if (orderStatus === null) return false;
  const status = observedStatusOf(orderStatus);
  return status === null ? null : status !== 'awaiting_payment' && status !== 'cancelled';
};
