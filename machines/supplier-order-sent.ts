import { NOTHING } from './change.ts';
import type { Effect } from './effect.ts';
import { apply, by, type SupplierOrderArgs } from './supplier-order-setup.ts';

/** Which attempt its call is of, and with which address it is sent. */
export const rememberAttempt = apply((context, event) => {
  if (event.type !== 'supplier_order.placing' && event.type !== 'supplier_order.outcome_unknown')
    return NOTHING;
  const attempt = Math.max(context.attempt, event.data.attempt);
  const sentTo = event.type === 'supplier_order.placing' ? { sentTo: event.data.shipToMark } : {};
  return { context: { attempt, ...sentTo }, effects: [] };
});

/** It tells an address that nobody has told of this attempt, or of an older one alone. */
const isUntold = ({ context, event }: SupplierOrderArgs): boolean => {
  if (event.type !== 'supplier_order.placing' || event.data.shipToMark === undefined) return false;
  const { attempt } = event.data;
  return attempt > context.attempt || (attempt === context.attempt && context.sentTo === undefined);
};

const rememberLate = apply(
  by('supplier_order.placing', ({ supplierOrderId }, { data: { attempt, shipToMark: sentTo = '' } }) => {
    const told: Effect = {
      kind: 'tell_order',
      event: { type: 'supplier_order.sent', data: { supplierOrderId, sentTo } },
    };
    return { context: { attempt, sentTo }, effects: [told] };
  }),
);

/** The answer to its call overtook the word that it is sent, as when the bus was away in between: only its address is news. */
export const lateWordEvents = { 'supplier_order.placing': { guard: isUntold, actions: rememberLate } };
