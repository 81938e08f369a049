import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { RereadOrder } from '../../contracts/commands/reread-order.ts';
import { Envelope } from '../../contracts/envelope.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { readStoreGauges } from '../../gateway/store-gauges.ts';
import type { AdminClient } from '../../services/shopify/admin-client.ts';
import { type BackfillProgress, backfill, planBackfill } from '../../services/shopify/backfill.ts';
import { catchUp } from '../../services/shopify/catch-up.ts';
import { COUNT_ORDERS, ORDERS_CHANGED } from '../../services/shopify/order-operations.ts';
import { asking } from '../../services/shopify/read-work.ts';
import { reportGap } from '../../services/shopify/report-gap.ts';
import { rereadOrder } from '../../services/shopify/reread-order.ts';
import { ShopError } from '../../services/shopify/shop-error.ts';
import { layDown } from '../../services/store/dead-letters.ts';
import { isOutage } from '../../services/store/outage.ts';
import type { Store } from '../../services/store/store.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { eventsIn } from '../fixtures/shipped-order.ts';
import { clientOf, shopPorts, withoutOperations } from '../fixtures/shop-ports.ts';
import { anOrderBody, fulfillmentOrdersOf, givenShopOrder } from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const BACKFILL = fileURLToPath(new URL('../../deploy/backfill.ts', import.meta.url));
const SHOP = CREDENTIALS.shop;
const MINUTE_MS = 60_000;
/** One instant for each test: what was told and what the shop shows must not fall on both sides of a second. */
let begun = Date.now();
beforeEach(() => {
  begun = Date.now();
});
const ago = (minutes: number): string =>
  `${new Date(begun - minutes * MINUTE_MS).toISOString().slice(0, 19)}Z`;

async function aShop() {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: SHOP });
  const ports = shopPorts(context, world);
  const told = async () =>
    (await eventsIn(context.store)).map(({ data }) => (data as { shopOrderId: string }).shopOrderId).sort();
  /** Orders 5501, 5502, … that changed so many minutes ago. */
  const orders = async (...minutes: number[]) => {
    for (const [index, minute] of minutes.entries())
      await givenShopOrder(world, anOrderBody({ id: 5501 + index, updated_at: ago(minute) }));
  };
  return { world, context, ports, told, orders };
}

/** As the order service keeps what a webhook told. */
const givenKnown = (
  { store }: Pick<Awaited<ReturnType<typeof aShop>>['context'], 'store'>,
  shopOrderId: string,
  sourceUpdatedAt: string,
  more: object = {},
) =>
  store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, $2, $3, '#1', 'USD', 1, '2026-11-20T10:00:00Z', 'grace', $4::json)`,
    [orderIdOf(SHOP, shopOrderId), SHOP, shopOrderId, JSON.stringify({ sourceUpdatedAt, ...more })],
  );

const lettersIn = (store: Store) =>
  store.query<{
    orderId: string;
    kind: string;
    subject: string;
    attempts: number;
    payload: string;
    failure: string;
  }>('select order_id as "orderId", kind, subject, attempts, payload, failure from dead_letters');

const readsIn = async (world: Sandbox): Promise<number> =>
  (await ledgerOf(world)).calls['shopify.order'] ?? 0;

test('a sweep tells what no webhook brought, once, and reads no order that is known as it is', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4, 3, 2);
  await givenKnown(context, '5501', new Date(ago(5)).toISOString());
  await givenKnown(context, '5502', new Date(ago(60)).toISOString());
  await catchUp(ports);
  expect(await told()).toEqual(['5502', '5503', '5504']);
  const reads = await readsIn(world);
  await catchUp(ports);
  expect([await told(), await readsIn(world)]).toEqual([['5502', '5503', '5504'], reads]);

  await control(world, 'PUT', '/shop/orders/5503', { cancelled: true });
  await catchUp(ports);
  const last = (await eventsIn(context.store)).filter(({ id }) => id.includes(orderIdOf(SHOP, '5503')));
  expect(last.map(({ data }) => (data as { cancelled: boolean }).cancelled).sort()).toEqual([false, true]);
});

test('a payment and a cancel that came in the very second of what is known are found, and once told are known', async () => {
  const { world, context, ports, told } = await aShop();
  const second = ago(5);
  for (const id of [5501, 5502, 5503])
    await givenShopOrder(
      world,
      anOrderBody({ id, updated_at: second, cancelled_at: id === 5502 ? second : null }),
    );
  const known = { payment: 'paid', cancelledInShop: false };
  const at = new Date(second).toISOString();
  await givenKnown(context, '5501', at, { ...known, payment: 'pending' });
  await givenKnown(context, '5502', at, known);
  await givenKnown(context, '5503', at, known);
  await catchUp(ports);
  expect(await told()).toEqual(['5501', '5502']);
  await context.store.run(
    `update orders set context = (context::jsonb || '{"payment": "paid", "cancelledInShop": true}')::json`,
  );
  const reads = await readsIn(world);
  await catchUp(ports);
  expect(await readsIn(world)).toBe(reads);
});

test('an order whose webhook named no address is read once, for the shop may show one', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4);
  const known = { payment: 'paid', cancelledInShop: false };
  for (const [id, minutes] of [
    ['5501', 5],
    ['5502', 4],
  ] as const)
    await givenKnown(context, id, new Date(ago(minutes)).toISOString(), known);
  await context.store.run(
    `insert into holds (id, order_id, reason, evidence) values ('hld_1', $1, 'address_invalid', '{"missing": "street"}'),
       ('hld_2', $2, 'address_invalid', '{"supplier": "aliexpress", "fields": "name"}')`,
    [orderIdOf(SHOP, '5501'), orderIdOf(SHOP, '5502')],
  );
  await catchUp(ports);
  expect(await told()).toEqual(['5501']);
  const reads = await readsIn(world);
  await catchUp(ports);
  expect(await readsIn(world)).toBe(reads);
});

test('a hold of the shop that ended without a webhook is found though the order did not change, and a standing one left', async () => {
  const { world, context, ports, orders } = await aShop();
  await orders(60, 60);
  const held = ['5501', '5502'];
  for (const id of held) await givenKnown(context, id, new Date(ago(30)).toISOString());
  await context.store.run(
    `insert into holds (id, order_id, reason, evidence)
     select 'hold-of-' || id, id, 'operator', '{"heldInShop": "OTHER"}' from unnest($1::text[]) as id`,
    [held.map((id) => orderIdOf(SHOP, id))],
  );
  const gid = 'gid://shopify/Order/5502';
  const [work] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  await control(world, 'PUT', `/shop/fulfillment-orders/${work!.id.replace(/.*\//, '')}/holds`, [
    { reason: 'OTHER' },
  ]);
  await catchUp(ports);
  const releases = (await eventsIn(context.store)).filter(({ type }) => type === 'order.release_requested');
  const orderId = orderIdOf(SHOP, '5501');
  expect(releases.map(({ data }) => data)).toEqual([
    { orderId, reason: 'operator', holdId: `hold-of-${orderId}` },
  ]);
});

test('a risk that the shop sees otherwise by now is told of an order that is held for it, and the same one is not', async () => {
  const { context, world, ports, orders } = await aShop();
  await orders(60, 60);
  await control(world, 'PUT', '/shop/orders/5502', { riskLevel: 'HIGH' });
  const later = new Date(begun + 60 * MINUTE_MS).toISOString();
  await givenKnown(context, '5501', later, { risk: 'unknown' });
  await givenKnown(context, '5502', later, { risk: 'high' });
  await context.store.run(
    `insert into holds (id, order_id, reason, evidence) select 'hold-of-' || id, id, 'fraud_review', '{}' from orders`,
  );
  await catchUp(ports);
  const risks = (await eventsIn(context.store)).filter(({ type }) => type === 'order.risk_assessed');
  expect(risks.map(({ data }) => data)).toEqual([
    {
      orderId: orderIdOf(SHOP, '5501'),
      level: 'low',
      evidence: { recommendation: 'ACCEPT', assessments: 'LOW' },
    },
  ]);
});

test('behind an open dead letter no end of the shop’s holds is told, which would wait there again with each round', async () => {
  const { context, ports, orders } = await aShop();
  await orders(60);
  await givenKnown(context, '5501', new Date(ago(30)).toISOString());
  const orderId = orderIdOf(SHOP, '5501');
  await context.store.run(
    `insert into holds (id, order_id, reason, evidence) values ('h', $1, 'operator', '{"heldInShop": "OTHER"}')`,
    [orderId],
  );
  await context.store.transaction((sql) =>
    layDown(sql, [
      {
        order_id: orderId,
        message_id: 'evt:1',
        subject: 'oms.evt.1.order.updated.x',
        seq: 1,
        payload: '{}',
        kind: 'event',
        state: 'open',
        reason: 'failed',
        failure: null,
        attempts: 1,
      },
    ]),
  );
  await catchUp(ports);
  expect(await eventsIn(context.store)).toEqual([]);
  await context.store.run("update dead_letters set state = 'replayed', settled_at = now()");
  await catchUp(ports);
  expect((await eventsIn(context.store)).map(({ type }) => type)).toContain('order.release_requested');
});

test('the first sweep leaves the past alone but for the overlap', async () => {
  const { context, ports, told, orders } = await aShop();
  await orders(60 * 24, 30, 9);
  await catchUp(ports);
  expect(await told()).toEqual(['5503']);
  const [{ mark } = { mark: '' }] = await context.store.query<{ mark: string }>(
    'select mark from shop_sweeps',
  );
  expect(Math.abs(new Date(mark).getTime() - Date.now())).toBeLessThan(5 * MINUTE_MS);
});

test('two copies sweep as one', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4, 3);
  await Promise.all([catchUp(ports), catchUp(shopPorts(context, world))]);
  expect(await told()).toEqual(['5501', '5502', '5503']);
  expect(await context.store.query('select 1 from shop_leases')).toEqual([]);
});

test('a sweep that the shop breaks off tells the rest the next time', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4, 3);
  await givenFaults(world, { operation: 'shopify.order', kind: 'error_before' });
  await expect(catchUp(ports)).rejects.toMatchObject({ retryable: true });
  await givenFaults(world);
  // The copy that failed gives the shop ten seconds; another one does not know of that.
  await catchUp(shopPorts(context, world));
  expect(await told()).toEqual(['5501', '5502', '5503']);
  expect(await context.store.query('select 1 from shop_leases')).toEqual([]);
});

test('sweeps go on although more has changed within the overlap than one of them can read', async () => {
  const { world, context, ports, told } = await aShop();
  const ids = Array.from({ length: 250 }, (_, index) => 5501 + index);
  for (const id of ids)
    await givenShopOrder(world, anOrderBody({ id, updated_at: ago(9 - (id - 5501) / 60) }));
  const [last = 0, ...others] = ids.toReversed();
  for (const id of others) await givenKnown(context, String(id), new Date().toISOString());
  await context.store.run(`insert into shop_sweeps (name, mark) values ('catch-up:${SHOP}', now())`);
  const sweepOfOnePage = async (): Promise<void> => {
    let pages = 0;
    const request: AdminClient['request'] = (operation, ...rest) => {
      pages += operation === ORDERS_CHANGED ? 1 : 0;
      if (pages > 1) return Promise.reject(new ShopError('transient', 'the time of the round is over', {}));
      return ports.admin!.request(operation, ...rest);
    };
    await catchUp({ ...ports, admin: { ...ports.admin!, request } }).catch(() => {});
  };
  for (const _ of ['first', 'second', 'third']) await sweepOfOnePage();
  expect(await told()).toEqual([String(last)]);
});

test('a sweep that the database breaks off tells the rest the next time', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4, 3);
  await context.store.transaction(async (sql) => {
    await sql.run('lock table outbox in exclusive mode');
    const sweeping = catchUp(ports).catch((error: unknown) => error);
    await eventually(async () => {
      const ended = await context.store.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(ended).not.toEqual([]);
    });
    expect(isOutage(await sweeping)).toBe(true);
  });
  await catchUp(shopPorts(context, world));
  expect(await told()).toEqual(['5501', '5502', '5503']);
  expect(context.lines).not.toContainEqual(expect.objectContaining({ level: 'error' }));
});

/** No order in dollars can cost that. */
const NO_AMOUNT = { total_price_set: undefined, total_price: '1.234' };

test('an order that cannot be understood does not keep back the others', async () => {
  const { world, context, ports, told } = await aShop();
  await givenShopOrder(world, anOrderBody({ id: 5501, updated_at: ago(5), ...NO_AMOUNT }));
  await givenShopOrder(world, anOrderBody({ id: 5502, updated_at: ago(4) }));
  await catchUp(ports);
  expect(await told()).toEqual(['5502']);
  expect(context.lines).toContainEqual(expect.objectContaining({ orderId: orderIdOf(SHOP, '5501') }));
  expect(await lettersIn(context.store)).toMatchObject([
    { attempts: 1, failure: expect.stringContaining('an amount that its currency cannot hold') },
  ]);
});

test('an order whose answer has an unknown shape does not keep back the others: it waits as a dead letter that reads it again', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 4);
  const admin = clientOf(world.origin);
  const isOdd = ({ orderId }: Readonly<Record<string, unknown>>) => orderId === 'gid://shopify/Order/5501';
  const request: typeof admin.request = (operation, variables, schema, options) =>
    admin.request(operation, variables, isOdd(variables) ? z.never() : schema, options);
  const puzzled = { ...ports, admin: { ...admin, request } };
  await catchUp(puzzled);
  await catchUp(puzzled);
  expect(await told()).toEqual(['5502']);
  expect(context.lines).toContainEqual(expect.objectContaining({ orderId: orderIdOf(SHOP, '5501') }));
  const [letter, ...others] = await lettersIn(context.store);
  expect(others).toEqual([]);
  expect(letter).toMatchObject({
    orderId: orderIdOf(SHOP, '5501'),
    kind: 'command',
    subject: 'oms.cmd.shopify.reread.5501-sweep',
    attempts: 1,
  });

  // What is put into the stream again when a person has it replayed.
  const { data } = Envelope.parse(JSON.parse(letter?.payload ?? ''));
  const command = RereadOrder.parse(data);
  await expect(rereadOrder(puzzled, command, 'r1')).rejects.toMatchObject({ failureClass: 'permanent' });
  await rereadOrder(ports, command, 'r2');
  expect(await told()).toEqual(['5501', '5502']);
});

test('a day’s gap is told once: by webhook, only by sweep, missing, and how late', async () => {
  const { context, ports } = await aShop();
  const { store } = context;
  await store.run(
    `insert into swept_orders (order_id, shop, shop_updated_at, first_seen_at)
     select id, $1, now(), now() - interval '1 day' from unnest(array['o1', 'o2', 'o3', 'o4']) id`,
    [SHOP],
  );
  await store.run("insert into swept_orders values ('o5', $1, now(), now())", [SHOP]);
  await store.run(
    `insert into webhooks (source, delivery_id, topic, api_version, triggered_at, order_id, body, received_at)
     select 'shopify:' || $1, d, 'orders/create', '2026-10', (at - late * interval '1 second')::text, o, '{}', at
       from (values ('d1', 'o1', 1), ('d2', 'o1', 3), ('d3', 'o2', 2)) as v (d, o, late),
            (select (now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '1 hour' as at) t`,
    [SHOP],
  );
  for (const id of ['o1', 'o2', 'o3'])
    await store.run(
      `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
       values ($1, $2, $1, '#1', 'USD', 1, '', 'grace', '{}')`,
      [id, SHOP],
    );
  for (let round = 1; round <= 3; round += 1) await reportGap(ports);
  const yesterday = new Date(Date.now() - 24 * 60 * MINUTE_MS).toISOString().slice(0, 10);
  const told = await eventsIn(store);
  expect(told).toMatchObject([
    {
      type: 'shop.gap_reported',
      id: `gap:${SHOP}:${yesterday}`,
      data: {
        shop: SHOP,
        day: yesterday,
        seen: 4,
        byWebhook: 2,
        onlyBySweep: 2,
        missing: 1,
        meanDelaySeconds: 2,
      },
    },
  ]);
  const gauges = await readStoreGauges(store);
  expect(gauges).toEqual(
    expect.arrayContaining([
      { name: 'shop_gap_orders', label: 'by_webhook', by: '', value: 2 },
      { name: 'shop_gap_orders', label: 'missing', by: '', value: 1 },
      { name: 'shop_webhook_delay_mean_seconds', label: '', by: '', value: 2 },
    ]),
  );
  await expect.poll(() => context.bus.lastSeqOn('CREW', 'oms.pub.shop.gap_reported')).toBeGreaterThan(0);
});

const DAY = 24 * 60;

test('a backfill brings in history, tells nobody, shows how far it is and goes on where it stopped', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(40 * DAY, 30 * DAY, 20 * DAY, 10 * DAY);
  const since = new Date(Date.now() - 35 * DAY * MINUTE_MS);
  const ask = asking(ports.admin!, 'read');
  const plan = await planBackfill(ports, ask, SHOP, since);
  expect(plan).toEqual({ from: since, total: 3, hiddenBefore: null });

  await givenFaults(world, { operation: 'shopify.order', kind: 'error_before' });
  await expect(backfill(ports, ask, SHOP, since, plan, () => {})).rejects.toMatchObject({ retryable: true });
  await givenFaults(world);
  // What it had read by then is marked: the shop counts only the rest.
  await context.store.run('update shop_sweeps set mark = $1', [ago(25 * DAY)]);
  const again = asking(shopPorts(context, world).admin!, 'read');
  const rest = await planBackfill(ports, again, SHOP, since);
  expect(rest.total).toBe(2);
  const shown: BackfillProgress[] = [];
  await backfill(ports, again, SHOP, since, rest, (progress) => shown.push(progress));
  expect(shown).toEqual([{ total: 2, seen: 2, told: 2 }]);
  expect(await told()).toEqual(['5503', '5504']);
  for (const { data } of await eventsIn(context.store)) expect(data).toMatchObject({ history: true });

  expect(await planBackfill(ports, again, SHOP, since)).toMatchObject({ from: since, total: 3 });
});

test('a backfill goes on behind the last order that one search shows', async () => {
  const { world, ports, told, orders } = await aShop();
  await orders(40 * DAY, 30 * DAY, 20 * DAY, 10 * DAY, 5 * DAY);
  await control(world, 'PUT', '/settings', { shopifySearchRows: 2 });
  const since = new Date(Date.now() - 50 * DAY * MINUTE_MS);
  const ask = asking(ports.admin!, 'read');
  const plan = await planBackfill(ports, ask, SHOP, since);
  const progress = await backfill(ports, ask, SHOP, since, plan, () => {});
  expect(progress).toEqual({ total: 5, seen: 5, told: 5 });
  expect(await told()).toEqual(['5501', '5502', '5503', '5504', '5505']);
});

test('a shop that does not count its orders is brought in all the same', async () => {
  const { world, ports, told, orders } = await aShop();
  await orders(20 * DAY, 10 * DAY);
  const since = new Date(Date.now() - 35 * DAY * MINUTE_MS);
  const ask = asking(withoutOperations(clientOf(world.origin), COUNT_ORDERS), 'read');
  const plan = await planBackfill(ports, ask, SHOP, since);
  expect(plan.total).toBeNull();
  expect(await backfill(ports, ask, SHOP, since, plan, () => {})).toEqual({ total: 2, seen: 2, told: 2 });
  expect(await told()).toEqual(['5501', '5502']);
});

test('what a backfill cannot take in is seen and not brought in', async () => {
  const { world, context, ports, told, orders } = await aShop();
  await orders(5, 3);
  await givenShopOrder(world, anOrderBody({ id: 5503, updated_at: ago(4), ...NO_AMOUNT }));
  const since = new Date(Date.now() - DAY * MINUTE_MS);
  const ask = asking(ports.admin!, 'read');
  const plan = await planBackfill(ports, ask, SHOP, since);
  const progress = await backfill(ports, ask, SHOP, since, plan, () => {});
  expect(progress).toEqual({ total: 3, seen: 3, told: 2 });
  expect([await told(), (await lettersIn(context.store)).length]).toEqual([['5501', '5502'], 1]);
});

test('a backfill from the command line says how far it is and what it brought in', async () => {
  const { world, context, told, orders } = await aShop();
  await orders(5, 4, 3);
  const { stdout } = await promisify(execFile)(process.execPath, [BACKFILL, '--since', ago(60)], {
    env: {
      ...NODE_ENVIRONMENT,
      DB_CONNECTION_STRING: context.connectionString,
      NATS_URL: nats.url,
      SHOPIFY_SHOP_URL: SHOP,
      SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
      SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
      SHOPIFY_ADMIN_BASE_URL: world.origin,
    },
  });
  expect(stdout).toMatch(/^\[#{30}\] 100 % {2}3 of 3 orders, 3 brought in$/m);
  expect(stdout).toMatch(/^Done: 3 orders brought in\.$/m);
  expect(await told()).toEqual(['5501', '5502', '5503']);
});

test('what Shopify hides is said, unless the app may see all', async () => {
  const { world, ports } = await aShop();
  const ask = asking(ports.admin!, 'read');
  const since = new Date(Date.now() - 90 * DAY * MINUTE_MS);
  const { hiddenBefore } = await planBackfill(ports, ask, SHOP, since);
  expect(hiddenBefore?.getTime()).toBeGreaterThan(Date.now() - 61 * DAY * MINUTE_MS);
  await control(world, 'PUT', '/settings', { shopifyScopes: ['read_orders', 'read_all_orders'] });
  expect((await planBackfill(ports, ask, SHOP, since)).hiddenBefore).toBeNull();
});
