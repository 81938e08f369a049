import { expect, test } from 'vitest';
import { shopHoldsIn } from '../../services/shopify/shop-holds.ts';
import { aShopLine, aShopWork, readAnswer } from '../fixtures/shop-answers.ts';

const PICK_UP = { id: 'gid://shopify/FulfillmentOrder/82', method: 'PICK_UP' };

test('what is picked up holds nothing of what is shipped', async () => {
  const work = [aShopWork({ 71: 2 }), aShopWork({ 71: 1, 72: 3 }, PICK_UP)];
  expect(shopHoldsIn(await readAnswer([aShopLine('71'), aShopLine('72')], work))).toEqual([]);
});

test('an order of which all is picked up is held', async () => {
  expect(shopHoldsIn(await readAnswer([aShopLine('71')], [aShopWork({ 71: 3 }, PICK_UP)]))).toMatchObject([
    { reason: 'fulfillment_not_ours', evidence: { fulfillmentOrder: PICK_UP.id } },
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
