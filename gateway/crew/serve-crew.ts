import { STATUS_CODES } from 'node:http';
import type { H3 } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { AgentRequest, ALL_OPERATIONS, agentSubject } from '../../contracts/requests/agent-request.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import type { AgentAnswer, AgentEndpoint, Unserved } from '../../services/bus/agent-service.ts';
import { routeKey } from '../documents/openapi.ts';
import type { RouteDoc } from '../documents/route-doc.ts';
import type { ProblemCode } from '../problem.ts';
import { check, invalid } from '../read-input.ts';
import { type Route, scopeOf } from '../route.ts';
import { OPERATIONS } from './operations.ts';

/** The same road as HTTP; nobody resolves the name. */
const ORIGIN = 'http://order-manager.internal';

const refused = (problem: Problem): AgentAnswer => ({
  ok: false,
  status: problem.status,
  title: problem.title,
  body: JSON.stringify(problem),
});

/** A no in the words of REST, for what never came to a route. */
export const refusedAnswer = (
  status: number,
  code: ProblemCode,
  detail: string,
  errors: Problem['errors'] = [],
): AgentAnswer =>
  refused({
    type: `urn:oms:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    errors,
  });

/** A name or a scope that is misspelt. */
export const UNKNOWN_OPERATION: Unserved = {
  subject: ALL_OPERATIONS,
  answer: (subject) =>
    refusedAnswer(
      404,
      'not_found',
      `there is no operation ${subject}; $SRV.INFO.oms lists those that there are`,
    ),
};

/** @throws what is no fault of the request. */
export function unreadable(error: unknown): AgentAnswer {
  if (!(error instanceof AppError) || error.code !== 'body_invalid') throw error;
  return refusedAnswer(422, error.code, error.message, [...error.fields]);
}

/** @param what it is. @throws AppError `body_invalid`. */
export function jsonOf(payload: string, what: string): unknown {
  try {
    return JSON.parse(payload);
  } catch (cause) {
    throw new AppError('body_invalid', `the ${what} is not JSON`, { retryable: false, cause });
  }
}

/** What the route wants and the request has not; over HTTP the path could not even be written without it. */
function lacking(route: Route, wantsBody: boolean, { params, body }: AgentRequest): string[] {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].flatMap(([, name = '']) => (params[name] ? [] : [name]));
  return [...inPath.map((name) => `params.${name}`), ...(wantsBody && body === undefined ? ['body'] : [])];
}

function toRequest(
  route: Route,
  { params, query, body, idempotencyKey }: AgentRequest,
  key: string,
): Request {
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = new URL(path, ORIGIN);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return new Request(url, {
    method: route.method,
    headers: {
      'x-api-key': key,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** @throws AppError `body_invalid`. */
function read(payload: string, route: Route, wantsBody: boolean): AgentRequest {
  const request = check(AgentRequest, payload === '' ? {} : jsonOf(payload, 'request'), 'request');
  if (route.method === 'GET' && request.body !== undefined)
    throw invalid('request', [{ path: 'body', message: 'must be left out: this operation takes none' }]);
  const missing = lacking(route, wantsBody, request);
  if (missing.length === 0) return request;
  throw invalid(
    'request',
    missing.map((path) => ({ path, message: 'must be there' })),
  );
}

const answering =
  (app: H3, route: Route, wantsBody: boolean, key: string): AgentEndpoint['answer'] =>
  async (payload) => {
    let request: AgentRequest;
    try {
      request = read(payload, route, wantsBody);
    } catch (error) {
      return unreadable(error);
    }
    const response = await app.fetch(toRequest(route, request, key));
    const body = await response.text();
    if (response.ok) return { ok: true, status: response.status, title: '', body: body === '' ? '{}' : body };
    return refused(Problem.parse(JSON.parse(body)));
  };

/**
 * The REST routes as operations of a NATS service, with the same contracts, answers and problems.
 * @param key that the app takes for these requests: NATS has decided already who may ask for what.
 */
export const crewEndpoints = (
  app: H3,
  routes: readonly Route[],
  docs: Readonly<Record<string, RouteDoc>>,
  key: string,
): AgentEndpoint[] =>
  routes.flatMap((route) => {
    const operation = OPERATIONS[routeKey(route)];
    if (operation === undefined) return [];
    const doc = docs[routeKey(route)];
    return [
      {
        subject: agentSubject(scopeOf(route), operation),
        name: operation.replaceAll('.', '_'),
        description: doc?.summary ?? operation,
        answer: answering(app, route, doc?.body !== undefined, key),
      },
    ];
  });
