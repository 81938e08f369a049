import { STATUS_CODES } from 'node:http';
import { HTTPError } from 'h3';
import { AppError, type ErrorCode, type FieldProblem } from '../contracts/errors.ts';
import type { Problem } from '../contracts/resources/problem.ts';
import { isOutage } from '../services/store/outage.ts';

/** Stable: clients branch on it. */
export type ProblemCode =
  | ErrorCode
  | 'request_malformed'
  | 'method_not_allowed'
  | 'content_type_unsupported'
  | 'webhooks_off'
  | 'conflict'
  | 'too_late'
  | 'idempotency_key_reused'
  | 'forbidden'
  | 'too_many_requests'
  | 'supplier_auth'
  | 'supplier_refused'
  | 'supplier_unreachable'
  | 'product_not_found'
  | 'not_ready';

export interface ProblemDetails {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  /** The name of the status by default. */
  readonly title?: string;
  readonly fields?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Long enough for a database to come back from a restart. */
const RETRY_AFTER_SECONDS = '10';

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  body_malformed: 400,
  unauthorized: 401,
  webhook_unverified: 401,
  not_found: 404,
  order_not_found: 404,
  supplier_order_not_found: 404,
  body_too_large: 413,
  body_invalid: 422,
  store_unavailable: 503,
  bus_unavailable: 503,
  request_timeout: 504,
};

/** Codes of what h3 itself refuses. Its own messages quote the URL, so they are not passed on. */
const FRAMEWORK: Readonly<Record<number, readonly [ProblemCode, string]>> = {
  400: ['request_malformed', 'the request cannot be understood'],
  404: ['not_found', 'there is nothing at this path'],
  413: ['body_too_large', 'the body is larger than this route takes'],
};

const refusals = new WeakMap<Error, ProblemDetails>();

/** An error to throw in a handler; it is answered as problem+json exactly as said here. */
export function refusal(details: ProblemDetails): HTTPError {
  const error = new HTTPError({ status: details.status, message: details.detail });
  refusals.set(error, details);
  return error;
}

/** What was asked for does not fit how things stand. */
export const conflict = (detail: string, fields: readonly FieldProblem[] = []): HTTPError =>
  refusal({ status: 409, code: 'conflict', detail, fields });

const internal: ProblemDetails = {
  status: 500,
  code: 'internal',
  detail: 'something went wrong here; the log says more under this request id',
};

const ofAppError = ({ code, message, fields }: AppError): ProblemDetails | undefined => {
  const status = STATUS_OF[code];
  return status === undefined ? undefined : { status, code, detail: message, fields };
};

/** An error that lays the fault on the request, under this title; any other as it is. To be thrown. */
export function entitled(error: unknown, title: string): unknown {
  const details = error instanceof AppError ? ofAppError(error) : refusals.get(error as Error);
  return details?.status === 409 || details?.status === 422 ? refusal({ ...details, title }) : error;
}

/** What to tell the client about any error that left a handler. Only foreseen errors explain themselves. */
export function describeProblem(error: HTTPError): ProblemDetails {
  const said = refusals.get(error);
  if (said !== undefined) return said;
  const { cause } = error;
  if (cause instanceof AppError) {
    return ofAppError(cause) ?? internal;
  }
  if (isOutage(cause))
    return {
      status: 503,
      code: 'store_unavailable',
      detail: 'the database is away or too slow: try again later',
    };
  const framework = error.unhandled === true ? undefined : FRAMEWORK[error.status];
  if (framework === undefined) return internal;
  return { status: error.status, code: framework[0], detail: framework[1] };
}

/** RFC 9457. A 503 says when to come back. */
export function toProblemResponse(details: ProblemDetails, headers: Headers): Response {
  const { status, code, detail, fields = [] } = details;
  const title = details.title ?? STATUS_CODES[status] ?? 'Error';
  const problem: Problem = {
    type: `urn:oms:problem:${code}`,
    title,
    status,
    code,
    detail,
    ...(fields.length === 0 ? {} : { errors: fields.map(({ path, message }) => ({ path, message })) }),
  };
  const all = new Headers(headers);
  // What is left of the body would be read as the next request of a connection that stays open.
  if (status === 413) all.set('connection', 'close');
  if (status === 503) all.set('retry-after', RETRY_AFTER_SECONDS);
  for (const [name, value] of Object.entries(details.headers ?? {})) all.set(name, value);
  all.set('content-type', 'application/problem+json');
  return new Response(JSON.stringify(problem), { status, headers: all });
}
