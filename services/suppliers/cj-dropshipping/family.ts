import type { ObservedStatus } from '../adapter.ts';
import { isCancelled, observedStatusOf } from './order-status.ts';
import { sdCodeOf } from './orders.ts';
import type { OrderRow, TrackRow } from './responses.ts';
import { isPartCode } from './sd-code.ts';
import { toParcels, trackingNumbersOf } from './tracking.ts';

/** The rows of one order: its own and, once CJ has split it, those of its parts. */
export type Family = readonly OrderRow[];

export const isPart = (row: OrderRow): boolean => isPartCode(sdCodeOf(row) ?? '');

/** Those that carry goods: the parts once there are any. */
const carriersOf = (family: Family): OrderRow[] => {
  const parts = family.filter(isPart);
  return parts.length > 0 ? parts : [...family];
};

/** What is still alive of the order; all of it when nothing is. */
const livingOf = (rows: readonly OrderRow[]): OrderRow[] => {
  const living = rows.filter(({ orderStatus }) => !isCancelled(orderStatus));
  return living.length > 0 ? living : [...rows];
};

type Observed = ObservedStatus['status'];

/** As far as the last of them has come; null when the state of one is unknown. */
function statusOf(rows: readonly OrderRow[]): Observed | null {
  const states = rows.map(({ orderStatus }) => observedStatusOf(orderStatus));
  const slowest = (['awaiting_payment', 'processing', 'shipped', 'delivered'] as const).find((state) =>
    states.includes(state),
  );
  return states.includes(null) ? null : (slowest ?? 'cancelled');
}

/** Pieces by order line, where CJ repeats the line's id that we gave it. */
function unitsOf({ productList }: OrderRow): Record<string, number> | undefined {
  const units: Record<string, number> = {};
  for (const { storeLineItemId, quantity } of productList) {
    if (storeLineItemId === null || quantity === null || quantity < 1) return undefined;
    units[storeLineItemId] = (units[storeLineItemId] ?? 0) + quantity;
  }
  return Object.keys(units).length === 0 ? undefined : units;
}

/** Numbers whose parcels only the carrier knows about; in all other states the order itself says enough. */
export const movingNumbersOf = (family: Family): string[] =>
  carriersOf(family).flatMap((row) =>
    observedStatusOf(row.orderStatus) === 'shipped' ? trackingNumbersOf(row) : [],
  );

/**
 * What became of one order, split or not: its parts' parcels, each with the pieces that CJ put into it, and the state of
 * the slowest part. A part that was cancelled says nothing of its neighbours. Null while a state is unknown to us, for
 * then the last known one still holds.
 */
export function observeFamily(
  family: Family,
  tracking: ReadonlyMap<string, TrackRow>,
): ObservedStatus | null {
  const rows = livingOf(carriersOf(family));
  const status = statusOf(rows);
  if (status === null) return null;
  const isSplit = rows.some(isPart);
  const parcels = rows.flatMap((row) => {
    const state = observedStatusOf(row.orderStatus);
    if (state === null || state === 'cancelled') return [];
    const units = isSplit ? unitsOf(row) : undefined;
    const found = toParcels(row, state, tracking);
    // Which of several numbers of one part holds which piece is not said.
    return units === undefined || found.length !== 1 ? found : found.map((parcel) => ({ ...parcel, units }));
  });
  const orderStatus = rows.map((row) => row.orderStatus).join(', ');
  const logisticName = rows[0]?.logisticName ?? null;
  return {
    status,
    parcels,
    evidence: { orderStatus, logisticName, ...(isSplit ? { parts: rows.length } : {}) },
  };
}
