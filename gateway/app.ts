import { H3, type H3Event } from 'h3';
import type { Logger } from '../services/logger.ts';
import type { Guard } from './api-key.ts';
import type { Metrics } from './metrics.ts';
import { describeProblem, toProblemResponse } from './problem.ts';
import { routeOf, traceOf } from './request-trace.ts';
import { addRoutes, type Route } from './route.ts';

const headersOf = (event: H3Event): Headers =>
  new Headers({
    'x-request-id': traceOf(event).requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
  });

/** The routes with what all of them share: request id, security headers, problem+json, one log line, metrics. */
export function createApp(
  routes: readonly Route[],
  ports: { readonly guard: Guard; readonly metrics: Metrics; readonly log: Logger },
): H3 {
  const { guard, metrics, log } = ports;
  const app = new H3({
    silent: true,
    onRequest: (event) => {
      for (const [name, value] of headersOf(event)) event.res.headers.set(name, value);
    },
    onError: (error, event) => {
      const details = describeProblem(error);
      if (details.status >= 500) {
        const { requestId } = traceOf(event);
        const { code } = details;
        // A refusal of our own has no cause that says more than its code.
        const err = error.cause instanceof Error ? error.cause : undefined;
        log[code === 'internal' ? 'error' : 'warn'](
          { err, code, route: routeOf(event), requestId },
          'a request failed',
        );
      }
      return toProblemResponse(details, headersOf(event));
    },
    onResponse: (response, event) => {
      const { requestId, startedAt } = traceOf(event);
      const durationMs = performance.now() - startedAt;
      const { method } = event.req;
      const route = routeOf(event);
      metrics.observeRequest({ method, route, status: response.status, durationMs });
      const ms = Math.round(durationMs * 10) / 10;
      log.debug({ method, route, status: response.status, ms, requestId }, 'request');
    },
  });
  addRoutes(app, routes, guard);
  return app;
}
