import type {
  ObservedParcel,
  SupplierOrderObserved,
} from '../../../contracts/events/supplier-order-observed.ts';
import type { ParcelStateName } from '../../../contracts/vocabulary.ts';
import { parcelStateOfWords, webUrl } from '../parcel-words.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { type OrderRow, rowsOf, TrackRow } from './responses.ts';

/** The numbers that CJ's pushes use; here they are only met when they come in the place of the text. */
const NUMBERED: readonly ParcelStateName[] = [
  'first_scan',
  'first_scan',
  'first_scan',
  'exception',
  'first_scan',
  'in_transit',
  'in_transit',
  'in_transit',
  'in_transit',
  'in_transit',
  'out_for_delivery',
  'available_for_pickup',
  'delivered',
  'exception',
  'returned',
];

/** State of a parcel that has left, by what its carrier says. SHIPPED alone is the carrier's first sign. */
export function movingParcelState(trackingStatus: string | null): ParcelStateName {
  if (trackingStatus === null) return 'first_scan';
  if (/^\d+$/.test(trackingStatus)) return NUMBERED[Number(trackingStatus)] ?? 'first_scan';
  return parcelStateOfWords(trackingStatus) ?? 'first_scan';
}

/** The tracking numbers of an order row; several come in one text. */
export const trackingNumbersOf = ({ trackNumber }: OrderRow): string[] => [
  ...new Set((trackNumber ?? '').split(/[\s,;|]+/).filter((number) => number !== '')),
];

/** Tracking numbers in one call. */
export const MAX_NUMBERS = 20;

/**
 * What carriers say, by tracking number; numbers that CJ knows nothing about are left out. A refusal leaves all of
 * its batch out: the order's own state must not wait for it. Throws SupplierError when asking again can help.
 */
export async function readTracking(
  client: CjClient,
  numbers: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TrackRow>> {
  const found = new Map<string, TrackRow>();
  for (let from = 0; from < numbers.length; from += MAX_NUMBERS) {
    const query = numbers.slice(from, from + MAX_NUMBERS).map((number) => ['trackNumber', number] as const);
    try {
      const rows = await client.call(
        {
          method: 'GET',
          path: '/logistic/trackInfo',
          query,
          kind: 'read',
          priority: 'query',
          isLookUp: true,
        },
        rowsOf(TrackRow),
        signal,
      );
      for (const row of rows) if (row.trackingNumber !== null) found.set(row.trackingNumber, row);
    } catch (error) {
      if (!(error instanceof SupplierError) || error.retryable || error.failureClass === 'auth') throw error;
    }
  }
  return found;
}

const stateOf = (
  status: SupplierOrderObserved['status'],
  tracking: TrackRow | undefined,
): ParcelStateName => {
  if (status === 'delivered') return 'delivered';
  // CJ prints the number two to four days before the parcel leaves.
  return status === 'shipped' ? movingParcelState(tracking?.trackingStatus ?? null) : 'announced';
};

/** The parcels of an order in that state. */
export function toParcels(
  row: OrderRow,
  status: SupplierOrderObserved['status'],
  tracking: ReadonlyMap<string, TrackRow>,
): ObservedParcel[] {
  const numbers = trackingNumbersOf(row);
  const url = webUrl(row.trackingUrl);
  return numbers.map((trackingNumber) => {
    const info = tracking.get(trackingNumber);
    const lastMile = info?.lastTrackNumber ?? null;
    // One address for several numbers leads to one of them only.
    const isItsUrl = numbers.length === 1 || url?.includes(trackingNumber) === true;
    return {
      trackingNumber,
      lastMileTrackingNumber: lastMile === trackingNumber ? null : lastMile,
      carrier: row.trackingProvider ?? row.logisticName,
      trackingUrl: isItsUrl ? url : null,
      state: stateOf(status, info),
    };
  });
}
