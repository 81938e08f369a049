import type { Compensation, Evidence } from '../contracts/vocabulary.ts';
import type { Effect } from './effect.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { isByOperator, isFirstNo } from './supplier-order-guards.ts';
import { raised } from './supplier-order-holds.ts';
import { apply, by, emit } from './supplier-order-setup.ts';

/** Remembers that nobody wants it, and what is done about it. */
export const unwanted = (compensation: Compensation) =>
  apply((_context, event) => ({
    context: { unwantedBy: isByOperator({ event }) ? 'operator' : 'order', compensation },
    effects: [],
  }));

/** The two ways to hear that it is not wanted, answered alike. */
export const whenUnwanted = (compensation: Compensation, target?: 'cancelling') => {
  const transition = {
    guard: isFirstNo,
    actions: unwanted(compensation),
    ...(target === undefined ? {} : { target }),
  };
  return { 'order.cancelled': transition, 'supplier_order.cancel_requested': transition };
};

const stillThere = (context: SupplierOrderContext, evidence: Evidence): Effect => {
  const reason = context.unwantedBy === 'operator' ? 'supplier_rejected' : 'customer_edit_pending';
  return raised(context, reason, { ...evidence, cancelled: false });
};

/** The supplier does not give it up: a person has to speak with it, or let it go on. */
export const heldUncancelled = apply(
  by('supplier_order.cancel_refused', (context, { data: { isPaid, evidence } }) => ({
    context: {},
    effects: [stillThere(context, { ...evidence, isPaid })],
  })),
);

/** It left while it was being given up. */
export const leftMeanwhile = emit((context) => [stillThere(context, { cause: 'it was shipped meanwhile' })]);

/** What has left cannot be called back; a person who asked for it a moment before hears of that. */
export const whenTooLate = {
  'order.cancelled': { guard: isFirstNo, actions: unwanted('too_late') },
  'supplier_order.cancel_requested': { actions: [unwanted('too_late'), leftMeanwhile] },
};
