import { type Answer, type Dialect, json, plainText } from '../exchange.ts';
import { withFaults } from '../with-faults.ts';
import { banned } from './call-limit.ts';
import { hourOf } from './clock.ts';
import { checkSignature } from './gate.ts';
import { readParameters } from './parameters.ts';
import { AliExpressRefusal, flatError } from './refusal.ts';
import type { AliExpressWorld } from './world.ts';

/** The token calls below `/rest`. */
export function createRestGateway(world: AliExpressWorld): Dialect {
  const { credentials, tokens, settings, faults } = world;
  const endpoints = new Map([
    ['/auth/token/create', { operation: 'createToken', name: 'code', answer: tokens.exchange }],
    ['/auth/token/refresh', { operation: 'refreshToken', name: 'refresh_token', answer: tokens.refresh }],
  ]);
  return (call) => {
    const path = call.path.slice('/rest'.length);
    const parameters = readParameters(call);
    const endpoint = endpoints.get(path);
    const flat = (refusal: AliExpressRefusal): Answer => json(flatError(refusal));
    if (endpoint === undefined)
      return flat(new AliExpressRefusal('InvalidApiPath', 'The API path is not valid'));
    const dialect = {
      rateLimited: () => flat(banned(1)),
      refused: (code: string) => flat(new AliExpressRefusal(code, `refused: ${code}`)),
    };
    return withFaults({ faults, call, dialect }, [`aliexpress.${endpoint.operation}`], () => {
      try {
        checkSignature(parameters, credentials, path, hourOf(settings));
        const value = parameters[endpoint.name];
        if (!value)
          throw new AliExpressRefusal(
            'MissingParameter',
            `The request is missing the parameter ${endpoint.name}`,
          );
        return json(endpoint.answer(value));
      } catch (error) {
        if (error instanceof AliExpressRefusal) return flat(error);
        throw error;
      }
    });
  };
}

/** The consent page of an owner who always says yes: it leads straight back with a code. */
export function createConsentPage({ credentials, tokens, faults }: AliExpressWorld): Dialect {
  const busy = (): Answer => plainText('Too many requests', 429);
  return (call) =>
    withFaults({ faults, call, dialect: { rateLimited: busy } }, ['aliexpress.authorize'], () => {
      const { query } = call;
      const back = URL.parse(query.get('redirect_uri') ?? '');
      if (
        query.get('response_type') !== 'code' ||
        query.get('client_id') !== credentials.appKey ||
        back === null ||
        !back.protocol.startsWith('http')
      )
        return plainText('response_type, client_id or redirect_uri is not valid', 400);
      back.searchParams.set('code', tokens.consent());
      const state = query.get('state');
      if (state !== null) back.searchParams.set('state', state);
      return { status: 302, headers: { location: back.href }, body: '' };
    });
}
