import type { H3, H3Event } from 'h3';
import type { Scope } from '../contracts/resources/api-key.ts';
import { inSpan } from '../services/tracing.ts';
import { during } from '../services/work.ts';
import type { Guard } from './api-key.ts';
import { refusal } from './problem.ts';
import { traceOf } from './request-trace.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As h3 writes patterns: `/orders/:orderId`. */
  readonly path: string;
  /** Without it the API key is asked for. */
  readonly isOpen?: boolean;
  /** What the key must allow. By default `read` for GET and `write` for the rest. */
  readonly scope?: Scope;
  readonly handle: (event: H3Event) => unknown;
}

export const scopeOf = ({ method, scope }: Pick<Route, 'method' | 'scope'>): Scope =>
  scope ?? (method === 'GET' ? 'read' : 'write');

/** Registers the routes; every other method of a known path is answered 405 with what is allowed. */
export function addRoutes(app: H3, routes: readonly Route[], guard: Guard): void {
  const allowed = new Map<string, string[]>();
  for (const route of routes) {
    const { method, path, isOpen = false, handle } = route;
    const methods = method === 'GET' ? (['GET', 'HEAD'] as const) : [method];
    for (const each of methods) {
      const span = { name: `${method} ${path}`, kind: 'server' } as const;
      app.on(each, path, (event) => {
        const { requestId, traceparent } = traceOf(event);
        const serve = async (): Promise<unknown> => {
          if (!isOpen) await guard(event, scopeOf(route));
          return handle(event);
        };
        // Probes and scrapes come every few seconds and are nobody's order.
        return during({ requestId, traceparent }, () =>
          isOpen && method === 'GET' ? serve() : inSpan(span, serve),
        );
      });
    }
    allowed.set(path, [...(allowed.get(path) ?? []), ...methods]);
  }
  for (const [path, methods] of allowed) {
    const allow = methods.join(', ');
    app.all(path, () => {
      const detail = `this path takes ${allow}`;
      throw refusal({ status: 405, code: 'method_not_allowed', detail, headers: { allow } });
    });
  }
}
