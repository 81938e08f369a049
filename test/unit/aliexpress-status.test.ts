import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  isCancelled,
  isPaidIn,
  type OrderStage,
  stageOf,
  troubleOf,
} from '../../services/suppliers/aliexpress/order-status.ts';
import { readPush } from '../../services/suppliers/aliexpress/push.ts';
import { OrderBody, type OrderRow } from '../../services/suppliers/aliexpress/responses.ts';

const anOrder = (result: object): OrderRow => OrderBody.parse({ result }).result!;

type Row = readonly [status: string | null, logistics: string | null, stage: OrderStage];

const STAGES: readonly Row[] = [
  ['PLACE_ORDER_SUCCESS', 'NO_LOGISTICS', 'awaiting_payment'],
  ['WAIT_BUYER_PAY', null, 'awaiting_payment'],
  ['RISK_CONTROL', 'WAIT_SELLER_SEND_GOODS', 'processing'],
  ['WAIT_SELLER_SEND_GOODS', 'WAIT_SELLER_SEND_GOODS', 'processing'],
  ['SELLER_PART_SEND_GOODS', 'SELLER_SEND_PART_GOODS', 'processing'],
  ['IN_CANCEL', null, 'processing'],
  ['WAIT_BUYER_ACCEPT_GOODS', 'SELLER_SEND_GOODS', 'shipped'],
  ['WAIT_SELLER_EXAMINE_MONEY', 'BUYER_ACCEPT_GOODS', 'delivered'],
  ['FUND_PROCESSING', 'SELLER_SEND_GOODS', 'moving'],
  ['FUND_PROCESSING', 'WAIT_SELLER_SEND_GOODS', 'processing'],
  ['FUND_PROCESSING', null, 'moving'],
  ['WAIT_SELLER_EXAMINE_MONEY', 'NO_LOGISTICS', 'processing'],
  ['IN_ISSUE', 'SELLER_SEND_GOODS', 'moving'],
  ['IN_FROZEN', 'WAIT_SELLER_SEND_GOODS', 'processing'],
  ['IN_ISSUE', null, null],
  ['ARCHIVE', null, null],
  ['ARCHIVE', 'BUYER_ACCEPT_GOODS', 'delivered'],
  ['FINISH', 'BUYER_ACCEPT_GOODS', 'delivered'],
  ['FINISH', 'NO_LOGISTICS', 'cancelled'],
  ['FINISH', 'SELLER_SEND_GOODS', 'moving'],
  ['FINISH', null, 'moving'],
  ['SOMETHING_NEW', 'SELLER_SEND_GOODS', null],
  [null, null, null],
];

test.each(STAGES)('%s with goods in %s is %s', (order_status, logistics_status, stage) => {
  expect(stageOf(anOrder({ order_status, logistics_status }))).toBe(stage);
});

test.each([
  [['cancel_order_close_trade'], 'cancelled'],
  [['pay_timeout', 'buyer_cancel'], 'cancelled'],
  [['Order cancelled: not paid in time'], 'cancelled'],
  [['seller send goods timeout'], 'cancelled'],
  [['order_expired'], 'cancelled'],
  [['Order expired'], 'cancelled'],
  [['confirmation period expired'], 'delivered'],
  [['buyer protection expired'], 'moving'],
  [['buyer_accept_goods'], 'delivered'],
  [['buyer_confirm_timeout'], 'delivered'],
  [['buyer_cancel', 'buyer_accept_goods'], 'delivered'],
  [['buyer_cancel', null], 'moving'],
  [['something else'], 'moving'],
  [['confirm_payamount_timeout'], 'cancelled'],
  [['seller_accept_issue_no_goods_return'], 'cancelled'],
  [['payment not received'], 'cancelled'],
  [['payment not completed in time'], 'cancelled'],
  [['cancellation accepted by seller'], 'cancelled'],
] as const)('a closed order whose parts ended by %j is %s', (reasons, stage) => {
  const child_order_list = reasons.map((end_reason) => ({ end_reason }));
  const order = anOrder({ order_status: 'FINISH', logistics_status: 'SELLER_SEND_GOODS', child_order_list });
  expect(stageOf(order)).toBe(stage);
  expect(isCancelled(order)).toBe(stage === 'cancelled');
});

test.each(['NO_LOGISTICS', 'WAIT_SELLER_SEND_GOODS'])(
  'a closed order whose goods were never sent (%s) is not delivered, whatever its end claims',
  (logistics_status) => {
    const closedBy = (end_reason: string) =>
      stageOf(anOrder({ order_status: 'FINISH', logistics_status, child_order_list: [{ end_reason }] }));
    expect(closedBy('payment not completed in time')).toBe('cancelled');
    expect(closedBy('something else')).toBe('cancelled');
    expect(closedBy('buyer_accept_goods')).toBe(null);
  },
);

test.each([
  ['no code', null, 'Order cancelled by the buyer', 'cancelled'],
  ['a code that says nothing', '1003', 'Order cancelled by the buyer', 'cancelled'],
  ['a code that says nothing', '1004', 'The buyer has received the goods', 'delivered'],
  ['a code that says it too', 'pay_timeout', 'Order cancelled: not paid in time', 'cancelled'],
  ['a code that says the contrary, so that nobody knows', 'complete', 'Order cancelled', 'moving'],
  ['a receipt of which the money moves', 'buyer_accept_goods', 'Payment was released', 'moving'],
] as const)('the description of an end counts beside %s', (_, end_reason, end_reason_desc, stage) => {
  const child_order_list = { aeop_child_order_info: { end_reason, end_reason_desc } };
  expect(stageOf(anOrder({ order_status: 'FINISH', child_order_list }))).toBe(stage);
});

test.each([
  ['WAIT_BUYER_ACCEPT_GOODS', 'SELLER_SEND_GOODS', [null], undefined],
  ['FINISH', 'BUYER_ACCEPT_GOODS', ['buyer_accept_goods'], undefined],
  ['FINISH', 'NO_LOGISTICS', ['buyer_cancel'], undefined],
  ['FINISH', 'NO_LOGISTICS', ['buyer_accept_goods'], /never sent/],
  ['FINISH', 'BUYER_ACCEPT_GOODS', ['buyer_accept_goods', 'buyer_cancel'], /part/],
  ['IN_ISSUE', 'SELLER_SEND_GOODS', [null], /dispute/],
  ['IN_FROZEN', null, [null], /frozen/],
  ['IN_CANCEL', null, [null], /cancellation/],
  ['SOMETHING_NEW', null, [null], /nobody knows/],
  [null, null, [null], undefined],
] as const)('%s with goods in %s and parts ended by %j has a person see to: %s', (...row) => {
  const [order_status, logistics_status, reasons, cause] = row;
  const child_order_list = reasons.map((end_reason) => ({ end_reason }));
  const trouble = troubleOf(anOrder({ order_status, logistics_status, child_order_list }), 'AE1');
  if (cause === undefined) expect(trouble).toBeNull();
  else
    expect(trouble?.evidence).toEqual({
      supplierReference: 'AE1',
      orderStatus: order_status,
      cause: expect.stringMatching(cause),
    });
});

test('a state that nobody knows is neither paid nor unpaid, an unpaid or cancelled one is not paid', () => {
  expect(isPaidIn(anOrder({ order_status: 'SOMETHING_NEW' }))).toBeNull();
  expect(isPaidIn(anOrder({ order_status: 'RISK_CONTROL' }))).toBe(true);
  expect(isPaidIn(anOrder({ order_status: 'PLACE_ORDER_SUCCESS' }))).toBe(false);
  expect(isPaidIn(anOrder({ order_status: 'FINISH', logistics_status: 'NO_LOGISTICS' }))).toBe(false);
  expect(isPaidIn(anOrder({}))).toBe(false);
});

test.each([
  [null, [null], null],
  [null, ['something else'], null],
  [null, ['buyer_cancel', null], null],
  ['SOMETHING_NEW', [null], null],
  ['NO_LOGISTICS', ['buyer_accept_goods'], null],
  [null, ['buyer_accept_goods'], true],
  [null, ['buyer_cancel'], false],
  ['SELLER_SEND_GOODS', [null], true],
  ['SELLER_SEND_PART_GOODS', [null], true],
] as const)('a closed order with goods in %s and parts ended by %j is paid: %s', (...row) => {
  const [logistics_status, reasons, isPaid] = row;
  const child_order_list = reasons.map((end_reason) => ({ end_reason }));
  expect(isPaidIn(anOrder({ order_status: 'FINISH', logistics_status, child_order_list }))).toBe(isPaid);
});

const APP = { appKey: '500123', appSecret: 'exampleSecret0123456789abcdefABCD' };
const SIGNED = '5282416c5e3e8cc1c778f0f5ce4365afa4cb513953183d9c4f9def54151f73a1';
const BODY =
  '{"data":{"orderId":8190000000000001,"orderStatus":"OrderShipped","buyerId":6000000001},"message_type":53,"seller_id":"6000000001","site":"ae_global","timestamp":1767225600}';
const pushed = (body: string, authorization?: string) =>
  readPush(APP, {
    headers: authorization === undefined ? {} : { authorization },
    body: new TextEncoder().encode(body),
  });

test('a signed push is news about its order, the same for every repetition', () => {
  expect(pushed(BODY, SIGNED)).toEqual({
    kind: 'news',
    messageId: '53:8190000000000001:OrderShipped:1767225600',
    topic: 'order_status',
    references: ['8190000000000001'],
  });
});

test('messages of one order that do not say when are told apart by their bytes', () => {
  const idOf = (tracking: string) => {
    const body = `{"message_type":18,"data":{"orderId":8190000000000001,"tracking":"${tracking}"}}`;
    const key = createHmac('sha256', APP.appSecret).update(APP.appKey).update(body).digest('hex');
    const push = pushed(body, key);
    return push.kind === 'news' ? push.messageId : push.kind;
  };
  expect(idOf('left')).toMatch(/^18:8190000000000001::[0-9a-f]{64}$/);
  expect(idOf('left')).toBe(idOf('left'));
  expect(idOf('left')).not.toBe(idOf('arrived'));
});

test.each(['hello', '[]', '{"message_type":{"of":53}}'])('"%s" that is signed cannot be read', (body) => {
  const key = createHmac('sha256', APP.appSecret).update(APP.appKey).update(body).digest('hex');
  expect(pushed(body, key)).toEqual({ kind: 'unreadable' });
});

test.each([
  ['not signed', BODY, undefined],
  ['signed for another body', `${BODY} `, SIGNED],
  ['a try of the address with a wrong signature', '{"message_type":0}', SIGNED],
  ['no JSON', 'hello', undefined],
])('a push that is %s is forged', (_, body, signature) => {
  expect(pushed(body, signature)).toEqual({ kind: 'forged' });
});

test.each(['{"message_type":0}', '{"seller_id":"6000000001"}', ''])(
  '"%s" is a try of the address',
  (body) => {
    expect(pushed(body)).toEqual({ kind: 'probe' });
  },
);
