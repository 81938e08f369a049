import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { OrderState, SupplierOrderState } from '../../machines/decide.ts';
import type { BatchWrites } from './batch-writes.ts';
import { changeLetters, layDown } from './dead-letters.ts';
import { writeNotifications } from './notifications.ts';
import { type QueuedRow, queue } from './outbox.ts';
import { insertRows, updateRows } from './rows.ts';
import type { Sql } from './store.ts';

export interface LoadedOrder {
  readonly state: OrderState;
  readonly version: number;
  readonly shop: string;
  readonly shopOrderId: string;
  /** ISO instant. */
  readonly createdAt: string;
}

export interface LoadedSupplierOrder {
  readonly orderId: string;
  readonly state: SupplierOrderState;
  readonly version: number;
}

export interface LoadedBatch {
  readonly orders: ReadonlyMap<string, LoadedOrder>;
  readonly supplierOrders: ReadonlyMap<string, LoadedSupplierOrder>;
  /** Orders with a dead letter: their later events wait behind it. */
  readonly blocked: ReadonlySet<string>;
}

/** Remembers the ids; those already known are left out of the answer. */
export async function takeNew(sql: Sql, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await insertRows<{ message_id: string }>(
    sql,
    'inbox',
    { message_id: 'text' },
    [...new Set(messageIds)].map((message_id) => ({ message_id })),
    'on conflict do nothing returning message_id',
  );
  return new Set(rows.map(({ message_id }) => message_id));
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
  }>(
    'select id, state, context, version, shop, shop_order_id, created_at from orders where id = any($1::text[]) order by id for update',
    [orderIds],
  );
  const supplierOrders = await sql.query<{
    id: string;
    order_id: string;
    state: SupplierOrderStateName;
    context: SupplierOrderState['context'];
    version: number;
  }>(
    'select id, order_id, state, context, version from supplier_orders where order_id = any($1::text[]) order by id for update',
    [orderIds],
  );
  const blocked = await sql.query<{ order_id: string }>(
    "select distinct order_id from dead_letters where order_id = any($1::text[]) and state in ('open', 'parked') and kind = 'event'",
    [orderIds],
  );
  return {
    orders: new Map(
      orders.map(({ id, state, context, version, shop, shop_order_id, created_at }) => [
        id,
        {
          state: { value: state, context },
          version,
          shop,
          shopOrderId: shop_order_id,
          createdAt: new Date(created_at).toISOString(),
        },
      ]),
    ),
    supplierOrders: new Map(
      supplierOrders.map(({ id, order_id, state, context, version }) => [
        id,
        { orderId: order_id, state: { value: state, context }, version },
      ]),
    ),
    blocked: new Set(blocked.map(({ order_id }) => order_id)),
  };
}

/** The time of a state begins when it is entered. */
const ENTERED = 'entered_at = case when o.state = d.state then o.entered_at else now() end';

const MACHINE = { state: 'text', context: 'json' };

function assertTouched(what: string, touched: number, expected: number): void {
  if (touched !== expected)
    throw new RangeError(`${what}: ${expected} rows to change, ${touched} found unchanged`);
}

/** Writes the batch; the outbox rows come back to be published after the commit. */
export async function writeBatch(sql: Sql, writes: BatchWrites): Promise<QueuedRow[]> {
  await insertRows(
    sql,
    'orders',
    {
      id: 'text',
      shop: 'text',
      shop_order_id: 'text',
      name: 'text',
      currency: 'text',
      total_minor: 'bigint',
      placed_at: 'text',
      created_at: 'timestamptz',
      version: 'int',
      ...MACHINE,
    },
    writes.newOrders,
  );
  await insertRows(
    sql,
    'order_lines',
    {
      order_id: 'text',
      line_id: 'text',
      position: 'int',
      variant_id: 'text',
      product_id: 'text',
      sku: 'text',
      title: 'text',
      unit_price_minor: 'bigint',
    },
    [...new Map(writes.orderLines.map((row) => [`${row.order_id}/${row.line_id}`, row])).values()],
    `on conflict (order_id, line_id) do update set position = excluded.position, title = excluded.title,
       unit_price_minor = excluded.unit_price_minor`,
  );
  const changed = await updateRows(
    sql,
    'orders',
    { id: 'text', version: 'int', changes: 'int', ...MACHINE },
    writes.changedOrders,
    `state = d.state, context = d.context, version = o.version + d.changes, updated_at = now(), ${ENTERED}`,
    'o.id = d.id and o.version = d.version',
  );
  assertTouched('orders', changed, writes.changedOrders.length);
  await insertRows(
    sql,
    'supplier_orders',
    {
      id: 'text',
      order_id: 'text',
      supplier: 'text',
      shipping_method: 'text',
      ships_from: 'text',
      expected_cost_minor: 'bigint',
      currency: 'text',
      is_quoted: 'boolean',
      order_created_at: 'timestamptz',
      delivery_days: 'int',
      ...MACHINE,
    },
    writes.newSupplierOrders,
  );
  await insertRows(
    sql,
    'supplier_order_lines',
    {
      supplier_order_id: 'text',
      line_id: 'text',
      units: 'int',
      supplier_product_id: 'text',
      supplier_variant_id: 'text',
      supplier_units: 'int',
      properties: 'json',
    },
    writes.supplierOrderLines,
  );
  const moved = await updateRows(
    sql,
    'supplier_orders',
    { id: 'text', version: 'int', watched: 'boolean', ...MACHINE },
    writes.changedSupplierOrders,
    `state = d.state, context = d.context, version = o.version + 1, updated_at = now(), ${ENTERED},
     next_check_at = case when d.watched then coalesce(o.next_check_at, now()) end`,
    'o.id = d.id and o.version = d.version',
  );
  assertTouched('supplier_orders', moved, writes.changedSupplierOrders.length);
  await updateRows(
    sql,
    'supplier_orders',
    {
      id: 'text',
      shipping_method: 'text',
      ships_from: 'text',
      expected_cost_minor: 'bigint',
      currency: 'text',
    },
    writes.quotes,
    `shipping_method = d.shipping_method, ships_from = d.ships_from, expected_cost_minor = d.expected_cost_minor,
     currency = d.currency, is_quoted = true`,
    'o.id = d.id',
  );
  await updateRows(
    sql,
    'supplier_order_lines',
    { supplier_order_id: 'text', line_id: 'text', supplier_variant_id: 'text', supplier_units: 'int' },
    writes.quotedLines,
    'supplier_variant_id = d.supplier_variant_id, supplier_units = d.supplier_units',
    'o.supplier_order_id = d.supplier_order_id and o.line_id = d.line_id',
  );
  await insertRows(
    sql,
    'parcels',
    {
      id: 'text',
      order_id: 'text',
      supplier_order_id: 'text',
      state: 'text',
      tracking_number: 'text',
      last_mile_tracking_number: 'text',
      carrier: 'text',
      tracking_url: 'text',
      units: 'json',
      left_at: 'timestamptz',
    },
    writes.parcels,
    `on conflict (id) do update set state = excluded.state, carrier = excluded.carrier, updated_at = now(),
       last_mile_tracking_number = excluded.last_mile_tracking_number, tracking_url = excluded.tracking_url,
       left_at = coalesce(parcels.left_at, excluded.left_at),
       entered_at = case when parcels.state = excluded.state then parcels.entered_at else now() end`,
  );
  await updateRows(
    sql,
    'parcels',
    { id: 'text', state: 'text' },
    [...writes.movedParcels].map(([id, state]) => ({ id, state })),
    `state = d.state, updated_at = now(), ${ENTERED}`,
    'o.id = d.id',
  );
  await insertRows(
    sql,
    'holds',
    {
      id: 'text',
      order_id: 'text',
      reason: 'text',
      line_id: 'text',
      supplier_order_id: 'text',
      evidence: 'json',
      order_created_at: 'timestamptz',
    },
    writes.openedHolds,
    'on conflict (id) do update set evidence = excluded.evidence, opened_at = now(), released_at = null',
  );
  if (writes.closedHolds.length > 0) {
    await sql.run('update holds set released_at = now() where id = any($1::text[])', [writes.closedHolds]);
  }
  await writeNotifications(sql, writes.notifications);
  await writeTimers(sql, [...writes.timers.values()]);
  await insertRows(
    sql,
    'timeline',
    {
      order_id: 'text',
      message_id: 'text',
      type: 'text',
      accepted: 'boolean',
      from_state: 'text',
      to_state: 'text',
      supplier_order_id: 'text',
      supplier_from: 'text',
      supplier_to: 'text',
      actor: 'text',
      cause: 'text',
      data: 'json',
    },
    writes.timeline,
  );
  await insertRows(
    sql,
    'unit_changes',
    {
      order_id: 'text',
      line_id: 'text',
      message_id: 'text',
      cause: 'text',
      ordered: 'int',
      cancelled: 'int',
    },
    writes.unitChanges,
  );
  if (writes.archived.length > 0) {
    await sql.run(
      'update orders set archived_at = now() where id = any($1::text[]) and archived_at is null',
      [writes.archived],
    );
  }
  await layDown(sql, writes.deadLetters);
  await changeLetters(sql, writes.changedLetters);
  return queue(sql, writes.outbox);
}

/** A timer set again is another setting: its elapsed event must not look like a repeat of the earlier one. */
async function writeTimers(sql: Sql, timers: readonly { delay_ms: number | null }[]): Promise<void> {
  const cancelled = timers.filter(({ delay_ms }) => delay_ms === null);
  if (cancelled.length > 0) {
    await sql.run(
      `delete from timers o using json_to_recordset($1::json) as d(order_id text, key text)
        where o.order_id = d.order_id and o.key = d.key`,
      [JSON.stringify(cancelled)],
    );
  }
  const set = timers.filter(({ delay_ms }) => delay_ms !== null);
  if (set.length === 0) return;
  await sql.run(
    `insert into timers (order_id, key, deadline, supplier_order_id, parcel_id, setting, due_at)
     select order_id, key, deadline, supplier_order_id, parcel_id,
            (extract(epoch from clock_timestamp()) * 1000000)::bigint, now() + delay_ms * interval '1 millisecond'
       from json_to_recordset($1::json) as d(order_id text, key text, deadline text, supplier_order_id text,
                                             parcel_id text, delay_ms float8)
     on conflict (order_id, key) do update set due_at = excluded.due_at, setting = excluded.setting, attempt = 0`,
    [JSON.stringify(set)],
  );
}
