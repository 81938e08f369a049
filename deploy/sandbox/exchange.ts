import type { IncomingHttpHeaders } from 'node:http';

/** A request as the dialects see it: its body is read to the end before anybody looks at it. */
export interface Call {
  readonly method: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Ends the connection without a byte; what is answered then goes nowhere. */
  cut(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers any request below one path. Every refusal is an answer; whatever it throws becomes HTTP 500. */
export type Dialect = (call: Call) => Answer | Promise<Answer>;

const JSON_HEADERS = { 'content-type': 'application/json' };

export const jsonText = (
  body: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { ...JSON_HEADERS, ...headers },
  body,
});

export const json = (value: unknown, status?: number, headers?: Readonly<Record<string, string>>): Answer =>
  jsonText(JSON.stringify(value), status, headers);

export const plainText = (body: string, status: number): Answer => ({
  status,
  headers: { 'content-type': 'text/plain;charset=UTF-8' },
  body,
});

/** Null for one that was not sent. */
export function headerOf({ headers }: Call, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}
