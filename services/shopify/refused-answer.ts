import { z } from 'zod';

export const Cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});
/** Points of the app's bucket in this shop; `restoreRate` per second. */
export type Cost = z.infer<typeof Cost>;

/** HTTP 200 with errors, as the library's GraphqlQueryError carries it in `body`. A null `data` is left out there. */
export const RefusedAnswer = z.object({
  errors: z.object({
    graphQLErrors: z
      .array(
        z.object({
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).nullish(),
          extensions: z.object({ code: z.string().nullish().catch(null) }).nullish(),
        }),
      )
      .min(1),
  }),
  data: z.record(z.string(), z.unknown()).nullish(),
  extensions: z
    .object({ cost: Cost.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

export type RefusedAnswer = z.infer<typeof RefusedAnswer>;
