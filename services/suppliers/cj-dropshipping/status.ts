import { type ObservedStatus, type OrderKey, SupplierError } from '../adapter.ts';
import type { CjClient } from './client.ts';
import { observedStatusOf } from './order-status.ts';
import { isRefusal, isRowOf, readOrder, sdCodeOf } from './orders.ts';
import { OrderRow, rowsOf } from './responses.ts';
import { readTracking, toParcels, trackingNumbersOf } from './tracking.ts';

/** CJ takes 100 and advises 20 to 50. */
export const STATUS_BATCH = 50;

/** Orders read singly before their parcels are asked for: with more, a time that runs out loses the parcels of all. */
const SINGLES_PER_TRACKING = 10;

type Statuses = Map<string, ObservedStatus>;

/** Null when CJ refuses the batch: then nothing is known about any of the orders. */
async function readBatch(
  client: CjClient,
  orderIds: readonly string[],
  signal: AbortSignal,
): Promise<OrderRow[] | null> {
  const path = '/shopping/order/getOrderDetailBatch';
  const body = { orderIds };
  try {
    const request = { method: 'POST', path, body, kind: 'read', priority: 'query', isLookUp: true } as const;
    return await client.call(request, rowsOf(OrderRow), signal);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** Numbers whose parcels only the carrier knows about; in all other states the order itself says enough. */
const movingNumbersOf = (row: OrderRow): string[] =>
  observedStatusOf(row.orderStatus) === 'shipped' ? trackingNumbersOf(row) : [];

/** Left out: rows in a state that is unknown to us, for which the last known one still holds. */
async function observe(client: CjClient, rows: readonly OrderRow[], signal: AbortSignal): Promise<Statuses> {
  const known = rows.flatMap((row) => {
    const [sdCode, status] = [sdCodeOf(row), observedStatusOf(row.orderStatus)];
    return sdCode !== null && status !== null ? [{ sdCode, status, row }] : [];
  });
  const moving = rows.flatMap(movingNumbersOf);
  const tracking = await readTracking(client, [...new Set(moving)], signal);
  return new Map(
    known.map(({ sdCode, status, row }) => [
      sdCode,
      {
        status,
        parcels: status === 'cancelled' ? [] : toParcels(row, status, tracking),
        evidence: { orderStatus: row.orderStatus, logisticName: row.logisticName },
      },
    ]),
  );
}

const addTo = (all: Statuses, more: Statuses): void => {
  for (const [sdCode, status] of more) all.set(sdCode, status);
};

/** Adds to `seen` as it goes on, so that what was read stays when the time runs out. */
async function readSingly(
  client: CjClient,
  keys: readonly OrderKey[],
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < keys.length; from += SINGLES_PER_TRACKING) {
    const rows: OrderRow[] = [];
    try {
      for (const key of keys.slice(from, from + SINGLES_PER_TRACKING)) {
        const row = await readOrder(client, key, 'query', signal);
        if (row !== null) rows.push(row);
      }
      addTo(seen, await observe(client, rows, signal));
    } catch (error) {
      // Without its carrier's word a parcel on its way would seem to be back at its first scan.
      const still = rows.filter((row) => movingNumbersOf(row).length === 0);
      addTo(seen, await observe(client, still, signal));
      throw error;
    }
  }
}

/** Asks for those that did not come under our number by their codes, and one by one where that brings none of them. */
async function readMissing(
  client: CjClient,
  missing: readonly OrderKey[],
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  const codes = new Set(missing.map(({ supplierReference }) => supplierReference));
  const answer = await readBatch(client, [...codes], signal);
  const rows = (answer ?? []).filter((row) => codes.has(sdCodeOf(row) ?? ''));
  if (rows.length === 0) return readSingly(client, missing, seen, signal);
  addTo(seen, await observe(client, rows, signal));
}

/**
 * What became of the orders, by SD code. Left out: orders that CJ does not show, those in a state that is unknown to
 * us, and those that a failure or the end of the time kept from being read after others were. Throws SupplierError when
 * nothing could be read.
 */
export async function readStatus(
  client: CjClient,
  keys: readonly OrderKey[],
  signal: AbortSignal,
): Promise<Statuses> {
  if (keys.length === 0) return new Map();
  if (keys.length > STATUS_BATCH) {
    throw new SupplierError('invalid_input', `more than ${STATUS_BATCH} orders`, { sent: false });
  }
  const numbers = [...new Set(keys.map(({ callerRef }) => callerRef))];
  const rows = (await readBatch(client, numbers, signal)) ?? [];
  const rowOf = new Map(rows.map((row) => [sdCodeOf(row), row]));
  const own = keys.flatMap((key) => {
    const row = rowOf.get(key.supplierReference);
    return row !== undefined && isRowOf(key, row) ? [{ key, row }] : [];
  });
  const seen = await observe(
    client,
    own.map(({ row }) => row),
    signal,
  );
  const found = new Set(own.map(({ key }) => key.supplierReference));
  const missing = keys.filter(({ supplierReference }) => !found.has(supplierReference));
  if (missing.length === 0) return seen;
  try {
    await readMissing(client, missing, seen, signal);
  } catch (error) {
    if (!(error instanceof SupplierError) || seen.size === 0) throw error;
  }
  return seen;
}
