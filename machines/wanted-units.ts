import { type Change, inTurn } from './change.ts';
import { isLive } from './hold-scope.ts';
import { releaseHolds } from './holds.ts';
import type { LineUnits, OpenHold, OrderContext } from './order-context.ts';
import { mapLines } from './order-units.ts';

/** Nobody wants anything of it any more, or it is a test. What is bought already is a matter for a person. */
export const isOff = ({ test, cancelledInShop, cancelledHere, payment }: OrderContext): boolean =>
  test || cancelledInShop || cancelledHere === true || payment === 'voided' || payment === 'refunded';

export const NO_UNITS: LineUnits = { ordered: 0, outside: 0, unallocated: 0, held: 0, cancelled: 0 };

/** Units of a line that are wanted: by the shop, less what was taken back here. */
export const wantedUnits = (context: OrderContext, lineId: string): number =>
  isOff(context) ? 0 : Math.max(0, (context.inShop[lineId]?.units ?? 0) - (context.withdrawn?.[lineId] ?? 0));

/** Units of a line that we count and nobody asks for any more; below zero: more are asked for. */
export const surplusOf = (context: OrderContext, lineId: string): number => {
  const { ordered, cancelled } = context.lines[lineId] ?? NO_UNITS;
  const returned = isOff(context) ? 0 : (context.returned?.[lineId] ?? 0);
  return ordered - cancelled - returned - wantedUnits(context, lineId);
};

/** The shop asks for more than we count. */
export const isAdded = (context: OrderContext): boolean =>
  Object.keys(context.inShop).some((lineId) => surplusOf(context, lineId) < 0);

/**
 * Tells the supplier orders that hold units nobody wants any more; all of them when the order is off. Call it after
 * {@link followShop}, which cancels what still waits. Each of them knows what can be done about it.
 */
export const callOffSurplus = (context: OrderContext): Change<OrderContext> => ({
  context: {},
  effects: Object.entries(context.supplierOrders)
    .filter(([, part]) => isLive(part))
    .filter(
      ([, { units }]) =>
        isOff(context) || Object.keys(units).some((lineId) => surplusOf(context, lineId) > 0),
    )
    .map(([supplierOrderId]) => ({
      kind: 'tell_supplier_order',
      supplierOrderId,
      event: { type: 'order.cancelled' },
    })),
});

/**
 * Follows the shop while supplier orders stand: what it takes away is cancelled as far as it still waits, what it adds
 * waits to be released. What is bought stays bought.
 */
export function followShop(context: OrderContext): Change<OrderContext> {
  const lines: Record<string, LineUnits> = {};
  for (const lineId of new Set([...Object.keys(context.lines), ...Object.keys(context.inShop)])) {
    const units = context.lines[lineId] ?? NO_UNITS;
    const surplus = surplusOf(context, lineId);
    const added = Math.max(0, -surplus);
    const ours = Math.min(added, context.inShop[lineId]?.ours ?? 0);
    const fromHeld = Math.min(Math.max(0, surplus), units.held);
    const fromUnallocated = Math.min(Math.max(0, surplus) - fromHeld, units.unallocated);
    lines[lineId] = {
      ordered: units.ordered + added,
      outside: units.outside + added - ours,
      unallocated: units.unallocated - fromUnallocated,
      held: units.held - fromHeld + ours,
      cancelled: units.cancelled + fromHeld + fromUnallocated,
    };
  }
  return { context: { lines }, effects: [] };
}

/** Its supplier may have the purchase twice: money that lives on there, whatever becomes of order and purchase. */
export const mayLiveOn = ({ reason, supplierOrderId }: OpenHold): boolean =>
  reason === 'duplicate_suspected' && supplierOrderId !== undefined;

/** Nothing is bought and nothing will be: what is left is cancelled, and no other hold needs a person any more. */
export const cancelRest = (context: OrderContext): Change<OrderContext> =>
  inTurn(
    context,
    (now) => releaseHolds(now, (hold) => !mayLiveOn(hold)),
    (now) => ({
      context: {
        lines: mapLines(now.lines, (units) => ({
          ...units,
          unallocated: 0,
          held: 0,
          cancelled: units.cancelled + units.unallocated + units.held,
        })),
      },
      effects: [],
    }),
  );
