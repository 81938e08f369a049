import { createHash } from 'node:crypto';
import { z } from 'zod';
import { REREAD_ORDER, type RereadOrder } from '../../contracts/commands/reread-order.ts';
import { envelope } from '../../contracts/envelope.ts';
import { AppError } from '../../contracts/errors.ts';
import { ORDER_RECEIVED, ORDER_UPDATED } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { Instant } from '../../contracts/resources/list-query.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import type { WebhookTopic } from '../../contracts/webhook-topics.ts';
import { eventRow } from '../../services/bus/commit-and-publish.ts';
import { toOrderFacts } from '../../services/order-facts.ts';
import type { CustomerRow } from '../../services/store/customers.ts';
import type { OutboxRow } from '../../services/store/outbox.ts';
import type { ShopNews } from '../../services/store/shop-news.ts';
import { currentWork } from '../../services/work.ts';
import { fieldsOf } from '../read-input.ts';

/** What is needed of the delivery that a body came with. */
export interface BodySource {
  readonly shop: string;
  readonly topic: string;
  /** There is a login for the shop: it can be asked before anything is bought. */
  readonly canBeReread: boolean;
  /** Authorised money counts as paid. */
  readonly buysAuthorized: boolean;
  /** The event's id, or the delivery's where there is none: two subscriptions tell of one event, and it is said once. */
  readonly causeId: string;
  /** When it happened, as the shop wrote it. */
  readonly triggeredAt: string | null;
}

/** What a body comes to: rows for the inbox's transaction, and at most one message. */
export interface Taken {
  readonly orderId: string | null;
  /** What of the body is kept. */
  readonly kept: unknown;
  readonly customer: CustomerRow | null;
  readonly message: OutboxRow | null;
  readonly news: ShopNews | null;
}

type ReadBody = (json: unknown, source: BodySource) => Taken;

const NOTHING: Omit<Taken, 'kept'> = { orderId: null, customer: null, message: null, news: null };

/** Ids are text here, as the exact parser and `String` leave them. */
export const Id = z
  .union([z.string(), z.int()])
  .transform(String)
  .pipe(z.string().regex(/^[1-9]\d{0,19}$/, 'must be an id'));

function check<T extends z.ZodType>(schema: T, json: unknown, topic: string): z.output<T> {
  const body = schema.safeParse(json);
  if (body.success) return body.data;
  throw new AppError('body_invalid', `the body of ${topic} lacks what is needed`, {
    retryable: false,
    fields: fieldsOf(body.error, 'body'),
  });
}

const messageIdOf = ({ topic, causeId }: BodySource, id: string): string =>
  `shopify:${topic}:${causeId}:${id}`;

const digestOf = (facts: object): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 11);

/** An order body is a fact for the order's partition by itself. */
const order: ReadBody = (json, source) => {
  const body = check(ShopifyOrderBody, json, source.topic);
  const isNew = source.topic === 'orders/create';
  const toldAt = isNew ? body.created_at : body.updated_at;
  const { received, customer } = toOrderFacts(body, source.shop, source.buysAuthorized, toldAt);
  const { orderId, sourceUpdatedAt } = received;
  const message = eventRow({
    // One event may change an order twice, also within one second of the shop's clock.
    messageId: messageIdOf(source, `${sourceUpdatedAt}:${digestOf(received)}:${orderId}`),
    source: '/gateway',
    type: isNew ? ORDER_RECEIVED : ORDER_UPDATED,
    data: { ...received, canBeReread: source.canBeReread },
  });
  return { ...NOTHING, orderId, kept: json, customer, message };
};

/** Asks the shopify service to look: these bodies name an order and do not say what it is now. */
function hint(source: BodySource, data: RereadOrder): OutboxRow {
  const id = 'shopOrderId' in data ? data.shopOrderId : data.fulfillmentOrderId;
  const more = [
    ['deleted', 'deleted-'],
    ['fulfillmentCancelled', 'cancelled-'],
    ['movedFromId', 'moved-'],
  ] as const;
  const what = more.find(([field]) => field in data)?.[1] ?? '';
  const messageId = messageIdOf(source, `${what}${id}`);
  const message = envelope({
    id: messageId,
    source: '/gateway',
    type: `shopify.${REREAD_ORDER}`,
    subject: id,
    time: new Date().toISOString(),
    data,
    traceparent: currentWork()?.traceparent,
  });
  // One subject a hint: while a reading is under way, the next hint may know of something that it has not seen. Those of
  // one event are one, but for what says more than that something happened.
  const place = `${id}-${what}${source.causeId.replaceAll(/[^\w-]/g, '_')}`;
  return {
    messageId,
    subject: commandSubject('shopify', REREAD_ORDER, place),
    payload: JSON.stringify(message),
  };
}

/** @param schema finds the shop's order id in the body. */
const orderHint =
  (
    schema: z.ZodType<string>,
    more: { readonly deleted?: true; readonly fulfillmentCancelled?: true } = {},
  ): ReadBody =>
  (json, source) => {
    const shopOrderId = check(schema, json, source.topic);
    const { shop } = source;
    const orderId = orderIdOf(shop, shopOrderId);
    const message = hint(source, { shop, shopOrderId, ...more });
    return { ...NOTHING, orderId, kept: { order_id: shopOrderId }, message };
  };

const ofOrder = z.object({ order_id: Id }).transform(({ order_id }) => order_id);
const Fulfillment = z.object({ order_id: Id, status: z.string().nullish().catch(null) });
const fulfillment: ReadBody = (json, source) => {
  const { order_id, status } = check(Fulfillment, json, source.topic);
  const more = status === 'cancelled' ? { fulfillmentCancelled: true as const } : {};
  return { ...orderHint(ofOrder, more)(json, source), kept: { order_id, status } };
};
const ofEdit = z
  .object({ order_edit: z.object({ order_id: Id }) })
  .transform(({ order_edit }) => order_edit.order_id);
/** The digits of a global id. */
const digitsOf = (kind: 'Order' | 'FulfillmentOrder' | 'ProductVariant') =>
  z
    .string()
    .regex(new RegExp(`^gid://shopify/${kind}/\\d+$`), 'must be a global id')
    .transform((gid) => gid.slice(gid.lastIndexOf('/') + 1));
const ofId = z.object({ id: Id }).transform(({ id }) => id);
/** Of a body that may be the order, or no more than its ids. */
const ofAnyOrder = z.union([
  ofOrder,
  z
    .object({ admin_graphql_api_order_id: digitsOf('Order') })
    .transform((ids) => ids.admin_graphql_api_order_id),
  ofId,
]);

const fulfillmentOrderGid = z.object({ id: digitsOf('FulfillmentOrder') }).transform(({ id }) => id);

/** Bodies about fulfilment orders do not name their order. */
const readHintOf = (
  source: BodySource,
  fulfillmentOrderId: string,
  more: { readonly movedFromId?: string } = {},
): Taken => ({
  ...NOTHING,
  kept: { fulfillment_order_id: fulfillmentOrderId, ...more },
  message: hint(source, { shop: source.shop, fulfillmentOrderId, ...more }),
});

const ofFulfillmentOrder = z.object({ fulfillment_order: fulfillmentOrderGid });
const fulfillmentOrderHint: ReadBody = (json, source) =>
  readHintOf(source, check(ofFulfillmentOrder, json, source.topic).fulfillment_order);

/** What is absent or null is empty. */
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

/** A product may have 2,048 variants, of which a body shows this many; the names of all stand beside them. */
const MOST_SHOWN = 100;
const Product = z.object({
  id: Id,
  variants: z.array(z.object({ id: Id })).nullish(),
  variant_gids: z
    .array(z.object({ admin_graphql_api_id: digitsOf('ProductVariant') }))
    .nullish()
    .catch(null),
});

/** All variants that the product has; null where the body does not say, or may not name all of them. */
function variantIdsIn({ variants, variant_gids: named }: z.output<typeof Product>): string[] | null {
  if (!variants || (!named && variants.length >= MOST_SHOWN)) return null;
  const others = (named ?? []).map((variant) => variant.admin_graphql_api_id);
  return [...new Set([...variants.map((variant) => variant.id), ...others])];
}

const product =
  (isGone: boolean): ReadBody =>
  (json, { topic, triggeredAt }) => {
    const body = check(Product, json, topic);
    const { id } = body;
    const variantIds = isGone ? null : variantIdsIn(body);
    // A body that names no variants does not say that there are none.
    if (!isGone && variantIds === null) return { ...NOTHING, kept: { id } };
    const at = Instant.safeParse(triggeredAt).data ?? null;
    const news: ShopNews = { kind: 'product_changed', productId: id, variantIds, at };
    return { ...NOTHING, kept: { id, variants: variantIds?.map((variantId) => ({ id: variantId })) }, news };
  };

const Scopes = z.object({ current: z.array(z.string()) });
/** Privacy bodies name a person; only the ids of their orders are kept. */
const orderIds = (key: 'orders_requested' | 'orders_to_redact') =>
  z.object({ [key]: listOf(Id) }).transform((body) => body[key] ?? []);
const ofCustomer = z
  .object({ customer: z.object({ id: Id }) })
  .transform(({ customer }) => customer.id)
  .nullable()
  .catch(null);

const privacy =
  (kind: 'data_requested' | 'customer_redacted', key: Parameters<typeof orderIds>[0]): ReadBody =>
  (json, { topic, shop }) => {
    const ids = check(orderIds(key), json, topic);
    const customerId = ofCustomer.parse(json);
    const news: ShopNews = { kind, orderIds: ids.map((id) => orderIdOf(shop, id)), customerId };
    return { ...NOTHING, kept: { [key]: ids }, news };
  };

const ofMove = z.object({
  moved_fulfillment_order: fulfillmentOrderGid,
  original_fulfillment_order: fulfillmentOrderGid.nullish().catch(null),
});
const moveHint: ReadBody = (json, source) => {
  const { moved_fulfillment_order: to, original_fulfillment_order: from } = check(ofMove, json, source.topic);
  return readHintOf(
    source,
    to,
    from === null || from === undefined || from === to ? {} : { movedFromId: from },
  );
};

const ofMerge = z.object({ fulfillment_order_merges: ofFulfillmentOrder });
const mergeHint: ReadBody = (json, source) =>
  readHintOf(source, check(ofMerge, json, source.topic).fulfillment_order_merges.fulfillment_order);

/** How the body of each topic is read. */
export const TOPICS: Readonly<Record<WebhookTopic, ReadBody>> = {
  'orders/create': order,
  'orders/updated': order,
  'orders/paid': order,
  'orders/cancelled': order,
  'orders/edited': orderHint(ofEdit),
  'orders/delete': orderHint(ofId, { deleted: true }),
  'orders/risk_assessment_changed': orderHint(ofAnyOrder),
  'refunds/create': orderHint(ofOrder),
  'fulfillments/create': orderHint(ofOrder),
  'fulfillments/update': fulfillment,
  'fulfillment_orders/order_routing_complete': fulfillmentOrderHint,
  'fulfillment_orders/placed_on_hold': fulfillmentOrderHint,
  'fulfillment_orders/hold_released': fulfillmentOrderHint,
  'fulfillment_orders/cancelled': fulfillmentOrderHint,
  'fulfillment_orders/split': fulfillmentOrderHint,
  'fulfillment_orders/merged': mergeHint,
  'fulfillment_orders/moved': moveHint,
  'fulfillment_orders/rescheduled': fulfillmentOrderHint,
  'fulfillment_orders/scheduled_fulfillment_order_ready': fulfillmentOrderHint,
  'products/update': product(false),
  'products/delete': product(true),
  'app/uninstalled': (_, { shop }) => ({ ...NOTHING, kept: { shop }, news: { kind: 'uninstalled' } }),
  'app/scopes_update': (json, { topic }) => {
    const { current } = check(Scopes, json, topic);
    return { ...NOTHING, kept: { current }, news: { kind: 'scopes_changed', scopes: current } };
  },
  'customers/data_request': privacy('data_requested', 'orders_requested'),
  'customers/redact': privacy('customer_redacted', 'orders_to_redact'),
  'shop/redact': (_, { shop }) => ({ ...NOTHING, kept: { shop }, news: { kind: 'shop_redacted' } }),
};
