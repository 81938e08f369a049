import type {
  Attention,
  ObservedParcel,
  SupplierOrderObserved,
} from '../../../contracts/events/supplier-order-observed.ts';
import type { Evidence } from '../../../contracts/vocabulary.ts';
import type { ObservedStatus, OrderKey, PlacedLine } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { isSentInPart, riddleOf, stageOf, troubleOf, unnumberedOf } from './order-status.ts';
import { orderIdsOf, readOrder } from './orders.ts';
import { packedPieces } from './packed-pieces.ts';
import type { OrderRow } from './responses.ts';
import { readTracking, toParcels } from './tracking.ts';

/** Each order is one call, or two once it is on its way, a second apart: more would outlast the patience of a call. */
export const STATUS_BATCH = 8;

type Status = SupplierOrderObserved['status'];

/** From the least to the most advanced. */
const STEPS: readonly Status[] = ['awaiting_payment', 'processing', 'shipped', 'delivered'];

interface ObservedOrder {
  readonly orderId: string;
  readonly row: OrderRow;
  /** Null: it only says that a person has to see to it. */
  readonly status: Status | null;
  readonly parcels: readonly ObservedParcel[];
  readonly trouble: Attention | null;
}

/** Goods whose order says no more than that they are on their way are where all their parcels are. */
const statusOfParcels = (parcels: readonly ObservedParcel[]): Status | null => {
  if (parcels.length === 0) return null;
  return parcels.every(({ state }) => state === 'delivered') ? 'delivered' : 'shipped';
};

/** A parcel that does not say what it holds would pass for all of the purchase, of which more is to come. */
const holdsPart = ({ units }: ObservedParcel): boolean => units !== undefined;

const byNumber = (a: ObservedParcel, b: ObservedParcel): number =>
  a.trackingNumber < b.trackingNumber ? -1 : 1;

/** The only parcel of a whole order holds what the order does, where it does not say it itself. */
function withContents(
  { child_order_list: children }: OrderRow,
  parcels: readonly ObservedParcel[],
  lines: readonly PlacedLine[],
): readonly ObservedParcel[] {
  const [only, ...others] = parcels;
  if (only === undefined || others.length > 0 || holdsPart(only)) return parcels;
  const items = children.map(({ sku_id, product_count: quantity }) => ({ sku_id, quantity }));
  const units = packedPieces(items, lines);
  return units === null ? parcels : [{ ...only, units }];
}

/**
 * Of an order that was received whole: what its parcels do not name was in the last of them, for no other will come.
 * Unchanged where one says nothing of what it holds, and so has the rest, or nobody knows how much was ordered.
 */
function withMissing(
  parcels: readonly ObservedParcel[],
  lines: readonly PlacedLine[],
): readonly ObservedParcel[] {
  const last = parcels.toSorted(byNumber).at(-1);
  const isCounted = lines.every(({ supplierUnits }) => supplierUnits !== undefined);
  if (last === undefined || !isCounted || !parcels.every(holdsPart)) return parcels;
  const missing = new Map<string, number>();
  const add = (lineId: string, pieces: number): void => {
    missing.set(lineId, (missing.get(lineId) ?? 0) + pieces);
  };
  for (const { lineId, supplierUnits = 0 } of lines) add(lineId, supplierUnits);
  for (const { units = {} } of parcels)
    for (const [lineId, pieces] of Object.entries(units)) add(lineId, -pieces);
  const units = { ...last.units };
  for (const [lineId, pieces] of missing) if (pieces > 0) units[lineId] = (units[lineId] ?? 0) + pieces;
  return parcels.map((parcel) => (parcel === last ? { ...last, units } : parcel));
}

interface Asked {
  readonly orderId: string;
  /** Of the purchase, which may be several orders. */
  readonly lines: readonly PlacedLine[];
  readonly isOneOfSeveral: boolean;
}

/** Null when AliExpress does not have it or says nothing that we know. */
async function observeOrder(
  client: AliExpressClient,
  { orderId, lines, isOneOfSeveral }: Asked,
  signal: AbortSignal,
): Promise<ObservedOrder | null> {
  const row = await readOrder(client, orderId, 'query', signal);
  if (row === null) return null;
  const stage = stageOf(row);
  const trouble = troubleOf(row, orderId);
  const seen = { orderId, row, trouble };
  if (stage === null && trouble === null) return null;
  if (stage === 'awaiting_payment' || stage === 'cancelled') return { ...seen, status: stage, parcels: [] };
  const isPart = stage === null || isSentInPart(row);
  const isSent = stage !== 'processing' || isPart;
  const details = isSent ? await readTracking(client, orderId, 'query', signal) : [];
  const all = toParcels(row, details, lines);
  const whole = isOneOfSeveral ? withContents(row, all, lines) : all;
  const parcels = isPart && stage !== 'delivered' ? all.filter(holdsPart) : whole;
  if (stage === 'delivered') {
    const isAll = trouble === null && !isOneOfSeveral;
    const arrived = (isAll ? withMissing(parcels, lines) : parcels).map((parcel) => ({
      ...parcel,
      state: 'delivered' as const,
    }));
    const unnumbered = parcels.length === 0 ? unnumberedOf(row, orderId) : null;
    return { ...seen, trouble: trouble ?? unnumbered, status: stage, parcels: arrived };
  }
  const status = stage === 'moving' ? statusOfParcels(parcels) : stage;
  const riddle = trouble ?? (status === null ? riddleOf(row, orderId) : null);
  return status === null && riddle === null ? null : { ...seen, trouble: riddle, status, parcels };
}

/** Evidence of all orders of one purchase; the times to pay differ by seconds at most. */
function evidenceOf(orders: readonly ObservedOrder[]): Evidence {
  const texts = (of: (row: OrderRow) => string | null): string =>
    orders.map(({ row }) => of(row) ?? '').join(' ');
  const payWithinSeconds = orders.find(({ row }) => row.pay_timeout_second !== null)?.row.pay_timeout_second;
  const isUnpaid = orders.some(({ status }) => status === 'awaiting_payment');
  return {
    orderStatus: texts(({ order_status }) => order_status),
    logisticsStatus: texts(({ logistics_status }) => logistics_status),
    ...(isUnpaid && payWithinSeconds != null ? { payWithinSeconds } : {}),
  };
}

/**
 * The parcels of all that was bought, once all of it is sent. One that does not say what it holds has what is in none of
 * the others; of several such nobody can tell, and they wait until their contents are named, or until all have arrived.
 * Those of a single line, or of lines of one article, do not wait for that: once carriers have them all and still none
 * says what it holds, they are told as one, which is where the last of them is.
 */
function tellable(parcels: readonly ObservedParcel[], isOneKind: boolean): readonly ObservedParcel[] {
  const named = parcels.filter(holdsPart);
  const rest = parcels.filter((parcel) => !holdsPart(parcel)).toSorted(byNumber);
  const isOver = parcels.every(({ state }) => state === 'delivered');
  const [first, second] = rest;
  if (first === undefined || second === undefined || isOver) return [...named, ...rest];
  // Contents may come with the carrier's first word: told too early they would have to be taken back in the shop.
  if (!isOneKind || rest.some(({ state }) => state === 'announced')) return named;
  const { state } = rest.find((parcel) => parcel.state !== 'delivered') ?? first;
  return [...named, { ...first, state }];
}

/** All troubles of the orders in one; of those that were cancelled it is one that others go on. */
function attentionOf(
  orders: readonly ObservedOrder[],
  living: readonly ObservedOrder[],
): Pick<ObservedStatus, 'attention'> {
  const torn = orders.filter((order) => living.length > 0 && !living.includes(order));
  const cause = 'one of the orders of this purchase was cancelled, the others go on';
  const troubles = [
    ...orders.flatMap(({ trouble }) => trouble ?? []),
    ...torn.map(({ orderId, row: { order_status: orderStatus } }): Attention => {
      return { reason: 'operator', evidence: { supplierReference: orderId, orderStatus, cause } };
    }),
  ];
  const [first, ...others] = troubles;
  if (first === undefined) return {};
  const { reason } = troubles.find((trouble) => trouble.reason === 'supplier_rejected') ?? first;
  const joined = (name: string): string => troubles.map(({ evidence }) => evidence[name]).join('; ');
  const names = Object.keys(first.evidence);
  return {
    attention:
      others.length === 0
        ? first
        : { reason, evidence: Object.fromEntries(names.map((name) => [name, joined(name)])) },
  };
}

/** The slowest of the orders that were not cancelled says how far the purchase is. */
function together(orders: readonly ObservedOrder[], lines: readonly PlacedLine[]): ObservedStatus {
  const living = orders.filter(({ status }) => status !== 'cancelled');
  const slowest = STEPS.find((step) => living.some((order) => order.status === step)) ?? 'cancelled';
  const status = living.some((order) => order.status === null) ? null : slowest;
  const isWhole = status !== null && living.every((order) => order.status === status);
  const parcels = living.flatMap((order) => order.parcels);
  const areOne = (of: (line: PlacedLine) => string): boolean => new Set(lines.map(of)).size === 1;
  const isOneKind = areOne(({ lineId }) => lineId) || areOne(({ supplierVariantId }) => supplierVariantId);
  return {
    status,
    parcels: isWhole ? [...tellable(parcels, isOneKind)] : parcels.filter(holdsPart),
    evidence: evidenceOf(orders),
    ...attentionOf(orders, living),
  };
}

/** Null when one of the orders of the purchase could not be told. */
async function observe(
  client: AliExpressClient,
  { supplierReference, lines = [] }: OrderKey,
  signal: AbortSignal,
): Promise<ObservedStatus | null> {
  const orders: ObservedOrder[] = [];
  const orderIds = orderIdsOf(supplierReference);
  for (const orderId of orderIds) {
    const asked = { orderId, lines, isOneOfSeveral: orderIds.length > 1 };
    const order = await observeOrder(client, asked, signal);
    if (order === null) return null;
    orders.push(order);
  }
  return together(orders, lines);
}

/** Nobody would be answered now: the account is told to wait or to stop, or the caller has stopped waiting. */
const isOfAll = ({ failureClass }: SupplierError, signal: AbortSignal): boolean =>
  failureClass === 'throttled' || failureClass === 'auth' || signal.aborted;

/**
 * What became of the orders, one after another. Left out: those that AliExpress does not have, those in a state that is
 * unknown to us, those that it refuses to tell about, and those that a failure or the end of the time kept from being
 * read. Throws SupplierError when nothing could be read.
 */
export async function readStatus(
  client: AliExpressClient,
  keys: readonly OrderKey[],
  signal: AbortSignal,
): Promise<Map<string, ObservedStatus>> {
  if (keys.length > STATUS_BATCH)
    throw new SupplierError('invalid_input', `more than ${STATUS_BATCH} orders`, { sent: false });
  const seen = new Map<string, ObservedStatus>();
  let failure: SupplierError | null = null;
  // One order whose reading keeps failing is its own trouble; the next one that fails as well is everybody's.
  let hasJustFailed = false;
  for (const key of keys) {
    try {
      const status = await observe(client, key, signal);
      if (status !== null) seen.set(key.supplierReference, status);
      hasJustFailed = false;
    } catch (error) {
      if (!(error instanceof SupplierError)) throw error;
      const isEnd = isOfAll(error, signal) || (hasJustFailed && error.retryable);
      if (isEnd || failure?.retryable !== true) failure = error;
      if (isEnd) break;
      hasJustFailed = error.retryable;
    }
  }
  if (failure !== null && seen.size === 0) throw failure;
  return seen;
}
