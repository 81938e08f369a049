import { z } from 'zod';

/** Shopify: show this parcel with its tracking in the shop. The parcel's row decides. */
export const FULFILL_PARCEL = 'fulfill';
export const FulfillParcel = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  parcelId: z.string(),
});
export type FulfillParcel = z.infer<typeof FulfillParcel>;
