import { AppError } from '../contracts/errors.ts';
import type { OrderContext } from './order-context.ts';
import { liveSupplierOrders, unitsOnSupplierOrders } from './order-units.ts';

/**
 * Line conservation: ordered = unallocated + held + on live supplier orders + outside + cancelled, and no count below zero.
 * @throws AppError `conservation_violated` naming the line and its counts.
 */
export function assertConserved(context: OrderContext): void {
  for (const { units } of liveSupplierOrders(context)) {
    for (const lineId of Object.keys(units)) {
      if (lineId in context.lines) continue;
      throw new AppError(
        'conservation_violated',
        `${context.orderId} has no line ${lineId}, but a supplier order has`,
        {
          retryable: false,
        },
      );
    }
  }
  for (const [lineId, units] of Object.entries(context.lines)) {
    const onSupplierOrders = unitsOnSupplierOrders(context, lineId);
    const counts = [units.unallocated, units.held, onSupplierOrders, units.outside, units.cancelled];
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum === units.ordered && counts.every((count) => count >= 0)) continue;
    const [unallocated, held, , outside, cancelled] = counts;
    throw new AppError(
      'conservation_violated',
      `line ${lineId} of ${context.orderId}: ${units.ordered} ordered, but ${unallocated} unallocated + ${held} held + ` +
        `${onSupplierOrders} on supplier orders + ${outside} outside + ${cancelled} cancelled`,
      { retryable: false },
    );
  }
}
