import { z } from 'zod';
import { DeadLetterAction, DeadLetterKind, DeadLetterReason, DeadLetterState } from '../dead-letters.ts';
import { ListQuery } from './list-query.ts';

export const DeadLetterSummary = z.object({
  id: z.string(),
  kind: DeadLetterKind,
  state: DeadLetterState,
  reason: DeadLetterReason,
  /** What the reason means and what usually mends it, in plain words. */
  means: z.string(),
  suggestedMend: z.string(),
  /** The error by its names and codes, as one line. */
  failure: z.string(),
  orderId: z.string().nullable(),
  /** Type of the event, service and verb of the command, or topic of the webhook. */
  message: z.string(),
  messageId: z.string(),
  /** Times that it was tried; 0 while it is parked. */
  attempts: z.int(),
  /** Later events of the order that wait behind it. */
  waiting: z.int(),
  openedAt: z.iso.datetime(),
  settledAt: z.iso.datetime().nullable(),
  /** What can be asked for now. */
  can: z.array(DeadLetterAction),
});
export type DeadLetterSummary = z.infer<typeof DeadLetterSummary>;

export const DeadLetterView = DeadLetterSummary.extend({
  /** As it was received; an edit does not change it. Of a webhook where its body is kept. */
  payload: z.string(),
  /** What was asked for so far, oldest first. */
  requests: z.array(
    z.object({
      action: DeadLetterAction,
      /** The key that asked, as `owner` or `key:…`. */
      by: z.string(),
      note: z.string().nullable(),
      data: z.unknown(),
      at: z.iso.datetime(),
    }),
  ),
});
export type DeadLetterView = z.infer<typeof DeadLetterView>;

export const DeadLetterList = z.object({
  items: z.array(DeadLetterSummary),
  nextCursor: z.string().nullable(),
});
export type DeadLetterList = z.infer<typeof DeadLetterList>;

/** Without a state: those that are not settled. */
export const DeadLetterListQuery = ListQuery.extend({
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'must be the nextCursor of an earlier answer')
    .optional(),
  state: DeadLetterState.optional(),
  kind: DeadLetterKind.optional(),
  reason: DeadLetterReason.optional(),
  orderId: z.string().max(80).optional(),
});
export type DeadLetterListQuery = z.infer<typeof DeadLetterListQuery>;

const note = z.string().trim().min(1).max(1_000);

/** Body of a skip: why it is left out. */
export const SkipDeadLetter = z.strictObject({ note });

/** Body of an edit: the event's data, or the webhook's body, as they should have been, and why. Type, id and order stay as they are. */
export const EditDeadLetter = z.strictObject({ note, data: z.record(z.string(), z.unknown()) });

const ofReason = { reason: DeadLetterReason, limit: z.int().min(1).max(1_000).default(1_000) };
/** Bodies for all open letters of a reason; those tried least come first. */
export const ReplayDeadLetters = z.strictObject(ofReason);
export const SkipDeadLetters = z.strictObject({ ...ofReason, note });

/** It follows in a moment. */
export const DeadLetterReceipt = z.object({ requested: z.int(), more: z.boolean() });
export type DeadLetterReceipt = z.infer<typeof DeadLetterReceipt>;
