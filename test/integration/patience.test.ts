import { expect, test } from 'vitest';
import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import { DONE } from '../../services/serve-commands.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { aDesk, boughtUnder, givenPurchase, intentOf, moveTo, verdicts } from '../fixtures/purchase-desk.ts';
import { CREDENTIALS, givenFaults, givenWorld } from '../sandbox/world.ts';

/** Each answer comes in time; three of them one after another take longer than one may. */
const PATIENCE = { ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '3' };
const slow = (operation: string) => ({ operation, kind: 'slow', delayMs: 1_200 });

test('CJ is looked up and paid though each of its answers takes nearly as long as it may', async () => {
  const { world, store, ports } = await aDesk(PATIENCE);
  const purchase = await givenPurchase(store);
  await givenFaults(world, { operation: 'cj.createOrderV2', kind: 'slow', times: 1, delayMs: 4_500 });
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
  await moveTo(store, purchase, 'outcome_unknown');
  await givenFaults(world, slow('cj.*'));
  expect(await lookUp(ports, purchase, 'l1')).toEqual(DONE);
  expect(await verdicts(store, purchase)).toEqual(['placing', 'outcome_unknown', 'placed']);
  await moveTo(store, purchase, 'awaiting_payment');
  expect(await pay(ports, purchase, 'p1')).toEqual(DONE);
  expect(await boughtUnder(world, purchase)).toMatchObject([{ paidCount: 1 }]);
  expect(await intentOf(store, purchase, 'pay')).toMatchObject({ state: 'done' });
});

test.each([{ pays: 'false' }, { pays: 'true' }])(
  'AliExpress is bought from though each of its answers takes nearly as long as it may, with payment at once: $pays',
  async ({ pays }) => {
    const world = await givenWorld();
    const { store, ports } = await aDesk({
      ...PATIENCE,
      ALIEXPRESS_BASE_URL: world.origin,
      ALIEXPRESS_API_KEY: CREDENTIALS.aliexpressAppKey,
      ALIEXPRESS_SECRET: CREDENTIALS.aliexpressAppSecret,
      ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
      ALIEXPRESS_MODE: 'live',
      ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
      ALIEXPRESS_AUTO_PAY: pays,
    });
    const [lamp] = ALIEXPRESS_PRODUCTS;
    const purchase = await givenPurchase(store, {
      supplier: 'aliexpress',
      supplierProductId: lamp?.productId ?? '',
      supplierVariantId: lamp?.skus[0]?.skuId ?? '',
      shippingMethod: 'CAINIAO_STANDARD',
      costMinor: 5_000,
    });
    await givenFaults(world, slow('aliexpress.*'));
    expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
    expect((await verdicts(store, purchase))[1]).toMatch(/placed|accepted/);
  },
);
