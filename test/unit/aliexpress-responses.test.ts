import { expect, test } from 'vitest';
import { readEnvelope } from '../../services/suppliers/aliexpress/envelope.ts';
import { feeMinorOf } from '../../services/suppliers/aliexpress/freight.ts';
import { countryCodeOf } from '../../services/suppliers/aliexpress/product.ts';
import { attributesOf, skuOf } from '../../services/suppliers/aliexpress/products.ts';
import {
  CreatedBody,
  FreightBody,
  itemsOf,
  OrderBody,
  ProductBody,
  SkuRow,
  TrackingBody,
} from '../../services/suppliers/aliexpress/responses.ts';
import { parseExactJson } from '../../services/suppliers/loose-json.ts';

const option = { code: 'CAINIAO_STANDARD', min_delivery_days: 8 };

test.each([
  [{ delivery_option_d_t_o: [option] }, [option]],
  [[option], [option]],
  [{ delivery_option_d_t_o: option }, [option]],
  [option, [option]],
  [{ number: 8190000000000001 }, [8190000000000001]],
  [{ number: [1, '2'] }, [1, '2']],
  [{ some_new_holder: [option] }, [option]],
  [8190000000000001, [8190000000000001]],
  [{ delivery_option_d_t_o: {} }, []],
  [{}, []],
  ['', []],
  [null, []],
  [undefined, []],
])('the list %j has the entries %j', (value, items) => {
  expect(itemsOf(value)).toEqual(items);
});

test('lists that are left out are empty, and fields that are left out are null', () => {
  expect(OrderBody.parse({ result: { order_status: 'RISK_CONTROL' } }).result).toMatchObject({
    order_status: 'RISK_CONTROL',
    logistics_status: null,
    child_order_list: [],
    logistics_info_list: [],
  });
  expect(ProductBody.parse({}).result).toBeUndefined();
  expect(FreightBody.parse({ result: {} }).result?.delivery_options).toEqual([]);
  expect(TrackingBody.parse({ result: { data: null } }).result?.data).toBeNull();
});

test('what is empty in another way than its kind is left out, and hides nothing beside it', () => {
  const nothing = {};
  const order = OrderBody.parse({
    result: {
      order_status: 'WAIT_BUYER_ACCEPT_GOODS',
      logistics_status: nothing,
      gmt_create: [],
      pay_timeout_second: nothing,
      order_amount: { amount: '4.89', currency_code: nothing },
      child_order_list: { aeop_child_order_info: { sku_id: 1, product_count: 2, end_reason: nothing } },
      logistics_info_list: [{ logistics_no: 'AP1', logistics_service: nothing }],
    },
  }).result;
  expect(order).toMatchObject({
    order_status: 'WAIT_BUYER_ACCEPT_GOODS',
    logistics_status: null,
    order_amount: { amount: 4.89, currency_code: null },
    child_order_list: [{ sku_id: '1', product_count: 2, end_reason: null }],
    logistics_info_list: [{ logistics_no: 'AP1', logistics_service: null }],
  });
  const detail = { mail_no: 'AP1', carrier_name: nothing, detail_node_list: [{ tracking_name: nothing }] };
  const { data } =
    TrackingBody.parse({ result: { data: { tracking_detail_line_list: detail } } }).result ?? {};
  expect(data?.tracking_detail_line_list).toMatchObject([{ mail_no: 'AP1', carrier_name: null }]);
  const sku = { sku_id: 1, offer_sale_price: '2.90', ipm_sku_stock: nothing, sku_attr: nothing };
  const product = { ae_item_sku_info_dtos: [sku], ae_multimedia_info_dto: { image_urls: nothing } };
  expect(ProductBody.parse({ result: product }).result?.ae_item_sku_info_dtos).toMatchObject([
    { sku_id: '1' },
  ]);
  const option = {
    code: 'A',
    shipping_fee_cent: '1.99',
    guaranteed_delivery_days: nothing,
    ship_from_country: [],
  };
  expect(FreightBody.parse({ result: { delivery_options: option } }).result?.delivery_options).toMatchObject([
    { code: 'A', shipping_fee_cent: 1.99, guaranteed_delivery_days: null },
  ]);
});

test('a price of an odd kind is not taken for none', () => {
  for (const shipping_fee_cent of [{ amount: 2 }, ['2']])
    expect(
      FreightBody.safeParse({ result: { delivery_options: [{ code: 'A', shipping_fee_cent }] } }).success,
    ).toBe(false);
});

test.each([[null], [''], [[]]])('the empty result %j says nothing', (result) => {
  for (const body of [ProductBody, FreightBody, OrderBody, TrackingBody])
    expect(body.parse({ result }).result ?? null).toBeNull();
  expect(OrderBody.parse({ result: { order_amount: result } }).result?.order_amount ?? null).toBeNull();
  expect(TrackingBody.parse({ result: { data: result } }).result?.data ?? null).toBeNull();
});

test.each(['12000031234567891', '"12000031234567891"'])('the SKU id %s stays exact', (id) => {
  const body = parseExactJson(`{"result":{"ae_item_sku_info_dtos":[{"sku_id":${id},"sku_attr":""}]}}`);
  const [sku] = ProductBody.parse(body).result?.ae_item_sku_info_dtos ?? [];
  expect(sku).toMatchObject({ sku_id: '12000031234567891', sku_attr: null });
});

test('what an order sends back is kept as AliExpress writes it, blanks at its ends too; a blank one is none', () => {
  const attributes = (sku_attr: unknown, id?: unknown) => attributesOf(SkuRow.parse({ sku_attr, id }));
  expect(attributes('14:193#Black ')).toBe('14:193#Black ');
  expect(attributes('', '14:193#Black ')).toBe('14:193#Black ');
  const codeOf = (code: unknown) => FreightBody.parse({ result: { delivery_options: [{ code }] } });
  expect(codeOf('CAINIAO STANDARD ').result?.delivery_options[0]?.code).toBe('CAINIAO STANDARD ');
  for (const none of ['', ' ', null, undefined]) {
    expect(attributes(none)).toBe('');
    expect(codeOf(none).result?.delivery_options[0]?.code).toBeNull();
  }
});

test.each([
  ['{"number":[8190000000000001,8190000000000003]}', ['8190000000000001', '8190000000000003']],
  ['{"number":8190000000000001}', ['8190000000000001']],
  ['["8190000000000001"]', ['8190000000000001']],
  ['8190000000000001', ['8190000000000001']],
  ['["8190000000000001",{"odd":1},"[object Object]",null]', ['8190000000000001']],
  // An id for each article, though they go into one order.
  [
    '{"number":[8190000000000001,"8190000000000001",8190000000000003]}',
    ['8190000000000001', '8190000000000003'],
  ],
  ['"created"', []],
  ['{}', []],
])('the created orders %s are %j', (list, ids) => {
  expect(CreatedBody.parse(parseExactJson(`{"result":{"order_list":${list}}}`)).result.order_list).toEqual(
    ids,
  );
});

const refusalOf = (json: unknown, httpStatus = 200) => {
  const answer = readEnvelope(httpStatus, json);
  return answer !== null && 'refusal' in answer ? answer.refusal : null;
};
const bodyOf = (json: unknown) => {
  const answer = readEnvelope(200, json);
  return answer !== null && 'body' in answer ? answer.body : null;
};

test.each([
  { aliexpress_ds_trade_order_get_response: { rsp_code: '200', result: { order_status: 'FINISH' } } },
  { any_name_response: { rsp_code: 200, result: { order_status: 'FINISH' } } },
  { rsp_code: 200, result: { order_status: 'FINISH' } },
])('the body is found under whatever name, and without one', (json) => {
  expect(bodyOf(json)).toMatchObject({ result: { order_status: 'FINISH' } });
});

test.each([
  { code: '00', data: { totalCount: 1 } },
  { code: '0', access_token: 'x' },
  { x_response: { result: { success: true, code: 200 } } },
  { x_response: { result: { ret: 'true', code: '0', msg: 'success' } } },
  { x_response: {} },
])('%j is a success', (json) => {
  expect(bodyOf(json)).not.toBeNull();
});

test('an order that exists unpaid is a success, whatever code comes with it', () => {
  const unpaid = { error_code: 'X', error_msg: 'OrderCreated, autoPay fail:APIPayFail' };
  for (const is_success of [true, false]) {
    const result = { is_success, order_list: { number: [8190000000000002] }, ...unpaid };
    expect(bodyOf({ aliexpress_ds_order_create_response: { result } })).toMatchObject({ result: unpaid });
  }
});

test.each([[''], [null], [[null]], [{ number: [0] }], ['none']])(
  'a refusal with the order list %j stays one: no order is named',
  (order_list) => {
    const result = { is_success: false, error_code: 'SKU_NOT_EXIST', order_list };
    expect(refusalOf({ x_response: { result } })).toMatchObject({ codes: ['SKU_NOT_EXIST'] });
  },
);

test.each([
  [
    { error_response: { type: 'ISV', code: 'IllegalAccessToken', msg: 'no', request_id: 'r' } },
    ['IllegalAccessToken'],
    'no',
  ],
  [
    { error_response: { code: 15, msg: 'Remote service error', sub_code: 'isv.x', sub_msg: 'why' } },
    ['isv.x', '15'],
    'why; Remote service error',
  ],
  [{ type: 'ISV', code: 'InvalidCode', message: 'used' }, ['InvalidCode'], 'used'],
  [
    { x_response: { result: { is_success: false, error_code: 'SKU_NOT_EXIST', error_msg: 'no SKU' } } },
    ['SKU_NOT_EXIST'],
    'no SKU',
  ],
  [{ x_response: { rsp_code: 404, rsp_msg: 'ITEM_ID_NOT_FOUND' } }, ['404'], 'ITEM_ID_NOT_FOUND'],
  [{ x_response: { result: { ret: false, code: '1001', msg: 'none' } } }, ['1001'], 'none'],
  [{ x_response: { result: { success: 'false', code: 200, msg: 'no way' } } }, [], 'no way'],
  [{ code: 'EXCEPTION_TEXT_SEARCH_FOR_DS', msg: 'oops' }, ['EXCEPTION_TEXT_SEARCH_FOR_DS'], 'oops'],
])('%j is a refusal', (json, codes, message) => {
  expect(refusalOf(json)).toEqual({ httpStatus: 200, codes, message });
});

test.each([[], 'text', null, 5, {}, { something: 'else' }])('%j is no answer of AliExpress', (json) => {
  expect(readEnvelope(200, json)).toBeNull();
});

test('a success under a bad status is a refusal', () => {
  expect(refusalOf({ x_response: { result: {} } }, 500)).toMatchObject({ httpStatus: 500 });
});

const fee = (row: object): number | null => {
  const [parsed] =
    FreightBody.parse({ result: { delivery_options: [{ code: 'X', ...row }] } }).result?.delivery_options ??
    [];
  return parsed === undefined ? null : feeMinorOf(parsed, 1_000);
};

test.each([
  ['is in dollars although it is named for cents', { shipping_fee_cent: '1.99', free_shipping: false }, 199],
  ['may be a number', { shipping_fee_cent: 12 }, 1_200],
  ['is nothing when it is left out', {}, 0],
  ['is nothing when shipping is free', { free_shipping: true, shipping_fee_cent: '1.99' }, 0],
  [
    'is due below the amount from which shipping is free',
    { free_shipping: true, mayHavePFS: true, free_shipping_threshold: '10.01', shipping_fee_cent: '1.99' },
    199,
  ],
  [
    'is nothing from that amount on',
    { free_shipping: true, mayHavePFS: true, free_shipping_threshold: '10.00', shipping_fee_cent: '1.99' },
    0,
  ],
  ['is unknown when it is neither free nor named', { free_shipping: false }, null],
  ['is unknown below an amount that nobody names', { free_shipping: true, mayHavePFS: true }, null],
])('a shipping fee %s', (_, row, minor) => {
  expect(fee(row)).toBe(minor);
});

test.each([
  [{ sku_attr: '14:193#Black', id: '14:193#Black' }, '14:193#Black'],
  [{ id: '14:193#Black' }, '14:193#Black'],
  [{ sku_attr: '', id: '<none>' }, ''],
  [{}, ''],
])('an order names the SKU %j by "%s"', (sku, attributes) => {
  expect(attributesOf(SkuRow.parse(sku))).toBe(attributes);
});

test.each([
  ['12000031234567891', 'Black'],
  ['14:193#Black;5:100#M', 'Black'],
  ['14:193#Schwarz;5:100', 'Black'],
  ['14:10#Red;5:100#M', 'Red'],
])('the variant %s of a mapping is the %s one', (supplierVariantId, colour) => {
  const skus = [
    { sku_id: '12000031234567893', sku_attr: '14:10#Red;5:100#M' },
    { sku_id: '12000031234567891', sku_attr: '14:193#Black;5:100#M' },
  ].map((sku) => SkuRow.parse(sku));
  const product = { id: '1005', row: ProductBody.parse({ result: {} }).result!, skus, seller: 's' };
  const article = { supplierProductId: '1005', supplierVariantId, units: 1 };
  expect(skuOf(product, article).sku_attr).toContain(colour);
  expect(() => skuOf(product, { ...article, supplierVariantId: '14:11' })).toThrow(/no variant/);
});

test.each([
  ['China', 'CN'],
  ['united states', 'US'],
  ['United Kingdom', 'GB'],
  ['UK', 'GB'],
  ['France', 'FR'],
  ['Russia', 'RU'],
  ['CN', 'CN'],
  ['Overseas', null],
  [null, null],
])('goods sent from "%s" come from %s', (text, code) => {
  expect(countryCodeOf(text)).toBe(code);
});
