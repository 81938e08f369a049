import { z } from 'zod';
import { Evidence, HoldReason } from '../vocabulary.ts';

/** The shop shows the parcel with its tracking. */
export const FULFILLMENT_SYNCED = 'fulfillment.synced';
export const FulfillmentSynced = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  parcelId: z.string(),
  shopFulfillmentId: z.string(),
  /** `created` by us, or `adopted`: one with this tracking number stood there already. */
  how: z.enum(['created', 'adopted']),
});
export type FulfillmentSynced = z.infer<typeof FulfillmentSynced>;

/** The shop will not take the fulfilment without a person. */
export const FULFILLMENT_WITHHELD = 'fulfillment.withheld';
export const FulfillmentWithheld = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  parcelId: z.string(),
  reason: HoldReason,
  evidence: Evidence,
});
export type FulfillmentWithheld = z.infer<typeof FulfillmentWithheld>;
