import { expect, onTestFinished, test, vi } from 'vitest';
import { ORDER_VERIFIED, OrderVerified } from '../../contracts/events/order-verified.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { SCOPES } from '../../deploy/sandbox/shopify/access-scopes.ts';
import { verifyOrder } from '../../services/shopify/verify-order.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { eventsIn, PERSONAL, SHOP_ORDER_ID } from '../fixtures/shipped-order.ts';
import { shopPorts } from '../fixtures/shop-ports.ts';
import { aLine, anOrderBody, fulfillmentOrdersOf, givenShopOrder } from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const DONE = { verdict: 'done' };
const SHOP = CREDENTIALS.shop;
const ORDER_ID = orderIdOf(SHOP, SHOP_ORDER_ID);

/** An order that we know and, unless told otherwise, the shop as well. */
async function anOrder(
  known: { readonly shop?: string; readonly isHidden?: boolean; readonly body?: object } = {},
) {
  const world = await givenWorld();
  const gid = known.isHidden ? '' : await givenShopOrder(world, anOrderBody(known.body));
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: SHOP });
  await context.store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, created_at, state, context)
     values ($1, $2, $3, '#1042', 'USD', 6150, '2026-11-20T10:00:00Z', '2026-11-20T10:00:09Z', 'grace', '{}')`,
    [ORDER_ID, known.shop ?? SHOP, SHOP_ORDER_ID],
  );
  const ports = shopPorts(context, world);
  const verify = (id = 'command-1', by = ports) => verifyOrder(by, { orderId: ORDER_ID }, id);
  const change = (body: object) => control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, body);
  const verdict = async () =>
    (await eventsIn(context.store)).find(({ type }) => type === ORDER_VERIFIED)?.data;
  return { world, gid, context, ports, verify, change, verdict };
}

test('the truth is told with its risk, and nothing of it names a person', async () => {
  const { context, verify, change } = await anOrder();
  await change({ riskLevel: 'MEDIUM', quantities: { 101: 1 } });
  expect(await verify()).toEqual(DONE);
  const events = await eventsIn(context.store);
  expect(events).toMatchObject([
    {
      type: 'order.risk_assessed',
      id: 'risk:command-1',
      data: { level: 'medium', evidence: { recommendation: 'INVESTIGATE', assessments: 'MEDIUM' } },
    },
    {
      type: 'order.verified',
      id: 'verified:command-1',
      data: {
        orderId: ORDER_ID,
        holds: [],
        body: { reread: true, canBeReread: true, lines: [{ units: 1, openUnits: 1 }, {}, {}, {}, {}] },
      },
    },
  ]);
  expect(JSON.stringify(events)).not.toMatch(PERSONAL);
  expect(JSON.stringify(events)).not.toMatch(/Pat|buyer\.example|Columbus/);
});

test.each([
  ['cancelled', { cancelled: true }, { cancelled: true }],
  ['no longer paid', { financialStatus: 'PENDING' }, { payment: 'pending' }],
  ['refunded', { financialStatus: 'REFUNDED' }, { payment: 'refunded' }],
])('an order that was %s meanwhile is told so', async (_name, deed, expected) => {
  const { verify, change, verdict } = await anOrder();
  await change(deed);
  await verify();
  expect(await verdict()).toMatchObject({ body: expected });
});

test.each([
  ['HIGH_RISK_OF_FRAUD', 'fraud_review'],
  ['INCORRECT_ADDRESS', 'address_invalid'],
  ['OTHER', 'operator'],
])('a hold of others in the shop, %s, is a hold here: %s', async (theirs, reason) => {
  const { world, gid, verify, verdict } = await anOrder();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  await control(world, 'PUT', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`, [
    { reason: theirs, handle: 'their-app' },
  ]);
  await verify();
  expect(await verdict()).toMatchObject({
    holds: [{ reason, evidence: { fulfillmentOrder: mine!.id, heldInShop: theirs } }],
  });
});

test.each([
  ['without a login', {}, true],
  ['of another shop', { shop: 'other.myshopify.com' }, false],
])('an order %s goes on by what is known', async (_name, known, isWithoutLogin) => {
  const { ports, verify, verdict } = await anOrder(known);
  expect(await verify('command-1', isWithoutLogin ? { ...ports, admin: undefined } : ports)).toEqual(DONE);
  expect(await verdict()).toEqual({ orderId: ORDER_ID, body: null, holds: [] });
});

test('an order that the shop does not show, and a login that it refuses, are for a person', async () => {
  const hidden = await anOrder({ isHidden: true });
  await hidden.verify();
  expect(await hidden.verdict()).toMatchObject({ body: null, holds: [{ reason: 'operator' }] });

  const { world, context, verify, verdict } = await anOrder();
  await verify('command-1', shopPorts(context, world, { accessToken: 'revoked' }));
  expect(await verdict()).toMatchObject({
    holds: [{ reason: 'credentials_expired', evidence: { refusedBy: 'shop', failureClass: 'auth' } }],
  });
});

test('an order that the shop does not show any more goes on by a person’s word, and is not held again for the same', async () => {
  const { context, verify } = await anOrder({ isHidden: true });
  const { store } = context;
  const holdsTold = async () =>
    (await eventsIn(store)).flatMap(({ type, data }) =>
      type === ORDER_VERIFIED ? [OrderVerified.parse(data).holds] : [],
    );
  await verify('command-1');
  await store.run(
    `insert into holds (id, order_id, reason, evidence)
     select 'h1', $1, 'operator', payload::json #> '{data,holds,0,evidence}' from outbox`,
    [ORDER_ID],
  );
  await verify('command-2');
  await store.run('update holds set released_at = now()');
  await verify('command-3');
  const held = [expect.objectContaining({ reason: 'operator' })];
  expect(await holdsTold()).toEqual([held, held, []]);
});

test('an order whose amounts its currency cannot hold is for a person, not asked about for ever', async () => {
  const { verify, verdict } = await anOrder({ body: { total_price_set: undefined, total_price: '1.234' } });
  expect(await verify()).toEqual(DONE);
  expect(await verdict()).toMatchObject({
    holds: [
      { reason: 'operator', evidence: { order: 'the order has an amount that its currency cannot hold' } },
    ],
  });
});

const NO_WORK_SEEN = { shopifyScopes: ['read_orders'] };

test('an order that is not routed yet is asked about again, and goes on once it is', async () => {
  const justNow = new Date().toISOString();
  const { world, context, verify, verdict } = await anOrder({ body: { processed_at: justNow } });
  await control(world, 'PUT', '/settings', NO_WORK_SEEN);
  expect(await verify()).toEqual(DONE);
  expect(await eventsIn(context.store)).toEqual([]);
  await control(world, 'PUT', '/settings', { shopifyScopes: SCOPES });
  expect(await verify('command-2')).toEqual(DONE);
  expect(await verdict()).toMatchObject({ holds: [] });
});

test('an order that was imported just now, with a day of the past, may still be routed: it is asked about again', async () => {
  const { world, context, verify, verdict } = await anOrder();
  await context.store.run('update orders set created_at = now()');
  await control(world, 'PUT', '/settings', NO_WORK_SEEN);
  expect(await verify()).toEqual(DONE);
  expect(await verdict()).toBeUndefined();
});

test('an order of which no fulfilment order is seen after minutes is for a person', async () => {
  const { world, verify, verdict } = await anOrder();
  await control(world, 'PUT', '/settings', NO_WORK_SEEN);
  expect(await verify()).toEqual(DONE);
  const cause = 'no fulfilment order seen: not routed, or a scope is missing';
  expect(await verdict()).toMatchObject({
    body: { isRoutingHidden: true },
    holds: [{ reason: 'fulfillment_not_ours', evidence: { cause } }],
  });
});

test.each([
  ['cancelled', { cancelled_at: '2026-11-21T10:00:00-05:00' }],
  ['made of nothing to ship', { line_items: [aLine({ id: 1, requires_shipping: false })] }],
  ['shipped already', { line_items: [aLine({ id: 1, fulfillable_quantity: 0 })] }],
])('an order that is %s needs no fulfilment order', async (_name, body) => {
  const { world, verify, verdict } = await anOrder({ body });
  await control(world, 'PUT', '/settings', NO_WORK_SEEN);
  expect(await verify()).toEqual(DONE);
  expect(await verdict()).toMatchObject({ body: {}, holds: [] });
});

test('an order placed just now that the shop does not show yet is asked for again, not held for a person', async () => {
  const { context, verify, verdict } = await anOrder({ isHidden: true });
  await context.store.run('update orders set placed_at = now()');
  expect(await verify()).toEqual(DONE);
  expect(await verdict()).toBeUndefined();
  await context.store.run("update orders set placed_at = now() - interval '11 minutes'");
  expect(await verify('command-2')).toEqual(DONE);
  expect(await verdict()).toMatchObject({ body: null, holds: [{ reason: 'operator' }] });
});

test('on a machine whose clock is hours ahead an order placed just now is waited for all the same', async () => {
  const { context, verify, verdict } = await anOrder({ isHidden: true });
  await context.store.run('update orders set placed_at = now()');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 26 * 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await verify()).toEqual(DONE);
  expect(await verdict()).toBeUndefined();
});

test('a shop that is away says nothing: the command comes again', async () => {
  const { world, context, verify } = await anOrder();
  await givenFaults(world, { operation: 'shopify.order', kind: 'no_answer_before' });
  await expect(verify()).rejects.toMatchObject({ retryable: true });
  expect(await eventsIn(context.store)).toEqual([]);
});
