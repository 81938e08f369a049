import { randomUUID } from 'node:crypto';
import type { H3Event } from 'h3';
import { readTraceparent } from '../contracts/trace-context.ts';

export interface RequestTrace {
  /** The client's own id when it looks like one, so that a call can be followed through several services. */
  readonly requestId: string;
  /** W3C Trace Context of whoever asks, where they say it. */
  readonly traceparent: string | undefined;
  /** From `performance.now()`. */
  readonly startedAt: number;
}

const traces = new WeakMap<H3Event, RequestTrace>();

/** The same for every call with this request; the first call should come when the request does. */
export function traceOf(event: H3Event): RequestTrace {
  const known = traces.get(event);
  if (known !== undefined) return known;
  const given = event.req.headers.get('x-request-id') ?? '';
  const trace: RequestTrace = {
    requestId: /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID(),
    traceparent: readTraceparent(event.req.headers.get('traceparent')),
    startedAt: performance.now(),
  };
  traces.set(event, trace);
  return trace;
}

/** The pattern, never the path itself: `/orders/:orderId`. */
export const routeOf = (event: H3Event): string => event.context.matchedRoute?.route ?? 'unknown';
