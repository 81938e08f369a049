import { expect, test } from 'vitest';
import { shopHoldsIn } from '../../services/shopify/shop-holds.ts';
import { aShopLine, aShopWork, readAnswer } from '../fixtures/shop-answers.ts';

const PICK_UP = { id: 'gid://shopify/FulfillmentOrder/82', method: 'PICK_UP' };

test('what is picked up holds nothing of what is shipped', async () => {
  const work = [aShopWork({ 71: 2 }), aShopWork({ 71: 1, 72: 3 }, PICK_UP)];
  expect(shopHoldsIn(await readAnswer([aShopLine('71'), aShopLine('72')], work))).toEqual([]);
});

test.each(['PICK_UP', 'LOCAL', 'NONE'])(
  'an order of which all is for %s is held as long as it is',
  async (method) => {
    const work = [aShopWork({ 71: 3 }, { ...PICK_UP, method })];
    expect(shopHoldsIn(await readAnswer([aShopLine('71')], work))).toEqual([
      { reason: 'fulfillment_not_ours', evidence: { fulfillmentOrder: PICK_UP.id, heldInShop: method } },
    ]);
  },
);

const BARRED = { status: 'SCHEDULED', actions: ['MARK_AS_OPEN', 'HOLD'] };

test.each(['SCHEDULED', 'INCOMPLETE', 'OPEN'])(
  'nothing is bought while a part of it may not be shipped: %s',
  async (status) => {
    const work = [aShopWork({ 71: 2 }), aShopWork({ 71: 1 }, { ...BARRED, id: PICK_UP.id, status })];
    expect(shopHoldsIn(await readAnswer([aShopLine('71')], work))).toEqual([
      { reason: 'fulfillment_not_ours', evidence: { fulfillmentOrder: PICK_UP.id, heldInShop: status } },
    ]);
  },
);

test('work of others, of an order without an address, or without goods to ship, holds nothing', async () => {
  const goods = [aShopLine('71'), aShopLine('72', { requiresShipping: false })];
  const work = [
    aShopWork({ 71: 2 }),
    aShopWork({ 71: 1 }, { ...BARRED, requestStatus: 'SUBMITTED' }),
    aShopWork({ 72: 3 }, BARRED),
  ];
  expect(shopHoldsIn(await readAnswer(goods, work))).toEqual([]);
  const nowhere = [aShopWork({ 71: 3 }, { method: 'NONE' })];
  expect(shopHoldsIn(await readAnswer(goods, nowhere, { shippingAddress: null }))).toEqual([]);
  const digital = [aShopWork({ 72: 3 }, { method: 'NONE' })];
  expect(shopHoldsIn(await readAnswer(goods.slice(1), digital))).toEqual([]);
});

test('our own hold hides no fulfilment order that is for no carrier', async () => {
  const ours = {
    status: 'ON_HOLD',
    actions: ['RELEASE_HOLD'],
    fulfillmentHolds: [{ id: '1', reason: 'OTHER', handle: 'order-manager', heldByRequestingApp: true }],
  };
  const on = (method: string) => readAnswer([aShopLine('71')], [aShopWork({ 71: 3 }, { ...ours, method })]);
  expect(shopHoldsIn(await on('PICK_UP'))).toMatchObject([{ reason: 'fulfillment_not_ours' }]);
  expect(shopHoldsIn(await on('SHIPPING'))).toEqual([]);
});

test('what the shop calls on hold without a word of whose hold it is, is held here', async () => {
  const held = { status: 'ON_HOLD', actions: ['RELEASE_HOLD'] };
  const work = [aShopWork({ 71: 3 }, held)];
  expect(shopHoldsIn(await readAnswer([aShopLine('71')], work))).toEqual([
    { reason: 'operator', evidence: { fulfillmentOrder: work[0]?.id, heldInShop: 'ON_HOLD' } },
  ]);
});

test('what others hold is held here, in our words', async () => {
  const held = {
    status: 'ON_HOLD',
    actions: ['RELEASE_HOLD'],
    fulfillmentHolds: [{ id: 'gid://shopify/FulfillmentHold/1', reason: 'HIGH_RISK_OF_FRAUD' }],
  };
  expect(shopHoldsIn(await readAnswer([aShopLine('71')], [aShopWork({ 71: 3 }, held)]))).toEqual([
    {
      reason: 'fraud_review',
      evidence: { fulfillmentOrder: 'gid://shopify/FulfillmentOrder/81', heldInShop: 'HIGH_RISK_OF_FRAUD' },
    },
  ]);
});
