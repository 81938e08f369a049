import type { z } from 'zod';

/** What a body may look like: JSON by a contract, or text of another media type. */
export type Content =
  | { readonly json: z.ZodType; readonly example?: unknown }
  | { readonly mediaType: string; readonly description: string };

/** What the documents say of a route. The same contracts check what comes in. */
export interface RouteDoc {
  readonly tag: string;
  /** One line, in the imperative. */
  readonly summary: string;
  readonly description?: string;
  /** Meaning of each part of the path that varies, by its name. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: z.ZodObject;
  /** Request headers besides X-API-Key, by their names. */
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly required?: boolean }>>;
  /** One entry for each media type that is taken. */
  readonly body?: readonly Content[];
  /** By status; null: no body. */
  readonly answers: Readonly<Record<number, readonly Content[] | null>>;
  /** Statuses of problems that this route has besides those that all have. */
  readonly problems?: readonly number[];
}
