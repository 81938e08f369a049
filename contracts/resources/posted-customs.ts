import { z } from 'zod';

/** What customs of some destinations want to know of the receiver. */
export const PostedCustoms = z
  .strictObject({
    /** Tax, customs or identity number of the receiver, as the country writes it. */
    tax_id: z
      .string()
      .trim()
      .transform((id) => id.replace(/[\s./_-]/g, '').toUpperCase())
      .pipe(z.string().regex(/^[\p{L}\d&]{4,20}$/u, 'must be a number of 4 to 20 places'))
      .optional(),
    birthday: z.iso.date('must be a date like 1990-12-31').optional(),
    /** Code of a Saudi National Address. */
    national_address: z
      .string()
      .trim()
      .toUpperCase()
      .regex(/^[A-Z]{4}\d{4}$/, 'must be a code like RRRD2929')
      .optional(),
  })
  .refine((customs) => Object.keys(customs).length > 0, { error: 'says nothing' });
export type PostedCustoms = z.infer<typeof PostedCustoms>;
