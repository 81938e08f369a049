import { setup } from 'xstate';
import type { OrderEvent } from '../contracts/events/order-event.ts';
import { type ChangeBy, changesBy } from './change.ts';
import type { Effect, ToSupplierOrder } from './effect.ts';
import { parcelProgress } from './parcel-contents.ts';
import { hasLeft } from './parcel-place.ts';
import type { SupplierOrderContext, SupplierOrderInput } from './supplier-order-context.ts';

export type SupplierOrderMachineEvent =
  | Extract<OrderEvent, { type: `supplier_order.${string}` | `fulfillment.${string}` | 'timer.elapsed' }>
  | ToSupplierOrder;

/** What a guard of a transition is asked with. */
export interface SupplierOrderArgs {
  readonly context: SupplierOrderContext;
  readonly event: SupplierOrderMachineEvent;
}

/** Types and named guards of the supplier order's machine; what its states and their answers are built with. */
export const supplierOrderSetup = setup({
  types: {
    input: {} as SupplierOrderInput,
    context: {} as SupplierOrderContext,
    events: {} as SupplierOrderMachineEvent,
  },
  actions: { effect: (_, _effect: Effect) => {} },
  guards: {
    isDelivered: ({ context }) => parcelProgress(context.units, context.parcels) === 'delivered',
    isShipped: ({ context }) => parcelProgress(context.units, context.parcels) === 'shipped',
    isPartiallyShipped: ({ context }) =>
      parcelProgress(context.units, context.parcels) === 'partially_shipped',
    isProcessing: ({ context }) => context.status === 'processing',
    // Nothing leaves unpaid: it was paid on the supplier's own site, and its rest cancelled, before anybody looked.
    isPaid: ({ context: { status, parcels } }) =>
      status === 'cancelled'
        ? Object.values(parcels).some(hasLeft)
        : status !== null && status !== 'awaiting_payment',
    isUnwanted: ({ context }) => context.unwantedBy !== undefined,
    isCancelled: ({ context }) =>
      context.status === 'cancelled' && !Object.values(context.parcels).some(hasLeft),
  },
});

/** The action that a pure change is: the context first, then each effect as data. */
export const apply = (change: ChangeBy<SupplierOrderContext, SupplierOrderMachineEvent>) =>
  supplierOrderSetup.enqueueActions(({ context, event, enqueue }) => {
    const { context: changed, effects } = change(context, event);
    enqueue.assign(changed);
    for (const effect of effects) enqueue({ type: 'effect', params: effect });
  });

export type EffectsOf = (context: SupplierOrderContext) => readonly Effect[];

export const emit = (effectsOf: EffectsOf) =>
  apply((context) => ({ context: {}, effects: effectsOf(context) }));

export const by = changesBy<SupplierOrderContext, SupplierOrderMachineEvent>();
