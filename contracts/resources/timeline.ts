import { z } from 'zod';
import { Evidence } from '../vocabulary.ts';

/** Who said it: the shop, a person by the API, a supplier, the mail service, or a deadline that passed. */
export const TIMELINE_ACTORS = ['shop', 'operator', 'supplier', 'notifier', 'clock', 'unknown'] as const;

export const TimelineEntryView = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  event: z.string(),
  /** False: late, repeated or out of turn; it changed nothing. */
  accepted: z.boolean(),
  actor: z.enum(TIMELINE_ACTORS),
  messageId: z.string(),
  /** The message that led to this one. */
  cause: z.string().nullable(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  supplierOrder: z
    .object({ id: z.string(), before: z.string().nullable(), after: z.string().nullable() })
    .nullable(),
  /** Facts only, and nothing of a person. */
  evidence: Evidence,
});
export type TimelineEntryView = z.infer<typeof TimelineEntryView>;

/** Oldest first; it only grows. */
export const Timeline = z.object({ items: z.array(TimelineEntryView), nextCursor: z.string().nullable() });
export type Timeline = z.infer<typeof Timeline>;

export const TimelineQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'must be the nextCursor of an earlier answer')
    .optional(),
});
export type TimelineQuery = z.infer<typeof TimelineQuery>;
