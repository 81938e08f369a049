import { AppError } from '../contracts/errors.ts';
import type { OrderSourced, SourcedPart } from '../contracts/events/order-sourced.ts';
import { supplierOrderIdOf } from '../contracts/ids.ts';
import type { Change, Effect, ToOrder } from './effect.ts';
import {
  followShop,
  inTurn,
  isHeld,
  isLive,
  isOff,
  mapLines,
  type OrderContext,
  openHold,
  type SupplierOrderUnits,
} from './order-units.ts';

/** Units by order line; a line may stand in a part more than once, as a bundle does. */
export function unitsOfPart(part: SourcedPart): Record<string, number> {
  const units: Record<string, number> = {};
  for (const line of part.lines) units[line.lineId] = (units[line.lineId] ?? 0) + line.units;
  return units;
}

/**
 * Takes a whole plan or none of it: while one line cannot be had, nothing is bought, and the order waits where it is
 * with a hold for each refused line.
 * @throws AppError `conservation_violated` when a plan without refusals does not take exactly the units that wait.
 */
export function applySourced(context: OrderContext, sourced: OrderSourced): Change<OrderContext> {
  if (sourced.refused.length > 0) {
    const refused = new Set(sourced.refused.map(({ lineId }) => lineId));
    let holds = context.holds;
    const effects: Effect[] = [];
    for (const { lineId, reason, evidence } of sourced.refused) {
      const opened = openHold({ orderId: context.orderId, holds }, reason, { lineId }, evidence);
      holds = opened.context.holds ?? holds;
      effects.push(...opened.effects);
    }
    const lines = mapLines(context.lines, (units, lineId) =>
      refused.has(lineId) ? { ...units, unallocated: 0, held: units.held + units.unallocated } : units,
    );
    return { context: { holds, lines }, effects };
  }
  const supplierOrders = { ...context.supplierOrders };
  const taken: Record<string, number> = {};
  const effects: Effect[] = [{ kind: 'fact', type: 'order.sourced', data: {} }];
  for (const part of sourced.parts) {
    const supplierOrderId = supplierOrderIdOf(context.orderId, part.supplier, part.part, sourced.round);
    const units = unitsOfPart(part);
    supplierOrders[supplierOrderId] = { state: 'draft', units };
    for (const [lineId, count] of Object.entries(units)) taken[lineId] = (taken[lineId] ?? 0) + count;
    effects.push({ kind: 'create_supplier_order', supplierOrderId, part });
  }
  for (const lineId of new Set([...Object.keys(context.lines), ...Object.keys(taken)])) {
    const [wanted, planned] = [context.lines[lineId]?.unallocated ?? 0, taken[lineId] ?? 0];
    if (wanted === planned) continue;
    throw new AppError(
      'conservation_violated',
      `the plan takes ${planned} of ${wanted} units of line ${lineId}`,
      {
        retryable: false,
      },
    );
  }
  const lines = mapLines(context.lines, (units) => ({ ...units, unallocated: 0 }));
  return { context: { lines, supplierOrders }, effects };
}

/** Units leave a purchase and wait again, as far as the shop still wants them. @param stays what is left of it. */
const takeBack =
  (supplierOrderId: string, stays: SupplierOrderUnits, back: SupplierOrderUnits['units']) =>
  (context: OrderContext): Change<OrderContext> => {
    const place = isHeld(context) ? 'held' : 'unallocated';
    const supplierOrders = { ...context.supplierOrders, [supplierOrderId]: stays };
    const lines = mapLines(context.lines, (units, lineId) => ({
      ...units,
      [place]: units[place] + (back[lineId] ?? 0),
    }));
    return inTurn(context, () => ({ context: { supplierOrders, lines }, effects: [] }), followShop);
  };

/** All of a purchase that is dead. */
const giveBack =
  (supplierOrderId: string, state: 'cancelled' | 'rejected' | 'lapsed') =>
  (context: OrderContext): Change<OrderContext> => {
    const dead = context.supplierOrders[supplierOrderId];
    return dead === undefined
      ? { context: {}, effects: [] }
      : takeBack(supplierOrderId, { ...dead, state }, dead.units)(context);
  };

const isLiveStill = ({ supplierOrders }: OrderContext, supplierOrderId: string): boolean => {
  const known = supplierOrders[supplierOrderId];
  return known !== undefined && isLive(known);
};

/** A draft that was never bought is given up for a cancel or an edit: nothing is lost but the plan. */
export const applyGivenUp = (context: OrderContext, supplierOrderId: string): Change<OrderContext> =>
  isLiveStill(context, supplierOrderId)
    ? giveBack(supplierOrderId, 'cancelled')(context)
    : { context: {}, effects: [] };

/** The purchase came to nothing: its units wait under a hold instead of vanishing with it. */
export const applyFailed = (
  context: OrderContext,
  { supplierOrderId, state, reason, evidence }: Extract<ToOrder, { type: 'supplier_order.failed' }>['data'],
): Change<OrderContext> =>
  isLiveStill(context, supplierOrderId)
    ? inTurn(
        context,
        // Of an order that is off nothing is bought again, and nobody has to decide anything.
        (now) =>
          isOff(now) ? { context: {}, effects: [] } : openHold(now, reason, { supplierOrderId }, evidence),
        giveBack(supplierOrderId, state),
      )
    : { context: {}, effects: [] };

/** What has left goes on its way; the rest waits again, under a hold: a person sees that it comes apart. */
export const applyTorn = (
  context: OrderContext,
  { supplierOrderId, rest, left, evidence }: Extract<ToOrder, { type: 'supplier_order.torn' }>['data'],
): Change<OrderContext> => {
  const torn = context.supplierOrders[supplierOrderId];
  if (torn === undefined || !isLive(torn)) return { context: {}, effects: [] };
  return inTurn(
    context,
    (now) =>
      isOff(now)
        ? { context: {}, effects: [] }
        : openHold(now, 'supplier_cancelled', { supplierOrderId }, evidence),
    takeBack(supplierOrderId, { ...torn, units: left }, rest),
  );
};
