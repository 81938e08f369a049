import { ENDED_ORDERS } from '../../contracts/vocabulary.ts';
import type { BatchWrites } from './batch-writes.ts';
import { changeLetters, layDown } from './dead-letters.ts';
import { forgetQuotes } from './forget-quotes.ts';
import { addingNotifications } from './notifications.ts';
import { outboxRows, PROMISING, type QueuedRow, queuedRows, queueing } from './outbox.ts';
import { inOrderOf, insertion, insertRows, literals, update, updateRows, type Write } from './rows.ts';
import type { Sql } from './store.ts';

/** The time of a state begins when it is entered. */
const ENTERED = 'entered_at = case when o.state = d.state then o.entered_at else now() end';

/** What was put away and goes on is not put away any more. */
const ENDED = literals(ENDED_ORDERS);

const MACHINE = { state: 'text', context: 'json' };

/** What most batches write. None of them touches a row of another. */
const USUAL = {
  new_orders: insertion('orders', {
    id: 'text',
    shop: 'text',
    shop_order_id: 'text',
    name: 'text',
    currency: 'text',
    total_minor: 'bigint',
    placed_at: 'text',
    created_at: 'timestamptz',
    version: 'int',
    machine_version: 'int',
    ...MACHINE,
  }),
  lines: insertion(
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
    `on conflict (order_id, line_id) do update set position = excluded.position, title = excluded.title,
       unit_price_minor = excluded.unit_price_minor`,
  ),
  changed_orders: update(
    'orders',
    { id: 'text', version: 'int', changes: 'int', total_minor: 'bigint', ...MACHINE },
    `state = d.state, context = d.context, version = o.version + d.changes, updated_at = now(), ${ENTERED},
     total_minor = coalesce(d.total_minor, o.total_minor),
     archived_at = case when d.state in (${ENDED}) then o.archived_at end`,
    'o.id = d.id and o.version = d.version returning 1',
  ),
  new_supplier_orders: insertion('supplier_orders', {
    id: 'text',
    order_id: 'text',
    supplier: 'text',
    shipping_method: 'text',
    ships_from: 'text',
    expected_cost_minor: 'bigint',
    currency: 'text',
    is_quoted: 'boolean',
    quoted_for: 'text',
    order_created_at: 'timestamptz',
    delivery_days: 'int',
    ...MACHINE,
  }),
  supplier_order_articles: insertion('supplier_order_lines', {
    supplier_order_id: 'text',
    line_id: 'text',
    units: 'int',
    supplier_product_id: 'text',
    supplier_variant_id: 'text',
    mapped_variant_id: 'text',
    supplier_units: 'int',
    properties: 'json',
  }),
  changed_supplier_orders: update(
    'supplier_orders',
    { id: 'text', version: 'int', watched: 'boolean', ...MACHINE },
    `state = d.state, context = d.context, version = o.version + 1, updated_at = now(), ${ENTERED},
     next_check_at = case when d.watched then coalesce(o.next_check_at, now()) end`,
    'o.id = d.id and o.version = d.version returning 1',
  ),
  saved_parcels: insertion(
    'parcels',
    {
      id: 'text',
      order_id: 'text',
      supplier_order_id: 'text',
      state: 'text',
      tracking_number: 'text',
      earlier_numbers: 'json',
      last_mile_tracking_number: 'text',
      carrier: 'text',
      tracking_url: 'text',
      units: 'json',
      left_at: 'timestamptz',
    },
    // A new number has to be shown in the shop, whatever is shown already, and nothing of it is known there.
    `on conflict (id) do update set state = excluded.state, carrier = excluded.carrier, updated_at = now(),
       units = excluded.units, tracking_number = excluded.tracking_number, earlier_numbers = excluded.earlier_numbers,
       shown_state = case when parcels.tracking_number = excluded.tracking_number then parcels.shown_state end,
       is_sole_fulfillment = parcels.is_sole_fulfillment and parcels.tracking_number = excluded.tracking_number,
       last_mile_tracking_number = excluded.last_mile_tracking_number, tracking_url = excluded.tracking_url,
       left_at = coalesce(parcels.left_at, excluded.left_at),
       entered_at = case when parcels.state = excluded.state then parcels.entered_at else now() end`,
  ),
  mails: addingNotifications,
  cancelled_timers: (parameter) =>
    `delete from timers o using json_to_recordset(${parameter}::json) as d(order_id text, key text)
      where o.order_id = d.order_id and o.key = d.key`,
  // A timer set again is another setting: its elapsed event must not look like a repeat of the earlier one.
  set_timers: (parameter) =>
    `insert into timers (order_id, key, deadline, supplier_order_id, parcel_id, traceparent, setting, due_at)
     select order_id, key, deadline, supplier_order_id, parcel_id, traceparent,
            (extract(epoch from clock_timestamp()) * 1000000)::bigint, now() + delay_ms * interval '1 millisecond'
       from json_to_recordset(${parameter}::json) as d(order_id text, key text, deadline text, supplier_order_id text,
                                             parcel_id text, traceparent text, delay_ms float8)
     on conflict (order_id, key) do update set due_at = excluded.due_at, setting = excluded.setting, attempt = 0,
                                               traceparent = excluded.traceparent`,
  entries: insertion('timeline', {
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
    machine_version: 'int',
  }),
  queued: queueing,
} as const satisfies Readonly<Record<string, Write>>;

type Usual = keyof typeof USUAL;
const NAMES = Object.keys(USUAL) as Usual[];

/**
 * One statement instead of a dozen, of which each costs more on its way than what it does. It is the same text for every
 * batch, so that it is planned once; a part without rows costs next to nothing.
 */
const WRITE_USUAL = `with ${NAMES.map((name, index) => `${name} as (${USUAL[name](`$${index + 1}`)})`).join(',\n')},
 promised as (${PROMISING})
 select (select count(*) from changed_orders)::int as orders,
        (select count(*) from changed_supplier_orders)::int as "supplierOrders",
        (select coalesce(json_agg(id::text order by id), '[]') from queued) as ids`;

function assertTouched(what: string, touched: number | undefined, expected: number): void {
  if (touched !== expected)
    throw new RangeError(`${what}: ${expected} rows to change, ${touched} found unchanged`);
}

/** The last word on each line counts. */
const byLine = (rows: BatchWrites['orderLines']): BatchWrites['orderLines'] => [
  ...new Map(rows.map((row) => [`${row.order_id}/${row.line_id}`, row])).values(),
];

/** Writes the batch; the outbox rows come back to be published after the commit. */
export async function writeBatch(sql: Sql, writes: BatchWrites): Promise<QueuedRow[]> {
  const timers = [...writes.timers.values()];
  const rows: Readonly<Record<Usual, readonly object[]>> = {
    new_orders: writes.newOrders,
    lines: byLine(writes.orderLines),
    changed_orders: writes.changedOrders,
    new_supplier_orders: writes.newSupplierOrders,
    supplier_order_articles: writes.supplierOrderLines,
    changed_supplier_orders: writes.changedSupplierOrders,
    // Others change parcels too, and lock them in this order.
    saved_parcels: inOrderOf(writes.parcels, ({ id }) => id),
    mails: writes.notifications,
    cancelled_timers: timers.filter(({ delay_ms }) => delay_ms === null),
    set_timers: timers.filter(({ delay_ms }) => delay_ms !== null),
    entries: writes.timeline,
    queued: outboxRows(writes.outbox),
  };
  const [written] = await sql.query<{ orders: number; supplierOrders: number; ids: string[] }>(
    WRITE_USUAL,
    NAMES.map((name) => JSON.stringify(rows[name])),
  );
  assertTouched('orders', written?.orders, writes.changedOrders.length);
  assertTouched('supplier_orders', written?.supplierOrders, writes.changedSupplierOrders.length);
  await writeSeldom(sql, writes);
  return queuedRows(writes.outbox, written?.ids ?? []);
}

/** What few batches write, some of it to rows that the usual writes have just made. */
async function writeSeldom(sql: Sql, writes: BatchWrites): Promise<void> {
  await updateRows(
    sql,
    'supplier_orders',
    {
      id: 'text',
      shipping_method: 'text',
      ships_from: 'text',
      expected_cost_minor: 'bigint',
      currency: 'text',
      quoted_for: 'text',
      edits: 'int',
    },
    writes.quotes,
    `shipping_method = d.shipping_method, ships_from = d.ships_from, expected_cost_minor = d.expected_cost_minor,
     currency = d.currency, quoted_for = d.quoted_for, is_quoted = true`,
    'o.id = d.id and o.edits = coalesce(d.edits, o.edits)',
  );
  await updateRows(
    sql,
    'supplier_order_lines',
    {
      supplier_order_id: 'text',
      line_id: 'text',
      supplier_variant_id: 'text',
      supplier_units: 'int',
      edits: 'int',
    },
    writes.quotedLines,
    'supplier_variant_id = d.supplier_variant_id, supplier_units = d.supplier_units',
    `o.supplier_order_id = d.supplier_order_id and o.line_id = d.line_id
       and exists (select 1 from supplier_orders q where q.id = d.supplier_order_id and q.edits = coalesce(d.edits, q.edits))`,
  );
  await updateRows(
    sql,
    'parcels',
    { id: 'text', state: 'text' },
    [...writes.movedParcels].map(([id, state]) => ({ id, state })),
    `state = d.state, updated_at = now(), ${ENTERED}`,
    'o.id = d.id',
  );
  if (writes.forgottenParcels.size > 0) {
    await sql.run(
      `delete from parcels where id in (
         select id from parcels where id = any($1::text[]) and left_at is null order by id for update)`,
      [[...writes.forgottenParcels]],
    );
  }
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
  if (writes.movedAway.length > 0) await forgetQuotes(sql, writes.movedAway);
  if (writes.archived.length > 0) {
    await sql.run(
      `update orders set archived_at = now()
        where id = any($1::text[]) and archived_at is null and state in (${ENDED})`,
      [writes.archived],
    );
  }
  await layDown(sql, writes.deadLetters);
  await changeLetters(sql, writes.changedLetters);
}
