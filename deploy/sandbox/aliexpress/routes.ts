import type { H3Event } from 'h3';
import type { Faults } from '../faults.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { withFaults } from '../with-faults.ts';
import { createEndpoints, type Endpoint, type Parameters } from './endpoints.ts';
import { checkSignature } from './gate.ts';
import type { AliExpressOrders } from './orders.ts';
import { AliExpressRefusal, flatError, gatewayError, isGatewayCode, requestId } from './refusal.ts';
import type { AppCredentials } from './sign.ts';
import type { AliExpressTokens } from './tokens.ts';
import { toWireText } from './wire.ts';

const SYSTEM_PARAMETERS = [
  'app_key',
  'session',
  'access_token',
  'timestamp',
  'sign_method',
  'sign',
  'method',
  'format',
  'v',
  'simplify',
  'partner_id',
];

/** Parameters may come in the query, in a form body, or split over both. */
async function readParameters({ req, url }: H3Event): Promise<Parameters> {
  const isForm = req.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
  const body = new URLSearchParams(req.method === 'POST' && isForm ? await req.text() : '');
  return Object.fromEntries([...url.searchParams, ...body]);
}

const json = (text: string): Response =>
  new Response(text, { headers: { 'content-type': 'application/json;charset=UTF-8' } });

const banned = (seconds: number): AliExpressRefusal =>
  new AliExpressRefusal('AppApiCallLimit', `App call limited, this ban will last ${seconds} seconds`);

/** Everybody who is let in; the limits hold for the app as a whole. */
function createCallLimit(settings: LiveSettings): { enter(): void; leave(): void } {
  const switches = () => settings.current().aliexpress;
  const bucket = createTokenBucket(() => {
    const { requestsPerSecond } = switches();
    return { perSecond: requestsPerSecond, capacity: requestsPerSecond };
  });
  let underWay = 0;
  let bannedUntil = 0;
  return {
    enter() {
      underWay += 1;
      const now = Date.now();
      const isTooMuch = (underWay > 1 && !switches().isParallelAllowed) || !bucket.take(1);
      if (now >= bannedUntil && isTooMuch) bannedUntil = now + switches().banSeconds * 1_000;
      if (now < bannedUntil) throw banned(Math.ceil((bannedUntil - now) / 1_000));
    },
    leave() {
      underWay -= 1;
    },
  };
}

interface World {
  readonly credentials: AppCredentials;
  readonly orders: AliExpressOrders;
  readonly tokens: AliExpressTokens;
  readonly settings: LiveSettings;
  readonly faults: Faults;
  readonly shelf: Shelf;
}

/** The business gateway, `/sync`: one function that answers any request there. */
export function createSyncGateway(world: World): (event: H3Event) => Promise<Response> {
  const { credentials, tokens, settings, faults } = world;
  const endpoints = createEndpoints(world);
  const limit = createCallLimit(settings);

  const refused = (refusal: AliExpressRefusal, endpoint: Endpoint, parameters: Parameters): Response =>
    isGatewayCode(refusal.code)
      ? Response.json(gatewayError(refusal))
      : succeeded(endpoint.refused(refusal), endpoint, parameters);

  function succeeded(body: object, endpoint: Endpoint, parameters: Parameters): Response {
    const { listShape, ids } = settings.current().aliexpress;
    const answer = { ...body, request_id: requestId() };
    return parameters.simplify === 'true'
      ? json(toWireText(answer, { ids, listShape: 'array' }))
      : json(toWireText({ [endpoint.answerName()]: answer }, { ids, listShape }));
  }

  const perform = (endpoint: Endpoint, parameters: Parameters): Response => {
    checkSignature(parameters, credentials, '');
    const token = parameters.session ?? parameters.access_token;
    if (!token)
      throw new AliExpressRefusal('MissingParameter', 'The request is missing the parameter session');
    if (!tokens.accepts(token))
      throw new AliExpressRefusal('IllegalAccessToken', 'The specified access token is invalid or expired');
    const missing = endpoint.required.find((name) => !parameters[name]);
    const known = [...SYSTEM_PARAMETERS, ...endpoint.required, ...endpoint.optional];
    const isMisnamed = Object.keys(parameters).some((name) => !known.includes(name));
    // Whoever misspells a name is told nothing at all.
    if (missing !== undefined && !isMisnamed)
      throw new AliExpressRefusal('MissingParameter', `The request is missing the parameter ${missing}`);
    const body = missing === undefined ? endpoint.answer(parameters) : null;
    return succeeded(body ?? { result: {} }, endpoint, parameters);
  };

  return async (event) => {
    const parameters = await readParameters(event);
    const endpoint = endpoints.get(parameters.method ?? '');
    if (endpoint === undefined)
      return Response.json(
        gatewayError(new AliExpressRefusal('InvalidApiPath', 'The API path is not valid')),
      );
    const answering = (act: () => Response): Response => {
      try {
        return act();
      } catch (error) {
        if (error instanceof AliExpressRefusal) return refused(error, endpoint, parameters);
        throw error;
      }
    };
    const dialect = {
      rateLimited: () => Response.json(gatewayError(banned(1))),
      refused: (code: string) =>
        refused(new AliExpressRefusal(code, `refused: ${code}`), endpoint, parameters),
    };
    try {
      limit.enter();
      return await withFaults({ faults, event, dialect }, [endpoint.operation], () =>
        answering(() => perform(endpoint, parameters)),
      );
    } catch (error) {
      if (error instanceof AliExpressRefusal) return Response.json(gatewayError(error));
      throw error;
    } finally {
      limit.leave();
    }
  };
}

/** The token calls below `/rest`. */
export function createRestGateway(world: World): (event: H3Event) => Promise<Response> {
  const { credentials, tokens, faults } = world;
  const endpoints = new Map([
    ['/auth/token/create', { operation: 'createToken', name: 'code', answer: tokens.exchange }],
    ['/auth/token/refresh', { operation: 'refreshToken', name: 'refresh_token', answer: tokens.refresh }],
  ]);
  return async (event) => {
    const path = event.url.pathname.slice('/rest'.length);
    const parameters = await readParameters(event);
    const endpoint = endpoints.get(path);
    const flat = (refusal: AliExpressRefusal): Response => Response.json(flatError(refusal));
    if (endpoint === undefined)
      return flat(new AliExpressRefusal('InvalidApiPath', 'The API path is not valid'));
    const dialect = {
      rateLimited: () => flat(banned(1)),
      refused: (code: string) => flat(new AliExpressRefusal(code, `refused: ${code}`)),
    };
    return withFaults({ faults, event, dialect }, [`aliexpress.${endpoint.operation}`], () => {
      try {
        checkSignature(parameters, credentials, path);
        const value = parameters[endpoint.name];
        if (!value)
          throw new AliExpressRefusal(
            'MissingParameter',
            `The request is missing the parameter ${endpoint.name}`,
          );
        return Response.json(endpoint.answer(value));
      } catch (error) {
        if (error instanceof AliExpressRefusal) return flat(error);
        throw error;
      }
    });
  };
}

/** The consent page of an owner who always says yes: it leads straight back with a code. */
export function createConsentPage({
  credentials,
  tokens,
  faults,
}: World): (event: H3Event) => Promise<Response> {
  const busy = (): Response => new Response('Too many requests', { status: 429 });
  return (event) =>
    withFaults({ faults, event, dialect: { rateLimited: busy } }, ['aliexpress.authorize'], () => {
      const query = event.url.searchParams;
      const back = URL.parse(query.get('redirect_uri') ?? '');
      if (
        query.get('response_type') !== 'code' ||
        query.get('client_id') !== credentials.appKey ||
        back === null
      )
        return new Response('response_type, client_id or redirect_uri is not valid', { status: 400 });
      back.searchParams.set('code', tokens.consent());
      const state = query.get('state');
      if (state !== null) back.searchParams.set('state', state);
      return new Response(null, { status: 302, headers: { location: back.href } });
    });
}
