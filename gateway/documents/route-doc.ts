import type { z } from 'zod';

/** What a body may look like: JSON by a contract, or text of another media type. */
export type Content =
  | { readonly json: z.ZodType; readonly example?: unknown }
  | { readonly mediaType: string; readonly description: string };

/** The chapters of the document, and what each is about. */
export const TAGS = {
  Orders: 'What customers bought, where it is, and why.',
  'Supplier orders': 'What was bought for it, from whom.',
  Holds: 'What waits for a person, and how it goes on.',
  'Dead letters': 'Messages that could not be handled, and what waits behind them.',
  'Product mappings': 'Which supplier articles stand behind the variants of the shop.',
  Suppliers: 'Their goods, their state, and whether anything is bought from them.',
  Privacy: 'What is known of a customer, and how it is forgotten. Only for admin keys.',
  Webhooks: 'What the shop and the suppliers tell us.',
  Operation: 'Health and measurements.',
  Documents: 'This description.',
} as const;
export type Tag = keyof typeof TAGS;

/** What the documents say of a route. The same contracts check what comes in. */
export interface RouteDoc {
  readonly tag: Tag;
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
