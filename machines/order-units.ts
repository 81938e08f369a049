import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { isLive } from './hold-scope.ts';
import type { LineUnits, OrderContext, SupplierOrderUnits } from './order-context.ts';
import { unitsOfLine } from './units.ts';

export const liveSupplierOrders = (context: OrderContext): SupplierOrderUnits[] =>
  Object.values(context.supplierOrders).filter(isLive);

export const unitsOnSupplierOrders = (context: OrderContext, lineId: string): number =>
  unitsOfLine(lineId, liveSupplierOrders(context));

export const hasUnitsToSource = (context: OrderContext): boolean =>
  Object.values(context.lines).some(({ unallocated }) => unallocated > 0);

export const hasHeldUnits = (context: OrderContext): boolean =>
  Object.values(context.lines).some(({ held }) => held > 0);

/** Bought for certain they are not, or not paid. */
const UNPAID: readonly SupplierOrderStateName[] = ['draft', 'placing', 'outcome_unknown', 'awaiting_payment'];

/** Money may still be spent: units wait to be bought, or a purchase to be paid. */
export const isToBePaid = (context: OrderContext): boolean =>
  hasUnitsToSource(context) ||
  hasHeldUnits(context) ||
  liveSupplierOrders(context).some(({ state }) => UNPAID.includes(state));

/** Nothing of this order is ours to buy: digital goods, gift cards, or all of it taken back. */
export const hasNothingToShip = (context: OrderContext): boolean =>
  Object.values(context.lines).every(({ ordered, outside, cancelled }) => ordered === outside + cancelled);

/** Every unit was taken away again, by edits or refunds or here: no one has delivered any, and no one will. */
export const isTakenBack = (context: OrderContext): boolean =>
  Object.values(context.lines).every(({ ordered, cancelled }) => ordered === cancelled);

export const mapLines = (
  lines: OrderContext['lines'],
  change: (units: LineUnits, lineId: string) => LineUnits,
): OrderContext['lines'] =>
  Object.fromEntries(Object.entries(lines).map(([lineId, units]) => [lineId, change(units, lineId)]));
