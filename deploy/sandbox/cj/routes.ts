import type { H3Event } from 'h3';
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
const tooMany = (): Response => refusal(CJ.tooManyRequests, 'Too Many Requests, QPS limit reached');

async function readBody({ req }: H3Event, method: Endpoint['method']): Promise<unknown> {
  if (method === 'GET' || method === 'DELETE') return null;
  const raw = await req.text();
  if (raw === '') throw new CjRefusal(CJ.bodyMissing, 'Request body is missing');
  if (!req.headers.get('content-type')?.startsWith('application/json')) {
    throw new CjRefusal(CJ.contentTypeWrong, 'Content-Type not supported');
  }
  try {
    return JSON.parse(raw);
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
}): (event: H3Event) => Promise<Response> {
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
  const withoutPoints = (): Response =>
    settings.current().cjPointsRefusal === 'http'
      ? tooManyPoints(extra())
      : refusal(CJ.pointsUsedUp, 'Points are used up', extra());

  const endpoints = createEndpoints(world);

  const perform = async (event: H3Event, endpoint: Endpoint): Promise<Response> => {
    if (!bucket.take(1)) return tooMany();
    try {
      const body = await readBody(event, endpoint.method);
      if (!endpoint.isOpen && !account.accepts(event.req.headers.get('cj-access-token'))) {
        throw new CjRefusal(CJ.tokenInvalid, 'Invalid API key or access token');
      }
      if (!points.pay(event.url.pathname.slice(CJ_BASE_PATH.length))) return withoutPoints();
      return success(await endpoint.answer({ query: event.url.searchParams, body }), extra());
    } catch (error) {
      if (error instanceof CjRefusal) return refusal(error.code, error.message, {}, error.httpStatus);
      throw error;
    }
  };

  return async (event) => {
    const endpoint = endpoints.get(event.url.pathname.slice(CJ_BASE_PATH.length));
    if (endpoint === undefined) return refusal(CJ.interfaceNotFound, 'Interface not found');
    if (event.req.method !== endpoint.method)
      return refusal(CJ.methodNotSupported, 'Request method not supported');
    return withFaults({ faults, event, dialect: { rateLimited: tooMany } }, [endpoint.operation], () =>
      perform(event, endpoint),
    );
  };
}
