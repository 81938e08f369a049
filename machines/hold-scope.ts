import { USUAL_RULES } from '../contracts/order-rules.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OpenHold, OrderContext, SupplierOrderUnits } from './order-context.ts';

/** Its units are on it no more. */
export const DEAD: readonly SupplierOrderStateName[] = ['rejected', 'cancelled', 'lapsed'];

const SPENDING: readonly SupplierOrderStateName[] = ['draft', 'placing', 'awaiting_payment'];

/** What is done about it next costs money. */
export const isToBeSpentOn = ({ state }: SupplierOrderUnits): boolean => SPENDING.includes(state);

export const isLive = ({ state }: SupplierOrderUnits): boolean => !DEAD.includes(state);

export const rulesOf = ({ rules }: OrderContext) => rules ?? USUAL_RULES;

/** Where an order may be bought in part, a hold on a line or a supplier order stops nothing else. */
const stopsAll = (context: OrderContext, { lineId, supplierOrderId }: OpenHold): boolean =>
  !rulesOf(context).partialPurchase || (lineId === undefined && supplierOrderId === undefined);

/** The order as a whole is stopped: nothing is spent on it. */
export const isHeld = (context: OrderContext): boolean =>
  Object.values(context.holds).some((hold) => stopsAll(context, hold));

export const isHeldOfItsOwn = (context: OrderContext, supplierOrderId: string): boolean =>
  Object.values(context.holds).some((hold) => hold.supplierOrderId === supplierOrderId);

/** Nothing more is spent on this supplier order. */
export const isStopped = (context: OrderContext, supplierOrderId: string): boolean =>
  isHeld(context) || isHeldOfItsOwn(context, supplierOrderId);

/** A supplier order's units are its own while it lives; those that came back from it are the line's again. */
const cameBack = (supplierOrder: SupplierOrderUnits, lineId: string): boolean =>
  ((isLive(supplierOrder) ? supplierOrder.returned : supplierOrder.units)?.[lineId] ?? 0) > 0;

/** A hold of the line itself, or of a purchase that its units came back from. */
const isHoldOfLine = (context: OrderContext, lineId: string, hold: OpenHold): boolean => {
  const failed = context.supplierOrders[hold.supplierOrderId ?? ''];
  return hold.lineId === lineId || (failed !== undefined && cameBack(failed, lineId));
};

/** Its units wait for themselves, whatever else of the order goes on. */
export const isHeldItself = (context: OrderContext, lineId: string): boolean =>
  Object.values(context.holds).some((hold) => isHoldOfLine(context, lineId, hold));

/** The line's units that wait must wait on. */
export const isLineHeld = (context: OrderContext, lineId: string): boolean =>
  isHeld(context) || isHeldItself(context, lineId);
