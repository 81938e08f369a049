import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Envelope } from '../../contracts/envelope.ts';
import { OrderEvent } from '../../contracts/events/order-event.ts';
import { OrderReceived } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { WEBHOOK_TOPICS, type WebhookTopic } from '../../contracts/webhook-topics.ts';
import { toDelivery } from '../../gateway/webhooks/shopify-routes.ts';
import { stepOrderActor } from '../../machines/order-actor.ts';
import { hasRealBodies, REAL_BODIES, whySkipped } from '../fixtures/real-bodies.ts';

const SHOP = 'bodies-shop.myshopify.com';
const COMPOSED = new URL('../../deploy/sandbox/webhooks/', import.meta.url);

const take = (raw: string, topic: WebhookTopic) =>
  toDelivery(
    raw,
    topic,
    { shop: SHOP, deliveryId: 'delivery-1', eventId: 'event-1', apiVersion: '2026-10', triggeredAt: null },
    { canBeReread: false, buysAuthorized: false },
  );

/** Where the order stands after this body alone: state, open holds, and by line the units: to source, held, outside. */
function landingOf(raw: string, topic: WebhookTopic): string {
  const { message, customer } = take(raw, topic);
  const { type, data } = Envelope.parse(JSON.parse(message?.payload ?? ''));
  const { order } = stepOrderActor(
    { order: null, supplierOrders: new Map() },
    OrderEvent.parse({ type, data }),
  ).actor;
  if (order === null || customer === null) throw new Error('no order came of it');
  const { holds, lines } = order.context;
  const reasons = Object.values(holds).map(({ reason }) => reason);
  const units = Object.values(lines).map(
    ({ unallocated, held, outside, cancelled }) => `${unallocated}/${held}/${outside}/${cancelled}`,
  );
  return [order.value, reasons.length > 0 ? `held: ${reasons.join(', ')}` : '', units.join(' ')]
    .filter((part) => part !== '')
    .join(' | ');
}

/** What a hint or a news asks for, in one line. */
function askedBy(raw: string, topic: WebhookTopic): string {
  const { webhook, message, news } = take(raw, topic);
  const data = message === null ? news : Envelope.parse(JSON.parse(message.payload)).data;
  // Ids beyond 2^53 are compared as the text that stood there.
  return `${webhook.order_id === null ? '' : 'of an order: '}${JSON.stringify(data)}`;
}

const topicOf = (file: string): WebhookTopic => {
  const name = /([a-z]+)-([a-z]+)\.[^/]*$/.exec(file);
  return z.enum(WEBHOOK_TOPICS).parse(`${name?.[1]}/${name?.[2]}`);
};

/** Units by line are: to source / held / outside / cancelled. */
const REAL: Readonly<Record<string, string>> = {
  'derived/orders-create.br-cpf-in-company.json': 'grace | 2/0/0/0',
  'derived/orders-create.fr-unicode-emoji-note.json': 'grace | 1/0/0/0 3/0/0/0',
  'derived/orders-create.pii-redacted-no-street.json': 'grace | held: address_invalid | 1/0/0/0',
  'derived/orders-create.pos-walk-in-null-email.json': 'delivered | 0/0/1/0',
  'derived/orders-create.us-mixed-gift-card-and-goods.json': 'grace | 2/0/0/0 0/0/1/0',
  'derived/orders-updated.edited-current-quantity.json':
    'awaiting_payment | held: payment_pending | 1/0/0/0 0/0/0/0 1/0/0/0',
  'fulfillments-create.gift-card-auto.json':
    'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"5361240244438"}',
  'fulfillments-update.cancelled-partial.json':
    'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"5361237360854","fulfillmentCancelled":true}',
  'fulfillments-update.inr-carrier-from-list.json':
    'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"4617255092480"}',
  'orders-cancelled.refunded-no-restock.json': 'cancelled | 0/0/1/0 0/0/2/0',
  'orders-create.aud-shop-usd-buyer-test.json': 'received | held: operator | 1/0/0/0',
  'orders-create.hkd-draft-no-contact-no-address.json':
    'grace | held: address_invalid | 1/0/0/0 1/0/0/0 1/0/0/0',
  'orders-create.hkd-multiline-discounts.json':
    'grace | held: address_invalid | 1/0/0/0 1/0/0/0 1/0/0/0 1/0/0/0',
  'orders-create.inr-custom-line-null-variant.raw.json': 'delivered | 0/0/11/0',
  'orders-create.jpy-konbini-pending.json': 'awaiting_payment | held: payment_pending | 1/0/0/0',
  'orders-create.sample-2026-07-all-fields.json': 'cancelled | 0/0/0/1 0/0/0/1 0/0/0/1 0/0/0/1 0/0/0/1',
  'orders-create.send-test-notification-64bit-ids.json': 'cancelled | 0/0/0/1 0/0/0/1',
  'orders-paid.draft-no-customer-keys-absent.json': 'grace | held: fulfillment_not_ours | 0/1/0/0',
  'orders-updated.eur-buyer-digital-autofulfilled.json': 'received | held: operator | 0/0/1/0 0/0/1/0',
  'orders-updated.partially-refunded-2026-07-docs.json': 'grace | 0/0/0/0 1/0/0/0 0/0/0/0',
  'orders-updated.pln-paid-fulfilled.json': 'delivered | 0/0/2/0 0/0/3/0',
  'refunds-create.full-refund-of-cancelled-order.json':
    'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"5324790137142"}',
};

const THIN: Readonly<Partial<Record<WebhookTopic, string>>> = {
  'orders/edited': 'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"820982911946154500"}',
  'orders/delete':
    'of an order: {"shop":"bodies-shop.myshopify.com","shopOrderId":"820982911946154500","deleted":true}',
  'fulfillment_orders/order_routing_complete':
    '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"1"}',
  'fulfillment_orders/placed_on_hold': '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"1"}',
  'fulfillment_orders/hold_released': '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"1"}',
  'fulfillment_orders/moved':
    '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"2","movedFromId":"1"}',
  'fulfillment_orders/split': '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"1"}',
  'fulfillment_orders/cancelled': '{"shop":"bodies-shop.myshopify.com","fulfillmentOrderId":"1"}',
  'customers/data_request':
    '{"kind":"data_requested","orderIds":["ord_2z89v8g5pmcov","ord_1ni7k7kseqo6k","ord_0cy4z6qveccoy"],"customerId":"191167"}',
  'customers/redact':
    '{"kind":"customer_redacted","orderIds":["ord_2z89v8g5pmcov","ord_1ni7k7kseqo6k","ord_0cy4z6qveccoy"],"customerId":"191167"}',
  'shop/redact': '{"kind":"shop_redacted"}',
  'app/uninstalled': '{"kind":"uninstalled"}',
  'app/scopes_update': '{"kind":"scopes_changed","scopes":["read_products","write_products"]}',
};

const COMPOSED_LANDINGS: Readonly<Record<string, string>> = {
  '01-us-single-line.json': 'grace | 1/0/0/0',
  '02-us-several-lines-discounts-split.json': 'grace | 1/0/0/0 1/0/0/0 2/0/0/0 1/0/0/0',
  '03-jp-yen-no-decimals.json': 'grace | 2/0/0/0 1/0/0/0',
  '04-ca-buyer-pays-other-currency.json': 'grace | 1/0/0/0 3/0/0/0',
  '05-br-cpf-in-company-and-note.json': 'grace | 2/0/0/0',
  '06-fr-accents-emoji-newline.json': 'grace | 1/0/0/0 1/0/0/0',
  '07-de-eu-buyer-escaped-slashes.json': 'grace | 1/0/0/0 2/0/0/0',
  '08-digital-only-fulfilled-at-birth.json': 'delivered | 0/0/1/0',
  '09-us-gift-card-with-goods.json': 'grace | 1/0/0/0 0/0/1/0',
  '10-draft-goods-without-address.json': 'grace | held: address_invalid | 1/0/0/0',
  '11-us-custom-line-null-variant.json': 'grace | 1/0/0/0 2/0/0/0',
  '12-us-test-order.json': 'received | held: operator | 1/0/0/0',
  '13-us-ids-beyond-2-53.json': 'grace | 2/0/0/0 1/0/0/0',
  '14-jp-payment-pending-konbini.json': 'awaiting_payment | held: payment_pending | 1/0/0/0',
  '15-us-unmapped-article.json': 'grace | 2/0/0/0',
  '16-us-third-party-service-line.json': 'grace | held: fulfillment_not_ours | 0/1/0/0 1/0/0/0',
};

const bodiesIn = (folder: URL): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.json$/.test(file) && !/thin-payloads|tracking-companies/.test(file))
    .sort();

const isOrderBody = (file: string): boolean => /orders-(create|updated|paid|cancelled)\./.test(file);
const textOf = (file: string, folder: URL): string => readFileSync(new URL(file, folder), 'utf8');

test.skipIf(!hasRealBodies)(`every real body has its expectation${whySkipped}`, () => {
  expect(bodiesIn(REAL_BODIES)).toEqual(Object.keys(REAL).sort());
});

test.skipIf(!hasRealBodies).each(Object.entries(REAL))(
  `the real body %s comes to: %s${whySkipped}`,
  (file, expected) => {
    const raw = textOf(file, REAL_BODIES);
    const topic = topicOf(file);
    expect(isOrderBody(file) ? landingOf(raw, topic) : askedBy(raw, topic)).toBe(expected);
  },
);

const ThinBodies = z.array(z.object({ topic: z.string(), body: z.unknown() }));

test.skipIf(!hasRealBodies).each(Object.entries(THIN))(
  `the real thin body of %s asks for %s${whySkipped}`,
  (topic, expected) => {
    const bodies = ThinBodies.parse(JSON.parse(textOf('thin-payloads-2026-07.json', REAL_BODIES)));
    const body = bodies.find((one) => one.topic === topic)?.body;
    expect(askedBy(JSON.stringify(body), z.enum(WEBHOOK_TOPICS).parse(topic))).toBe(expected);
  },
);

test('every body of the sandbox has its expectation', () => {
  expect(bodiesIn(COMPOSED)).toEqual(Object.keys(COMPOSED_LANDINGS).sort());
});

test.each(Object.entries(COMPOSED_LANDINGS))('the composed body %s comes to: %s', (file, expected) => {
  expect(landingOf(textOf(file, COMPOSED), 'orders/create')).toBe(expected);
});

test('an order that the shop calls created is of now, however old it says it is; one that was imported is of the past', () => {
  const historyOf = (topic: WebhookTopic, more: object): unknown => {
    const raw = textOf('01-us-single-line.json', COMPOSED);
    const body = { ...JSON.parse(raw), created_at: '2026-11-02T09:15:00Z', ...more };
    const { message } = take(JSON.stringify(body), topic);
    return OrderReceived.parse(Envelope.parse(JSON.parse(message?.payload ?? '')).data).history;
  };
  const touched = { processed_at: '2026-11-02T09:15:00Z', updated_at: '2026-11-28T09:15:00Z' };
  expect(historyOf('orders/create', touched)).toBeUndefined();
  expect(historyOf('orders/updated', touched)).toBe(true);
  expect(historyOf('orders/create', { ...touched, processed_at: '2025-01-02T09:15:00Z' })).toBe(true);
});

const aVariant = (id: number) => ({
  admin_graphql_api_id: `gid://shopify/ProductVariant/${id}`,
  updated_at: '2026-11-20T10:00:00Z',
});

test.each<[WebhookTopic, object, string]>([
  [
    'products/update',
    { id: 5, title: 'Lamp', variants: [{ id: 6 }, { id: 7 }] },
    '{"kind":"product_changed","productId":"5","variantIds":["6","7"],"at":null}',
  ],
  [
    'products/update',
    { id: 5, variants: [{ id: 6 }], variant_gids: [6, 7].map((id) => aVariant(id)) },
    '{"kind":"product_changed","productId":"5","variantIds":["6","7"],"at":null}',
  ],
  // A hundred may be the first hundred.
  ['products/update', { id: 5, variants: Array.from({ length: 100 }, (_, id) => ({ id: id + 1 })) }, 'null'],
  ['products/update', { id: 5, variants: null }, 'null'],
  ['products/update', { id: 5 }, 'null'],
  ['products/delete', { id: 5 }, '{"kind":"product_changed","productId":"5","variantIds":null,"at":null}'],
])('%s tells which variants there are', (topic, body, expected) => {
  expect(askedBy(JSON.stringify(body), topic)).toBe(expected);
});

test('hints of one event of the shop are one reading, but for that which says more: the queue keeps one of a subject', () => {
  const hints: readonly [WebhookTopic, object][] = [
    ['refunds/create', { order_id: 61 }],
    ['fulfillments/update', { order_id: 61, status: 'success' }],
    ['fulfillments/update', { order_id: 61, status: 'cancelled' }],
  ];
  const messages = hints.map(([topic, body]) => take(JSON.stringify(body), topic).message);
  const [refunded, updated, cancelled] = messages.map((message) => message?.subject);
  expect(updated).toBe(refunded);
  expect(cancelled).not.toBe(refunded);
  expect(new Set(messages.map((message) => message?.messageId)).size).toBe(3);
});

test('the hint that tells where moved units came from keeps its place beside another hint of the same event', () => {
  const [to, from] = [71, 70].map((id) => ({ id: `gid://shopify/FulfillmentOrder/${id}` }));
  const moved = { moved_fulfillment_order: to, original_fulfillment_order: from };
  const subjects = [
    take(JSON.stringify(moved), 'fulfillment_orders/moved'),
    take(JSON.stringify({ fulfillment_order: to }), 'fulfillment_orders/order_routing_complete'),
  ].map(({ message }) => message?.subject);
  expect(new Set(subjects).size).toBe(2);
});

test('what names a person in a privacy body is not kept', () => {
  const body = { customer: { id: 1, email: 'a@b.example', phone: '555' }, orders_to_redact: [12] };
  const { webhook, news } = take(JSON.stringify(body), 'customers/redact');
  expect(JSON.parse(webhook.body)).toEqual({ orders_to_redact: ['12'] });
  expect(news).toEqual({ kind: 'customer_redacted', orderIds: [orderIdOf(SHOP, '12')], customerId: '1' });
});

test('a privacy body without orders is taken', () => {
  for (const orders of [null, undefined, []]) {
    const body = { shop_id: 1, customer: null, orders_requested: orders };
    const { news } = take(JSON.stringify(body), 'customers/data_request');
    expect(news).toMatchObject({ kind: 'data_requested', orderIds: [] });
  }
});

test.each<[WebhookTopic, object]>([
  ['refunds/create', {}],
  ['orders/edited', { order_id: 1 }],
  ['orders/risk_assessment_changed', { shop_id: 'x' }],
  ['fulfillment_orders/moved', { fulfillment_order: { id: 'gid://shopify/FulfillmentOrder/1' } }],
  ['products/update', { id: 'x' }],
  ['app/scopes_update', { current: 'all' }],
])('a body of %s without what it must have is refused', (topic, body) => {
  expect(() => take(JSON.stringify(body), topic)).toThrow(`the body of ${topic} lacks what is needed`);
});
