import { z } from 'zod';
import { TOLERANCE_SECONDS, WAITING_KINDS } from '../waits.ts';
import { ListQuery } from './list-query.ts';

const STUCK_REASONS = ['overdue', 'timer_late', 'no_timer'] as const;
export type StuckReason = (typeof STUCK_REASONS)[number];

/** Why something stands in the list, in plain words. */
export const STUCK_WORDS: Readonly<Record<StuckReason, string>> = {
  overdue: 'it has waited longer than it may',
  timer_late: 'its timer passed and nothing came of it: the event is lost, or waits behind a dead letter',
  no_timer: 'nothing will wake it: its state wants a timer, and none is set',
};

export const StuckItem = z.object({
  kind: z.enum(WAITING_KINDS),
  id: z.string(),
  state: z.string(),
  reason: z.enum(STUCK_REASONS),
  /** The reason in plain words, and what to do. */
  says: z.string(),
  next: z.string(),
  since: z.iso.datetime(),
  /** Until when it might have waited. */
  deadlineAt: z.iso.datetime(),
  orderId: z.string().nullable(),
  /** Where its order is explained; null: there is no such order. */
  explain: z.string().nullable(),
});
export type StuckItem = z.infer<typeof StuckItem>;

export const StuckList = z.object({ items: z.array(StuckItem), nextCursor: z.string().nullable() });
export type StuckList = z.infer<typeof StuckList>;

export const StuckQuery = ListQuery.extend({
  kind: z.enum(WAITING_KINDS).optional(),
  /** How long something may be late before it is listed. */
  toleranceSeconds: z.coerce.number().min(0).max(31_536_000).default(TOLERANCE_SECONDS),
});
