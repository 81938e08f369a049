import { z } from 'zod';

/** Shopify: somebody said that this order changed; read what it is now and tell its partition. */
export const REREAD_ORDER = 'reread';
/** The digits of the shop's order, or of one of its fulfilment orders where the hint names no more than that. */
export const RereadOrder = z.union([
  z.object({
    shop: z.string(),
    shopOrderId: z.string().regex(/^\d+$/),
    /** The shop says that it was deleted. */
    deleted: z.literal(true).optional(),
    /** Nobody is told of it by mail. */
    history: z.literal(true).optional(),
    /** A fulfilment of it was cancelled, perhaps one of ours. */
    fulfillmentCancelled: z.literal(true).optional(),
  }),
  z.object({
    shop: z.string(),
    fulfillmentOrderId: z.string().regex(/^\d+$/),
    /** The one that its units came from: where the other is somebody else's, only this one may be shown to us. */
    movedFromId: z.string().regex(/^\d+$/).optional(),
  }),
]);
export type RereadOrder = z.infer<typeof RereadOrder>;
