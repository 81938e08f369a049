import { type Answer, type Dialect, json, jsonText } from '../exchange.ts';
import { withFaults } from '../with-faults.ts';
import { banned, createCallLimit } from './call-limit.ts';
import { hourOf } from './clock.ts';
import { createEndpoints, type Endpoint } from './endpoints.ts';
import { checkSignature } from './gate.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { AliExpressRefusal, gatewayError, isGatewayCode, requestId } from './refusal.ts';
import { toWireText } from './wire.ts';
import type { AliExpressWorld } from './world.ts';

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

const SUCCESS_HEADERS = { 'content-type': 'application/json;charset=UTF-8' };

/** The business gateway, `/sync`: one function that answers any request there. */
export function createSyncGateway(world: AliExpressWorld): Dialect {
  const { credentials, tokens, settings, faults } = world;
  const endpoints = createEndpoints(world);
  const limit = createCallLimit(settings);

  const refused = (refusal: AliExpressRefusal, endpoint: Endpoint, parameters: Parameters): Answer =>
    isGatewayCode(refusal.code)
      ? json(gatewayError(refusal))
      : succeeded(endpoint.refused(refusal), endpoint, parameters);

  function succeeded(body: object, endpoint: Endpoint, parameters: Parameters): Answer {
    const { listShape, ids } = settings.current().aliexpress;
    const answer = { ...body, request_id: requestId() };
    const text =
      parameters.simplify === 'true'
        ? toWireText(answer, { ids, listShape: 'array' })
        : toWireText({ [endpoint.answerName()]: answer }, { ids, listShape });
    return jsonText(text, 200, SUCCESS_HEADERS);
  }

  const perform = (endpoint: Endpoint, parameters: Parameters): Answer => {
    checkSignature(parameters, credentials, '', hourOf(settings));
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

  return async (call) => {
    const parameters = readParameters(call);
    const endpoint = endpoints.get(parameters.method ?? '');
    if (endpoint === undefined)
      return json(gatewayError(new AliExpressRefusal('InvalidApiPath', 'The API path is not valid')));
    const dialect = {
      rateLimited: () => json(gatewayError(banned(1))),
      refused: (code: string) =>
        refused(new AliExpressRefusal(code, `refused: ${code}`), endpoint, parameters),
    };
    const ban = limit.enter();
    try {
      return await withFaults({ faults, call, dialect }, [endpoint.operation], () => {
        if (ban !== null) return json(gatewayError(ban));
        try {
          return perform(endpoint, parameters);
        } catch (error) {
          if (error instanceof AliExpressRefusal) return refused(error, endpoint, parameters);
          throw error;
        }
      });
    } finally {
      limit.leave();
    }
  };
}
