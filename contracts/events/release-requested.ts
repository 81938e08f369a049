import { z } from 'zod';
import { HoldReason } from '../vocabulary.ts';

/** Somebody mended the cause of holds: those that match are released, and the order goes on when none is left. */
export const RELEASE_REQUESTED = 'order.release_requested';

export const ReleaseRequested = z.object({
  orderId: z.string(),
  reason: HoldReason,
  /** Only holds on these lines; absent: every hold of that reason. */
  lineIds: z.array(z.string()).optional(),
  /** Only this hold. */
  holdId: z.string().optional(),
});
export type ReleaseRequested = z.infer<typeof ReleaseRequested>;
