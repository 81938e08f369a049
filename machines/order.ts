import type { FactType } from '../contracts/facts.ts';
import { inTurn, NOTHING } from './change.ts';
import { isHeld } from './hold-scope.ts';
import { openHold } from './holds.ts';
import { holdsOfFirstBody } from './newer-body.ts';
import {
  archive,
  archiveEvents,
  bodyEvents,
  endEvents,
  fact,
  giveUpBy,
  holdBy,
  holdEvents,
  isPaidNow,
  isReleasing,
  passBy,
  releaseBy,
  reopeningBodies,
  requestEvents,
  riskBy,
  supplierOrderEvents,
  takePaidAgain,
  unpaidRequestEvents,
} from './order-answers.ts';
import { newOrderContext, type OrderContext } from './order-context.ts';
import { endHolds, isElapsed, overdue, stopWaiting, wait, waitAgain } from './order-deadlines.ts';
import { PROGRESS, type Progress, progressOf } from './order-progress.ts';
import { apply, by, emit, type OrderArgs, orderSetup } from './order-setup.ts';
import {
  askNewRound,
  askOn,
  isAnswer,
  nextRound,
  sourceAfter,
  sourceFreed,
  takeAnswer,
} from './order-sourcing.ts';
import { hasUnitsToSource } from './order-units.ts';
import { askShop, forgetVerification, takeVerified } from './order-verification.ts';
import { isUndoing } from './requests.ts';
import { holdUnassessed } from './risk.ts';
import { cancelRest } from './wanted-units.ts';

const confirmReceipt = apply(({ isHistory }) => ({
  context: {},
  effects: isHistory ? [] : [{ kind: 'notify', notification: 'order_confirmed', parcelId: null }],
}));

const leaveBeforeBuying = [
  { guard: 'isCancelled' as const, target: 'cancelled' },
  { guard: 'isRefunded' as const, target: 'refunded' },
  { guard: 'isDone' as const, target: 'delivered', actions: confirmReceipt },
];

/** The shop's answer, while nothing holds the order: whoever releases it has the shop asked anew. */
const isShopsAnswer = ({ context }: OrderArgs): boolean =>
  context.verification === 'asked' && !isHeld(context);
const isShopSilent = (args: OrderArgs): boolean =>
  isElapsed('verify')(args) && args.context.verification === 'asked';

const endGrace = apply((context) =>
  inTurn(
    context,
    () => ({
      context: { graceOver: true },
      effects: [{ kind: 'cancel_timer', timer: { deadline: 'grace' } }],
    }),
    // Where the shop is asked before buying, its answer tells the risk.
    (now) => (now.canBeReread === true ? NOTHING : holdUnassessed(now)),
  ),
);

/** Given back by a supplier, or added in the shop. */
const sourceAgain = {
  guard: 'mustSourceAgain' as const,
  target: 'sourcing',
  actions: apply(nextRound),
};

/** It goes the whole way again; of the old round no answer counts, and no purchase of it comes back. */
const beginAgain = takePaidAgain.flatMap(({ guard, actions }) => [
  {
    guard: (args: OrderArgs) => isPaidNow(args) && guard(args),
    target: 'grace',
    actions: [actions, apply(nextRound), confirmReceipt],
  },
  { guard, target: 'awaiting_payment', actions: [actions, apply(nextRound)] },
]);
const reopenEvents = {
  ...endEvents,
  'order.received': [...beginAgain, ...reopeningBodies],
  'order.updated': [...beginAgain, ...reopeningBodies],
};

/** Its payment fell back before all of it was taken away: what the shop says of it next ends it, or a person. */
const waitForPayment = {
  guard: 'isUnpaidForNothing' as const,
  target: 'awaiting_payment',
  actions: apply(nextRound),
};

/** From a progress state to whichever the supplier orders amount to now, or back to sourcing. */
const follow = (here: Progress) => [
  { guard: 'isCancelled' as const, target: 'cancelled' },
  { guard: 'isRefunded' as const, target: 'refunded' },
  { guard: 'isDone' as const, target: 'delivered' },
  { guard: 'isUndoing' as const, target: 'cancelling' },
  waitForPayment,
  sourceAgain,
  ...PROGRESS.filter((state) => state !== here).map((target) => ({
    guard: ({ context }: { context: OrderContext }) => progressOf(context) === target,
    target,
  })),
];

const progressState = (here: Progress, entered?: FactType) => ({
  ...(entered === undefined ? {} : { entry: emit(fact(entered)) }),
  always: follow(here),
  on: { ...bodyEvents(), ...holdEvents, ...requestEvents(), ...supplierOrderEvents() },
});

/**
 * One customer order. Pure: every wait is a timer effect that comes back as an event, every deed an effect that the
 * host stores. A hold is no state: the guards that lead on ask that none is open. This is the table; what several
 * states answer alike stands in order-answers.ts, order-sourcing.ts and order-deadlines.ts.
 */
export const orderMachine = orderSetup.createMachine({
  id: 'order',
  context: ({ input }) => newOrderContext(input),
  initial: 'received',
  states: {
    received: {
      entry: [emit(fact('order.received')), apply(holdsOfFirstBody)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isPaid', target: 'grace', actions: confirmReceipt },
        { guard: 'isUnpaid', target: 'awaiting_payment' },
      ],
      on: { ...bodyEvents(), ...holdEvents, ...unpaidRequestEvents },
    },
    awaiting_payment: {
      entry: [
        apply((context) => openHold(context, 'payment_pending', {}, { payment: context.payment })),
        emit(wait('payment')),
      ],
      exit: [endHolds('payment_pending', 'overdue'), stopWaiting('payment')],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isPaid', target: 'grace', actions: confirmReceipt },
        { guard: 'isCalledOff', target: 'purchasing' },
      ],
      on: {
        ...bodyEvents(),
        ...holdEvents,
        ...unpaidRequestEvents,
        // Of purchases by hand, when the shop took its word of the payment back.
        ...supplierOrderEvents(),
        'order.release_requested': {
          guard: isReleasing,
          actions: waitAgain('payment'),
        },
        'timer.elapsed': { guard: isElapsed('payment'), actions: overdue('payment', 'payment') },
      },
    },
    grace: {
      entry: emit(wait('grace')),
      exit: [stopWaiting('grace'), apply(forgetVerification)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isUnpaid', target: 'awaiting_payment' },
        // Purchases by hand.
        { guard: 'isUndoing', target: 'cancelling' },
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
        ...bodyEvents(),
        ...holdEvents,
        ...requestEvents(),
        ...supplierOrderEvents(),
        'order.verified': {
          guard: isShopsAnswer,
          actions: apply(by('order.verified', (context, { data }) => takeVerified(context, data))),
        },
        'timer.elapsed': [
          { guard: isElapsed('grace'), actions: endGrace },
          // Asked anew at once, or when the last hold is released.
          { guard: isShopSilent, actions: apply(forgetVerification) },
        ],
      },
    },
    sourcing: {
      entry: apply(askOn),
      exit: [stopWaiting('sourcing'), apply(forgetVerification)],
      always: [
        ...leaveBeforeBuying,
        { guard: 'isUndoing', target: 'cancelling' },
        waitForPayment,
        { guard: 'isSourced', target: 'purchasing' },
      ],
      on: {
        ...bodyEvents(sourceAfter),
        ...holdEvents,
        ...requestEvents(sourceAfter),
        ...supplierOrderEvents(sourceFreed),
        'supplier_order.given_up': { actions: sourceAfter(giveUpBy) },
        'order.release_requested': {
          guard: isReleasing,
          actions: sourceAfter((context, event) =>
            inTurn(context, (now) => releaseBy(now, event), forgetVerification),
          ),
        },
        'order.verified': {
          guard: isShopsAnswer,
          actions: apply(
            by('order.verified', (context, { data }) =>
              inTurn(context, (now) => takeVerified(now, data), askNewRound),
            ),
          ),
        },
        'hold.passed': { actions: sourceAfter(passBy) },
        'order.risk_assessed': { actions: sourceAfter(riskBy) },
        'order.hold_requested': { actions: sourceAfter(holdBy) },
        'order.sourced': { guard: isAnswer, actions: takeAnswer },
        'timer.elapsed': [
          {
            guard: (args) =>
              isElapsed('sourcing')(args) && !isHeld(args.context) && hasUnitsToSource(args.context),
            actions: apply(askOn),
          },
          {
            guard: isShopSilent,
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
      on: { ...bodyEvents(), ...holdEvents, ...supplierOrderEvents(), ...archiveEvents },
    },
    cancelling: {
      entry: emit(wait('cancelling')),
      exit: [endHolds('overdue'), stopWaiting('cancelling')],
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
        ...bodyEvents(),
        ...holdEvents,
        ...requestEvents(),
        ...supplierOrderEvents(),
        'order.release_requested': { guard: isReleasing, actions: waitAgain('cancelling') },
        'timer.elapsed': { guard: isElapsed('cancelling'), actions: overdue('cancelling', 'cancellation') },
      },
    },
    cancelled: {
      entry: [apply(cancelRest), emit(fact('order.cancelled')), archive],
      always: sourceAgain,
      on: reopenEvents,
    },
    refunded: { entry: [apply(cancelRest), archive], always: sourceAgain, on: reopenEvents },
  },
});
