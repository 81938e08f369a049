import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import { trackingKeyOf } from '../../contracts/ids.ts';

export interface OrderedLine {
  readonly lineId: string;
  readonly units: number;
  /** Pieces at the supplier for all of them. */
  readonly supplierUnits: number;
}

/** An order line that was bought as several articles stands there several times. */
const byLine = (lines: readonly OrderedLine[]): OrderedLine[] =>
  [...Map.groupBy(lines, ({ lineId }) => lineId)].map(([lineId, articles]) => ({
    lineId,
    units: articles.reduce((sum, { units }) => sum + units, 0),
    supplierUnits: articles.reduce((sum, { supplierUnits }) => sum + supplierUnits, 0),
  }));

type Pieces = ObservedParcel['units'];

const together = (one: Pieces, other: Pieces): Pieces =>
  one === undefined || other === undefined
    ? undefined
    : Object.fromEntries(
        [...new Set([...Object.keys(one), ...Object.keys(other)])].map((lineId) => [
          lineId,
          (one[lineId] ?? 0) + (other[lineId] ?? 0),
        ]),
      );

/** What is shown under one number as the one box that it is; a label that waits yet is of none that has left. */
function boxOf(first: ObservedParcel, others: readonly ObservedParcel[]): ObservedParcel {
  const all = [first, ...others];
  const left = all.filter(({ state, hasLeft }) => state !== 'announced' || hasLeft === true);
  const [box = first, ...more] = left.length > 0 ? left : all;
  const { units: _, ...named } = box;
  const units = more.reduce((sum: Pieces, parcel) => together(sum, parcel.units), box.units);
  const state = left.find((parcel) => parcel.state !== 'delivered')?.state ?? box.state;
  return { ...named, state, ...(units === undefined ? {} : { units }) };
}

/**
 * One parcel for each number: several of a supplier's orders, or parts of one, may go in one box, which then holds what is
 * in each of them.
 */
const boxesOf = (parcels: readonly ObservedParcel[]): ObservedParcel[] =>
  [...Map.groupBy(parcels, ({ trackingNumber }) => trackingKeyOf(trackingNumber)).values()].flatMap(
    ([first, ...others]) =>
      first === undefined ? [] : others.length === 0 ? [first] : [boxOf(first, others)],
  );

/**
 * The parcels, one for each number, with the order's units in the place of the supplier's pieces, which adapters count. A
 * unit of several pieces that went into different parcels counts to the one with its last piece. Lines that are not the
 * order's are dropped, and so is what a parcel says where all of it is in those before it.
 */
export function toOrderUnits(
  parcels: readonly ObservedParcel[],
  lines: readonly OrderedLine[],
): ObservedParcel[] {
  const packed = new Map<string, number>();
  const ordered = byLine(lines);
  return boxesOf(parcels).map((parcel) => {
    const { units: pieces, ...unnamed } = parcel;
    if (pieces === undefined) return parcel;
    const isPacked = ({ lineId, supplierUnits }: OrderedLine): boolean =>
      (packed.get(lineId) ?? 0) >= supplierUnits;
    const named = ordered.filter(({ lineId }) => (pieces[lineId] ?? 0) > 0);
    // Another number of the same box, or a second box: the purchase cannot tell, and what says nothing is asked about.
    if (named.length > 0 && named.every(isPacked)) return unnamed;
    const units: Record<string, number> = {};
    for (const { lineId, units: wanted, supplierUnits } of ordered) {
      const before = packed.get(lineId) ?? 0;
      const after = Math.min(supplierUnits, before + (pieces[lineId] ?? 0));
      packed.set(lineId, after);
      const unitsUpTo = (count: number): number => Math.floor((count * wanted) / supplierUnits);
      const inside = unitsUpTo(after) - unitsUpTo(before);
      if (inside > 0) units[lineId] = inside;
    }
    return { ...parcel, units };
  });
}
