import { expect, test } from 'vitest';
import { isPushSignature, signatureOf } from '../../services/suppliers/aliexpress/sign.ts';

const SECRET = 'exampleSecret0123456789abcdefABCD';
const SYSTEM = { app_key: '500123', sign_method: 'sha256', timestamp: '1767225600000' };
const SESSION = '50000000a11exampleToken';
const PLACE = 'param_place_order_request4_open_api_d_t_o';

type Vector = readonly [name: string, path: string, parameters: Record<string, string>, sign: string];

/** Worked out apart from this code, with the public client libraries' rule. */
const VECTORS: readonly Vector[] = [
  [
    'a product query',
    '',
    {
      ...SYSTEM,
      format: 'json',
      method: 'aliexpress.ds.product.get',
      product_id: '1005001234567890',
      session: SESSION,
      ship_to_country: 'DE',
      simplify: 'true',
      target_currency: 'EUR',
      target_language: 'en',
      v: '2.0',
    },
    'DE637DC580D1E3935A9DBEE965A87555CAFD6578A3A86F557F9A5D6B40633845',
  ],
  [
    'an order with its JSON as it is',
    '',
    {
      ...SYSTEM,
      format: 'json',
      method: 'aliexpress.ds.order.create',
      session: SESSION,
      ds_extend_request: '{"payment":{"pay_currency":"USD","try_to_pay":"false"}}',
      [PLACE]:
        '{"out_order_id":"SHOP-1001-A","logistics_address":{"address":"Musterstr. 5","city":"Berlin","contact_person":"Max Muster","country":"DE","full_name":"Max Muster","mobile_no":"1701234567","phone_country":"+49","province":"Berlin","zip":"10115"},"product_items":[{"product_id":1005001234567890,"product_count":1,"sku_attr":"14:193#Black","logistics_service_name":"CAINIAO_STANDARD"}]}',
    },
    '599140F2741003F344D8B72B531A41A34CA782CB0AB3900FBCEFA5D022B059CC',
  ],
  [
    'a code for a token',
    '/auth/token/create',
    { ...SYSTEM, code: '3_500123_AbCdEf' },
    '02F379F2C08E4FF769D967FFF70A4B33ABF09C0467B633F4C811A1402B792F75',
  ],
  [
    'a refresh',
    '/auth/token/refresh',
    { ...SYSTEM, refresh_token: '50001000r11exampleRefresh' },
    'CB37073DB4976BBC7596D9C3A2975B8EDD61CCECA666E1F12588368E9AC871D9',
  ],
  [
    'a path with its method beside it',
    '/auth/token/create',
    { ...SYSTEM, code: '3_500123_AbCdEf', method: '/auth/token/create' },
    'FE66669B540C2DCC8C8C553508B93973409FD28FD7C9ADD20B4F3F2B2DF72441',
  ],
  [
    'letters beyond ASCII',
    '',
    { ...SYSTEM, keyWord: 'Möbel für Küche', method: 'aliexpress.ds.text.search' },
    'A25C8AD1EAB62BA5EF70F3C97D70DCD19DCDE176EBBA3D92918B3B57E624FA0F',
  ],
];

test.each(VECTORS)('%s is signed as AliExpress signs it', (_, path, parameters, sign) => {
  expect(signatureOf(SECRET, parameters, path)).toBe(sign);
  expect(signatureOf(SECRET, { sign: 'an older one', ...parameters }, path)).toBe(sign);
});

test('keys are ordered by their bytes: digits, capitals, underscore, small letters', () => {
  const shuffled = { query_x: '1', queryA: '2', Zed: '3', app_key: '4', '0': '5' };
  const ordered = { '0': '5', Zed: '3', app_key: '4', queryA: '2', query_x: '1' };
  expect(signatureOf(SECRET, shuffled)).toBe(signatureOf(SECRET, ordered));
  expect(signatureOf(SECRET, {}, '05Zed3app_key4queryA2query_x1')).toBe(signatureOf(SECRET, ordered));
});

const BODY = new TextEncoder().encode(
  '{"data":{"orderId":8190000000000001,"orderStatus":"OrderShipped","buyerId":6000000001},"message_type":53,"seller_id":"6000000001","site":"ae_global","timestamp":1767225600}',
);
const APP = { appKey: '500123', appSecret: SECRET };
const PUSH_SIGN = '5282416c5e3e8cc1c778f0f5ce4365afa4cb513953183d9c4f9def54151f73a1';

test('a push is known by its signature over the raw bytes', () => {
  expect(isPushSignature(APP, BODY, PUSH_SIGN)).toBe(true);
  expect(isPushSignature(APP, BODY, PUSH_SIGN.toUpperCase())).toBe(true);
});

test.each([
  ['another body', APP, BODY.slice(1), PUSH_SIGN],
  ['another app', { ...APP, appKey: '500124' }, BODY, PUSH_SIGN],
  ['another secret', { ...APP, appSecret: 'other' }, BODY, PUSH_SIGN],
  ['a cut signature', APP, BODY, PUSH_SIGN.slice(1)],
  ['no signature', APP, BODY, ''],
])('%s does not pass', (_, app, body, signature) => {
  expect(isPushSignature(app, body, signature)).toBe(false);
});
