import { z } from 'zod';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { CREDENTIALS, control, OWN_CONNECTION } from './world.ts';

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.looseObject({ message: z.string(), extensions: z.record(z.string(), z.unknown()).optional() }))
    .optional(),
  extensions: z.record(z.string(), z.unknown()).optional(),
});
export type Answer = z.infer<typeof Answer>;

export const post = (
  world: Sandbox,
  body: unknown,
  { token = CREDENTIALS.shopifyAccessToken, version = '2026-10' } = {},
) =>
  fetch(`${world.origin}/admin/api/${version}/graphql.json`, {
    method: 'POST',
    headers: { ...OWN_CONNECTION, 'content-type': 'application/json', 'X-Shopify-Access-Token': token },
    body: JSON.stringify(body),
  });

export async function ask(world: Sandbox, query: string, variables: object = {}): Promise<Answer> {
  const response = await post(world, { query, variables });
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  return Answer.parse(await response.json());
}

/** An order body as the shop's webhooks carry it, with two shippable lines, a gift card and a foreign one. */
export const anOrderBody = (changes: object = {}): object => ({
  id: 5500000000001,
  name: '#1042',
  email: 'pat@buyer.example',
  phone: '',
  note: null,
  tags: 'vip, fragile',
  test: false,
  confirmed: true,
  created_at: '2026-11-20T10:00:00-05:00',
  processed_at: '2026-11-20T10:00:00-05:00',
  updated_at: '2026-11-20T10:00:05-05:00',
  closed_at: null,
  cancelled_at: null,
  cancel_reason: null,
  currency: 'USD',
  presentment_currency: 'USD',
  financial_status: 'paid',
  fulfillment_status: null,
  total_price: '61.50',
  total_price_set: {
    shop_money: { amount: '61.50', currency_code: 'USD' },
    presentment_money: { amount: '61.50', currency_code: 'USD' },
  },
  note_attributes: [{ name: 'gift', value: 'yes' }],
  shipping_address: {
    first_name: 'Pat',
    last_name: 'Sample',
    address1: '7 Test Street',
    city: 'Columbus',
    province: 'Ohio',
    province_code: 'OH',
    zip: '43004',
    country: 'United States',
    country_code: 'US',
    name: 'Pat Sample',
  },
  shipping_lines: [{ id: 91, title: 'Standard', code: 'STD', source: 'shopify' }],
  fulfillments: [],
  line_items: [
    aLine({ id: 101, quantity: 3, fulfillable_quantity: 3 }),
    aLine({
      id: 102,
      title: 'Enamel mug, red',
      sku: 'MUG-RED',
      variant_id: null,
      quantity: 1,
      fulfillable_quantity: 1,
    }),
    aLine({
      id: 103,
      title: 'Gift card',
      gift_card: true,
      requires_shipping: false,
      fulfillment_service: 'gift_card',
    }),
    aLine({ id: 104, title: 'Sent by others', fulfillment_service: 'other-house' }),
    aLine({ id: 105, title: 'Gone', quantity: 1, fulfillable_quantity: 0 }),
  ],
  ...changes,
});

export const aLine = (changes: object): object => ({
  variant_id: 44550000000001,
  product_id: 88110000000001,
  title: 'Moon lamp',
  name: 'Moon lamp',
  variant_title: null,
  sku: 'LAMP-MOON',
  vendor: 'Sandbox',
  quantity: 1,
  fulfillable_quantity: 1,
  fulfillment_service: 'manual',
  requires_shipping: true,
  gift_card: false,
  price: '19.90',
  properties: [],
  ...changes,
});

/** Registers the order and answers with its gid. */
export async function givenShopOrder(world: Sandbox, body: object | string = anOrderBody()): Promise<string> {
  const answer = await control(world, 'POST', '/shop/orders', body);
  if (!answer.ok) throw new Error(await answer.text());
  return z.object({ orderId: z.string() }).parse(await answer.json()).orderId;
}

const FulfillmentOrders = z.object({
  order: z.object({
    displayFulfillmentStatus: z.string(),
    fulfillmentOrders: z.object({
      nodes: z.array(
        z.object({
          id: z.string(),
          status: z.string(),
          supportedActions: z.array(z.object({ action: z.string() })),
          lineItems: z.object({
            nodes: z.array(
              z.object({
                id: z.string(),
                totalQuantity: z.int(),
                remainingQuantity: z.int(),
                lineItem: z.object({ id: z.string() }),
              }),
            ),
          }),
        }),
      ),
    }),
  }),
});

export async function fulfillmentOrdersOf(world: Sandbox, id: string) {
  const { data } = await ask(
    world,
    `query Open($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillmentOrders(first: 8) { nodes {
      id status supportedActions { action }
      lineItems(first: 40) { nodes { id totalQuantity remainingQuantity lineItem { id } } } } } } }`,
    { id },
  );
  return FulfillmentOrders.parse(data).order;
}

const Shipped = z.object({
  fulfillmentCreate: z.object({
    fulfillment: z.object({ id: z.string(), name: z.string(), status: z.string() }).nullable(),
    userErrors: z.array(z.object({ field: z.array(z.string()).nullable(), message: z.string() })),
  }),
});

export const SHIP = `mutation Ship($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id name status trackingInfo(first: 10) { company number url } } userErrors { field message } } }`;

/** Ships `quantity` of each given fulfilment order line. */
export async function ship(
  world: Sandbox,
  parts: { fulfillmentOrderId: string; lines?: { id: string; quantity: number }[] }[],
  number = 'CJP1',
) {
  const f = {
    notifyCustomer: true,
    trackingInfo: { company: 'CJPacket', number, url: `https://track.example/${number}` },
    lineItemsByFulfillmentOrder: parts.map(({ fulfillmentOrderId, lines }) => ({
      fulfillmentOrderId,
      ...(lines === undefined ? {} : { fulfillmentOrderLineItems: lines }),
    })),
  };
  const { data } = await ask(world, SHIP, { f });
  return Shipped.parse(data).fulfillmentCreate;
}
