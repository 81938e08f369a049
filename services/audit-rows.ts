import type { OrderContext } from '../machines/order-context.ts';
import type { SupplierOrderContext } from '../machines/supplier-order-context.ts';
import { differencesOf } from './differences.ts';
import type { Sql } from './store/store.ts';

/** What is stored beside the states of an order and its purchases, in tables of its own. */
export interface BesideRows {
  /** Of its lines, as the shop numbers them. */
  readonly lineIds: readonly string[];
  /** Reason by id. */
  readonly openHolds: Readonly<Record<string, string>>;
  readonly parcels: Readonly<Record<string, { readonly state: string; readonly units: unknown }>>;
  /** Number of the last call by supplier order, of the purchase itself. */
  readonly attempts: Readonly<Record<string, number>>;
}

/** What `readBeside` says of an order that has nothing there. */
export const NOTHING_BESIDE: BesideRows = { lineIds: [], openHolds: {}, parcels: {}, attempts: {} };

/** Reads it for each of these orders, in the caller's transaction. */
export async function readBeside(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, BesideRows>> {
  const rows = await sql.query<BesideRows & { orderId: string }>(
    `select o.id as "orderId",
            (select coalesce(json_agg(line_id), '[]') from order_lines l where l.order_id = o.id) as "lineIds",
            (select coalesce(json_object_agg(id, reason), '{}') from holds h
              where h.order_id = o.id and released_at is null) as "openHolds",
            (select coalesce(json_object_agg(id, json_build_object('state', state, 'units', units)), '{}')
               from parcels p where p.order_id = o.id) as parcels,
            (select coalesce(json_object_agg(s.id, i.attempt), '{}')
               from supplier_orders s join purchase_intents i on i.supplier_order_id = s.id and i.kind = 'create'
              where s.order_id = o.id) as attempts
       from unnest($1::text[]) as o (id)`,
    [orderIds],
  );
  return new Map(rows.map(({ orderId, ...beside }) => [orderId, beside]));
}

const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

/**
 * Where these rows are not what the states say that was written with them in one transaction.
 * @param intended supplier orders of which the timeline says that the right to call was taken.
 */
export function besideProblems(
  order: Pick<OrderContext, 'lines' | 'holds'>,
  purchases: readonly { id: string; context: SupplierOrderContext }[],
  beside: BesideRows,
  intended: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  for (const lineId of Object.keys(order.lines))
    if (!beside.lineIds.includes(lineId)) problems.push(`line ${lineId} has no row in order_lines`);

  const holds = Object.fromEntries(Object.entries(order.holds).map(([id, { reason }]) => [id, reason]));
  for (const { field, stored, told } of differencesOf(beside.openHolds, holds))
    problems.push(`hold ${field}: ${shown(stored)} is open in holds, ${shown(told)} in its state`);

  for (const { id, context } of purchases) {
    for (const [parcelId, parcel] of Object.entries(context.parcels)) {
      const row = beside.parcels[parcelId];
      const inState = { state: parcel.state, units: parcel.units };
      for (const { field, stored, told } of row === undefined ? [] : differencesOf(row, inState))
        problems.push(
          `parcel ${parcelId} of ${id}: ${field} is ${shown(stored)} in parcels, ${shown(told)} in its state`,
        );
      if (row === undefined) problems.push(`parcel ${parcelId} of ${id} has no row in parcels`);
    }
    // The row is the right to call: without it the supplier would be called as if nothing had been bought.
    const calls = intended.has(id) ? Math.max(context.attempt, 1) : 0;
    const attempt = beside.attempts[id] ?? 0;
    if (attempt < calls)
      problems.push(
        `${id} was called ${calls} times at its supplier, and purchase_intents know of ${attempt}: it could be bought twice`,
      );
  }
  return problems;
}

/** What belongs to orders that are not stored: a line for each such order. */
export async function orphans(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ orderId: string; tables: string }>(
    `select order_id as "orderId", string_agg(distinct name, ', ' order by name) as tables from (
       select order_id, 'supplier_orders' as name from supplier_orders union
       select order_id, 'order_lines' from order_lines union
       select order_id, 'purchase_intents' from purchase_intents union
       select order_id, 'parcels' from parcels union
       select order_id, 'holds' from holds) kept
      where not exists (select 1 from orders o where o.id = kept.order_id)
      group by order_id order by order_id`,
  );
  return rows.map(({ orderId, tables }) => `${orderId}: there is no such order, but rows of it in ${tables}`);
}
