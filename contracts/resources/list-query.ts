import { z } from 'zod';

/** What all list routes take. `cursor` is what the last answer gave as `nextCursor`. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

/** An instant that the database knows too: it has no year 0, and no offset of sixteen hours. */
export const Instant = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  .pipe(z.string().regex(/^(?!0000)\d{4}-/, 'must be of the years 1 to 9999'));

/** `from` belongs to the range, `to` does not. */
export const dateRange = {
  from: Instant.optional(),
  to: Instant.optional(),
};
