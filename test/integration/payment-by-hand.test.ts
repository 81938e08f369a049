import { expect, onTestFinished, test } from 'vitest';
import type { ObservedStatus, PaymentDue } from '../../services/suppliers/adapter.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { startWatch } from '../../services/suppliers/watch.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  callsOf,
  type Desk,
  givenPurchase,
  holdOf,
  intentOf,
  LAMP_COST_MINOR,
  moveTo,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const due: PaymentDue = { state: 'due', amountMinor: LAMP_COST_MINOR, currency: 'USD', balanceMinor: null };

async function placed(desk: Desk) {
  const purchase = await givenPurchase(desk.store, { isWatched: true });
  await buy(desk.ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'awaiting_payment');
  return purchase;
}

const byHand = (desk: Desk, change: Partial<PaymentDue> = {}) =>
  withAdapter(desk.ports, {
    capabilities: { ...desk.adapter.capabilities, payment: 'by_hand' },
    preparePayment: async () => ({ ...due, ...change }),
  });

test('where no call pays, a person is told what to pay, where and until when', async () => {
  const desk = await aDesk();
  const purchase = await placed(desk);
  await pay(byHand(desk, { payUntil: '2027-01-02T03:04:05.000Z' }), purchase, 'p1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    type: 'withheld',
    reason: 'payment_pending',
    evidence: {
      cause: 'pay by hand at the supplier until 2027-01-02T03:04:05.000Z',
      amountMinor: LAMP_COST_MINOR,
      currency: 'USD',
    },
  });
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
});

test('a supplier that says how long an order may stay unpaid, and not from when, is quoted so', async () => {
  const desk = await aDesk();
  const purchase = await placed(desk);
  await pay(byHand(desk, { payWithinSeconds: 1_036_800 }), purchase, 'p1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    reason: 'payment_pending',
    evidence: { cause: 'pay by hand at the supplier', payWithinSeconds: 1_036_800 },
  });
});

test('where the purchase pays itself it is accepted at once, or refused before it is sent when the price rose', async () => {
  const desk = await aDesk();
  const capabilities = { ...desk.adapter.capabilities, payment: 'with_order' as const };
  const order = { supplierReference: 'AE1', amountMinor: LAMP_COST_MINOR, currency: 'USD', isPaid: true };
  const paid = await givenPurchase(desk.store);
  await buy(withAdapter(desk.ports, { capabilities, place: async () => order }), paid, 'b1');
  expect(await verdicts(desk.store, paid)).toEqual(['placing', 'accepted']);

  const dear = await givenPurchase(desk.store, { number: 2 });
  const tooDear = withAdapter(desk.ports, {
    capabilities,
    place: async ({ ceilingMinor }) => {
      throw new SupplierError('price_changed', 'too dear', { ceilingMinor, sent: false });
    },
  });
  await buy(tooDear, dear, 'b1');
  expect((await saidTo(desk.store, dear)).at(-1)).toMatchObject({
    type: 'rejected',
    failureClass: 'price_changed',
  });

  const unpaid = await givenPurchase(desk.store, { number: 3, state: 'awaiting_payment', reference: 'AE3' });
  await pay(withAdapter(desk.ports, { capabilities, preparePayment: async () => due }), unpaid, 'p1');
  expect(await verdicts(desk.store, unpaid)).toEqual(['withheld payment_pending']);
});

test.each([
  ['too dear', { amountMinor: LAMP_COST_MINOR * 2 }, 'withheld cost_above_cap'],
  ['paid already', { state: 'paid' as const }, 'accepted'],
  ['closed unpaid', { state: 'cancelled' as const }, 'observed'],
])('an order that is %s needs no payment by hand', async (_name, change, said) => {
  const desk = await aDesk();
  const purchase = await placed(desk);
  await pay(byHand(desk, change), purchase, 'p1');
  expect((await verdicts(desk.store, purchase))[2]).toBe(said);
});

test.each([
  ['paid', 'accepted'],
  ['cancelled', 'observed'],
] as const)(
  'where a payment that was held is asked for once more and found %s, nobody is to pay it any more',
  async (state, said) => {
    const desk = await aDesk();
    const purchase = await placed(desk);
    await pay(byHand(desk), purchase, 'p1');
    await desk.store.run(
      `insert into holds (id, order_id, supplier_order_id, reason, evidence, opened_at)
       values ($1, $2, $3, 'payment_pending', '{}', now())`,
      [holdOf(purchase, 'payment_pending'), purchase.orderId, purchase.supplierOrderId],
    );
    await pay(byHand(desk, { state }), purchase, 'p2');
    expect((await verdicts(desk.store, purchase)).slice(3)).toEqual([
      said,
      'order.release_requested payment_pending',
    ]);
  },
);

test('a balance below the amount holds the payment without calling; a sufficient one pays', async () => {
  const desk = await aDesk();
  const purchase = await placed(desk);
  const short = withAdapter(desk.ports, {
    preparePayment: async () => ({ ...due, balanceMinor: LAMP_COST_MINOR - 1 }),
  });
  await pay(short, purchase, 'p1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    reason: 'insufficient_funds',
    evidence: { balanceMinor: LAMP_COST_MINOR - 1, amountMinor: LAMP_COST_MINOR, currency: 'USD' },
  });
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
  expect(await intentOf(desk.store, purchase, 'pay')).toBeUndefined();
  const [account] = await desk.store.query(
    'select balance_minor::int as minor, balance_currency as currency from supplier_accounts',
  );
  expect(account).toEqual({ minor: LAMP_COST_MINOR - 1, currency: 'USD' });

  await pay(desk.ports, purchase, 'p2');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('accepted');
});

test('once the supplier shows it paid, the order goes on by itself and the wait for the payment is over', async () => {
  const desk = await aDesk({ ORDER_MANAGER_POLL_SECONDS: '0.2' });
  const purchase = await placed(desk);
  let status: ObservedStatus['status'] = 'awaiting_payment';
  const ports = withAdapter(desk.ports, {
    status: async (keys) =>
      new Map(
        keys.map(({ supplierReference }) => [supplierReference, { status, parcels: [], evidence: {} }]),
      ),
  });
  const watch = startWatch(ports, ports.adapterOf('cj_dropshipping') ?? desk.adapter);
  onTestFinished(() => watch.stop());
  const after = async () => (await saidTo(desk.store, purchase)).slice(2);
  await eventually(async () => expect(await after()).toMatchObject([{ status: 'awaiting_payment' }]));
  status = 'processing';
  await eventually(async () =>
    expect((await after()).slice(1)).toMatchObject([
      { status: 'processing' },
      { reason: 'payment_pending', holdId: holdOf(purchase, 'payment_pending') },
      { reason: 'insufficient_funds', holdId: holdOf(purchase, 'insufficient_funds') },
      { reason: 'cost_above_cap', holdId: holdOf(purchase, 'cost_above_cap') },
      { reason: 'outcome_unknown', holdId: holdOf(purchase, 'outcome_unknown') },
    ]),
  );
});
