import { z } from 'zod';
import { Evidence, HoldReason, ParcelStateName } from '../vocabulary.ts';

/** A status query (or a push re-read by one) saw something new. */
export const SUPPLIER_ORDER_OBSERVED = 'supplier_order.observed';

export const ObservedParcel = z.object({
  trackingNumber: z.string().min(1),
  /** Number of the last-mile carrier, once there is one. */
  lastMileTrackingNumber: z.string().nullable(),
  carrier: z.string().nullable(),
  trackingUrl: z.string().nullable(),
  state: ParcelStateName,
  /** Its supplier says that it has left, whether or not a carrier has scanned it; needless where the whole order is shipped. */
  hasLeft: z.boolean().optional(),
  /** Order line units in this parcel; absent: everything of the supplier order that is in no other parcel. */
  units: z.record(z.string(), z.int().positive()).optional(),
});
export type ObservedParcel = z.infer<typeof ObservedParcel>;

/** What a person has to see to at the supplier, though its order may go on there. */
export const Attention = z.object({ reason: HoldReason, evidence: Evidence });
export type Attention = z.infer<typeof Attention>;

export const SupplierOrderObserved = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  status: z.enum(['awaiting_payment', 'processing', 'shipped', 'delivered', 'cancelled']),
  parcels: z.array(ObservedParcel),
  evidence: Evidence,
  attention: Attention.optional(),
  /** Whoever looked would have said an attention; absent: it cannot tell, as the release before this field. */
  isAttentive: z.literal(true).optional(),
});
export type SupplierOrderObserved = z.infer<typeof SupplierOrderObserved>;
