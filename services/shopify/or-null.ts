import type { z } from 'zod';

/** A field without a value is null; a server between us and the shop may leave it out. */
export const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? null);
