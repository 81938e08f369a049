import { expect, test } from 'vitest';
import { deliveryDaysOf } from '../../services/suppliers/cj-dropshipping/freight.ts';
import { amountMinorOf, sdCodeOf } from '../../services/suppliers/cj-dropshipping/orders.ts';
import { VariantData } from '../../services/suppliers/cj-dropshipping/product-responses.ts';
import {
  CreatedData,
  Envelope,
  FreightRow,
  OrderDetail,
  OrderPage,
  OrderRow,
  OrderRows,
  rowsOf,
  TokenData,
} from '../../services/suppliers/cj-dropshipping/responses.ts';
import { parseExactJson } from '../../services/suppliers/loose-json.ts';

test('ids beyond 2^53 stay exact whether they come as numbers or as text', () => {
  const json = '{"orderId":2601010000000000123,"productList":[{"vid":2602020000000000001,"quantity":"2"}]}';
  expect(OrderRow.parse(parseExactJson(json))).toMatchObject({
    orderId: '2601010000000000123',
    productList: [{ vid: '2602020000000000001', quantity: 2 }],
  });
  expect(OrderRow.parse(parseExactJson('{"orderId":"2601010000000000123"}')).orderId).toBe(
    '2601010000000000123',
  );
  expect(OrderRow.parse(parseExactJson('{"orderId":26010100000001}')).orderId).toBe('26010100000001');
});

test('an order row of nulls, blanks and nothing at all is read', () => {
  const empty = OrderRow.parse({});
  expect(
    OrderRow.parse({ orderStatus: '', cjOrderId: null, orderAmount: '', productList: null }),
  ).toMatchObject({
    orderStatus: null,
    cjOrderId: null,
    orderAmount: null,
  });
  expect(sdCodeOf(empty)).toBeNull();
  expect(amountMinorOf(empty)).toBeNull();
});

test('a field of an odd kind hides neither its order nor the others', () => {
  const odd = { orderNum: 'a', orderAmount: {}, trackNumber: ['T1'], trackingUrl: false, createDate: [] };
  const page = { list: [{ ...odd, productList: [null, { vid: 7, quantity: '2' }] }, { orderNum: 'b' }] };
  expect(OrderPage.parse(page).list).toMatchObject([
    { orderNum: 'a', orderAmount: null, trackNumber: null, productList: [{ vid: '7', quantity: 2 }] },
    { orderNum: 'b', productList: [] },
  ]);
  expect(OrderRow.parse({ orderNum: 'a', productList: '' }).productList).toEqual([]);
});

test.each([
  [null],
  [undefined],
  [''],
  [[]],
  [{}],
  [{ orderId: null, orderNum: '', orderStatus: ' ', productList: [] }],
])('the detail %j shows no order', (data) => {
  expect(OrderDetail.parse(data) ?? null).toBeNull();
});

test('a detail that says anything is an order, though its number is not there yet', () => {
  expect(OrderDetail.parse({ orderNum: null, orderStatus: 'CREATED' })).toMatchObject({ orderNum: null });
});

test('only the SD code counts as the supplier’s reference', () => {
  const row = OrderRow.parse({
    orderId: 26010100000001,
    orderNum: 'sup_ord_1',
    cjOrderId: null,
    cjOrderCode: 'SD26-1',
  });
  expect(sdCodeOf(row)).toBe('SD26-1');
  expect(sdCodeOf(OrderRow.parse({ cjOrderId: 26010100000001 }))).toBeNull();
  expect(sdCodeOf(OrderRow.parse({ orderId: 'SD26', cjOrderId: null }))).toBe('SD26');
  expect(sdCodeOf(OrderRow.parse({ orderId: 'SD27', cjOrderCode: 'SD26' }))).toBe('SD26');
});

test('amounts are dollars as numbers or text, and the total of a new order is the sum of its parts', () => {
  const amountOf = (data: object) => amountMinorOf(CreatedData.parse(data));
  expect(amountOf({ orderAmount: 12.345 })).toBe(1235);
  expect(amountOf({ orderAmount: '12.30', productAmount: 1, postageAmount: 1 })).toBe(1230);
  expect(amountOf({ orderAmount: null, productAmount: '8.20', postageAmount: 6.1 })).toBe(1430);
  expect(amountOf({ orderAmount: null, productAmount: 8.2, postageAmount: null })).toBeNull();
  expect(amountOf({ orderAmount: 'n/a' })).toBeNull();
  expect(amountOf({ orderAmount: 0, productAmount: '8.20', postageAmount: 6.1 })).toBe(1430);
  expect(amountOf({ orderAmount: '0.00' })).toBeNull();
  expect(amountOf({ orderAmount: 0, productAmount: 0, postageAmount: 0 })).toBeNull();
});

test('of a price range the upper end counts', () => {
  const priceOf = (variantSellPrice: unknown) => VariantData.parse({ variantSellPrice }).variantSellPrice;
  expect(priceOf('15.16 -- 15.17')).toBe(15.17);
  expect(priceOf('15.16')).toBe(15.16);
  expect(priceOf(null)).toBeNull();
  expect(priceOf('free')).toBeNull();
});

test('the envelope’s code may be text, and an answer without a code is none', () => {
  expect(Envelope.parse({ code: '1600200', result: false, message: null, requestId: 7 })).toMatchObject({
    code: 1600200,
    message: null,
    requestId: '7',
  });
  expect(Envelope.parse({ code: 200, message: { en: 'fine' }, requestId: [] })).toMatchObject({
    code: 200,
    message: null,
    requestId: null,
  });
  expect(Envelope.parse({ code: '200', result: 'true' }).result).toBe(true);
  expect(Envelope.parse({ code: 200, result: 'false' }).result).toBe(false);
  expect(Envelope.safeParse({ code: 200, result: 'perhaps' }).success).toBe(false);
  expect(Envelope.safeParse({ error: 'nope' }).success).toBe(false);
  expect(Envelope.safeParse([]).success).toBe(false);
});

test('token dates keep their instant and the account number its digits', () => {
  const json = `{"openId":98765432109876543210,"accessToken":"a","accessTokenExpiryDate":"2027-01-20T10:00:00+08:00",
    "refreshToken":"r","refreshTokenExpiryDate":"2027-07-04T10:00:00+08:00","createDate":null}`;
  expect(TokenData.parse(parseExactJson(json))).toEqual({
    openId: '98765432109876543210',
    accessToken: 'a',
    accessTokenExpiryDate: '2027-01-20T02:00:00.000Z',
    refreshToken: 'r',
    refreshTokenExpiryDate: '2027-07-04T02:00:00.000Z',
  });
  expect(TokenData.safeParse({ accessToken: 'a' }).success).toBe(false);
});

test('lists may be null and hold nulls', () => {
  expect(rowsOf(FreightRow).parse(null)).toEqual([]);
  expect(rowsOf(FreightRow).parse([null, { logisticName: 'A' }])).toHaveLength(1);
  expect(OrderPage.parse(null)).toEqual({ list: [], total: null });
  expect(OrderPage.parse({ list: null, total: '3' })).toEqual({ list: [], total: 3 });
  expect(OrderPage.parse({ list: [{ orderNum: 1 }] })).toMatchObject({ list: [{ orderNum: '1' }] });
  for (const batch of [[{ orderNum: 1 }], { list: [{ orderNum: 1 }] }])
    expect(OrderRows.parse(batch)).toMatchObject([{ orderNum: '1' }]);
  expect(OrderRows.parse(null)).toEqual([]);
});

test('the name of a carrier is kept as CJ writes it, for it must be sent back so; a blank one is none', () => {
  const nameOf = (logisticName: unknown) => FreightRow.parse({ logisticName }).logisticName;
  expect(nameOf(' CJPacket  Ordinary ')).toBe(' CJPacket  Ordinary ');
  for (const none of ['', ' ', null, undefined]) expect(nameOf(none)).toBeNull();
});

test.each([
  ['7-12', { min: 7, max: 12 }],
  ['7', { min: 7, max: 7 }],
  ['7 - 12 days', { min: 7, max: 12 }],
  ['soon', null],
  [null, null],
])('the delivery time "%s" is read', (aging, days) => {
  expect(deliveryDaysOf(aging)).toEqual(days);
});

test.each([
  ['2027-01-05 01:16:33', '2027-01-05T01:16:33.000Z'],
  ['2027-01-05T09:16:33+08:00', '2027-01-05T01:16:33.000Z'],
  [1799111793000, '2027-01-05T01:16:33.000Z'],
  ['1799111793000', '2027-01-05T01:16:33.000Z'],
  ['yesterday', null],
  ['', null],
  [null, null],
])('the date %j of an order is read as UTC', (createDate, instant) => {
  expect(OrderRow.parse({ createDate }).createDate).toBe(instant);
});
