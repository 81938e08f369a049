import type { EntityManager } from '@mikro-orm/postgresql';
import type { ParcelView, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import {
  Parcel,
  PurchaseIntent,
  SupplierOrder,
  SupplierOrderLine,
} from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';

/** Columns a view needs. Of the machine's context it shows what is done about a purchase that nobody wants. */
export const SUPPLIER_ORDER_FIELDS = [
  'id',
  'orderId',
  'supplier',
  'state',
  'supplierReference',
  'shippingMethod',
  'shipsFrom',
  'expectedCostMinor',
  'amountMinor',
  'currency',
  'isQuoted',
  'note',
  'context',
  'createdAt',
  'updatedAt',
] as const;

type Row = Pick<SupplierOrder, (typeof SUPPLIER_ORDER_FIELDS)[number]>;

const toParcel = (parcel: Parcel): ParcelView => ({
  id: parcel.id,
  state: parcel.state,
  trackingNumber: parcel.trackingNumber,
  lastMileTrackingNumber: parcel.lastMileTrackingNumber ?? null,
  carrier: parcel.carrier ?? null,
  trackingUrl: parcel.trackingUrl ?? null,
  shopFulfillmentId: parcel.shopFulfillmentId ?? null,
  lines: Object.entries(parcel.units).map(([lineId, units]) => ({ lineId, units })),
});

/** Views in the order of the rows, with three queries however many rows there are. */
export async function toSupplierOrderViews(
  em: EntityManager,
  rows: readonly Row[],
): Promise<SupplierOrderView[]> {
  if (rows.length === 0) return [];
  const supplierOrderId = { $in: rows.map(({ id }) => id) };
  const lines = await em.find(
    SupplierOrderLine,
    { supplierOrderId },
    { orderBy: { lineId: 'asc', units: 'desc' } },
  );
  const parcels = await em.find(Parcel, { supplierOrderId }, { orderBy: { createdAt: 'asc', id: 'asc' } });
  const intents = await em.find(PurchaseIntent, { supplierOrderId, kind: 'create' });
  const linesOf = Map.groupBy(lines, (line) => line.supplierOrderId);
  const parcelsOf = Map.groupBy(parcels, (parcel) => parcel.supplierOrderId);
  const attempts = new Map(intents.map((intent) => [intent.supplierOrderId, intent.attempt]));
  return rows.map((row) => ({
    id: row.id,
    orderId: row.orderId,
    supplier: row.supplier,
    status: row.state,
    supplierReference: row.supplierReference ?? null,
    attempt: attempts.get(row.id) ?? 0,
    shippingMethod: row.shippingMethod || null,
    shipsFrom: row.shipsFrom || null,
    expectedCostMinor: row.isQuoted ? row.expectedCostMinor : null,
    amountMinor: row.amountMinor ?? null,
    currency: row.currency,
    lines: (linesOf.get(row.id) ?? []).map((line) => ({
      lineId: line.lineId,
      units: line.units,
      supplierProductId: line.supplierProductId,
      supplierVariantId: line.supplierVariantId || null,
      supplierUnits: line.supplierUnits,
      properties: line.properties ?? {},
    })),
    parcels: (parcelsOf.get(row.id) ?? []).map(toParcel),
    compensation: row.context.compensation ?? null,
    note: row.note ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }));
}

/** In the order of the ids; what there is not is left out. */
export async function readSupplierOrderViews(
  store: Store,
  ids: readonly string[],
): Promise<SupplierOrderView[]> {
  const em = await store.em();
  const rows = await em.find(SupplierOrder, { id: { $in: [...ids] } }, { fields: SUPPLIER_ORDER_FIELDS });
  const views = new Map((await toSupplierOrderViews(em, rows)).map((view) => [view.id, view]));
  return ids.flatMap((id) => views.get(id) ?? []);
}
