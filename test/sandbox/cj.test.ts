import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import { anOrder, buy, cjCaller, fields, login, rows, vid } from './cj-client.ts';
import { CREDENTIALS, control, eventually, givenFaults, givenWorld, ledgerOf } from './world.ts';

const CREATE = '/shopping/order/createOrderV2';
const CONFIRM = '/shopping/order/confirmOrder';
const PAY = '/shopping/pay/payBalance';

describe('logging in', () => {
  test('answers with tokens, their dates in Beijing time, and a numeric openId', async () => {
    const world = await givenWorld();
    const call = cjCaller(world, null);
    const answer = await call('POST', '/authentication/getAccessToken', { apiKey: CREDENTIALS.cjApiKey });
    const data = fields(answer.data);
    expect(answer).toMatchObject({ code: 200, result: true, message: 'Success' });
    expect(data.openId).toBeTypeOf('number');
    expect(data.accessTokenExpiryDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
    const days = (Date.parse(String(data.accessTokenExpiryDate)) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(15, 1);
    const again = await call('POST', '/authentication/getAccessToken', { apiKey: CREDENTIALS.cjApiKey });
    expect(fields(again.data).accessToken).toBe(data.accessToken);
  });

  test('a refresh replaces both tokens and kills the old ones', async () => {
    const world = await givenWorld();
    const open = cjCaller(world, null);
    const first = fields(
      (await open('POST', '/authentication/getAccessToken', { apiKey: CREDENTIALS.cjApiKey })).data,
    );
    const refreshToken = first.refreshToken;
    const second = fields((await open('POST', '/authentication/refreshAccessToken', { refreshToken })).data);
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(second).not.toHaveProperty('openId');
    const old = cjCaller(world, String(first.accessToken));
    expect(await old('GET', '/shopping/pay/getBalance')).toMatchObject({
      code: 1600001,
      result: false,
      data: null,
    });
    const repeat = await open('POST', '/authentication/refreshAccessToken', { refreshToken });
    expect(repeat.code).toBe(1600003);
  });

  test('an expired token is refused with HTTP 200 and 1600001', async () => {
    const world = await givenWorld();
    await control(world, 'PUT', '/settings', { cjTokenTtlMs: 1 });
    const call = await login(world);
    const answer = await eventually(
      () => call('GET', '/setting/get'),
      ({ code }) => code !== 200,
    );
    expect(answer.code).toBe(1600001);
  });

  test('the settings tell the request rate', async () => {
    const call = await login(await givenWorld({ cjRequestsPerSecond: 77 }));
    const { data } = await call('GET', '/setting/get');
    expect(fields(data)).toMatchObject({ setting: { qpsLimit: 77 }, root: 'GENERAL' });
  });
});

test.each([
  ['no token', null, 'GET', '/shopping/pay/getBalance', undefined, 1600001],
  ['a wrong token', 'nonsense', 'GET', '/shopping/pay/getBalance', undefined, 1600001],
  ['a wrong api key', null, 'POST', '/authentication/getAccessToken', { apiKey: 'x' }, 1600001],
  ['an unknown path', null, 'GET', '/shopping/order/nothing', undefined, 1600101],
  ['a wrong method', null, 'GET', CREATE, undefined, 16900202],
  ['a missing body', null, 'POST', '/authentication/getAccessToken', undefined, 16900204],
])('%s is refused with HTTP 200 and the documented code', async (_, token, method, path, body, code) => {
  const call = cjCaller(await givenWorld(), token);
  expect(await call(method, path, body)).toMatchObject({ code, result: false, data: null });
});

test('more calls than the rate allows are refused with 1600200', async () => {
  const world = await givenWorld();
  const call = await login(world);
  await control(world, 'PUT', '/settings', { cjRequestsPerSecond: 3 });
  const codes = await Promise.all(
    Array.from({ length: 12 }, async () => (await call('GET', '/setting/get')).code),
  );
  expect(codes.filter((code) => code === 1600200).length).toBeGreaterThanOrEqual(6);
  expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(3);
});

describe('goods', () => {
  test('a product and its variant carry ids as text and images as JSON inside a text', async () => {
    const call = await login(await givenWorld());
    const lamp = CATALOGUE[0]!;
    const product = fields((await call('GET', `/product/query?pid=${lamp.supplierProductId}`)).data);
    expect(product).toMatchObject({
      pid: lamp.supplierProductId,
      sellPrice: '6.90',
      variants: [{ vid: vid(1) }],
    });
    expect(JSON.parse(String(product.productImage))).toEqual(product.productImageSet);
    const variant = await call('GET', `/product/variant/queryByVid?vid=${vid(1)}`);
    expect(variant.data).toMatchObject({ variantSellPrice: 6.9, variantWeight: 420, inventories: null });
    expect((await call('GET', '/product/variant/queryByVid?vid=1')).code).toBe(1602000);
    expect((await call('GET', '/product/query?pid=1')).code).toBe(1602001);
    expect((await call('GET', '/product/query')).code).toBe(16900403);
  });

  test('stock comes per warehouse country, by variant, by SKU and by product under different names', async () => {
    const call = await login(await givenWorld());
    const { data } = await call('GET', `/product/stock/queryByVid?vid=${vid(5)}`);
    expect(rows(data).map(({ countryCode }) => countryCode)).toEqual(['DE', 'CN']);
    const bySku = rows((await call('GET', '/product/stock/queryBySku?sku=CJTENT2P01AZ')).data);
    expect(bySku).toEqual(rows(data).map(({ vid: _vid, ...row }) => row));
    const tent = CATALOGUE[4]!.supplierProductId;
    expect((await call('GET', `/product/stock/getInventoryByPid?pid=${tent}`)).data).toMatchObject({
      inventories: [
        { countryCode: 'DE', totalInventoryNum: 50_000, factoryInventoryNum: 0 },
        { countryCode: 'CN', totalInventoryNum: 50_000, factoryInventoryNum: 10_000 },
      ],
      variantInventories: [
        { vid: vid(5), inventory: [{ countryCode: 'DE', totalInventory: 50_000 }, { cjInventory: 40_000 }] },
      ],
    });
  });

  test('a product of several variants names its options, and its prices as a range in text', async () => {
    const call = await login(await givenWorld());
    const { data } = await call('GET', '/product/query?productSku=CJSHIRT');
    expect(data).toMatchObject({
      productKeyEn: 'Color-Size',
      sellPrice: '5.60 -- 5.90',
      status: '3',
      variants: [
        { variantKey: 'Red-S' },
        { variantKey: 'Red-L' },
        { variantKey: 'Blue-S' },
        { variantKey: 'Blue-L' },
      ],
    });
    const variants = await call('GET', `/product/variant/query?pid=${fields(data).pid}`);
    expect(variants.data).toEqual(fields(data).variants);
  });

  test('both lists find goods by words, each in its own shape', async () => {
    const call = await login(await givenWorld());
    const newer = await call('GET', '/product/listV2?keyWord=enamel%20mug&page=2&size=1');
    expect(newer.data).toMatchObject({
      pageSize: 1,
      pageNumber: 2,
      totalRecords: 2,
      totalPages: 2,
      content: [{ productList: [{ id: CATALOGUE[2]!.supplierProductId, sellPrice: '4.10' }] }],
    });
    const older = await call('GET', '/product/list?productNameEn=enamel%20mug&pageNum=2&pageSize=1');
    expect(older.data).toMatchObject({ total: 2, list: [{ pid: CATALOGUE[2]!.supplierProductId }] });
    expect((await call('GET', '/product/listV2?size=101')).code).toBe(1600300);
    const german = await call('GET', '/product/listV2?countryCode=DE');
    expect(german.data).toMatchObject({ totalRecords: 2 });
  });

  test('an article changes its price and its stock, and leaves the shelf, by the control port', async () => {
    const world = await givenWorld();
    const call = await login(world);
    await control(world, 'PUT', `/articles/${vid(1)}`, { priceMinor: 701, stock: 1 });
    const variant = await call('GET', `/product/variant/queryByVid?vid=${vid(1)}`);
    expect(variant.data).toMatchObject({ variantSellPrice: 7.01 });
    const { data } = await call('GET', `/product/stock/queryByVid?vid=${vid(1)}`);
    expect(rows(data)).toMatchObject([{ totalInventoryNum: 1 }]);
    const created = fields((await call('POST', CREATE, anOrder('N-1'))).data);
    expect(created).toMatchObject({ productAmount: 14.02 });
    expect(await call('PATCH', CONFIRM, { orderId: created.orderId })).toMatchObject({
      code: 1603001,
      message: expect.stringContaining('inventory'),
    });
    await control(world, 'PUT', `/articles/${vid(1)}`, { isOnSale: false });
    expect((await call('GET', `/product/variant/queryByVid?vid=${vid(1)}`)).code).toBe(1602003);
    expect((await call('POST', CREATE, anOrder('N-2'))).code).toBe(1602003);
    const { supplierProductId } = CATALOGUE[0]!;
    expect((await call('GET', `/product/query?pid=${supplierProductId}`)).code).toBe(1602002);
    const [, , , shirt] = rows(
      fields((await call('GET', '/product/query?productSku=CJSHIRT')).data).variants,
    );
    expect((await control(world, 'PUT', `/articles/${shirt?.vid}`, { isOnSale: false })).status).toBe(200);
    const { data: shirts } = await call('GET', '/product/query?productSku=CJSHIRT');
    expect(fields(shirts).variants).toHaveLength(3);
    expect((await control(world, 'PUT', '/articles/1', { stock: 1 })).status).toBe(404);
  });
});

describe('points', () => {
  const search = '/product/listV2?keyWord=mug';

  test('are counted and shown with each answer, and refused by HTTP 429 when they are used up', async () => {
    const world = await givenWorld();
    const call = await login(world);
    expect(await call('GET', search)).not.toHaveProperty('pointsInfo');
    await control(world, 'PUT', '/settings', { cjPointsPerDay: 60 });
    expect((await call('GET', search)).pointsInfo).toEqual({ usedToday: 50, remaining: 10, total: 60 });
    await expect(call('GET', search)).rejects.toThrow('HTTP 429');
    const variant = await call('GET', `/product/variant/queryByVid?vid=${vid(1)}`);
    expect(variant.pointsInfo).toEqual({ usedToday: 60, remaining: 0, total: 60 });
    // Orders cost none.
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(200);
  });

  test('are refused with 16900500 in the body on demand', async () => {
    const world = await givenWorld();
    const call = await login(world);
    await control(world, 'PUT', '/settings', { cjPointsPerDay: 40, cjPointsRefusal: 'body' });
    expect(await call('GET', search)).toMatchObject({
      code: 16900500,
      pointsInfo: { usedToday: 0, total: 40 },
    });
  });
});

describe('freight', () => {
  const ask = async (body: object) => {
    const call = await login(await givenWorld());
    return call('POST', '/logistic/freightCalculate', {
      startCountryCode: 'CN',
      endCountryCode: 'US',
      products: [{ vid: vid(1), quantity: 1 }],
      ...body,
    });
  };

  test.each([
    ['CN', 'US', vid(1)],
    ['CN', 'FR', vid(8)],
    ['DE', 'DE', vid(5)],
    ['DE', 'FR', vid(5)],
    ['US', 'US', vid(6)],
  ])('from %s to %s the cheapest price is not the cheapest total', async (from, to, id) => {
    const { data } = await ask({
      startCountryCode: from,
      endCountryCode: to,
      products: [{ vid: id, quantity: 2 }],
    });
    const options = rows(data);
    const cheapest = (name: string) =>
      options
        .toSorted((a, b) => Number(a[name]) - Number(b[name]))
        .map(({ logisticName }) => logisticName)[0];
    expect(cheapest('logisticPrice')).not.toBe(cheapest('totalPostageFee'));
    for (const option of options) {
      const sum =
        Number(option.logisticPrice) + Number(option.taxesFee) + Number(option.clearanceOperationFee);
      expect(Number(option.totalPostageFee)).toBeCloseTo(sum, 6);
      expect(option.logisticAging).toMatch(/^\d+-\d+$/);
    }
  });

  test.each([
    ['a country that nothing ships to', { endCountryCode: 'KP' }],
    ['a warehouse country that does not stock the goods', { startCountryCode: 'DE' }],
    [
      'a warehouse country that does not send so far',
      { startCountryCode: 'US', endCountryCode: 'JP', products: [{ vid: vid(6), quantity: 1 }] },
    ],
  ])('for %s the list is empty', async (_, body) => {
    expect(await ask(body)).toMatchObject({ code: 200, data: [] });
  });

  test('an unknown country, an unknown variant and an empty list of goods have codes of their own', async () => {
    expect((await ask({ endCountryCode: 'XQ' })).code).toBe(1605002);
    expect((await ask({ products: [{ vid: '1', quantity: 1 }] })).code).toBe(1602000);
    expect((await ask({ products: [] })).code).toBe(1600300);
  });
});

describe('creating an order', () => {
  test('answers with an SD code and the nulls of the live interface', async () => {
    const call = await login(await givenWorld());
    const { code, data } = await call('POST', CREATE, anOrder('N-1'));
    expect(code).toBe(200);
    expect(data).toMatchObject({
      orderId: expect.stringMatching(/^SD\d{19}$/),
      orderNumber: 'N-1',
      shipmentOrderId: null,
      orderStatus: null,
      orderAmount: null,
      productAmount: 13.8,
      productInfoList: [{ storeLineItemId: 'line-1', variantId: vid(1), quantity: 2 }],
    });
  });

  test('answers with all that is documented when the nulls are switched off', async () => {
    const world = await givenWorld();
    await control(world, 'PUT', '/settings', { createNulls: false });
    const { data } = await (await login(world))('POST', CREATE, anOrder('N-1'));
    expect(data).toMatchObject({ orderStatus: 'CREATED', shipmentOrderId: expect.any(String) });
    expect(fields(data).orderAmount).toBeGreaterThan(13.8);
  });

  const FRANCE = { shippingCountryCode: 'FR', shippingCountry: 'France' };
  test.each([
    ['no province', { shippingProvince: '' }, 16900403],
    ['no goods', { products: [] }, 16900403],
    ['neither vid nor sku', { products: [{ quantity: 1 }] }, 16900403],
    ['a number of 51 characters', { orderNumber: 'x'.repeat(51) }, 1600300],
    ['a phone of 21 characters', { shippingPhone: '1'.repeat(21) }, 1600300],
    ['an address of 201 characters', { shippingAddress: 'a'.repeat(201) }, 1600300],
    ['a quantity of zero', { products: [{ vid: vid(1), quantity: 0 }] }, 1600300],
    [
      'vid and sku of different goods',
      { products: [{ vid: vid(1), sku: 'CJMUGRED01AZ', quantity: 1 }] },
      1600300,
    ],
    ['an unknown variant', { products: [{ vid: '7', quantity: 1 }] }, 1602000],
    ['an unknown country', { shippingCountryCode: 'XQ' }, 1605002],
    ['a carrier that was not offered', { logisticName: 'Pigeon' }, 1605000],
    ['a warehouse without the goods', { fromCountryCode: 'US' }, 1605000],
    ['an EU destination without IOSS', FRANCE, 1603000],
    ['an own IOSS without its number', { ...FRANCE, iossType: 2 }, 1603000],
    [
      'goods above 150 EUR under an IOSS number',
      { ...FRANCE, iossType: 3, iossNumber: 'CJ-IOSS', products: [{ vid: vid(1), quantity: 30 }] },
      1603000,
    ],
  ])('with %s is refused and buys nothing', async (_, changes, code) => {
    const world = await givenWorld();
    const call = await login(world);
    const answer = await call('POST', CREATE, anOrder('N-1', changes));
    expect(answer).toMatchObject({ code, result: false, data: null });
    if (code === 1603000) expect(answer.message).toMatch(/100104.*7001.*IOSS/);
    expect((await ledgerOf(world)).purchases).toEqual([]);
  });

  test('to the EU with an IOSS choice goes through', async () => {
    const call = await login(await givenWorld());
    const choices = [
      { iossType: 1, products: [{ vid: vid(1), quantity: 30 }] },
      { iossType: 2, iossNumber: 'IM0123456789' },
      { iossType: 3, iossNumber: 'CJ-IOSS' },
    ];
    for (const [index, ioss] of choices.entries()) {
      const wanted = anOrder(`N-${index}`, { ...FRANCE, ...ioss });
      expect((await call('POST', CREATE, wanted)).code).toBe(200);
    }
  });

  test.each([
    [3, 'CREATED', 0],
    [1, 'UNPAID', 0],
    [2, 'UNSHIPPED', 1],
  ])('with payType %i leaves it %s', async (payType, status, paidCount) => {
    const world = await givenWorld({ timing: { processMs: 60_000 } });
    const call = await login(world);
    const { data } = await call('POST', CREATE, anOrder('N-1', { payType }));
    expect(Boolean(fields(data).cjPayUrl)).toBe(payType === 1);
    expect((await ledgerOf(world)).purchases[0]?.orders).toMatchObject([{ status, paidCount }]);
  });

  test('a repeated number is refused with 1603003 in mode A and makes a second order in mode B', async () => {
    const world = await givenWorld();
    const call = await login(world);
    await call('POST', CREATE, anOrder('N-1'));
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(1603003);
    await control(world, 'PUT', '/settings', { dupMode: 'B' });
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(200);
    expect((await ledgerOf(world)).purchases[0]?.orders).toHaveLength(2);
    const { data } = await call('POST', '/shopping/order/getOrderDetailBatch', { orderIds: ['N-1'] });
    expect(rows(data)).toHaveLength(2);
  });

  test('a new order is refused as a repeat while look-ups do not know it yet', async () => {
    const world = await givenWorld({ timing: { lookupBlindMs: 150 } });
    const call = await login(world);
    await call('POST', CREATE, anOrder('N-1'));
    expect((await call('GET', '/shopping/order/getOrderDetail?orderId=N-1')).code).toBe(1600300);
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(1603003);
    await eventually(
      () => call('GET', '/shopping/order/getOrderDetail?orderId=N-1'),
      ({ code }) => code === 200,
    );
  });
});

describe('looking up', () => {
  test('merchant number, SD code and internal number find the same order, with the three ids told apart', async () => {
    const call = await login(await givenWorld());
    const sdCode = fields((await call('POST', CREATE, anOrder('N-1'))).data).orderId;
    const detail = fields((await call('GET', '/shopping/order/getOrderDetail?orderId=N-1')).data);
    expect(detail).toMatchObject({
      orderNum: 'N-1',
      cjOrderId: sdCode,
      cjOrderCode: sdCode,
      orderStatus: 'CREATED',
    });
    expect(detail.orderId).toBeTypeOf('number');
    expect(detail.createDate).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    for (const reference of [sdCode, detail.orderId]) {
      const { data } = await call('GET', `/shopping/order/getOrderDetail?orderId=${reference}`);
      expect(data).toEqual(detail);
    }
  });

  test('an unknown order is 1600300; the batch leaves it out and takes a hundred at most', async () => {
    const call = await login(await givenWorld());
    await call('POST', CREATE, anOrder('N-1'));
    expect((await call('GET', '/shopping/order/getOrderDetail?orderId=N-2')).code).toBe(1600300);
    const batch = (orderIds: string[]) => call('POST', '/shopping/order/getOrderDetailBatch', { orderIds });
    expect(rows((await batch(['N-2', 'N-1'])).data)).toMatchObject([{ orderNum: 'N-1' }]);
    expect((await batch(Array.from({ length: 101 }, (_, n) => `N-${n}`))).code).toBe(1600300);
  });

  test('the list shows cancelled orders unless a status is named', async () => {
    const call = await login(await givenWorld());
    for (const n of [1, 2, 3]) await call('POST', CREATE, anOrder(`N-${n}`));
    expect((await call('GET', '/shopping/order/list?pageNum=1&pageSize=2')).data).toMatchObject({
      total: 0,
      list: [],
    });
    const page = await call('GET', '/shopping/order/list?pageNum=2&pageSize=2&status=CREATED');
    expect(page.data).toMatchObject({ pageNum: 2, pageSize: 2, total: 3, list: [{ orderNum: 'N-3' }] });
    const named = await call('GET', '/shopping/order/list?orderNumbers=N-2');
    expect(named.data).toMatchObject({ total: 1, list: [{ orderNum: 'N-2' }] });
  });
});

describe('paying', () => {
  test('needs a confirmed order, takes the money once and answers null', async () => {
    const world = await givenWorld({ timing: { processMs: 60_000 } });
    const call = await login(world);
    const orderId = fields((await call('POST', CREATE, anOrder('N-1'))).data).orderId;
    const balance = async () => Number(fields((await call('GET', '/shopping/pay/getBalance')).data).amount);
    const before = await balance();

    expect((await call('POST', PAY, { orderId })).code).toBe(1603001);
    expect(await call('PATCH', CONFIRM, { orderId })).toMatchObject({ code: 200, data: orderId });
    expect((await call('PATCH', CONFIRM, { orderId })).code).toBe(1603001);
    expect(await call('POST', PAY, { orderId })).toMatchObject({ code: 200, data: null });
    expect((await call('POST', PAY, { orderId })).code).toBe(1603001);

    const bought = (await ledgerOf(world)).purchases[0]!.orders[0]!;
    expect(bought).toMatchObject({ paidCount: 1, status: 'UNSHIPPED' });
    expect(Math.round((before - (await balance())) * 100)).toBe(bought.amount);
    const detail = fields((await call('GET', '/shopping/order/getOrderDetail?orderId=N-1')).data);
    expect(Math.round(Number(detail.orderAmount) * 100)).toBe(bought.amount);
  });

  test('with too little money is refused with 1604000 and can be done later', async () => {
    const world = await givenWorld();
    const call = await login(world);
    await control(world, 'PUT', '/settings', { balance: 100 });
    const orderId = fields((await call('POST', CREATE, anOrder('N-1'))).data).orderId;
    await call('PATCH', CONFIRM, { orderId });
    expect((await call('POST', PAY, { orderId })).code).toBe(1604000);
    await control(world, 'PUT', '/settings', { balance: 1_000_000 });
    expect((await call('POST', PAY, { orderId })).code).toBe(200);
  });

  test.each([1600100, 1603001])(
    'with too little money is refused with %i on demand',
    async (lowBalanceCode) => {
      const world = await givenWorld();
      const call = await login(world);
      await control(world, 'PUT', '/settings', { balance: 100, lowBalanceCode });
      const orderId = fields((await call('POST', CREATE, anOrder('N-1'))).data).orderId;
      await call('PATCH', CONFIRM, { orderId });
      const answer = await call('POST', PAY, { orderId });
      expect(answer).toMatchObject({ code: lowBalanceCode, message: expect.stringMatching(/balance/i) });
    },
  );

  test('goes by SD code only', async () => {
    const call = await login(await givenWorld());
    await call('POST', CREATE, anOrder('N-1'));
    for (const [method, path] of [
      ['PATCH', CONFIRM],
      ['POST', PAY],
    ] as const) {
      expect((await call(method, path, { orderId: 'N-1' })).code).toBe(1603100);
    }
  });
});

test('an order can be removed until it is confirmed', async () => {
  const world = await givenWorld();
  const call = await login(world);
  const remove = async (number: string, confirmed: boolean) => {
    const orderId = fields((await call('POST', CREATE, anOrder(number))).data).orderId;
    if (confirmed) await call('PATCH', CONFIRM, { orderId });
    return call('DELETE', `/shopping/order/deleteOrder?orderId=${orderId}`);
  };
  expect((await remove('N-1', false)).code).toBe(200);
  expect((await call('GET', '/shopping/order/getOrderDetail?orderId=N-1')).code).toBe(1600300);
  expect((await remove('N-2', true)).code).toBe(1603002);
  const orders = (await ledgerOf(world)).purchases.flatMap((purchase) => purchase.orders);
  expect(orders.map(({ status }) => status)).toEqual(['CANCELLED', 'UNPAID']);
});

test('a paid order gets a tracking number before it leaves, travels and arrives', async () => {
  const world = await givenWorld({ timing: { processMs: 500, shipMs: 600, transitMs: 400, deliverMs: 800 } });
  const call = await login(world);
  await buy(call, 'N-1');
  const detail = async () => fields((await call('GET', '/shopping/order/getOrderDetail?orderId=N-1')).data);
  expect(await detail()).toMatchObject({ orderStatus: 'UNSHIPPED', trackNumber: null });

  const announced = await eventually(detail, ({ trackNumber }) => trackNumber !== null);
  expect(announced.orderStatus).toBe('UNSHIPPED');
  const track = async () =>
    rows(
      (await call('GET', `/logistic/trackInfo?trackNumber=${announced.trackNumber}&trackNumber=NOPE`)).data,
    );
  expect(await track()).toHaveLength(1);

  await eventually(detail, ({ orderStatus }) => orderStatus === 'SHIPPED');
  await eventually(track, ([row]) => row?.trackingStatus === 'In transit');
  await eventually(track, ([row]) => row?.trackingStatus === 'Delivered');
  expect(await detail()).toMatchObject({ orderStatus: 'DELIVERED' });
});

test.each(['hidden', 'shown'])(
  'a paid order is split into two parts with parcels of their own, the whole one then %s',
  async (split) => {
    const world = await givenWorld({ timing: { shipMs: 100 } });
    await control(world, 'PUT', '/settings', { split });
    const call = await login(world);
    const sdCode = await buy(call, 'N-1');
    const batch = async () =>
      rows((await call('POST', '/shopping/order/getOrderDetailBatch', { orderIds: ['N-1'] })).data);
    const codes = [...(split === 'shown' ? [sdCode] : []), `${sdCode}-1`, `${sdCode}-2`];
    expect((await batch()).map(({ cjOrderCode }) => cjOrderCode)).toEqual(codes);
    const parts = await eventually(
      async () => (await batch()).slice(-2),
      (found) => found.every(({ orderStatus }) => orderStatus === 'DELIVERED'),
    );
    expect(new Set(parts.map(({ trackNumber }) => trackNumber)).size).toBe(2);
    expect(parts).toMatchObject([{ productList: [{ quantity: 1 }] }, { productList: [{ quantity: 1 }] }]);
    const { purchases } = await ledgerOf(world);
    expect(purchases).toMatchObject([{ orders: [{ sdCode, paidCount: 1, status: 'DELIVERED' }] }]);
  },
);

test('a labelled order can be packed in two once, as long as it has not left', async () => {
  const world = await givenWorld({ timing: { processMs: 0, shipMs: 60_000 } });
  const call = await login(world);
  const pack = async (number: string) => (await control(world, 'POST', `/cj/orders/${number}/pack`)).status;
  expect(await pack('N-1')).toBe(404);
  const sdCode = await buy(call, 'N-1');
  expect([await pack('N-1'), await pack('N-1')]).toEqual([200, 404]);
  const { data } = await call('POST', '/shopping/order/getOrderDetailBatch', { orderIds: ['N-1'] });
  expect(rows(data).map(({ cjOrderCode }) => cjOrderCode)).toEqual([`${sdCode}-1`, `${sdCode}-2`]);
  expect(new Set(rows(data).map(({ trackNumber }) => trackNumber)).size).toBe(2);
});

describe('faults', () => {
  test.each([
    ['error_before', 0, /HTTP 500/],
    ['no_answer_before', 0, /fetch failed/],
    ['error_after', 1, /HTTP 500/],
    ['no_answer_after', 1, /fetch failed/],
    ['garbage', 1, /JSON/],
  ])('%s leaves %i orders behind and spends itself', async (kind, orders, message) => {
    const world = await givenWorld();
    const call = await login(world);
    await givenFaults(world, { operation: 'cj.createOrderV2', kind, times: 1 });
    await expect(call('POST', CREATE, anOrder('N-1'))).rejects.toThrow(message);
    expect((await ledgerOf(world)).purchases).toHaveLength(orders);
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(orders === 0 ? 200 : 1603003);
    expect((await ledgerOf(world)).calls['cj.createOrderV2']).toBe(2);
  });

  test('rate_limit speaks the supplier’s dialect and slow only takes time', async () => {
    const world = await givenWorld();
    const call = await login(world);
    await givenFaults(
      world,
      { operation: 'cj.createOrderV2', kind: 'rate_limit', times: 1 },
      { operation: 'cj.create*', kind: 'slow', delayMs: 120 },
    );
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(1600200);
    const before = performance.now();
    expect((await call('POST', CREATE, anOrder('N-1'))).code).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(100);
  });

  test('a share hits the same calls again under the same seed', async () => {
    const hits = async (seed: number): Promise<string> => {
      const world = await givenWorld();
      const call = await login(world);
      await givenFaults(world, { operation: 'cj.setting', kind: 'rate_limit', share: 0.3, seed });
      let pattern = '';
      for (let n = 0; n < 60; n += 1) pattern += (await call('GET', '/setting/get')).code === 200 ? '.' : 'x';
      return pattern;
    };
    const [first, second, other] = [await hits(7), await hits(7), await hits(8)];
    expect(second).toBe(first);
    expect(other).not.toBe(first);
    expect(first.replaceAll('.', '').length).toBeGreaterThan(8);
    expect(first.replaceAll('.', '').length).toBeLessThan(30);
  });
});
