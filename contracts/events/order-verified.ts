import { z } from 'zod';
import { Evidence, HoldReason } from '../vocabulary.ts';
import { OrderReceived } from './order-received.ts';

/** The shop was asked what the order is now: the last word before buying. */
export const ORDER_VERIFIED = 'order.verified';

export const OrderVerified = z.object({
  orderId: z.string(),
  /** What was read; null where nobody can be asked, or the shop showed nothing. */
  body: OrderReceived.nullable(),
  /** What keeps the order from being bought for, by the shop's own account. Empty: go on. */
  holds: z.array(z.object({ reason: HoldReason, evidence: Evidence })),
});
export type OrderVerified = z.infer<typeof OrderVerified>;
