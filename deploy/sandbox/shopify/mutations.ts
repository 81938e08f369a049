import { fromGid } from './gid.ts';
import { fulfillmentEventView, fulfillmentView, orderView, supportedActionsOf } from './order-view.ts';
import { subscriptionView } from './queries.ts';
import { nowText, type Shop } from './shop.ts';
import {
  type Fulfillment,
  type FulfillmentEvent,
  fulfillmentOrderStatusOf,
  remainingOf,
  type ShopOrder,
} from './shop-order.ts';
import { UserRefusal } from './user-refusal.ts';
import type { Webhooks } from './webhooks.ts';
import { type HoldInput, hold, type Picked, pick, release } from './work-holds.ts';

interface TrackingInput {
  company?: string | null;
  number?: string | null;
  numbers?: string[] | null;
  url?: string | null;
  urls?: string[] | null;
}

interface FulfillmentInput {
  lineItemsByFulfillmentOrder: {
    fulfillmentOrderId: string;
    fulfillmentOrderLineItems?: { id: string; quantity: number }[] | null;
  }[];
  notifyCustomer?: boolean | null;
  trackingInfo?: TrackingInput | null;
}

type EventInput = { fulfillmentId: string; status: string; happenedAt?: string | null } & {
  [name in 'estimatedDeliveryAt' | 'message' | 'address1' | 'city' | 'province' | 'country' | 'zip']?:
    | string
    | null;
} & { latitude?: number | null; longitude?: number | null };

interface OrderInput {
  id: string;
  note?: string | null;
  email?: string | null;
  phone?: string | null;
  tags?: string[] | null;
  customAttributes?: { key: string; value: string }[] | null;
}

/** Runs a mutation; a refusal answers with the payload's own field null. */
function payload<T extends string>(name: T, run: () => unknown): object {
  try {
    return { [name]: run(), userErrors: [] };
  } catch (error) {
    if (!(error instanceof UserRefusal)) throw error;
    return { [name]: null, userErrors: [{ field: error.field, message: error.message }] };
  }
}

function trackingOf(input: TrackingInput | null | undefined): Fulfillment['tracking'] {
  const numbers = input?.numbers ?? (input?.number == null ? [] : [input.number]);
  const urls = input?.urls ?? (input?.url == null ? [] : [input.url]);
  return numbers.map((number, index) => ({
    company: input?.company ?? null,
    number,
    url: urls[index] ?? null,
  }));
}

function refuseUnshippable({ order, fulfillmentOrder }: Picked): void {
  if (supportedActionsOf(order, fulfillmentOrder).includes('CREATE_FULFILLMENT')) return;
  const status = fulfillmentOrderStatusOf(order, fulfillmentOrder).toLowerCase();
  throw new UserRefusal(
    ['fulfillment'],
    status === 'open' || status === 'in_progress'
      ? 'The api_client does not have access to fulfill this fulfillment order.'
      : `Fulfillment order ${fulfillmentOrder.id} has an unfulfillable status= ${status}.`,
  );
}

/** Explicit quantities, or all that remains. Only quantities above what remains are refused, not repeats. */
function linesToShip(
  { order, fulfillmentOrder }: Picked,
  wanted: { id: string; quantity: number }[] | null | undefined,
): { fulfillmentOrderLineId: string; lineItemId: string; quantity: number }[] {
  const all = fulfillmentOrder.lines.map((line) => ({ line, quantity: remainingOf(order, line) }));
  if (wanted == null || wanted.length === 0) {
    return all
      .filter(({ quantity }) => quantity > 0)
      .map(({ line, quantity }) => ({
        fulfillmentOrderLineId: line.id,
        lineItemId: line.lineItemId,
        quantity,
      }));
  }
  return wanted.map(({ id, quantity }) => {
    const entry = all.find(({ line }) => line.id === fromGid('FulfillmentOrderLineItem', id));
    if (entry === undefined || quantity < 1 || quantity > entry.quantity) {
      throw new UserRefusal(['fulfillment'], 'Invalid fulfillment order line item quantity requested.');
    }
    // The same line named twice in one call must not exceed what remains in sum.
    entry.quantity -= quantity;
    return { fulfillmentOrderLineId: entry.line.id, lineItemId: entry.line.lineItemId, quantity };
  });
}

function ship(shop: Shop, input: FulfillmentInput): object {
  const parts = input.lineItemsByFulfillmentOrder.map((part) => ({
    ...pick(shop, part.fulfillmentOrderId),
    wanted: part.fulfillmentOrderLineItems,
  }));
  const order = parts[0]?.order;
  if (order === undefined)
    throw new UserRefusal(['fulfillment'], 'At least one fulfillment order is required.');
  if (parts.some((part) => part.order !== order)) {
    throw new UserRefusal(['fulfillment'], 'All fulfillment orders must belong to the same order.');
  }
  if (new Set(parts.map(({ fulfillmentOrder }) => fulfillmentOrder.location)).size > 1)
    throw new UserRefusal(['fulfillment'], 'All fulfillment orders must be assigned to the same location.');
  for (const part of parts) refuseUnshippable(part);
  const lines = parts.flatMap((part) => linesToShip(part, part.wanted));
  const now = nowText();
  const fulfillment: Fulfillment = {
    id: shop.nextId(),
    name: `${order.name}.${order.fulfillments.length + 1}`,
    status: 'SUCCESS',
    createdAt: now,
    updatedAt: now,
    tracking: trackingOf(input.trackingInfo),
    lines: lines.map((line) => ({ id: shop.nextId(), ...line })),
    events: [],
    notifications: input.notifyCustomer === true ? 1 : 0,
    isImported: false,
  };
  order.fulfillments.push(fulfillment);
  shop.touch(order);
  shop.tellFulfillment('FULFILLMENTS_CREATE', order, fulfillment);
  return fulfillmentView(order, fulfillment);
}

function shipped(shop: Shop, gid: string, field: string) {
  const found = shop.fulfillment(fromGid('Fulfillment', gid) ?? '');
  if (found === undefined) throw new UserRefusal([field], 'Fulfillment does not exist.');
  if (found.fulfillment.status === 'CANCELLED') throw new UserRefusal([field], 'Fulfillment is cancelled.');
  return found;
}

const ownOrder = (shop: Shop, gid: string): ShopOrder => {
  const order = shop.order(fromGid('Order', gid) ?? '');
  if (order === undefined) throw new UserRefusal(['id'], 'Order does not exist');
  return order;
};

function addEvent(shop: Shop, input: EventInput): object {
  const { order, fulfillment } = shipped(shop, input.fulfillmentId, 'fulfillmentEvent');
  const event: FulfillmentEvent = {
    id: shop.nextId(),
    status: input.status,
    happenedAt: input.happenedAt ?? nowText(),
    createdAt: nowText(),
    estimatedDeliveryAt: input.estimatedDeliveryAt ?? null,
    message: input.message ?? null,
    address1: input.address1 ?? null,
    city: input.city ?? null,
    province: input.province ?? null,
    country: input.country ?? null,
    zip: input.zip ?? null,
    latitude: input.latitude ?? null,
    longitude: input.longitude ?? null,
  };
  fulfillment.events.push(event);
  fulfillment.updatedAt = event.createdAt;
  shop.touch(order);
  return fulfillmentEventView(event);
}

const MAX_TAG_LENGTH = 40;

function addTags(shop: Shop, gid: string, tags: string[]): object {
  const order = ownOrder(shop, gid);
  if (tags.some((tag) => tag.length > MAX_TAG_LENGTH)) {
    throw new UserRefusal(['tags'], `Tag exceeds the maximum length of ${MAX_TAG_LENGTH} characters`);
  }
  const added = [...new Set(tags)].filter((tag) => !order.tags.includes(tag));
  if (added.length > 0) {
    order.tags.push(...added);
    shop.touch(order);
  }
  return orderView(order);
}

/** The root resolvers of every mutation. Arguments have been checked against the schema. */
export const createMutations = (shop: Shop, webhooks: Webhooks) => ({
  webhookSubscriptionCreate: (args: { topic: string; webhookSubscription: { uri?: string | null } }) =>
    payload('webhookSubscription', () => {
      const { uri } = args.webhookSubscription;
      if (uri == null) throw new UserRefusal(['webhookSubscription', 'uri'], "Address can't be blank");
      const made = webhooks.subscribe(args.topic, uri);
      if (made === undefined)
        throw new UserRefusal(
          ['webhookSubscription', 'uri'],
          'Address for this topic has already been taken',
        );
      return subscriptionView(made);
    }),

  fulfillmentCreate: ({ fulfillment }: { fulfillment: FulfillmentInput }) =>
    payload('fulfillment', () => ship(shop, fulfillment)),

  fulfillmentTrackingInfoUpdate: (args: {
    fulfillmentId: string;
    trackingInfoInput: TrackingInput;
    notifyCustomer?: boolean | null;
  }) =>
    payload('fulfillment', () => {
      const { order, fulfillment } = shipped(shop, args.fulfillmentId, 'fulfillmentId');
      fulfillment.tracking = trackingOf(args.trackingInfoInput);
      fulfillment.updatedAt = nowText();
      if (args.notifyCustomer === true) fulfillment.notifications += 1;
      shop.touch(order);
      shop.tellFulfillment('FULFILLMENTS_UPDATE', order, fulfillment);
      return fulfillmentView(order, fulfillment);
    }),

  fulfillmentEventCreate: ({ fulfillmentEvent }: { fulfillmentEvent: EventInput }) =>
    payload('fulfillmentEvent', () => addEvent(shop, fulfillmentEvent)),

  fulfillmentOrderHold: ({ id, fulfillmentHold }: { id: string; fulfillmentHold: HoldInput }) =>
    payload('fulfillmentHold', () => hold(shop, id, fulfillmentHold)),

  fulfillmentOrderReleaseHold: ({ id, holdIds }: { id: string; holdIds?: string[] | null }) =>
    payload('fulfillmentOrder', () => release(shop, id, holdIds)),

  tagsAdd: ({ id, tags }: { id: string; tags: string[] }) => payload('node', () => addTags(shop, id, tags)),

  orderUpdate: ({ input }: { input: OrderInput }) =>
    payload('order', () => {
      const order = ownOrder(shop, input.id);
      if (input.note !== undefined) order.note = input.note;
      if (input.email !== undefined) order.email = input.email;
      if (input.phone !== undefined) order.phone = input.phone;
      if (input.tags != null) order.tags = input.tags;
      if (input.customAttributes != null) order.customAttributes = input.customAttributes;
      shop.touch(order);
      return orderView(order);
    }),
});
