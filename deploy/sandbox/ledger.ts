import * as aliExpress from './aliexpress/order.ts';
import type { AliExpressOrders } from './aliexpress/orders.ts';
import { amountOf, statusOf } from './cj/order.ts';
import type { CjOrders } from './cj/orders.ts';
import type { Faults } from './faults.ts';
import type { Mailbox } from './mailbox.ts';
import { toGid } from './shopify/gid.ts';
import type { Shop } from './shopify/shop.ts';

const cjPurchases = (orders: CjOrders, now: number): object[] =>
  [
    ...Map.groupBy(
      orders.all().filter(({ partOf }) => partOf === null),
      ({ orderNumber }) => orderNumber,
    ),
  ].map(([orderNumber, all]) => ({
    orderNumber,
    supplier: 'cj_dropshipping',
    orders: all.map((order) => ({
      orderId: order.sdCode,
      sdCode: order.sdCode,
      status: statusOf(order, now),
      paidCount: order.payments.length,
      amount: amountOf(order),
      currency: 'USD',
      products: order.products.map(({ vid, quantity }) => ({ vid, quantity })),
    })),
  }));

/** An order without a number of the merchant's stands under its own. */
const aliExpressPurchases = (orders: AliExpressOrders, now: number): object[] =>
  [...Map.groupBy(orders.all(), ({ outOrderId, orderId }) => outOrderId ?? orderId)].map(
    ([orderNumber, all]) => ({
      orderNumber,
      supplier: 'aliexpress',
      orders: all.map((order) => ({
        orderId: order.orderId,
        status: aliExpress.statusOf(order, now),
        paidCount: order.payments.length,
        amount: aliExpress.amountOf(order),
        currency: 'USD',
        products: order.lines.map(({ skuId, quantity }) => ({ vid: skuId, quantity })),
      })),
    }),
  );

/**
 * What really happened in the world, whatever was answered. Amounts in US cents. A split order is one order. Removed supplier orders
 * are there as CANCELLED; shipments that came in with an order's body are not. `calls` counts requests
 * since this process started, faulty ones included.
 */
export function readLedger(world: {
  orders: CjOrders;
  aliexpress: AliExpressOrders;
  shop: Shop;
  mailbox: Mailbox;
  faults: Faults;
}): object {
  const now = Date.now();
  const purchases = [...cjPurchases(world.orders, now), ...aliExpressPurchases(world.aliexpress, now)];
  const fulfillments = world.shop.orders().flatMap((order) =>
    order.fulfillments
      .filter(({ isImported }) => !isImported)
      .map((fulfillment) => ({
        orderId: toGid('Order', order.id),
        fulfillmentId: toGid('Fulfillment', fulfillment.id),
        status: fulfillment.status,
        trackingNumbers: fulfillment.tracking.flatMap(({ number }) => number ?? []),
        notifications: fulfillment.notifications,
        events: fulfillment.events.map(({ status }) => status),
        lines: fulfillment.lines.map(({ lineItemId, quantity }) => ({
          lineItemId: toGid('LineItem', lineItemId),
          quantity,
        })),
      })),
  );
  const mails = world.mailbox.all().map(({ to, subject, messageId, receivedAt, rawBase64 }, index) => ({
    number: index + 1,
    to,
    subject,
    messageId,
    receivedAt,
    bytes: Buffer.byteLength(rawBase64, 'base64'),
  }));
  return { purchases, fulfillments, mails, calls: world.faults.calls() };
}
