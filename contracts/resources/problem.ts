import { z } from 'zod';

/** One place, and what is wrong there. */
export const FieldProblems = z.array(z.object({ path: z.string(), message: z.string() }));

/** RFC 9457, media type `application/problem+json`. `code` is stable; `errors` names fields by dotted path. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  errors: FieldProblems.optional(),
});
export type Problem = z.infer<typeof Problem>;
