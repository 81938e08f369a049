import { z } from 'zod';

/** Once a day: what the shop's webhooks brought of the orders that the catch-up saw in the shop. Told to the crew. */
export const GAP_REPORTED = 'shop.gap_reported';

export const GapReported = z.object({
  shop: z.string(),
  /** The day in UTC, as 2026-11-22. */
  day: z.iso.date(),
  /** Orders that the catch-up saw for the first time on that day. */
  seen: z.int().nonnegative(),
  byWebhook: z.int().nonnegative(),
  onlyBySweep: z.int().nonnegative(),
  /** Seen in the shop and not among our orders: somebody should look. */
  missing: z.int().nonnegative(),
  /** From the shop's deed to our commit; null on a day without webhooks. */
  meanDelaySeconds: z.number().nullable(),
});
export type GapReported = z.infer<typeof GapReported>;
