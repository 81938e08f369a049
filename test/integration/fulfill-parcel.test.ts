import { expect, onTestFinished, test, vi } from 'vitest';
import { FULFILL_PARCEL, type FulfillParcel } from '../../contracts/commands/fulfill-parcel.ts';
import { envelope } from '../../contracts/envelope.ts';
import { FulfillmentWithheld } from '../../contracts/events/fulfillment-outcome.ts';
import { RELEASE_REQUESTED } from '../../contracts/events/release-requested.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { startOrders } from '../../services/orders/service.ts';
import type { AdminClient } from '../../services/shopify/admin-client.ts';
import { fulfillParcel } from '../../services/shopify/fulfill-parcel.ts';
import { type Outcome, record } from '../../services/shopify/fulfillment-outcomes.ts';
import { underLease } from '../../services/shopify/order-lease.ts';
import { startShopify } from '../../services/shopify/service.ts';
import { WORK_AND_SHIPMENTS } from '../../services/shopify/shipment-operations.ts';
import type { ShopPorts } from '../../services/shopify/shop-ports.ts';
import { givenDeadlocks } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  accepted,
  aMessage,
  boughtFor,
  delivered,
  placing,
  received,
  SHOP,
  sourced,
} from '../fixtures/order-events.ts';
import { anEmptyNats, aServiceContext, type TestContext } from '../fixtures/service-context.ts';
import {
  eventsIn,
  givenOrderRows,
  givenParcelRow,
  ORDER_ID,
  PERSONAL,
  SUPPLIER_ORDER_ID,
} from '../fixtures/shipped-order.ts';
import { shopPorts } from '../fixtures/shop-ports.ts';
import { aLine, anOrderBody, fulfillmentOrdersOf, givenShopOrder, ship } from '../sandbox/shop-client.ts';
import { CREDENTIALS, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const DONE = { verdict: 'done' };
const LATER = { verdict: 'later', delayMs: 5_000 };
const LOCKED = { verdict: 'later', delayMs: 1_000 };
const CALL_TIMEOUT = { ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2' };

/** A shop with the order, and a parcel with two of its three lamps. */
async function aShop() {
  const world = await givenWorld();
  const gid = await givenShopOrder(world);
  const context = await aServiceContext(nats.url, CALL_TIMEOUT);
  await givenOrderRows(context.store);
  const parcelId = await givenParcelRow(context.store, { 101: 2 });
  return { world, gid, context, ports: shopPorts(context, world), parcelId };
}

const commandFor = (parcelId: string): FulfillParcel => ({
  orderId: ORDER_ID,
  supplierOrderId: SUPPLIER_ORDER_ID,
  parcelId,
});

const fulfil = (ports: ShopPorts, parcelId: string, commandId = 'command-1') =>
  fulfillParcel(ports, commandFor(parcelId), commandId);

/** As the bus would do it, without its pause: again until it is done. */
async function fulfilUntilDone(ports: ShopPorts, parcelId: string, commandId?: string): Promise<void> {
  await expect.poll(() => fulfil(ports, parcelId, commandId), { interval: 20 }).toEqual(DONE);
}

const rowOf = async ({ store }: Pick<TestContext, 'store'>, parcelId: string) =>
  (
    await store.query(
      `select fulfillment_state as state, fulfillment_doubt as doubt, shop_fulfillment_id as "fulfillmentId"
         from parcels where id = $1`,
      [parcelId],
    )
  )[0];

/** Lets the time pass that the shop is given to finish what it may be at. */
const sixSecondsPass = ({ store }: Pick<TestContext, 'store'>) =>
  store.run("update parcels set updated_at = updated_at - interval '6 seconds'");

const leasesIn = ({ store }: Pick<TestContext, 'store'>) => store.query('select * from shop_leases');

const shown = async (world: Sandbox) =>
  (await ledgerOf(world)).fulfillments
    .map(({ trackingNumbers, lines }) => ({
      number: trackingNumbers.join(),
      units: lines.map(({ lineItemId, quantity }) => `${quantity} of ${lineItemId.replace(/.*\//, '')}`),
    }))
    .sort((a, b) => a.number.localeCompare(b.number));
const ONE_FULFILMENT = [{ number: 'YT2600001', units: ['2 of 101'] }];

const creationsIn = async (world: Sandbox) => (await ledgerOf(world)).calls['shopify.fulfillmentCreate'] ?? 0;

test('a parcel is shown once with its number, and its row and event say so', async () => {
  const { world, context, ports, parcelId } = await aShop();
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
  const { fulfillmentId } = (await ledgerOf(world)).fulfillments[0]!;
  expect(await rowOf(context, parcelId)).toEqual({ state: 'done', doubt: null, fulfillmentId });
  expect(await eventsIn(context.store)).toMatchObject([
    {
      type: 'fulfillment.synced',
      id: expect.stringContaining(`${parcelId}:synced:gid`),
      data: { ...commandFor(parcelId), shopFulfillmentId: fulfillmentId, how: 'created' },
    },
  ]);
  expect(await leasesIn(context)).toEqual([]);

  const { calls } = await ledgerOf(world);
  expect(await fulfil(ports, parcelId, 'command-2')).toEqual(DONE);
  expect((await ledgerOf(world)).calls).toEqual(calls);
});

test('ten commands at once, in two copies, make one fulfilment', async () => {
  const { world, context, ports, parcelId } = await aShop();
  const other = shopPorts(await aServiceContext(nats.url, CALL_TIMEOUT, context.connectionString), world);
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      fulfilUntilDone(index % 2 === 0 ? ports : other, parcelId, `command-${index}`),
    ),
  );
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
  expect(await creationsIn(world)).toBe(1);
  expect(await eventsIn(context.store)).toMatchObject([
    { id: expect.stringContaining(`${parcelId}:synced`) },
  ]);
});

test('two parcels of one order at once are both shown, each with its own units', async () => {
  const { world, context, ports, parcelId } = await aShop();
  const second = await givenParcelRow(context.store, { 101: 1, 102: 1 }, 'YT2600002');
  const other = shopPorts(await aServiceContext(nats.url, CALL_TIMEOUT, context.connectionString), world);
  await Promise.all([fulfilUntilDone(ports, parcelId), fulfilUntilDone(other, second)]);
  expect(await shown(world)).toEqual([
    ...ONE_FULFILMENT,
    { number: 'YT2600002', units: ['1 of 101', '1 of 102'] },
  ]);
  expect(await eventsIn(context.store)).toHaveLength(2);
});

test.each(['error_after', 'no_answer_after'])(
  'a creation that took effect and ended without a yes (%s) is in doubt, left alone, and adopted',
  async (kind) => {
    const { world, context, ports, parcelId } = await aShop();
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind, times: 1 });
    expect(await fulfil(ports, parcelId)).toEqual(LATER);
    expect(await rowOf(context, parcelId)).toMatchObject({ state: 'unknown', doubt: { 101: 3, 102: 1 } });
    expect(await eventsIn(context.store)).toEqual([]);

    const { calls } = await ledgerOf(world);
    expect(await fulfil(ports, parcelId)).toEqual(LATER);
    expect((await ledgerOf(world)).calls).toEqual(calls);

    await sixSecondsPass(context);
    expect(await fulfil(ports, parcelId)).toEqual(DONE);
    expect(await rowOf(context, parcelId)).toMatchObject({ state: 'done', doubt: null });
    expect(await eventsIn(context.store)).toMatchObject([{ data: { how: 'adopted' } }]);
    expect(await shown(world)).toEqual(ONE_FULFILMENT);
    expect(await creationsIn(world)).toBe(1);
  },
);

test('a creation that never arrived is sent again after the wait', async () => {
  const { world, context, ports, parcelId } = await aShop();
  await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'no_answer_before', times: 1 });
  expect(await fulfil(ports, parcelId)).toEqual(LATER);
  await sixSecondsPass(context);
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await eventsIn(context.store)).toMatchObject([{ data: { how: 'created' } }]);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
});

test.each(['no_answer_before', 'no_answer_after'])(
  'a parcel in doubt (%s) is shown once though another one of its order took units of the same line meanwhile',
  async (kind) => {
    const { world, context, ports, parcelId } = await aShop();
    const second = await givenParcelRow(context.store, { 101: 1 }, 'YT2600002');
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind, times: 1 });
    expect(await fulfil(ports, parcelId)).toEqual(LATER);
    expect(await fulfil(ports, second)).toEqual(DONE);
    await sixSecondsPass(context);
    expect(await fulfil(ports, parcelId)).toEqual(DONE);
    expect(await rowOf(context, parcelId)).toMatchObject({ state: 'done', doubt: null });
    expect(await shown(world)).toEqual([...ONE_FULFILMENT, { number: 'YT2600002', units: ['1 of 101'] }]);
  },
);

test('a parcel that is written down as shown twice takes its units from the doubt of another one once', async () => {
  const { context, ports, parcelId } = await aShop();
  const second = await givenParcelRow(context.store, { 101: 1 }, 'YT2600002');
  await context.store.run(`update parcels set fulfillment_doubt = '{"101": 2}' where id = $1`, [parcelId]);
  const outcome: Outcome = { id: second, state: 'done', units: { 101: 1 } };
  await record(ports, outcome);
  await record(ports, outcome);
  expect(await rowOf(context, parcelId)).toMatchObject({ doubt: { 101: 1 } });
});

test('who waited for the database while another copy fell into doubt takes its doubt over', async () => {
  const { world, context, ports, parcelId } = await aShop();
  const holder = await aServiceContext(nats.url, {}, context.connectionString);
  const late = Promise.withResolvers<{ verdict: string }>();
  await holder.store.transaction(async (sql) => {
    await sql.run("insert into shop_leases values ($1, 'other copy', now())", [ORDER_ID]);
    fulfil(ports, parcelId).then(late.resolve, late.reject);
    await expect
      .poll(() => context.store.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
      .not.toEqual([]);
    await sql.run(
      `update parcels set fulfillment_state = 'unknown', fulfillment_doubt = '{"101": 3}', updated_at = now()`,
    );
    await sql.run('delete from shop_leases');
  });
  expect(await late.promise).toEqual(LATER);
  expect(await creationsIn(world)).toBe(0);
  expect(await leasesIn(context)).toEqual([]);
});

const KILLED = `update parcels set fulfillment_state = 'sending', updated_at = now()`;

test.each(['created', 'adopted'])(
  'a process that died while sending is followed after five seconds, and the parcel is %s',
  async (how) => {
    const { world, context, ports, parcelId } = await aShop();
    if (how === 'adopted') {
      expect(await fulfil(ports, parcelId)).toEqual(DONE);
      await context.store.run('delete from outbox');
    }
    const creations = await creationsIn(world);
    await context.store.run(KILLED);
    const diedAt = performance.now();
    expect(await fulfil(ports, parcelId)).toEqual(LATER);
    expect(await creationsIn(world)).toBe(creations);
    await fulfilUntilDone(ports, parcelId);
    expect(performance.now() - diedAt).toBeGreaterThan(4_900);
    expect(await eventsIn(context.store)).toMatchObject([{ data: { how } }]);
    expect(await shown(world)).toEqual(ONE_FULFILMENT);
    expect(await creationsIn(world)).toBe(1);
  },
);

test('the lease of a dead copy runs out, and not before', async () => {
  const { world, context, ports, parcelId } = await aShop();
  await context.store.run(
    `insert into shop_leases values ($1, 'dead copy', now() + interval '800 milliseconds')`,
    [ORDER_ID],
  );
  expect(await fulfil(ports, parcelId)).toEqual(LOCKED);
  expect(await leasesIn(context)).toMatchObject([{ owner: 'dead copy' }]);
  expect(await creationsIn(world)).toBe(0);
  await fulfilUntilDone(ports, parcelId);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
  expect(await leasesIn(context)).toEqual([]);
});

/** A copy that is stopped with the shop's answer in hand, before it writes. */
function standingStill({ admin, ...ports }: ShopPorts) {
  if (admin === undefined) throw new Error('it has no login for the shop');
  const hasRead = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  const request: AdminClient['request'] = async (operation, ...rest) => {
    const answer = await admin.request(operation, ...rest);
    if (operation === WORK_AND_SHIPMENTS) {
      hasRead.resolve();
      await thawed.promise;
    }
    return answer;
  };
  return { late: { ...ports, admin: { ...admin, request } }, hasRead: hasRead.promise, thaw: thawed.resolve };
}

test('a copy that stood still between reading and writing until its lease was over writes nothing any more', async () => {
  const { world, context, ports } = await aShop();
  const parcelId = await givenParcelRow(context.store, { 101: 1 }, 'YT2600002');
  const other = shopPorts(await aServiceContext(nats.url, CALL_TIMEOUT, context.connectionString), world);
  const { late, hasRead, thaw } = standingStill(ports);
  const sleeping = fulfil(late, parcelId);
  await hasRead;
  await context.store.run("update shop_leases set until = now() - interval '1 second'");
  await sixSecondsPass(context);
  expect(await fulfil(other, parcelId, 'command-2')).toEqual(DONE);
  // As after a thaw: the clock has gone on, and no timer has fired yet.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  onTestFinished(() => void vi.useRealTimers());
  thaw();
  await sleeping;
  expect(await shown(world)).toEqual([{ number: 'YT2600002', units: ['1 of 101'] }]);
  expect(await creationsIn(world)).toBe(1);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'done' });
});

test('a lease that the database could not take back at once is taken back a moment later', async () => {
  const { world, context, ports, parcelId } = await aShop();
  await givenDeadlocks(context.store, 'delete on shop_leases');
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  await expect.poll(() => leasesIn(context)).toEqual([]);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
});

test('leases are given back in the order in which they are taken, so that no two copies wait for each other', async () => {
  const { context, ports } = await aShop();
  const other = await aServiceContext(nats.url, {}, context.connectionString);
  const isOver = Promise.withResolvers<void>();
  const works: Promise<unknown>[] = [];
  for (const key of ['b', 'a']) {
    works.push(underLease(ports, key, () => isOver.promise));
    await expect.poll(() => leasesIn(context)).toHaveLength(works.length);
  }
  await other.store.transaction(async (sql) => {
    await sql.query("select 1 from shop_leases where order_id = 'a' for update");
    isOver.resolve();
    await expect
      .poll(() => context.store.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
      .not.toEqual([]);
    const free = "select order_id from shop_leases where order_id = 'b' for update nowait";
    expect(await sql.query(free)).toHaveLength(1);
  });
  await Promise.all(works);
  expect(await leasesIn(context)).toEqual([]);
});

test('without a login nothing is tried, a person is told, and a later login shows the parcel', async () => {
  const { world, context, ports, parcelId } = await aShop();
  expect(await fulfil({ ...ports, admin: undefined }, parcelId)).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
  expect(await eventsIn(context.store)).toMatchObject([
    {
      type: 'fulfillment.withheld',
      id: `${parcelId}:withheld:command-1`,
      data: {
        ...commandFor(parcelId),
        reason: 'credentials_expired',
        evidence: { refusedBy: 'shop' },
      },
    },
  ]);
  expect(await fulfil(ports, parcelId, 'command-2')).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'done' });
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
});

test('a login that the shop refuses withholds the parcel', async () => {
  const { world, context, parcelId } = await aShop();
  const stranger = shopPorts(context, world, { accessToken: 'revoked' });
  expect(await fulfil(stranger, parcelId)).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
  expect(await eventsIn(context.store)).toMatchObject([
    { data: { reason: 'credentials_expired', evidence: { refusedBy: 'shop', failureClass: 'auth' } } },
  ]);
  expect(await leasesIn(context)).toEqual([]);
});

test('a shop that cannot be read leaves the parcel open for the next command and raises nothing', async () => {
  const { world, context, ports, parcelId } = await aShop();
  await givenFaults(world, { operation: 'shopify.order', kind: 'error_before', times: 3 });
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: null });
  expect(await eventsIn(context.store)).toEqual([]);
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
});

test('a withheld parcel that is asked for again while the shop is away stays withheld', async () => {
  const { world, context, ports, parcelId } = await aShop();
  expect(await fulfil({ ...ports, admin: undefined }, parcelId)).toEqual(DONE);
  await givenFaults(world, { operation: 'shopify.order', kind: 'error_before', times: 3 });
  expect(await fulfil(ports, parcelId, 'command-2')).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
});

test('row and event commit together: without the event the parcel is not done', async () => {
  const { world, context, ports, parcelId } = await aShop();
  const { store } = context;
  await store.run('alter table outbox add constraint closed check (false) not valid');
  await expect(fulfil(ports, parcelId)).rejects.toMatchObject({ code: '23514' });
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'sending', fulfillmentId: null });

  await store.run('alter table outbox drop constraint closed');
  await sixSecondsPass(context);
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await eventsIn(store)).toMatchObject([
    { id: expect.stringContaining(`${parcelId}:synced`), data: { how: 'adopted' } },
  ]);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
});

test('commands over the bus, repeated and from two copies of the service, make one fulfilment', async () => {
  const { world, context, parcelId } = await aShop();
  const environment = { ...CALL_TIMEOUT, ...loginOf(world) };
  for (let copy = 1; copy <= 2; copy += 1) {
    const stop = await startShopify(await aServiceContext(nats.url, environment, context.connectionString));
    onTestFinished(stop);
  }
  await context.bus.publish(
    Array.from({ length: 10 }, (_, index) => {
      const messageId = `command-${index}`;
      const data = commandFor(parcelId);
      const message = envelope({
        id: messageId,
        source: '/test',
        type: 'shopify.fulfill',
        subject: ORDER_ID,
        time: '2026-11-22T10:00:00Z',
        data,
      });
      return {
        messageId,
        subject: commandSubject('shopify', FULFILL_PARCEL, parcelId),
        payload: JSON.stringify(message),
      };
    }),
  );
  await expect.poll(async () => (await context.bus.streamState('CMD')).messages).toBe(0);
  expect(await shown(world)).toEqual(ONE_FULFILMENT);
  expect(await creationsIn(world)).toBe(1);
});

const loginOf = ({ origin }: Sandbox) => ({
  SHOPIFY_SHOP_URL: CREDENTIALS.shop,
  SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
  SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
  SHOPIFY_ADMIN_BASE_URL: origin,
});

const STORY_ORDER = '5500000000077';
const STORY_ID = orderIdOf(SHOP, STORY_ORDER);
const shopBody = (line: object) =>
  anOrderBody({ id: Number(STORY_ORDER), line_items: [aLine({ id: 1, quantity: 2, ...line })] });

/** Order service and shopify service at work on an order whose parcel has just been delivered. */
async function givenStory(line: object, environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld();
  await givenShopOrder(world, shopBody(line));
  const context = await aServiceContext(nats.url, {
    ...CALL_TIMEOUT,
    ...loginOf(world),
    ORDER_MANAGER_GRACE_SECONDS: '0',
    ORDER_MANAGER_RETRY_SECONDS: '0.5',
    ...environment,
  });
  onTestFinished(await startOrders(context));
  const stopShopify = await startShopify(context);
  onTestFinished(stopShopify);
  const say = (event: Parameters<typeof aMessage>[0], id: string) =>
    context.bus.publish([aMessage(event, id)]);
  const reaches = (table: 'orders' | 'supplier_orders', id: string, state: string) =>
    expect
      .poll(() => context.store.query(`select state from ${table} where id = $1`, [id]))
      .toEqual([{ state }]);

  await say(received(STORY_ORDER), 'received');
  await reaches('orders', STORY_ID, 'sourcing');
  await say(sourced(STORY_ID), 'sourced');
  await reaches('supplier_orders', boughtFor(STORY_ID), 'draft');
  await say(placing(STORY_ID), 'placing');
  await say(accepted(STORY_ID), 'accepted');
  await say(delivered(STORY_ID), 'delivered');
  const parcelBecomes = (state: string) =>
    expect
      .poll(() => context.store.query('select fulfillment_state as state from parcels'))
      .toEqual([{ state }]);
  const isKnownAsShown = () =>
    expect
      .poll(
        () =>
          context.store.query(
            `select value ->> 'isFulfilled' as shown from supplier_orders, json_each(context -> 'parcels')`,
          ),
        { timeout: 60_000 },
      )
      .toEqual([{ shown: 'true' }]);
  return { world, context, say, stopShopify, parcelBecomes, isKnownAsShown };
}

test('what the shop has not routed yet is asked for again by the timer until it is shown', async () => {
  const { world, context, parcelBecomes, isKnownAsShown } = await givenStory({
    requires_shipping: false,
    gift_card: true,
  });
  await expect.poll(async () => (await ledgerOf(world)).calls['shopify.order'] ?? 0).toBeGreaterThan(4);
  expect(await shown(world)).toEqual([]);
  expect(await context.store.query('select reason from holds')).toEqual([]);

  await world.stop();
  const routed = await givenWorld({ port: Number(new URL(world.origin).port) });
  // Kept connections of the old world die at first use.
  await eventually(() => givenShopOrder(routed, shopBody({ fulfillable_quantity: 2 })));
  await parcelBecomes('done');
  await isKnownAsShown();
  expect(await shown(routed)).toEqual([{ number: `TRACK-${STORY_ID}`, units: ['2 of 1'] }]);
  expect(await context.store.query(`select 1 from timers where deadline = 'fulfill'`)).toEqual([]);
});

test('a withheld parcel waits for its release and is then shown', async () => {
  const { world, context, say, stopShopify, parcelBecomes, isKnownAsShown } = await givenStory(
    { fulfillable_quantity: 2 },
    { SHOPIFY_ACCESS_TOKEN: 'revoked' },
  );
  await expect
    .poll(() => context.store.query('select reason, released_at as at from holds'))
    .toEqual([{ reason: 'credentials_expired', at: null }]);
  await parcelBecomes('withheld');
  expect(await context.store.query(`select 1 from timers where deadline = 'fulfill'`)).toEqual([]);

  await stopShopify();
  const settings = { ...context.settings, SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken };
  onTestFinished(await startShopify({ ...context, settings }));
  expect(await creationsIn(world)).toBe(0);
  const release = { orderId: STORY_ID, reason: 'credentials_expired' as const };
  await say({ type: RELEASE_REQUESTED, data: release }, 'released');
  await parcelBecomes('done');
  await isKnownAsShown();
  expect(await shown(world)).toEqual([{ number: `TRACK-${STORY_ID}`, units: ['2 of 1'] }]);
});

test('of a parcel of which somebody else has shipped a part in the shop it is told how many units are not shown', async () => {
  const { world, gid, context, ports, parcelId } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const line = mine!.lineItems.nodes.find(({ lineItem }) => lineItem.id.endsWith('/101'))!;
  await ship(world, [{ fulfillmentOrderId: mine!.id, lines: [{ id: line.id, quantity: 2 }] }], 'STAFF-1');
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await eventsIn(context.store)).toMatchObject([{ data: { how: 'created', missingUnits: 1 } }]);
});

test('a parcel that somebody else has shipped in the shop is let be once a person releases it, and asked about no more', async () => {
  const { world, gid, context, ports, parcelId } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  await ship(world, [{ fulfillmentOrderId: mine!.id }], 'STAFF-1');
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
  const [told] = await eventsIn(context.store);
  const { reason, evidence } = FulfillmentWithheld.parse(told?.data);
  expect(evidence).toMatchObject({ trackingNumber: 'YT2600001', remainingUnits: 0 });

  expect(await fulfil(ports, parcelId, 'command-2')).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
  await context.store.run(
    `insert into holds (id, order_id, supplier_order_id, reason, evidence, opened_at, released_at)
     values ('hld_1', $1, $2, $3, $4::json, now(), now())`,
    [ORDER_ID, SUPPLIER_ORDER_ID, reason, JSON.stringify(evidence)],
  );
  expect(await fulfil(ports, parcelId, 'command-3')).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'done', fulfillmentId: null });
  expect((await eventsIn(context.store)).map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ how: 'let_be', shopFulfillmentId: null }),
  );
  expect((await shown(world)).map(({ number }) => number)).toEqual(['STAFF-1']);
});

test.each([
  ['of an order that the shop has deleted is let be once a person releases it', true, 'done'],
  ['of an order that the shop does not show, though it lives, is asked for again', false, 'withheld'],
] as const)('a parcel %s', async (_, isDeleted, state) => {
  const { context, ports, parcelId } = await aShop();
  await context.store.run(
    `update orders set shop_order_id = '404',
            context = jsonb_set(context::jsonb, '{cancelledInShop}', $1::jsonb)::json`,
    [String(isDeleted)],
  );
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state: 'withheld' });
  const [told] = await eventsIn(context.store);
  const { reason, evidence } = FulfillmentWithheld.parse(told?.data);
  await context.store.run(
    `insert into holds (id, order_id, supplier_order_id, reason, evidence, opened_at, released_at)
     values ('hld_1', $1, $2, $3, $4::json, now(), now())`,
    [ORDER_ID, SUPPLIER_ORDER_ID, reason, JSON.stringify(evidence)],
  );
  expect(await fulfil(ports, parcelId, 'command-2')).toEqual(DONE);
  expect(await rowOf(context, parcelId)).toMatchObject({ state, fulfillmentId: null });
});

test('nothing personal leaves in an event or a log line', async () => {
  const { world, context, ports, parcelId } = await aShop();
  await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'error_after', times: 1 });
  await fulfil(ports, parcelId);
  await fulfil({ ...ports, admin: undefined }, parcelId);
  await sixSecondsPass(context);
  await fulfil(ports, parcelId);
  const said = await context.store.query('select payload from outbox');
  expect(said).toHaveLength(2);
  expect(context.lines).not.toEqual([]);
  expect(JSON.stringify([said, context.lines])).not.toMatch(PERSONAL);
});

test('units of one line that two purchases send under one number are both shown, also after a lost answer', async () => {
  const { world, context, ports, parcelId } = await aShop();
  const other = await givenParcelRow(context.store, { 101: 1 }, 'yt 2600001', 'sup_ord_other');
  expect(await fulfil(ports, parcelId)).toEqual(DONE);
  await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'error_after', times: 1 });
  const show = () =>
    fulfillParcel(ports, { ...commandFor(other), supplierOrderId: 'sup_ord_other' }, 'command-2');
  expect(await show()).toEqual(LATER);
  await sixSecondsPass(context);
  expect(await show()).toEqual(DONE);
  const [first, second] = (await shown(world)).map(({ units }) => units);
  expect([first, second].flat().sort()).toEqual(['1 of 101', '2 of 101']);
  expect(await creationsIn(world)).toBe(2);
});
