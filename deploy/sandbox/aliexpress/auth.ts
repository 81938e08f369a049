import type { H3Event } from 'h3';
import { withFaults } from '../with-faults.ts';
import { banned } from './call-limit.ts';
import { checkSignature } from './gate.ts';
import { readParameters } from './parameters.ts';
import { AliExpressRefusal, flatError } from './refusal.ts';
import type { AliExpressWorld } from './world.ts';

/** The token calls below `/rest`. */
export function createRestGateway(world: AliExpressWorld): (event: H3Event) => Promise<Response> {
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
}: AliExpressWorld): (event: H3Event) => Promise<Response> {
  const busy = (): Response => new Response('Too many requests', { status: 429 });
  return (event) =>
    withFaults({ faults, event, dialect: { rateLimited: busy } }, ['aliexpress.authorize'], () => {
      const query = event.url.searchParams;
      const back = URL.parse(query.get('redirect_uri') ?? '');
      if (
        query.get('response_type') !== 'code' ||
        query.get('client_id') !== credentials.appKey ||
        back === null ||
        !back.protocol.startsWith('http')
      )
        return new Response('response_type, client_id or redirect_uri is not valid', { status: 400 });
      back.searchParams.set('code', tokens.consent());
      const state = query.get('state');
      if (state !== null) back.searchParams.set('state', state);
      return new Response(null, { status: 302, headers: { location: back.href } });
    });
}
