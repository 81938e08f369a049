import type { SupplierName, SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { INTENT_WRITTEN } from '../../machines/replay.ts';
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
  readonly amountMinor: number | null;
  /** False: its articles, method and cost are still to be found. */
  readonly isQuoted: boolean;
}

const COLUMNS = `id, order_id as "orderId", supplier, state, shipping_method as "shippingMethod",
  ships_from as "shipsFrom", expected_cost_minor::float8 as "expectedCostMinor", currency,
  supplier_reference as "supplierReference", amount_minor::float8 as "amountMinor",
  is_quoted as "isQuoted"`;

export async function readPurchase(sql: Sql, supplierOrderId: string): Promise<PurchaseRow | undefined> {
  const [row] = await sql.query<PurchaseRow>(`select ${COLUMNS} from supplier_orders where id = $1`, [
    supplierOrderId,
  ]);
  return row;
}

export interface LockedPurchase extends PurchaseRow {
  /** An open hold stops it: it stays where it is, and nothing is spent on it. */
  readonly isHeld: boolean;
}

/** Any hold stops all of an order; where part of it may be bought, those on other parts of it do not. */
const STOPS = `h.order_id = o.order_id and h.released_at is null
  and ((h.line_id is null and coalesce(h.supplier_order_id, o.id) = o.id) or not exists (
        select 1 from orders w where w.id = o.order_id and (w.context -> 'rules' ->> 'partialPurchase')::boolean))`;

/**
 * Holds the row against the host's batch until the end of the transaction. Whoever also writes the purchase's ledger
 * locks here first: the other way round two of them wait for each other.
 */
export async function lockPurchase(sql: Sql, supplierOrderId: string): Promise<LockedPurchase | undefined> {
  const [row] = await sql.query<LockedPurchase>(
    `select ${COLUMNS}, exists (select 1 from holds h where ${STOPS}) as "isHeld"
       from supplier_orders o where id = $1 for update of o`,
    [supplierOrderId],
  );
  return row;
}

/**
 * The one move that is not the order host's: part of the transaction that takes the right to call, which holds the row.
 * The timeline tells of it in its place, so that telling it all again leads to the same state.
 */
export async function markPlacing(sql: Sql, { id, orderId }: PurchaseRow, commandId: string): Promise<void> {
  await sql.run(
    "update supplier_orders set state = 'placing', version = version + 1, updated_at = now(), entered_at = now() where id = $1",
    [id],
  );
  await sql.run(
    `insert into timeline (order_id, message_id, type, accepted, supplier_order_id, supplier_from, supplier_to, actor, data)
     values ($1, $2, $3, true, $4, 'draft', 'placing', '/suppliers', $5::json)`,
    [orderId, commandId, INTENT_WRITTEN, id, JSON.stringify({ orderId, supplierOrderId: id })],
  );
}

export interface PurchaseLine {
  readonly lineId: string;
  /** Of the order line. */
  readonly units: number;
  readonly supplierProductId: string;
  /** Empty until the purchase is quoted. */
  readonly supplierVariantId: string;
  readonly supplierUnits: number;
  /** By which the variant is found. */
  readonly properties: Readonly<Record<string, string>>;
}

export const readLines = (sql: Sql, supplierOrderId: string): Promise<PurchaseLine[]> =>
  sql.query<PurchaseLine>(
    `select line_id as "lineId", units, supplier_product_id as "supplierProductId",
            supplier_variant_id as "supplierVariantId", supplier_units as "supplierUnits",
            coalesce(properties, '{}') as properties
       from supplier_order_lines where supplier_order_id = $1
      order by line_id, units desc, supplier_product_id, supplier_variant_id`,
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

/**
 * The other supplier order that is known by one of these references, if there is one. Until the end of the transaction
 * nobody else can take them.
 */
export async function ownerOf(
  sql: Sql,
  { id, supplier }: PurchaseRow,
  supplierReference: string,
): Promise<string | undefined> {
  // One lock for each reference, always in the same order: purchases that share none do not wait for each other.
  const keys = supplierReference.split(',').map((reference) => `adopt:${supplier}:${reference}`);
  await sql.query('select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as key', [
    keys.sort(),
  ]);
  const [owner] = await sql.query<{ id: string }>(
    `select id from supplier_orders
      where supplier = $1 and id <> $2 and string_to_array(supplier_reference, ',') && string_to_array($3, ',')
      limit 1`,
    [supplier, id, supplierReference],
  );
  return owner?.id;
}
