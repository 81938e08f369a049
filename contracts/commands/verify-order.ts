import { z } from 'zod';

/** Shopify: read what the order is now, before anything is bought for it. Answered by `order.verified`. */
export const VERIFY_ORDER = 'verify';
export const VerifyOrder = z.object({ orderId: z.string() });
export type VerifyOrder = z.infer<typeof VerifyOrder>;
