import { expect, test } from 'vitest';
import type { PushMessage } from '../../services/suppliers/adapter.ts';
import { readPush, signatureOf } from '../../services/suppliers/cj-dropshipping/push.ts';

const OPEN_ID = '987654321';
const openId = async (): Promise<string> => OPEN_ID;
const noKey = (): Promise<string> => Promise.reject(new Error('nobody asked for the key'));

/** Composed by the fact sheet and signed by two other implementations. */
const VECTOR =
  '{"messageId":"0a1b2c3d4e5f","type":"ORDER","messageType":"UPDATE","openId":"987654321","params":{"orderNumber":"SHOP-1001-A","cjOrderId":"SD2601010000000000100","orderStatus":"SHIPPED","logisticName":"CJPacket Ordinary","trackNumber":"CJPEX0000000001"}}';
const VECTOR_SIGN = 'T/kOvuZm1O6OgTlYMt9dukPvKVBD0D8uLeQbWrQWFvs=';

const bytes = (text: string): Buffer => Buffer.from(text);
const signed = (text: string, key = OPEN_ID): PushMessage => ({
  headers: { sign: signatureOf(key, bytes(text)).toString('base64') },
  body: bytes(text),
});
const aMessage = (type: string, params: unknown, more: object = {}): string =>
  JSON.stringify({ messageId: 'm1', type, messageType: 'UPDATE', params, ...more });

const referencesOf = async (type: string, params: unknown): Promise<readonly string[]> => {
  const push = await readPush(signed(aMessage(type, params)), openId);
  if (push.kind !== 'news') throw new Error(push.kind);
  return push.references;
};

test('the vector of the facts is signed by CJ and names its order by both numbers', async () => {
  expect(bytes(VECTOR)).toHaveLength(253);
  await expect(readPush({ headers: { sign: VECTOR_SIGN }, body: bytes(VECTOR) }, openId)).resolves.toEqual({
    kind: 'news',
    messageId: 'ORDER:0a1b2c3d4e5f',
    topic: 'ORDER',
    references: ['SHOP-1001-A', 'SD2601010000000000100'],
  });
});

test.each([
  [
    'one byte of it changed',
    { headers: { sign: VECTOR_SIGN }, body: bytes(VECTOR.replace('SHIPPED', 'SHIPPEE')) },
  ],
  ['the key of another account', signed(VECTOR, '123456789')],
  ['half a signature', { headers: { sign: VECTOR_SIGN.slice(0, 20) }, body: bytes(VECTOR) }],
  ['nonsense for a signature', { headers: { sign: '!!' }, body: bytes(VECTOR) }],
])('a message about an order with %s is forged', async (_, message) => {
  await expect(readPush(message, openId)).resolves.toEqual({ kind: 'forged' });
});

test('the key is ours, whatever account the message names', async () => {
  const other = VECTOR.replace('"openId":"987654321"', '"openId":"111"');
  await expect(readPush(signed(other, '111'), openId)).resolves.toEqual({ kind: 'forged' });
  await expect(readPush(signed(other), openId)).resolves.toMatchObject({ kind: 'news' });
});

test.each([
  ['nothing', ''],
  ['an empty object', '{}'],
  ['a list', '[]'],
  ['a word', 'ping'],
  ['half a JSON', '{"type":"ORDER"'],
  ['a type without params', '{"type":"ORDER","params":{}}'],
  ['no type', '{"messageId":"x","params":{"orderNumber":"SHOP-1"}}'],
  ['a sample of goods', '{"messageId":"x","type":"PRODUCT","params":{"pid":"1"}}'],
  ['a sample of an order, of which nothing is believed', VECTOR],
])('an unsigned probe with %s is one, and needs no key', async (_, body) => {
  for (const headers of [{}, { sign: ' ' }])
    await expect(readPush({ headers, body: bytes(body) }, noKey)).resolves.toEqual({ kind: 'probe' });
});

test.each([
  ['ORDER', { orderNumber: 'SHOP-1', cjOrderId: 'SD1' }, ['SHOP-1', 'SD1']],
  ['ORDER', { orderNum: 'SHOP-1', cjOrderId: null }, ['SHOP-1']],
  ['ORDER', { orderNumber: 'SHOP-1', cjOrderId: 'SD1-2' }, ['SHOP-1', 'SD1', 'SD1-2']],
  [
    'ORDERSPLIT',
    { originalOrderId: 'SD1', splitOrderList: [{ orderCode: 'SD1-1' }, { orderCode: 'SD1-2' }, null, {}] },
    ['SD1', 'SD1-1', 'SD1-2'],
  ],
  ['LOGISTIC', { orderId: 'SD1', storeOrderNumbers: ['SHOP-1', 'SHOP-2'] }, ['SD1', 'SHOP-1', 'SHOP-2']],
  ['LOGISTICS', { orderId: 'SD1', storeOrderNumbers: 'SHOP-1' }, ['SD1', 'SHOP-1']],
  ['MAKEUP', { orderId: 'BT1', relationOrderId: 'SD1', payOrderId: 'P1', amount: 2 }, ['SD1']],
  ['PRIVATE_ORDER', { orderId: 'SY1', orderNumber: 'STOCK-1' }, []],
  ['STOCK', { '2602020000000000001': [{ vid: '2602020000000000001', storageNum: 3 }] }, []],
  ['PRODUCT', { pid: '1', fields: ['productSellPrice'] }, []],
  ['VARIANT', { vid: '1', variantSellPrice: 4.1 }, []],
  ['SOMETHING_NEW', { orderNumber: 'SHOP-1' }, []],
])('a signed %s of %j is news of %j', async (type, params, references) => {
  expect(await referencesOf(type, params)).toEqual(references);
});

test('an order whose code changes is news under our number and the new code', async () => {
  const body = aMessage(
    'ORDER',
    { orderNumber: 'SHOP-1', cjOrderId: 'SD2' },
    { messageType: 'ORDER_CONNNECTED' },
  );
  await expect(readPush(signed(body), openId)).resolves.toMatchObject({ references: ['SHOP-1', 'SD2'] });
});

test('numbers of 19 digits stay exact', async () => {
  const body = '{"messageId":7,"type":"LOGISTIC","params":{"orderId":2601010000000000123}}';
  await expect(readPush(signed(body), openId)).resolves.toMatchObject({
    messageId: 'LOGISTIC:7',
    references: ['2601010000000000123'],
  });
});

test('a message without an id is known again by its bytes', async () => {
  const idOf = async (orderStatus: string) => {
    const body = JSON.stringify({ type: 'ORDER', params: { orderNumber: 'SHOP-1', orderStatus } });
    const push = await readPush(signed(body), openId);
    return push.kind === 'news' ? push.messageId : push.kind;
  };
  expect(await idOf('SHIPPED')).toBe(await idOf('SHIPPED'));
  expect(await idOf('SHIPPED')).not.toBe(await idOf('DELIVERED'));
  expect(await idOf('SHIPPED')).toMatch(/^ORDER:[0-9a-f]{64}$/);
});

test.each([
  ['CREATED', true],
  ['PAID', false],
  ['CANCELED', false],
])('a signed bill that is %s comes with its order', async (status, isOpen) => {
  const params = { orderId: 'BT1', relationOrderId: 'SD1', payOrderId: 'P1', amount: '2.35', status };
  await expect(readPush(signed(aMessage('MAKEUP', params)), openId)).resolves.toMatchObject({
    references: ['SD1'],
    bill: { id: 'BT1', amountMinor: 235, currency: 'USD', isOpen },
  });
  const unsigned = { headers: {}, body: bytes(aMessage('MAKEUP', params)) };
  await expect(readPush(unsigned, openId)).resolves.toEqual({ kind: 'probe' });
});

test('a bill whose state is not known is mere news, and an amount that cannot be read hides none', async () => {
  const bill = { orderId: 'BT1', relationOrderId: 'SD1' };
  const read = (params: object) => readPush(signed(aMessage('MAKEUP', { ...bill, ...params })), openId);
  expect(await read({ amount: 2, status: 'OTHER' })).not.toHaveProperty('bill');
  expect(await read({ amount: 'two', status: 'CREATED' })).toMatchObject({ bill: { amountMinor: null } });
});
