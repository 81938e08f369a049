import { expect, test } from 'vitest';
import { SUPPLIER_ORDER_STATES } from '../../contracts/vocabulary.ts';
import { DONE } from '../../services/serve-commands.ts';
import { cancel } from '../../services/suppliers/cancel.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import {
  aDesk,
  boughtUnder,
  callsOf,
  type Desk,
  givenPurchase,
  intentOf,
  moveTo,
  saidTo,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { givenFaults } from '../sandbox/world.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

/** A lamp that stands at the supplier, unpaid, and is being given up. */
async function unwanted(): Promise<{ desk: Desk; purchase: Purchase }> {
  const desk = await aDesk({}, { timing: { processMs: 60_000 } });
  const purchase = await givenPurchase(desk.store);
  await buy(desk.ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'cancelling');
  return { desk, purchase };
}

const paid = async ({ ports, store }: Desk, purchase: Purchase): Promise<void> => {
  await moveTo(store, purchase, 'awaiting_payment');
  await pay(ports, purchase, 'p1');
  await moveTo(store, purchase, 'cancelling');
};

const lastSaid = async ({ store }: Desk, purchase: Purchase) => (await saidTo(store, purchase)).at(-1);

test('an unpaid order is given up at the supplier, and only then is it said', async () => {
  const { desk, purchase } = await unwanted();
  const seen: unknown[] = [];
  const watched = withAdapter(desk.ports, {
    async cancel(key, signal) {
      seen.push((await lastSaid(desk, purchase))?.type);
      return desk.adapter.cancel(key, signal);
    },
  });
  expect(await cancel(watched, purchase, 'c1')).toEqual(DONE);
  expect(seen).toEqual(['placed']);
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'cancel_confirmed' });
  expect(await boughtUnder(desk.world, purchase)).toEqual([]);
});

test('asked again after its answer was lost, the supplier has given it up already', async () => {
  const { desk, purchase } = await unwanted();
  await givenFaults(desk.world, { operation: 'cj.deleteOrder', kind: 'no_answer_after', times: 1 });
  await cancel(desk.ports, purchase, 'c1');
  await cancel(desk.ports, purchase, 'c2');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'cancel_confirmed' });
  expect(await boughtUnder(desk.world, purchase)).toEqual([]);
});

test('a paid order is not given up by a call: it is refused with what a person can do, and nothing is deleted', async () => {
  const { desk, purchase } = await unwanted();
  await paid(desk, purchase);
  await cancel(desk.ports, purchase, 'c1');
  expect(await lastSaid(desk, purchase)).toMatchObject({
    type: 'cancel_refused',
    isPaid: true,
    evidence: { supplierReference: expect.any(String), cause: expect.stringContaining('on its site') },
  });
  expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
});

test('a payment that is on its way is waited for', async () => {
  const { desk, purchase } = await unwanted();
  await moveTo(desk.store, purchase, 'awaiting_payment');
  const during = withAdapter(desk.ports, {
    async pay(reference, signal) {
      await moveTo(desk.store, purchase, 'cancelling');
      expect(await cancel(desk.ports, purchase, 'c1')).toEqual(DONE);
      expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
      return desk.adapter.pay(reference, signal);
    },
  });
  await pay(during, purchase, 'p1');
  await cancel(desk.ports, purchase, 'c2');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'cancel_refused', isPaid: true });
});

test('a payment in doubt that the supplier shows as made is in doubt no more', async () => {
  const { desk, purchase } = await unwanted();
  await paid(desk, purchase);
  await desk.store.run("update purchase_intents set state = 'unknown' where kind = 'pay'");
  await cancel(desk.ports, purchase, 'c1');
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'done' });
});

test('in a state that nobody knows nothing is deleted, and a payment in doubt stays in doubt', async () => {
  const { desk, purchase } = await unwanted();
  await paid(desk, purchase);
  await desk.store.run("update purchase_intents set state = 'unknown' where kind = 'pay'");
  const unclear = withAdapter(desk.ports, {
    status: async (keys) =>
      new Map(
        keys.map(({ supplierReference }) => [supplierReference, { status: null, parcels: [], evidence: {} }]),
      ),
  });
  await cancel(unclear, purchase, 'c1');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'cancel_refused', isPaid: false });
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'unknown' });
  expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
});

test('an order confirmed for a payment that never came cannot be deleted: it is refused, unpaid', async () => {
  const { desk, purchase } = await unwanted();
  const { store, adapter } = desk;
  const [row] = await store.query<{ reference: string }>(
    'select supplier_reference as reference from supplier_orders',
  );
  const key = { supplierReference: row?.reference ?? '', callerRef: purchase.supplierOrderId };
  await adapter.preparePayment(key, AbortSignal.timeout(5_000));
  await cancel(desk.ports, purchase, 'c1');
  expect(await lastSaid(desk, purchase)).toMatchObject({
    type: 'cancel_refused',
    isPaid: false,
    evidence: { failureClass: 'permanent' },
  });
});

test('a supplier without a call for it is not called', async () => {
  const { desk, purchase } = await unwanted();
  const { capabilities } = desk.adapter;
  const ports = withAdapter(desk.ports, { capabilities: { ...capabilities, cancelsBeforePayment: false } });
  await cancel(ports, purchase, 'c1');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'cancel_refused', isPaid: false });
  expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
});

test.each(['transient', 'throttled', 'unknown_outcome'] as const)(
  'a cancel that fails as %s says nothing: its deadline asks again',
  async (failureClass) => {
    const { desk, purchase } = await unwanted();
    const fail = () => Promise.reject(new SupplierError(failureClass, 'not now', {}));
    expect(await cancel(withAdapter(desk.ports, { cancel: fail }), purchase, 'c1')).toEqual(DONE);
    expect(await cancel(withAdapter(desk.ports, { status: fail }), purchase, 'c2')).toEqual(DONE);
    expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'placed' });
  },
);

test.each([
  ['auth', 'credentials_expired'],
  ['account_blocked', 'account_risk'],
] as const)(
  'a supplier that tells nothing for %s keeps a cancel from being asked: a person hears of it',
  async (failureClass, reason) => {
    const { desk, purchase } = await unwanted();
    const status = () => Promise.reject(new SupplierError(failureClass, 'no', { code: 7 }));
    await cancel(withAdapter(desk.ports, { status }), purchase, 'c1');
    expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'withheld', reason, evidence: { code: 7 } });
    expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
  },
);

test('nothing is called while the breaker is open, without credentials, or in any other state', async () => {
  const { desk, purchase } = await unwanted();
  const broken = withAdapter(desk.ports, { breakerState: () => 'open' });
  expect(await cancel(broken, purchase, 'c1')).toMatchObject({ verdict: 'later' });
  await cancel({ ...desk.ports, adapterOf: () => undefined }, purchase, 'c2');
  expect(await lastSaid(desk, purchase)).toMatchObject({ type: 'withheld', reason: 'supplier_paused' });
  for (const state of SUPPLIER_ORDER_STATES.filter((other) => other !== 'cancelling')) {
    await moveTo(desk.store, purchase, state);
    expect(await cancel(desk.ports, purchase, 'c3')).toEqual(DONE);
  }
  expect(await callsOf(desk.world, 'deleteOrder')).toBe(0);
});
