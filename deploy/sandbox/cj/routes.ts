import { type Answer, type Call, type Dialect, headerOf } from '../exchange.ts';
import type { Faults } from '../faults.ts';
import type { LiveSettings } from '../settings.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { withFaults } from '../with-faults.ts';
import type { CjAccount } from './account.ts';
import { createEndpoints, type Endpoint } from './endpoints.ts';
import { CJ, CjRefusal, refusal, success, tooManyPoints } from './envelope.ts';
import type { CjGoods } from './goods.ts';
import type { CjOrders } from './orders.ts';
import { createCjPoints } from './points.ts';
import type { CjPushes } from './pushes.ts';

export const CJ_BASE_PATH = '/api2.0/v1';
const pathOf = ({ path }: Call): string => path.slice(CJ_BASE_PATH.length);
const tooMany = (): Answer => refusal(CJ.tooManyRequests, 'Too Many Requests, QPS limit reached');

function readBody({ body, headers }: Call, method: Endpoint['method']): unknown {
  if (method === 'GET' || method === 'DELETE') return null;
  if (body === '') throw new CjRefusal(CJ.bodyMissing, 'Request body is missing');
  if (!headers['content-type']?.startsWith('application/json')) {
    throw new CjRefusal(CJ.contentTypeWrong, 'Content-Type not supported');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new CjRefusal(CJ.bodyInvalid, 'Request body is not valid JSON');
  }
}

/** The supplier's API under `CJ_BASE_PATH`: one function that answers any request below it. */
export function createCjApi(world: {
  account: CjAccount;
  goods: CjGoods;
  pushes: CjPushes;
  orders: CjOrders;
  settings: LiveSettings;
  faults: Faults;
}): Dialect {
  const { account, settings, faults } = world;
  const bucket = createTokenBucket(() => {
    const { cjRequestsPerSecond } = settings.current();
    return { perSecond: cjRequestsPerSecond, capacity: cjRequestsPerSecond };
  });

  const points = createCjPoints(settings);
  const extra = (): { pointsInfo?: object } => {
    const pointsInfo = points.info();
    return pointsInfo === null ? {} : { pointsInfo };
  };
  const withoutPoints = (): Answer =>
    settings.current().cjPointsRefusal === 'http'
      ? tooManyPoints(extra())
      : refusal(CJ.pointsUsedUp, 'Points are used up', extra());

  const endpoints = createEndpoints(world);

  const perform = async (call: Call, endpoint: Endpoint): Promise<Answer> => {
    if (!bucket.take(1)) return tooMany();
    try {
      const body = readBody(call, endpoint.method);
      if (!endpoint.isOpen && !account.accepts(headerOf(call, 'cj-access-token'))) {
        throw new CjRefusal(CJ.tokenInvalid, 'Invalid API key or access token');
      }
      if (!points.pay(pathOf(call))) return withoutPoints();
      return success(await endpoint.answer({ query: call.query, body }), extra());
    } catch (error) {
      if (error instanceof CjRefusal) return refusal(error.code, error.message, {}, error.httpStatus);
      throw error;
    }
  };

  return (call) => {
    const endpoint = endpoints.get(pathOf(call));
    if (endpoint === undefined) return refusal(CJ.interfaceNotFound, 'Interface not found');
    if (call.method !== endpoint.method)
      return refusal(CJ.methodNotSupported, 'Request method not supported');
    return withFaults({ faults, call, dialect: { rateLimited: tooMany } }, [endpoint.operation], () =>
      perform(call, endpoint),
    );
  };
}
