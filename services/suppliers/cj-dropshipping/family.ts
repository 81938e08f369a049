import type { ObservedParcel } from '../../../contracts/events/supplier-order-observed.ts';
import type { ObservedStatus, PlacedLine } from '../adapter.ts';
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

/** As far as the last of them has come; null when the state of one is unknown. */
function statusOf(rows: readonly OrderRow[]): ObservedStatus['status'] {
  const states = rows.map(({ orderStatus }) => observedStatusOf(orderStatus));
  const slowest = (['awaiting_payment', 'processing', 'shipped', 'delivered'] as const).find((state) =>
    states.includes(state),
  );
  return states.includes(null) ? null : (slowest ?? 'cancelled');
}

type Lines = readonly PlacedLine[];

const onlyLineOf = (vid: string | null, lines: Lines): string | null => {
  const [line, ...more] = lines.filter(({ supplierVariantId }) => supplierVariantId === vid);
  return line === undefined || more.length > 0 ? null : line.lineId;
};

/** Where the lines are not known, every id passes for one of them. */
const isOurs = (lineId: string, lines: Lines): boolean =>
  lines.length === 0 || lines.some((line) => line.lineId === lineId);

/** Pieces of an article that no part has yet, by line; a line that does not say how many it ordered is in none. */
type Room = Map<string, number>;

const placeOf = (lineId: string, vid: string | null): string => JSON.stringify([lineId, vid]);

const roomOf = (lines: Lines): Room =>
  new Map(
    lines.flatMap(({ lineId, supplierVariantId, supplierUnits }) =>
      supplierUnits === undefined ? [] : [[placeOf(lineId, supplierVariantId), supplierUnits]],
    ),
  );

/**
 * Pieces by order line: by the line's id that we gave CJ or, where it repeats none of ours, by the only line of the
 * article. CJ may name all pieces of an article by one of its lines: those beyond that line's are of the others.
 */
function unitsOf(
  { productList }: OrderRow,
  lines: Lines,
  room: Room = roomOf(lines),
): Record<string, number> | undefined {
  const units: Record<string, number> = {};
  for (const { vid, storeLineItemId, quantity } of productList) {
    if (quantity === 0) continue;
    const isNamed = storeLineItemId !== null && isOurs(storeLineItemId, lines);
    const named = isNamed ? storeLineItemId : onlyLineOf(vid, lines);
    if (named === null || quantity === null || quantity < 1) return undefined;
    const others = lines.filter(
      ({ lineId, supplierVariantId }) => supplierVariantId === vid && lineId !== named,
    );
    let pieces = quantity;
    for (const lineId of [named, ...others.map((line) => line.lineId)]) {
      const taken = Math.min(pieces, room.get(placeOf(lineId, vid)) ?? 0);
      if (taken === 0) continue;
      room.set(placeOf(lineId, vid), (room.get(placeOf(lineId, vid)) ?? 0) - taken);
      units[lineId] = (units[lineId] ?? 0) + taken;
      pieces -= taken;
    }
    if (pieces > 0) units[named] = (units[named] ?? 0) + pieces;
  }
  return Object.keys(units).length === 0 ? undefined : units;
}

const partNumberOf = (row: OrderRow): number => Number(/\d+$/.exec(sdCodeOf(row) ?? '')?.[0] ?? 0);

/** Contents of the parts, shared out in the order of their numbers, so that every look tells the same. */
function contentsOf(
  parts: readonly OrderRow[],
  lines: Lines,
): ReadonlyMap<OrderRow, Record<string, number> | undefined> {
  const room = roomOf(lines);
  const inTurn = parts.toSorted((one, other) => partNumberOf(one) - partNumberOf(other));
  return new Map(inTurn.map((part) => [part, unitsOf(part, lines, room)]));
}

/** Numbers whose parcels only the carrier knows about; in all other states the order itself says enough. */
export const movingNumbersOf = (family: Family): string[] =>
  carriersOf(family).flatMap((row) =>
    observedStatusOf(row.orderStatus) === 'shipped' ? trackingNumbersOf(row) : [],
  );

/** For people: the part and what was to be in it. */
function toWords(part: OrderRow, lines: Lines): string {
  const named = Object.entries(unitsOf(part, lines) ?? {}).map(([lineId, count]) => `${count} of ${lineId}`);
  const articles = part.productList.map(({ vid, quantity }) => `${quantity ?? '?'} of article ${vid ?? '?'}`);
  return `${sdCodeOf(part)} (${(named.length > 0 ? named : articles).join(', ') || 'contents not named'})`;
}

/**
 * Which of several numbers of an order that is not split holds which piece is not said, and nobody but CJ knows: all of it
 * is in the first, the same however CJ lists them, which is where the last of them is.
 */
function asOne(parcels: readonly ObservedParcel[]): ObservedParcel[] {
  const [first, ...others] = parcels.toSorted((a, b) => (a.trackingNumber < b.trackingNumber ? -1 : 1));
  if (first === undefined || others.length === 0) return [...parcels];
  const { state } = [first, ...others].find((parcel) => parcel.state !== 'delivered') ?? first;
  return [{ ...first, state }, ...others.map((parcel) => ({ ...parcel, units: {} }))];
}

const unknownOf = (rows: readonly OrderRow[]): OrderRow[] =>
  rows.filter(({ orderStatus }) => observedStatusOf(orderStatus) === null);

const isDeliveredUnnumbered = (row: OrderRow): boolean =>
  observedStatusOf(row.orderStatus) === 'delivered' && trackingNumbersOf(row).length === 0;

/** What a person has to see to, the same for as long as CJ shows the same. */
function attentionTo(
  gone: readonly OrderRow[],
  rows: readonly OrderRow[],
  lines: Lines,
): Pick<ObservedStatus, 'attention'> {
  // CJ goes on with the other parts and says nothing of it: somebody has to buy these pieces anew, or give them up.
  if (gone.length > 0) {
    const cancelledParts = gone
      .map((part) => toWords(part, lines))
      .sort()
      .join('; ');
    const cause =
      'a part of the split order was cancelled, and a release buys nothing: settle its pieces with CJ or the customer';
    return { attention: { reason: 'operator', evidence: { cause, cancelledParts } } };
  }
  const unknown = unknownOf(rows);
  if (unknown.length > 0) {
    const states = unknown.map((row) => `${sdCodeOf(row)}: ${row.orderStatus}`).sort();
    const evidence = { cause: 'CJ names a state that nobody knows here', states: states.join('; ') };
    return { attention: { reason: 'operator', evidence } };
  }
  const unnumbered = rows.filter(isDeliveredUnnumbered).map(sdCodeOf).sort();
  if (unnumbered.length === 0) return {};
  // A parcel is known by its number: without one neither shop nor customer can be told of it.
  const cause = 'CJ shows it delivered and names no tracking number: ask CJ for the number';
  return { attention: { reason: 'operator', evidence: { cause, orders: unnumbered.join('; ') } } };
}

/**
 * What became of one order, split or not: its parts' parcels, each with the pieces that CJ put into it, and the state of
 * the slowest part. A part that was cancelled among living ones is told as what a person has to see to, and no parcel
 * gets its pieces. A state that is unknown to us is told so too: then the last known one still holds; and so is a delivery
 * without a tracking number, which makes no parcel. Null where CJ names no state at all.
 * @param lines of the order, for parts whose articles name none.
 */
export function observeFamily(
  family: Family,
  tracking: ReadonlyMap<string, TrackRow>,
  lines: Lines = [],
): ObservedStatus | null {
  const carriers = carriersOf(family);
  const rows = livingOf(carriers);
  if (rows.some((row) => row.orderStatus === null)) return null;
  const gone = carriers.filter((row) => !rows.includes(row));
  const isSplit = rows.some(isPart);
  const contents = contentsOf(isSplit ? carriers : [], lines);
  const parcels = rows.flatMap((row) => {
    const state = observedStatusOf(row.orderStatus);
    if (state === null || state === 'cancelled') return [];
    const found = toParcels(row, state, tracking);
    // A parcel that names nothing takes all that is in no other one: the pieces of a part without a parcel too.
    const isAll = gone.length + unknownOf(rows).length === 0;
    if (!isSplit) return asOne(found);
    const units = contents.get(row) ?? (isAll ? undefined : {});
    if (units === undefined) return found;
    // Which of several numbers of one part holds which piece is not said.
    return found.map((parcel, index) => ({ ...parcel, units: index === 0 ? units : {} }));
  });
  const orderStatus = rows.map((row) => row.orderStatus).join(', ');
  const logisticName = rows[0]?.logisticName ?? null;
  return {
    status: statusOf(rows),
    parcels,
    evidence: { orderStatus, logisticName, ...(isSplit ? { parts: rows.length } : {}) },
    ...attentionTo(gone, rows, lines),
  };
}
