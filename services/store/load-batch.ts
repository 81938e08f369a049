import type { SupplierName, SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { OrderState, SupplierOrderState } from '../../machines/decide.ts';
import { STOPS_ITS_ORDER } from './dead-letters.ts';
import { insertRows } from './rows.ts';
import type { Sql } from './store.ts';

export interface LoadedOrder {
  readonly state: OrderState;
  readonly version: number;
  readonly shop: string;
  readonly shopOrderId: string;
  /** ISO instant. */
  readonly createdAt: string;
  /** The database was restored since. */
  readonly isFromBackup: boolean;
}

export interface LoadedSupplierOrder {
  readonly orderId: string;
  readonly supplier: SupplierName;
  readonly state: SupplierOrderState;
  readonly version: number;
}

export interface LoadedBatch {
  readonly orders: ReadonlyMap<string, LoadedOrder>;
  readonly supplierOrders: ReadonlyMap<string, LoadedSupplierOrder>;
  /** Orders with a dead letter: their later events wait behind it. */
  readonly blocked: ReadonlySet<string>;
}

/** Remembers the ids, in one order for all, so that nobody waits in a circle; those already known are left out of the answer. */
export async function takeNew(sql: Sql, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await insertRows<{ message_id: string }>(
    sql,
    'inbox',
    { message_id: 'text' },
    [...new Set(messageIds)].toSorted().map((message_id) => ({ message_id })),
    'on conflict do nothing returning message_id',
  );
  return new Set(rows.map(({ message_id }) => message_id));
}

/** Those of the orders whose later events wait behind a letter. */
async function blockedOf(sql: Sql, orderIds: readonly string[]): Promise<string[]> {
  if (orderIds.length === 0) return [];
  const rows = await sql.query<{ order_id: string }>(
    `select distinct order_id from dead_letters where order_id = any($1::text[]) and ${STOPS_ITS_ORDER}`,
    [orderIds],
  );
  return rows.map(({ order_id }) => order_id);
}

/** Locks the orders and their supplier orders, always in the order of their ids, so that repair jobs cannot deadlock with us. */
export async function lockOrders(sql: Sql, orderIds: readonly string[]): Promise<LoadedBatch> {
  const orders = await sql.query<{
    id: string;
    state: OrderState['value'];
    context: OrderState['context'];
    version: number;
    shop: string;
    shop_order_id: string;
    created_at: Date;
    is_blocked: boolean;
    is_from_backup: boolean;
  }>(
    `select id, state, context, version, shop, shop_order_id, created_at,
            exists (select from dead_letters where order_id = orders.id and ${STOPS_ITS_ORDER}) as is_blocked,
            exists (select from restorations where restored_at > orders.created_at) as is_from_backup
       from orders where id = any($1::text[]) order by id for update`,
    [orderIds],
  );
  const known = new Set(orders.map(({ id }) => id));
  const supplierOrders =
    known.size === 0
      ? []
      : await sql.query<{
          id: string;
          order_id: string;
          supplier: SupplierName;
          state: SupplierOrderStateName;
          context: SupplierOrderState['context'];
          version: number;
        }>(
          'select id, order_id, supplier, state, context, version from supplier_orders where order_id = any($1::text[]) order by id for update',
          [[...known]],
        );
  // An order whose first event nobody could read is blocked and not known.
  const blocked = await blockedOf(
    sql,
    orderIds.filter((id) => !known.has(id)),
  );
  return {
    orders: new Map(
      orders.map(({ id, state, context, version, shop, shop_order_id, created_at, is_from_backup }) => [
        id,
        {
          state: { value: state, context },
          version,
          shop,
          shopOrderId: shop_order_id,
          createdAt: new Date(created_at).toISOString(),
          isFromBackup: is_from_backup,
        },
      ]),
    ),
    supplierOrders: new Map(
      supplierOrders.map(({ id, order_id, supplier, state, context, version }) => [
        id,
        { orderId: order_id, supplier, state: { value: state, context }, version },
      ]),
    ),
    blocked: new Set([...blocked, ...orders.filter(({ is_blocked }) => is_blocked).map(({ id }) => id)]),
  };
}
