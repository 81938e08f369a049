import { utcTime } from './envelope.ts';
import { type CjOrder, statusOf, trackingOf } from './order.ts';
import type { CjOrders } from './orders.ts';
import type { CjPushes } from './pushes.ts';
import { UNSHIPPED } from './trials.ts';

/** Numbers of the carrier's news, as CJ's pushes have them. */
const LEFT_WAREHOUSE = 1;
const ON_ITS_WAY = 5;
const DELIVERED = 12;
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
 * Has each change of an order pushed: what somebody does at once, what time does when it happens, told as it was at that
 * moment even when the machine is late. Journeys that an earlier run began go on. The answer stops it.
 */
export function startOrderPushes(orders: CjOrders, pushes: CjPushes): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const followed = new Set<string>();
  const tellOrder = (order: CjOrder, now: number): void =>
    pushes.send('order', { type: 'ORDER', messageType: 'UPDATE', params: orderParams(order, now) });
  const tellParcel = (order: CjOrder, trackingStatus: number, now: number): void => {
    const number = trackingOf(order, now);
    if (number === null) return;
    const params = logisticParams(order, number, trackingStatus, now);
    pushes.send('logistics', { type: 'LOGISTIC', messageType: 'UPDATE', params });
  };
  const at = (instant: number, act: (instant: number) => void): void => {
    const ms = Math.max(0, instant - Date.now());
    if (ms > MOST_TIMER_MS) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      act(instant);
    }, ms);
    timers.add(timer.unref());
  };
  /** @param since what happened before it has been told. */
  const follow = (order: CjOrder, since: number): void => {
    const { journey, payments, sdCode, split } = order;
    if (journey === null || payments.length === 0 || split !== null || followed.has(sdCode)) return;
    followed.add(sdCode);
    const steps: readonly (readonly [number, (now: number) => void])[] = [
      [journey.announcedAt, (now) => tellOrder(order, now)],
      [
        journey.shippedAt,
        (now) => {
          tellOrder(order, now);
          tellParcel(order, LEFT_WAREHOUSE, now);
        },
      ],
      [journey.inTransitAt, (now) => tellParcel(order, ON_ITS_WAY, now)],
      [
        journey.deliveredAt,
        (now) => {
          tellOrder(order, now);
          tellParcel(order, DELIVERED, now);
        },
      ],
    ];
    for (const [instant, act] of steps) if (instant >= since) at(instant, act);
  };

  orders.onChange((order, parts) => {
    const now = Date.now();
    tellOrder(order, now);
    if (parts.length > 0) {
      const params = splitParams(order, parts, now);
      pushes.send('order', { type: 'ORDERSPLIT', messageType: 'INSERT', params });
    }
    for (const member of [order, ...parts]) follow(member, 0);
  });
  const startedAt = Date.now();
  for (const order of orders.all()) follow(order, startedAt);
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
