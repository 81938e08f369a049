import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { topicTextOf } from '../../deploy/sandbox/shopify/webhooks.ts';
import { anOrderBody, ask, fulfillmentOrdersOf, givenShopOrder, ship } from './shop-client.ts';
import { CREDENTIALS, control, eventually, givenWorld } from './world.ts';

interface Heard {
  readonly topic: string;
  readonly deliveryId: string;
  readonly eventId: string;
  readonly isSigned: boolean;
  readonly body: Record<string, unknown>;
}

/** Somebody who listens to these topics; `refusals` deliveries are answered 503 first. */
async function aListener(world: Sandbox, topics: readonly string[], refusals = 0) {
  const heard: Heard[] = [];
  let left = refusals;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const hmac = createHmac('sha256', CREDENTIALS.shopifyClientSecret).update(raw).digest('base64');
      heard.push({
        topic: String(request.headers['x-shopify-topic']),
        deliveryId: String(request.headers['x-shopify-webhook-id']),
        eventId: String(request.headers['x-shopify-event-id']),
        isSigned: request.headers['x-shopify-hmac-sha256'] === hmac,
        body: JSON.parse(raw.toString('utf8')),
      });
      left -= 1;
      response.writeHead(left >= 0 ? 503 : 200).end();
    });
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  for (const topic of topics) {
    const { errors } = await ask(
      world,
      `mutation S($t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
         webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) { userErrors { message } } }`,
      { t: topic, w: { uri: `http://127.0.0.1:${port}/${topic}`, format: 'JSON' } },
    );
    expect(errors).toBeUndefined();
  }
  const hears = (count: number) =>
    eventually(
      () => Promise.resolve(heard),
      (all) => all.length >= count,
    );
  return { heard, hears };
}

test.each([
  ['ORDERS_CREATE', 'orders/create'],
  ['FULFILLMENT_ORDERS_PLACED_ON_HOLD', 'fulfillment_orders/placed_on_hold'],
  ['APP_SCOPES_UPDATE', 'app/scopes_update'],
])('%s is written as %s', (topic, text) => {
  expect(topicTextOf(topic)).toBe(text);
});

test('an order’s life is told, signed: made, routed, changed, paid, refunded, fulfilled, held, cancelled, deleted', async () => {
  const world = await givenWorld();
  const topics = [
    'ORDERS_CREATE',
    'ORDERS_CANCELLED',
    'ORDERS_PAID',
    'REFUNDS_CREATE',
    'FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE',
    'ORDERS_EDITED',
    'ORDERS_RISK_ASSESSMENT_CHANGED',
    'ORDERS_DELETE',
    'FULFILLMENTS_CREATE',
    'FULFILLMENT_ORDERS_PLACED_ON_HOLD',
    'FULFILLMENT_ORDERS_HOLD_RELEASED',
    'PRODUCTS_UPDATE',
  ];
  const { hears } = await aListener(world, topics);
  const gid = await givenShopOrder(world);
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const workPath = `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`;
  await control(world, 'PUT', workPath, [{ reason: 'OTHER' }]);
  await control(world, 'PUT', workPath, []);
  await ship(world, [
    { fulfillmentOrderId: mine!.id, lines: [{ id: mine!.lineItems.nodes[0]!.id, quantity: 1 }] },
  ]);
  const order = `/shop/orders/${gid.replace(/.*\//, '')}`;
  await control(world, 'PUT', order, { quantities: { 101: 2 } });
  await control(world, 'PUT', order, { riskLevel: 'HIGH' });
  await control(world, 'PUT', order, { financialStatus: 'PAID' });
  await control(world, 'PUT', order, { financialStatus: 'PARTIALLY_REFUNDED' });
  await control(world, 'PUT', order, { cancelled: true });
  await control(world, 'PUT', order, { deleted: true });
  await control(world, 'POST', '/shop/products', { id: 5, variants: [6] });
  // The order has two fulfilment orders, and each is told when it is routed.
  const heard = await hears(topics.length + 1);
  expect(new Set(heard.map(({ topic }) => topic))).toEqual(new Set(topics.map(topicTextOf)));
  expect(heard.every(({ isSigned }) => isSigned)).toBe(true);
  const bodyOf = (topic: string) => heard.find((one) => one.topic === topic)?.body;
  expect(bodyOf('orders/create')).toMatchObject({ id: 5500000000001, financial_status: 'paid' });
  expect(bodyOf('orders/cancelled')).toMatchObject({ cancelled_at: expect.any(String) });
  expect(bodyOf('fulfillments/create')).toMatchObject({
    order_id: 5500000000001,
    tracking_numbers: ['CJP1'],
  });
  expect(bodyOf('products/update')).toEqual({ id: 5, variants: [{ id: 6 }] });
});

test('all that one deed causes is one event, and the next deed another', async () => {
  const world = await givenWorld();
  const order = `/shop/orders/${(await givenShopOrder(world)).replace(/.*\//, '')}`;
  const { hears } = await aListener(world, ['ORDERS_UPDATED', 'ORDERS_CANCELLED']);
  await control(world, 'PUT', order, { quantities: { 101: 2 } });
  await hears(1);
  await control(world, 'PUT', order, { cancelled: true });
  const heard = await hears(3);
  const [edit, ...cancel] = heard.map(({ eventId }) => eventId);
  expect(new Set(cancel).size).toBe(1);
  expect(cancel).not.toContain(edit);
});

test('the body of a new order says what the shop was given', async () => {
  const world = await givenWorld();
  const { hears } = await aListener(world, ['ORDERS_CREATE']);
  await givenShopOrder(world, anOrderBody());
  const given = anOrderBody() as { line_items: Record<string, unknown>[] };
  const [{ body } = { body: {} }] = await hears(1);
  expect(body).toMatchObject({
    name: '#1042',
    email: 'pat@buyer.example',
    total_price: '61.50',
    shipping_address: { address1: '7 Test Street', country_code: 'US' },
    line_items: given.line_items.map(({ id, quantity, fulfillable_quantity, requires_shipping }) => ({
      id,
      quantity,
      fulfillable_quantity,
      requires_shipping,
    })),
  });
});

test('webhooks are doubled, overtake each other and are lost on demand', async () => {
  const world = await givenWorld();
  const { heard, hears } = await aListener(world, ['ORDERS_CREATE']);
  // Far longer than a slow machine needs from one order to the next, or none would overtake.
  await control(world, 'PUT', '/settings', { webhookCopies: 3, webhookMaxDelayMs: 1_000 });
  const numbers = Array.from({ length: 10 }, (_, index) => 5_600_000_000_000 + index);
  for (const id of numbers) await givenShopOrder(world, anOrderBody({ id }));
  await hears(30);
  const order = heard.map(({ body }) => Number(body.id));
  expect(new Set(heard.map(({ deliveryId }) => deliveryId)).size).toBe(10);
  expect(order).not.toEqual(order.toSorted((a, b) => a - b));

  await control(world, 'PUT', '/settings', { webhookDropShare: 1 });
  await givenShopOrder(world, anOrderBody({ id: 5_700_000_000_000 }));
  await control(world, 'PUT', '/settings', { webhookDropShare: 0, webhookCopies: 1, webhookMaxDelayMs: 0 });
  await givenShopOrder(world, anOrderBody({ id: 5_700_000_000_001 }));
  await hears(31);
  expect(heard.map(({ body }) => body.id)).not.toContain(5_700_000_000_000);
});

test('what is not answered with 2xx comes again under the same delivery id', async () => {
  const world = await givenWorld();
  const { hears } = await aListener(world, ['ORDERS_CREATE'], 2);
  await givenShopOrder(world);
  const heard = await hears(3);
  expect(new Set(heard.map(({ deliveryId }) => deliveryId)).size).toBe(1);
});

test('without the scopes the app sees no fulfilment order and may write nothing', async () => {
  const world = await givenWorld();
  const gid = await givenShopOrder(world);
  await control(world, 'PUT', '/settings', { shopifyScopes: ['read_orders'] });
  expect((await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes).toEqual([]);
  const { data, errors } = await ask(
    world,
    'mutation T($id: ID!) { tagsAdd(id: $id, tags: ["a"]) { userErrors { message } } }',
    { id: gid },
  );
  expect([data, errors?.[0]?.extensions]).toEqual([null, { code: 'ACCESS_DENIED' }]);
});
