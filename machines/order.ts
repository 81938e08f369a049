import { setup } from 'xstate';
import { SOURCE_ORDER, type SourceOrder } from '../contracts/commands/source-order.ts';
import type { DeadlineName } from '../contracts/deadlines.ts';
import type { OrderEvent } from '../contracts/events/order-event.ts';
import type { OrderReceived } from '../contracts/events/order-received.ts';
import type { FactType } from '../contracts/facts.ts';
import type { HoldReason, OrderStateName, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { acceptHolds } from './acceptance.ts';
import type { Change, Effect, ToOrder } from './effect.ts';
import { isHeld } from './hold-scope.ts';
import { holdsOfFirstBody, isNewerBody, takeNewerBody } from './newer-body.ts';
import {
  cancelRest,
  hasHeldUnits,
  hasHold,
  hasNothingToShip,
  hasUnitsToSource,
  inTurn,
  isOff,
  liveSupplierOrders,
  matchesRequest,
  newOrderContext,
  type OrderContext,
  openHold,
  parkHeldLines,
  releaseHolds,
} from './order-units.ts';
import { askShop, forgetVerification, takeVerified } from './order-verification.ts';
import { applyFailed, applyGivenUp, applySourced, applyTorn } from './purchase-units.ts';
import {
  archiveIfWanted,
  cancelHere,
  changeHere,
  isUndoing,
  mayChange,
  mayPurchase,
  purchaseHere,
  purchaseRefused,
} from './requests.ts';
import { applyRisk, holdUnassessed } from './risk.ts';

type OrderMachineEvent =
  | Extract<OrderEvent, { type: `order.${string}` | 'timer.elapsed' | `notification.${string}` }>
  | ToOrder;

const PAID: readonly OrderReceived['payment'][] = ['paid'];
/** Neither bought for certain nor dead. */
const UNSETTLED: readonly SupplierOrderStateName[] = [
  'draft',
  'placing',
  'outcome_unknown',
  'awaiting_payment',
  'cancelling',
];
const SHIPPED: readonly SupplierOrderStateName[] = ['shipped', 'delivered'];

/** The state that the supplier orders together amount to. */
export function progressOf(context: OrderContext): OrderStateName {
  const states = liveSupplierOrders(context).map(({ state }) => state);
  const isWhole = Object.values(context.lines).every(({ unallocated, held }) => unallocated + held === 0);
  if (states.some((state) => UNSETTLED.includes(state)) || states.length === 0) return 'purchasing';
  if (isWhole && states.every((state) => state === 'delivered')) return 'delivered';
  if (states.some((state) => state === 'delivered')) return 'partially_delivered';
  if (isWhole && states.every((state) => SHIPPED.includes(state))) return 'shipped';
  if (states.some((state) => SHIPPED.includes(state) || state === 'partially_shipped'))
    return 'partially_shipped';
  return isWhole ? 'awaiting_shipment' : 'purchasing';
}

const fact = (type: FactType): Effect => ({ kind: 'fact', type, data: {} });

const waitForPayment: Effect = { kind: 'set_timer', timer: { deadline: 'payment' } };
const waitForCancel: Effect = { kind: 'set_timer', timer: { deadline: 'cancelling' } };

const sourceCommand = (context: OrderContext): Effect => {
  const lines = Object.entries(context.lines)
    .filter(([, { unallocated }]) => unallocated > 0)
    .map(([lineId, { unallocated }]) => ({ lineId, units: unallocated }));
  const data: SourceOrder = { orderId: context.orderId, round: context.round, lines };
  return { kind: 'command', service: 'suppliers', verb: SOURCE_ORDER, id: context.orderId, data };
};

const isReadyToBuy = (context: OrderContext): boolean =>
  PAID.includes(context.payment) && context.graceOver && !isHeld(context) && hasUnitsToSource(context);

const machine = setup({
  types: {
    input: {} as OrderReceived | undefined,
    context: {} as OrderContext,
    events: {} as OrderMachineEvent,
  },
  actions: { effect: (_, _effect: Effect) => {} },
  guards: {
    isCancelled: ({ context }) =>
      (context.cancelledInShop || context.cancelledHere === true || context.payment === 'voided') &&
      liveSupplierOrders(context).length === 0,
    isRefunded: ({ context }) => context.payment === 'refunded' && liveSupplierOrders(context).length === 0,
    isDone: ({ context }) => !context.test && PAID.includes(context.payment) && hasNothingToShip(context),
    isPaid: ({ context }) => !context.test && PAID.includes(context.payment),
    isUnpaid: ({ context }) => !context.test && !PAID.includes(context.payment),
    mustVerify: ({ context }) =>
      isReadyToBuy(context) && context.canBeReread === true && !context.verification,
    mayBuy: ({ context }) =>
      isReadyToBuy(context) && (context.canBeReread !== true || context.verification === 'done'),
    mustSourceAgain: ({ context }) => !isOff(context) && !isHeld(context) && hasUnitsToSource(context),
    isSourced: ({ context }) =>
      !isHeld(context) &&
      !hasUnitsToSource(context) &&
      (liveSupplierOrders(context).length > 0 || !hasHeldUnits(context)),
    isUndoing: ({ context }) => isUndoing(context),
    isBoughtByHand: ({ context }) =>
      liveSupplierOrders(context).length > 0 && !hasUnitsToSource(context) && !isHeld(context),
  },
});

/** Applies a pure change: the context first, then each effect as data. */
const apply = (change: (context: OrderContext, event: OrderMachineEvent) => Change<OrderContext>) =>
  machine.enqueueActions(({ context, event, enqueue }) => {
    const { context: changed, effects } = change(context, event);
    enqueue.assign(changed);
    for (const effect of effects) enqueue({ type: 'effect', params: effect });
  });

const confirmReceipt = apply(({ isHistory }) => ({
  context: {},
  effects: isHistory ? [] : [{ kind: 'notify', notification: 'order_confirmed', parcelId: null }],
}));

const emit = (...effects: readonly Effect[]) => apply(() => ({ context: {}, effects }));

const isNewer = ({ context, event }: { context: OrderContext; event: OrderMachineEvent }): boolean =>
  (event.type === 'order.updated' || event.type === 'order.received') && isNewerBody(context, event.data);

/** It never reopens a cancelled order. */
const takeBodyOf = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.updated' || event.type === 'order.received'
    ? takeNewerBody(context, event.data)
    : { context: {}, effects: [] };

const takeBody = apply(takeBodyOf);

const askToSource = (context: OrderContext): Effect[] => [
  sourceCommand(context),
  { kind: 'set_timer', timer: { deadline: 'sourcing' } },
];

/**
 * Asks where to buy; before that the shop, where it can be asked and has not been since the order last waited for
 * somebody: what was read days ago is no truth any more.
 */
const askOn = (context: OrderContext): Change<OrderContext> =>
  context.canBeReread === true && context.verification !== 'done'
    ? askShop(context)
    : { context: {}, effects: askToSource(context) };

const askNewRound = (context: OrderContext): Change<OrderContext> =>
  isOff(context) || isHeld(context) || !hasUnitsToSource(context)
    ? { context: {}, effects: [] }
    : inTurn(context, () => ({ context: { round: context.round + 1 }, effects: [] }), askOn);

/** In sourcing, whatever changes holds or lines makes the answer on its way stale: a new round is asked for. */
const sourceAfter = (change: typeof takeBodyOf) =>
  apply((context, event) =>
    inTurn(
      context,
      (now) => change(now, event),
      (now) => {
        const isSame =
          now.lines === context.lines && now.holds === context.holds && isHeld(now) === isHeld(context);
        // The shop's answer, which is on its way, leads on by itself.
        return isSame || now.verification === 'asked' ? { context: {}, effects: [] } : askNewRound(now);
      },
    ),
  );

const bodyEvents = {
  'order.received': { guard: isNewer, actions: takeBody },
  'order.updated': { guard: isNewer, actions: takeBody },
};

const mailEvents = {
  'notification.sent': { actions: emit(fact('notification.sent')) },
  'notification.failed': { actions: emit(fact('notification.failed')) },
};

const isReleasing = ({ context, event }: { context: OrderContext; event: OrderMachineEvent }): boolean =>
  event.type === 'order.release_requested' && hasHold(context, matchesRequest(event.data));

const releaseBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.release_requested'
    ? inTurn(
        context,
        (now) => acceptHolds(now, matchesRequest(event.data)),
        (now) => releaseHolds(now, matchesRequest(event.data)),
      )
    : { context: {}, effects: [] };

const riskBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.risk_assessed' ? applyRisk(context, event.data) : { context: {}, effects: [] };

const holdBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.hold_requested'
    ? inTurn(
        context,
        (now) => openHold(now, 'operator', { lineId: event.data.lineId }, { cause: 'held by a person' }),
        parkHeldLines,
      )
    : { context: {}, effects: [] };

const holdEvents = {
  'hold.raised': {
    actions: apply((context, event) =>
      event.type === 'hold.raised'
        ? openHold(
            context,
            event.data.reason,
            { lineId: event.data.lineId, supplierOrderId: event.data.supplierOrderId },
            event.data.evidence,
          )
        : { context: {}, effects: [] },
    ),
  },
  'order.release_requested': { guard: isReleasing, actions: apply(releaseBy) },
  'order.risk_assessed': { actions: apply(riskBy) },
  'order.hold_requested': {
    actions: apply(holdBy),
  },
  ...mailEvents,
};

const cancelBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.cancel_requested' ? cancelHere(context, event.data) : { context: {}, effects: [] };
const changeBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.change_requested' ? changeHere(context, event.data) : { context: {}, effects: [] };
const purchaseBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'order.purchase_requested'
    ? purchaseHere(context, event.data)
    : { context: {}, effects: [] };

const refusePurchase = {
  actions: apply((context, event) =>
    event.type === 'order.purchase_requested'
      ? purchaseRefused(context, event.data)
      : { context: {}, effects: [] },
  ),
};

interface Args {
  readonly context: OrderContext;
  readonly event: OrderMachineEvent;
}
const isNewCancel = ({ context }: Args): boolean => context.cancelledHere === undefined;
const isChange = ({ context, event }: Args): boolean =>
  event.type === 'order.change_requested' && mayChange(context, event.data);
const isPurchase = ({ context, event }: Args): boolean =>
  event.type === 'order.purchase_requested' && mayPurchase(context, event.data);

/** What a person may ask for; `change` wraps what they do to lines where an answer of sourcing may be on its way. */
const requestEvents = (change: (by: typeof takeBodyOf) => ReturnType<typeof apply> = apply) => ({
  'order.cancel_requested': { guard: isNewCancel, actions: change(cancelBy) },
  'order.change_requested': { guard: isChange, actions: change(changeBy) },
  'order.purchase_requested': [{ guard: isPurchase, actions: change(purchaseBy) }, refusePurchase],
});

/** Before the payment nothing can be bought. */
const { 'order.purchase_requested': _, ...unpaidRequestEvents } = requestEvents();
const beforePaymentEvents = { ...unpaidRequestEvents, 'order.purchase_requested': refusePurchase };

const archive = apply(archiveIfWanted);
/** Nothing moves any more: a cancel only puts the order away. */
const archiveEvents = {
  'order.cancel_requested': {
    guard: ({ context }: Args): boolean => context.archive !== 'done',
    actions: apply((context) => archiveIfWanted({ ...context, archive: 'wanted' })),
  },
};
/** A dead order may still be told of money that lives on at a supplier. */
const endEvents = {
  ...mailEvents,
  ...archiveEvents,
  'hold.raised': holdEvents['hold.raised'],
  'order.release_requested': holdEvents['order.release_requested'],
};

const isElapsed =
  (deadline: DeadlineName) =>
  ({ event }: { event: OrderMachineEvent }): boolean =>
    event.type === 'timer.elapsed' && event.data.deadline === deadline;

const overdue = (deadline: DeadlineName, waitingFor: string) =>
  apply((context) =>
    inTurn(
      context,
      (now) => openHold(now, 'overdue', {}, { waitingFor }),
      () => ({ context: {}, effects: [{ kind: 'cancel_timer', timer: { deadline } }] }),
    ),
  );

/** Whoever releases what is overdue waits the whole time again. */
const waitAgainAfter = (reason: HoldReason, again: Effect) =>
  apply((context, event) =>
    inTurn(
      context,
      (now) => releaseBy(now, event),
      () => {
        const isAboutIt = event.type === 'order.release_requested' && event.data.reason === reason;
        return { context: {}, effects: isAboutIt ? [again] : [] };
      },
    ),
  );

const giveUpBy = (context: OrderContext, event: OrderMachineEvent): Change<OrderContext> =>
  event.type === 'supplier_order.given_up' ? applyGivenUp(context, event.data) : { context: {}, effects: [] };

const supplierOrderEvents = {
  'supplier_order.moved': {
    actions: apply((context, event) => {
      if (event.type !== 'supplier_order.moved') return { context: {}, effects: [] };
      const { supplierOrderId, state } = event.data;
      const known = context.supplierOrders[supplierOrderId];
      if (known === undefined) return { context: {}, effects: [] };
      const supplierOrders = { ...context.supplierOrders, [supplierOrderId]: { ...known, state } };
      return { context: { supplierOrders }, effects: [] };
    }),
  },
  'supplier_order.given_up': { actions: apply(giveUpBy) },
  'supplier_order.failed': {
    actions: apply((context, event) =>
      event.type === 'supplier_order.failed'
        ? applyFailed(context, event.data)
        : { context: {}, effects: [] },
    ),
  },
  'supplier_order.torn': {
    actions: apply((context, event) =>
      event.type === 'supplier_order.torn' ? applyTorn(context, event.data) : { context: {}, effects: [] },
    ),
  },
};

const PROGRESS = [
  'purchasing',
  'awaiting_shipment',
  'partially_shipped',
  'shipped',
  'partially_delivered',
  'delivered',
] as const;

/** Given back by a supplier, or added in the shop. */
const sourceAgain = {
  guard: 'mustSourceAgain' as const,
  target: 'sourcing',
  actions: apply((context) => ({ context: { round: context.round + 1 }, effects: [] })),
};

/** From a progress state to whichever the supplier orders amount to now, or back to sourcing. */
const follow = (here: (typeof PROGRESS)[number]) => [
  { guard: 'isCancelled' as const, target: 'cancelled' },
  { guard: 'isRefunded' as const, target: 'refunded' },
  { guard: 'isDone' as const, target: 'delivered' },
  { guard: 'isUndoing' as const, target: 'cancelling' },
  sourceAgain,
  ...PROGRESS.filter((state) => state !== here).map((target) => ({
    guard: ({ context }: { context: OrderContext }) => progressOf(context) === target,
    target,
  })),
];

const progressState = (here: (typeof PROGRESS)[number], entered?: FactType) => ({
  ...(entered === undefined ? {} : { entry: emit(fact(entered)) }),
  always: follow(here),
  on: { ...bodyEvents, ...holdEvents, ...requestEvents(), ...supplierOrderEvents },
});

const leaveBeforeBuying = [
  { guard: 'isCancelled' as const, target: 'cancelled' },
  { guard: 'isRefunded' as const, target: 'refunded' },
  { guard: 'isDone' as const, target: 'delivered', actions: confirmReceipt },
];

/**
 * One customer order. Pure: every wait is a timer effect that comes back as an event, every deed an effect that the
 * host stores. A hold is no state: the guards that lead on ask that none is open.
 */
export const orderMachine = machine.createMachine({
  id: 'order',
  // `transition()` calls this without input for its throw-away actor; a throw there would cost a stack trace per event.
  context: ({ input }) => (input === undefined ? ({} as OrderContext) : newOrderContext(input)),
  initial: 'received',
  states: {
    received: {
      entry: [emit(fact('order.received')), apply(holdsOfFirstBody)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isPaid', target: 'grace', actions: confirmReceipt },
        { guard: 'isUnpaid', target: 'awaiting_payment' },
      ],
      on: { ...bodyEvents, ...holdEvents, ...beforePaymentEvents },
    },
    awaiting_payment: {
      entry: apply((context) => {
        const hold = openHold(context, 'payment_pending', {}, { payment: context.payment });
        return { ...hold, effects: [...hold.effects, waitForPayment] };
      }),
      exit: apply((context) => {
        const released = releaseHolds(
          context,
          ({ reason, supplierOrderId }) =>
            reason === 'payment_pending' || (reason === 'overdue' && supplierOrderId === undefined),
        );
        return {
          ...released,
          effects: [...released.effects, { kind: 'cancel_timer', timer: { deadline: 'payment' } }],
        };
      }),
      always: [...leaveBeforeBuying, { guard: 'isPaid', target: 'grace', actions: confirmReceipt }],
      on: {
        ...bodyEvents,
        ...holdEvents,
        ...beforePaymentEvents,
        // Of purchases by hand, when the shop took its word of the payment back.
        ...supplierOrderEvents,
        'order.release_requested': {
          guard: isReleasing,
          actions: waitAgainAfter('overdue', waitForPayment),
        },
        'timer.elapsed': { guard: isElapsed('payment'), actions: overdue('payment', 'payment') },
      },
    },
    grace: {
      entry: emit({ kind: 'set_timer', timer: { deadline: 'grace' } }),
      exit: [emit({ kind: 'cancel_timer', timer: { deadline: 'grace' } }), apply(forgetVerification)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isUnpaid', target: 'awaiting_payment' },
        { guard: 'mustVerify', actions: apply(askShop) },
        { guard: 'isBoughtByHand', target: 'purchasing' },
        {
          guard: 'mayBuy',
          target: 'sourcing',
          actions: apply(({ canBeReread }) => ({
            context: canBeReread === true ? { verification: 'done' } : {},
            effects: [],
          })),
        },
      ],
      on: {
        ...bodyEvents,
        ...holdEvents,
        ...requestEvents(),
        ...supplierOrderEvents,
        'order.verified': {
          guard: ({ context }) => context.verification === 'asked' && !isHeld(context),
          actions: apply((context, event) =>
            event.type === 'order.verified'
              ? takeVerified(context, event.data)
              : { context: {}, effects: [] },
          ),
        },
        'timer.elapsed': [
          {
            guard: ({ event }) => event.data.deadline === 'grace',
            actions: apply((context) =>
              inTurn(
                context,
                () => ({
                  context: { graceOver: true },
                  effects: [{ kind: 'cancel_timer', timer: { deadline: 'grace' } }],
                }),
                // Where the shop is asked before buying, its answer tells the risk.
                (now) => (now.canBeReread === true ? { context: {}, effects: [] } : holdUnassessed(now)),
              ),
            ),
          },
          {
            // Asked anew at once, or when the last hold is released.
            guard: ({ context, event }) =>
              event.data.deadline === 'verify' && context.verification === 'asked',
            actions: apply(forgetVerification),
          },
        ],
      },
    },
    sourcing: {
      entry: apply(askOn),
      exit: [emit({ kind: 'cancel_timer', timer: { deadline: 'sourcing' } }), apply(forgetVerification)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isUndoing', target: 'cancelling' },
        { guard: 'isSourced', target: 'purchasing' },
      ],
      on: {
        ...holdEvents,
        ...requestEvents(sourceAfter),
        ...supplierOrderEvents,
        'supplier_order.given_up': { actions: sourceAfter(giveUpBy) },
        'order.received': { guard: isNewer, actions: sourceAfter(takeBodyOf) },
        'order.updated': { guard: isNewer, actions: sourceAfter(takeBodyOf) },
        'order.release_requested': {
          guard: isReleasing,
          actions: sourceAfter((context, event) =>
            inTurn(context, (now) => releaseBy(now, event), forgetVerification),
          ),
        },
        'order.verified': {
          guard: ({ context }) => context.verification === 'asked' && !isHeld(context),
          actions: apply((context, event) =>
            event.type === 'order.verified'
              ? inTurn(context, (now) => takeVerified(now, event.data), askNewRound)
              : { context: {}, effects: [] },
          ),
        },
        'order.risk_assessed': { actions: sourceAfter(riskBy) },
        'order.hold_requested': { actions: sourceAfter(holdBy) },
        'order.sourced': {
          guard: ({ context, event }) =>
            event.data.round === context.round &&
            context.verification !== 'asked' &&
            !isHeld(context) &&
            hasUnitsToSource(context),
          actions: apply((context, event) => {
            if (event.type !== 'order.sourced') return { context: {}, effects: [] };
            const { refused, stops = [] } = event.data;
            const change = applySourced(context, event.data);
            return refused.length + stops.length === 0
              ? change
              : {
                  ...change,
                  effects: [...change.effects, { kind: 'cancel_timer', timer: { deadline: 'sourcing' } }],
                };
          }),
        },
        'timer.elapsed': [
          {
            guard: ({ context, event }) =>
              event.data.deadline === 'sourcing' && !isHeld(context) && hasUnitsToSource(context),
            actions: apply(askOn),
          },
          {
            guard: ({ context, event }) =>
              event.data.deadline === 'verify' && context.verification === 'asked',
            actions: apply((context) => inTurn(context, forgetVerification, askNewRound)),
          },
        ],
      },
    },
    purchasing: progressState('purchasing'),
    awaiting_shipment: progressState('awaiting_shipment', 'order.purchased'),
    partially_shipped: progressState('partially_shipped', 'order.partially_shipped'),
    shipped: progressState('shipped', 'order.shipped'),
    partially_delivered: progressState('partially_delivered', 'order.partially_delivered'),
    delivered: {
      entry: [emit(fact('order.delivered')), archive],
      always: sourceAgain,
      on: { ...bodyEvents, ...holdEvents, ...supplierOrderEvents, ...archiveEvents },
    },
    cancelling: {
      entry: emit(waitForCancel),
      exit: emit({ kind: 'cancel_timer', timer: { deadline: 'cancelling' } }),
      always: [
        { guard: 'isCancelled', target: 'cancelled' },
        { guard: 'isRefunded', target: 'refunded' },
        // What could not be cancelled goes on as any other purchase does.
        ...PROGRESS.map((target) => ({
          guard: ({ context }: { context: OrderContext }) =>
            !isUndoing(context) && progressOf(context) === target,
          target,
        })),
      ],
      on: {
        ...bodyEvents,
        ...holdEvents,
        ...requestEvents(),
        ...supplierOrderEvents,
        'order.release_requested': { guard: isReleasing, actions: waitAgainAfter('overdue', waitForCancel) },
        'timer.elapsed': { guard: isElapsed('cancelling'), actions: overdue('cancelling', 'cancellation') },
      },
    },
    cancelled: { entry: [apply(cancelRest), emit(fact('order.cancelled')), archive], on: endEvents },
    refunded: { entry: [apply(cancelRest), archive], on: endEvents },
  },
});
