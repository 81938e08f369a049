import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { signatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';
import {
  APP,
  anItem,
  at,
  CABLE,
  create,
  createParameters,
  LAMP,
  MUG,
  orderAnswer,
  orderOf,
  placed,
  readAnswer,
  rest,
  sync,
  syncParameters,
  TENT,
  trackingOf,
  turn,
} from './aliexpress-client.ts';
import { CREDENTIALS, control, eventually, givenFaults, givenWorld, ledgerOf } from './world.ts';

const PRODUCT = 'aliexpress.ds.product.get';
const ASKED = { product_id: MUG!.productId, ship_to_country: 'US' };
const INVALID_ADDRESS = 'B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL';

describe('the gate', () => {
  test.each(['GET', 'POST'])('opens for a signed %s', async (method) => {
    const world = await givenWorld();
    const parameters = new URLSearchParams(syncParameters(PRODUCT, ASKED));
    const answer =
      method === 'GET'
        ? await fetch(`${world.origin}/sync?${parameters}`)
        : await fetch(`${world.origin}/sync`, { method, body: parameters });
    expect(await readAnswer(answer)).toMatchObject({ aliexpress_ds_product_get_response: { rsp_code: 200 } });
  });

  test.each([
    ['the token under its other name', { access_token: CREDENTIALS.aliexpressAccessToken }, undefined],
    ['an old-style timestamp', {}, () => beijing(Date.now())],
  ])('opens for %s', async (_, more, timestamp) => {
    const world = await givenWorld();
    const parameters: Record<string, string> = {
      ...syncParameters(PRODUCT, ASKED),
      ...(timestamp === undefined ? {} : { timestamp: timestamp() }),
      ...more,
    };
    if ('access_token' in more) delete parameters.session;
    expect(await ask(world.origin, parameters)).toHaveProperty('aliexpress_ds_product_get_response');
  });

  const beijing = (now: number): string =>
    new Date(now + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

  /** Signs again what was changed, unless the change is the signature. */
  const ask = async (origin: string, parameters: Record<string, string>, sign?: string) => {
    const signature = sign ?? signatureOf(parameters, { secret: APP.appSecret });
    const body = new URLSearchParams({ ...parameters, sign: signature });
    return readAnswer(await fetch(`${origin}/sync`, { method: 'POST', body }));
  };

  test.each([
    ['a wrong signature', {}, '0'.repeat(64), 'IncompleteSignature'],
    [
      'a timestamp of three hours ago',
      { timestamp: String(Date.now() - 3 * 3_600_000) },
      undefined,
      'IllegalTimestamp',
    ],
    ['a timestamp in words', { timestamp: 'now' }, undefined, 'InvalidParameter'],
    ['another app', { app_key: '7' }, undefined, 'InvalidAppKey'],
    ['no app', { app_key: '' }, undefined, 'MissingAppKey'],
    ['an unknown token', { session: 'x' }, undefined, 'IllegalAccessToken'],
    ['no token', { session: '' }, undefined, 'MissingParameter'],
    ['a missing parameter', { product_id: '' }, undefined, 'MissingParameter'],
    ['an unknown method', { method: 'aliexpress.ds.nothing' }, undefined, 'InvalidApiPath'],
  ])('refuses %s with HTTP 200', async (_, changes, sign, code) => {
    const world = await givenWorld();
    const answer = await ask(world.origin, { ...syncParameters(PRODUCT, ASKED), ...changes }, sign);
    expect(answer).toEqual({
      error_response: { type: 'ISV', code, msg: expect.any(String), request_id: expect.any(String) },
    });
  });

  test('refuses a signature in small letters', async () => {
    const world = await givenWorld();
    const parameters = syncParameters(PRODUCT, ASKED);
    const answer = await ask(world.origin, parameters, parameters.sign!.toLowerCase());
    expect(answer).toMatchObject({ error_response: { code: 'IncompleteSignature' } });
  });

  test('says nothing at all about a misspelt name', async () => {
    const answer = await sync(await givenWorld(), PRODUCT, {
      productId: MUG!.productId,
      ship_to_country: 'US',
    });
    expect(answer).toMatchObject({ aliexpress_ds_product_get_response: { result: {} } });
    expect(answer).not.toHaveProperty('error_response');
  });

  test('bans the whole app for too many calls, and says for how long', async () => {
    const world = await givenWorld();
    await turn(world, { requestsPerSecond: 1, banSeconds: 1 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => sync(world, PRODUCT, ASKED)));
    expect(answers).toContainEqual({
      error_response: expect.objectContaining({
        code: 'AppApiCallLimit',
        msg: expect.stringMatching(/ban will last \d+ seconds/),
      }),
    });
    await eventually(
      () => sync(world, PRODUCT, ASKED),
      (answer) => 'aliexpress_ds_product_get_response' in answer,
    );
  });

  test('bans for two calls at once when the switch says so', async () => {
    const world = await givenWorld();
    await turn(world, { isParallelAllowed: false });
    await givenFaults(world, { operation: 'aliexpress.product', kind: 'slow', delayMs: 60_000, times: 1 });
    const first = sync(world, PRODUCT, ASKED).catch(() => null);
    await eventually(
      async () => (await ledgerOf(world)).calls['aliexpress.product'],
      (calls) => calls === 1,
    );
    expect(await sync(world, PRODUCT, ASKED)).toMatchObject({ error_response: { code: 'AppApiCallLimit' } });
    await world.stop();
    await first;
  });
});

describe('tokens', () => {
  const consent = async (origin: string) => {
    const query = new URLSearchParams({
      response_type: 'code',
      force_auth: 'true',
      redirect_uri: 'https://shop.example/callback?kept=1',
      client_id: APP.appKey,
      state: 'state-1',
    });
    const answer = await fetch(`${origin}/oauth/authorize?${query}`, { redirect: 'manual' });
    return new URL(answer.headers.get('location') ?? '');
  };

  test('the consent page leads back with a code that opens once', async () => {
    const world = await givenWorld();
    const back = await consent(world.origin);
    expect(back.origin + back.pathname).toBe('https://shop.example/callback');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'state-1', kept: '1' });
    const code = back.searchParams.get('code')!;
    const tokens = await rest(world, '/auth/token/create', { code });
    expect(tokens).toMatchObject({ code: '0', expires_in: 2_592_000, refresh_expires_in: 5_184_000 });
    const session = String(tokens.access_token);
    expect(await sync(world, PRODUCT, { ...ASKED, session })).toHaveProperty(
      'aliexpress_ds_product_get_response',
    );
    expect(await rest(world, '/auth/token/create', { code })).toEqual({
      type: 'ISV',
      code: 'InvalidCode',
      message: expect.any(String),
      request_id: expect.any(String),
    });
  });

  test.each([
    ['another app', { client_id: '7' }],
    ['no code', { response_type: 'token' }],
    ['no way back', { redirect_uri: 'callback' }],
    ['a way back that is no page', { redirect_uri: 'javascript:alert(1)' }],
  ])('the consent page turns away who asks for %s', async (_, changes) => {
    const world = await givenWorld();
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: APP.appKey,
      redirect_uri: 'https://shop.example/',
      ...changes,
    });
    const answer = await fetch(`${world.origin}/oauth/authorize?${query}`, { redirect: 'manual' });
    expect(answer.status).toBe(400);
  });

  test('a refresh brings a new access token and leaves the end of the refresh token where it was', async () => {
    const world = await givenWorld();
    await turn(world, { isRefreshTokenRepeated: false });
    const code = (await consent(world.origin)).searchParams.get('code')!;
    const first = await rest(world, '/auth/token/create', { code });
    const refresh_token = String(first.refresh_token);
    const second = await rest(world, '/auth/token/refresh', { refresh_token });
    expect(second.access_token).not.toBe(first.access_token);
    expect(second).not.toHaveProperty('refresh_token');
    expect(second.refresh_token_valid_time).toBe(first.refresh_token_valid_time);
    await turn(world, { isRefreshTokenRepeated: true });
    expect(await rest(world, '/auth/token/refresh', { refresh_token })).toMatchObject({ refresh_token });
  });

  test('tokens end by their lifetimes, and all access tokens at a word of the control port', async () => {
    const world = await givenWorld();
    await turn(world, { accessTokenTtlMs: 1, refreshTokenTtlMs: 1 });
    const code = (await consent(world.origin)).searchParams.get('code')!;
    const tokens = await rest(world, '/auth/token/create', { code });
    const refused = { error_response: { code: 'IllegalAccessToken' } };
    await eventually(
      () => rest(world, '/auth/token/refresh', { refresh_token: String(tokens.refresh_token) }),
      (answer) => answer.code === 'IllegalRefreshToken',
    );
    const session = String(tokens.access_token);
    expect(await sync(world, PRODUCT, { ...ASKED, session })).toMatchObject(refused);
    await control(world, 'POST', '/aliexpress/tokens/expire');
    expect(await sync(world, PRODUCT, ASKED)).toMatchObject(refused);
  });

  test.each([
    ['/auth/token/create', { code: 'x' }, 'InvalidCode'],
    ['/auth/token/create', {}, 'MissingParameter'],
    ['/auth/token/refresh', { refresh_token: 'x' }, 'IllegalRefreshToken'],
    ['/auth/token/nothing', {}, 'InvalidApiPath'],
    ['/auth/token/create', { app_key: '7' }, 'InvalidAppKey'],
  ])('%s with %j is refused flat', async (path, parameters, code) => {
    expect(await rest(await givenWorld(), path, parameters)).toMatchObject({ type: 'ISV', code });
  });
});

describe('goods', () => {
  test('a product comes in the wanted currency, its single SKU without an attribute', async () => {
    const answer = await sync(await givenWorld(), PRODUCT, {
      product_id: LAMP!.usProductId,
      ship_to_country: 'DE',
      target_currency: 'EUR',
    });
    const result = at(answer, 'aliexpress_ds_product_get_response', 'result');
    expect(result).toMatchObject({
      ae_item_base_info_dto: {
        product_id: Number(LAMP!.productId),
        product_status_type: 'onSelling',
        currency_code: 'CNY',
      },
      ae_item_sku_info_dtos: {
        ae_item_sku_info_d_t_o: [
          {
            sku_id: LAMP!.sku.skuId,
            sku_attr: '',
            offer_sale_price: '6.03',
            currency_code: 'EUR',
            price_include_tax: true,
            tax_amount: '1.21',
          },
        ],
      },
    });
  });

  test('where it is sent from is a property of the SKU', async () => {
    const answer = await sync(await givenWorld(), PRODUCT, {
      product_id: TENT!.productId,
      ship_to_country: 'DE',
    });
    const skus = at(
      answer,
      'aliexpress_ds_product_get_response',
      'result',
      'ae_item_sku_info_dtos',
      'ae_item_sku_info_d_t_o',
    );
    expect(skus).toMatchObject(
      ['China', 'Germany'].map((sku_property_value) => ({
        ae_sku_property_dtos: {
          ae_sku_property_d_t_o: [{}, { sku_property_id: 200_007_763, sku_property_value }],
        },
      })),
    );
  });

  test.each([
    [{ product_id: '1', ship_to_country: 'US' }, 'ITEM_ID_NOT_FOUND'],
    [{ product_id: '1005006000000001', ship_to_country: 'KP' }, 'this item is not allowed to this country'],
  ])('%j is no product', async (parameters, rsp_msg) => {
    const answer = await sync(await givenWorld(), PRODUCT, parameters);
    expect(answer).toMatchObject({ aliexpress_ds_product_get_response: { rsp_msg } });
    expect(at(answer, 'aliexpress_ds_product_get_response', 'rsp_code')).not.toBe(200);
  });

  test('price, stock and sale of an article change by the control port', async () => {
    const world = await givenWorld();
    const { skuId } = LAMP!.sku;
    await control(world, 'PUT', `/articles/${skuId}`, { priceMinor: 777 });
    const change = await control(world, 'PUT', `/articles/${skuId}`, { stock: 3, isOnSale: false });
    expect(await change.json()).toEqual({ priceMinor: 777, stock: 3, isOnSale: false });
    const answer = await sync(world, PRODUCT, { ...ASKED, product_id: LAMP!.productId });
    expect(at(answer, 'aliexpress_ds_product_get_response', 'result')).toMatchObject({
      ae_item_base_info_dto: { product_status_type: 'offline' },
      ae_item_sku_info_dtos: {
        ae_item_sku_info_d_t_o: [{ offer_sale_price: '7.77', sku_available_stock: 3 }],
      },
    });
    expect((await control(world, 'PUT', '/articles/1', { stock: 1 })).status).toBe(404);
    expect((await control(world, 'PUT', `/articles/${skuId}`, { stock: -1 })).status).toBe(400);
  });

  const search = async (keyWord: string, more: Record<string, string> = {}) =>
    at(
      await sync(await givenWorld(), 'aliexpress.ds.text.search', {
        keyWord,
        local: 'en_US',
        countryCode: 'DE',
        currency: 'EUR',
        ...more,
      }),
      'aliexpress_ds_text_search_response',
    );

  test('a search tells its hits from what it only recommends', async () => {
    expect(await search('mug')).toMatchObject({
      code: '00',
      data: {
        totalCount: 2,
        products: {
          selection_search_product: [
            { itemId: MUG!.productId, type: 'search', salePrice: '4.40', targetSalePrice: '4.05' },
            { type: 'recommend' },
          ],
        },
      },
    });
    expect(await search('nothing like it')).toMatchObject({ data: { totalCount: 0, products: {} } });
  });

  test('a search sorts by price and turns pages', async () => {
    const page = await search('mug cable tent', { sortBy: 'min_price,desc', pageSize: '1', pageIndex: '2' });
    const list = at(page, 'data', 'products', 'selection_search_product');
    expect(list).toMatchObject([{ title: LAMP!.title, type: 'recommend' }]);
  });
});

describe('freight', () => {
  const freight = async (changes: object) =>
    at(
      await sync(await givenWorld(), 'aliexpress.ds.freight.query', {
        queryDeliveryReq: JSON.stringify({
          quantity: '1',
          shipToCountry: 'DE',
          productId: LAMP!.productId,
          selectedSkuId: LAMP!.sku.skuId,
          language: 'en_US',
          locale: 'en_US',
          currency: 'USD',
          ...changes,
        }),
      }),
      'aliexpress_ds_freight_query_response',
      'result',
    );
  const of = (product: typeof LAMP, sku = 0) => ({
    productId: product!.productId,
    selectedSkuId: product!.skus[sku]!.skuId,
  });
  const first = (result: unknown) => at(result, 'delivery_options', 'delivery_option_d_t_o', 0);

  test('a fee is in major units whatever its name says, and absent when free', async () => {
    expect(first(await freight({}))).toMatchObject({
      code: 'CAINIAO_STANDARD',
      shipping_fee_cent: '3.09',
      free_shipping: false,
      ship_from_country: 'CN',
    });
    const free = first(await freight(of(MUG)));
    expect(free).toMatchObject({ free_shipping: true, mayHavePFS: false });
    expect(free).not.toHaveProperty('shipping_fee_cent');
  });

  test('what is free from an amount on says so, and costs below it', async () => {
    const few = { free_shipping: true, mayHavePFS: true, free_shipping_threshold: '10.00' };
    expect(first(await freight(of(CABLE)))).toMatchObject({ ...few, shipping_fee_cent: '1.72' });
    const many = first(await freight({ ...of(CABLE), quantity: '7' }));
    expect(many).toMatchObject(few);
    expect(many).not.toHaveProperty('shipping_fee_cent');
  });

  test('another SKU may be sent from another country', async () => {
    expect(first(await freight(of(TENT, 1)))).toMatchObject({ ship_from_country: 'DE', code: 'DHL_DE' });
  });

  test.each([
    ['a country that nothing is sent to', { shipToCountry: 'KP' }, 'DELIVERY_INFO_EMPTY'],
    [
      'a country too far for a local warehouse',
      { ...of(TENT, 1), shipToCountry: 'US' },
      'DELIVERY_INFO_EMPTY',
    ],
    ['an attribute in the place of the SKU', { selectedSkuId: '14:10#Red' }, 'DELIVERY_INFO_EMPTY'],
    ['a country that is none', { shipToCountry: 'XQ' }, 'DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS'],
  ])('%s has no option', async (_, changes, code) => {
    expect(await freight(changes)).toMatchObject({ success: false, code });
  });

  test('a missing field is answered with nothing', async () => {
    expect(await freight({ selectedSkuId: undefined })).toEqual({});
  });
});

describe('creating an order', () => {
  test('answers with its id and leaves it unpaid', async () => {
    const world = await givenWorld();
    const orderId = await placed(world, { items: [anItem({ product_count: 3 })] });
    expect(orderId).toMatch(/^819\d{13}$/);
    expect((await ledgerOf(world)).purchases).toEqual([
      {
        orderNumber: 'N-1',
        supplier: 'aliexpress',
        orders: [
          {
            orderId,
            status: 'PLACE_ORDER_SUCCESS',
            paidCount: 0,
            amount: 1_320,
            currency: 'USD',
            products: [{ vid: MUG!.sku.skuId, quantity: 3 }],
          },
        ],
      },
    ]);
  });

  test('makes one order for each seller', async () => {
    const world = await givenWorld();
    const lamp = anItem({ product_id: LAMP!.productId, sku_attr: '' });
    const tent = anItem({ product_id: TENT!.productId, sku_attr: TENT!.sku.skuAttr, product_count: 1 });
    const result = await create(world, { items: [anItem(), tent, lamp] });
    expect(at(result, 'order_list', 'number')).toHaveLength(2);
    const [bought] = (await ledgerOf(world)).purchases;
    // The tent's price is without the tax of 20 %.
    const tentMinor = 2_990 + 598 + (149 + Math.ceil(380 * 2.4));
    expect(bought?.orders.map(({ amount }) => amount)).toEqual([880 + 1_310 + 149 + 320, tentMinor]);
  });

  test.each([
    ['letters that are not Latin', { address: { address: 'Straße 5' } }, INVALID_ADDRESS],
    ['no province', { address: { province: '' } }, INVALID_ADDRESS],
    ['a phone with its country', { address: { mobile_no: '+491701234567' } }, INVALID_ADDRESS],
    ['a phone with a leading zero', { address: { mobile_no: '01701234567' } }, INVALID_ADDRESS],
    ['a phone country without a plus', { address: { phone_country: '49' } }, INVALID_ADDRESS],
    ['a blank in the zip', { address: { zip: '101 15' } }, INVALID_ADDRESS],
    ['names in camel case', { address: { mobile_no: undefined, mobileNo: '1701234567' } }, INVALID_ADDRESS],
    ['no cpf in Brazil', { address: { country: 'BR' } }, `${INVALID_ADDRESS}_CPF_CN_INVALID`],
    ['an unknown country', { address: { country: 'XQ' } }, 'A005_INVALID_COUNTRIES'],
    ['a country that nothing is sent to', { address: { country: 'KP' } }, 'A002_INVALID_ZONE'],
    ['an unknown product', { items: [anItem({ product_id: 1 })] }, 'A001_ORDER_CANNOT_BE_PLACED'],
    [
      'an id in the place of the attribute',
      { items: [anItem({ sku_attr: MUG!.sku.skuId })] },
      'SKU_NOT_EXIST',
    ],
    ['no attribute where there are several', { items: [anItem({ sku_attr: '' })] }, 'SKU_NOT_EXIST'],
    ['more than there is', { items: [anItem({ product_count: 1_001 })] }, 'INVENTORY_HOLD_ERROR'],
    [
      'another service',
      { items: [anItem({ logistics_service_name: 'DHL_DE' })] },
      'DELIVERY_METHOD_NOT_EXIST',
    ],
    ['another currency', { extend: { payment: { pay_currency: 'EUR' } } }, 'PRICE_PAY_CURRENCY_ERROR'],
    ['a promotion', { extend: { promotion: { promotion_code: 'X' } } }, 'A004_CANNOT_USER_COUPON'],
    ['no goods', { items: [] }, 'PARM_ILLEGL'],
  ])('with %s is refused and buys nothing', async (_, purchase, error_code) => {
    const world = await givenWorld();
    expect(await create(world, purchase)).toMatchObject({ is_success: false, error_code });
    expect((await ledgerOf(world)).purchases).toEqual([]);
    // A number whose order was refused is not used up.
    expect(await create(world)).toMatchObject({ is_success: true });
  });

  test.each([
    ['BR', { cpf: '12345678909', phone_country: '+55' }, { birthday: '31121990' }],
    ['SA', { phone_country: '+966' }, { nat_addr: 'RRRD2929' }],
    ['CL', { phone_country: '+56', rut_no: '12345678-5' }, {}],
    ['MX', { phone_country: '+52', passport_no: 'GODE561231GR8' }, {}],
  ])('to %s goes through with what customs want there, and only with that', async (country, own, extra) => {
    const world = await givenWorld();
    const { phone_country, ...ids } = own;
    const all = { address: { country, phone_country, ...ids }, extend: { trade_extra_param: extra } };
    const bare = { address: { country, phone_country } };
    expect(await create(world, bare)).toMatchObject({ is_success: false });
    expect(await create(world, all)).toMatchObject({ is_success: true });
  });

  test('of an article that went off sale is refused', async () => {
    const world = await givenWorld();
    await control(world, 'PUT', `/articles/${MUG!.sku.skuId}`, { isOnSale: false });
    expect(await create(world)).toMatchObject({ error_code: 'A001_ORDER_CANNOT_BE_PLACED' });
  });

  test('pays at once where that is allowed; else the order is there, unpaid', async () => {
    const world = await givenWorld({ timing: { processMs: 60_000 } });
    expect(await create(world, { triesToPay: true })).toEqual({
      is_success: true,
      order_list: { number: [expect.any(Number)] },
    });
    await turn(world, { isAutoPayAllowed: false });
    expect(await create(world, { outOrderId: 'N-2', triesToPay: true })).toMatchObject({
      is_success: true,
      order_list: { number: [expect.any(Number)] },
      error_msg: expect.stringContaining('autoPay fail'),
    });
    const orders = (await ledgerOf(world)).purchases.flatMap((purchase) => purchase.orders);
    expect(orders).toMatchObject([
      { status: 'RISK_CONTROL', paidCount: 1 },
      { status: 'PLACE_ORDER_SUCCESS', paidCount: 0 },
    ]);
  });

  test('again under the same number is refused, answered with the first ids, or bought twice', async () => {
    const world = await givenWorld();
    const orderId = await placed(world);
    expect(await create(world)).toMatchObject({ is_success: false, error_code: 'REPEATED_ORDER_ERROR' });
    await turn(world, { repeatedOrder: 'first' });
    expect(await placed(world)).toBe(orderId);
    await turn(world, { repeatedOrder: 'second' });
    expect(await placed(world)).not.toBe(orderId);
    await turn(world, { repeatedOrder: 'refused', repeatWindowMs: 0 });
    expect(await create(world)).toMatchObject({ is_success: true });
    expect((await ledgerOf(world)).purchases[0]?.orders).toHaveLength(3);
  });

  test('with its answer lost has bought all the same', async () => {
    const world = await givenWorld();
    await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'no_answer_after', times: 1 });
    await expect(create(world)).rejects.toThrow();
    expect((await ledgerOf(world)).purchases[0]?.orders).toHaveLength(1);
    expect(await create(world)).toMatchObject({ error_code: 'REPEATED_ORDER_ERROR' });
  });

  test.each([
    ['refusal_before', 0],
    ['refusal_after', 1],
  ])('refused on demand by %s has made %i orders', async (kind, made) => {
    const world = await givenWorld();
    const code = 'REMOTE_CREATE_ORDER_RESULT_ERROR';
    await givenFaults(world, { operation: 'aliexpress.createOrder', kind, code, times: 1 });
    expect(await create(world)).toMatchObject({ is_success: false, error_code: code });
    expect((await ledgerOf(world)).purchases).toHaveLength(made);
  });

  test.each([
    ['ServiceTimeout', { type: 'ISP', code: 'ServiceTimeout' }],
    ['isp.timeout', { type: 'ISP', code: '15', sub_code: 'isp.timeout' }],
    ['AccessTokenExpired', { type: 'ISV', code: 'AccessTokenExpired' }],
  ])('can fail on demand at the gateway with %s', async (code, error_response) => {
    const world = await givenWorld();
    await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'refusal_before', code });
    const answer = await sync(world, 'aliexpress.ds.order.create', createParameters({}));
    expect(answer).toMatchObject({ error_response });
  });
});

describe('the life of an order', () => {
  const statusOf = async (world: Parameters<typeof orderOf>[0], orderId: string) =>
    at(await orderOf(world, orderId), 'order_status');

  test('paid by its owner, it is reviewed, sent, received and finished', async () => {
    const world = await givenWorld({ timing: { processMs: 60, shipMs: 60, transitMs: 60, deliverMs: 60 } });
    const orderId = await placed(world);
    expect(await orderOf(world, orderId)).toMatchObject({
      order_status: 'PLACE_ORDER_SUCCESS',
      logistics_status: 'NO_LOGISTICS',
      order_amount: { amount: '8.80', currency_code: 'USD' },
      pay_timeout_second: 1_036_800,
      child_order_list: {
        aeop_child_order_info: [{ product_count: 2, sku_id: MUG!.sku.skuId, end_reason: null }],
      },
      logistics_info_list: {},
    });
    expect((await control(world, 'POST', `/aliexpress/orders/${orderId}/pay`)).status).toBe(200);
    expect((await control(world, 'POST', `/aliexpress/orders/${orderId}/pay`)).status).toBe(409);
    const seen = new Set<unknown>();
    const finished = await eventually(
      async () => {
        const order = await orderOf(world, orderId);
        seen.add(at(order, 'order_status'));
        return order;
      },
      (order) => at(order, 'order_status') === 'FINISH',
    );
    const way = ['RISK_CONTROL', 'WAIT_SELLER_SEND_GOODS', 'WAIT_BUYER_ACCEPT_GOODS', 'FINISH'];
    expect(way.filter((status) => seen.has(status))).toEqual([...seen]);
    expect(finished).toMatchObject({
      logistics_status: 'BUYER_ACCEPT_GOODS',
      child_order_list: { aeop_child_order_info: [{ end_reason: null }] },
      logistics_info_list: { aeop_order_logistics_info: [{ logistics_no: `AP${orderId.slice(-14)}` }] },
    });
  });

  test('unpaid for too long, it finishes with a reason and cannot be paid', async () => {
    const world = await givenWorld();
    await turn(world, { payTimeoutMs: 1 });
    const orderId = await placed(world);
    const finished = await eventually(
      () => orderOf(world, orderId),
      (order) => at(order, 'order_status') === 'FINISH',
    );
    expect(finished).toMatchObject({
      logistics_status: 'NO_LOGISTICS',
      child_order_list: { aeop_child_order_info: [{ end_reason: 'pay_timeout' }] },
    });
    expect((await control(world, 'POST', `/aliexpress/orders/${orderId}/pay`)).status).toBe(409);
  });

  test('cancelled on the site, it finishes with that reason', async () => {
    const world = await givenWorld({ timing: { processMs: 60_000 } });
    const orderId = await placed(world, { triesToPay: true });
    const end = { reason: 'seller_cancel', description: 'Out of stock' };
    expect((await control(world, 'POST', `/aliexpress/orders/${orderId}/close`, end)).status).toBe(200);
    expect(await orderOf(world, orderId)).toMatchObject({
      order_status: 'FINISH',
      child_order_list: { aeop_child_order_info: [{ end_reason: 'seller_cancel' }] },
    });
    expect((await control(world, 'POST', '/aliexpress/orders/1/close', {})).status).toBe(404);
  });

  test('shows any other status when told so', async () => {
    const world = await givenWorld();
    const orderId = await placed(world);
    await control(world, 'PUT', `/aliexpress/orders/${orderId}/status`, { status: 'IN_ISSUE' });
    expect(await statusOf(world, orderId)).toBe('IN_ISSUE');
    await control(world, 'PUT', `/aliexpress/orders/${orderId}/status`, { status: null });
    expect(await statusOf(world, orderId)).toBe('PLACE_ORDER_SUCCESS');
  });

  test('is not known to look-ups while they are blind, and refused like one of somebody else', async () => {
    const world = await givenWorld({ timing: { lookupBlindMs: 60_000 } });
    const orderId = await placed(world);
    expect(await orderAnswer(world, orderId)).toMatchObject({
      error_response: { code: '15', sub_code: 'isv.insufficient-permission' },
    });
    expect(await trackingOf(world, orderId)).toMatchObject({ ret: false, code: '1001' });
    expect(await create(world)).toMatchObject({ error_code: 'REPEATED_ORDER_ERROR' });
  });

  test('has no tracking before it is sent, and the newest scan first afterwards', async () => {
    const world = await givenWorld({ timing: { processMs: 60_000 } });
    const unsent = await placed(world, { triesToPay: true });
    expect(await trackingOf(world, unsent)).toMatchObject({ ret: false, code: '1001' });
    await control(world, 'PUT', '/settings', { timing: { processMs: 0 } });
    const orderId = await placed(world, { outOrderId: 'N-2', triesToPay: true });
    const tracking = await eventually(
      () => trackingOf(world, orderId),
      (found) =>
        at(
          found,
          'data',
          'tracking_detail_line_list',
          'tracking_detail',
          0,
          'detail_node_list',
          'detail_node',
          2,
        ) !== undefined,
    );
    expect(tracking).toMatchObject({
      ret: true,
      data: {
        tracking_detail_line_list: {
          tracking_detail: [
            {
              mail_no: `AP${orderId.slice(-14)}`,
              package_item_list: [{ sku_id: MUG!.sku.skuId, quantity: 2, sku_desc: 'Red' }],
              detail_node_list: {
                detail_node: [
                  { tracking_name: 'Delivered' },
                  { tracking_name: 'Departed from origin' },
                  { tracking_name: 'Accepted by carrier' },
                ],
              },
            },
          ],
        },
      },
    });
  });

  test('in two parcels, the first is sent before the second', async () => {
    const world = await givenWorld({ timing: { processMs: 0, shipMs: 400, transitMs: 60_000 } });
    await turn(world, { parcels: 2 });
    const orderId = await placed(world, { triesToPay: true, items: [anItem({ product_count: 3 })] });
    const parcels = async () =>
      at(await trackingOf(world, orderId), 'data', 'tracking_detail_line_list', 'tracking_detail');
    const both = await eventually(parcels, (found) => Array.isArray(found) && found.length === 2);
    expect(both).toMatchObject([
      { mail_no: `AP${orderId.slice(-14)}`, package_item_list: [{ quantity: 2 }] },
      { mail_no: `LP${orderId.slice(-14)}`, package_item_list: [{ quantity: 1 }] },
    ]);
    expect(await statusOf(world, orderId)).toBe('WAIT_BUYER_ACCEPT_GOODS');
  });
});

describe('the looks of an answer', () => {
  test.each([
    ['wrapped', { number: [expect.any(Number)] }],
    ['array', [expect.any(Number)]],
    ['single', { number: expect.any(Number) }],
    ['bare', expect.any(Number)],
    ['missing', { number: [expect.any(Number)] }],
  ])('a list of one is %s', async (listShape, order_list) => {
    const world = await givenWorld();
    await turn(world, { listShape });
    expect(await create(world)).toEqual({ is_success: true, order_list });
  });

  test.each([
    ['wrapped', {}],
    ['array', []],
    ['single', {}],
    ['missing', undefined],
  ])('an empty list is %s', async (listShape, empty) => {
    const world = await givenWorld();
    const orderId = await placed(world);
    await turn(world, { listShape });
    expect(at(await orderOf(world, orderId), 'logistics_info_list')).toEqual(empty);
  });

  test('ids beyond 2^53 come as numbers when wanted', async () => {
    const world = await givenWorld();
    await turn(world, { ids: 'number' });
    const body = new URLSearchParams(syncParameters(PRODUCT, ASKED));
    const text = await (await fetch(`${world.origin}/sync`, { method: 'POST', body })).text();
    const { skuId } = MUG!.sku;
    expect(text).toContain(`"sku_id":${skuId},`);
    expect(String(Number(skuId))).not.toBe(skuId);
    await turn(world, { ids: 'text' });
    expect(await placed(world)).toMatch(/^819/);
    expect(at(await create(world, { outOrderId: 'N-2' }), 'order_list', 'number', 0)).toBeTypeOf('string');
  });

  test('simplified, the name above and the holders are gone', async () => {
    const answer = await sync(await givenWorld(), PRODUCT, { ...ASKED, simplify: 'true' });
    expect(answer).toMatchObject({ rsp_code: 200, result: { ae_item_sku_info_dtos: [{}, {}] } });
  });

  test('the order query answers under its other name with other names inside', async () => {
    const world = await givenWorld();
    const orderId = await placed(world);
    await turn(world, { orderAnswerName: 'renamed' });
    expect(await orderAnswer(world, orderId)).toMatchObject({
      aliexpress_ds_trade_order_get_response: {
        result: { child_order_list: { ae_child_order_info: [{ product_count: 2 }] } },
      },
    });
  });

  test('properties of a single SKU are an empty list', async () => {
    const answer = await sync(await givenWorld(), PRODUCT, { ...ASKED, product_id: LAMP!.productId });
    const [sku] = z
      .array(z.object({ ae_sku_property_dtos: z.unknown() }))
      .parse(
        at(
          answer,
          'aliexpress_ds_product_get_response',
          'result',
          'ae_item_sku_info_dtos',
          'ae_item_sku_info_d_t_o',
        ),
      );
    expect(sku?.ae_sku_property_dtos).toEqual({});
  });
});

test.each([
  ['aliexpress.product', { error_response: { code: 'AppApiCallLimit' } }],
  ['aliexpress.*', { error_response: { code: 'AppApiCallLimit' } }],
])('a fault of %s befalls a product query, and the call is counted', async (operation, answer) => {
  const world = await givenWorld();
  await givenFaults(world, { operation, kind: 'rate_limit', times: 1 });
  expect(await sync(world, PRODUCT, ASKED)).toMatchObject(answer);
  expect(await sync(world, PRODUCT, ASKED)).toHaveProperty('aliexpress_ds_product_get_response');
  expect((await ledgerOf(world)).calls).toEqual({ 'aliexpress.product': 2 });
});
