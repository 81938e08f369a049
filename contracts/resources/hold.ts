import { z } from 'zod';
import { Evidence, HoldReason } from '../vocabulary.ts';
import { ListQuery } from './list-query.ts';

export const HoldView = z.object({
  id: z.string(),
  orderId: z.string(),
  reason: HoldReason,
  lineId: z.string().nullable(),
  supplierOrderId: z.string().nullable(),
  evidence: Evidence,
  /** What the reason means, what usually mends it, and when the hold goes away: in plain words. */
  means: z.string(),
  suggestedMend: z.string(),
  releaseRule: z.string(),
  /** What people wrote about it, oldest first. */
  notes: z.array(z.string()),
  openedAt: z.iso.datetime(),
});
export type HoldView = z.infer<typeof HoldView>;

export const HoldList = z.object({ items: z.array(HoldView), nextCursor: z.string().nullable() });
export type HoldList = z.infer<typeof HoldList>;

export const HoldListQuery = ListQuery.extend({
  reason: HoldReason.optional(),
  orderId: z.string().max(80).optional(),
});
export type HoldListQuery = z.infer<typeof HoldListQuery>;

const note = z.string().trim().min(1).max(1_000);

/** Body of `POST /orders/{id}/holds`. Without a line the whole order is held. */
export const PostHold = z.strictObject({ note, line_id: z.string().min(1).max(100).optional() });

/** Body of `POST /holds/release`: at most `limit` orders at once, those held longest first. */
export const ReleaseByReason = z.strictObject({
  reason: HoldReason,
  limit: z.int().min(1).max(1_000).default(1_000),
});

/** The hold opens in a moment. */
export const HoldReceipt = z.object({ id: z.string(), orderId: z.string() });
export type HoldReceipt = z.infer<typeof HoldReceipt>;

/** Answer of the releases: they follow in a moment. */
export const ReleaseReceipt = z.object({ requested: z.int(), more: z.boolean() });
export type ReleaseReceipt = z.infer<typeof ReleaseReceipt>;
