import type { BatchWrites } from './batch-writes.ts';
import { changeLetters, layDown } from './dead-letters.ts';
import { writeNotifications } from './notifications.ts';
import { type QueuedRow, queue } from './outbox.ts';
import { insertRows, updateRows } from './rows.ts';
import type { Sql } from './store.ts';

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
    `insert into timers (order_id, key, deadline, supplier_order_id, parcel_id, traceparent, setting, due_at)
     select order_id, key, deadline, supplier_order_id, parcel_id, traceparent,
            (extract(epoch from clock_timestamp()) * 1000000)::bigint, now() + delay_ms * interval '1 millisecond'
       from json_to_recordset($1::json) as d(order_id text, key text, deadline text, supplier_order_id text,
                                             parcel_id text, traceparent text, delay_ms float8)
     on conflict (order_id, key) do update set due_at = excluded.due_at, setting = excluded.setting, attempt = 0,
                                               traceparent = excluded.traceparent`,
    [JSON.stringify(set)],
  );
}
