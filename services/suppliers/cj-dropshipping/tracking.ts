import type {
  ObservedParcel,
  SupplierOrderObserved,
} from '../../../contracts/events/supplier-order-observed.ts';
import { trackingKeyOf } from '../../../contracts/ids.ts';
import type { ParcelStateName } from '../../../contracts/vocabulary.ts';
import { parcelStateOfWords, webUrl } from '../parcel-words.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { type OrderRow, rowsOf, TrackRow } from './responses.ts';
import { slicesOf } from './slices.ts';

/** The numbers that CJ's pushes use; here they are only met when they come in the place of the text. */
const NUMBERED: readonly ParcelStateName[] = [
  'announced',
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

/** State of a parcel that has left, by what its carrier says; SHIPPED alone is CJ's word and no carrier's scan. */
export function movingParcelState(trackingStatus: string | null): ParcelStateName {
  if (trackingStatus === null) return 'announced';
  if (/^\d+$/.test(trackingStatus)) return NUMBERED[Number(trackingStatus)] ?? 'first_scan';
  return parcelStateOfWords(trackingStatus) ?? 'first_scan';
}

/** The tracking numbers of an order row; several come in one text. */
export const trackingNumbersOf = ({ trackNumber }: OrderRow): string[] => [
  ...new Set((trackNumber ?? '').split(/[\s,;|]+/).filter((number) => number !== '')),
];

/** Tracking numbers in one call. */
export const MAX_NUMBERS = 20;

/** Of a number whose carrier does not answer CJ. Longer, and a few of them use up the time of the whole reading. */
const ANSWER_WITHIN_MS = 10_000;

/** One number in a full call makes six of its parts fail; with so many more it is hardly for the numbers. */
const MOST_FAILURES = 8;

/** Whether its numbers may be what made the call fail: not where nothing was sent, CJ wants a pause or a login, or the time is over. */
const isForItsNumbers = (error: SupplierError, signal: AbortSignal): boolean =>
  error.failureClass === 'transient' && error.evidence.sent !== false && !signal.aborted;

const askFor = (client: CjClient, numbers: readonly string[], signal: AbortSignal): Promise<TrackRow[]> =>
  client.call(
    {
      method: 'GET',
      path: '/logistic/trackInfo',
      query: numbers.map((number) => ['trackNumber', number] as const),
      kind: 'read',
      priority: 'query',
      isLookUp: true,
      answerWithinMs: ANSWER_WITHIN_MS,
    },
    rowsOf(TrackRow),
    signal,
  );

export type ReadTracking = (
  numbers: readonly string[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, TrackRow>>;

/**
 * Reads what carriers say, by `trackingKeyOf` the number. Numbers that CJ knows nothing about are left out, and those
 * that it refuses or gets no answer about: the order's own state must not wait for them. A call that fails or is refused
 * is made again in halves, and only what fails still is left out. Throws SupplierError when CJ is not to be asked now,
 * unless some numbers failed before: then what was read is told first. Made anew for each reading, for it counts
 * failures.
 */
export function trackingReader(client: CjClient): ReadTracking {
  let failures = 0;
  let refusals = 0;
  return async (numbers, signal) => {
    const found = new Map<string, TrackRow>();
    const waiting = slicesOf(numbers, MAX_NUMBERS);
    let hasFailed = false;
    for (let some = waiting.shift(); some !== undefined; some = waiting.shift()) {
      try {
        for (const row of await askFor(client, some, signal))
          if (row.trackingNumber !== null) found.set(trackingKeyOf(row.trackingNumber), row);
      } catch (error) {
        if (!(error instanceof SupplierError)) throw error;
        const halve = (): void => {
          if (some.length > 1) waiting.unshift(...slicesOf(some, Math.ceil(some.length / 2)));
        };
        if (!error.retryable && error.failureClass !== 'auth') {
          if (error.failureClass === 'permanent') continue;
          // Perhaps for a number that CJ does not know, and not for the call.
          hasFailed = true;
          refusals += 1;
          if (refusals <= MOST_FAILURES) halve();
          continue;
        }
        const isTheirs = isForItsNumbers(error, signal);
        if (!isTheirs && !hasFailed) throw error;
        hasFailed = true;
        failures += 1;
        // The rest is told by the orders' own states, or every look would end here.
        if (!isTheirs || failures > MOST_FAILURES) break;
        halve();
      }
    }
    return found;
  };
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
    const info = tracking.get(trackingKeyOf(trackingNumber));
    const lastMile = info?.lastTrackNumber ?? null;
    // One address for several numbers leads to one of them only.
    const isItsUrl = numbers.length === 1 || url?.includes(trackingNumber) === true;
    return {
      trackingNumber,
      lastMileTrackingNumber: lastMile === trackingNumber ? null : lastMile,
      carrier: row.trackingProvider ?? row.logisticName,
      trackingUrl: isItsUrl ? url : null,
      state: stateOf(status, info),
      ...(status === 'shipped' ? { hasLeft: true } : {}),
    };
  });
}
