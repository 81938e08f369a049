import { CJ, CjRefusal } from './envelope.ts';
import { type CjOrder, type CjStatus, type Journey, statusOf, trackingOf } from './order.ts';
import type { CjOrders } from './orders.ts';

const CREATED = 100;
const IN_CART = 101;
const UNPAID = 300;
export const UNSHIPPED = 400;
const SHIPPED = 500;
const COMPLETED = 600;
const CLOSED = 700;

const NUMBER_OF: Record<CjStatus, number> = {
  CREATED,
  IN_CART,
  UNPAID,
  UNSHIPPED,
  SHIPPED,
  DELIVERED: COMPLETED,
  CANCELLED: CLOSED,
};
const STEPS = [CREATED, IN_CART, UNPAID, UNSHIPPED, SHIPPED, COMPLETED];

/** A journey that goes on by steps only. */
const NEVER = Number.MAX_SAFE_INTEGER;
const STANDING: Journey = {
  trackingNumber: null,
  announcedAt: NEVER,
  shippedAt: NEVER,
  inTransitAt: NEVER,
  deliveredAt: NEVER,
};

function testOrder(orders: CjOrders, sdCode: string): CjOrder {
  const order = orders.own(sdCode);
  if (order.isSandbox !== 1) throw new CjRefusal(CJ.parameterError, 'Param error: not a sandbox order');
  return order;
}

/**
 * Moves a test order one step on, without money; closing goes from anywhere. Throws CjRefusal 1603100, 1600300 for
 * another step or an order that is no test.
 */
export function stepTo(orders: CjOrders, sdCode: string, target: number): void {
  const order = testOrder(orders, sdCode);
  const now = Date.now();
  const current = NUMBER_OF[statusOf(order, now)];
  const isNext = current !== CLOSED && STEPS[STEPS.indexOf(current) + 1] === target;
  if (!isNext && !(target === CLOSED && current !== CLOSED))
    throw new CjRefusal(CJ.parameterError, `Param error: no step from ${current} to ${target}`);
  const journey = order.journey ?? STANDING;
  if (target === IN_CART) order.inCartAt = now;
  if (target === UNPAID) order.confirmedAt = now;
  if (target === UNSHIPPED) order.journey = journey;
  if (target === SHIPPED)
    order.journey = { ...journey, announcedAt: Math.min(journey.announcedAt, now), shippedAt: now };
  if (target === COMPLETED) order.journey = { ...journey, inTransitAt: now, deliveredAt: now };
  if (target === CLOSED) order.closedAt = now;
  orders.changed(order);
}

/** Gives the parcel of a paid test order a number. Throws CjRefusal 1603100, 1600300. */
export function renameParcel(orders: CjOrders, sdCode: string, trackingNumber: string): void {
  const order = testOrder(orders, sdCode);
  const { journey } = order;
  if (journey === null) throw new CjRefusal(CJ.parameterError, 'Param error: the order is not paid');
  const announcedAt = trackingOf(order, Date.now()) === null ? Date.now() : journey.announcedAt;
  order.journey = { ...journey, trackingNumber, announcedAt };
  orders.changed(order);
}
