import { describe, expect, test } from 'vitest';
import { pushSignatureOf, signatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';

const SECRET = 'exampleSecret0123456789abcdefABCD';
const SYSTEM = { app_key: '500123', sign_method: 'sha256', timestamp: '1767225600000' };
const SESSION = '50000000a11exampleToken';
const ORDER =
  '{"out_order_id":"SHOP-1001-A","logistics_address":{"address":"Musterstr. 5","city":"Berlin","contact_person":"Max Muster","country":"DE","full_name":"Max Muster","mobile_no":"1701234567","phone_country":"+49","province":"Berlin","zip":"10115"},"product_items":[{"product_id":1005001234567890,"product_count":1,"sku_attr":"14:193#Black","logistics_service_name":"CAINIAO_STANDARD"}]}';

describe('a call is signed', () => {
  test.each([
    [
      'with its method among the parameters',
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
      '',
      'DE637DC580D1E3935A9DBEE965A87555CAFD6578A3A86F557F9A5D6B40633845',
    ],
    [
      'with JSON values as they are',
      {
        ...SYSTEM,
        ds_extend_request: '{"payment":{"pay_currency":"USD","try_to_pay":"false"}}',
        format: 'json',
        method: 'aliexpress.ds.order.create',
        param_place_order_request4_open_api_d_t_o: ORDER,
        session: SESSION,
      },
      '',
      '599140F2741003F344D8B72B531A41A34CA782CB0AB3900FBCEFA5D022B059CC',
    ],
    [
      'with its path in front',
      { ...SYSTEM, code: '3_500123_AbCdEf' },
      '/auth/token/create',
      '02F379F2C08E4FF769D967FFF70A4B33ABF09C0467B633F4C811A1402B792F75',
    ],
    [
      'with the path of a refresh in front',
      { ...SYSTEM, refresh_token: '50001000r11exampleRefresh' },
      '/auth/token/refresh',
      'CB37073DB4976BBC7596D9C3A2975B8EDD61CCECA666E1F12588368E9AC871D9',
    ],
    [
      'with both path and method',
      { ...SYSTEM, code: '3_500123_AbCdEf', method: '/auth/token/create' },
      '/auth/token/create',
      'FE66669B540C2DCC8C8C553508B93973409FD28FD7C9ADD20B4F3F2B2DF72441',
    ],
    [
      'the old way with MD5',
      {
        ...SYSTEM,
        sign_method: 'md5',
        format: 'json',
        method: 'aliexpress.ds.product.get',
        product_id: '1005001234567890',
        session: SESSION,
        v: '2.0',
      },
      '',
      'E5FB520E0C0CCE640666A96C9F774F9A',
    ],
  ])('%s', (_, parameters, path, signature) => {
    expect(signatureOf(parameters, { secret: SECRET, path })).toBe(signature);
    expect(signatureOf({ ...parameters, sign: 'whatever' }, { secret: SECRET, path })).toBe(signature);
  });

  test('over the UTF-8 of its values', () => {
    const parameters = { ...SYSTEM, keyWord: 'Möbel für Küche', method: 'aliexpress.ds.text.search' };
    expect(signatureOf(parameters, { secret: SECRET })).toBe(
      'A25C8AD1EAB62BA5EF70F3C97D70DCD19DCDE176EBBA3D92918B3B57E624FA0F',
    );
  });

  test('with its keys in the order of their bytes', () => {
    const upperFirst = signatureOf({ Zed: '1', app_key: '2' }, { secret: SECRET, path: '' });
    expect(signatureOf({}, { secret: SECRET, path: 'Zed1app_key2' })).toBe(upperFirst);
  });
});

test('a push is signed over the app key and its raw body', () => {
  const body =
    '{"data":{"orderId":8190000000000001,"orderStatus":"OrderShipped","buyerId":6000000001},"message_type":53,"seller_id":"6000000001","site":"ae_global","timestamp":1767225600}';
  expect(pushSignatureOf({ appKey: '500123', appSecret: SECRET }, body)).toBe(
    '5282416c5e3e8cc1c778f0f5ce4365afa4cb513953183d9c4f9def54151f73a1',
  );
});
