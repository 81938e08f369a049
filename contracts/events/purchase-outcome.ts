import { z } from 'zod';
import { Evidence, FailureClass, HoldReason } from '../vocabulary.ts';

const Attempted = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  attempt: z.int().nonnegative(),
});

/** The purchase intent is committed; the call follows. */
export const SUPPLIER_ORDER_PLACING = 'supplier_order.placing';
export const SupplierOrderPlacing = Attempted.extend({
  /** Of the address that it is sent with, as order bodies mark theirs. */
  shipToMark: z.string().max(2).optional(),
});
export type SupplierOrderPlacing = z.infer<typeof SupplierOrderPlacing>;

/** The order exists at the supplier and waits for our payment. */
export const SUPPLIER_ORDER_PLACED = 'supplier_order.placed';
export const SupplierOrderPlaced = Attempted.extend({
  supplierReference: z.string().min(1),
  amountMinor: z.int().nonnegative().nullable(),
  /** Why it must not be paid before a person has looked, in the supplier's words or ours; absent: nothing is against it. */
  heldBack: z.string().optional(),
});
export type SupplierOrderPlaced = z.infer<typeof SupplierOrderPlaced>;

/** The supplier has the order and its money. */
export const SUPPLIER_ORDER_ACCEPTED = 'supplier_order.accepted';
export const SupplierOrderAccepted = Attempted.extend({
  supplierReference: z.string().min(1),
  amountMinor: z.int().nonnegative().nullable(),
});
export type SupplierOrderAccepted = z.infer<typeof SupplierOrderAccepted>;

/** A clear no. Nothing was bought. */
export const SUPPLIER_ORDER_REJECTED = 'supplier_order.rejected';
export const SupplierOrderRejected = Attempted.extend({
  failureClass: FailureClass,
  evidence: Evidence,
  /** Its units may be looked for elsewhere without asking anybody. */
  isReplaceable: z.literal(true).optional(),
});
export type SupplierOrderRejected = z.infer<typeof SupplierOrderRejected>;

/** The call ended without a verdict: it may have bought. */
export const SUPPLIER_ORDER_OUTCOME_UNKNOWN = 'supplier_order.outcome_unknown';
export const SupplierOrderOutcomeUnknown = Attempted.extend({ evidence: Evidence });
export type SupplierOrderOutcomeUnknown = z.infer<typeof SupplierOrderOutcomeUnknown>;

/** Look-ups say, often and long enough, that the doubtful purchase does not exist, or a person does: the next attempt may start. */
export const SUPPLIER_ORDER_ABSENT = 'supplier_order.absent';
export const SupplierOrderAbsent = Attempted.extend({
  lookUps: z.int().positive(),
  /** Absent: the look-ups alone. */
  saidBy: z.literal('operator').optional(),
});
export type SupplierOrderAbsent = z.infer<typeof SupplierOrderAbsent>;

/** A clear "not now": nothing was bought, and the same purchase is asked for again after the retry time. */
export const SUPPLIER_ORDER_DEFERRED = 'supplier_order.deferred';
export const SupplierOrderDeferred = Attempted.extend({ evidence: Evidence });
export type SupplierOrderDeferred = z.infer<typeof SupplierOrderDeferred>;

/** Suppliers will not go on without a person: cap, mode, kill switch, funds, or a doubt that cannot be resolved. */
export const SUPPLIER_ORDER_WITHHELD = 'supplier_order.withheld';
export const SupplierOrderWithheld = Attempted.extend({ reason: HoldReason, evidence: Evidence });
export type SupplierOrderWithheld = z.infer<typeof SupplierOrderWithheld>;
