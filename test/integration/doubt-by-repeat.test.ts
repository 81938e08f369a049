import { expect, onTestFinished, test } from 'vitest';
import { pausePurchasing } from '../../services/purchasing-switch.ts';
import { DONE } from '../../services/serve-commands.ts';
import type { FoundOrder, PlacedOrder, PlaceRequest } from '../../services/suppliers/adapter.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import type { PatientAdapter } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { keepStrays, startStraySweep } from '../../services/suppliers/stray-orders.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  type Copy,
  type Desk,
  type Environment,
  foundOrder,
  givenPurchase,
  holdOf,
  intentOf,
  moveTo,
  rowOf,
  saidTo,
  verdicts,
  type WantedPurchase,
  withAdapter,
  withCutCommit,
} from '../fixtures/purchase-desk.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;
type Reply = PlacedOrder | SupplierError;

const HOUR_MS = 3_600_000;
const failure = (failureClass: SupplierError['failureClass'], evidence = {}): SupplierError =>
  new SupplierError(failureClass, failureClass, evidence);
const doubt = failure('unknown_outcome');
const order: PlacedOrder = {
  supplierReference: '8190000000000001',
  amountMinor: 1_434,
  currency: 'USD',
  isPaid: false,
};

/** A supplier without look-up, whose create repeats safely, and that answers in this order. Every call is kept. */
function repeating(
  { ports, adapter }: Copy,
  replies: readonly Reply[],
  change: Partial<PatientAdapter> = {},
) {
  const calls: PlaceRequest[] = [];
  const capabilities = { ...adapter.capabilities, looksUpByReference: false, repeatableForMs: HOUR_MS };
  const place = async (request: PlaceRequest): Promise<PlacedOrder> => {
    const reply = replies[calls.push(request) - 1];
    if (reply === undefined) throw new Error('called too often');
    if (reply instanceof SupplierError) throw reply;
    return reply;
  };
  return { ports: withAdapter(ports, { capabilities, place, ...change }), calls };
}

const aQuickDesk = (environment: Environment = {}) =>
  aDesk({ ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0', ...environment });

async function inDoubt(desk: Desk, ports: PurchasePorts, wanted: WantedPurchase = {}): Promise<Purchase> {
  const purchase = await givenPurchase(desk.store, wanted);
  await buy(ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'outcome_unknown');
  return purchase;
}

/** What was said after the doubt. */
const ends = async ({ store }: Desk, purchase: Purchase): Promise<string[]> =>
  (await verdicts(store, purchase)).slice(2);

test('the very same call is sent once more, and the order that it brings is adopted', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order]);
  const purchase = await inDoubt(desk, ports);
  expect(await lookUp(ports, purchase, 'l1')).toEqual(DONE);
  expect(calls).toHaveLength(2);
  expect(calls[1]).toEqual(calls[0]);
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'outcome_unknown', 'placed']);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order.supplierReference });
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
});

test('what nobody wants any more is not sent again, and a person is told to look for it', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order]);
  const purchase = await inDoubt(desk, ports);
  await desk.store.run(
    `update supplier_orders set context = (context::jsonb || '{"unwantedBy":"order"}')::json where id = $1`,
    [purchase.supplierOrderId],
  );
  expect(await lookUp(ports, purchase, 'l1')).toEqual(DONE);
  expect(calls).toHaveLength(1);
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    reason: 'outcome_unknown',
    evidence: { cause: expect.stringContaining('nobody wants it') },
  });
});

test('a right to repeat whose commit is not answered is used', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order]);
  const purchase = await inDoubt(desk, ports);
  const { cut, proxy } = await withCutCommit(ports, desk.connectionString);
  expect(await lookUp(cut, purchase, 'l1')).toEqual(DONE);
  expect([proxy.cuts(), calls.length]).toEqual([1, 2]);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
});

test('ten commands at once over two copies repeat it once', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order]);
  const other = { ...ports, store: (await desk.copy()).store };
  const purchase = await inDoubt(desk, ports);
  await Promise.all(
    Array.from({ length: 10 }, (_, n) => lookUp(n % 2 === 0 ? ports : other, purchase, `l${n}`)),
  );
  expect(calls).toHaveLength(2);
});

test.each([
  ['a second doubt', doubt, 'outcome_unknown'],
  ['"exists already" without saying which', failure('duplicate_reference'), 'duplicate_suspected'],
  ['a refusal, which explains nothing of the first call', failure('unavailable'), 'outcome_unknown'],
  ['a blocked account', failure('account_blocked'), 'account_risk'],
])('%s is held with its evidence, and there is never a third call', async (_name, reply, reason) => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, reply]);
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    reason,
    evidence: { failureClass: reply.failureClass, supplier: 'cj_dropshipping' },
  });
  await lookUp(ports, purchase, 'l2');
  expect(await ends(desk, purchase)).toHaveLength(2);
  expect(calls).toHaveLength(2);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', attempt: 1 });
});

test('a repetition whose process died is not made a third time', async () => {
  const desk = await aQuickDesk();
  const dying = new Error('the process ends here');
  const { ports, calls } = repeating(desk, [doubt, failure('unknown_outcome', { dying: dying.message })]);
  const purchase = await inDoubt(desk, ports);
  await desk.store.run(
    "update purchase_intents set state = 'calling', repeats = 1, call_deadline = now() - interval '1 second'",
  );
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld outcome_unknown']);
  expect(calls).toHaveLength(1);
});

test.each([
  ['sent nothing', failure('transient', { sent: false })],
  ['was refused', failure('unavailable')],
])('that the first call, long given up, %s says nothing of the repetition', async (_name, verdict) => {
  const desk = await aQuickDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.3' });
  const { ports } = repeating(desk, [doubt]);
  const frozen = Promise.withResolvers<PlacedOrder>();
  const sleeping = Promise.withResolvers<void>();
  const sleeper = withAdapter(ports, {
    place() {
      sleeping.resolve();
      return frozen.promise;
    },
  });
  const purchase = await givenPurchase(desk.store);
  const first = buy(sleeper, purchase, 'b1');
  await sleeping.promise;
  await moveTo(desk.store, purchase, 'outcome_unknown');
  await eventually(async () => {
    await lookUp(ports, purchase, 'l1');
    expect((await verdicts(desk.store, purchase)).at(-1)).toBe('withheld outcome_unknown');
  });
  frozen.reject(verdict);
  await first;
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'withheld outcome_unknown']);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', attempt: 1 });
});

test.each([
  ['throttled', [] as string[]],
  ['transient', []],
  ['auth', ['withheld credentials_expired']],
] as const)('a repetition that was turned away (%s) is none: it may be made later', async (kind, said) => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, failure(kind), order]);
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(said);
  await lookUp(ports, purchase, 'l2');
  expect(await ends(desk, purchase)).toEqual([...said, 'placed']);
  expect(calls).toHaveLength(3);
});

test('it is not repeated before the grace is over, after the promise is over, or once the order has changed', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, doubt, doubt]);

  const patient = { ...ports, settings: { ...ports.settings, ORDER_MANAGER_DOUBT_GRACE_SECONDS: 60 } };
  const fresh = await inDoubt(desk, patient);
  await lookUp(patient, fresh, 'l1');
  expect(await ends(desk, fresh)).toEqual([]);

  const old = await inDoubt(desk, ports, { number: 2 });
  await desk.store.run(
    "update purchase_intents set created_at = now() - interval '2 hours' where supplier_order_id = $1",
    [old.supplierOrderId],
  );
  await lookUp(ports, old, 'l1');
  expect(await ends(desk, old)).toEqual(['withheld outcome_unknown']);

  const moved = await inDoubt(desk, ports, { number: 3 });
  await desk.store.run(
    `update customer_details set shipping_address = jsonb_set(shipping_address, '{city}', '"Elsewhere"')
      where order_id = $1`,
    [moved.orderId],
  );
  await lookUp(ports, moved, 'l1');
  expect(await ends(desk, moved)).toEqual(['withheld outcome_unknown']);
  expect(calls).toHaveLength(3);
});

test('a changed tolerance of ours makes it no other purchase', async () => {
  const desk = await aQuickDesk();
  const { ports } = repeating(desk, [doubt, order]);
  const purchase = await inDoubt(desk, ports);
  const settings = { ...ports.settings, ORDER_MANAGER_COST_TOLERANCE_PERCENT: 50 };
  await lookUp({ ...ports, settings }, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['placed']);
});

test('the kill switch forbids the repetition too', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt]);
  const purchase = await inDoubt(desk, ports);
  await pausePurchasing(desk.store, { scope: 'all', cause: 'operator', reason: 'stock-taking' });
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld supplier_paused']);
  expect(calls).toHaveLength(1);
});

test('an answer "not now" that came after its deadline gives the purchase back', async () => {
  const desk = await aQuickDesk();
  const { ports } = repeating(desk, [failure('throttled')]);
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'deferred', 'absent']);
});

/** Made so long ago, as a clock without a zone shows it so many hours from UTC. */
const madeAt = (agoMs: number, zoneHours: number): Partial<FoundOrder> => ({
  createdAt: null,
  createdLocally: new Date(Date.now() - agoMs + zoneHours * HOUR_MS).toISOString().slice(0, 19),
});

/** The supplier's book, by its own references. */
const reading = (...orders: readonly FoundOrder[]): Partial<PatientAdapter> => ({
  read: async (reference) => orders.find(({ supplierReference }) => supplierReference === reference) ?? null,
});

const givenStrays = async ({ store }: Desk, ...references: readonly string[]): Promise<void> => {
  await keepStrays(
    store,
    references.map((reference) => ({ supplier: 'cj_dropshipping', reference, topic: 'order' })),
  );
};

test('an order that a push named is adopted instead of calling again', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt], reading(foundOrder('AE1')));
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  await lookUp(ports, purchase, 'l1');
  expect(calls).toHaveLength(1);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: 'AE1' });
  expect((await ends(desk, purchase))[0]).toBe('placed');
});

test.each([-12, -8, 0, 8, 14])(
  'a push that comes late is known by the time of its order, in whatever zone that is told (%i)',
  async (zoneHours) => {
    const desk = await aQuickDesk();
    const { ports, calls } = repeating(desk, [doubt], reading(foundOrder('AE1', madeAt(0, zoneHours))));
    const purchase = await inDoubt(desk, ports);
    await givenStrays(desk, 'AE1');
    await desk.store.run("update stray_supplier_orders set seen_at = now() + interval '40 minutes'");
    await lookUp(ports, purchase, 'l1');
    expect(calls).toHaveLength(1);
    expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: 'AE1' });
  },
);

test('an order that a refused purchase may be behind is adopted for none in doubt, which is sent again instead', async () => {
  const desk = await aQuickDesk();
  const replies = [failure('unavailable'), doubt, order];
  const { ports, calls } = repeating(desk, replies, reading(foundOrder('AE1')));
  await buy(ports, await givenPurchase(desk.store, { number: 2 }), 'b2');
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  await lookUp(ports, purchase, 'l1');
  expect(calls).toHaveLength(3);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order.supplierReference });
});

test('a push that comes after the hold settles the doubt and releases its own hold', async () => {
  const desk = await aQuickDesk();
  const { ports } = repeating(desk, [doubt, doubt], reading(foundOrder('AE1')));
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  const adapter = ports.adapterOf('cj_dropshipping');
  if (adapter === undefined) throw new Error('no adapter');
  const sweep = startStraySweep(ports, adapter);
  onTestFinished(() => sweep.stop());
  await givenStrays(desk, 'AE1');
  await eventually(async () =>
    expect((await saidTo(desk.store, purchase)).slice(3)).toMatchObject([
      { type: 'placed', supplierReference: 'AE1' },
      { reason: 'outcome_unknown', holdId: holdOf(purchase, 'outcome_unknown') },
      { reason: 'duplicate_suspected', holdId: holdOf(purchase, 'duplicate_suspected') },
      { reason: 'supplier_cancelled', holdId: holdOf(purchase, 'supplier_cancelled') },
    ]),
  );
});

test.each([
  ['other articles', { articles: [{ supplierVariantId: 'other', units: 1 }] }],
  ['another time', { createdAt: '2026-01-01T00:00:00.000Z' }],
  ['another time in whatever zone', madeAt(30 * HOUR_MS, 0)],
  ['another time within the hour', madeAt(30 * 60_000, -8)],
  ['a cancelled order', { isCancelled: true }],
])('a stray of %s is left alone', async (_name, change) => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order], reading(foundOrder('AE1', change)));
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  await lookUp(ports, purchase, 'l1');
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order.supplierReference });
  expect(calls).toHaveLength(2);
});

test('what is not clear is held and called no more: two strays for one purchase, or one stray for two', async () => {
  const desk = await aQuickDesk();
  const two = repeating(desk, [doubt], reading(foundOrder('AE1'), foundOrder('AE2')));
  const purchase = await inDoubt(desk, two.ports);
  await givenStrays(desk, 'AE1', 'AE2');
  await lookUp(two.ports, purchase, 'l1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    reason: 'duplicate_suspected',
    evidence: { references: 'AE1 AE2' },
  });
  expect(two.calls).toHaveLength(1);

  const other = await aQuickDesk();
  const one = repeating(other, [doubt, doubt], reading(foundOrder('AE1')));
  const [left, right] = [await inDoubt(other, one.ports), await inDoubt(other, one.ports, { number: 2 })];
  await givenStrays(other, 'AE1');
  for (const doubtful of [left, right]) {
    await lookUp(one.ports, doubtful, 'l1');
    expect(await ends(other, doubtful)).toEqual(['withheld duplicate_suspected']);
  }
  expect(one.calls).toHaveLength(2);
});

test('a stray that cannot be read does not keep back the one that can', async () => {
  const desk = await aQuickDesk();
  const book = reading(foundOrder('AE2'));
  const { ports } = repeating(desk, [doubt], {
    read: async (reference, signal) => {
      if (reference === 'AE1') throw failure('permanent');
      return (await book.read?.(reference, signal)) ?? null;
    },
  });
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1', 'AE2');
  await lookUp(ports, purchase, 'l1');
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: 'AE2' });
});

test('an order that the supplier tells of before it shows it is looked for again', async () => {
  const desk = await aQuickDesk();
  const shown: FoundOrder[] = [];
  const { ports } = repeating(desk, [doubt, doubt], {
    read: async (reference) => shown.find((one) => one.supplierReference === reference) ?? null,
  });
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld outcome_unknown']);
  shown.push(foundOrder('AE1'));
  await desk.store.run("update stray_supplier_orders set read_at = read_at - interval '1 minute'");
  await lookUp(ports, purchase, 'l2');
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: 'AE1' });
});

test('an order of ours whose push overtook the answer is nobody else’s', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(desk, [doubt, order], reading(foundOrder('AE1')));
  await givenPurchase(desk.store, { number: 2, state: 'accepted', reference: 'AE0,AE1' });
  const purchase = await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  await lookUp(ports, purchase, 'l1');
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order.supplierReference });
  expect(calls).toHaveLength(2);
});

test('a supplier that neither looks up nor repeats leaves the doubt to a person', async () => {
  const desk = await aQuickDesk();
  const capabilities = { ...desk.adapter.capabilities, looksUpByReference: false, repeatableForMs: null };
  const { ports, calls } = repeating(desk, [doubt], { capabilities });
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld outcome_unknown']);
  expect(calls).toHaveLength(1);
});

test('a stray that may be the answer to a call still under way is left to that call', async () => {
  const desk = await aQuickDesk();
  const { ports, calls } = repeating(
    desk,
    [doubt, { ...order, supplierReference: 'AE2' }],
    reading(foundOrder('AE1')),
  );
  const inQuestion = await inDoubt(desk, ports);
  const other = await givenPurchase(desk.store, { number: 2 });
  const answer = Promise.withResolvers<PlacedOrder>();
  const underWay = buy(withAdapter(ports, { place: () => answer.promise }), other, 'b2');
  await eventually(async () => expect((await rowOf(desk.store, other))?.state).toBe('placing'));
  await givenStrays(desk, 'AE1');
  expect(await lookUp(ports, inQuestion, 'l1')).toEqual(DONE);
  expect(calls).toHaveLength(1);
  expect(await ends(desk, inQuestion)).toEqual([]);

  answer.resolve({ ...order, supplierReference: 'AE1' });
  await underWay;
  expect(await rowOf(desk.store, other)).toMatchObject({ reference: 'AE1' });
  await lookUp(ports, inQuestion, 'l2');
  expect(calls).toHaveLength(2);
  expect(await rowOf(desk.store, inQuestion)).toMatchObject({ reference: 'AE2' });
});

test('while a supplier does not take our login, strays are not read every moment', async () => {
  const desk = await aQuickDesk();
  let reads = 0;
  const { ports } = repeating(desk, [doubt], {
    read: async () => {
      reads += 1;
      throw new SupplierError('auth', 'the consent has ended', {});
    },
  });
  await inDoubt(desk, ports);
  await givenStrays(desk, 'AE1');
  const adapter = ports.adapterOf('cj_dropshipping');
  if (adapter === undefined) throw new Error('no adapter');
  let rounds = 0;
  const breakerState = () => {
    rounds += 1;
    return adapter.breakerState();
  };
  const sweep = startStraySweep(ports, { ...adapter, breakerState });
  onTestFinished(() => sweep.stop());
  await eventually(() => {
    sweep.wake();
    expect(rounds).toBeGreaterThan(3);
  });
  expect(reads).toBe(1);
});

test('a stray whose own call is answered while the stray is read is suspected of nothing', async () => {
  const desk = await aQuickDesk();
  const answer = Promise.withResolvers<PlacedOrder>();
  const answered = Promise.withResolvers<unknown>();
  const { ports } = repeating(desk, [doubt, { ...order, supplierReference: 'AE2' }], {
    read: async () => {
      answer.resolve({ ...order, supplierReference: 'AE1' });
      await answered.promise;
      return foundOrder('AE1');
    },
  });
  const repeated = await inDoubt(desk, ports);
  await lookUp(ports, repeated, 'l1');
  expect(await rowOf(desk.store, repeated)).toMatchObject({ reference: 'AE2' });

  const other = await givenPurchase(desk.store, { number: 2 });
  const underWay = buy(withAdapter(ports, { place: () => answer.promise }), other, 'b2');
  underWay.then(answered.resolve, answered.reject);
  await eventually(async () => expect((await rowOf(desk.store, other))?.state).toBe('placing'));
  await givenStrays(desk, 'AE1');
  const adapter = ports.adapterOf('cj_dropshipping');
  if (adapter === undefined) throw new Error('no adapter');
  const sweep = startStraySweep(ports, adapter);
  onTestFinished(() => sweep.stop());
  await eventually(async () =>
    expect(await desk.store.query('select reference from stray_supplier_orders')).toEqual([]),
  );
  expect(await rowOf(desk.store, other)).toMatchObject({ reference: 'AE1' });
  expect(await ends(desk, repeated)).toEqual(['placed']);
});

test('one order at the supplier is never the purchase of two of ours', async () => {
  const desk = await aQuickDesk();
  const { ports } = repeating(desk, [order, order]);
  const [first, second] = [await givenPurchase(desk.store), await givenPurchase(desk.store, { number: 2 })];
  await buy(ports, first, 'b1');
  await buy(ports, second, 'b2');
  expect(await rowOf(desk.store, first)).toMatchObject({ reference: order.supplierReference });
  expect(await rowOf(desk.store, second)).toMatchObject({ reference: null });
  expect(await verdicts(desk.store, second)).toEqual(['placing', 'withheld duplicate_suspected']);
});
