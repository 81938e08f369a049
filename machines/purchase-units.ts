import { AppError } from '../contracts/errors.ts';
import type { OrderSourced } from '../contracts/events/order-sourced.ts';
import { supplierOrderIdOf } from '../contracts/ids.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { leaveShipped } from './delivered-by-others.ts';
import type { Effect, PlannedPart, ToOrder } from './effect.ts';
import { isLineHeld, isLive, rulesOf } from './hold-scope.ts';
import { type MatchesHold, openHold, openHolds, releaseHolds, stockAlert } from './holds.ts';
import { hasComeBack, releaseIdle } from './idle-holds.ts';
import type { OrderContext, SupplierOrderUnits } from './order-context.ts';
import { mapLines } from './order-units.ts';
import { followShop, isOff, mayLiveOn } from './wanted-units.ts';

/** Units by order line; a line may stand in a part more than once, by several candidates or as a bundle. */
export function unitsOfPart(part: Pick<PlannedPart, 'lines'>): Record<string, number> {
  const units: Record<string, number> = {};
  for (const line of part.lines) units[line.lineId] = (units[line.lineId] ?? 0) + line.units;
  return units;
}

/**
 * Takes a whole plan or, where part of an order may be bought, what can be had of it. What cannot is held with its
 * reason; while it stops the order, nothing is bought.
 * @throws AppError `conservation_violated` when the plan takes more of a line than waits, or less without a refusal.
 */
export const applySourced = (context: OrderContext, sourced: OrderSourced): Change<OrderContext> => {
  const { stops = [], refused } = sourced;
  if (stops.length > 0) return openHolds(context, stops);
  const isBought = refused.length === 0 || rulesOf(context).partialPurchase;
  return inTurn(
    context,
    (now) => (isBought ? takeParts(now, sourced) : NOTHING),
    (now) => holdRefused(now, refused),
  );
};

function takeParts(context: OrderContext, { parts, refused, round }: OrderSourced): Change<OrderContext> {
  const supplierOrders = { ...context.supplierOrders };
  const taken: Record<string, number> = {};
  const effects: Effect[] = parts.length > 0 ? [{ kind: 'fact', type: 'order.sourced', data: {} }] : [];
  for (const part of parts) {
    const supplierOrderId = supplierOrderIdOf(context.orderId, part.supplier, part.part, round);
    const units = unitsOfPart(part);
    supplierOrders[supplierOrderId] = { state: 'draft', units };
    for (const [lineId, count] of Object.entries(units)) taken[lineId] = (taken[lineId] ?? 0) + count;
    effects.push({ kind: 'create_supplier_order', supplierOrderId, part: { ...part, isQuoted: true } });
  }
  for (const lineId of new Set([...Object.keys(context.lines), ...Object.keys(taken)])) {
    const [wanted, planned] = [context.lines[lineId]?.unallocated ?? 0, taken[lineId] ?? 0];
    const mayFallShort = refused.some((refusal) => refusal.lineId === lineId);
    if (wanted === planned || (mayFallShort && planned < wanted)) continue;
    throw new AppError(
      'conservation_violated',
      `the plan takes ${planned} of ${wanted} units of line ${lineId}`,
      {
        retryable: false,
      },
    );
  }
  const lines = mapLines(context.lines, (units, lineId) => ({
    ...units,
    unallocated: units.unallocated - (taken[lineId] ?? 0),
  }));
  return { context: { lines, supplierOrders }, effects };
}

const holdRefused = (context: OrderContext, refused: OrderSourced['refused']): Change<OrderContext> => {
  const lineIds = new Set(refused.map(({ lineId }) => lineId));
  return inTurn(
    context,
    (now) => openHolds(now, refused),
    (now) => ({
      context: {
        lines: mapLines(now.lines, (units, lineId) =>
          lineIds.has(lineId) ? { ...units, unallocated: 0, held: units.held + units.unallocated } : units,
        ),
      },
      effects: [],
    }),
  );
};

/** Units leave a purchase and wait again, as far as the shop still wants them and nobody else has shipped them. @param stays what is left of it. */
const takeBack =
  (supplierOrderId: string, stays: SupplierOrderUnits, back: SupplierOrderUnits['units']) =>
  (context: OrderContext): Change<OrderContext> => {
    const supplierOrders = { ...context.supplierOrders, [supplierOrderId]: stays };
    const lines = mapLines(context.lines, (units, lineId) => {
      const place = isLineHeld({ ...context, supplierOrders }, lineId) ? 'held' : 'unallocated';
      return { ...units, [place]: units[place] + (back[lineId] ?? 0) };
    });
    const taken = { context: { supplierOrders, lines }, effects: [] };
    return inTurn(context, () => taken, followShop, leaveShipped);
  };

/** All of a purchase that is dead. */
const giveBack =
  (supplierOrderId: string, state: 'cancelled' | 'rejected' | 'lapsed') =>
  (context: OrderContext): Change<OrderContext> => {
    const dead = context.supplierOrders[supplierOrderId];
    return dead === undefined ? NOTHING : takeBack(supplierOrderId, { ...dead, state }, dead.units)(context);
  };

const isLiveStill = ({ supplierOrders }: OrderContext, supplierOrderId: string): boolean => {
  const known = supplierOrders[supplierOrderId];
  return known !== undefined && isLive(known);
};

/** What its supplier said of it, and whether it may go as it was sent, is asked of nobody any more. */
const forgetQuestions = (context: OrderContext, supplierOrderId: string): Change<OrderContext> =>
  releaseHolds(
    context,
    (hold) =>
      hold.supplierOrderId === supplierOrderId &&
      (hold.isObserved === true || hold.reason === 'customer_edit_pending'),
  );

type GivenUp = Extract<ToOrder, { type: 'supplier_order.given_up' }>['data'];

/**
 * Of a purchase that was given up: nobody ships it any more, and what a draft waited for is over once nothing of it waits
 * but for the person who gave it up. Without units that wait, that person has nothing to decide either; nor has anybody
 * about a supplier that was slow to give it up, or did not at first.
 * @param before as it was when the purchase still stood.
 */
const isAboutNothing =
  (before: OrderContext, now: OrderContext, { supplierOrderId, by }: GivenUp): MatchesHold =>
  (hold, holdId) => {
    if (hold.supplierOrderId !== supplierOrderId || (by === 'order' && mayLiveOn(hold))) return false;
    const isWaiting = hasComeBack(now, supplierOrderId);
    if (!(holdId in before.holds)) return !isWaiting;
    const { state } = before.supplierOrders[supplierOrderId] ?? {};
    // A bill, or a second order there, stands whatever becomes of this one.
    if (state === 'cancelling') return hold.reason !== 'payment_pending' && !mayLiveOn(hold);
    return hold.reason === 'fulfillment_not_ours' || (state === 'draft' && (by === 'operator' || !isWaiting));
  };

/**
 * A purchase was given up: never made, or cancelled at the supplier. When a person meant this one alone its units wait
 * under a hold: sourcing would at once buy them there again.
 */
export const applyGivenUp = (
  context: OrderContext,
  { supplierOrderId, by }: GivenUp,
): Change<OrderContext> =>
  isLiveStill(context, supplierOrderId)
    ? inTurn(
        context,
        (now) => forgetQuestions(now, supplierOrderId),
        (now) =>
          by === 'order' || isOff(now)
            ? NOTHING
            : openHold(
                now,
                'operator',
                { supplierOrderId },
                { cause: 'the supplier order was cancelled here' },
              ),
        giveBack(supplierOrderId, 'cancelled'),
        (now) => releaseHolds(now, isAboutNothing(context, now, { supplierOrderId, by })),
      )
    : NOTHING;

type Failed = Extract<ToOrder, { type: 'supplier_order.failed' }>['data'];

/** Units of it wait once it is over: the shop has not taken all of them away meanwhile. */
const willComeBack = (context: OrderContext, { supplierOrderId, state }: Failed): boolean =>
  hasComeBack({ ...context, ...giveBack(supplierOrderId, state)(context).context }, supplierOrderId);

/**
 * Of an order that is off nothing is bought again, nor of what nobody wants any more: nobody has to decide anything. What
 * the supplier cancelled was perhaps paid: somebody sees to that.
 */
function openEnding(context: OrderContext, failed: Failed): Change<OrderContext> {
  const { supplierOrderId, state, reason, evidence, isReplaceable } = failed;
  if (isOff(context) || (state !== 'cancelled' && !willComeBack(context, failed))) return NOTHING;
  if (isReplaceable !== true) return openHold(context, reason, { supplierOrderId }, evidence);
  return { context: {}, effects: reason === 'out_of_stock' ? [stockAlert({ supplierOrderId })] : [] };
}

/** The purchase came to nothing: its units are looked for elsewhere, or wait under a hold, instead of vanishing with it. */
export const applyFailed = (context: OrderContext, failed: Failed): Change<OrderContext> =>
  isLiveStill(context, failed.supplierOrderId)
    ? inTurn(
        context,
        // Its end has a hold of its own, or none.
        (now) => forgetQuestions(now, failed.supplierOrderId),
        (now) => openEnding(now, failed),
        giveBack(failed.supplierOrderId, failed.state),
        releaseIdle,
      )
    : NOTHING;

/** What has left goes on its way; the rest waits again, under a hold: a person sees that it comes apart. */
export const applyTorn = (
  context: OrderContext,
  { supplierOrderId, rest, left, evidence }: Extract<ToOrder, { type: 'supplier_order.torn' }>['data'],
): Change<OrderContext> => {
  const torn = context.supplierOrders[supplierOrderId];
  if (torn === undefined || !isLive(torn)) return NOTHING;
  return inTurn(
    context,
    (now) => (isOff(now) ? NOTHING : openHold(now, 'supplier_cancelled', { supplierOrderId }, evidence)),
    takeBack(supplierOrderId, { ...torn, units: left, returned: { ...torn.returned, ...rest } }, rest),
  );
};
