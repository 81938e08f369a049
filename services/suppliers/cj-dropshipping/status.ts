import { type ObservedStatus, type OrderKey, SupplierError } from '../adapter.ts';
import type { CjClient } from './client.ts';
import { type Family, isPart, movingNumbersOf, observeFamily } from './family.ts';
import { listOrders } from './look-up.ts';
import { isRowOf, readOrder, sdCodeOf } from './orders.ts';
import { orIfRefused } from './refusal.ts';
import { type OrderRow, OrderRows } from './responses.ts';
import { partCode } from './sd-code.ts';
import { readTracking } from './tracking.ts';

/** CJ takes 100 ids, and each order is asked for by two. */
export const STATUS_BATCH = 50;

/** Orders read singly before their parcels are asked for: with more, a time that runs out loses the parcels of all. */
const SINGLES_PER_TRACKING = 10;

/** States that a part can be in: orders are split after the payment. */
const PART_STATES = ['UNSHIPPED', 'SHIPPED', 'DELIVERED'] as const;
const MOST_PARTS = 9;

type Statuses = Map<string, ObservedStatus>;
type Families = ReadonlyMap<OrderKey, Family>;

/** Null when CJ refuses the batch: then nothing is known about any of the orders. */
async function readBatch(
  client: CjClient,
  orderIds: readonly string[],
  signal: AbortSignal,
): Promise<OrderRow[] | null> {
  const path = '/shopping/order/getOrderDetailBatch';
  const body = { orderIds };
  const request = { method: 'POST', path, body, kind: 'read', priority: 'query', isLookUp: true } as const;
  return client.call(request, OrderRows, signal).catch(orIfRefused(null));
}

const merge = (...families: readonly Family[]): Family => [
  ...new Map(families.flat().map((row) => [sdCodeOf(row), row])).values(),
];

/** The other parts of a split order: asked for by the codes that they must have and, where CJ shows none, in the list. */
async function readParts(
  client: CjClient,
  key: OrderKey,
  known: Family,
  signal: AbortSignal,
): Promise<Family> {
  const isOwn = (row: OrderRow): boolean => isRowOf(key, row);
  const codes = Array.from({ length: MOST_PARTS }, (_, index) => partCode(key.supplierReference, index + 1));
  const family = merge(known, ((await readBatch(client, codes, signal)) ?? []).filter(isOwn));
  if (family.filter(isPart).length > 1) return family;
  const search = { states: PART_STATES, callerRef: key.callerRef };
  return merge(family, await listOrders(client, search, isOwn, signal).catch(orIfRefused([])));
}

/** Completes the families of those that turned out to be split. */
async function withParts(client: CjClient, families: Families, signal: AbortSignal): Promise<Families> {
  const complete = new Map<OrderKey, Family>();
  for (const [key, family] of families) {
    complete.set(key, family.some(isPart) ? await readParts(client, key, family, signal) : family);
  }
  return complete;
}

async function observe(client: CjClient, found: Families, signal: AbortSignal): Promise<Statuses> {
  const families = await withParts(client, found, signal);
  const moving = [...families.values()].flatMap(movingNumbersOf);
  const tracking = await readTracking(client, [...new Set(moving)], signal);
  const seen: Statuses = new Map();
  for (const [{ supplierReference }, family] of families) {
    const status = observeFamily(family, tracking);
    if (status !== null) seen.set(supplierReference, status);
  }
  return seen;
}

const addTo = (all: Statuses, more: Statuses): void => {
  for (const [sdCode, status] of more) all.set(sdCode, status);
};

/** The rows of each order; those without any are left out. */
function familiesOf(keys: readonly OrderKey[], rows: readonly OrderRow[]): Map<OrderKey, Family> {
  const families = keys.map((key) => [key, merge(rows.filter((row) => isRowOf(key, row)))] as const);
  return new Map(families.filter(([, family]) => family.length > 0));
}

/** Adds to `seen` as it goes on, so that what was read stays when the time runs out. */
async function readSingly(
  client: CjClient,
  keys: readonly OrderKey[],
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < keys.length; from += SINGLES_PER_TRACKING) {
    const families = new Map<OrderKey, Family>();
    try {
      for (const key of keys.slice(from, from + SINGLES_PER_TRACKING)) {
        const row = await readOrder(client, key, 'query', signal);
        if (row !== null) families.set(key, [row]);
      }
      addTo(seen, await observe(client, families, signal));
    } catch (error) {
      // Without its carrier's word a parcel on its way would seem to be back at its first scan.
      const still = [...families].filter(
        ([, family]) => movingNumbersOf(family).length === 0 && !family.some(isPart),
      );
      addTo(seen, await observe(client, new Map(still), signal));
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
  const codes = missing.map(({ supplierReference }) => supplierReference);
  const families = familiesOf(missing, (await readBatch(client, codes, signal)) ?? []);
  if (families.size === 0) return readSingly(client, missing, seen, signal);
  addTo(seen, await observe(client, families, signal));
}

/**
 * By our number, which all parts of a split order keep, and by the code of its first part: nothing but that code tells
 * that an order was split where CJ shows the whole one under our number.
 */
async function readKnown(
  client: CjClient,
  keys: readonly OrderKey[],
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const numbers = [...new Set(keys.map(({ callerRef }) => callerRef))];
  const first = keys.map(({ supplierReference }) => partCode(supplierReference, 1));
  const rows = await readBatch(client, [...numbers, ...first], signal);
  return rows ?? (await readBatch(client, numbers, signal)) ?? [];
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
  const families = familiesOf(keys, await readKnown(client, keys, signal));
  const seen = await observe(client, families, signal);
  const missing = keys.filter((key) => !families.has(key));
  if (missing.length === 0) return seen;
  try {
    await readMissing(client, missing, seen, signal);
  } catch (error) {
    if (!(error instanceof SupplierError) || seen.size === 0) throw error;
  }
  return seen;
}
