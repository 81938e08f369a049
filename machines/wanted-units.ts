import { type Change, inTurn, NOTHING } from './change.ts';
import { isLive } from './hold-scope.ts';
import { openHold, releaseHolds } from './holds.ts';
import type { LineUnits, OrderContext } from './order-context.ts';
import { mapLines, unitsOnSupplierOrders } from './order-units.ts';

/** Nobody wants anything of it any more. What is bought already is a matter for a person. */
export const isOff = ({ cancelledInShop, cancelledHere, payment }: OrderContext): boolean =>
  cancelledInShop || cancelledHere === true || payment === 'voided' || payment === 'refunded';

const NO_UNITS: LineUnits = { ordered: 0, outside: 0, unallocated: 0, held: 0, cancelled: 0 };

/** Units of a line that are wanted: by the shop, less what was taken back here. */
export const wantedUnits = (context: OrderContext, lineId: string): number =>
  isOff(context) ? 0 : Math.max(0, (context.inShop[lineId]?.units ?? 0) - (context.withdrawn?.[lineId] ?? 0));

/** Units of a line that we count and nobody asks for any more; below zero: more are asked for. */
const surplusOf = (context: OrderContext, lineId: string): number => {
  const { ordered, cancelled } = context.lines[lineId] ?? NO_UNITS;
  return ordered - cancelled - wantedUnits(context, lineId);
};

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

/** Of a line with purchases, what waits beyond what the shop still has open for us: somebody else has shipped it. */
const shippedElsewhere = (context: OrderContext, lineId: string): number => {
  const inShop = context.inShop[lineId];
  const { unallocated, held } = context.lines[lineId] ?? NO_UNITS;
  // What was given to another service waits for a person's word, and may be bought on it.
  return inShop === undefined || inShop.isOthers ? 0 : Math.max(0, unallocated + held - inShop.ours);
};

/**
 * What somebody else has shipped is not bought any more. Units that wait are on no purchase of ours, so that the shop
 * has at least as many open while nobody else ships.
 */
export function leaveShipped(context: OrderContext): Change<OrderContext> {
  const isElsewhere = (lineId: string): boolean => shippedElsewhere(context, lineId) > 0;
  if (isOff(context) || !Object.keys(context.lines).some(isElsewhere)) return NOTHING;
  const lines = mapLines(context.lines, (units, lineId) => {
    const shipped = shippedElsewhere(context, lineId);
    const fromHeld = Math.min(shipped, units.held);
    return {
      ...units,
      outside: units.outside + shipped,
      unallocated: units.unallocated - (shipped - fromHeld),
      held: units.held - fromHeld,
    };
  });
  return { context: { lines }, effects: [] };
}

/** Units outside that the shop has open again beyond all that waits or is bought: a fulfilment of others was undone. */
const reopened = (context: OrderContext, lineId: string): number => {
  const { outside, unallocated, held } = context.lines[lineId] ?? NO_UNITS;
  const counted =
    unallocated + held + unitsOnSupplierOrders(context, lineId) + (context.withdrawn?.[lineId] ?? 0);
  return Math.min(outside, Math.max(0, (context.inShop[lineId]?.ours ?? 0) - counted));
};

/** They wait for a person's word. */
export function holdReopened(context: OrderContext): Change<OrderContext> {
  if (isOff(context) || !Object.keys(context.lines).some((lineId) => reopened(context, lineId) > 0))
    return NOTHING;
  const cause = 'units that others had shipped are open again in the shop';
  const lines = mapLines(context.lines, (units, lineId) => {
    const back = reopened(context, lineId);
    return { ...units, outside: units.outside - back, held: units.held + back };
  });
  return inTurn(
    context,
    (now) => openHold(now, 'customer_edit_pending', {}, { cause }),
    () => ({ context: { lines }, effects: [] }),
  );
}

/** Nothing is bought and nothing will be: what is left is cancelled, and no hold needs a person any more. */
export const cancelRest = (context: OrderContext): Change<OrderContext> =>
  inTurn(
    context,
    (now) => releaseHolds(now, () => true),
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
