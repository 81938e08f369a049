import { z } from 'zod';
import type { Timing } from '../settings.ts';
import { Address } from './address.ts';

const Parcel = z.object({
  number: z.string(),
  sentAt: z.int(),
  items: z.array(z.object({ skuId: z.string(), quantity: z.int() })),
});

/** One order of one seller, as the platform keeps it. Instants in milliseconds, amounts in US cents. */
export const AliExpressOrder = z.object({
  orderId: z.string(),
  /** The merchant's number; several orders share it when the goods come from several sellers. */
  outOrderId: z.string().nullable(),
  createdAt: z.int(),
  /** Look-ups know the order from here on. */
  visibleAt: z.int(),
  /** Unpaid until then, it ends by itself. */
  payUntil: z.int(),
  payTimeoutMs: z.int(),
  payments: z.array(z.int()),
  /** Fixed at the payment, so that later changes of the timing do not rewrite what was seen. */
  journey: z
    .object({
      reviewedAt: z.int(),
      parcels: z.array(Parcel).min(1),
      inTransitAt: z.int(),
      deliveredAt: z.int(),
      finishedAt: z.int(),
    })
    .nullable(),
  /** Ended by somebody before it was received. */
  closed: z.object({ at: z.int(), reason: z.string(), description: z.string() }).nullable(),
  /** What look-ups see in the place of the true status: for those that nothing here leads to. */
  shownStatus: z.string().nullable(),
  store: z.object({ id: z.string(), name: z.string() }),
  address: Address,
  lines: z.array(
    z.object({
      productId: z.string(),
      skuId: z.string(),
      title: z.string(),
      description: z.string(),
      quantity: z.int(),
      priceMinor: z.int(),
      shippingMinor: z.int(),
      taxMinor: z.int(),
      deliveryCode: z.string(),
      company: z.string(),
      memo: z.string().nullable(),
    }),
  ),
});
export type AliExpressOrder = z.infer<typeof AliExpressOrder>;

export type AliExpressStatus =
  | 'PLACE_ORDER_SUCCESS'
  | 'RISK_CONTROL'
  | 'WAIT_SELLER_SEND_GOODS'
  | 'SELLER_PART_SEND_GOODS'
  | 'WAIT_BUYER_ACCEPT_GOODS'
  | 'FINISH';

/** Why the order ended without goods; null while it lives, and when they were received. */
export function endOf(order: AliExpressOrder, now: number): AliExpressOrder['closed'] {
  if (order.closed !== null) return order.closed;
  if (order.journey !== null || now < order.payUntil) return null;
  return { at: order.payUntil, reason: 'pay_timeout', description: 'Order cancelled: not paid in time' };
}

export const sentParcels = ({ journey }: AliExpressOrder, now: number) =>
  (journey?.parcels ?? []).filter(({ sentAt }) => now >= sentAt);

/** Where the order stands at an instant. Nothing has to tick: everything follows from stored instants. */
export function statusOf(order: AliExpressOrder, now: number): AliExpressStatus {
  const { journey } = order;
  if (endOf(order, now) !== null) return 'FINISH';
  if (journey === null) return 'PLACE_ORDER_SUCCESS';
  if (now >= journey.finishedAt) return 'FINISH';
  const sent = sentParcels(order, now).length;
  if (sent === journey.parcels.length) return 'WAIT_BUYER_ACCEPT_GOODS';
  if (sent > 0) return 'SELLER_PART_SEND_GOODS';
  return now >= journey.reviewedAt ? 'WAIT_SELLER_SEND_GOODS' : 'RISK_CONTROL';
}

/** Goods, shipping, and the tax that the prices do not hold: what a payment takes. */
export const amountOf = ({ lines }: AliExpressOrder): number =>
  lines.reduce(
    (sum, { priceMinor, quantity, shippingMinor, taxMinor }) =>
      sum + priceMinor * quantity + shippingMinor + taxMinor,
    0,
  );

type Goods = z.infer<typeof Parcel>['items'];

/** Half of the pieces, rounded up, and the rest; a single piece stays whole. */
function inTwo(goods: Goods): Goods[] {
  let room = Math.ceil(goods.reduce((sum, { quantity }) => sum + quantity, 0) / 2);
  const halves: [Goods, Goods] = [[], []];
  for (const { skuId, quantity } of goods) {
    const first = Math.min(quantity, room);
    room -= first;
    if (first > 0) halves[0].push({ skuId, quantity: first });
    if (quantity > first) halves[1].push({ skuId, quantity: quantity - first });
  }
  return halves.filter((half) => half.length > 0);
}

/** What happens from a payment on. The platform reviews it first, and the buyer confirms as slowly as it did. */
export function journeyOf(
  order: AliExpressOrder,
  { paidAt, timing, parcels }: { paidAt: number; timing: Timing; parcels: 1 | 2 },
): NonNullable<AliExpressOrder['journey']> {
  const reviewedAt = paidAt + timing.processMs;
  const goods = order.lines.map(({ skuId, quantity }) => ({ skuId, quantity }));
  const loads = parcels === 2 ? inTwo(goods) : [goods];
  const sent = loads.map((items, index) => ({
    number: `${index === 0 ? 'AP' : 'LP'}${order.orderId.slice(-14)}`,
    sentAt: reviewedAt + Math.ceil((timing.shipMs * (index + 1)) / loads.length),
    items,
  }));
  const inTransitAt = reviewedAt + timing.shipMs + timing.transitMs;
  const deliveredAt = inTransitAt + timing.deliverMs;
  return { reviewedAt, parcels: sent, inTransitAt, deliveredAt, finishedAt: deliveredAt + timing.processMs };
}
