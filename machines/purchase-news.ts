import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { releaseHolds, releasePayment } from './holds.ts';
import type { OrderContext, SupplierOrderUnits } from './order-context.ts';
import { by } from './order-setup.ts';
import { holdSentJustNow, releaseSentRight } from './ship-to.ts';

/** What is waited for in a state of a purchase, and held as overdue when it does not come. */
const WAITED_FOR: Partial<Readonly<Record<SupplierOrderStateName, string>>> = {
  accepted: 'shipment',
  processing: 'shipment',
  partially_shipped: 'shipment',
  shipped: 'delivery',
  cancelling: 'cancellation',
};

const isStillWaited = (before: SupplierOrderStateName, now: SupplierOrderStateName): boolean =>
  WAITED_FOR[now] !== undefined && WAITED_FOR[now] === WAITED_FOR[before];

/** What was late has come, or comes no more: nobody has to ask for it. */
const releaseOverdue = (context: OrderContext, purchaseId: string): Change<OrderContext> =>
  releaseHolds(
    context,
    ({ reason, supplierOrderId, isObserved }) =>
      reason === 'overdue' && supplierOrderId === purchaseId && isObserved === undefined,
  );

const sentAnew = (context: OrderContext, supplierOrderId: string): Change<OrderContext> =>
  inTurn(context, releaseSentRight, (now) => holdSentJustNow(now, supplierOrderId));

const withPart = (
  { supplierOrders }: OrderContext,
  supplierOrderId: string,
  part: SupplierOrderUnits,
): Change<OrderContext> => ({
  context: { supplierOrders: { ...supplierOrders, [supplierOrderId]: part } },
  effects: [],
});

export const sentBy = by(
  'supplier_order.sent',
  (context, { data: { supplierOrderId, sentTo } }): Change<OrderContext> => {
    const { [supplierOrderId]: known } = context.supplierOrders;
    if (known === undefined) return NOTHING;
    return inTurn(
      context,
      (now) => withPart(now, supplierOrderId, { ...known, sentTo }),
      (now) => sentAnew(now, supplierOrderId),
    );
  },
);

export const movedBy = by(
  'supplier_order.moved',
  (context, { data: { supplierOrderId, state, sentTo } }): Change<OrderContext> => {
    const { [supplierOrderId]: known } = context.supplierOrders;
    if (known === undefined) return NOTHING;
    const isSentAnew = sentTo !== known.sentTo;
    const isGivingUp = known.state === 'awaiting_payment' && state === 'cancelling';
    const moved = { ...known, state, ...(isSentAnew ? { sentTo } : {}) };
    return inTurn(
      context,
      (now) => withPart(now, supplierOrderId, moved),
      (now) => (isSentAnew ? sentAnew(now, supplierOrderId) : NOTHING),
      (now) => (isGivingUp ? releasePayment(now, supplierOrderId) : NOTHING),
      (now) => (isStillWaited(known.state, state) ? NOTHING : releaseOverdue(now, supplierOrderId)),
    );
  },
);

export const arrivedBy = by(
  'supplier_order.arrived',
  (context, { data: { supplierOrderId } }): Change<OrderContext> => {
    const { [supplierOrderId]: known } = context.supplierOrders;
    return known === undefined ? NOTHING : withPart(context, supplierOrderId, { ...known, hasArrived: true });
  },
);
