import { z } from 'zod';

export const ORDER_STATES = [
  'received',
  'awaiting_payment',
  'grace',
  'sourcing',
  'purchasing',
  'awaiting_shipment',
  'partially_shipped',
  'shipped',
  'partially_delivered',
  'delivered',
  'cancelling',
  'cancelled',
  'refunded',
] as const;
export const OrderStateName = z.enum(ORDER_STATES);
export type OrderStateName = z.infer<typeof OrderStateName>;

/** Where nothing more is awaited. */
export const ENDED_ORDERS = [
  'delivered',
  'cancelled',
  'refunded',
] as const satisfies readonly OrderStateName[];
export const hasEnded = (state: OrderStateName): boolean => ENDED_ORDERS.some((ended) => ended === state);

export const SUPPLIER_ORDER_STATES = [
  'draft',
  'placing',
  'outcome_unknown',
  'awaiting_payment',
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
  'delivered',
  'rejected',
  'cancelling',
  'cancelled',
  'lapsed',
] as const;
export const SupplierOrderStateName = z.enum(SUPPLIER_ORDER_STATES);
export type SupplierOrderStateName = z.infer<typeof SupplierOrderStateName>;
export const ENDED_SUPPLIER_ORDERS = [
  'delivered',
  'rejected',
  'cancelled',
  'lapsed',
] as const satisfies readonly SupplierOrderStateName[];

/** In the order a parcel usually walks them; the last five can come at any time. */
export const PARCEL_STATES = [
  'announced',
  'first_scan',
  'in_transit',
  'out_for_delivery',
  'delivered',
  'available_for_pickup',
  'attempt_failed',
  'exception',
  'delayed',
  'lost',
  'returned',
] as const;
export const ParcelStateName = z.enum(PARCEL_STATES);
export type ParcelStateName = z.infer<typeof ParcelStateName>;
export const ENDED_PARCELS = ['delivered', 'lost', 'returned'] as const satisfies readonly ParcelStateName[];

export const HOLD_REASONS = [
  'payment_pending',
  'fraud_review',
  'unmapped_line',
  'mapping_changed',
  'out_of_stock',
  'not_shippable',
  'address_invalid',
  'phone_invalid',
  'tax_id_missing',
  'margin_below_floor',
  'cost_above_cap',
  'daily_cap_reached',
  'supplier_paused',
  'credentials_expired',
  'quota_exhausted',
  'insufficient_funds',
  'outcome_unknown',
  'account_risk',
  'duplicate_suspected',
  'fulfillment_not_ours',
  'customer_edit_pending',
  'supplier_rejected',
  'supplier_cancelled',
  'overdue',
  'operator',
] as const;
export const HoldReason = z.enum(HOLD_REASONS);
export type HoldReason = z.infer<typeof HoldReason>;

/** Holds on a line, or on a refused purchase of it, that another mapping of its variant may mend. */
export const MENDED_BY_MAPPING = [
  'unmapped_line',
  'mapping_changed',
  'not_shippable',
  'out_of_stock',
] as const satisfies readonly HoldReason[];

export const FAILURE_CLASSES = [
  'transient',
  'throttled',
  'auth',
  'funds',
  'invalid_input',
  'not_found',
  'unavailable',
  'not_shippable',
  'price_changed',
  'duplicate_reference',
  'account_blocked',
  'unknown_outcome',
  'permanent',
] as const;
export const FailureClass = z.enum(FAILURE_CLASSES);
export type FailureClass = z.infer<typeof FailureClass>;

export const SUPPLIERS = ['aliexpress', 'cj_dropshipping'] as const;
export const SupplierName = z.enum(SUPPLIERS);
export type SupplierName = z.infer<typeof SupplierName>;

/** How a purchase that is no longer wanted is undone, by how far it had come. */
export const COMPENSATIONS = [
  'given_up',
  'await_verdict',
  'cancel_at_supplier',
  'ask_supplier',
  'too_late',
] as const;
export const Compensation = z.enum(COMPENSATIONS);
export type Compensation = z.infer<typeof Compensation>;

/** Why the units of a line changed; `undone`: a purchase that nobody wanted any more was cancelled. */
export const UnitChangeCause = z.enum(['edit', 'refund', 'cancel', 'edit_here', 'cancel_here', 'undone']);
export type UnitChangeCause = z.infer<typeof UnitChangeCause>;

/** What a customer is told, in the order in which it usually happens. */
export const CUSTOMER_MAILS = [
  'order_confirmed',
  'parcel_shipped',
  'parcel_in_transit',
  'parcel_delayed',
  'parcel_delivered',
] as const;
export type CustomerMail = (typeof CUSTOMER_MAILS)[number];

/** What the operator is told, each kind in one mail for everything that came up in a while. */
export const OPERATOR_MAILS = [
  'order_held',
  'dead_letter',
  'supplier_trouble',
  'mail_failed',
  'privacy_request',
] as const;
export type OperatorMail = (typeof OPERATOR_MAILS)[number];

export const NOTIFICATION_KINDS = [...CUSTOMER_MAILS, ...OPERATOR_MAILS] as const;
export const NotificationKind = z.enum(NOTIFICATION_KINDS);
export type NotificationKind = z.infer<typeof NotificationKind>;

/**
 * The supplier's own code and text, kept as evidence; nobody branches on it. Small and without personal data:
 * it is stored, shown to operators and put on the bus.
 */
export const Evidence = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
export type Evidence = z.infer<typeof Evidence>;
