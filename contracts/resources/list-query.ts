import { z } from 'zod';

/** What all list routes take. `cursor` is what the last answer gave as `nextCursor`. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

/** `from` belongs to the range, `to` does not. */
export const dateRange = {
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};
