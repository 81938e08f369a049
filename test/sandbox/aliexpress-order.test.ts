import { expect, test } from 'vitest';
import { type AliExpressOrder, journeyOf, statusOf } from '../../deploy/sandbox/aliexpress/order.ts';

const TIMING = { processMs: 10, shipMs: 10, transitMs: 10, deliverMs: 10, lookupBlindMs: 0 };
const PAID_AT = 1_000;

const line = (skuId: string, quantity: number): AliExpressOrder['lines'][number] => ({
  productId: '1',
  skuId,
  title: 'Mug',
  description: '',
  quantity,
  priceMinor: 100,
  shippingMinor: 0,
  taxMinor: 0,
  deliveryCode: 'CAINIAO_STANDARD',
  company: 'Cainiao',
  memo: null,
});

const anOrder = (lines: AliExpressOrder['lines'], parcels: 1 | 2 | null): AliExpressOrder => {
  const order: AliExpressOrder = {
    orderId: '8190000000000001',
    outOrderId: 'N-1',
    createdAt: 0,
    visibleAt: 0,
    payUntil: 500,
    payTimeoutMs: 500,
    payments: [],
    journey: null,
    closed: null,
    shownStatus: null,
    store: { id: '1', name: 'Store' },
    address: {},
    lines,
  };
  if (parcels === null) return order;
  return { ...order, journey: journeyOf(order, { paidAt: PAID_AT, timing: TIMING, parcels }) };
};

test.each([
  [1, PAID_AT, 'RISK_CONTROL'],
  [1, PAID_AT + 10, 'WAIT_SELLER_SEND_GOODS'],
  [1, PAID_AT + 19, 'WAIT_SELLER_SEND_GOODS'],
  [1, PAID_AT + 20, 'WAIT_BUYER_ACCEPT_GOODS'],
  [2, PAID_AT + 14, 'WAIT_SELLER_SEND_GOODS'],
  [2, PAID_AT + 15, 'SELLER_PART_SEND_GOODS'],
  [2, PAID_AT + 20, 'WAIT_BUYER_ACCEPT_GOODS'],
  [2, PAID_AT + 49, 'WAIT_BUYER_ACCEPT_GOODS'],
  [2, PAID_AT + 50, 'FINISH'],
  [null, 499, 'PLACE_ORDER_SUCCESS'],
  [null, 500, 'FINISH'],
] as const)('in %s parcels, at %i it is %s', (parcels, now, status) => {
  expect(statusOf(anOrder([line('a', 2)], parcels), now)).toBe(status);
});

test.each([
  [[line('a', 3)], [[{ skuId: 'a', quantity: 2 }], [{ skuId: 'a', quantity: 1 }]]],
  [
    [line('a', 1), line('b', 3)],
    [
      [
        { skuId: 'a', quantity: 1 },
        { skuId: 'b', quantity: 1 },
      ],
      [{ skuId: 'b', quantity: 2 }],
    ],
  ],
  [[line('a', 1)], [[{ skuId: 'a', quantity: 1 }]]],
])('every piece is in one of the two parcels (%#)', (lines, parcels) => {
  expect(anOrder(lines, 2).journey?.parcels.map(({ items }) => items)).toEqual(parcels);
});
