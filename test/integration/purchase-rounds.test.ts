import { expect, test } from 'vitest';
import { claim } from '../../services/suppliers/claim.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { hashOf } from '../../services/suppliers/place-request.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { readPurchase } from '../../services/suppliers/purchase-row.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  type Copy,
  callsOf,
  givenHold,
  givenPurchase,
  intentOf,
  LAMP_COST_MINOR,
  moveTo,
  placeRequestOf,
  rowOf,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const drafts = ({ store }: Copy, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => givenPurchase(store, { number: index + 1 })));

async function claimOf(copy: Copy, supplierOrderId: string) {
  const row = await readPurchase(copy.store, supplierOrderId);
  if (row === undefined) throw new Error('no such purchase');
  const requestHash = hashOf(await placeRequestOf(copy, supplierOrderId));
  return { row, deed: 'create' as const, commandId: 'c1', requestHash, costMinor: row.expectedCostMinor };
}

test('of two purchases of one round one gets the last of the day’s money and the other is held', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: '20.00' });
  const claims = await Promise.all(
    (await drafts(desk, 2)).map(({ supplierOrderId }) => claimOf(desk, supplierOrderId)),
  );
  const answers = await Promise.all(claims.map((each) => claim(desk.ports, each)));
  expect(answers).toEqual([
    { may: 'call', attempt: 1 },
    expect.objectContaining({
      may: 'not',
      reason: 'daily_cap_reached',
      evidence: expect.objectContaining({ spentMinor: LAMP_COST_MINOR }),
    }),
  ]);
});

test('of two claims of one purchase in one round one may call', async () => {
  const desk = await aDesk();
  const [purchase] = await drafts(desk, 1);
  const wish = await claimOf(desk, purchase?.supplierOrderId ?? '');
  const answers = await Promise.all([
    claim(desk.ports, wish),
    claim(desk.ports, { ...wish, commandId: 'c2' }),
  ]);
  expect(answers).toEqual([{ may: 'call', attempt: 1 }, { may: 'wait' }]);
});

test('in one round each purchase is judged by itself: held, changed since, or free to be bought', async () => {
  const desk = await aDesk();
  const [held, changed, free] = await drafts(desk, 3);
  if (held === undefined || changed === undefined || free === undefined) throw new Error('three were made');
  const claims = await Promise.all(
    [held, changed, free].map(({ supplierOrderId }) => claimOf(desk, supplierOrderId)),
  );
  await givenHold(desk.store, held);
  await desk.store.run(
    `update customer_details set shipping_address = shipping_address || '{"city": "Elsewhere"}' where order_id = $1`,
    [changed.orderId],
  );
  const answers = await Promise.all(claims.map((each) => claim(desk.ports, each)));
  expect(answers.map(({ may }) => may)).toEqual(['wait', 'wait', 'call']);
  expect(await Promise.all([held, changed, free].map((each) => rowOf(desk.store, each)))).toMatchObject([
    { state: 'draft' },
    { state: 'draft' },
    { state: 'placing' },
  ]);
});

test('a purchase that breaks its round fails alone', async () => {
  const desk = await aDesk();
  const purchases = await drafts(desk, 3);
  const claims = await Promise.all(purchases.map(({ supplierOrderId }) => claimOf(desk, supplierOrderId)));
  const results = await Promise.allSettled(
    claims.map((each, index) => claim(desk.ports, index === 1 ? { ...each, costMinor: 0.5 } : each)),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const rows = await Promise.all(purchases.map((purchase) => rowOf(desk.store, purchase)));
  expect(rows.map((row) => row?.state)).toEqual(['placing', 'draft', 'placing']);
});

test('a process that dies between the round and its calls leaves each of its purchases to be looked up', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.5' });
  const purchases = await drafts(desk, 3);
  // A dead process neither calls nor records.
  const dead = withAdapter(desk.ports, { place: () => new Promise(() => {}) });
  for (const purchase of purchases) void buy(dead, purchase, 'c1');
  await eventually(async () => {
    const rows = await Promise.all(purchases.map((purchase) => rowOf(desk.store, purchase)));
    expect(rows.map((row) => row?.state)).toEqual(['placing', 'placing', 'placing']);
  });
  for (const purchase of purchases) {
    expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'calling', attempt: 1 });
    expect(await verdicts(desk.store, purchase)).toEqual(['placing']);
    // The deadline of placing.
    await moveTo(desk.store, purchase, 'outcome_unknown');
  }
  const { ports, store } = await desk.copy();
  await Promise.all(
    purchases.map((purchase) =>
      eventually(async () => {
        await lookUp(ports, purchase, 'c2');
        expect((await intentOf(store, purchase))?.lookUps).toBeGreaterThan(0);
      }),
    ),
  );
  expect(await callsOf(desk.world, 'createOrderV2')).toBe(0);
});
