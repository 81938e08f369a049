import type { ObservedStatus, OrderKey } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { BatchCall } from './batch-call.ts';
import type { CjClient } from './client.ts';
import { type Family, isPart, movingNumbersOf, observeFamily } from './family.ts';
import { listOrders } from './look-up.ts';
import { isRowOf, readOrder, sdCodeOf } from './orders.ts';
import { orIfRefused } from './refusal.ts';
import type { OrderRow } from './responses.ts';
import { partCode } from './sd-code.ts';
import { slicesOf } from './slices.ts';
import { MAX_NUMBERS, type ReadTracking, trackingReader } from './tracking.ts';

/** CJ takes this many ids in a batch. */
const MAX_IDS = 100;

/** Each order is asked for by two ids. */
export const STATUS_BATCH = MAX_IDS / 2;

/** States that a part can be in: orders are split after the payment. */
const PART_STATES = ['UNSHIPPED', 'SHIPPED', 'DELIVERED', 'CANCELLED'] as const;
const MOST_PARTS = 9;
/** So many split orders have all their parts asked for in one batch. */
const SPLITS_PER_BATCH = Math.floor(MAX_IDS / MOST_PARTS);

/** How CJ's orders are read. */
export interface OrderReader {
  readonly client: CjClient;
  /** Null when CJ refuses the batch: then nothing is known about any of the orders. */
  readonly readBatch: BatchCall;
}

/** One reading of orders. */
interface Reading extends OrderReader {
  readonly readTracking: ReadTracking;
}

type Statuses = Map<string, ObservedStatus>;
type Families = ReadonlyMap<OrderKey, Family>;

const merge = (...families: readonly Family[]): Family => [
  ...new Map(families.flat().map((row) => [sdCodeOf(row), row])).values(),
];

const NO_TRACKING: Awaited<ReturnType<ReadTracking>> = new Map();

function tell(seen: Statuses, families: Families, tracking = NO_TRACKING): void {
  for (const [{ supplierReference, lines }, family] of families) {
    const status = observeFamily(family, tracking, lines);
    if (status !== null) seen.set(supplierReference, status);
  }
}

/** Those on their way come last, for without its carrier's word a parcel would seem not to be scanned yet. */
async function tellWhole(
  { readTracking }: Reading,
  families: Families,
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  const isMoving = ([, family]: readonly [OrderKey, Family]): boolean => movingNumbersOf(family).length > 0;
  tell(seen, new Map([...families].filter((each) => !isMoving(each))));
  for (const some of slicesOf([...families].filter(isMoving), MAX_NUMBERS)) {
    const moving = some.flatMap(([, family]) => movingNumbersOf(family));
    tell(seen, new Map(some), await readTracking([...new Set(moving)], signal));
  }
}

/** The other parts of a split order, out of the list: CJ's batch shows none under the codes that they must have. */
async function listParts(
  { client }: OrderReader,
  key: OrderKey,
  known: Family,
  signal: AbortSignal,
): Promise<Family> {
  const isOwn = (row: OrderRow): boolean => isRowOf(key, row);
  const search = { states: PART_STATES, callerRef: key.callerRef };
  return merge(known, await listOrders(client, search, isOwn, signal).catch(orIfRefused([])));
}

/** Those whose parts are shown under their codes are told of before the others, which take several calls each. */
async function tellSplit(
  reading: Reading,
  families: Families,
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  const hidden: (readonly [OrderKey, Family])[] = [];
  for (const some of slicesOf([...families], SPLITS_PER_BATCH)) {
    const codes = some.flatMap(([{ supplierReference }]) =>
      Array.from({ length: MOST_PARTS }, (_, index) => partCode(supplierReference, index + 1)),
    );
    const rows = (await reading.readBatch(codes, signal)) ?? [];
    const shown = new Map<OrderKey, Family>();
    for (const [key, known] of some) {
      const family = merge(
        known,
        rows.filter((row) => isRowOf(key, row)),
      );
      if (family.filter(isPart).length > 1) shown.set(key, family);
      else hidden.push([key, family]);
    }
    await tellWhole(reading, shown, seen, signal);
  }
  for (const [key, known] of hidden)
    await tellWhole(reading, new Map([[key, await listParts(reading, key, known, signal)]]), seen, signal);
}

/** Adds to `seen` as it goes on, so that what was read stays when the time runs out. */
async function observe(
  reading: Reading,
  families: Families,
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  const isSplit = ([, family]: readonly [OrderKey, Family]): boolean => family.some(isPart);
  await tellWhole(reading, new Map([...families].filter((each) => !isSplit(each))), seen, signal);
  await tellSplit(reading, new Map([...families].filter(isSplit)), seen, signal);
}

/** The rows of each order; those without any are left out. */
function familiesOf(keys: readonly OrderKey[], rows: readonly OrderRow[]): Map<OrderKey, Family> {
  const families = keys.map((key) => [key, merge(rows.filter((row) => isRowOf(key, row)))] as const);
  return new Map(families.filter(([, family]) => family.length > 0));
}

/** Orders read singly before their parcels are asked for: with more, a time that runs out loses the parcels of all. */
const SINGLES_PER_TRACKING = 10;

async function readSingly(
  reading: Reading,
  keys: readonly OrderKey[],
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  for (const some of slicesOf(keys, SINGLES_PER_TRACKING)) {
    const unfinished = new Map<OrderKey, Family>();
    for (const key of some) {
      const row = await readOrder(reading.client, key, 'query', signal);
      if (row === null) continue;
      const isWhole = !isPart(row) && movingNumbersOf([row]).length === 0;
      if (isWhole) tell(seen, new Map([[key, [row]]]));
      else unfinished.set(key, [row]);
    }
    await observe(reading, unfinished, seen, signal);
  }
}

/** Asks for those that did not come under our number by their codes, and one by one where that brings none of them. */
async function readMissing(
  reading: Reading,
  missing: readonly OrderKey[],
  seen: Statuses,
  signal: AbortSignal,
): Promise<void> {
  const codes = missing.map(({ supplierReference }) => supplierReference);
  const families = familiesOf(missing, (await reading.readBatch(codes, signal)) ?? []);
  if (families.size === 0) return readSingly(reading, missing, seen, signal);
  await observe(reading, families, seen, signal);
}

/**
 * By our number, which all parts of a split order keep, and by the code of its first part: nothing but that code tells
 * that an order was split where CJ shows the whole one under our number.
 */
async function readKnown(
  { readBatch }: OrderReader,
  keys: readonly OrderKey[],
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const numbers = [...new Set(keys.map(({ callerRef }) => callerRef))];
  const first = keys.map(({ supplierReference }) => partCode(supplierReference, 1));
  return (await readBatch([...numbers, ...first], signal)) ?? (await readBatch(numbers, signal)) ?? [];
}

/**
 * What became of the orders, by SD code. Left out: orders that CJ does not show or names no state of, and those that a failure or the end of the time kept from being read after others were. Throws SupplierError when
 * nothing could be read.
 */
export async function readStatus(
  reader: OrderReader,
  keys: readonly OrderKey[],
  signal: AbortSignal,
): Promise<Statuses> {
  if (keys.length === 0) return new Map();
  if (keys.length > STATUS_BATCH) {
    throw new SupplierError('invalid_input', `more than ${STATUS_BATCH} orders`, { sent: false });
  }
  const families = familiesOf(keys, await readKnown(reader, keys, signal));
  const missing = keys.filter((key) => !families.has(key));
  const seen: Statuses = new Map();
  const reading = { ...reader, readTracking: trackingReader(reader.client) };
  try {
    await observe(reading, families, seen, signal);
    if (missing.length > 0) await readMissing(reading, missing, seen, signal);
  } catch (error) {
    if (!(error instanceof SupplierError) || seen.size === 0) throw error;
  }
  return seen;
}
