import type { SupplierOrderRejected } from '../contracts/events/purchase-outcome.ts';
import type { Evidence, FailureClass, HoldReason } from '../contracts/vocabulary.ts';
import type { ToOrder } from './effect.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { apply, emit, type SupplierOrderMachineEvent } from './supplier-order-setup.ts';

/** What a person has to look at when the supplier said no, by the class of its answer. */
const HOLD_OF: Record<FailureClass, HoldReason> = {
  transient: 'supplier_rejected',
  throttled: 'quota_exhausted',
  auth: 'credentials_expired',
  funds: 'insufficient_funds',
  invalid_input: 'supplier_rejected',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  price_changed: 'cost_above_cap',
  duplicate_reference: 'duplicate_suspected',
  account_blocked: 'account_risk',
  unknown_outcome: 'outcome_unknown',
  permanent: 'supplier_rejected',
};

/** An order refused for its receiver is mended there: by the field of the receiver that its evidence names. */
const HOLD_OF_FIELD = new Map<unknown, HoldReason>([
  ...['name', 'company', 'address1', 'address2', 'city', 'province', 'zip', 'countryCode'].map(
    (field): [string, HoldReason] => [field, 'address_invalid'],
  ),
  ['phone', 'phone_invalid'],
  ...['taxId', 'birthday', 'nationalAddress'].map((field): [string, HoldReason] => [field, 'tax_id_missing']),
]);

const holdOf = ({ failureClass, evidence }: SupplierOrderRejected): HoldReason =>
  (failureClass === 'invalid_input' ? HOLD_OF_FIELD.get(evidence.field) : undefined) ?? HOLD_OF[failureClass];

type Ending = Omit<Extract<ToOrder, { type: 'supplier_order.failed' }>['data'], 'supplierOrderId'>;

/** What was seen of it at its supplier. */
const evidenceOf = (event: SupplierOrderMachineEvent): Evidence =>
  event.type === 'supplier_order.observed' ? event.data.evidence : {};

const endBy = (endingOf: (event: SupplierOrderMachineEvent, context: SupplierOrderContext) => Ending) =>
  apply((context, event) => {
    const data = { supplierOrderId: context.supplierOrderId, ...endingOf(event, context) };
    return { context: {}, effects: [{ kind: 'tell_order', event: { type: 'supplier_order.failed', data } }] };
  });

/** The supplier refused it, or cancelled it by itself. */
export const failed = endBy((event, { unwantedBy }) => {
  if (event.type !== 'supplier_order.rejected')
    return { state: 'cancelled', reason: 'supplier_cancelled', evidence: evidenceOf(event) };
  const { evidence, isReplaceable } = event.data;
  // Whoever gave up this purchase alone decides about its units; what its order gave up it wants from elsewhere, if at all.
  const isFree = isReplaceable === true && unwantedBy !== 'operator';
  return { state: 'rejected', reason: holdOf(event.data), evidence, ...(isFree ? { isReplaceable } : {}) };
});

/** Nobody paid in time, or it was closed unpaid: no money was spent, and its units wait again. */
export const lapsed = endBy((event) => ({
  state: 'lapsed',
  reason: 'supplier_cancelled',
  evidence: { ...evidenceOf(event), cause: 'closed at the supplier before it was paid' },
}));

/** It comes to nothing because nobody wants it any more. */
export const giveUp = emit(({ supplierOrderId, unwantedBy }) => [
  {
    kind: 'tell_order',
    event: { type: 'supplier_order.given_up', data: { supplierOrderId, by: unwantedBy ?? 'order' } },
  },
]);

/** Nothing came of it, and nobody wants it any more: it is not tried again. */
export const givenUpInstead = { guard: 'isUnwanted' as const, target: 'cancelled', actions: giveUp };
