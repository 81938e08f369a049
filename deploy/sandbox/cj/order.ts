import { z } from 'zod';
import { usd, utcTime } from './envelope.ts';

/** Fixed at the payment, so that later changes of the timing do not rewrite what was seen. */
const Journey = z.object({
  /** Null for an order whose parts have the numbers. */
  trackingNumber: z.string().nullable(),
  announcedAt: z.int(),
  shippedAt: z.int(),
  inTransitAt: z.int(),
  deliveredAt: z.int(),
});
export type Journey = z.infer<typeof Journey>;

/** One order as the supplier keeps it. Instants in milliseconds, amounts in US cents. */
export const CjOrder = z.object({
  sdCode: z.string(),
  internalNumber: z.int(),
  /** The merchant's number. */
  orderNumber: z.string(),
  createdAt: z.int(),
  /** Look-ups know the order from here on. */
  visibleAt: z.int(),
  inCartAt: z.int().nullable().default(null),
  confirmedAt: z.int().nullable(),
  /** All orders of one confirmed cart. */
  shipmentId: z.string().nullable().default(null),
  /** Closed by the supplier: look-ups still show it. */
  closedAt: z.int().nullable().default(null),
  deletedAt: z.int().nullable(),
  payments: z.array(z.int()),
  journey: Journey.nullable(),
  /** The order that this one is a part of. */
  partOf: z.string().nullable().default(null),
  /** Look-ups see this status whatever the truth is; null: the truth. */
  shownStatus: z.string().nullable().default(null),
  /** Whether look-ups still show an order that was split. */
  split: z.enum(['hidden', 'shown']).nullable().default(null),
  productMinor: z.int(),
  postageMinor: z.int(),
  products: z.array(
    z.object({
      vid: z.string(),
      quantity: z.int(),
      priceMinor: z.int(),
      lineItemId: z.string(),
      storeLineItemId: z.string().nullable(),
    }),
  ),
  payType: z.int(),
  isSandbox: z.int(),
  fromCountryCode: z.string(),
  logisticName: z.string(),
  remark: z.string().nullable(),
  recipient: z.object({
    countryCode: z.string(),
    province: z.string(),
    city: z.string(),
    address: z.string(),
    zip: z.string().nullable(),
    phone: z.string().nullable(),
    name: z.string(),
  }),
});
export type CjOrder = z.infer<typeof CjOrder>;

export type CjStatus = 'CREATED' | 'IN_CART' | 'UNPAID' | 'UNSHIPPED' | 'SHIPPED' | 'DELIVERED' | 'CANCELLED';

/** Where the order stands at an instant. Nothing has to tick: everything follows from stored instants. */
export function statusOf(order: CjOrder, now: number): CjStatus {
  const { deletedAt, closedAt, inCartAt, confirmedAt, journey } = order;
  if (deletedAt !== null || closedAt !== null) return 'CANCELLED';
  if (journey === null && confirmedAt !== null) return 'UNPAID';
  if (journey === null) return inCartAt === null ? 'CREATED' : 'IN_CART';
  if (now >= journey.deliveredAt) return 'DELIVERED';
  return now >= journey.shippedAt ? 'SHIPPED' : 'UNSHIPPED';
}

/** Goods and postage, what a payment takes. */
export const amountOf = ({ productMinor, postageMinor }: CjOrder): number => productMinor + postageMinor;

/** The tracking number, once there is one; it exists before the box leaves. */
export const trackingOf = ({ journey }: CjOrder, now: number): string | null =>
  journey !== null && now >= journey.announcedAt ? journey.trackingNumber : null;

const instant = (at: number | null | undefined): string | null => (at == null ? null : utcTime(at));

/** Data of getOrderDetail and a row of the list: `orderId` is the internal number here. */
export function detailBody(order: CjOrder, now: number): object {
  const { recipient, journey } = order;
  const trackNumber = trackingOf(order, now);
  return {
    orderId: order.internalNumber,
    orderNum: order.orderNumber,
    platformOrderId: null,
    cjOrderId: order.sdCode,
    cjOrderCode: order.sdCode,
    shippingCountryCode: recipient.countryCode,
    shippingProvince: recipient.province,
    shippingCity: recipient.city,
    shippingAddress: recipient.address,
    shippingZip: recipient.zip,
    shippingCustomerName: recipient.name,
    shippingPhone: recipient.phone,
    remark: order.remark,
    fromCountryCode: order.fromCountryCode,
    logisticName: order.logisticName,
    trackNumber,
    trackingUrl: trackNumber === null ? null : `https://track.example/?n=${trackNumber}`,
    trackingProvider: trackNumber === null ? null : order.logisticName,
    disputeId: null,
    orderWeight: null,
    orderAmount: usd(amountOf(order)),
    productAmount: usd(order.productMinor),
    postageAmount: usd(order.postageMinor),
    orderStatus: order.shownStatus ?? statusOf(order, now),
    createDate: utcTime(order.createdAt),
    paymentDate: instant(order.payments[0]),
    outWarehouseTime: journey !== null && now >= journey.shippedAt ? instant(journey.shippedAt) : null,
    storeCreateDate: null,
    isComplete: statusOf(order, now) === 'DELIVERED' ? 1 : 0,
    isSandbox: order.isSandbox,
    storageId: null,
    storageName: null,
    shopId: null,
    shopName: null,
    productList: order.products.map(({ vid, quantity, priceMinor, lineItemId, storeLineItemId }) => ({
      vid,
      quantity,
      sellPrice: usd(priceMinor),
      lineItemId,
      storeLineItemId,
      productionOrderStatus: null,
      abnormalType: [],
    })),
  };
}

/** A row of trackInfo; null while the number is not out yet. The status is free text, without events. */
export function trackingBody(order: CjOrder, now: number): object | null {
  const { journey } = order;
  const trackingNumber = trackingOf(order, now);
  if (journey === null || trackingNumber === null) return null;
  const delivered = now >= journey.deliveredAt;
  const moving = now >= journey.inTransitAt ? 'In transit' : 'Left the warehouse';
  return {
    trackingNumber,
    logisticName: order.logisticName,
    trackingFrom: order.fromCountryCode,
    trackingTo: order.recipient.countryCode,
    deliveryDay: delivered ? '9' : null,
    deliveryTime: delivered ? utcTime(journey.deliveredAt) : null,
    trackingStatus: delivered
      ? 'Delivered'
      : now >= journey.shippedAt
        ? moving
        : 'No tracking information yet',
    lastMileCarrier: now >= journey.inTransitAt ? 'Sandbox Post' : null,
    lastTrackNumber: now >= journey.inTransitAt ? `LM${trackingNumber.slice(5)}` : null,
  };
}
