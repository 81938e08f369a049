import { setup } from 'xstate';
import type { OrderEvent } from '../contracts/events/order-event.ts';
import type { OrderReceived } from '../contracts/events/order-received.ts';
import { type ChangeBy, changesBy } from './change.ts';
import type { Effect, ToOrder } from './effect.ts';
import { isHeld } from './hold-scope.ts';
import type { OrderContext } from './order-context.ts';
import {
  hasHeldUnits,
  hasNothingToShip,
  hasUnitsToSource,
  isTakenBack,
  liveSupplierOrders,
} from './order-units.ts';
import { isUndoing } from './requests.ts';
import { isOff } from './wanted-units.ts';

export type OrderMachineEvent =
  | Extract<OrderEvent, { type: `order.${string}` | 'timer.elapsed' | `notification.${string}` }>
  | ToOrder;

/** What a guard of a transition is asked with. */
export interface OrderArgs {
  readonly context: OrderContext;
  readonly event: OrderMachineEvent;
}

export type OrderChange = ChangeBy<OrderContext, OrderMachineEvent>;

const isReadyToBuy = (context: OrderContext): boolean =>
  !isOff(context) &&
  context.payment === 'paid' &&
  context.graceOver &&
  !isHeld(context) &&
  hasUnitsToSource(context);

/** Nothing of it is bought or waits to be: no purchase, hold or deadline of it leads on. */
const isAtRest = (context: OrderContext): boolean =>
  liveSupplierOrders(context).length === 0 && !hasUnitsToSource(context) && !hasHeldUnits(context);

/** Types and named guards of the order's machine; what its states and their answers are built with. */
export const orderSetup = setup({
  types: {
    input: {} as OrderReceived,
    context: {} as OrderContext,
    events: {} as OrderMachineEvent,
  },
  actions: { effect: (_, _effect: Effect) => {} },
  guards: {
    isCancelled: ({ context }) =>
      (context.cancelledInShop ||
        context.cancelledHere === true ||
        context.payment === 'voided' ||
        (!context.test && context.payment === 'paid' && isTakenBack(context))) &&
      liveSupplierOrders(context).length === 0,
    isRefunded: ({ context }) => context.payment === 'refunded' && liveSupplierOrders(context).length === 0,
    isDone: ({ context }) => !context.test && context.payment === 'paid' && hasNothingToShip(context),
    isPaid: ({ context }) => !context.test && context.payment === 'paid',
    isUnpaid: ({ context }) => !context.test && context.payment === 'pending',
    isUnpaidForNothing: ({ context }) => !context.test && context.payment === 'pending' && isAtRest(context),
    isCalledOff: ({ context }) => !context.test && isOff(context) && liveSupplierOrders(context).length > 0,
    mustVerify: ({ context }) =>
      isReadyToBuy(context) && context.canBeReread === true && !context.verification,
    mayBuy: ({ context }) =>
      isReadyToBuy(context) && (context.canBeReread !== true || context.verification === 'done'),
    mustSourceAgain: ({ context }) => !isOff(context) && !isHeld(context) && hasUnitsToSource(context),
    isSourced: ({ context }) =>
      !context.test &&
      !isHeld(context) &&
      !hasUnitsToSource(context) &&
      (liveSupplierOrders(context).length > 0 || !hasHeldUnits(context)),
    isUndoing: ({ context }) => isUndoing(context),
    isBoughtByHand: ({ context }) =>
      liveSupplierOrders(context).length > 0 && !hasUnitsToSource(context) && !isHeld(context),
  },
});

/** The action that a pure change is: the context first, then each effect as data. */
export const apply = (change: OrderChange) =>
  orderSetup.enqueueActions(({ context, event, enqueue }) => {
    const { context: changed, effects } = change(context, event);
    enqueue.assign(changed);
    for (const effect of effects) enqueue({ type: 'effect', params: effect });
  });

export const emit = (...effects: readonly Effect[]) => apply(() => ({ context: {}, effects }));

export const by = changesBy<OrderContext, OrderMachineEvent>();
