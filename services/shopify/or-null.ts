import { z } from 'zod';

/** A field without a value is null; a server between us and the shop may leave it out. */
export const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? null);

/** A list that is left out or null is empty. */
export const orEmpty = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
