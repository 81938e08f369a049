import { expect, onTestFinished, test } from 'vitest';
import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { keepStrays, startStraySweep } from '../../services/suppliers/stray-orders.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  boughtUnder,
  givenPurchase,
  intentOf,
  moveTo,
  rowOf,
  saidTo,
  verdicts,
} from '../fixtures/purchase-desk.ts';
import { CREDENTIALS, control, givenFaults, ledgerOf } from '../sandbox/world.ts';

test.each([
  ['above the blind time', '2', 'B', 1],
  ['below the blind time, where the supplier refuses a repeated number', '0', 'A', 1],
  ['below the blind time, where it does not', '0', 'B', 2],
])('a window of doubt %s: one payment whatever was created', async (_name, window, dupMode, created) => {
  const desk = await aDesk(
    { ORDER_MANAGER_DOUBT_WINDOW_SECONDS: window },
    { timing: { lookupBlindMs: 1_000, processMs: 600_000 } },
  );
  const { world, store, ports } = desk;
  await control(world, 'PUT', '/settings', { dupMode });
  await givenFaults(world, { operation: 'cj.createOrderV2', kind: 'no_answer_after', times: 1 });
  const purchase = await givenPurchase(store);
  await buy(ports, purchase, 'c0');
  await eventually(async () => {
    const last = (await verdicts(store, purchase)).at(-1);
    // What the order host makes of each answer.
    if (last === 'absent') await moveTo(store, purchase, 'draft');
    if (last === 'outcome_unknown') await moveTo(store, purchase, 'outcome_unknown');
    if (last === 'placed') await moveTo(store, purchase, 'awaiting_payment');
    await buy(ports, purchase, 'c1');
    await lookUp(ports, purchase, 'c2');
    await pay(ports, purchase, 'c3');
    expect((await verdicts(store, purchase)).at(-1)).toBe('accepted');
  });
  const orders = await boughtUnder(world, purchase);
  expect(orders).toHaveLength(created);
  expect(orders.filter(({ paidCount }) => paidCount > 0)).toMatchObject([
    { paidCount: 1, sdCode: (await rowOf(store, purchase))?.reference },
  ]);
  expect(await intentOf(store, purchase, 'pay')).toMatchObject({ state: 'done' });
});

test('a supplier that breaks its word and sells the repetition too: both are found, held, and there is no third', async () => {
  const desk = await aDesk(
    {
      ALIEXPRESS_API_KEY: CREDENTIALS.aliexpressAppKey,
      ALIEXPRESS_SECRET: CREDENTIALS.aliexpressAppSecret,
      ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
      ALIEXPRESS_MODE: 'live',
      ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
      ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '10',
      ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0',
    },
    { timing: { processMs: 600_000 } },
  );
  const { world, store } = desk;
  const { ports } = await desk.copy({ ALIEXPRESS_BASE_URL: world.origin });
  await control(world, 'PUT', '/settings', { aliexpress: { repeatedOrder: 'second' } });
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'no_answer_after', times: 1 });
  const [{ productId, skus } = { productId: '', skus: [] }] = ALIEXPRESS_PRODUCTS;
  const purchase = await givenPurchase(store, {
    supplier: 'aliexpress',
    supplierProductId: productId,
    supplierVariantId: skus[0]?.skuId ?? '',
    shippingMethod: 'CAINIAO_STANDARD',
  });
  await buy(ports, purchase, 'c0');
  await moveTo(store, purchase, 'outcome_unknown');
  await lookUp(ports, purchase, 'c1');
  await moveTo(store, purchase, 'awaiting_payment');
  const [first, second] = await boughtUnder(world, purchase);
  expect(await rowOf(store, purchase)).toMatchObject({ reference: second?.orderId });

  const adapter = ports.adapterOf('aliexpress');
  if (adapter === undefined || first === undefined) throw new Error('there is nothing to look at');
  const sweep = startStraySweep(ports, adapter);
  onTestFinished(() => sweep.stop());
  // What AliExpress pushes about the order that we do not know.
  await keepStrays(store, [{ supplier: 'aliexpress', reference: first.orderId, topic: 'order_status' }]);
  await eventually(async () =>
    expect((await saidTo(store, purchase)).at(-1)).toMatchObject({
      reason: 'duplicate_suspected',
      evidence: { references: `${second?.orderId} ${first.orderId}` },
    }),
  );
  for (const command of ['c2', 'c3', 'c4']) {
    await buy(ports, purchase, command);
    await lookUp(ports, purchase, command);
  }
  expect((await ledgerOf(world)).calls['aliexpress.createOrder']).toBe(2);
  expect((await verdicts(store, purchase)).filter((said) => said.includes('duplicate'))).toHaveLength(1);
});
