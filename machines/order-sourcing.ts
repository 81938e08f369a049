import { SOURCE_ORDER, type SourceOrder } from '../contracts/commands/source-order.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import type { Effect } from './effect.ts';
import { isHeld } from './hold-scope.ts';
import type { OrderContext } from './order-context.ts';
import { wait } from './order-deadlines.ts';
import { apply, by, type OrderArgs, type OrderChange, type OrderMachineEvent } from './order-setup.ts';
import { hasUnitsToSource } from './order-units.ts';
import { askShop } from './order-verification.ts';
import { applySourced } from './purchase-units.ts';
import { hasMoved } from './ship-to.ts';
import { isOff } from './wanted-units.ts';

const sourceCommand = (context: OrderContext): Effect => {
  const lines = Object.entries(context.lines)
    .filter(([, { unallocated }]) => unallocated > 0)
    .map(([lineId, { unallocated }]) => ({ lineId, units: unallocated }));
  const data: SourceOrder = { orderId: context.orderId, round: context.round, lines };
  return { kind: 'command', service: 'suppliers', verb: SOURCE_ORDER, id: context.orderId, data };
};

/**
 * Asks where to buy; before that the shop, where it can be asked and has not been since the order last waited for
 * somebody: what was read days ago is no truth any more.
 */
export const askOn = (context: OrderContext): Change<OrderContext> =>
  context.canBeReread === true && context.verification !== 'done'
    ? askShop(context)
    : { context: {}, effects: [sourceCommand(context), wait('sourcing')] };

/** An answer is of a round, and only that of the newest is taken. */
export const nextRound = ({ round }: OrderContext): Change<OrderContext> => ({
  context: { round: round + 1 },
  effects: [],
});

export const askNewRound = (context: OrderContext): Change<OrderContext> =>
  isOff(context) || isHeld(context) || !hasUnitsToSource(context)
    ? NOTHING
    : inTurn(context, nextRound, askOn);

/** In sourcing: a new round is asked for where the answer on its way, if there is one, is stale. */
const sourceUnless =
  (isSame: (now: OrderContext, before: OrderContext, event: OrderMachineEvent) => boolean) =>
  (change: OrderChange) =>
    apply((context, event) =>
      inTurn(
        context,
        (now) => change(now, event),
        // The shop's answer, which is on its way, leads on by itself.
        (now) => (isSame(now, context, event) || now.verification === 'asked' ? NOTHING : askNewRound(now)),
      ),
    );

const isAddressPut = (event: OrderMachineEvent): boolean =>
  event.type === 'order.change_requested' && event.data.hasAddress === true;

/** Whatever changes holds or lines makes the answer stale, and so does another address. */
export const sourceAfter = sourceUnless(
  (now, before, event) =>
    now.lines === before.lines &&
    now.holds === before.holds &&
    isHeld(now) === isHeld(before) &&
    !hasMoved(before, now) &&
    !isAddressPut(event),
);

/**
 * What becomes of a purchase may let go of other units, or of the whole order, as the hold of a payment that nobody makes
 * any more does: the question on its way is about fewer of them, or there is none.
 */
export const sourceFreed = sourceUnless(
  (now, before) =>
    isHeld(now) === isHeld(before) &&
    Object.entries(now.lines).every(
      ([lineId, { unallocated }]) => unallocated === (before.lines[lineId]?.unallocated ?? 0),
    ),
);

/** The answer to the question asked last, while that is still the question. */
export const isAnswer = ({ context, event }: OrderArgs): boolean =>
  event.type === 'order.sourced' &&
  event.data.round === context.round &&
  context.verification !== 'asked' &&
  !isHeld(context) &&
  hasUnitsToSource(context);

export const takeAnswer = apply(
  by('order.sourced', (context, { data }) => {
    const { refused, stops = [] } = data;
    const change = applySourced(context, data);
    if (refused.length + stops.length === 0) return change;
    const stop: Effect = { kind: 'cancel_timer', timer: { deadline: 'sourcing' } };
    return { ...change, effects: [...change.effects, stop] };
  }),
);
