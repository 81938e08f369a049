import { defineEntity, LockMode, MikroORM, p } from '@mikro-orm/postgresql';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { openForCommand, openStoreForCommand } from '../../deploy/local/open-for-command.ts';
import { startSupplierOrder } from '../../machines/decide.ts';
import { claim as claimMails } from '../../services/notifier/mail-rows.ts';
import { archiveExtent } from '../../services/store/archive.ts';
import { noWrites } from '../../services/store/batch-writes.ts';
import { lockOrders, takeNew } from '../../services/store/load-batch.ts';
import { migrate } from '../../services/store/migrate.ts';
import { MIGRATIONS } from '../../services/store/migrations/list.ts';
import { isOutage } from '../../services/store/outage.ts';
import {
  dropArchived,
  lockLeftovers,
  markPublished,
  promiseUnmarked,
  queue,
  settleLeftovers,
} from '../../services/store/outbox.ts';
import {
  adoptStream,
  beat,
  claim,
  fence,
  forgetCopy,
  halt,
  position,
  release,
  renew,
} from '../../services/store/partitions.ts';
import { insertRows, updateRows } from '../../services/store/rows.ts';
import { openStore, type Store } from '../../services/store/store.ts';
import { claimDue } from '../../services/store/timers.ts';
import { writeBatch } from '../../services/store/write-batch.ts';
import { settleAll } from '../../services/suppliers/ledger.ts';
import { openWire } from '../fault/wire.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { boughtFor, ordersOfPartition } from '../fixtures/order-events.ts';

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const killBackends = (store: Store): Promise<unknown> =>
  store.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );

const waitingFor = (store: Store, condition: string): Promise<void> =>
  expect
    .poll(
      () => store.query(`select 1 from pg_stat_activity where datname = current_database() and ${condition}`),
      {
        timeout: 60_000,
        interval: 10,
      },
    )
    .not.toEqual([]);

test('entities and migrations describe the same schema', async () => {
  const store = await aStore(await aDatabase());
  const { schema } = await store.orm();
  expect(await schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
});

test('dates and times of plain rows are text, big numbers too, and the rest is what JavaScript has for it', async () => {
  const store = await aStore(await aDatabase());
  const rows = await store.query(
    `select date '2026-01-02' as day, timestamp '2026-01-02 03:04:05.678' as clock, interval '1 day' as span,
       timestamptz '2026-01-02T03:04:05Z' at time zone 'UTC' as utc, array[date '2026-01-02', null] as days,
       array[timestamp '2026-01-02 03:04:05'] as clocks, array[interval '1 day'] as spans, 9007199254740993 as big,
       1.10 as exact, 0.5::float8 as rough, 7 as few, true as yes, json '{"a":[1]}' as fact, jsonb '{"a":[1]}' as facts,
       array['a b', null, 'c,"d"'] as words, array[1, 2] as numbers, array[9007199254740993] as bigs`,
  );
  expect(rows).toEqual([
    {
      day: '2026-01-02',
      clock: '2026-01-02 03:04:05.678',
      span: '1 day',
      utc: '2026-01-02 03:04:05',
      days: ['2026-01-02', null],
      clocks: ['2026-01-02 03:04:05'],
      spans: ['1 day'],
      big: '9007199254740993',
      exact: '1.10',
      rough: 0.5,
      few: 7,
      yes: true,
      fact: { a: [1] },
      facts: { a: [1] },
      words: ['a b', null, 'c,"d"'],
      numbers: [1, 2],
      bigs: ['9007199254740993'],
    },
  ]);
  const [moment] = await store.query<{ at: unknown; all: unknown }>(
    'select to_timestamp(0) as at, array[to_timestamp(0)] as all',
  );
  expect(moment).toEqual({ at: expect.any(String), all: [expect.any(String)] });
});

test('copies that migrate at once apply each migration once', async () => {
  const url = await aDatabase({ isMigrated: false });
  const [one, two] = [await aStore(url), await aStore(url)];
  const applied = await Promise.all([migrate(one), migrate(two)]);
  expect(applied.flat().sort()).toEqual(MIGRATIONS.map(({ name }) => name));
  expect(await migrate(one)).toEqual([]);
});

test('every statement of a batch finds its tables and columns', async () => {
  const store = await aStore(await aDatabase());
  const { orderId, shopOrderId } = ordersOfPartition(0, 1)[0]!;
  const supplierOrderId = boughtFor(orderId);
  const timer = {
    order_id: orderId,
    deadline: 'buy',
    supplier_order_id: supplierOrderId,
    parcel_id: null,
  };
  const supplierOrder = startSupplierOrder({ orderId, supplierOrderId, units: { 1: 2 } }).state;
  const writes = noWrites();
  writes.newOrders.push({
    id: orderId,
    shop: 'shop',
    shop_order_id: shopOrderId,
    name: '#1',
    currency: 'USD',
    total_minor: 3_990,
    placed_at: '2026-11-20T10:00:00Z',
    created_at: '2026-11-20T10:00:00.000Z',
    state: 'sourcing',
    context: { round: 1 },
    version: 3,
    machine_version: 3,
  });
  writes.orderLines.push({
    order_id: orderId,
    line_id: '1',
    position: 0,
    variant_id: '9007199254740993',
    product_id: null,
    sku: null,
    title: 'Mug',
    unit_price_minor: 1_995,
  });
  writes.newSupplierOrders.push({
    id: supplierOrderId,
    order_id: orderId,
    supplier: 'cj_dropshipping',
    shipping_method: 'CJPacket Ordinary',
    ships_from: 'CN',
    expected_cost_minor: 1_240,
    currency: 'USD',
    is_quoted: false,
    quoted_for: null,
    order_created_at: '2026-11-20T10:00:00.000Z',
    delivery_days: 12,
    ...{ state: supplierOrder.value, context: supplierOrder.context },
  });
  writes.supplierOrderLines.push({
    supplier_order_id: supplierOrderId,
    line_id: '1',
    units: 2,
    supplier_product_id: 'p1',
    supplier_variant_id: 'v1',
    supplier_units: 2,
  });
  const parcel = {
    id: 'pcl_1',
    order_id: orderId,
    supplier_order_id: supplierOrderId,
    state: 'announced',
    tracking_number: 'T1',
    earlier_numbers: null,
    last_mile_tracking_number: null,
    carrier: null,
    tracking_url: null,
    units: { 1: 2 },
    left_at: null,
  };
  writes.parcels.push(parcel);
  writes.openedHolds.push({
    id: 'hld_1',
    order_id: orderId,
    reason: 'operator',
    line_id: null,
    supplier_order_id: null,
    evidence: { note: 'first' },
    order_created_at: '2026-11-20T10:00:00.000Z',
  });
  writes.notifications.push({
    id: 'ntf_1',
    order_id: orderId,
    kind: 'order_confirmed',
    parcel_id: null,
    about: null,
    bundle: null,
    delay_ms: 0,
  });
  writes.timers.set('buy', { ...timer, key: 'buy', delay_ms: 0 });
  writes.timers.set('pay', { ...timer, key: 'pay', delay_ms: 60_000 });
  writes.timeline.push({
    order_id: orderId,
    message_id: 'm1',
    type: 'order.received',
    accepted: true,
    from_state: null,
    to_state: 'sourcing',
    supplier_order_id: null,
    supplier_from: null,
    supplier_to: null,
    actor: '/gateway',
    cause: null,
    data: { orderId },
    machine_version: 3,
  });
  writes.unitChanges.push({
    order_id: orderId,
    line_id: '1',
    message_id: 'm1',
    cause: 'refund',
    ordered: 0,
    cancelled: 1,
  });
  writes.quotes.push({
    id: supplierOrderId,
    shipping_method: 'CJPacket Ordinary',
    ships_from: 'CN',
    expected_cost_minor: 1_240,
    currency: 'USD',
    quoted_for: null,
    edits: 0,
  });
  writes.quotedLines.push({
    supplier_order_id: supplierOrderId,
    line_id: '1',
    supplier_variant_id: 'v1',
    supplier_units: 2,
    edits: 0,
  });
  writes.archived.push(orderId);
  const letter = { order_id: 'ord_other', message_id: 'm2', subject: 's', seq: 7, payload: '{' };
  const set = { kind: 'event', reason: 'unreadable', attempts: 1 } as const;
  writes.deadLetters.push({ ...letter, ...set, state: 'open', failure: 'unreadable' });
  writes.outbox.push({ messageId: 'm1:0', subject: 'oms.pub.order.received', payload: '{}' });
  const queued = await store.transaction((sql) => writeBatch(sql, writes));
  expect(queued).toEqual([{ ...writes.outbox[0], id: '1' }]);

  const loaded = await store.transaction((sql) => lockOrders(sql, [orderId, 'ord_other']));
  expect(loaded.orders.get(orderId)).toEqual({
    state: { value: 'sourcing', context: { round: 1 } },
    version: 3,
    shop: 'shop',
    shopOrderId,
    isFromBackup: false,
    createdAt: '2026-11-20T10:00:00.000Z',
  });
  expect(loaded.supplierOrders.get(supplierOrderId)).toEqual({
    supplier: 'cj_dropshipping',
    orderId,
    version: 1,
    state: supplierOrder,
  });
  expect(loaded.blocked).toEqual(new Set(['ord_other']));

  const next = noWrites();
  next.changedOrders.push({
    id: orderId,
    version: 3,
    changes: 2,
    total_minor: 1_500,
    state: 'purchasing',
    context: { round: 2 },
  });
  next.changedSupplierOrders.push({
    id: supplierOrderId,
    version: 1,
    state: 'accepted',
    context: {},
    watched: true,
  });
  next.parcels.push({
    ...parcel,
    state: 'in_transit',
    tracking_number: 'T2',
    earlier_numbers: ['T1'],
    units: { 1: 1 },
    left_at: '2026-11-22T10:00:00Z',
  });
  // What has left is no label, whoever asks to forget it.
  next.forgottenParcels.add('pcl_1');
  next.movedParcels.set('pcl_1', 'delayed');
  next.closedHolds.push('hld_1');
  next.timers.set('pay', { ...timer, key: 'pay', delay_ms: null });
  await store.transaction((sql) => writeBatch(sql, next));
  const total = 'total_minor::float8 as "totalMinor"';
  const [order] = await store.query(`select state, version, ${total}, context from orders`);
  expect(order).toEqual({ state: 'purchasing', version: 5, totalMinor: 1_500, context: { round: 2 } });
  const [bought] = await store.query(
    'select state, version, next_check_at is not null as watched from supplier_orders',
  );
  expect(bought).toEqual({ state: 'accepted', version: 2, watched: true });
  const columns = 'state, left_at is not null as gone, tracking_number, earlier_numbers, units';
  expect(await store.query(`select ${columns} from parcels`)).toEqual([
    { state: 'delayed', gone: true, tracking_number: 'T2', earlier_numbers: ['T1'], units: { 1: 1 } },
  ]);
  expect(await store.query('select released_at is null as open from holds')).toEqual([{ open: false }]);
  const due = await store.transaction((sql) => claimDue(sql, 10));
  expect(due).toMatchObject([{ orderId, deadline: 'buy', supplierOrderId, parcelId: null, attempt: 1 }]);
  expect(await store.query('select key from timers')).toEqual([{ key: 'buy' }]);
});

test('a label that was forgotten is no parcel of its order any more', async () => {
  const store = await aStore(await aDatabase());
  await store.run(
    `insert into parcels (id, order_id, supplier_order_id, state, tracking_number, units)
     select id, 'ord_1', 'sup_ord_1', 'announced', id, '{"1":1}' from unnest(array['pcl_1', 'pcl_2']) as one (id)`,
  );
  const writes = noWrites();
  writes.forgottenParcels.add('pcl_1');
  await store.transaction((sql) => writeBatch(sql, writes));
  expect(await store.query('select id from parcels')).toEqual([{ id: 'pcl_2' }]);
});

test('a batch that meets another version of a row writes nothing', async () => {
  const store = await aStore(await aDatabase());
  const writes = noWrites();
  writes.outbox.push({ messageId: 'm1:0', subject: 'oms.pub.order.received', payload: '{}' });
  writes.changedOrders.push({
    id: 'ord_unknown',
    version: 3,
    changes: 1,
    total_minor: null,
    state: 'sourcing',
    context: {},
  });
  await expect(store.transaction((sql) => writeBatch(sql, writes))).rejects.toThrow(
    '1 rows to change, 0 found',
  );
  expect(await store.query('select 1 from outbox')).toEqual([]);
});

test('leases, positions and heartbeats find their tables and columns', async () => {
  const store = await aStore(await aDatabase());
  expect(await beat(store, 'one')).toBe(1);
  expect(await beat(store, 'two')).toBe(2);
  const mine = await claim(store, 'one', 3);
  expect(mine).toMatchObject(
    [0, 1, 2].map((part) => ({ part, epoch: 1, seq: 0, streamCreated: null, mark: null, halted: null })),
  );
  expect((await claim(store, 'two', 40)).map(({ part }) => part)).not.toContain(0);
  expect(await renew(store, 'one', [0, 1, 5])).toMatchObject([{ part: 0 }, { part: 1 }]);
  await adoptStream(store, 0, 1, 'yesterday');
  await halt(store, 0, 1, 'lost');
  await halt(store, 1, 99, 'not the owner any more');
  expect(await renew(store, 'one', [0, 1])).toMatchObject([
    { streamCreated: 'yesterday', halted: 'lost' },
    { halted: null },
  ]);
  const mark = { seq: 11, storedMs: 1_790_000_000_000 };
  const moved = new Map([[1, expect.stringMatching(/^\d{4}-.*Z$/)]]);
  expect(await fence(store, [{ part: 1, epoch: 1, from: 0, to: 11, mark }])).toEqual(moved);
  expect(await fence(store, [{ part: 1, epoch: 1, from: 11, to: 12 }])).toEqual(moved);
  expect(await fence(store, [{ part: 1, epoch: 1, from: 0, to: 13 }])).toEqual(new Map());
  expect(await fence(store, [{ part: 1, epoch: 2, from: 12, to: 13 }])).toEqual(new Map());
  expect(await position(store, 1)).toEqual({ epoch: 1, seq: 12 });
  expect(await release(store, 'one', [1])).toBe(1);
  expect(await claim(store, 'two', 5)).toMatchObject([{ part: 1, epoch: 2, seq: 12, mark }]);
  expect(await forgetCopy(store, 'one')).toBe(1);
});

test('the inbox knows each id once, also within one call', async () => {
  const store = await aStore(await aDatabase());
  expect(await takeNew(store, ['a', 'b', 'a'])).toEqual(new Set(['a', 'b']));
  expect(await takeNew(store, ['b', 'c'])).toEqual(new Set(['c']));
});

test('the outbox gives leftovers in the order of writing, to one copy at a time, and forgets them after a day', async () => {
  const store = await aStore(await aDatabase());
  const row = (messageId: string) => ({ messageId, subject: 's', payload: '{"a":"é\\u0000"}' });
  const first = await queue(store, [row('a')]);
  const rest = await queue(store, [row('b'), row('c')]);
  expect([...first, ...rest].map(({ id }) => id)).toEqual(['1', '2', '3']);
  expect(await markPublished(store, first)).toBe(1);
  await store.transaction(async (sql) => {
    const locked = await lockLeftovers(sql, 0, 10);
    expect(locked).toEqual(rest.map((one) => ({ ...one, firstId: '2' })));
    expect(await lockLeftovers(store, 0, 10)).toEqual([]);
    await settleLeftovers(sql, locked, rest.slice(0, 1));
  });
  expect(await lockLeftovers(store, 60_000, 10)).toEqual([]);
  expect(await dropArchived(store, 24)).toBe(0);
  await store.run("update outbox set published_at = published_at - interval '25 hours'");
  expect(await dropArchived(store, 24)).toBe(2);
  await store.transaction(async (sql) => {
    const locked = await lockLeftovers(sql, 0, 10);
    expect(locked.map(({ id }) => id)).toEqual(['3']);
    await settleLeftovers(sql, locked, locked);
  });
  expect(await store.query('select 1 from outbox_pending')).toEqual([]);
  expect(await dropArchived(store, 24)).toBe(0);
});

test('an event that no order has taken is kept beyond its day, for a month', async () => {
  const store = await aStore(await aDatabase());
  const row = (messageId: string, subject: string) => ({ messageId, subject, payload: '{}' });
  await queue(store, [
    row('dropped', 'oms.pub.order.received'),
    row('taken', 'oms.evt.5.order.received.ord_1'),
    row('waiting', 'oms.evt.5.order.updated.ord_1'),
    row('bought', 'oms.cmd.suppliers.buy.sup_ord_1'),
  ]);
  await store.run("insert into inbox (message_id) values ('taken')");
  await store.run('delete from outbox_pending');
  const left = async (days: number) => {
    await store.run("update outbox set published_at = now() - $1::int * interval '1 day'", [days]);
    await dropArchived(store, 24);
    return (await store.query<{ message_id: string }>('select message_id from outbox')).map(
      ({ message_id }) => message_id,
    );
  };
  expect(await left(3)).toEqual(['waiting']);
  const { now, holdsFrom } = await archiveExtent(store);
  expect(holdsFrom, 'it is not all that there was').toBe(now);
  expect(await left(31)).toEqual([]);
});

test('what a copy of the release before left unpublished is promised, too', async () => {
  const store = await aStore(await aDatabase());
  await store.run(
    "insert into outbox (message_id, subject, payload) values ('a', 's', '{}'), ('b', 's', '{}')",
  );
  expect(await promiseUnmarked(store, 60_000)).toBe(0);
  expect(await promiseUnmarked(store, 0)).toBe(2);
  expect((await lockLeftovers(store, 0, 10)).map(({ messageId }) => messageId)).toEqual(['a', 'b']);
  expect(await promiseUnmarked(store, 0)).toBe(0);
});

test('values travel beside the statement, never in it', async () => {
  const store = await aStore(await aDatabase());
  const value = `it's ? and $1 and \\ and ; drop table orders --`;
  const [row] = await store.query<{ value: string; statement: string }>(
    `select $1::text as value, query as statement from pg_stat_activity where pid = pg_backend_pid()`,
    [value],
  );
  expect(row?.value).toBe(value);
  expect(row?.statement).toContain('$1');
  expect(row?.statement).not.toContain('drop table');
  const found = await store.query('select n from unnest($1::bigint[]) n', [['9007199254740993', '2']]);
  expect(found).toEqual([{ n: '9007199254740993' }, { n: '2' }]);
});

test('rows go in and change by one bound parameter, and no rows are no statement', async () => {
  const store = await aStore(await aDatabase());
  await store.run('create table things (id bigint primary key, name text, tags json, at int)');
  const columns = { id: 'bigint', name: 'text', tags: 'json' };
  const rows = [
    { id: 1, name: "O'Brien \u{1F600}", tags: { a: [1, 2] } },
    { id: 2, name: null, tags: null },
  ];
  const ids = await insertRows(store, 'things', columns, rows, 'returning id');
  expect(ids).toEqual([{ id: '1' }, { id: '2' }]);
  expect(await insertRows(store, 'no_such_table', columns, [])).toEqual([]);
  const [first] = await store.query('select name, tags from things where id = 1');
  expect(first).toEqual({ name: "O'Brien \u{1F600}", tags: { a: [1, 2] } });

  const changes = [
    { id: 1, name: 'one' },
    { id: 3, name: 'three' },
  ];
  const touched = await updateRows(
    store,
    'things',
    { id: 'bigint', name: 'text' },
    changes,
    'name = d.name',
    'o.id = d.id',
  );
  expect(touched).toBe(1);
  expect(await updateRows(store, 'no_such_table', {}, [], 'a = 1', 'true')).toBe(0);
  expect(await store.query('select id, name from things order by id')).toEqual([
    { id: '1', name: 'one' },
    { id: '2', name: null },
  ]);
});

test('rows that change together are locked in the order of their keys, however they come', async () => {
  const connectionString = await aDatabase();
  const other = await aStore(connectionString);
  const store = await openStore({ connectionString, maxConnections: 1, name: 'test', isByKey: true });
  onTestFinished(() => store.close());
  const columns = { id: 'text', name: 'text' };
  const [a, b] = [
    { id: 'a', name: 'x' },
    { id: 'b', name: 'x' },
  ] as const;
  await store.run('create table things (id text primary key, name text)');
  await insertRows(store, 'things', columns, [b, a]);
  const changing = await other.transaction(async (sql) => {
    await sql.query("select 1 from things where id = 'a' for update");
    const touched = updateRows(store, 'things', columns, [b, a], 'name = d.name', 'o.id = d.id');
    await expect
      .poll(() => other.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
      .not.toEqual([]);
    expect(await sql.query("select 1 from things where id = 'b' for update nowait")).toHaveLength(1);
    return { touched };
  });
  expect(await changing.touched).toBe(2);
});

test('a store by key looks rows up by index, even in a table that was empty when it planned', async () => {
  const connectionString = await aDatabase();
  const store = await openStore({ connectionString, maxConnections: 1, name: 'test', isByKey: true });
  onTestFinished(() => store.close());
  await store.run('analyze orders');
  const plan = await store.query(
    `explain update orders o set version = o.version + 1
       from json_to_recordset($1::json) as d(id text) where o.id = d.id`,
    ['[]'],
  );
  expect(JSON.stringify(plan)).toContain('Index Scan using orders_pkey');
  expect(JSON.stringify(plan)).not.toMatch(/Seq Scan|Hash|Merge/);
});

/** Index entries of a table that were read so far, those of the store's own connection included. */
async function entriesRead(store: Store, table: string): Promise<number> {
  await store.query('select pg_stat_force_next_flush()');
  const [row] = await store.query<{ read: number }>(
    'select sum(idx_tup_read)::int as read from pg_stat_user_indexes where relname = $1',
    [table],
  );
  return row?.read ?? 0;
}

test.each([
  [
    'a verdict on a purchase',
    'purchase_intents',
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state,
                                   request_hash, expected_cost_minor, currency, call_deadline)
     select 'sup_ord_' || n, 'create', 'ord_' || n, 'cj_dropshipping', 'sup_ord_' || n, 1, 'done', '', 1, 'USD', now()
       from generate_series(1, 2000) as n`,
    (store: Store) =>
      settleAll(store, [
        { supplierOrderId: 'sup_ord_7', deed: 'create', attempt: 1, state: 'done', evidence: {} } as const,
      ]),
  ],
  [
    'taking a mail',
    'notifications',
    `insert into notifications (id, kind, about, state, next_try_at)
     select 'ntf_' || n, 'dead_letters', n, 'pending', now() from generate_series(1, 2000) as n`,
    (store: Store) => store.transaction((sql) => claimMails(sql, ['ntf_7'])),
  ],
])(
  '%s reads what it is about, though its plan was made while the table was empty',
  async (_, table, fill, act) => {
    const connectionString = await aDatabase();
    const store = await openStore({ connectionString, maxConnections: 1, name: 'test', isByKey: true });
    onTestFinished(() => store.close());
    await act(store);
    await store.run(fill);
    const before = await entriesRead(store, table);
    await act(store);
    expect((await entriesRead(store, table)) - before).toBeLessThan(20);
  },
);

test('a transaction that throws leaves nothing behind', async () => {
  const store = await aStore(await aDatabase());
  const failing = store.transaction(async (sql) => {
    await takeNew(sql, ['a']);
    throw new RangeError('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await store.query('select message_id from inbox')).toEqual([]);
});

test('a transaction in which a failure was swallowed does not pass for committed', async () => {
  const store = await aStore(await aDatabase());
  const failing = store.transaction(async (sql) => {
    await takeNew(sql, ['a']);
    await sql.run('select 1 / $1::int', [0]).catch(() => {});
  });
  await expect(failing).rejects.toThrow('had failed');
  expect(await store.query('select message_id from inbox')).toEqual([]);
});

test.each([
  ['/no_such_database', 'PostgreSQL has no database of the name in DB_CONNECTION_STRING'],
  ['@127.0.0.1:1/orderdb', 'PostgreSQL does not answer at DB_CONNECTION_STRING'],
])('a database that cannot be opened (%s) is said with its cause', async (change, message) => {
  const url = await aDatabase();
  const other = url.replace(change.startsWith('@') ? /@.*$/ : /\/[^/]*$/, change);
  await expect(openStore({ connectionString: other, maxConnections: 1, name: 'test' })).rejects.toThrow(
    message,
  );
});

test('a migration that changes what a prepared statement answers costs one try', async () => {
  const store = await aStore(await aDatabase());
  await store.run('create table things (id int)');
  const read = () => store.query('select * from things where id = $1', [1]);
  await read();
  await store.run('alter table things add column name text');
  const error: unknown = await read().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error === null || isOutage(error)).toBe(true);
  expect(await read()).toEqual([]);
});

const CounterSchema = defineEntity({
  name: 'Counter',
  tableName: 'counters',
  properties: { id: p.integer().primary(), count: p.integer(), version: p.integer().version() },
});
class Counter extends CounterSchema.class {}
CounterSchema.setClass(Counter);

test('MikroORM loses an update when two forks flush two versioned rows, so the hot statements do their own check', async () => {
  const url = await aDatabase();
  const observer = await aStore(url);
  await observer.run(
    'create table counters (id int primary key, count int not null, version int not null default 1)',
  );
  const orm = await MikroORM.init({ clientUrl: url, entities: [Counter], logger: () => {} });
  onTestFinished(() => orm.close());
  await observer.run('insert into counters values (1, 0), (2, 0)');

  const [first, second] = [orm.em.fork(), orm.em.fork()];
  for (const em of [first, second]) for (const counter of await em.find(Counter, {})) counter.count += 1;
  await first.begin();
  await first.flush();
  const flushing = second.flush();
  await waitingFor(observer, "wait_event_type = 'Lock'");
  await first.commit();
  await expect(flushing).resolves.toBeUndefined();
  expect(await observer.query('select count from counters order by id')).toEqual([
    { count: 1 },
    { count: 1 },
  ]);

  const addLocked = (): Promise<void> =>
    orm.em.fork().transactional(async (em) => {
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } } as const;
      for (const counter of await em.find(Counter, {}, lock)) counter.count += 1;
    });
  await Promise.all(Array.from({ length: 8 }, addLocked));
  expect(await observer.query('select count from counters order by id')).toEqual([
    { count: 9 },
    { count: 9 },
  ]);
});

test('a pool whose backends are killed more often than it is wide still works and closes', async () => {
  const url = await aDatabase();
  const observer = await aStore(url, 1);
  const store = await openStore({ connectionString: url, maxConnections: 3, name: 'test-victim' });
  for (let round = 0; round < 5; round += 1) {
    const entered = [0, 1].map(() => Promise.withResolvers<void>());
    const killed = Promise.withResolvers<void>();
    const transactions = entered.map(({ resolve }) =>
      store.transaction(async (sql) => {
        await sql.query('select 1');
        resolve();
        await killed.promise;
        await sql.query('select 1');
      }),
    );
    const failures = Promise.all(transactions.map(failureOf));
    await Promise.all(entered.map(({ promise }) => promise));
    await killBackends(observer);
    killed.resolve();
    for (const failure of await failures) expect(isOutage(failure)).toBe(true);
  }
  expect(await store.query('select 1 as alive')).toEqual([{ alive: 1 }]);
  await store.close();
  const left = "select 1 from pg_stat_activity where application_name like '%test-victim'";
  await expect.poll(() => observer.query(left)).toEqual([]);
});

test('a backend killed in the middle of a statement is an outage', async () => {
  const url = await aDatabase();
  const [store, observer] = [await aStore(url), await aStore(url)];
  const failure = failureOf(store.transaction((sql) => sql.query('select pg_sleep(10)')));
  await waitingFor(observer, "wait_event = 'PgSleep'");
  await killBackends(observer);
  expect(isOutage(await failure)).toBe(true);
});

test('a lock that is not had in time, a statement too slow and a deadlock are outages', async () => {
  const store = await aStore(await aDatabase());
  await takeNew(store, ['a', 'b']);
  const lock = (id: string) => `select 1 from inbox where message_id = '${id}' for update`;

  await store.transaction(async (sql) => {
    await sql.query(lock('a'));
    const hasty = store.transaction(async (other) => {
      await other.run("set local lock_timeout = '20ms'");
      await other.query(lock('a'));
    });
    expect(await failureOf(hasty)).toSatisfy(isOutage);
  });
  const slow = store.transaction(async (sql) => {
    await sql.run("set local statement_timeout = '20ms'");
    await sql.query('select pg_sleep(10)');
  });
  expect(await failureOf(slow)).toSatisfy(isOutage);

  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const cross = (mine: string, theirs: string, said: () => void, heard: Promise<void>) =>
    store.transaction(async (sql) => {
      await sql.run("set local deadlock_timeout = '20ms'");
      await sql.query(lock(mine));
      said();
      await heard;
      await sql.query(lock(theirs));
    });
  const failures = await Promise.all([
    failureOf(cross('a', 'b', both[0].resolve, both[1].promise)),
    failureOf(cross('b', 'a', both[1].resolve, both[0].promise)),
  ]);
  const [deadlock, ...others] = failures.filter((failure) => failure !== undefined);
  expect(deadlock).toMatchObject({ code: '40P01' });
  expect(isOutage(deadlock)).toBe(true);
  expect(others).toEqual([]);
});

test('a transaction that idled too long is an outage: the process was frozen, the data is fine', async () => {
  const store = await aStore(await aDatabase());
  const frozen = store.transaction(async (sql) => {
    await sql.run("set local idle_in_transaction_session_timeout = '20ms'");
    // The freeze itself: nothing of this process runs, so that the end of the session is read as the next answer.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    await sql.query('select 1');
  });
  // Mostly 25P03; a reset when the server's last word is lost together with its connection.
  expect(await failureOf(frozen)).toSatisfy(isOutage);
});

test('a connection whose other end vanished without a word is an outage, and the pool goes on over new ones', async () => {
  const url = new URL(await aDatabase());
  const wire = await openWire([Number(url.port)]);
  url.port = String(wire.port);
  const store = await openStore({
    connectionString: url.href,
    maxConnections: 2,
    name: 'test-silence',
    silenceMs: 1_000,
  });
  onTestFinished(async () => {
    await store.close();
    await wire.close();
  });
  const failure = await failureOf(
    store.transaction(async (sql) => {
      await sql.query('select 1');
      wire.goSilent();
      await sql.query('select 2');
    }),
  );
  expect(isOutage(failure)).toBe(true);
  expect(await store.query('select 3 as n')).toEqual([{ n: 3 }]);
});

test('a statement of a command may take as long as it takes, one of a service ends after ten seconds', async () => {
  const connectionString = await aDatabase();
  const natsUrl = inject('bareNatsUrl');
  const options = { data: 'nowhere', maxConnections: 1, name: 'test' };
  const limitOf = async (store: Store): Promise<unknown> => {
    onTestFinished(() => store.close());
    const [row] = await store.query<{ limit: string }>(
      `select current_setting('statement_timeout') as limit`,
    );
    return row?.limit;
  };
  vi.stubEnv('DB_CONNECTION_STRING', connectionString);
  vi.stubEnv('NATS_URL', natsUrl);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { store, bus } = await openForCommand(options);
  onTestFinished(() => bus.close());
  expect(await limitOf(store)).toBe('0');
  expect(await limitOf(await openStoreForCommand(options))).toBe('0');
  expect(await limitOf(await openStore({ connectionString, maxConnections: 1, name: 'test' }))).toBe('10s');
});

test('nobody at the address is an outage, and opening the store says so without the password', async () => {
  const port = await freePort();
  const connectionString = `postgresql://postgres:hush-hush@127.0.0.1:${port}/nowhere`;
  const failure = await failureOf(openStore({ connectionString, maxConnections: 1, name: 'test' }));
  expect(failure).toMatchObject({ code: 'store_unavailable', retryable: true });
  expect(isOutage(failure)).toBe(true);
  expect(String(failure)).not.toContain('hush-hush');
});

test('what the database refuses about the data is no outage', async () => {
  const store = await aStore(await aDatabase());
  const refused = [
    store.run('insert into inbox (message_id) select $1 from generate_series(1, 2)', ['twice']),
    insertRows(store, 'inbox', { message_id: 'text' }, [{ message_id: 'nul \u0000 inside' }]),
    insertRows(store, 'inbox', { message_id: 'text' }, [{}]),
    store.query('select no_such_column from inbox'),
    store.query("select 'x'::int"),
    store.transaction(() => Promise.reject(new RangeError('a bug of ours'))),
  ];
  const failures = await Promise.all(refused.map(failureOf));
  expect(failures.map((failure) => failure instanceof Error)).toEqual(refused.map(() => true));
  expect(failures.map(isOutage)).toEqual(refused.map(() => false));
});
