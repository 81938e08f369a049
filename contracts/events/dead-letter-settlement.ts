import { z } from 'zod';
import { DeadLetterAction } from '../dead-letters.ts';

/** A person decided about the open dead letter of an order: it is settled, and what waits behind it goes on. */
export const DEAD_LETTER_SETTLE_REQUESTED = 'dead_letter.settle_requested';

export const DeadLetterSettleRequested = z.object({
  orderId: z.string(),
  letterId: z.string(),
  action: DeadLetterAction,
  /** Its row says who wants it and why, and the data of an edit. */
  requestId: z.string(),
});
export type DeadLetterSettleRequested = z.infer<typeof DeadLetterSettleRequested>;
