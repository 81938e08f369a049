import { ENDED_ORDERS } from '../../contracts/vocabulary.ts';
import { eraseOrders } from './erase-orders.ts';
import { isoInstant, literals } from './rows.ts';
import { searchPersonalData } from './search-personal-data.ts';
import type { Sql, Store } from './store.ts';

/** Days in which a person has to be answered, and forgotten. */
const ANSWER_DAYS = 30;

/** An order whose customer is still known, though somebody asked for them to be forgotten. */
export interface WaitingRow {
  readonly orderId: string;
  /** Null: the order itself has not come in. */
  readonly status: string | null;
}

/**
 * Writes down that the customers of these orders are to be forgotten, also of orders never heard of; the sweep does it.
 * @returns the request's id.
 */
export async function askErasure(sql: Sql, shop: string, orderIds: readonly string[]): Promise<number> {
  const ids = [...new Set(orderIds)].toSorted();
  const id = await recordRequest(sql, shop, 'customer_redacted', ids);
  await sql.run(
    `insert into customer_details as c (order_id, source_updated_at, erase_request)
     select id, now(), $2 from unnest($1::text[]) as id order by id
     on conflict (order_id) do update set erase_request = coalesce(c.erase_request, excluded.erase_request)`,
    [ids, id],
  );
  return id;
}

/** @returns the request's id. */
export async function recordRequest(
  sql: Sql,
  shop: string,
  kind: 'data_requested' | 'customer_redacted' | 'shop_redacted',
  orderIds: readonly string[],
): Promise<number> {
  const [row] = await sql.query<{ id: number }>(
    `insert into privacy_requests (shop, kind, order_ids, due_at)
     values ($1, $2, $3::json, now() + $4::float8 * interval '1 day') returning id::float8 as id`,
    [shop, kind, JSON.stringify(orderIds), ANSWER_DAYS],
  );
  if (row === undefined) throw new TypeError('an insert returned no row');
  return row.id;
}

const ENDED = literals(ENDED_ORDERS);

/**
 * The address is not needed any more: the order has ended and its last mail is out (one that hangs for a day keeps
 * nobody waiting). Of an order that never came in, its webhook may just be on the way.
 */
const IS_FREE = `(o.state in (${ENDED}) and not exists (
      select 1 from notifications n where n.order_id = o.id and n.about is null and n.state in ('pending', 'sending')
         and n.created_at > now() - interval '1 day'))
    or (o.id is null and r.received_at < now() - interval '1 hour')`;

const TO_ERASE = `from customer_details c
    join privacy_requests r on r.id = c.erase_request
    left join orders o on o.id = c.order_id
   where c.erase_request is not null and c.redacted_at is null`;

/**
 * Erases what was asked for and is free, or due, however the order stands then: an order without an address is held
 * before anything is bought for it. Any number of copies may do so at any time.
 * @param orderIds only of these.
 * @returns what was known of those who are erased now, by order.
 */
export const eraseAsked = (
  store: Store,
  limit: number,
  orderIds: readonly string[] | null = null,
): Promise<Map<string, string[]>> =>
  store.transaction(async (sql) => {
    const rows = await sql.query<{ orderId: string }>(
      `select c.order_id as "orderId" ${TO_ERASE} and (r.due_at <= now() or ${IS_FREE})
          and ($2::text[] is null or c.order_id = any($2::text[]))
        order by r.due_at, c.order_id limit $1`,
      [limit, orderIds],
    );
    return rows.length === 0
      ? new Map<string, string[]>()
      : eraseOrders(
          sql,
          rows.map(({ orderId }) => orderId),
        );
  });

const MARKED_AT_ONCE = 20_000;

/** Marks all customers of a shop that asked to be forgotten, once, and a part of them in each statement. */
const spread = (store: Store, shop: string, id: number): Promise<void> =>
  store.transaction(async (sql) => {
    const [done] = await sql.query('select 1 from customer_details where erase_request = $1 limit 1', [id]);
    if (done !== undefined) return;
    for (let after: string | null = ''; after !== null; ) {
      const [marked]: { last: string | null }[] = await sql.query<{ last: string | null }>(
        `with marked as (
           insert into customer_details as c (order_id, source_updated_at, erase_request)
           select id, now(), $2
             from (select id from orders where shop = $1 and id > $3
                   union select order_id from webhooks where source = 'shopify:' || $1 and order_id > $3) o
            order by id limit $4
           on conflict (order_id) do update set erase_request = coalesce(c.erase_request, excluded.erase_request)
           returning order_id)
         select max(order_id) as last from marked`,
        [shop, id, after, MARKED_AT_ONCE],
      );
      after = marked?.last ?? null;
    }
  });

const LIMIT = 200;

/** One round over all requests to forget somebody: marks, erases, closes what is done. */
export async function eraseRound(store: Store): Promise<number> {
  const open = await store.query<{ id: number; shop: string; isShop: boolean }>(
    `select id::float8 as id, shop, kind = 'shop_redacted' as "isShop" from privacy_requests
      where closed_at is null and kind <> 'data_requested' order by due_at limit $1`,
    [LIMIT],
  );
  for (const { id, shop, isShop } of open) if (isShop) await spread(store, shop, id);
  const erased = await eraseAsked(store, LIMIT);
  if (open.length > 0)
    await closeErased(
      store,
      open.map(({ id }) => id),
    );
  return erased.size;
}

/** Requests of which nobody is left to be forgotten. */
export const closeErased = (sql: Sql, ids: readonly number[]): Promise<number> =>
  sql.run(
    `update privacy_requests r set closed_at = now(), closed_by = 'erased'
      where r.id = any($1::bigint[]) and r.closed_at is null
        and not exists (select 1 from customer_details c where c.erase_request = r.id and c.redacted_at is null)
        and not exists (select 1 from json_array_elements_text(r.order_ids) i
                          join customer_details c on c.order_id = i where c.redacted_at is null)`,
    [ids],
  );

/** Customers whose order never came to be, as a person skipped what told of it. */
const WITHOUT_ORDER = `select distinct c.order_id as id
     from dead_letters d join customer_details c on c.order_id = d.order_id left join orders o on o.id = d.order_id
    where d.kind = 'event' and d.state = 'skipped' and d.settled_at < now() - $1::float8 * interval '1 day'
      and o.id is null and c.redacted_at is null`;

/**
 * Anonymises orders that have ended and to which nothing happened for so long, or that never came to be. Found along the
 * day they came in: an index on the last change would make each change dearer. @returns how many.
 */
export const eraseOld = (store: Store, days: number): Promise<number> =>
  store.transaction(async (sql) => {
    const rows = await sql.query<{ id: string }>(
      `(select id from orders
         where erased_at is null and state in (${ENDED})
           and created_at < now() - $1::float8 * interval '1 day' and updated_at < now() - $1::float8 * interval '1 day'
         order by created_at limit $2)
       union all (${WITHOUT_ORDER} limit $2)`,
      [days, LIMIT],
    );
    if (rows.length > 0)
      await eraseOrders(
        sql,
        rows.map(({ id }) => id),
      );
    return rows.length;
  });

/** Empties bodies of webhooks that are older; the rows stay, which know repeats. @returns how many. */
export const emptyOldBodies = (sql: Sql, days: number): Promise<number> =>
  sql.run(
    `update webhooks set body = '{}' where id in (
       select id from webhooks where body <> '{}' and received_at < now() - $1::float8 * interval '1 day'
        order by received_at limit 1000)`,
    [days],
  );

/** Of these orders, who is still to be forgotten. */
export const waitingOf = (sql: Sql, orderIds: readonly string[]): Promise<WaitingRow[]> =>
  sql.query<WaitingRow>(
    `select c.order_id as "orderId", o.state as status ${TO_ERASE} and c.order_id = any($1::text[]) order by c.order_id`,
    [orderIds],
  );

/** What is left of those who were erased, in the rows of their orders: `table.column`. */
export async function leftOf(sql: Sql, known: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
  const found = new Set<string>();
  for (const [orderId, values] of known)
    for (const { column } of await searchPersonalData(sql, values, [orderId])) found.add(column);
  return [...found].toSorted();
}

/** A request as it is listed; instants as ISO text. */
export interface RequestRow {
  readonly id: number;
  readonly kind: string;
  readonly shop: string;
  readonly orderIds: readonly string[];
  readonly waiting: readonly WaitingRow[];
  readonly receivedAt: string;
  readonly dueAt: string;
  readonly closedAt: string | null;
  readonly closedBy: string | null;
}

/** Requests, those that are due first in front; each with the first hundred orders that wait. */
export const listRequests = (
  sql: Sql,
  { id, open, limit }: { id?: number; open?: boolean | undefined; limit: number },
): Promise<RequestRow[]> =>
  sql.query<RequestRow>(
    `select q.id::float8 as id, q.kind, q.shop, q.order_ids as "orderIds", ${isoInstant('q.received_at')} as "receivedAt",
            ${isoInstant('q.due_at')} as "dueAt", ${isoInstant('q.closed_at')} as "closedAt", q.closed_by as "closedBy",
            coalesce((select json_agg(w) from (
              select c.order_id as "orderId", o.state as status ${TO_ERASE} and q.closed_at is null
                 and (c.erase_request = q.id or c.order_id in (select json_array_elements_text(q.order_ids)))
               order by c.order_id limit 100) w), '[]') as waiting
       from privacy_requests q
      where ($1::float8 is null or q.id = $1::float8) and ($2::boolean is null or (q.closed_at is null) = $2)
      order by q.closed_at is not null, q.due_at, q.id limit $3`,
    [id ?? null, open ?? null, limit],
  );

/** Who asked for the data of these orders has been given it; requests that name others as well stay open. */
export const closeExported = (sql: Sql, orderIds: readonly string[]): Promise<number> =>
  sql.run(
    `update privacy_requests set closed_at = now(), closed_by = 'exported'
      where closed_at is null and kind = 'data_requested' and json_array_length(order_ids) > 0
        and order_ids::jsonb <@ $1::jsonb`,
    [JSON.stringify(orderIds)],
  );

/** By hand: a request for data that was answered another way. */
export const closeRequest = (sql: Sql, id: number): Promise<number> =>
  sql.run(
    `update privacy_requests set closed_at = now(), closed_by = 'operator' where id = $1 and kind = 'data_requested' and closed_at is null`,
    [id],
  );
