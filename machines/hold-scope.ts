import { USUAL_RULES } from '../contracts/order-rules.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OpenHold, OrderContext, SupplierOrderUnits } from './order-context.ts';

/** Its units are on it no more. */
export const DEAD: readonly SupplierOrderStateName[] = ['rejected', 'cancelled', 'lapsed'];

export const isLive = ({ state }: SupplierOrderUnits): boolean => !DEAD.includes(state);

export const rulesOf = ({ rules }: OrderContext) => rules ?? USUAL_RULES;

/** Where an order may be bought in part, a hold on a line or a supplier order stops nothing else. */
const stopsAll = (context: OrderContext, { lineId, supplierOrderId }: OpenHold): boolean =>
  !rulesOf(context).partialPurchase || (lineId === undefined && supplierOrderId === undefined);

/** The order as a whole is stopped: nothing is spent on it. */
export const isHeld = (context: OrderContext): boolean =>
  Object.values(context.holds).some((hold) => stopsAll(context, hold));

/** Nothing more is spent on this supplier order. */
export const isStopped = (context: OrderContext, supplierOrderId: string): boolean =>
  isHeld(context) || Object.values(context.holds).some((hold) => hold.supplierOrderId === supplierOrderId);

/** A supplier order's units are its own while it lives; those that came back from it are the line's again. */
const cameBack = (supplierOrder: SupplierOrderUnits, lineId: string): boolean =>
  ((isLive(supplierOrder) ? supplierOrder.returned : supplierOrder.units)?.[lineId] ?? 0) > 0;

/** The line's units that wait must wait on. */
export const isLineHeld = (context: OrderContext, lineId: string): boolean =>
  Object.values(context.holds).some((hold) => {
    if (stopsAll(context, hold) || hold.lineId === lineId) return true;
    const failed = context.supplierOrders[hold.supplierOrderId ?? ''];
    return failed !== undefined && cameBack(failed, lineId);
  });
