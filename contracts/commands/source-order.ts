import { z } from 'zod';

/** Suppliers: find who delivers these units. Answered by `order.sourced` of the same round. */
export const SOURCE_ORDER = 'source';
export const SourceOrder = z.object({
  orderId: z.string(),
  round: z.int().positive(),
  lines: z.array(z.object({ lineId: z.string(), units: z.int().positive() })).min(1),
});
export type SourceOrder = z.infer<typeof SourceOrder>;
