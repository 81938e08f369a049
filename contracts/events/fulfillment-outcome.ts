import { z } from 'zod';
import { Evidence, HoldReason } from '../vocabulary.ts';

/** What the shop is to know of the parcel's units it knows. */
export const FULFILLMENT_SYNCED = 'fulfillment.synced';
export const FulfillmentSynced = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  parcelId: z.string(),
  /** Null where it is let be. */
  shopFulfillmentId: z.string().nullable(),
  /**
   * `created` by us, or `adopted`: one with this tracking number stood there already. `let_be`: the shop has nothing left
   * to fulfil of its units, and a person released the hold that said so.
   */
  how: z.enum(['created', 'adopted', 'let_be']),
  /** Of its units, those that are not shown: the shop had nothing left of them to fulfil. Absent: none. */
  missingUnits: z.int().positive().optional(),
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
  /** The shop showed the parcel by this fulfilment, and somebody cancelled it there. */
  undoneFulfillmentId: z.string().optional(),
});
export type FulfillmentWithheld = z.infer<typeof FulfillmentWithheld>;
