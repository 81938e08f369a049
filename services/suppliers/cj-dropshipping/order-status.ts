import type { ObservedStatus } from '../adapter.ts';

type Observed = ObservedStatus['status'];

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

/** A state that we do not know counts as paid: paying twice is the costly mistake. An absent one says nothing. */
export const countsAsPaid = (orderStatus: string | null): boolean => {
  const status = observedStatusOf(orderStatus);
  return orderStatus !== null && status !== 'awaiting_payment' && status !== 'cancelled';
};
