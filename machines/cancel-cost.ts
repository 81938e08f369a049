import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OrderContext } from './order-context.ts';
import { liveSupplierOrders } from './order-units.ts';
import { unitsOfLine } from './units.ts';

/** Units by what it would take to call them back: nothing, the supplier's consent, or more than anybody can do. */
export interface CancelCost {
  readonly free: number;
  readonly mustAsk: number;
  readonly tooLate: number;
}

/** Some of it has left the supplier. */
export const LEFT: readonly SupplierOrderStateName[] = ['partially_shipped', 'shipped', 'delivered'];

export function cancelCostOf(context: OrderContext, lineId: string): CancelCost {
  const { unallocated = 0, held = 0 } = context.lines[lineId] ?? {};
  const count = (isThere: (state: SupplierOrderStateName) => boolean): number =>
    unitsOfLine(
      lineId,
      liveSupplierOrders(context).filter(({ state }) => isThere(state)),
    );
  return {
    free: unallocated + held + count((state) => state === 'draft'),
    mustAsk: count((state) => state !== 'draft' && !LEFT.includes(state)),
    tooLate: count((state) => LEFT.includes(state)),
  };
}
