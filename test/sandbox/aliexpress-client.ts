import { z } from 'zod';
import { ALIEXPRESS_PRODUCTS, type AliExpressSku } from '../../deploy/sandbox/aliexpress/goods.ts';
import { signatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';
import { parseExactJson } from '../../deploy/sandbox/exact-json.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { CREDENTIALS, control, OWN_CONNECTION } from './world.ts';

/** Answers are looked at as plain JSON; ids that a double cannot hold come as text. */
const Json = z.record(z.string(), z.unknown());
export type Json = z.infer<typeof Json>;

export const APP = { appKey: CREDENTIALS.aliexpressAppKey, appSecret: CREDENTIALS.aliexpressAppSecret };

/** What is below a way of names and positions; undefined where the way ends. */
export const at = (value: unknown, ...way: (string | number)[]): unknown =>
  way.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null
        ? Object.entries(inner).find(([key]) => key === String(step))?.[1]
        : undefined,
    value,
  );

const signed = (parameters: Record<string, string>, path: string): Record<string, string> => {
  const full = { app_key: APP.appKey, timestamp: String(Date.now()), sign_method: 'sha256', ...parameters };
  return { ...full, sign: signatureOf(full, { secret: APP.appSecret, path }) };
};

export async function readAnswer(response: Response): Promise<Json> {
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  return Json.parse(parseExactJson(await response.text()));
}

/** What a `/sync` call of the whole road sends; `changes` may spoil it before it is signed. */
export const syncParameters = (method: string, parameters: Record<string, string>): Record<string, string> =>
  signed({ method, session: CREDENTIALS.aliexpressAccessToken, ...parameters }, '');

/** Calls a business method like a client of the real thing would: signed, as a form. */
export const sync = async (
  world: Sandbox,
  method: string,
  parameters: Record<string, string>,
): Promise<Json> =>
  readAnswer(
    await fetch(`${world.origin}/sync`, {
      method: 'POST',
      headers: OWN_CONNECTION,
      body: new URLSearchParams(syncParameters(method, parameters)),
    }),
  );

/** Calls a token method. */
export const rest = async (world: Sandbox, path: string, parameters: Record<string, string>): Promise<Json> =>
  readAnswer(
    await fetch(`${world.origin}/rest${path}?${new URLSearchParams(signed(parameters, path))}`, {
      headers: OWN_CONNECTION,
    }),
  );

export const turn = async (world: Sandbox, aliexpress: object): Promise<void> => {
  const answer = await control(world, 'PUT', '/settings', { aliexpress });
  if (!answer.ok) throw new Error(await answer.text());
};

export const [LAMP, MUG, TENT, CABLE] = ALIEXPRESS_PRODUCTS.map((product) => ({
  ...product,
  sku: product.skus[0] as AliExpressSku,
}));

const ADDRESS = {
  address: 'Musterstr. 5',
  city: 'Berlin',
  province: 'Berlin',
  country: 'DE',
  zip: '10115',
  contact_person: 'Max Muster',
  full_name: 'Max Muster',
  mobile_no: '1701234567',
  phone_country: '+49',
};

export const anItem = (changes: object = {}): object => ({
  product_id: Number(MUG!.productId),
  product_count: 2,
  sku_attr: MUG!.sku.skuAttr,
  logistics_service_name: 'CAINIAO_STANDARD',
  ...changes,
});

export interface Purchase {
  readonly outOrderId?: string;
  readonly address?: object;
  readonly items?: readonly object[];
  readonly triesToPay?: boolean;
  readonly extend?: object;
}

export const createParameters = (purchase: Purchase): Record<string, string> => ({
  param_place_order_request4_open_api_d_t_o: JSON.stringify({
    out_order_id: purchase.outOrderId ?? 'N-1',
    logistics_address: { ...ADDRESS, ...purchase.address },
    product_items: purchase.items ?? [anItem()],
  }),
  ds_extend_request: JSON.stringify({
    payment: { pay_currency: 'USD', try_to_pay: String(purchase.triesToPay ?? false) },
    ...purchase.extend,
  }),
});

/** The `result` of order.create. */
export const create = async (world: Sandbox, purchase: Purchase = {}): Promise<unknown> =>
  at(
    await sync(world, 'aliexpress.ds.order.create', createParameters(purchase)),
    'aliexpress_ds_order_create_response',
    'result',
  );

/** Places one order of one seller and answers with its id. */
export const placed = async (world: Sandbox, purchase: Purchase = {}): Promise<string> =>
  String(at(await create(world, purchase), 'order_list', 'number', 0));

export const orderAnswer = (world: Sandbox, orderId: string): Promise<Json> =>
  sync(world, 'aliexpress.trade.ds.order.get', { single_order_query: JSON.stringify({ order_id: orderId }) });

/** The `result` of the order query. */
export const orderOf = async (world: Sandbox, orderId: string): Promise<unknown> =>
  at(await orderAnswer(world, orderId), 'aliexpress_trade_ds_order_get_response', 'result');

/** The `result` of the tracking query. */
export const trackingOf = async (world: Sandbox, orderId: string): Promise<unknown> =>
  at(
    await sync(world, 'aliexpress.ds.order.tracking.get', { ae_order_id: orderId, language: 'en_US' }),
    'aliexpress_ds_order_tracking_get_response',
    'result',
  );
