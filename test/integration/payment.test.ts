import { expect, test } from 'vitest';
import { SUPPLIER_ORDER_STATES } from '../../contracts/vocabulary.ts';
import { DONE } from '../../services/serve-commands.ts';
import { createCjDropshipping } from '../../services/suppliers/cj-dropshipping/cj-dropshipping.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import { givenDeadlocks } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';
import {
  aDesk,
  boughtUnder,
  callsOf,
  type Desk,
  type Environment,
  endPause,
  givenHold,
  givenPurchase,
  intentOf,
  LAMP_COST_MINOR,
  moveTo,
  releaseHolds,
  rowOf,
  saidTo,
  verdicts,
  type WantedPurchase,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { CREDENTIALS, control, givenFaults } from '../sandbox/world.ts';

const PAY = 'cj.payBalance';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

/** A lamp that stands at the supplier, unpaid; parcels stay where they are. */
async function placed(
  environment: Environment = {},
  wanted: WantedPurchase = {},
): Promise<{ desk: Desk; purchase: Purchase }> {
  const desk = await aDesk(environment, { timing: { processMs: 60_000 } });
  return { desk, purchase: await placedOn(desk, wanted) };
}

async function placedOn(desk: Desk, wanted: WantedPurchase = {}): Promise<Purchase> {
  const purchase = await givenPurchase(desk.store, wanted);
  await buy(desk.ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'awaiting_payment');
  return purchase;
}

const paidCounts = async ({ world }: Desk, purchase: Purchase): Promise<number[]> =>
  (await boughtUnder(world, purchase)).map(({ paidCount }) => paidCount);

/** What was said after the placing. */
const paymentVerdicts = async ({ store }: Desk, purchase: Purchase): Promise<string[]> =>
  (await verdicts(store, purchase)).slice(2);

test('a placed order is paid once, and the amount is kept', async () => {
  const { desk, purchase } = await placed();
  expect(await pay(desk.ports, purchase, 'p1')).toEqual(DONE);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
  const { reference } = (await rowOf(desk.store, purchase)) ?? {};
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
    { type: 'accepted', supplierReference: reference, amountMinor: LAMP_COST_MINOR, attempt: 1 },
  ]);
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({
    state: 'done',
    costMinor: LAMP_COST_MINOR,
  });
});

test('a payment is not forgotten when the database breaks off what writes it down', async () => {
  const { desk, purchase } = await placed();
  await givenDeadlocks(desk.store, 'update on purchase_intents', {
    times: 3,
    condition: "new.kind = 'pay' and new.state <> 'calling'",
  });
  expect(await pay(desk.ports, purchase, 'p1')).toEqual(DONE);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
  expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'done' });
});

test('twenty commands at once over two copies, and one more after them, pay once', async () => {
  const { desk, purchase } = await placed();
  const copies = [desk, await desk.copy()];
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => pay(copies[n % 2]?.ports ?? desk.ports, purchase, `p${n}`)),
  );
  await pay(desk.ports, purchase, 'p21');
  expect(await callsOf(desk.world, 'payBalance')).toBe(1);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
  expect(new Set(await paymentVerdicts(desk, purchase))).toEqual(new Set(['accepted']));
});

test('the intent is committed before the money moves', async () => {
  const { desk, purchase } = await placed();
  const seen: unknown[] = [];
  const watched = withAdapter(desk.ports, {
    async pay(reference, signal) {
      seen.push(await intentOf(desk.store, purchase, 'pay'));
      return desk.adapter.pay(reference, signal);
    },
  });
  await pay(watched, purchase, 'p1');
  expect(seen).toMatchObject([{ state: 'calling', attempt: 1, costMinor: LAMP_COST_MINOR }]);
});

test('a command for a purchase in any other state pays nothing', async () => {
  const { desk, purchase } = await placed();
  for (const state of SUPPLIER_ORDER_STATES.filter((other) => other !== 'awaiting_payment')) {
    await moveTo(desk.store, purchase, state);
    expect(await pay(desk.ports, purchase, 'p1')).toEqual(DONE);
  }
  expect(await paidCounts(desk, purchase)).toEqual([0]);
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
});

test('more than the tolerance above the expected cost is held, within it is paid', async () => {
  const { desk, purchase: dear } = await placed(
    { ORDER_MANAGER_COST_TOLERANCE_PERCENT: '10' },
    { costMinor: 1_303 },
  );
  await pay(desk.ports, dear, 'p1');
  expect((await saidTo(desk.store, dear)).at(-1)).toMatchObject({
    type: 'withheld',
    reason: 'cost_above_cap',
    evidence: { amountMinor: LAMP_COST_MINOR, expectedMinor: 1_303, ceilingMinor: 1_433, currency: 'USD' },
  });
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
  expect(await intentOf(desk.store, dear, 'pay')).toBeUndefined();

  const bearable = await placedOn(desk, { number: 2, costMinor: 1_304 });
  await pay(desk.ports, bearable, 'p1');
  expect(await paidCounts(desk, bearable)).toEqual([1]);
});

test.each([
  ['the mode went back to shadow', { CJ_DROPSHIPPING_MODE: 'shadow' }, 'supplier_paused'],
  ['the cap per order was lowered', { ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '14.33' }, 'cost_above_cap'],
])('nothing is paid after %s', async (_name, environment, reason) => {
  const { desk, purchase } = await placed();
  const { ports } = await desk.copy(environment);
  await pay(ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual([`withheld ${reason}`]);
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
});

test('an order for which the supplier names no amount is held, not paid on our own estimate', async () => {
  const { desk, purchase } = await placed();
  const silent = withAdapter(desk.ports, {
    preparePayment: async () => ({ state: 'due', amountMinor: null, currency: 'USD', balanceMinor: null }),
  });
  expect(await pay(silent, purchase, 'p1')).toEqual(DONE);
  expect(await paidCounts(desk, purchase)).toEqual([0]);
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    type: 'withheld',
    reason: 'cost_above_cap',
  });
});

test('nothing is paid for an order with an open hold, and it is paid after the release', async () => {
  const { desk, purchase } = await placed();
  await givenHold(desk.store, purchase);
  await pay(desk.ports, purchase, 'p1');
  expect(await paidCounts(desk, purchase)).toEqual([0]);
  expect(await intentOf(desk.store, purchase, 'pay')).toBeUndefined();
  await releaseHolds(desk.store, purchase);
  await pay(desk.ports, purchase, 'p2');
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('missing funds are held; after the release the order is paid', async () => {
  const { desk, purchase } = await placed();
  await control(desk.world, 'PUT', '/settings', { balance: LAMP_COST_MINOR - 1 });
  await pay(desk.ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual(['withheld insufficient_funds']);
  await control(desk.world, 'PUT', '/settings', { balance: LAMP_COST_MINOR });
  await pay(desk.ports, purchase, 'p2');
  expect(await paymentVerdicts(desk, purchase)).toEqual(['withheld insufficient_funds', 'accepted']);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'done', attempt: 1 });
  expect(await callsOf(desk.world, 'payBalance')).toBe(1);
});

test.each(['error_after', 'no_answer_after', 'garbage', 'slow'])(
  'a payment that went through without an answer (%s) is found paid by the next look',
  async (kind) => {
    const { desk, purchase } = await placed({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.5' });
    await givenFaults(desk.world, { operation: PAY, kind, times: 1, delayMs: 1_500 });
    await pay(desk.ports, purchase, 'p1');
    expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'unknown' });
    expect(await paymentVerdicts(desk, purchase)).toEqual([]);
    await pay(desk.ports, purchase, 'p2');
    expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
    expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'done', attempt: 1 });
    expect(await callsOf(desk.world, 'payBalance')).toBe(1);
    expect(await paidCounts(desk, purchase)).toEqual([1]);
  },
);

test('an order that is still unpaid after a doubt is paid again only after the window', async () => {
  const { desk, purchase } = await placed({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0.7' });
  await givenFaults(desk.world, { operation: PAY, kind: 'no_answer_before', times: 1 });
  await pay(desk.ports, purchase, 'p1');
  const startedAt = performance.now();
  for (const command of ['p2', 'p3', 'p4']) await pay(desk.ports, purchase, command);
  expect(await callsOf(desk.world, 'payBalance')).toBe(1);
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'unknown', lookUps: 3 });
  await eventually(async () => {
    await pay(desk.ports, purchase, 'p5');
    expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
  });
  expect(performance.now() - startedAt).toBeGreaterThan(700);
  expect(await callsOf(desk.world, 'payBalance')).toBe(2);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('a payment that its supplier refuses in doubt time and again is for a person, who may have it tried once more', async () => {
  const { desk, purchase } = await placed({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0.02' });
  let payments = 0;
  const refusing = withAdapter(desk.ports, {
    async pay() {
      payments += 1;
      throw new SupplierError('unknown_outcome', 'inventory deduction failed', { code: 1603102 });
    },
  });
  const payUntil = (many: number) =>
    eventually(async () => {
      await pay(refusing, purchase, `p${performance.now()}`);
      expect(payments).toBe(many);
    });
  await payUntil(4);
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  await payUntil(5);
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
    { type: 'withheld', attempt: 5, reason: 'outcome_unknown', evidence: { code: 1603102, attempts: 5 } },
  ]);
  await payUntil(6);
  expect(await paymentVerdicts(desk, purchase)).toHaveLength(1);
});

test('a payment whose process died is waited for until its time is over, then it is a doubt', async () => {
  const { desk, purchase } = await placed({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.6' });
  void pay(withAdapter(desk.ports, { pay: () => new Promise(() => {}) }), purchase, 'p1');
  await eventually(async () =>
    expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'calling' }),
  );
  await pay(desk.ports, purchase, 'p2');
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'calling', lookUps: 0 });
  await eventually(async () => {
    await pay(desk.ports, purchase, 'p3');
    expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
  });
  expect(await intentOf(desk.store, purchase, 'pay')).toMatchObject({ state: 'done', attempt: 2 });
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('"too many requests" on a payment is no doubt: the next command pays', async () => {
  const { desk, purchase } = await placed();
  await givenFaults(desk.world, { operation: PAY, kind: 'rate_limit', times: 1 });
  await pay(desk.ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  await endPause(desk.store);
  await pay(desk.ports, purchase, 'p2');
  expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('an order that somebody paid by hand is taken as paid', async () => {
  const { desk, purchase } = await placed();
  const reference = (await rowOf(desk.store, purchase))?.reference ?? '';
  const never = new AbortController().signal;
  const key = { supplierReference: reference, callerRef: purchase.supplierOrderId };
  await desk.adapter.preparePayment(key, never);
  await desk.adapter.pay(reference, never);
  await pay(desk.ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual(['accepted']);
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('what is due cannot be asked: nothing is said or written, the deadline asks again', async () => {
  const { desk, purchase } = await placed();
  await givenFaults(desk.world, { operation: 'cj.getOrderDetail', kind: 'error_before' });
  expect(await pay(desk.ports, purchase, 'p1')).toEqual(DONE);
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  expect(await intentOf(desk.store, purchase, 'pay')).toBeUndefined();
});

test('where doubts last shorter, a person is called sooner for an order that its supplier does not show', async () => {
  const { desk, purchase } = await placed({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '60' });
  const evidence = { notYet: 'visible', outage: false };
  const ports = withAdapter(desk.ports, {
    preparePayment: () => Promise.reject(new SupplierError('transient', 'not visible yet', evidence)),
  });
  await desk.store.run("update supplier_orders set entered_at = now() - interval '6 minutes'");
  await pay(ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  await desk.store.run("update supplier_orders set entered_at = now() - interval '8 minutes'");
  await pay(ports, purchase, 'p2');
  expect(await paymentVerdicts(desk, purchase)).toEqual(['withheld outcome_unknown']);
});

test('an order that its supplier does not show for an hour longer than a doubt lasts is for a person: unpaid, it would lapse unheard', async () => {
  const { desk, purchase } = await placed({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '600' });
  const evidence = { notYet: 'visible', outage: false };
  const preparePayment = () =>
    Promise.reject(new SupplierError('transient', 'the order is not visible yet', evidence));
  const ports = withAdapter(desk.ports, { preparePayment });
  await desk.store.run("update supplier_orders set entered_at = now() - interval '69 minutes'");
  await pay(ports, purchase, 'p1');
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  await desk.store.run("update supplier_orders set entered_at = now() - interval '71 minutes'");
  // What never left says nothing of the order.
  const unsent = { ...evidence, sent: false };
  await pay(
    withAdapter(desk.ports, {
      preparePayment: () => Promise.reject(new SupplierError('transient', 'nothing sent', unsent)),
    }),
    purchase,
    'p2',
  );
  expect(await paymentVerdicts(desk, purchase)).toEqual([]);
  await pay(ports, purchase, 'p3');
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
    {
      type: 'withheld',
      reason: 'outcome_unknown',
      evidence: { notYet: 'visible', supplierReference: (await rowOf(desk.store, purchase))?.reference },
    },
  ]);
});

/** The supplier's answers in which the order has another state than the sandbox can bring it to. */
const showing =
  (orderStatus: string): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    const text = (await response.text()).replaceAll(/"orderStatus":"\w+"/g, `"orderStatus":"${orderStatus}"`);
    return new Response(text, { status: response.status });
  };

const adapterThat = (desk: Desk, answer: typeof fetch) =>
  withPolicy(
    createCjDropshipping({
      baseUrl: desk.world.cjBaseUrl,
      apiKey: CREDENTIALS.cjApiKey,
      ioss: 'cj',
      tokens: memoryTokens(),
      requestsPerSecond: 1_000,
      reserve: async () => {},
      send: byFetch(answer),
    }),
    { callTimeoutMs: 2_000, halfOpenAfterMs: 10_000 },
  );

test('an order that the supplier closed unpaid is not paid, and the order hears that it is closed', async () => {
  const { desk, purchase } = await placed();
  const adapter = adapterThat(desk, showing('CANCELLED'));
  await pay({ ...desk.ports, adapterOf: () => adapter }, purchase, 'p1');
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    type: 'observed',
    status: 'cancelled',
    evidence: { supplierReference: (await rowOf(desk.store, purchase))?.reference },
  });
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
});

test('in a state that nobody knows an order is neither paid for nor taken for paid, but held', async () => {
  const { desk, purchase } = await placed();
  const adapter = adapterThat(desk, showing('QUANTUM'));
  await pay({ ...desk.ports, adapterOf: () => adapter }, purchase, 'p1');
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
    { type: 'withheld', reason: 'outcome_unknown', evidence: { shownAs: 'QUANTUM' } },
  ]);
  expect(await callsOf(desk.world, 'payBalance')).toBe(0);
  // It shows itself unpaid after all.
  await pay(desk.ports, purchase, 'p2');
  expect(await paidCounts(desk, purchase)).toEqual([1]);
});

test('an open breaker pays nothing and asks to come again', async () => {
  const { desk, purchase } = await placed();
  const adapter = adapterThat(desk, () => Promise.reject(new TypeError('fetch failed')));
  const ports = { ...desk.ports, adapterOf: () => adapter };
  await pay(ports, purchase, 'p1');
  await pay(ports, purchase, 'p2');
  expect(await pay(ports, purchase, 'p3')).toMatchObject({ verdict: 'later' });
  expect(await intentOf(desk.store, purchase, 'pay')).toBeUndefined();
});
