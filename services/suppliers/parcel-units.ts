import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';

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

/**
 * The parcels with the order's units in the place of the supplier's pieces, which adapters count. A unit of several
 * pieces that went into different parcels counts to the one with its last piece. Lines that are not the order's are
 * dropped.
 */
export function toOrderUnits(
  parcels: readonly ObservedParcel[],
  lines: readonly OrderedLine[],
): ObservedParcel[] {
  const packed = new Map<string, number>();
  const ordered = byLine(lines);
  return parcels.map((parcel) => {
    if (parcel.units === undefined) return parcel;
    const units: Record<string, number> = {};
    for (const { lineId, units: wanted, supplierUnits } of ordered) {
      const before = packed.get(lineId) ?? 0;
      const after = Math.min(supplierUnits, before + (parcel.units[lineId] ?? 0));
      packed.set(lineId, after);
      const unitsUpTo = (pieces: number): number => Math.floor((pieces * wanted) / supplierUnits);
      const inside = unitsUpTo(after) - unitsUpTo(before);
      if (inside > 0) units[lineId] = inside;
    }
    return { ...parcel, units };
  });
}
