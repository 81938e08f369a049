import { z } from 'zod';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { CREDENTIALS, OWN_CONNECTION } from './world.ts';

const Envelope = z.strictObject({
  code: z.int(),
  result: z.boolean(),
  message: z.string(),
  data: z.unknown(),
  requestId: z.string(),
  pointsInfo: z.object({ usedToday: z.int(), remaining: z.int(), total: z.int() }).optional(),
});
export type Envelope = z.infer<typeof Envelope>;

/** Fields of an answer that a test looks at. */
export const fields = (data: unknown): Record<string, unknown> =>
  z.record(z.string(), z.unknown()).parse(data);
export const rows = (data: unknown): Record<string, unknown>[] =>
  z.array(z.record(z.string(), z.unknown())).parse(data);

export type CjCaller = (method: string, path: string, body?: unknown) => Promise<Envelope>;

/** Calls like a client of the real thing would: raw paths and bodies, one token. */
export function cjCaller(world: Sandbox, token: string | null): CjCaller {
  return async (method, path, body) => {
    const response = await fetch(world.cjBaseUrl + path, {
      method,
      headers: {
        ...OWN_CONNECTION,
        'content-type': 'application/json',
        ...(token === null ? {} : { 'CJ-Access-Token': token }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
    return Envelope.parse(await response.json());
  };
}

export async function login(world: Sandbox): Promise<CjCaller> {
  const { data } = await cjCaller(world, null)('POST', '/authentication/getAccessToken', {
    apiKey: CREDENTIALS.cjApiKey,
  });
  return cjCaller(world, String(fields(data).accessToken));
}

export const vid = (n: number): string => CATALOGUE[n - 1]!.supplierVariantId;

export const anOrder = (orderNumber: string, changes: object = {}): object => ({
  orderNumber,
  shippingCountryCode: 'US',
  shippingCountry: 'United States',
  shippingProvince: 'Ohio',
  shippingCity: 'Columbus',
  shippingAddress: '7 Test Street',
  shippingZip: '43004',
  shippingPhone: '+16145550100',
  shippingCustomerName: 'Pat Sample',
  logisticName: 'CJPacket Ordinary',
  fromCountryCode: 'CN',
  payType: 3,
  products: [{ vid: vid(1), quantity: 2, storeLineItemId: 'line-1' }],
  ...changes,
});

/** Creates, confirms and pays; answers with the SD code. */
export async function buy(call: CjCaller, orderNumber: string): Promise<string> {
  const created = await call('POST', '/shopping/order/createOrderV2', anOrder(orderNumber));
  const orderId = String(fields(created.data).orderId);
  await call('PATCH', '/shopping/order/confirmOrder', { orderId });
  await call('POST', '/shopping/pay/payBalance', { orderId });
  return orderId;
}
