import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { StuckList } from '../../contracts/resources/stuck.ts';
import { readSettings } from '../../contracts/settings.ts';
import { TOLERANCE_SECONDS, WAITING_KINDS, type WaitingKind, waitsOf } from '../../contracts/waits.ts';
import type { Store } from '../../services/store/store.ts';
import { countStuck, readStuck } from '../../services/store/stuck.ts';
import { aGateway } from '../fixtures/a-gateway.ts';
import { aStore, createDatabase } from '../fixtures/database.ts';

const SETTINGS = readSettings({});
const SECOND_MS = 1_000;

type Ago = (ms: number) => string;
const ago: Ago = (ms) => new Date(Date.now() - ms).toISOString();

const anOrder = (store: Store, id: string, state: string, entered: string, test = false): Promise<number> =>
  store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context, entered_at)
     values ($1, 'shop', $1, '#1', 'USD', 1, '2026-11-01', $2, $3::json, $4)`,
    [id, state, JSON.stringify({ test }), entered],
  );

const aSupplierOrder = (store: Store, id: string, orderId: string, state: string, entered: string) =>
  store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency, entered_at)
     values ($1, $2, 'cj_dropshipping', $3, '{}', 'm', 'CN', 1, 'USD', $4)`,
    [id, orderId, state, entered],
  );

const aParcel = (store: Store, id: string, state: string, entered: string, leftAt: string | null) =>
  store.run(
    `insert into parcels (id, order_id, supplier_order_id, state, tracking_number, units, entered_at, left_at)
     values ($1, 'ord_1', 'sup_ord_1', $2, $1, '{}', $3, $4)`,
    [id, state, entered, leftAt],
  );

const aMail = (store: Store, id: string, state: string, at: string) =>
  store.run(
    `insert into notifications (id, order_id, kind, state, created_at, next_try_at)
     values ($1, 'ord_1', 'order_confirmed', $2, $3, $3)`,
    [id, state, at],
  );

const aLetter = (store: Store, kind: string, at: string) =>
  store.run(
    `insert into dead_letters (order_id, message_id, subject, seq, payload, kind, state, opened_at)
     values ('ord_1', 'm', 's', 1, '{}', $1, 'open', $2)`,
    [kind, at],
  );

/** Parks something in that state since then; what else it needs to be there has ended. */
const PARK: Readonly<Record<WaitingKind, (store: Store, state: string, at: string) => Promise<unknown>>> = {
  order: (store, state, at) => anOrder(store, 'ord_1', state, at),
  supplier_order: (store, state, at) => aSupplierOrder(store, 'sup_ord_1', 'ord_1', state, at),
  parcel: async (store, state, at) => {
    await aSupplierOrder(store, 'sup_ord_1', 'ord_1', 'shipped', ago(0));
    await aParcel(store, 'pcl_1', state, at, null);
  },
  fulfillment: async (store, _, at) => {
    await anOrder(store, 'ord_1', 'delivered', at);
    await aParcel(store, 'pcl_1', 'delivered', at, at);
  },
  hold: (store, _, at) =>
    store.run(
      `insert into holds (id, order_id, reason, evidence, opened_at) values ('hld_1', 'ord_1', 'operator', '{}', $1)`,
      [at],
    ),
  mail: (store, state, at) => aMail(store, 'ntf_1', state, at),
  message: (store, _, at) =>
    store.run(
      `with m as (insert into outbox (message_id, subject, payload)
                  values ('m', 'oms.evt.1.order.updated.ord_1', '{}') returning id)
       insert into outbox_pending (first_id, ids, created_at) select id, array[id], $1 from m`,
      [at],
    ),
  dead_letter: (store, state, at) => aLetter(store, state, at),
};

/** The timers that the state wants, due then. */
async function withTimers(store: Store, kind: WaitingKind, timers: readonly string[], due: string) {
  const supplierOrderId = kind === 'order' ? null : 'sup_ord_1';
  const parcelId = kind === 'parcel' || kind === 'fulfillment' ? 'pcl_1' : null;
  for (const timer of timers)
    await store.run(
      `insert into timers (order_id, key, deadline, supplier_order_id, parcel_id, setting, due_at)
       values ('ord_1', $1, $1, $2, $3, 1, $4)`,
      [timer, supplierOrderId, parcelId, due],
    );
}

const found = (store: Store, kind?: WaitingKind) =>
  readStuck(store, SETTINGS, { toleranceSeconds: TOLERANCE_SECONDS, limit: 10, kind });

const clean = (store: Store) =>
  store.run(
    `do $$ begin delete from orders; delete from supplier_orders; delete from parcels; delete from timers;
      delete from holds; delete from notifications; delete from outbox; delete from outbox_pending;
      delete from dead_letters; end $$`,
  );

const ROWS = WAITING_KINDS.flatMap((kind) =>
  waitsOf(kind).map(([state, wait]) => ({
    kind,
    state,
    timers: wait.timers,
    lastsMs: wait.withinMs(SETTINGS) + TOLERANCE_SECONDS * SECOND_MS,
  })),
);

let database: string;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ url: database, drop } = await createDatabase());
});
afterAll(() => drop());

test('whatever is parked in a waiting state is listed once its time is over, and not before', async () => {
  const store = await aStore(database);
  for (const { kind, state, timers, lastsMs } of ROWS) {
    const which = `${kind} ${state}`;
    const soon = ago(-60 * SECOND_MS);
    await clean(store);
    await PARK[kind](store, state, ago(lastsMs - 60 * SECOND_MS));
    await withTimers(store, kind, timers, soon);
    expect(await found(store, kind), `${which} before`).toEqual([]);
    await clean(store);
    await PARK[kind](store, state, ago(lastsMs + 60 * SECOND_MS));
    // A timer that is set for later prolongs the wait; one that is repeated does not.
    await withTimers(store, kind, timers, ago(TOLERANCE_SECONDS * SECOND_MS + 30 * SECOND_MS));
    expect(await found(store), which).toMatchObject([{ kind, state, reason: 'overdue' }]);
    expect(await countStuck(store, SETTINGS, TOLERANCE_SECONDS)).toEqual([{ kind, stuck: 1 }]);
  }
});

test('an order whose purchase is waited for longer, by a long quote or a release, waits with it', async () => {
  const store = await aStore(database);
  await clean(store);
  await anOrder(store, 'ord_1', 'shipped', ago(60 * 86_400_000));
  await aSupplierOrder(store, 'sup_ord_1', 'ord_1', 'shipped', ago(60 * 86_400_000));
  await withTimers(store, 'supplier_order', ['deliver'], ago(-86_400_000));
  expect(await found(store)).toEqual([]);
  await store.run("update timers set due_at = now() - interval '1 day'");
  expect(await found(store)).toMatchObject([{ kind: 'order' }, { kind: 'supplier_order' }]);
});

test('a state that wants a timer and has none is listed at once, and so is one whose timer passed without effect', async () => {
  const store = await aStore(database);
  const timed = ROWS.filter(({ timers }) => timers.length > 0);
  expect(timed.length).toBeGreaterThan(12);
  for (const { kind, state, timers, lastsMs } of timed) {
    const which = `${kind} ${state}`;
    const entered = ago(Math.min(lastsMs - 60 * SECOND_MS, 3_000 * SECOND_MS));
    await clean(store);
    await PARK[kind](store, state, entered);
    const expected = kind === 'parcel' ? [] : [{ kind, state, reason: 'no_timer' }];
    expect(await found(store, kind), which).toMatchObject(expected);
    await withTimers(store, kind, timers.slice(0, 1), ago((TOLERANCE_SECONDS + 60) * SECOND_MS));
    expect(await found(store, kind), which).toMatchObject([{ kind, state, reason: 'timer_late' }]);
    // Said again each quarter of an hour, and still nothing came of it.
    await store.run("update timers set attempt = 2, due_at = now() + interval '1 minute'");
    expect(await found(store, kind), which).toMatchObject([{ kind, state, reason: 'timer_late' }]);
  }
});

test('what is held waits for a person: its hold stands in the list, after its own time', async () => {
  const store = await aStore(database);
  await clean(store);
  await anOrder(store, 'ord_1', 'sourcing', ago(9 * 86_400_000));
  await aSupplierOrder(store, 'sup_ord_1', 'ord_1', 'draft', ago(9 * 86_400_000));
  await anOrder(store, 'ord_test', 'received', ago(9 * 86_400_000), true);
  expect(await found(store)).toHaveLength(2);
  await PARK.hold(store, 'open', ago(0));
  expect(await found(store)).toEqual([]);
  await store.run("update holds set opened_at = now() - interval '4 days'");
  expect(await found(store)).toMatchObject([{ kind: 'hold', id: 'hld_1', orderId: 'ord_1' }]);
});

test('where orders may be bought in part, a draft that nobody buys is listed beside a line that is held', async () => {
  const store = await aStore(database);
  await clean(store);
  await anOrder(store, 'ord_1', 'purchasing', ago(0));
  await aSupplierOrder(store, 'sup_ord_1', 'ord_1', 'draft', ago(9 * 86_400_000));
  await PARK.hold(store, 'open', ago(0));
  const inPart = (partialPurchase: boolean) =>
    store.run('update orders set context = $1::json', [JSON.stringify({ rules: { partialPurchase } })]);
  await inPart(true);
  expect(await found(store), 'all of the order is held').toEqual([]);
  await store.run("update holds set line_id = '2'");
  expect(await found(store)).toMatchObject([{ kind: 'supplier_order', id: 'sup_ord_1' }]);
  await inPart(false);
  expect(await found(store)).toEqual([]);
  await inPart(true);
  await store.run("update holds set line_id = null, supplier_order_id = 'sup_ord_2'");
  expect(await found(store)).toMatchObject([{ kind: 'supplier_order', id: 'sup_ord_1' }]);
  await store.run("update holds set supplier_order_id = 'sup_ord_1'");
  expect(await found(store)).toEqual([]);
});

test('a mail that was tried in vain for more than an hour is listed, though its next try is set for later', async () => {
  const store = await aStore(database);
  await clean(store);
  await aMail(store, 'ntf_1', 'pending', ago(2 * 3_600 * SECOND_MS));
  await store.run("update notifications set next_try_at = now() + interval '30 minutes'");
  expect(await found(store)).toEqual([]);
  await store.run('update notifications set attempt = 10');
  expect(await found(store)).toMatchObject([{ kind: 'mail', id: 'ntf_1', reason: 'overdue' }]);
});

test('the list says why, what to do and where the order is explained; it is paged, and counted in the metrics', async () => {
  const { context, call } = await aGateway(inject('bareNatsUrl'));
  const { store } = context;
  for (const index of [1, 2, 3]) await anOrder(store, `ord_${index}`, 'grace', ago(index * 86_400_000));
  const read = async (query: string) => StuckList.parse(await (await call(`/stuck${query}`)).json());
  const first = await read('?limit=2');
  expect(first.items).toMatchObject([
    {
      id: 'ord_3',
      explain: '/orders/ord_3/explain',
      reason: 'overdue',
      next: expect.stringContaining('shop'),
    },
    { id: 'ord_2' },
  ]);
  const rest = await read(`?limit=2&cursor=${first.nextCursor}`);
  expect([rest.items.map(({ id }) => id), rest.nextCursor]).toEqual([['ord_1'], null]);
  expect((await read('?kind=mail')).items).toEqual([]);
  expect((await read('?toleranceSeconds=31536000')).items).toEqual([]);
  expect((await call('/stuck?kind=shoe')).status).toBe(422);
  const metrics = await (await call('/metrics')).text();
  expect(metrics).toMatch(/^order_manager_stuck\{kind="order"\} 3$/m);
  expect(metrics).toMatch(/^order_manager_stuck\{kind="hold"\} 0$/m);
});

test('a letter of an order that never came to be leads to no explanation, for there is none', async () => {
  const { context, call } = await aGateway(inject('bareNatsUrl'));
  await aLetter(context.store, 'event', ago(7_200 * SECOND_MS));
  const listed = async () => StuckList.parse(await (await call('/stuck')).json()).items;
  expect(await listed()).toMatchObject([{ kind: 'dead_letter', orderId: 'ord_1', explain: null }]);
  await anOrder(context.store, 'ord_1', 'cancelled', ago(0));
  expect(await listed()).toMatchObject([{ kind: 'dead_letter', explain: '/orders/ord_1/explain' }]);
});

const Plan = z.looseObject({ 'QUERY PLAN': z.string() });

test('among many ended orders the few that wait are found by an index', async () => {
  const store = await aStore(database);
  await clean(store);
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     select 'ord_' || n, 'shop', n::text, '#1', 'USD', 1, '2026', 'delivered', '{}' from generate_series(1, 20000) n`,
  );
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency)
     select 'sup_' || n, 'ord_' || n, 'cj_dropshipping', 'delivered', '{}', 'm', 'CN', 1, 'USD'
       from generate_series(1, 20000) n`,
  );
  for (const table of ['orders', 'supplier_orders', 'timers', 'parcels', 'holds'])
    await store.run(`analyze ${table}`);
  const plans: string[] = [];
  await readStuck(
    {
      run: store.run,
      query: async <Row extends object>(statement: string, parameters?: readonly unknown[]) => {
        const rows = await store.query(`explain ${statement}`, parameters);
        plans.push(...rows.map((row) => Plan.parse(row)['QUERY PLAN']));
        return [] as Row[];
      },
    },
    SETTINGS,
    { toleranceSeconds: TOLERANCE_SECONDS, limit: 50 },
  );
  const plan = plans.join('\n');
  expect(plan).toContain('orders_waiting');
  expect(plan).toContain('supplier_orders_waiting');
  expect(plan).not.toMatch(/Seq Scan on (orders|supplier_orders)/);
});
