/** What we foresaw going wrong. Callers branch on the code, never on the message. */
export const ERROR_CODES = [
  'message_invalid',
  'settings_invalid',
  'body_malformed',
  'body_invalid',
  'body_too_large',
  'webhook_unverified',
  'unauthorized',
  'not_found',
  'order_not_found',
  'supplier_order_not_found',
  'store_unavailable',
  'bus_unavailable',
  'request_timeout',
  'stream_mismatch',
  'archive_too_short',
  'conservation_violated',
  'supplier_failed',
  'shop_failed',
  'template_invalid',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One place in a rejected input: a dotted path and what is wrong there. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly fields: readonly FieldProblem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable: boolean; cause?: unknown; fields?: readonly FieldProblem[] },
  ) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable;
    this.fields = options.fields ?? [];
  }
}

/** What a person is told of it. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isRetryable = (error: unknown): boolean => error instanceof AppError && error.retryable;
