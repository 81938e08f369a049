import type { SupplierName, SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';

export interface PurchaseRow {
  readonly id: string;
  readonly orderId: string;
  readonly supplier: SupplierName;
  readonly state: SupplierOrderStateName;
  readonly shippingMethod: string;
  readonly shipsFrom: string;
  readonly expectedCostMinor: number;
  readonly currency: string;
  readonly supplierReference: string | null;
}

const SELECT = `select id, order_id as "orderId", supplier, state, shipping_method as "shippingMethod",
  ships_from as "shipsFrom", expected_cost_minor::float8 as "expectedCostMinor", currency,
  supplier_reference as "supplierReference" from supplier_orders where id = $1`;

export async function readPurchase(sql: Sql, supplierOrderId: string): Promise<PurchaseRow | undefined> {
  const [row] = await sql.query<PurchaseRow>(SELECT, [supplierOrderId]);
  return row;
}

/** Holds the row against the host's batch until the end of the transaction. */
export async function lockPurchase(sql: Sql, supplierOrderId: string): Promise<PurchaseRow | undefined> {
  const [row] = await sql.query<PurchaseRow>(`${SELECT} for update`, [supplierOrderId]);
  return row;
}

export interface PurchaseLine {
  readonly lineId: string;
  readonly supplierProductId: string;
  readonly supplierVariantId: string;
  readonly supplierUnits: number;
}

export const readLines = (sql: Sql, supplierOrderId: string): Promise<PurchaseLine[]> =>
  sql.query<PurchaseLine>(
    `select line_id as "lineId", supplier_product_id as "supplierProductId",
            supplier_variant_id as "supplierVariantId", supplier_units as "supplierUnits"
       from supplier_order_lines where supplier_order_id = $1 order by line_id`,
    [supplierOrderId],
  );

/** Remembers what the supplier calls the order and what it costs there. */
export const rememberPlaced = (
  sql: Sql,
  supplierOrderId: string,
  placed: { supplierReference: string; amountMinor: number | null },
): Promise<number> =>
  sql.run(
    `update supplier_orders set supplier_reference = $2, amount_minor = coalesce($3, amount_minor), updated_at = now()
      where id = $1`,
    [supplierOrderId, placed.supplierReference, placed.amountMinor],
  );
