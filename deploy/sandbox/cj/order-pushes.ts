import { utcTime } from './envelope.ts';
import { type CjOrder, type Journey, statusOf, trackingOf } from './order.ts';
import type { CjOrders } from './orders.ts';
import type { CjPushes } from './pushes.ts';

/** Numbers of the carrier's news, as CJ's pushes have them. */
const LEFT_WAREHOUSE = 1;
const ON_ITS_WAY = 5;
const DELIVERED = 12;
/** The number of UNSHIPPED, which is what the parts of a split order are in. */
const UNSHIPPED = 400;

const orderParams = (order: CjOrder, now: number): object => {
  const { journey } = order;
  const trackNumber = trackingOf(order, now);
  const instant = (at: number | undefined): string | null =>
    at === undefined || at > now ? null : utcTime(at);
  return {
    orderNumber: order.orderNumber,
    cjOrderId: order.sdCode,
    orderStatus: statusOf(order, now),
    logisticName: order.logisticName,
    trackNumber,
    trackingUrl: trackNumber === null ? null : `https://track.example/?n=${trackNumber}`,
    createDate: utcTime(order.createdAt),
    updateDate: utcTime(now),
    payDate: instant(order.payments[0]),
    deliveryDate: instant(journey?.shippedAt),
    completeDate: instant(journey?.deliveredAt),
    orderItems: order.products.map(({ vid, quantity, lineItemId, storeLineItemId }) => ({
      vid,
      quantity,
      lineItemId,
      storeLineItemId,
    })),
  };
};

const logisticParams = (
  order: CjOrder,
  trackingNumber: string,
  trackingStatus: number,
  now: number,
): object => ({
  orderId: order.sdCode,
  storeOrderNumbers: [order.orderNumber],
  logisticName: order.logisticName,
  trackingNumber,
  trackingProvider: order.logisticName,
  trackingUrl: `https://track.example/?n=${trackingNumber}`,
  trackingStatus,
  logisticsTrackEvents: JSON.stringify([
    { status: String(trackingStatus), activity: 'Scanned', location: 'Sandbox', eventTime: utcTime(now) },
  ]),
});

const splitParams = (order: CjOrder, parts: readonly CjOrder[], now: number): object => ({
  originalOrderId: order.sdCode,
  orderSplitTime: utcTime(now),
  splitOrderList: parts.map(({ sdCode, createdAt, products }) => ({
    orderCode: sdCode,
    createAt: createdAt,
    orderStatus: UNSHIPPED,
    productList: products.map(({ vid, quantity }) => ({ sku: null, vid, quantity, productCode: null })),
  })),
});

/** Longer ones would fire at once. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/**
 * Has each change of an order pushed: what somebody does at once, what time does when it happens. Journeys that an
 * earlier run began go on. The answer stops it.
 */
export function startOrderPushes(orders: CjOrders, pushes: CjPushes): () => void {
  const timers = new Set<NodeJS.Timeout>();
  /** @param now the instant of the news: a late timer tells of it as it was then. */
  const tellOrder = (order: CjOrder, now = Date.now()): void =>
    pushes.send('order', { type: 'ORDER', messageType: 'UPDATE', params: orderParams(order, now) });
  const tellParcel = (order: CjOrder, trackingStatus: number, now: number): void => {
    const number = trackingOf(order, now);
    if (number === null) return;
    const params = logisticParams(order, number, trackingStatus, now);
    pushes.send('logistics', { type: 'LOGISTIC', messageType: 'UPDATE', params });
  };
  const at = (instant: number, act: () => void): void => {
    const ms = instant - Date.now();
    if (ms < 0 || ms > MOST_TIMER_MS) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer.unref());
  };
  const follow = (order: CjOrder, { announcedAt, shippedAt, inTransitAt, deliveredAt }: Journey): void => {
    at(announcedAt, () => tellOrder(order, announcedAt));
    at(shippedAt, () => {
      tellOrder(order, shippedAt);
      tellParcel(order, LEFT_WAREHOUSE, shippedAt);
    });
    at(inTransitAt, () => tellParcel(order, ON_ITS_WAY, inTransitAt));
    at(deliveredAt, () => {
      tellOrder(order, deliveredAt);
      tellParcel(order, DELIVERED, deliveredAt);
    });
  };
  const followAll = (many: readonly CjOrder[]): void => {
    for (const order of many)
      if (order.journey !== null && order.split === null) follow(order, order.journey);
  };

  orders.onChange((order, parts) => {
    tellOrder(order);
    if (parts.length > 0) {
      const params = splitParams(order, parts, Date.now());
      pushes.send('order', { type: 'ORDERSPLIT', messageType: 'INSERT', params });
    }
    followAll(parts.length > 0 ? parts : [order]);
  });
  followAll(orders.all());
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
