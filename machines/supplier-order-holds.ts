import type { DeadlineName } from '../contracts/deadlines.ts';
import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import { attentionIdOf } from '../contracts/ids.ts';
import type { Evidence, HoldReason } from '../contracts/vocabulary.ts';
import { type Change, NOTHING } from './change.ts';
import type { Effect, ToOrder } from './effect.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { endWait } from './supplier-order-deadlines.ts';
import { isAfterPurchase, isNewAttention } from './supplier-order-guards.ts';
import { apply, by, emit } from './supplier-order-setup.ts';

export const raised = (
  { supplierOrderId }: SupplierOrderContext,
  reason: HoldReason,
  evidence: Evidence,
): Effect => ({
  kind: 'tell_order',
  event: { type: 'hold.raised', data: { reason, supplierOrderId, evidence } },
});

/** What the supplier says that a person has to see to: held, until the supplier says so no more. */
export function attend(
  context: SupplierOrderContext,
  observation: SupplierOrderObserved,
): Change<SupplierOrderContext> {
  if (!isNewAttention(context, observation)) return NOTHING;
  const { supplierOrderId } = context;
  const { attention } = observation;
  const event: ToOrder =
    attention === undefined
      ? { type: 'hold.passed', data: { supplierOrderId } }
      : { type: 'hold.raised', data: { ...attention, supplierOrderId, isObserved: true } };
  return {
    context: { attention: attention && attentionIdOf(attention) },
    effects: [{ kind: 'tell_order', event }],
  };
}

/** Suppliers will not go on by itself: the order is held, and asking again stops until somebody releases it. */
export const withheld = (stopping: DeadlineName | null) =>
  apply(
    by('supplier_order.withheld', (context, { data: { reason, evidence } }) => {
      const stop = stopping === null ? [] : endWait(stopping)(context);
      return { context: {}, effects: [...stop, raised(context, reason, evidence)] };
    }),
  );

/** Placed, and stopped there by the supplier, or made with an address that is the old one now: no money follows before a person has looked. */
export const heldBack = apply(
  by('supplier_order.placed', (context, { data: { supplierReference, heldBack: why = '' } }) => ({
    context: { isHeldBack: true },
    effects: [raised(context, 'supplier_rejected', { supplierReference, heldBack: why })],
  })),
);

/** A dead purchase that turns out to live after all, or one that costs more, is money that somebody has to look after. */
export const duplicateEvents = {
  'supplier_order.withheld': { guard: isAfterPurchase, actions: withheld(null) },
};

/** Said once; a release waits the whole time again. */
export const overdue = (deadline: DeadlineName, waitingFor: string) =>
  emit((context) => [...endWait(deadline)(context), raised(context, 'overdue', { waitingFor })]);
