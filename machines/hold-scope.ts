import { USUAL_RULES } from '../contracts/order-rules.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OpenHold, OrderContext, SupplierOrderUnits } from './order-units.ts';

const DEAD: readonly SupplierOrderStateName[] = ['rejected', 'cancelled', 'lapsed'];

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

/**
 * The line's units that wait must wait on. A supplier order's hold concerns them when it is dead: they came back from
 * it. While it lives, its units are its own.
 */
export const isLineHeld = (context: OrderContext, lineId: string): boolean =>
  Object.values(context.holds).some((hold) => {
    if (stopsAll(context, hold) || hold.lineId === lineId) return true;
    const failed = context.supplierOrders[hold.supplierOrderId ?? ''];
    return failed !== undefined && !isLive(failed) && (failed.units[lineId] ?? 0) > 0;
  });
