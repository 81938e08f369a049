import { expect, test } from 'vitest';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { adoptNamed } from '../../services/suppliers/settle-doubt.ts';
import { keepStrays } from '../../services/suppliers/stray-orders.ts';
import {
  aDesk,
  boughtUnder,
  type Desk,
  foundOrder,
  givenPurchase,
  moveTo,
  placeRequestOf,
  rowOf,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { control, givenFaults } from '../sandbox/world.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

const never = new AbortController().signal;
const HELD = { type: 'placed', heldBack: expect.stringContaining('before the order was changed') };

/** Bought, and nobody knows with what end. */
async function inDoubt(desk: Desk, kind: string): Promise<Purchase> {
  const purchase = await givenPurchase(desk.store);
  await givenFaults(desk.world, { operation: 'cj.createOrderV2', kind, times: 1 });
  await buy(desk.ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'outcome_unknown');
  return purchase;
}

/** The customer corrects the address in the shop. */
const move = async ({ store }: Desk, { orderId }: Purchase): Promise<void> => {
  await store.run(
    `update customer_details set shipping_address = jsonb_set(shipping_address, '{city}', '"Elsewhere"')
      where order_id = $1`,
    [orderId],
  );
};

const lastSaid = async ({ store }: Desk, purchase: Purchase) => (await saidTo(store, purchase)).at(-1);

test('an order that was made with the old address is adopted, and held before it is paid', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'error_after');
  await move(desk, purchase);
  await lookUp(desk.ports, purchase, 'l1');
  const [order] = await boughtUnder(desk.world, purchase);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order?.sdCode });
  expect(await lastSaid(desk, purchase)).toMatchObject({ ...HELD, supplierReference: order?.sdCode });
});

test('it stays held when what was said of it got lost and is said again', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'error_after');
  await move(desk, purchase);
  await lookUp(desk.ports, purchase, 'l1');
  await lookUp(desk.ports, purchase, 'l2');
  expect((await verdicts(desk.store, purchase)).slice(2)).toEqual(['placed', 'placed']);
  expect(await lastSaid(desk, purchase)).toMatchObject(HELD);
});

test('of two orders with the old address the one that is kept is held', async () => {
  const desk = await aDesk();
  await control(desk.world, 'PUT', '/settings', { dupMode: 'B' });
  const purchase = await inDoubt(desk, 'error_after');
  await desk.adapter.place(await placeRequestOf(desk, purchase.supplierOrderId), never);
  await move(desk, purchase);
  await lookUp(desk.ports, purchase, 'l1');
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(1);
  expect(await lastSaid(desk, purchase)).toMatchObject(HELD);
});

test('one that is paid already goes on, and the log tells of its address', async () => {
  const desk = await aDesk({}, { timing: { shipMs: 60_000 } });
  const purchase = await inDoubt(desk, 'error_after');
  const [order] = await boughtUnder(desk.world, purchase);
  const supplierReference = order?.sdCode ?? '';
  await desk.adapter.preparePayment({ supplierReference, callerRef: purchase.supplierOrderId }, never);
  await desk.adapter.pay(supplierReference, never);
  await move(desk, purchase);
  await lookUp(desk.ports, purchase, 'l1');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'accepted', supplierReference });
  expect(desk.logLines).toContainEqual(
    expect.objectContaining({ supplierReference, isPaid: true, msg: HELD.heldBack }),
  );
});

test.each(['a push', 'a person'])('an order that %s names is held too', async (who) => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0' });
  const purchase = await inDoubt(desk, 'no_answer_before');
  await move(desk, purchase);
  const order = foundOrder('AE1');
  const capabilities = { ...desk.adapter.capabilities, looksUpByReference: false, repeatableForMs: 60_000 };
  const ports = withAdapter(desk.ports, { capabilities, read: async () => order });
  if (who === 'a push') {
    await keepStrays(desk.store, [{ supplier: 'cj_dropshipping', reference: 'AE1', topic: 'order' }]);
    await lookUp(ports, purchase, 'l1');
  } else {
    await adoptNamed(ports, { supplierOrderId: purchase.supplierOrderId, supplier_reference: 'AE1' });
  }
  expect((await saidTo(desk.store, purchase))[2]).toMatchObject(HELD);
});
