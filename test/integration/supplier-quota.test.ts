import { expect, onTestFinished, test, vi } from 'vitest';
import { DONE } from '../../services/serve-commands.ts';
import { callPauses, createQuotaReporter } from '../../services/suppliers/account.ts';
import { createCallLimiter } from '../../services/suppliers/call-limiter.ts';
import { createCallRecord } from '../../services/suppliers/call-record.ts';
import { listSuppliers } from '../../services/suppliers/list-suppliers.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  callsOf,
  givenPurchase,
  intentOf,
  moveTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { control } from '../sandbox/world.ts';

const CJ = 'cj_dropshipping';
const never = new AbortController().signal;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

test('a pause of the supplier’s is honoured by every copy, for purchases and queries alike, and sends nothing', async () => {
  const connectionString = await aDatabase();
  const [one, other] = [await aStore(connectionString), await aStore(connectionString)];
  const reserve = await createCallLimiter(one, CJ, 1_000);
  const elsewhere = await createCallLimiter(other, CJ, 1_000);
  const another = await createCallLimiter(other, 'aliexpress', 1_000);
  await createQuotaReporter(one, CJ)({ pausedUntil: inMs(60_000) });
  for (const [limiter, priority] of [
    [reserve, 'query'],
    [elsewhere, 'purchase'],
  ] as const) {
    await expect(limiter({ priority }, never)).rejects.toMatchObject({
      failureClass: 'throttled',
      evidence: { sent: false, pausedForMs: expect.any(Number) },
    });
  }
  await another({ priority: 'query' }, never);
});

test.each([26, -26])(
  'a pause that a copy tells whose clock is %i hours ahead lasts as long as the supplier said',
  async (hours) => {
    const store = await aStore(await aDatabase());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 });
    onTestFinished(() => void vi.useRealTimers());
    await createQuotaReporter(store, CJ)({ pausedUntil: inMs(60_000), budgetPausedUntil: inMs(90_000) });
    const { callsMs, budgetMs } = await callPauses(store, CJ);
    expect(callsMs).toBeGreaterThan(50_000);
    expect(callsMs).toBeLessThanOrEqual(60_000);
    expect(budgetMs).toBeGreaterThan(80_000);
    expect(budgetMs).toBeLessThanOrEqual(90_000);
  },
);

test('used-up points stop what costs points and nothing else: purchases, payments and look-ups go on', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  const unprepared = await givenPurchase(desk.store, { number: 2 });
  await desk.store.run('update supplier_orders set is_quoted = false where id = $1', [
    unprepared.supplierOrderId,
  ]);
  const search = () => desk.adapter.search({ query: 'lamp', page: 1, limit: 10, countryCode: 'US' }, never);
  await control(desk.world, 'PUT', '/settings', { cjPointsPerDay: 1 });
  await expect(search()).rejects.toMatchObject({ failureClass: 'throttled' });
  const asked = await callsOf(desk.world, 'search');
  await expect(search()).rejects.toMatchObject({ evidence: { sent: false, budgetUsedUp: true } });
  expect(await callsOf(desk.world, 'search')).toBe(asked);
  const cj = (await listSuppliers(desk.ports)).items.find(({ name }) => name === CJ);
  expect(cj).toMatchObject({ callsPausedUntil: null, budgetPausedUntil: expect.any(String) });

  expect(await buy(desk.ports, unprepared, 'b1')).toEqual(DONE);
  expect(await verdicts(desk.store, unprepared)).toEqual([]);
  await buy(desk.ports, purchase, 'b2');
  await moveTo(desk.store, purchase, 'awaiting_payment');
  await pay(desk.ports, purchase, 'p1');
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'placed', 'accepted']);
  expect(await desk.adapter.lookUp(purchase.supplierOrderId, never)).toHaveLength(1);
});

test('a pause ends by itself; of two the longer counts, and figures stay when a report leaves them out', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 1_000);
  const report = createQuotaReporter(store, CJ);
  await report({ pausedUntil: inMs(400), remaining: 0, total: 50_000 });
  await report({ pausedUntil: inMs(100) });
  expect((await callPauses(store, CJ)).callsMs).toBeGreaterThan(100);
  await reserve({ priority: 'purchase' }, never);
  expect((await callPauses(store, CJ)).callsMs).toBe(0);
  const [row] = await store.query(
    'select quota_remaining as remaining, quota_total as total from supplier_accounts',
  );
  expect(row).toEqual({ remaining: 0, total: 50_000 });
});

test('calls that were too fast make all slower, the slowest supplier at most, and what goes well makes them quicker', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 100);
  const report = createQuotaReporter(store, CJ);
  const intervalMs = async (): Promise<number | undefined> => {
    const [row] = await store.query<{ ms: number }>('select call_interval_ms as ms from supplier_accounts');
    return row?.ms;
  };
  await report({ remaining: 1 });
  expect(await intervalMs()).toBe(11);
  await report({ isTooFast: true });
  expect(await intervalMs()).toBe(16.5);
  for (const _ of Array.from({ length: 20 })) await reserve({ priority: 'purchase' }, never);
  expect(await intervalMs()).toBeCloseTo(16.5 * 0.99 ** 20);
  for (const _ of Array.from({ length: 30 })) await reserve({ priority: 'query' }, never);
  expect(await intervalMs()).toBe(11);
  for (const _ of Array.from({ length: 15 })) await report({ isTooFast: true });
  expect(await intervalMs()).toBe(1_100);
});

test('calls whose moments came while the process stood still keep their distance all the same', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 10);
  const sentAt: number[] = [];
  const call = async () => {
    await reserve({ priority: 'purchase' }, never);
    sentAt.push(performance.now());
  };
  const calls = Array.from({ length: 6 }, call);
  await eventually(async () => sentAt.length > 0);
  // As a busy machine does it: no timer of this process comes in time.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await Promise.all(calls);
  const distances = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
  // Timers may be a millisecond early.
  for (const distance of distances) expect(distance).toBeGreaterThan(98);
});

test('while the supplier wants no calls, commands wait without using anything up, and go on afterwards', async () => {
  const desk = await aDesk();
  const report = createQuotaReporter(desk.store, CJ);
  const draft = await givenPurchase(desk.store);
  const doubtful = await givenPurchase(desk.store, { number: 2, state: 'outcome_unknown' });
  const unpaid = await givenPurchase(desk.store, { number: 3, state: 'awaiting_payment', reference: 'SD1' });
  await desk.store.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state,
                                   request_hash, expected_cost_minor, currency, call_deadline)
     values ($1, 'create', 'ord_2', 'cj_dropshipping', $1, 1, 'unknown', '', 1, 'USD', now())`,
    [doubtful.supplierOrderId],
  );
  await report({ pausedUntil: inMs(5_000) });
  const soon = { verdict: 'later', delayMs: expect.any(Number) };
  expect(await buy(desk.ports, draft, 'b1')).toEqual(soon);
  expect(await lookUp(desk.ports, doubtful, 'l1')).toEqual(soon);
  expect(await pay(desk.ports, unpaid, 'p1')).toEqual(soon);
  // A long wait is the order's own: its deadline asks again.
  await report({ pausedUntil: inMs(3_600_000) });
  expect(await buy(desk.ports, draft, 'b2')).toEqual(DONE);
  expect(await intentOf(desk.store, draft)).toBeUndefined();
  for (const purchase of [draft, doubtful, unpaid]) expect(await verdicts(desk.store, purchase)).toEqual([]);
  expect(await callsOf(desk.world, 'getAccessToken')).toBe(0);

  await desk.store.run("update supplier_accounts set paused_until = now() - interval '1 second'");
  await buy(desk.ports, draft, 'b3');
  expect(await verdicts(desk.store, draft)).toEqual(['placing', 'placed']);
});

test.each([
  ['auth', 'credentials_expired'],
  ['account_blocked', 'account_risk'],
] as const)('a look-up that fails for good (%s) is held instead of asked for ever', async (kind, reason) => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  const refusing = withAdapter(desk.ports, {
    place: async () => {
      throw new SupplierError('unknown_outcome', 'no answer', {});
    },
    lookUp: async () => {
      throw new SupplierError(kind, 'refused', {});
    },
  });
  await buy(refusing, purchase, 'b1');
  await moveTo(desk.store, purchase, 'outcome_unknown');
  await lookUp(refusing, purchase, 'l1');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe(`withheld ${reason}`);
});

test('attempts that the supplier put off do not use up those of a doubtful purchase', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' });
  const purchase = await givenPurchase(desk.store);
  let answer: SupplierError['failureClass'] = 'throttled';
  const ports = withAdapter(desk.ports, {
    place: async () => {
      throw new SupplierError(answer, 'not now', {});
    },
  });
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    if (attempt === 6) answer = 'unknown_outcome';
    await moveTo(desk.store, purchase, 'draft');
    await buy(ports, purchase, `b${attempt}`);
  }
  await moveTo(desk.store, purchase, 'outcome_unknown');
  await lookUp(ports, purchase, 'l1');
  await eventually(async () => {
    await lookUp(ports, purchase, 'l2');
    expect((await verdicts(desk.store, purchase)).at(-1)).toBe('absent');
  });
});

test('calls of all copies are counted by outcome, with their last success and failure', async () => {
  const desk = await aDesk();
  const other = await desk.copy();
  const records = [desk, other].map(({ store, ports }) => createCallRecord({ store, log: ports.log }));
  const failing = { ...desk.adapter, read: async () => Promise.reject(new SupplierError('auth', 'no', {})) };
  const [one, two] = [records[0]?.recorded(failing), records[1]?.recorded(other.adapter)];
  await one?.lookUp('nothing', never);
  await two?.lookUp('nothing', never);
  await expect(one?.read('SD1', never)).rejects.toThrow('no');
  for (const record of records) await record.flush();
  for (const record of records) await record.flush();
  expect(
    await desk.store.query(
      'select operation, outcome, calls::int as calls from supplier_calls order by operation',
    ),
  ).toEqual([
    { operation: 'look_up', outcome: 'ok', calls: 2 },
    { operation: 'read', outcome: 'auth', calls: 1 },
  ]);
  expect(await desk.store.query('select state from supplier_breakers')).toEqual([
    { state: 'closed' },
    { state: 'closed' },
  ]);
  const [account] = await desk.store.query(
    `select last_success_at is not null as success, last_failure_class as failure from supplier_accounts
      where supplier = $1`,
    [CJ],
  );
  expect(account).toEqual({ success: true, failure: 'auth' });
});
