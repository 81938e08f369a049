import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import type { OrderedLine } from './adapter.ts';

/**
 * Adapters count pieces, the order's machine counts units: the parcels with the one in the place of the other. A unit of
 * several pieces that went into different parcels counts to the one with its last piece. Lines that are not the
 * order's are dropped.
 */
export function toOrderUnits(
  parcels: readonly ObservedParcel[],
  lines: readonly Omit<OrderedLine, 'supplierVariantId'>[],
): ObservedParcel[] {
  const packed = new Map<string, number>();
  return parcels.map((parcel) => {
    if (parcel.units === undefined) return parcel;
    const units: Record<string, number> = {};
    for (const { lineId, units: ordered, supplierUnits } of lines) {
      const before = packed.get(lineId) ?? 0;
      const after = Math.min(supplierUnits, before + (parcel.units[lineId] ?? 0));
      packed.set(lineId, after);
      const unitsUpTo = (pieces: number): number => Math.floor((pieces * ordered) / supplierUnits);
      const inside = unitsUpTo(after) - unitsUpTo(before);
      if (inside > 0) units[lineId] = inside;
    }
    return { ...parcel, units };
  });
}
