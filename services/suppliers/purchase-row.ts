import type { SupplierName, SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { INTENT_WRITTEN } from '../../machines/intent-written.ts';
import { insertRows, updateRows } from '../store/rows.ts';
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
  /** The reference of ours that the supplier has it under. */
  readonly placedAs: string;
  readonly amountMinor: number | null;
  /** False: its articles, method and cost are still to be found. */
  readonly isQuoted: boolean;
  /** Mark of the address that it was quoted for; null: the release before did not say. */
  readonly quotedFor: string | null;
  /** How often its draft was changed. */
  readonly edits: number;
}

export const PURCHASE_COLUMNS = `id, order_id as "orderId", supplier, state, shipping_method as "shippingMethod",
  ships_from as "shipsFrom", expected_cost_minor::float8 as "expectedCostMinor", currency,
  supplier_reference as "supplierReference", coalesce(placed_as, id) as "placedAs", amount_minor::float8 as "amountMinor",
  is_quoted as "isQuoted", quoted_for as "quotedFor", edits`;

export async function readPurchase(sql: Sql, supplierOrderId: string): Promise<PurchaseRow | undefined> {
  const [row] = await sql.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from supplier_orders where id = $1`,
    [supplierOrderId],
  );
  return row;
}

/**
 * Holds the rows against the host's batch, which locks in the same order, until the end of the transaction. Whoever also
 * writes the purchases' ledger locks here first: the other way round two of them wait for each other.
 */
export async function lockPurchases(
  sql: Sql,
  supplierOrderIds: readonly string[],
): Promise<ReadonlyMap<string, PurchaseRow>> {
  const rows = await sql.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from supplier_orders where id = any($1::text[]) order by id for update`,
    [supplierOrderIds],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export const lockPurchase = async (sql: Sql, supplierOrderId: string): Promise<PurchaseRow | undefined> =>
  (await lockPurchases(sql, [supplierOrderId])).get(supplierOrderId);

/**
 * The one move that is not the order host's: part of the transaction that takes the right to call, which holds the rows.
 * The timeline tells of it in its place, so that telling it all again leads to the same state.
 */
export async function markPlacing(
  sql: Sql,
  marked: readonly { readonly row: PurchaseRow; readonly commandId: string }[],
): Promise<void> {
  if (marked.length === 0) return;
  await sql.run(
    `update supplier_orders set state = 'placing', version = version + 1, updated_at = now(), entered_at = now()
      where id = any($1::text[])`,
    [marked.map(({ row }) => row.id)],
  );
  await insertRows(
    sql,
    'timeline',
    {
      order_id: 'text',
      message_id: 'text',
      type: 'text',
      accepted: 'boolean',
      supplier_order_id: 'text',
      supplier_from: 'text',
      supplier_to: 'text',
      actor: 'text',
      data: 'json',
    },
    marked.map(({ row: { id, orderId }, commandId }) => ({
      order_id: orderId,
      message_id: commandId,
      type: INTENT_WRITTEN,
      accepted: true,
      supplier_order_id: id,
      supplier_from: 'draft',
      supplier_to: 'placing',
      actor: '/suppliers',
      data: { orderId, supplierOrderId: id },
    })),
  );
}

/** What the supplier calls an order and what it costs there; null: it does not say. */
export interface NamedOrder {
  readonly supplierReference: string;
  readonly amountMinor: number | null;
}

/** A purchase that is over, and whose order at the supplier lives again as another one's. */
export interface TakenOver {
  readonly id: string;
  readonly placedAs: string;
}

interface Remembered extends NamedOrder {
  readonly supplierOrderId: string;
  readonly takesOver?: TakenOver | undefined;
}

/** Remembers that of each of the supplier orders; one that was taken over is known by its reference no more. */
export async function rememberPlaced(sql: Sql, placed: readonly Remembered[]): Promise<void> {
  await updateRows(
    sql,
    'supplier_orders',
    { id: 'text', supplier_reference: 'text', placed_as: 'text', amount_minor: 'bigint' },
    placed.map(({ supplierOrderId, supplierReference, amountMinor, takesOver }) => ({
      id: supplierOrderId,
      supplier_reference: supplierReference,
      placed_as: takesOver?.placedAs ?? null,
      amount_minor: amountMinor,
    })),
    `supplier_reference = d.supplier_reference, amount_minor = coalesce(d.amount_minor, o.amount_minor),
     placed_as = coalesce(d.placed_as, o.placed_as), updated_at = now()`,
    'o.id = d.id',
  );
  const over = placed.flatMap(({ supplierOrderId, takesOver }) =>
    takesOver === undefined
      ? []
      : [{ id: takesOver.id, note: `its order at the supplier lives again, as ${supplierOrderId}` }],
  );
  if (over.length === 0) return;
  await updateRows(
    sql,
    'supplier_orders',
    { id: 'text', note: 'text' },
    over,
    String.raw`supplier_reference = null, note = concat_ws(e'\n', o.note, d.note), updated_at = now()`,
    'o.id = d.id',
  );
}

/** Remembers what each of the supplier orders costs, as the supplier says by now, in the caller's transaction. */
export async function rememberAmounts(
  sql: Sql,
  told: readonly { readonly id: string; readonly amountMinor: number }[],
): Promise<void> {
  await lockPurchases(
    sql,
    told.map(({ id }) => id),
  );
  await updateRows(
    sql,
    'supplier_orders',
    { id: 'text', amount_minor: 'bigint' },
    told.map(({ id, amountMinor: amount_minor }) => ({ id, amount_minor })),
    'amount_minor = d.amount_minor, updated_at = now()',
    'o.id = d.id',
  );
}

interface Adopted {
  readonly row: PurchaseRow;
  readonly supplierReference: string;
  /** Who has it still, and gives it up. */
  readonly takesOver?: TakenOver | undefined;
}

/** One lock for each reference, always in the same order: purchases that share none do not wait for each other. */
export async function holdReferences(sql: Sql, adopted: readonly Adopted[]): Promise<void> {
  if (adopted.length === 0) return;
  const keys = adopted.flatMap(({ row, supplierReference }) =>
    supplierReference.split(',').map((reference) => `adopt:${row.supplier}:${reference}`),
  );
  await sql.query('select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as key', [
    [...new Set(keys)].sort(),
  ]);
}

/**
 * SQL for the supplier orders that are known by one of the references, whoever the supplier is. As a query of its own it
 * looks each of them up in the index, where a join may go through all orders that ever were.
 * @param references names a `text[]`.
 */
export const knownBy = (references: string): string =>
  `(select id, supplier from supplier_orders
     where string_to_array(supplier_reference, ',') && ${references} offset 0)`;

/**
 * The other supplier orders that are known by one of these references, by the id of the one that would take it. The
 * transaction must hold the references: until its end nobody else can take them.
 */
export async function ownersOf(sql: Sql, adopted: readonly Adopted[]): Promise<ReadonlyMap<string, string>> {
  if (adopted.length === 0) return new Map();
  const rows = await sql.query<{ id: string; owner: string }>(
    `select d.id, o.id as owner
       from json_to_recordset($1::json) as d(id text, supplier text, reference text, before text)
      cross join lateral ${knownBy("string_to_array(d.reference, ',')")} o
      where o.supplier = d.supplier and o.id <> d.id and o.id is distinct from d.before`,
    [
      JSON.stringify(
        adopted.map(({ row: { id, supplier }, supplierReference, takesOver }) => ({
          id,
          supplier,
          reference: supplierReference,
          before: takesOver?.id,
        })),
      ),
    ],
  );
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}
