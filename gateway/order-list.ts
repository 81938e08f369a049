import type { OrderListQuery } from '../contracts/resources/order.ts';
import type { SupplierOrderListQuery } from '../contracts/resources/supplier-order.ts';
import type { Sql } from '../services/store/store.ts';
import { fromCursor, type Place } from './page.ts';

/** A statement under construction: conditions with their bound values. */
function conditions(values: unknown[] = []) {
  const parts: string[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  return {
    values,
    bind,
    add: (part: string): void => void parts.push(part),
    where: (): string => (parts.length === 0 ? '' : `where ${parts.join(' and ')}`),
  };
}
type Conditions = ReturnType<typeof conditions>;

/** From new to old, after the cursor and within the dates. The columns are those that an index runs along. */
function addRange(
  { add, bind }: Conditions,
  [at, id]: readonly [at: string, id: string],
  { cursor, from, to }: { cursor?: string | undefined; from?: string | undefined; to?: string | undefined },
): void {
  if (from !== undefined) add(`${at} >= ${bind(from)}::timestamptz`);
  if (to !== undefined) add(`${at} < ${bind(to)}::timestamptz`);
  if (cursor === undefined) return;
  const place = fromCursor(cursor);
  add(`(${at}, ${id}) < (${bind(place.createdAt.toISOString())}::timestamptz, ${bind(place.id)})`);
}

/** `%` and `_` mean themselves. */
const prefix = (text: string): string => `${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

/** The first of id, name and SKU that the text can mean. Only one of them is looked for, each along its index. */
async function addText(sql: Sql, { add, bind }: Conditions, text: string): Promise<void> {
  const plain = text.toLowerCase();
  if (/^ord_\w+$/.test(plain)) return add(`o.id = ${bind(plain)}`);
  if (/^sup_ord_\w+$/.test(plain))
    return add(`o.id in (select s.order_id from supplier_orders s where s.id = ${bind(plain)})`);
  const names = [prefix(plain), prefix(`#${plain}`)];
  const [named] = await sql.query(
    'select 1 from orders where lower(name) like $1 union all select 1 from orders where lower(name) like $2 limit 1',
    names,
  );
  if (named !== undefined)
    return add(`(lower(o.name) like ${bind(names[0])} or lower(o.name) like ${bind(names[1])})`);
  add(`exists (select 1 from order_lines l where l.order_id = o.id and lower(l.sku) = ${bind(plain)})`);
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A table whose rows carry the time of their order: the list runs along its index instead of along the orders. */
interface Along {
  readonly table: 'holds' | 'supplier_orders';
  readonly condition: string;
}

/** The rarest of what was asked for leads; an order may have several rows of it. */
function leadOf({ holdReason, supplier }: OrderListQuery, { bind }: Conditions): Along | null {
  if (holdReason !== undefined)
    return { table: 'holds', condition: `a.released_at is null and a.reason = ${bind(holdReason)}` };
  if (supplier !== undefined)
    return { table: 'supplier_orders', condition: `a.supplier = ${bind(supplier)}` };
  return null;
}

/** The page: ids in the order of the list, one more than `limit` when there is a next page. */
async function pageOf(sql: Sql, query: OrderListQuery, parts: Conditions): Promise<string> {
  const { status, supplier, holdReason, text, archived, limit } = query;
  const { add, bind } = parts;
  add(`o.archived_at is ${archived ? 'not ' : ''}null`);
  if (status !== undefined) add(`o.state = ${bind(status)}`);
  if (supplier !== undefined && holdReason !== undefined)
    add(
      `exists (select 1 from supplier_orders s where s.order_id = o.id and s.supplier = ${bind(supplier)})`,
    );
  if (text !== undefined) await addText(sql, parts, text);
  const lead = leadOf(query, parts);
  if (lead === null) {
    addRange(parts, ['o.created_at', 'o.id'], query);
    return `select o.id from orders o ${parts.where()}
             order by o.created_at desc, o.id desc limit ${bind(limit + 1)}`;
  }
  const along = conditions(parts.values);
  along.add(lead.condition);
  addRange(along, ['a.order_created_at', 'a.order_id'], query);
  return `select o.id from (select distinct a.order_created_at, a.order_id from ${lead.table} a ${along.where()}
                             order by a.order_created_at desc, a.order_id desc) d
            join orders o on o.id = d.order_id
           ${parts.where()} order by d.order_created_at desc, d.order_id desc limit ${bind(limit + 1)}`;
}

/** One page of orders with what a summary says of them. */
export async function orderListStatement(sql: Sql, query: OrderListQuery): Promise<Statement> {
  const parts = conditions();
  const page = await pageOf(sql, query, parts);
  return {
    text: `with page as materialized (${page})
      select o.id, o.shop, o.shop_order_id as "shopOrderId", o.name, o.state, o.currency,
             o.total_minor::float8 as "totalMinor", o.placed_at as "placedAt", o.archived_at as "archivedAt",
             o.created_at as "createdAt", o.updated_at as "updatedAt",
             array(select distinct h.reason from holds h where h.order_id = o.id and h.released_at is null
                    order by h.reason) as "holdReasons"
        from page join orders o on o.id = page.id order by o.created_at desc, o.id desc`,
    values: parts.values,
  };
}

/** The places of one page of supplier orders, one more than `limit` when there is a next page. */
export function supplierOrderListStatement(query: SupplierOrderListQuery): Statement {
  const { status, supplier, orderId, text, limit } = query;
  const parts = conditions();
  const { add, bind } = parts;
  if (status !== undefined) add(`s.state = ${bind(status)}`);
  if (supplier !== undefined) add(`s.supplier = ${bind(supplier)}`);
  if (orderId !== undefined) add(`s.order_id = ${bind(orderId)}`);
  if (text !== undefined) {
    if (/^sup_ord_\w+$/.test(text)) add(`s.id = ${bind(text)}`);
    else if (/^ord_\w+$/.test(text)) add(`s.order_id = ${bind(text)}`);
    // One purchase may be several orders there.
    else add(`string_to_array(s.supplier_reference, ',') @> string_to_array(${bind(text)}, ',')`);
  }
  addRange(parts, ['s.created_at', 's.id'], query);
  const order = 'order by s.created_at desc, s.id desc';
  return {
    text: `select s.id, s.created_at as "createdAt" from supplier_orders s ${parts.where()} ${order} limit ${bind(limit + 1)}`,
    values: parts.values,
  };
}

/** Runs a list statement. */
export async function readPlaces(sql: Sql, { text, values }: Statement): Promise<Place[]> {
  const rows = await sql.query<{ id: string; createdAt: string | Date }>(text, values);
  return rows.map(({ id, createdAt }) => ({ id, createdAt: new Date(createdAt) }));
}
