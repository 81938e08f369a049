import type { Journal } from '../journal.ts';
import { toGid } from './gid.ts';
import { RestOrder } from './rest-order.ts';
import {
  type Fulfillment,
  type FulfillmentOrder,
  fulfillmentOrderStatusOf,
  ShopOrder,
} from './shop-order.ts';
import { toRestFulfillment, toRestOrder } from './to-rest-order.ts';
import { toShopOrder } from './to-shop-order.ts';

/** Far above the ids of real bodies of today's size, and still exact in a double. */
const FIRST_OWN_ID = 7_100_000_000_000;

export interface Shop {
  readonly domain: string;
  /**
   * Takes the order in unless it is known: then nothing changes. Throws ZodError on a body that is no order.
   */
  register(body: unknown): { order: ShopOrder; isNew: boolean };
  order(id: string): ShopOrder | undefined;
  orders(): ShopOrder[];
  fulfillmentOrder(id: string): { order: ShopOrder; fulfillmentOrder: FulfillmentOrder } | undefined;
  fulfillment(id: string): { order: ShopOrder; fulfillment: Fulfillment } | undefined;
  /** Keeps a changed order, stamps it as updated now and says so. */
  touch(order: ShopOrder): void;
  /** @param topic in the API's words. */
  tellOrder(topic: string, order: ShopOrder): void;
  tellFulfillment(topic: string, order: ShopOrder, fulfillment: Fulfillment): void;
  tellFulfillmentOrder(topic: string, order: ShopOrder, work: FulfillmentOrder): void;
  tell(topic: string, body: () => object): void;
  /** Who is told from now on. */
  listen(tell: (topic: string, body: () => object) => void): void;
  /** The merchant deletes it. */
  remove(order: ShopOrder): void;
  /** An id that nothing in this shop has. */
  nextId(): string;
}

/** The shop tells time in whole seconds. */
export const nowText = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** The shop's orders and what became of them. */
export function createShop(journal: Journal, domain: string): Shop {
  const kept = journal.collection('shop_order', ShopOrder);
  const counter = journal.collection('shop_last_id', ShopOrder.shape.id);
  const byFulfillmentOrder = new Map<string, ShopOrder>();
  const byFulfillment = new Map<string, ShopOrder>();
  let lastId = Number(counter.get('last') ?? FIRST_OWN_ID);

  const index = (order: ShopOrder): void => {
    for (const { id } of order.fulfillmentOrders) byFulfillmentOrder.set(id, order);
    for (const { id } of order.fulfillments) byFulfillment.set(id, order);
  };
  for (const order of kept.all()) index(order);

  const save = (order: ShopOrder): void => {
    counter.put('last', String(lastId));
    kept.put(order.id, order);
    index(order);
  };
  const nextId = (): string => {
    lastId += 1;
    return String(lastId);
  };

  let tell: (topic: string, body: () => object) => void = () => {};
  const tellOrder = (topic: string, order: ShopOrder): void => tell(topic, () => toRestOrder(order));
  const tellFulfillmentOrder: Shop['tellFulfillmentOrder'] = (topic, order, work) =>
    tell(topic, () => ({
      fulfillment_order: {
        id: toGid('FulfillmentOrder', work.id),
        status: fulfillmentOrderStatusOf(order, work).toLowerCase(),
      },
    }));

  return {
    domain,
    listen(listener) {
      tell = listener;
    },
    tell: (topic, body) => tell(topic, body),
    tellOrder,
    tellFulfillment: (topic, order, fulfillment) => tell(topic, () => toRestFulfillment(order, fulfillment)),
    tellFulfillmentOrder,
    register(body) {
      const rest = RestOrder.parse(body);
      const known = kept.get(rest.id);
      if (known !== undefined) return { order: known, isNew: false };
      const order = toShopOrder(rest, nextId);
      save(order);
      tellOrder('ORDERS_CREATE', order);
      for (const work of order.fulfillmentOrders)
        tellFulfillmentOrder('FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE', order, work);
      return { order, isNew: true };
    },
    order: (id) => [kept.get(id)].find((order) => order?.isDeleted === false),
    orders: () => kept.all().filter(({ isDeleted }) => !isDeleted),
    fulfillmentOrder(id) {
      const order = byFulfillmentOrder.get(id);
      const fulfillmentOrder = order?.fulfillmentOrders.find((candidate) => candidate.id === id);
      return order === undefined || fulfillmentOrder === undefined ? undefined : { order, fulfillmentOrder };
    },
    fulfillment(id) {
      const order = byFulfillment.get(id);
      const fulfillment = order?.fulfillments.find((candidate) => candidate.id === id);
      return order === undefined || fulfillment === undefined ? undefined : { order, fulfillment };
    },
    touch(order) {
      order.updatedAt = nowText();
      save(order);
      tellOrder('ORDERS_UPDATED', order);
    },
    remove(order) {
      order.isDeleted = true;
      save(order);
      tell('ORDERS_DELETE', () => ({ id: Number(order.id) }));
    },
    nextId,
  };
}
