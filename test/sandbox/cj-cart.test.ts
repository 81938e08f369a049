import { expect, test } from 'vitest';
import { anOrder, type CjCaller, cjCaller, fields, login } from './cj-client.ts';
import { CREDENTIALS, control, givenWorld, ledgerOf } from './world.ts';

const CREATE = '/shopping/order/createOrderV2';

const create = async (call: CjCaller, number: string, changes: object = {}): Promise<string> =>
  String(fields((await call('POST', CREATE, anOrder(number, changes))).data).orderId);
const detail = async (call: CjCaller, number: string) =>
  fields((await call('GET', `/shopping/order/getOrderDetail?orderId=${number}`)).data);
const post = (call: CjCaller, path: string, body: object) => call('POST', `/shopping/${path}`, body);

test('orders in a cart are confirmed and paid together as one shipment', async () => {
  const world = await givenWorld({ timing: { processMs: 60_000 } });
  const call = await login(world);
  const cjOrderIdList = [await create(call, 'N-1'), await create(call, 'N-2')];
  expect((await post(call, 'order/addCart', { cjOrderIdList })).data).toMatchObject({
    successCount: 2,
    addSuccessOrders: cjOrderIdList,
    interceptOrders: [],
  });
  expect((await post(call, 'order/addCart', { cjOrderIdList })).code).toBe(1603001);
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'IN_CART' });
  const { shipmentsId } = fields((await post(call, 'order/addCartConfirm', { cjOrderIdList })).data);
  expect(await detail(call, 'N-2')).toMatchObject({ orderStatus: 'UNPAID' });
  const shipmentOrderId = shipmentsId;
  const { payId } = fields((await post(call, 'order/saveGenerateParentOrder', { shipmentOrderId })).data);

  // An SD code in the wrong place is taken without a word.
  const misplaced = { shipmentOrderId: cjOrderIdList[0], payId };
  expect((await post(call, 'pay/payBalanceV2', misplaced)).code).toBe(200);
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'UNPAID' });
  expect((await post(call, 'pay/payBalanceV2', { shipmentOrderId, payId })).code).toBe(200);
  const orders = (await ledgerOf(world)).purchases.flatMap((purchase) => purchase.orders);
  expect(orders.map(({ status, paidCount }) => [status, paidCount])).toEqual([
    ['UNSHIPPED', 1],
    ['UNSHIPPED', 1],
  ]);
});

test('an order to an address in foreign letters is intercepted on demand, its neighbour is not', async () => {
  const world = await givenWorld();
  await control(world, 'PUT', '/settings', { intercept: true });
  const call = await login(world);
  const foreign = { shippingCity: '東京', shippingCountryCode: 'JP' };
  const created = fields((await call('POST', CREATE, anOrder('N-1', foreign))).data);
  expect(created.interceptOrderReasons).toHaveLength(1);
  const cjOrderIdList = [String(created.orderId), await create(call, 'N-2')];
  expect((await post(call, 'order/addCart', { cjOrderIdList })).data).toMatchObject({
    successCount: 2,
    unInterceptAddressCount: 1,
  });
  expect((await post(call, 'order/addCartConfirm', { cjOrderIdList })).data).toMatchObject({
    submitSuccess: true,
    interceptOrders: [{ orderId: cjOrderIdList[0] }],
  });
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'IN_CART' });
  const confirmed = await call('PATCH', '/shopping/order/confirmOrder', { orderId: cjOrderIdList[0] });
  expect(confirmed).toMatchObject({ code: 1603001, message: expect.stringContaining('intercepted') });
});

test('a test order is moved by single steps, without money, and cannot be paid as a shipment', async () => {
  const world = await givenWorld();
  const call = await login(world);
  const orderId = await create(call, 'N-1', { isSandbox: 1 });
  const step = async (targetStatus: number) =>
    (await post(call, 'sandbox/updateStatus', { orderId, targetStatus })).code;
  expect(await step(300)).toBe(1600300);
  expect([await step(101), await step(300)]).toEqual([200, 200]);
  expect((await post(call, 'sandbox/simulatePay', { orderId })).code).toBe(200);
  expect((await post(call, 'sandbox/updateTrackNumber', { orderId, trackNumber: 'T-1' })).code).toBe(200);
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'UNSHIPPED', trackNumber: 'T-1' });
  expect([await step(600), await step(500), await step(600)]).toEqual([1600300, 200, 200]);
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'DELIVERED' });
  expect([await step(700), await step(700)]).toEqual([200, 1600300]);
  expect(await detail(call, 'N-1')).toMatchObject({ orderStatus: 'CANCELLED' });
  expect((await ledgerOf(world)).purchases[0]?.orders[0]).toMatchObject({ paidCount: 0 });

  const other = await create(call, 'N-2', { isSandbox: 1 });
  const { data } = await post(call, 'order/addCartConfirm', { cjOrderIdList: [other] });
  const shipmentOrderId = fields(data).shipmentsId;
  const paying = post(call, 'pay/payBalanceV2', { shipmentOrderId, payId: `PAY${shipmentOrderId}` });
  await expect(paying).rejects.toThrow('HTTP 400');
  const real = await create(call, 'N-3');
  expect((await post(call, 'sandbox/simulatePay', { orderId: real })).code).toBe(1600300);
});

test('a login that comes too soon is refused on demand', async () => {
  const world = await givenWorld();
  await control(world, 'PUT', '/settings', { cjLoginEveryMs: 300_000 });
  const open = cjCaller(world, null);
  const logIn = () => open('POST', '/authentication/getAccessToken', { apiKey: CREDENTIALS.cjApiKey });
  expect([(await logIn()).code, (await logIn()).code]).toEqual([200, 1600200]);
});
