import { expect, test } from 'vitest';
import { z } from 'zod';
import type { RereadOrder } from '../../contracts/commands/reread-order.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { SCOPES } from '../../deploy/sandbox/shopify/access-scopes.ts';
import { toOrderFacts } from '../../services/order-facts.ts';
import { rereadOrder } from '../../services/shopify/reread-order.ts';
import { PLACE_HOLD } from '../../services/shopify/work-operations.ts';
import { saveCustomers } from '../../services/store/customers.ts';
import { eraseOrders } from '../../services/store/erase-orders.ts';
import { anEmptyNats, aServiceContext, type TestContext } from '../fixtures/service-context.ts';
import { eventsIn, givenOrderRows, SHOP_ORDER_ID } from '../fixtures/shipped-order.ts';
import { shopPorts } from '../fixtures/shop-ports.ts';
import {
  aLine,
  anOrderBody,
  ask,
  fulfillmentOrdersOf,
  givenShopOrder,
  ship,
} from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const DONE = { verdict: 'done' };
const SHOP = CREDENTIALS.shop;
const ORDER_ID = orderIdOf(SHOP, SHOP_ORDER_ID);
const COMMAND: RereadOrder = { shop: SHOP, shopOrderId: SHOP_ORDER_ID };

async function aShop(body: object = anOrderBody()) {
  const world = await givenWorld();
  const gid = await givenShopOrder(world, body);
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: SHOP });
  return { world, gid, context, ports: shopPorts(context, world) };
}

const customersIn = ({ store }: TestContext) =>
  store.query('select email, shipping_address as address from customer_details');

const givenOrder = ({ store }: TestContext, known: object) =>
  store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, $2, $3, '#1042', 'EUR', 1, '2026-11-20T10:00:00Z', 'purchasing', $4::json)
     on conflict (id) do update set context = excluded.context`,
    [ORDER_ID, SHOP, SHOP_ORDER_ID, JSON.stringify(known)],
  );

test('an order that is read says what its own webhook would say', async () => {
  const body = anOrderBody();
  const { context, ports } = await aShop(body);
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  const { received, customer } = toOrderFacts(ShopifyOrderBody.parse(body), SHOP);
  // A reading tells instants in UTC only.
  const placedAt = expect.stringMatching(/^[-\d]{10}T[:.\d]+Z$/);
  expect(await eventsIn(context.store)).toMatchObject([
    { type: 'order.updated', id: 'reread:hint-1', data: { ...received, placedAt, reread: true } },
  ]);
  expect(await customersIn(context)).toEqual([{ email: customer.email, address: customer.shipping_address }]);
  expect(received.lines.map(({ deliveredBy }) => deliveredBy)).toContain('other_service');
});

test('of two readings at once the one whose answer is late does not take the place of the other', async () => {
  const { world, context, ports } = await aShop();
  const { admin } = ports;
  const isRead = Promise.withResolvers<void>();
  let readings = 0;
  const slowAtFirst: typeof admin = admin && {
    ...admin,
    request: async (...asked) => {
      readings += 1;
      const isFirst = readings === 1;
      const answer = await admin.request(...asked);
      isRead.resolve();
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 300));
      return answer;
    },
  };
  const by = { ...ports, admin: slowAtFirst };
  const first = rereadOrder(by, COMMAND, 'hint-1');
  await isRead.promise;
  await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { quantities: { 101: 1 } });
  await Promise.all([first, rereadOrder(by, COMMAND, 'hint-2')]);
  const rows = await context.store.query<{ payload: string }>('select payload from outbox order by id');
  const units = rows.map(({ payload }) => JSON.parse(payload).data.lines[0].units);
  expect(units).toEqual([3, 1]);
});

test('a risk that changed is told with the reading; what is known, or no opinion any more, is no news', async () => {
  const { world, context, ports } = await aShop();
  const { store } = context;
  const risksAfter = async (hint: string, known: object, riskLevel: string) => {
    await givenOrder(context, known);
    await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel });
    await rereadOrder(ports, COMMAND, hint);
    const events = await eventsIn(store);
    return events.filter(({ id }) => id === `reread:${hint}:risk`).map(({ data }) => data);
  };
  expect(await risksAfter('hint-1', { risk: 'low' }, 'HIGH')).toMatchObject([{ level: 'high' }]);
  expect(await risksAfter('hint-2', { risk: 'high' }, 'HIGH')).toEqual([]);
  expect(await risksAfter('hint-3', { risk: 'high' }, 'PENDING')).toEqual([]);
  expect(await risksAfter('hint-4', { risk: 'high' }, 'LOW')).toMatchObject([{ level: 'low' }]);
  // Before the order asks for it nothing waits for it.
  expect(await risksAfter('hint-5', {}, 'HIGH')).toEqual([]);
});

test.each([
  ['LOW', 'low', true],
  ['HIGH', 'high', false],
])(
  'a hold of the shop for fraud that is over does not take along the hold for a risk that is told as %s with it',
  async (riskLevel, level, isReleased) => {
    const { world, context, ports } = await aShop();
    await givenOrder(context, { risk: 'unknown' });
    await context.store.run(
      `insert into holds (id, order_id, reason, evidence)
       values ('h1', $1, 'fraud_review', '{"heldInShop":"HIGH_RISK_OF_FRAUD"}')`,
      [ORDER_ID],
    );
    await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel });
    await rereadOrder(ports, COMMAND, 'hint-1');
    const events = await eventsIn(context.store);
    expect(events).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ level }) }));
    expect(events.some(({ type }) => type === 'order.release_requested')).toBe(isReleased);
  },
);

test('a risk that is less by now is not told while the shop holds the order for fraud, and a graver one is', async () => {
  const { world, gid, context, ports } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const risksAfter = async (hint: string, risk: string, holds: object[]) => {
    await givenOrder(context, { risk });
    await control(world, 'PUT', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`, holds);
    await rereadOrder(ports, COMMAND, hint);
    const events = await eventsIn(context.store);
    return events.filter(({ id }) => id === `reread:${hint}:risk`).map(({ data }) => data);
  };
  await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel: 'MEDIUM' });
  expect(await risksAfter('hint-1', 'high', [{ reason: 'HIGH_RISK_OF_FRAUD' }])).toEqual([]);
  expect(await risksAfter('hint-2', 'low', [{ reason: 'HIGH_RISK_OF_FRAUD' }])).toMatchObject([
    { level: 'medium' },
  ]);
  expect(await risksAfter('hint-3', 'high', [{ reason: 'OTHER' }])).toMatchObject([{ level: 'medium' }]);
});

test('a line whose fulfilment order the app may not see stays that of the other service', async () => {
  const { world, context, ports } = await aShop();
  const recommended = SCOPES.filter((scope) => scope !== 'read_third_party_fulfillment_orders');
  await control(world, 'PUT', '/settings', { shopifyScopes: recommended });
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  const [event] = await eventsIn(context.store);
  expect(event?.data).toMatchObject({
    lines: [
      { lineId: '101', deliveredBy: 'us' },
      { lineId: '102', deliveredBy: 'us' },
      { lineId: '103', deliveredBy: 'nobody' },
      { lineId: '104', deliveredBy: 'other_service' },
      { lineId: '105', deliveredBy: 'us', openUnits: 0 },
    ],
  });
  expect(event?.data).not.toHaveProperty('isRoutingHidden');
});

test('an order of which no fulfilment order is shown is read as one whose services nobody knows', async () => {
  const { world, context, ports } = await aShop();
  await control(world, 'PUT', '/settings', { shopifyScopes: ['read_orders'] });
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  expect((await eventsIn(context.store))[0]?.data).toMatchObject({ isRoutingHidden: true });
});

test('what only a reading shows of customs is kept beside the webhook of the same version, and outlives later webhooks', async () => {
  const chile = (more: object = {}) =>
    anOrderBody({
      shipping_address: { name: 'Pat Sample', address1: '7 Calle', city: 'Santiago', country_code: 'CL' },
      ...more,
    });
  const { world, context, ports } = await aShop(chile());
  const { store } = context;
  const changed = await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, {
    localizedFields: { TAX_CREDENTIAL_CL: '12.345.678-5' },
  });
  const { updatedAt } = z.object({ updatedAt: z.string() }).parse(await changed.json());
  const byWebhook = (updated_at: string) => {
    const { customer } = toOrderFacts(ShopifyOrderBody.parse(chile({ updated_at })), SHOP);
    return store.transaction((sql) => saveCustomers(sql, [customer]));
  };
  const taxId = async () => (await store.query('select tax_id from customer_details'))[0];
  await byWebhook(updatedAt);
  expect(await taxId()).toEqual({ tax_id: null });
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  expect(await taxId()).toEqual({ tax_id: '123456785' });
  await byWebhook('2036-01-01T00:00:00Z');
  expect(await taxId()).toEqual({ tax_id: '123456785' });
  const elsewhere = anOrderBody({ updated_at: '2036-01-02T00:00:00Z' });
  const { customer } = toOrderFacts(ShopifyOrderBody.parse(elsewhere), SHOP);
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  expect(await taxId()).toEqual({ tax_id: null });
});

test('of two addresses within one second the one that is read in the shop is the last', async () => {
  const { world, context, ports } = await aShop(anOrderBody());
  const { store } = context;
  const touched = await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel: 'LOW' });
  const { updatedAt: updated_at } = z.object({ updatedAt: z.string() }).parse(await touched.json());
  const earlier = { name: 'Pat Sample', address1: '1 Wrong Way', city: 'Nowhere', country_code: 'US' };
  const body = anOrderBody({ updated_at, shipping_address: earlier });
  const { customer } = toOrderFacts(ShopifyOrderBody.parse(body), SHOP);
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  const street = () => store.query(`select shipping_address ->> 'address1' as street from customer_details`);
  expect(await street()).toEqual([{ street: '1 Wrong Way' }]);
  await rereadOrder(ports, COMMAND, 'hint-1');
  const [last] = await street();
  expect(last).not.toEqual({ street: '1 Wrong Way' });
  // What is told is believed as before: it may be the older of the two.
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  expect(await street()).toEqual([last]);
});

test('of two mail addresses within one second the one that is read in the shop is the last', async () => {
  const { world, context, ports } = await aShop(anOrderBody({ email: 'right@buyer.example' }));
  const { store } = context;
  const touched = await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel: 'LOW' });
  const { updatedAt: updated_at } = z.object({ updatedAt: z.string() }).parse(await touched.json());
  const body = anOrderBody({ updated_at, email: 'wrong@buyer.example' });
  const { customer } = toOrderFacts(ShopifyOrderBody.parse(body), SHOP);
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  await rereadOrder(ports, COMMAND, 'hint-1');
  const mail = () => store.query('select email from customer_details');
  expect(await mail()).toEqual([{ email: 'right@buyer.example' }]);
  // What is told may be the older of the two.
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  expect(await mail()).toEqual([{ email: 'right@buyer.example' }]);
  await store.run("update customer_details set email = 'by-hand@buyer.example', is_contact_ours = true");
  await rereadOrder(ports, COMMAND, 'hint-2');
  expect(await mail()).toEqual([{ email: 'by-hand@buyer.example' }]);
});

test('a reading, which does not see the number of the customer, puts none of the bill in its place within one version', async () => {
  const from = { name: 'Pat Sample', address1: '1 High St', city: 'Leeds', country_code: 'GB', phone: '' };
  const ofBill = { phone: '', shipping_address: from, billing_address: { ...from, phone: '+15550002222' } };
  const { world, context, ports } = await aShop(anOrderBody(ofBill));
  const { store } = context;
  const touched = await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel: 'LOW' });
  const { updatedAt: updated_at } = z.object({ updatedAt: z.string() }).parse(await touched.json());
  const body = anOrderBody({ ...ofBill, updated_at, customer: { id: 7, phone: '+15550001111' } });
  const { customer } = toOrderFacts(ShopifyOrderBody.parse(body), SHOP);
  await store.transaction((sql) => saveCustomers(sql, [customer]));
  await rereadOrder(ports, COMMAND, 'hint-1');
  expect(await store.query('select phone from customer_details')).toEqual([{ phone: '+15550001111' }]);
});

test('a telephone number and an address of mail that only a webhook brings outlive a reading, whichever comes first', async () => {
  const hidden = { email: '', contact_email: '', phone: '' };
  const { world, context, ports } = await aShop(anOrderBody(hidden));
  const { store } = context;
  const of = (updated_at: string) =>
    anOrderBody({
      ...hidden,
      updated_at,
      customer: { id: 7, email: 'pat@buyer.example', phone: '+1 614 555 0100' },
    });
  const byWebhook = (updated_at: string) => {
    const { customer } = toOrderFacts(ShopifyOrderBody.parse(of(updated_at)), SHOP);
    return store.transaction((sql) => saveCustomers(sql, [customer]));
  };
  const read = async (id: string) => {
    const changed = await control(world, 'PUT', `/shop/orders/${SHOP_ORDER_ID}`, { riskLevel: 'LOW' });
    await rereadOrder(ports, COMMAND, id);
    return z.object({ updatedAt: z.string() }).parse(await changed.json()).updatedAt;
  };
  const contact = () => store.query('select email, phone, customer_id as id from customer_details');
  const known = [{ email: 'pat@buyer.example', phone: '+1 614 555 0100', id: '7' }];
  const version = await read('hint-1');
  expect(await contact()).toEqual([{ email: null, phone: null, id: null }]);
  await byWebhook(version);
  expect(await contact()).toEqual(known);
  await store.run("update customer_details set source_updated_at = '2026-11-20T10:00:00Z'");
  await read('hint-2');
  expect(await contact()).toEqual(known);
});

test('yen, a payment that waits, a cancel and units that others shipped are read as they are', async () => {
  const { world, gid, context, ports } = await aShop(
    anOrderBody({
      currency: 'JPY',
      total_price: '19800',
      total_price_set: undefined,
      financial_status: 'pending',
      cancelled_at: '2026-11-21T10:00:00-05:00',
      line_items: [aLine({ id: 1, price: '9900', quantity: 2, fulfillable_quantity: 2 })],
    }),
  );
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  expect((await eventsIn(context.store))[0]?.data).toMatchObject({
    totalMinor: 19_800,
    payment: 'pending',
    cancelled: true,
    lines: [{ unitPriceMinor: 9_900, units: 2, openUnits: 2 }],
  });
  expect((await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes).toMatchObject([
    { status: 'CANCELLED' },
  ]);
});

test('a fulfilment order leads to its order, and what somebody else shipped is no longer open', async () => {
  const { world, gid, context, ports } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const lamp = mine?.lineItems.nodes[0];
  await ship(world, [{ fulfillmentOrderId: mine!.id, lines: [{ id: lamp!.id, quantity: 2 }] }], 'THEIRS');
  const fulfillmentOrderId = mine!.id.replace(/.*\//, '');
  expect(await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId }, 'hint-1')).toEqual(DONE);
  const [event] = await eventsIn(context.store);
  expect(event).toMatchObject({
    id: 'reread:hint-1',
    data: { orderId: ORDER_ID, lines: [{ lineId: '101', units: 3, openUnits: 1 }, {}, {}, {}, {}] },
  });
});

test('units that went to a service whose fulfilment orders we may not see lead to their order by where they came from', async () => {
  const { world, gid, context, ports } = await aShop();
  const { nodes } = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders;
  const holding = (lineId: string) =>
    nodes
      .find(({ lineItems }) => lineItems.nodes.some(({ lineItem }) => lineItem.id.endsWith(`/${lineId}`)))!
      .id.replace(/.*\//, '');
  const [movedFromId, fulfillmentOrderId] = [holding('101'), holding('104')];
  const recommended = SCOPES.filter((scope) => scope !== 'read_third_party_fulfillment_orders');
  await control(world, 'PUT', '/settings', { shopifyScopes: recommended });
  expect(await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId }, 'hint-1')).toEqual(DONE);
  expect(await eventsIn(context.store)).toEqual([]);
  expect(await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId, movedFromId }, 'hint-2')).toEqual(DONE);
  expect(await eventsIn(context.store)).toMatchObject([{ id: 'reread:hint-2', data: { orderId: ORDER_ID } }]);
});

test('an order that the shop deleted is told as cancelled, from what we knew', async () => {
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: SHOP });
  await givenOrderRows(context.store);
  await context.store.run(`update orders set shop = $1, context = $2::json`, [
    SHOP,
    JSON.stringify({
      test: false,
      payment: 'paid',
      hasAddress: true,
      inShop: { 101: { units: 3, ours: 3 }, 102: { units: 1, ours: 0 } },
    }),
  ]);
  const [{ id } = { id: '' }] = await context.store.query<{ id: string }>('select id from orders');
  await context.store.run('update orders set id = $1 where id = $2', [ORDER_ID, id]);
  await context.store.run('update order_lines set order_id = $1', [ORDER_ID]);
  const ports = shopPorts(context, await givenWorld());
  expect(await rereadOrder(ports, { ...COMMAND, deleted: true }, 'hint-1')).toEqual(DONE);
  expect((await eventsIn(context.store))[0]?.data).toMatchObject({
    orderId: ORDER_ID,
    cancelled: true,
    lines: [
      { lineId: '101', units: 3, openUnits: 3 },
      { lineId: '102', units: 1, openUnits: 0 },
    ],
  });
  expect(await rereadOrder(ports, { shop: SHOP, shopOrderId: '9', deleted: true }, 'hint-2')).toEqual(DONE);
  expect(await eventsIn(context.store)).toHaveLength(1);
});

test('an order that is deleted before it is taken in is waited for as long as its body is on its way', async () => {
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: SHOP });
  const ports = shopPorts(context, await givenWorld());
  const told = (topic: string, ago: string) =>
    context.store.run(
      `insert into webhooks (source, delivery_id, topic, api_version, order_id, body, received_at)
       values ('shopify', gen_random_uuid()::text, $1, '2026-10', $2, '{}', now() - $3::interval)`,
      [topic, ORDER_ID, ago],
    );
  const look = () => rereadOrder(ports, { ...COMMAND, deleted: true }, 'hint-1');
  expect(await look()).toEqual(DONE);
  await told('orders/delete', '1 minute');
  expect(await look()).toEqual(DONE);
  // What is kept beside it may not have seen it.
  await told('orders/delete', '1 second');
  expect(await look()).toMatchObject({ verdict: 'later' });
  await context.store.run('delete from webhooks');
  await told('orders/create', '1 hour');
  expect(await look()).toMatchObject({ verdict: 'later' });
  await givenOrder(context, { payment: 'paid', inShop: {} });
  expect(await look()).toEqual(DONE);
  expect(await eventsIn(context.store)).toMatchObject([{ data: { orderId: ORDER_ID, cancelled: true } }]);
});

test('without a login, of another shop, or of an order that the shop hides, nothing is said', async () => {
  const { context, ports } = await aShop();
  expect(await rereadOrder({ ...ports, admin: undefined }, COMMAND, 'hint-1')).toEqual(DONE);
  expect(await rereadOrder(ports, { ...COMMAND, shop: 'other.myshopify.com' }, 'hint-2')).toEqual(DONE);
  expect(await rereadOrder(ports, { shop: SHOP, shopOrderId: '404' }, 'hint-3')).toEqual(DONE);
  expect(await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId: '404' }, 'hint-4')).toEqual(DONE);
  expect(await eventsIn(context.store)).toEqual([]);
});

test('a shop that is away is asked again, one that refuses the login is not', async () => {
  const { world, context, ports } = await aShop();
  await givenFaults(world, { operation: 'shopify.order', kind: 'error_before' });
  await expect(rereadOrder(ports, COMMAND, 'hint-1')).rejects.toMatchObject({ retryable: true });
  await givenFaults(world);
  const stranger = shopPorts(context, world, { accessToken: 'revoked' });
  expect(await rereadOrder(stranger, COMMAND, 'hint-2')).toEqual(DONE);
  expect(context.lines).toContainEqual(expect.objectContaining({ failureClass: 'auth' }));
});

test('who was forgotten stays so when the order is read', async () => {
  const { context, ports } = await aShop();
  await context.store.transaction((sql) => eraseOrders(sql, [ORDER_ID]));
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  expect(await customersIn(context)).toEqual([{ email: null, address: null }]);
});

test('what was held here only because the shop held it is released when the shop releases it', async () => {
  const { world, gid, context, ports } = await aShop();
  const { store } = context;
  const hold = (id: string, reason: string, evidence: object) =>
    store.run('insert into holds (id, order_id, reason, evidence) values ($1, $2, $3, $4::json)', [
      id,
      ORDER_ID,
      reason,
      JSON.stringify(evidence),
    ]);
  await hold('h1', 'fraud_review', { heldInShop: 'HIGH_RISK_OF_FRAUD' });
  await hold('h2', 'operator', { heldInShop: 'OTHER' });
  await hold('h3', 'operator', { cause: 'somebody here wants to look' });
  await hold('h4', 'address_invalid', { heldInShop: 'INCORRECT_ADDRESS' });
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  await control(world, 'PUT', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`, [
    { reason: 'INCORRECT_ADDRESS' },
  ]);
  expect(await rereadOrder(ports, COMMAND, 'hint-1')).toEqual(DONE);
  const released = (await eventsIn(store)).filter(({ type }) => type === 'order.release_requested');
  expect(released.map(({ data }) => data)).toEqual([
    { orderId: ORDER_ID, holdId: 'h1', reason: 'fraud_review' },
    { orderId: ORDER_ID, holdId: 'h2', reason: 'operator' },
  ]);
});

test('what is due later is held, and goes on when its day has come', async () => {
  const { world, gid, context, ports } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const fulfillmentOrderId = mine!.id.replace(/.*\//, '');
  const isScheduled = (scheduled: boolean) =>
    control(world, 'PUT', `/shop/fulfillment-orders/${fulfillmentOrderId}/schedule`, { scheduled });
  await isScheduled(true);
  await context.store.run(
    `insert into holds (id, order_id, reason, evidence)
     values ('h1', $1, 'fulfillment_not_ours', '{"heldInShop":"SCHEDULED"}')`,
    [ORDER_ID],
  );
  const releases = async () =>
    (await eventsIn(context.store)).filter(({ type }) => type === 'order.release_requested').length;
  await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId }, 'hint-1');
  expect(await releases()).toBe(0);
  await isScheduled(false);
  await rereadOrder(ports, { shop: SHOP, fulfillmentOrderId }, 'hint-2');
  expect(await releases()).toBe(1);
});

test('what others hold in the shop is told with the order, and nothing of our own', async () => {
  const { world, gid, context, ports } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const holdOf = (holds: object[]) =>
    control(world, 'PUT', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`, holds);
  const hold = { reason: 'OTHER', handle: 'order-manager', notifyMerchant: false };
  await ask(world, PLACE_HOLD, { fulfillmentOrderId: mine!.id, hold });
  await rereadOrder(ports, COMMAND, 'hint-1');
  await holdOf([{ reason: 'HIGH_RISK_OF_FRAUD' }]);
  await rereadOrder(ports, COMMAND, 'hint-2');
  const told = (await eventsIn(context.store)).filter(({ type }) => type === 'order.held_in_shop');
  expect(told).toMatchObject([
    {
      id: 'reread:hint-2:held:fraud_review',
      data: {
        orderId: ORDER_ID,
        reason: 'fraud_review',
        evidence: { fulfillmentOrder: mine!.id, heldInShop: 'HIGH_RISK_OF_FRAUD' },
      },
    },
  ]);
});
