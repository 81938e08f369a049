import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import type { Sql } from '../store/store.ts';

export interface OrderedLine {
  readonly lineId: string;
  readonly units: number;
  /** Pieces at the supplier for all of them. */
  readonly supplierUnits: number;
}

/**
 * The parcels with the order's units in the place of the supplier's pieces. A unit of several pieces that went into
 * different parcels counts to the one with its last piece. Lines that are not the order's are dropped.
 */
export function toOrderUnits(
  parcels: readonly ObservedParcel[],
  lines: readonly OrderedLine[],
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

/** Adapters count pieces; the order's machine counts units. */
export async function inOrderUnits(
  sql: Sql,
  supplierOrderId: string,
  parcels: readonly ObservedParcel[],
): Promise<ObservedParcel[]> {
  if (parcels.every(({ units }) => units === undefined)) return [...parcels];
  const lines = await sql.query<OrderedLine>(
    `select line_id as "lineId", sum(units)::int as units, sum(supplier_units)::int as "supplierUnits"
       from supplier_order_lines where supplier_order_id = $1 group by line_id order by line_id`,
    [supplierOrderId],
  );
  return toOrderUnits(parcels, lines);
}
