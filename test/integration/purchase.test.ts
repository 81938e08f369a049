import { Client } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SUPPLIER_ORDER_STATES } from '../../contracts/vocabulary.ts';
import { DONE } from '../../services/serve-commands.ts';
import { isOutage } from '../../services/store/outage.ts';
import type { Store } from '../../services/store/store.ts';
import type { OrderKey } from '../../services/suppliers/adapter.ts';
import { createCjDropshipping } from '../../services/suppliers/cj-dropshipping/cj-dropshipping.ts';
import { begin, countAbsence, settle } from '../../services/suppliers/ledger.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { settleNotBought } from '../../services/suppliers/settle-doubt.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { eventually } from '../fixtures/eventually.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';
import {
  aDesk,
  boughtUnder,
  callsOf,
  type Desk,
  endPause,
  givenHold,
  givenPurchase,
  intentOf,
  LAMP_COST_MINOR,
  moveTo,
  placeRequestOf,
  releaseHolds,
  rowOf,
  saidTo,
  verdicts,
  withAdapter,
  withCutCommit,
} from '../fixtures/purchase-desk.ts';
import { CREDENTIALS, control, givenFaults } from '../sandbox/world.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

const never = new AbortController().signal;
const CREATE = 'cj.createOrderV2';

/** The sandbox buys and keeps its answer back for longer than anybody waits. */
const tooSlow = { operation: CREATE, kind: 'slow', times: 1, delayMs: 1_500 };

test('a purchase is placed once, unpaid, under our reference, and its answer is kept', async () => {
  const { world, store, ports } = await aDesk();
  const purchase = await givenPurchase(store);
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);

  const [order, ...others] = await boughtUnder(world, purchase);
  expect(others).toEqual([]);
  expect(order).toMatchObject({ status: 'CREATED', paidCount: 0, amount: LAMP_COST_MINOR });
  expect(await rowOf(store, purchase)).toEqual({
    state: 'placing',
    reference: order?.sdCode,
    amountMinor: LAMP_COST_MINOR,
  });
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
  expect(await saidTo(store, purchase)).toMatchObject([
    { type: 'placing', attempt: 1 },
    { type: 'placed', attempt: 1, supplierReference: order?.sdCode, amountMinor: LAMP_COST_MINOR },
  ]);
});

test('the intent and the state are committed before the supplier hears of it', async () => {
  const { store, ports, adapter } = await aDesk();
  const purchase = await givenPurchase(store);
  const seen: unknown[] = [];
  const watched = withAdapter(ports, {
    async place(request, signal) {
      seen.push(
        await rowOf(store, purchase),
        await intentOf(store, purchase),
        await verdicts(store, purchase),
      );
      return adapter.place(request, signal);
    },
  });
  await buy(watched, purchase, 'c1');
  expect(seen).toMatchObject([
    { state: 'placing' },
    { state: 'calling', attempt: 1, callerRef: purchase.supplierOrderId, costMinor: LAMP_COST_MINOR },
    ['placing'],
  ]);
});

test('twenty commands at once over two copies buy once', async () => {
  const desk = await aDesk();
  const other = await desk.copy();
  const purchase = await givenPurchase(desk.store);
  const copies = [desk, other];
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => buy(copies[n % 2]?.ports ?? desk.ports, purchase, `c${n}`)),
  );
  expect(await callsOf(desk.world, 'createOrderV2')).toBe(1);
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'placed']);
});

test('a command that comes late or again changes nothing in whatever state the purchase is by now', async () => {
  const { world, store, ports } = await aDesk();
  const states = SUPPLIER_ORDER_STATES.filter((state) => state !== 'draft');
  for (const [number, state] of states.entries()) {
    const purchase = await givenPurchase(store, { number, state });
    expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
    expect(await rowOf(store, purchase)).toMatchObject({ state });
    expect(await verdicts(store, purchase)).toEqual([]);
    expect(await intentOf(store, purchase)).toBeUndefined();
  }
  expect(await buy(ports, { orderId: 'ord_0', supplierOrderId: 'sup_ord_nobody' }, 'c1')).toEqual(DONE);
  expect(await callsOf(world, 'createOrderV2')).toBe(0);
});

test.each([
  [{ shippingMethod: 'Carrier Pigeon' }, 'not_shippable'],
  [{ supplierVariantId: '2600000000000009999' }, 'not_found'],
  [{ countryCode: 'QX' }, 'invalid_input'],
])('a clear refusal (%o) rejects the purchase with its class', async (change, failureClass) => {
  const { world, store, ports } = await aDesk();
  const purchase = await givenPurchase(store, change);
  await buy(ports, purchase, 'c1');
  expect(await saidTo(store, purchase)).toMatchObject([
    { type: 'placing' },
    { type: 'rejected', failureClass, attempt: 1 },
  ]);
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'refused' });
  expect(await boughtUnder(world, purchase)).toEqual([]);
});

test('a method that a person names is the one that the supplier writes with blanks around', async () => {
  const { store, ports, adapter } = await aDesk();
  const purchase = await givenPurchase(store);
  await store.run('update supplier_orders set is_quoted = false');
  const padding = withAdapter(ports, {
    async quote(request, signal) {
      const quote = await adapter.quote(request, signal);
      const options = quote.options.map((each) => ({ ...each, shippingMethod: `${each.shippingMethod} ` }));
      return { ...quote, options };
    },
  });
  await buy(padding, purchase, 'c1');
  expect(await saidTo(store, purchase)).toMatchObject([
    { type: 'prepared', part: { shippingMethod: 'CJPacket Ordinary ' } },
  ]);
});

test('a purchase by hand of what is not sold to that country is held, and not asked for again and again', async () => {
  const { store, ports } = await aDesk();
  const purchase = await givenPurchase(store);
  await store.run("update supplier_orders set is_quoted = false, ships_from = ''");
  await store.run("update supplier_order_lines set supplier_variant_id = ''");
  const refusing = withAdapter(ports, {
    product: () => Promise.reject(new SupplierError('not_shippable', 'not sold there', { code: 'no' })),
  });
  await buy(refusing, purchase, 'c1');
  expect(await verdicts(store, purchase)).toEqual(['withheld not_shippable']);
});

test('what the supplier holds back is told with the placing, and kept in the ledger', async () => {
  const { world, store, ports } = await aDesk();
  await control(world, 'PUT', '/settings', { intercept: true });
  const purchase = await givenPurchase(store);
  await store.run(
    `update customer_details set shipping_address = shipping_address || '{"city": "東京"}' where order_id = $1`,
    [purchase.orderId],
  );
  await buy(ports, purchase, 'c1');
  const heldBack = '1 address intercepted, please use Latin letters';
  expect(await saidTo(store, purchase)).toMatchObject([{ type: 'placing' }, { type: 'placed', heldBack }]);
  expect(
    await store.query<{ evidence: unknown }>(
      'select evidence from purchase_intents where supplier_order_id = $1',
      [purchase.supplierOrderId],
    ),
  ).toMatchObject([{ evidence: { heldBack } }]);
  await moveTo(store, purchase, 'awaiting_payment');
  await pay(ports, purchase, 'p1');
  expect((await saidTo(store, purchase)).at(-1)).toMatchObject({
    type: 'withheld',
    reason: 'supplier_rejected',
    evidence: { message: expect.stringContaining('intercepted') },
  });
});

test.each([
  ['error_after', 1],
  ['no_answer_after', 1],
  ['garbage', 1],
  ['slow', 1],
  ['error_before', 0],
  ['no_answer_before', 0],
])('no readable answer (%s) leaves a doubt and never a second call', async (kind, bought) => {
  const { world, store, ports } = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '1' });
  const purchase = await givenPurchase(store);
  await givenFaults(world, { ...tooSlow, kind });
  await buy(ports, purchase, 'c1');
  await buy(ports, purchase, 'c2');
  expect(await verdicts(store, purchase)).toEqual(['placing', 'outcome_unknown']);
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'unknown', attempt: 1 });
  expect(await boughtUnder(world, purchase)).toHaveLength(bought);
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
});

test('"too many requests" defers the purchase, and the next attempt buys it once', async () => {
  const { world, store, ports } = await aDesk();
  const purchase = await givenPurchase(store);
  await givenFaults(world, { operation: CREATE, kind: 'rate_limit', times: 1 });
  await buy(ports, purchase, 'c1');
  expect(await verdicts(store, purchase)).toEqual(['placing', 'deferred']);
  await moveTo(store, purchase, 'draft');
  await buy(ports, purchase, 'c2');
  expect(await verdicts(store, purchase)).toEqual(['placing', 'deferred']);
  await endPause(store);
  await buy(ports, purchase, 'c3');
  expect(await verdicts(store, purchase)).toEqual(['placing', 'deferred', 'placing', 'placed']);
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
});

test('a supplier that cannot be reached defers the purchase: nothing can have been bought', async () => {
  const { world, store, ports } = await aDesk();
  const [first, second] = [await givenPurchase(store), await givenPurchase(store, { number: 2 })];
  await buy(ports, first, 'c1');
  await world.stop();
  await buy(ports, second, 'c1');
  expect(await verdicts(store, second)).toEqual(['placing', 'deferred']);
});

test.each([
  ['shadow mode', { CJ_DROPSHIPPING_MODE: 'shadow' }, {}, 'supplier_paused'],
  ['mode off', { CJ_DROPSHIPPING_MODE: 'off' }, {}, 'supplier_paused'],
  ['missing credentials', { CJ_DROPSHIPPING_API_KEY: '' }, {}, 'supplier_paused'],
  ['the cap per order', { ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '14.33' }, {}, 'cost_above_cap'],
  ['the cap per day', { ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: '14.33' }, {}, 'daily_cap_reached'],
  ['a missing address', {}, { countryCode: null }, 'address_invalid'],
])('%s withholds the purchase with a reason and calls nobody', async (_name, environment, change, reason) => {
  const { world, store, ports } = await aDesk(environment);
  const purchase = await givenPurchase(store, change);
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
  expect(await verdicts(store, purchase)).toEqual([`withheld ${reason}`]);
  expect(await rowOf(store, purchase)).toMatchObject({ state: 'draft' });
  expect(await intentOf(store, purchase)).toBeUndefined();
  expect(await callsOf(world, 'createOrderV2')).toBe(0);
});

test('what is withheld is bought as soon as the reason is gone', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '14.33' });
  const purchase = await givenPurchase(desk.store);
  await buy(desk.ports, purchase, 'c1');
  const raised = await desk.copy({ ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '14.34' });
  await buy(raised.ports, purchase, 'c2');
  expect(await verdicts(desk.store, purchase)).toEqual(['withheld cost_above_cap', 'placing', 'placed']);
});

test('nothing is bought for an order with an open hold, and it is bought after the release', async () => {
  const { world, store, ports } = await aDesk();
  const purchase = await givenPurchase(store);
  await givenHold(store, purchase);
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
  expect(await verdicts(store, purchase)).toEqual([]);
  expect(await intentOf(store, purchase)).toBeUndefined();
  await releaseHolds(store, purchase);
  await buy(ports, purchase, 'c2');
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
});

test('purchases at the same time spend no more than the day allows', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: '45.00' });
  const other = await desk.copy();
  const purchases = [];
  for (let number = 1; number <= 10; number += 1) purchases.push(await givenPurchase(desk.store, { number }));
  await Promise.all(purchases.map((purchase, n) => buy(n % 2 ? desk.ports : other.ports, purchase, 'c1')));
  expect(await callsOf(desk.world, 'createOrderV2')).toBe(3);
  const said = await Promise.all(purchases.map((purchase) => verdicts(desk.store, purchase)));
  expect(said.filter(([first]) => first === 'withheld daily_cap_reached')).toHaveLength(7);
});

const UNREACHABLE = 'http://127.0.0.1:9/api2.0/v1';

/** Five failures in a row, without any request: nothing listens there. */
async function openBreaker(ports: PurchasePorts, desk: Desk): Promise<void> {
  for (let number = 101; number <= 105; number += 1) {
    await buy(ports, await givenPurchase(desk.store, { number }), 'c1');
  }
}

test('an open breaker writes nothing and asks to come again', async () => {
  const desk = await aDesk();
  await buy(desk.ports, await givenPurchase(desk.store, { number: 100 }), 'c1');
  const { ports } = await desk.copy({ CJ_DROPSHIPPING_BASE_URL: UNREACHABLE });
  await openBreaker(ports, desk);
  const purchase = await givenPurchase(desk.store);
  expect(await buy(ports, purchase, 'c1')).toMatchObject({ verdict: 'later' });
  expect(await rowOf(desk.store, purchase)).toMatchObject({ state: 'draft' });
  expect(await intentOf(desk.store, purchase)).toBeUndefined();
  expect(await verdicts(desk.store, purchase)).toEqual([]);
});

test('a breaker that had its pause lets a purchase try, even when nobody else speaks to the supplier', async () => {
  const desk = await aDesk();
  await givenFaults(desk.world, { operation: CREATE, kind: 'error_before', times: 5 });
  const cj = createCjDropshipping({
    baseUrl: desk.world.cjBaseUrl,
    apiKey: CREDENTIALS.cjApiKey,
    ioss: 'cj',
    tokens: memoryTokens(),
    requestsPerSecond: 1_000,
    reserve: async () => {},
  });
  const adapter = withPolicy(cj, { callTimeoutMs: 2_000, halfOpenAfterMs: 2_000 });
  const ports = { ...desk.ports, adapterOf: () => adapter };
  await openBreaker(ports, desk);
  const purchase = await givenPurchase(desk.store);
  expect(await buy(ports, purchase, 'c1')).toMatchObject({ verdict: 'later' });
  await eventually(async () => expect(await buy(ports, purchase, 'c1')).toEqual(DONE));
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(1);
});

/**
 * Makes whoever records the answer of this purchase wait. @returns what lets the database connection of that one die, as
 * often as said, and then ends the wait.
 */
async function holdUpRecording(
  { connectionString }: Desk,
  { supplierOrderId }: Purchase,
  times: number,
): Promise<() => Promise<void>> {
  const session = new Client({ connectionString });
  await session.connect();
  onTestFinished(() => session.end());
  await eventually(async () => {
    await session.query('begin');
    const lock = 'select 1 from purchase_intents where supplier_order_id = $1 for update';
    const { rowCount } = await session.query(lock, [supplierOrderId]);
    if (rowCount !== 1) await session.query('rollback');
    expect(rowCount).toBe(1);
  });
  return async () => {
    for (let killed = 0; killed < times; ) {
      const { rowCount } = await session.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%update purchase_intents%'`,
      );
      killed += rowCount ?? 0;
      // Its end must be seen before the next one is looked for.
      await session.query('select pg_sleep($1)', [rowCount ? 0.05 : 0.005]);
      await session.query('select pg_stat_clear_snapshot()');
    }
    await session.query('rollback');
  };
}

test.each([1, 3])(
  'the database gone %i times while the answer is recorded: it is recorded, and nobody is called again',
  async (times) => {
    const desk = await aDesk();
    const { world, store, ports } = desk;
    const purchase = await givenPurchase(store);
    // Long enough for the look at the intent that is being called for.
    await givenFaults(world, { operation: CREATE, kind: 'slow', times: 1, delayMs: 1_000 });
    const buying = buy(ports, purchase, 'c1');
    const breakRecording = await holdUpRecording(desk, purchase, times);
    await breakRecording();
    expect(await buying).toEqual(DONE);
    const [order] = await boughtUnder(world, purchase);
    expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
    expect(await rowOf(store, purchase)).toMatchObject({ reference: order?.sdCode });
    expect(await verdicts(store, purchase)).toEqual(['placing', 'placed']);
    expect(await callsOf(world, 'createOrderV2')).toBe(1);
  },
);

test('an answer that cannot be recorded at all is no refusal and no second call: the look-up adopts', async () => {
  const { world, store, ports } = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.8' });
  const purchase = await givenPurchase(store);
  await store.run(
    "alter table purchase_intents add constraint broken check (state in ('calling', 'unknown')) not valid",
  );
  await expect(buy(ports, purchase, 'c1')).rejects.toThrow('broken');
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'calling' });
  expect(await verdicts(store, purchase)).toEqual(['placing']);

  await store.run('alter table purchase_intents drop constraint broken');
  // The command comes again, and finds the row in `placing`.
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
  await moveTo(store, purchase, 'outcome_unknown');
  await eventually(async () => {
    await lookUp(ports, purchase, 'c2');
    expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
  });
  const [order] = await boughtUnder(world, purchase);
  expect(await rowOf(store, purchase)).toMatchObject({ reference: order?.sdCode });
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
});

test('an intent whose commit is not answered is no doubt: the purchase is made under it', async () => {
  const { world, store, ports, connectionString } = await aDesk();
  const purchase = await givenPurchase(store);
  const { cut, proxy } = await withCutCommit(ports, connectionString);
  expect(await buy(cut, purchase, 'c1')).toEqual(DONE);
  expect(proxy.cuts()).toBe(1);
  const [order] = await boughtUnder(world, purchase);
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
  expect(await rowOf(store, purchase)).toMatchObject({ reference: order?.sdCode });
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
});

test('an intent whose commit never came to the database calls nobody, and is written by the next try', async () => {
  const { world, store, ports, connectionString } = await aDesk();
  const purchase = await givenPurchase(store);
  const { cut } = await withCutCommit(ports, connectionString, { isTaken: false });
  await expect(buy(cut, purchase, 'c1')).rejects.toSatisfy(isOutage);
  expect(await boughtUnder(world, purchase)).toEqual([]);
  expect(await buy(cut, purchase, 'c1')).toEqual(DONE);
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
});

/** A purchase whose call ended in doubt; the host has heard of it. */
async function inDoubt(desk: Desk, kind: string): Promise<Purchase> {
  const purchase = await givenPurchase(desk.store);
  await givenFaults(desk.world, { operation: CREATE, kind, times: 1 });
  await buy(desk.ports, purchase, 'c1');
  await moveTo(desk.store, purchase, 'outcome_unknown');
  return purchase;
}

test('a look-up adopts what was bought without an answer', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'error_after');
  await lookUp(desk.ports, purchase, 'c2');
  const [order] = await boughtUnder(desk.world, purchase);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: order?.sdCode });
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
    { type: 'placed', attempt: 1, supplierReference: order?.sdCode, amountMinor: LAMP_COST_MINOR },
  ]);
});

const PLACED_AND_LET_GO = [
  'placed',
  'order.release_requested outcome_unknown',
  'order.release_requested duplicate_suspected',
  'order.release_requested supplier_cancelled',
];

test('a look-up that finds what a person was asked about lets go of that', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'error_after');
  await givenHold(desk.store, purchase);
  await lookUp(desk.ports, purchase, 'c2');
  expect((await verdicts(desk.store, purchase)).slice(2)).toEqual(PLACED_AND_LET_GO);
});

test('a look-up says since when it may have been bought, the time that a restored backup lacks included', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'no_answer_after');
  const asked: (string | undefined)[] = [];
  const ports = withAdapter(desk.ports, {
    lookUp: async (_callerRef, _signal, since) => {
      asked.push(since);
      return [];
    },
  });
  await lookUp(ports, purchase, 'c2');
  await desk.store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', $1, '#1', 'USD', 2000, '2026-01-20T10:00:00+02:00', 'purchasing', '{}')`,
    [purchase.orderId],
  );
  await lookUp(ports, purchase, 'c3');
  await desk.store.run(
    `insert into restorations (backup_of, restored_at) values ('2026-01-10T10:00:00Z', now())`,
  );
  await lookUp(ports, purchase, 'c4');
  expect(asked).toEqual([undefined, '2026-01-20T07:58:00.000Z', '2026-01-10T09:58:00.000Z']);
});

test('a supplier that shows new orders late is asked again and not bought from twice', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '2' }, { timing: { lookupBlindMs: 600 } });
  const purchase = await inDoubt(desk, 'no_answer_after');
  await lookUp(desk.ports, purchase, 'c2');
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', lookUps: 1 });
  await eventually(async () => {
    await lookUp(desk.ports, purchase, 'c3');
    expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'outcome_unknown', 'placed']);
  });
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(1);
});

test('absent is said after two look-ups over the whole window, and then bought under the same reference', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '2' });
  const purchase = await inDoubt(desk, 'no_answer_before');
  const startedAt = performance.now();
  for (const command of ['c2', 'c3', 'c4']) await lookUp(desk.ports, purchase, command);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', lookUps: 3 });
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'outcome_unknown']);
  await eventually(async () => {
    await lookUp(desk.ports, purchase, 'c5');
    expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'outcome_unknown', 'absent']);
  });
  expect(performance.now() - startedAt).toBeGreaterThan(2_000);

  await moveTo(desk.store, purchase, 'draft');
  await buy(desk.ports, purchase, 'c6');
  expect((await saidTo(desk.store, purchase)).slice(3)).toMatchObject([
    { type: 'placing', attempt: 2 },
    { type: 'placed', attempt: 2 },
  ]);
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(1);
});

test('one look-up over any time is not enough', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' });
  const purchase = await inDoubt(desk, 'no_answer_before');
  await lookUp(desk.ports, purchase, 'c2');
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', lookUps: 1 });
});

test('a look-up that fails counts for nothing', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' });
  const purchase = await inDoubt(desk, 'no_answer_after');
  await givenFaults(desk.world, { operation: 'cj.getOrderDetail', kind: 'error_before' });
  await lookUp(desk.ports, purchase, 'c2');
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', lookUps: 0 });
});

test.each([
  ['a refusal', 'told to a person', new SupplierError('permanent', 'no such interface', { code: 1600101 })],
  ['no code', 'told to a person', new SupplierError('transient', 'no code yet', { outage: false })],
  ['an outage', 'asked again', new SupplierError('transient', 'HTTP 500', { httpStatus: 500 })],
  ['no leave', 'asked again', new SupplierError('throttled', 'paused', { sent: false, outage: false })],
])('a doubt whose look-ups have ended with %s for long is %s', async (_, becomes, error) => {
  const lookUpFails = { lookUp: () => Promise.reject(error) };
  const young = await aDesk();
  const fresh = await inDoubt(young, 'no_answer_after');
  await lookUp(withAdapter(young.ports, lookUpFails), fresh, 'c2');
  expect(await verdicts(young.store, fresh)).toEqual(['placing', 'outcome_unknown']);

  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' });
  const purchase = await inDoubt(desk, 'no_answer_after');
  await lookUp(withAdapter(desk.ports, lookUpFails), purchase, 'c2');
  expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject(
    becomes === 'asked again'
      ? []
      : [{ type: 'withheld', reason: 'outcome_unknown', evidence: error.evidence }],
  );
});

test('a call that still has time is not looked up; one whose process died is', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.6' });
  const purchase = await givenPurchase(desk.store);
  const dying = withAdapter(desk.ports, { place: () => new Promise(() => {}) });
  void buy(dying, purchase, 'c1');
  await eventually(async () =>
    expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'calling' }),
  );
  await moveTo(desk.store, purchase, 'outcome_unknown');
  await lookUp(desk.ports, purchase, 'c2');
  expect(await callsOf(desk.world, 'getOrderDetail')).toBe(0);
  await eventually(async () => {
    await lookUp(desk.ports, purchase, 'c3');
    expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'absent' });
  });
});

/** Makes the same order at the supplier once more, past our ledger. */
async function placeByHand(desk: Desk, purchase: Purchase): Promise<string> {
  const request = await placeRequestOf(desk, purchase.supplierOrderId);
  return (await desk.adapter.place(request, never)).supplierReference;
}

const keyOf = ({ supplierOrderId }: Purchase, supplierReference: string): OrderKey => ({
  supplierReference,
  callerRef: supplierOrderId,
});

async function payByHand(desk: Desk, purchase: Purchase, reference: string): Promise<void> {
  await desk.adapter.preparePayment(keyOf(purchase, reference), never);
  await desk.adapter.pay(reference, never);
}

/** A doubt behind which the supplier, who does not refuse repeated numbers, holds two orders. */
async function twiceAtSupplier(): Promise<{ desk: Desk; purchase: Purchase; references: string[] }> {
  // A parcel that leaves at once would take its order out of the states that a look-up searches for a second one.
  const desk = await aDesk({}, { timing: { shipMs: 60_000 } });
  await control(desk.world, 'PUT', '/settings', { dupMode: 'B' });
  const purchase = await inDoubt(desk, 'no_answer_before');
  const references = [await placeByHand(desk, purchase), await placeByHand(desk, purchase)];
  return { desk, purchase, references };
}

test('of two unpaid orders under one reference one is given up and the other adopted', async () => {
  const { desk, purchase, references } = await twiceAtSupplier();
  await lookUp(desk.ports, purchase, 'c2');
  const living = await boughtUnder(desk.world, purchase);
  expect(living).toHaveLength(1);
  expect(references).toContain(living[0]?.sdCode);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: living[0]?.sdCode });
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('placed');
});

test('of a paid and an unpaid order the paid one is kept', async () => {
  const { desk, purchase, references } = await twiceAtSupplier();
  const paid = references[1] ?? '';
  await payByHand(desk, purchase, paid);
  await lookUp(desk.ports, purchase, 'c2');
  expect(await boughtUnder(desk.world, purchase)).toMatchObject([{ sdCode: paid, paidCount: 1 }]);
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    type: 'accepted',
    supplierReference: paid,
  });
});

test('a person who was asked about two orders is asked no more once one of them could be given up', async () => {
  const { desk, purchase } = await twiceAtSupplier();
  await givenHold(desk.store, purchase);
  await lookUp(desk.ports, purchase, 'c2');
  expect((await verdicts(desk.store, purchase)).slice(2)).toEqual(PLACED_AND_LET_GO);
});

test.each([
  ['both are paid', 'pay'],
  ['the surplus cannot be given up', 'confirm'],
])('two orders of which %s are held for a person', async (_name, deed) => {
  const { desk, purchase, references } = await twiceAtSupplier();
  for (const reference of references) {
    if (deed === 'pay') await payByHand(desk, purchase, reference);
    else await desk.adapter.preparePayment(keyOf(purchase, reference), never);
  }
  await lookUp(desk.ports, purchase, 'c2');
  const [held] = (await saidTo(desk.store, purchase)).slice(2);
  expect(held).toMatchObject({ type: 'withheld', reason: 'duplicate_suspected' });
  for (const reference of references) expect(JSON.stringify(held)).toContain(reference);
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(2);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown' });
});

/** The articles of an order that stands at the supplier cannot be changed; those that we wanted can. */
const wantOthers = async ({ store }: Desk, { supplierOrderId }: Purchase): Promise<void> => {
  await store.run('update supplier_order_lines set supplier_units = 3 where supplier_order_id = $1', [
    supplierOrderId,
  ]);
};

test('an order with other articles under our reference is held, not adopted', async () => {
  const desk = await aDesk();
  const purchase = await inDoubt(desk, 'error_after');
  await wantOthers(desk, purchase);
  await lookUp(desk.ports, purchase, 'c2');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('withheld duplicate_suspected');
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: null });
});

test('two orders with other articles are held, and none of them is given up', async () => {
  const { desk, purchase } = await twiceAtSupplier();
  await wantOthers(desk, purchase);
  await lookUp(desk.ports, purchase, 'c2');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('withheld duplicate_suspected');
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(2);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: null });
});

/** Ports whose next transaction is committed, and says so only when the returned function is called. */
function withLateCommit(ports: PurchasePorts): {
  late: PurchasePorts;
  committed: Promise<void>;
  wake: () => void;
} {
  const [frozen, committed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const store: Store = {
    ...ports.store,
    async sureTransaction(work) {
      const result = await ports.store.sureTransaction(work);
      committed.resolve();
      await frozen.promise;
      return result;
    },
  };
  return { late: { ...ports, store }, committed: committed.promise, wake: frozen.resolve };
}

test('a process that stood still between intent and call longer than the call may take calls nobody any more', async () => {
  const { world, store, ports } = await aDesk();
  const purchase = await givenPurchase(store);
  const { late, committed, wake } = withLateCommit(ports);
  const sleeping = buy(late, purchase, 'c1');
  await committed;
  // As after a thaw: the clock has gone on, and no timer has fired yet.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  onTestFinished(() => void vi.useRealTimers());
  wake();
  await sleeping;
  expect(await callsOf(world, 'createOrderV2')).toBe(0);
  expect(await verdicts(store, purchase)).toEqual(['placing', 'deferred']);
});

test('a word that nothing was bought is not taken while an order of our number lives there, whatever it holds', async () => {
  const desk = await aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' }, { timing: { shipMs: 60_000 } });
  const purchase = await inDoubt(desk, 'no_answer_before');
  const reference = await placeByHand(desk, purchase);
  await wantOthers(desk, purchase);
  const word = { supplierOrderId: purchase.supplierOrderId, note: 'looked on the site' };
  await eventually(async () =>
    expect(await settleNotBought(desk.ports, word)).toMatchObject({
      value: { result: 'refused', detail: expect.stringContaining(`${reference}: it holds other articles`) },
    }),
  );
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown' });
});

test.each([
  ['is in doubt itself', 'A', 'unknown'],
  ['has its own answer', 'B', 'done'],
])('an answer that arrives when the next attempt %s is held, not believed', async (_name, dupMode, state) => {
  const desk = await aDesk(
    { ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '1', ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' },
    { timing: { lookupBlindMs: 60_000 } },
  );
  const { world, store, ports, adapter } = desk;
  await control(world, 'PUT', '/settings', { dupMode });
  const purchase = await givenPurchase(store);
  const frozen = Promise.withResolvers<void>();
  let late = '';
  const sleeper = withAdapter(ports, {
    async place(request) {
      const placed = await adapter.place(request, never);
      late = placed.supplierReference;
      await frozen.promise;
      return placed;
    },
  });
  const sleeping = buy(sleeper, purchase, 'c1');
  await eventually(async () => expect(await boughtUnder(world, purchase)).toHaveLength(1));
  await moveTo(store, purchase, 'outcome_unknown');
  await eventually(async () => {
    await lookUp(ports, purchase, 'c2');
    expect((await verdicts(store, purchase)).at(-1)).toBe('absent');
  });
  await moveTo(store, purchase, 'draft');
  await buy(ports, purchase, 'c3');

  frozen.resolve();
  await sleeping;
  expect((await saidTo(store, purchase)).at(-1)).toMatchObject({
    type: 'withheld',
    reason: 'duplicate_suspected',
    evidence: { supplierReference: late, lateAttempt: 1 },
  });
  expect(await intentOf(store, purchase)).toMatchObject({ attempt: 2, state });
  expect((await rowOf(store, purchase))?.reference).not.toBe(late);
});

test('an answer that repeats what a look-up has adopted raises nothing', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '1' });
  const { world, store, ports, adapter } = desk;
  const purchase = await givenPurchase(store);
  const frozen = Promise.withResolvers<void>();
  const sleeper = withAdapter(ports, {
    async place(request) {
      const placed = await adapter.place(request, never);
      await frozen.promise;
      return placed;
    },
  });
  const sleeping = buy(sleeper, purchase, 'c1');
  await eventually(async () => expect(await boughtUnder(world, purchase)).toHaveLength(1));
  await moveTo(store, purchase, 'outcome_unknown');
  await eventually(async () => {
    await lookUp(ports, purchase, 'c2');
    expect((await verdicts(store, purchase)).at(-1)).toBe('placed');
  });
  frozen.resolve();
  await sleeping;
  expect(await verdicts(store, purchase)).toEqual(['placing', 'placed']);
});

test('a doubt about a purchase that the ledger knows was not made ends, instead of being looked up for ever', async () => {
  const desk = await aDesk();
  const { world, store, ports } = desk;
  const purchase = await givenPurchase(store);
  await givenFaults(world, { operation: CREATE, kind: 'rate_limit', times: 1 });
  await buy(ports, purchase, 'c1');
  // The deadline of the call overtook the answer "not now" on its way through an outage of the bus.
  await moveTo(store, purchase, 'outcome_unknown');
  await endPause(store);
  await lookUp(ports, purchase, 'c2');
  expect(await verdicts(store, purchase)).toEqual(['placing', 'deferred', 'absent']);
});

test('a draft whose purchase is in doubt by the ledger is looked up and adopted, and not bought again', async () => {
  const desk = await aDesk();
  const { world, store, ports } = desk;
  const purchase = await inDoubt(desk, 'error_after');
  await moveTo(store, purchase, 'draft');
  await buy(ports, purchase, 'c2');
  expect(await rowOf(store, purchase)).toMatchObject({ state: 'placing' });
  expect(await verdicts(store, purchase)).toEqual(['placing', 'outcome_unknown', 'outcome_unknown']);
  await moveTo(store, purchase, 'outcome_unknown');
  await lookUp(ports, purchase, 'c3');
  expect((await verdicts(store, purchase)).at(-1)).toBe('placed');
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
});

test('a verdict that got lost on its way is said again from the ledger, without asking the supplier', async () => {
  const desk = await aDesk();
  const { world, store, ports } = desk;
  const bought = await givenPurchase(store);
  await buy(ports, bought, 'c1');
  await moveTo(store, bought, 'outcome_unknown');
  const before = await callsOf(world, 'getOrderDetail');
  await lookUp(ports, bought, 'c2');
  expect(await callsOf(world, 'getOrderDetail')).toBe(before);
  const reference = (await rowOf(store, bought))?.reference;
  expect((await saidTo(store, bought)).at(-1)).toMatchObject({
    type: 'placed',
    attempt: 1,
    supplierReference: reference,
  });
});

test('a refusal that got lost on its way is said again with its class', async () => {
  const desk = await aDesk();
  const { store, ports } = desk;
  const purchase = await givenPurchase(store);
  await store.run("update supplier_orders set shipping_method = 'No Such Carrier' where id = $1", [
    purchase.supplierOrderId,
  ]);
  await buy(ports, purchase, 'c1');
  const [, refused] = await saidTo(store, purchase);
  expect(refused).toMatchObject({ type: 'rejected', failureClass: 'not_shippable' });
  await moveTo(store, purchase, 'outcome_unknown');
  await lookUp(ports, purchase, 'c2');
  const said = await saidTo(store, purchase);
  expect(said).toHaveLength(3);
  expect(said.at(-1)).toMatchObject({ type: 'rejected', failureClass: 'not_shippable' });
});

const INTENT = {
  supplierOrderId: 'sup_ord_1',
  orderId: 'ord_1',
  supplier: 'cj_dropshipping',
  deed: 'create',
  requestHash: 'h',
  costMinor: 100,
  currency: 'USD',
  callTimeoutMs: 60_000,
  caps: { perOrderMinor: undefined, perDayMinor: undefined, rates: { USD: 1 } },
} as const;
const DOUBT = { windowMs: 0, lookUps: 2 };

test('the ledger gives the right to call to one of many and takes a verdict only for its own attempt', async () => {
  const { store } = await aDesk();
  await givenPurchase(store, { number: 1 });
  const ask = () =>
    store.transaction(async (sql) => {
      await sql.query("select 1 from supplier_orders where order_id = 'ord_1' for update");
      const [begun] = await begin(sql, [INTENT]);
      return begun;
    });
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  expect(answers.filter((answer) => answer?.may === 'call')).toEqual([{ may: 'call', attempt: 1 }]);
  expect(answers.filter((answer) => answer?.may === 'wait')).toHaveLength(7);

  const key = { supplierOrderId: INTENT.supplierOrderId, deed: 'create' as const };
  expect(await settle(store, { ...key, attempt: 2 }, { state: 'done', evidence: {} })).toBe(false);
  // Nobody may count absences while the call still has its time.
  expect(await countAbsence(store, { ...key, attempt: 1 }, DOUBT)).toEqual({ isAbsent: false, lookUps: 0 });
  expect(await settle(store, { ...key, attempt: 1 }, { state: 'unknown', evidence: {} })).toBe(true);
  expect(await ask()).toEqual({ may: 'look_up', attempt: 1 });
  expect(await countAbsence(store, { ...key, attempt: 1 }, DOUBT)).toEqual({ isAbsent: false, lookUps: 1 });
  expect(await countAbsence(store, { ...key, attempt: 1 }, DOUBT)).toEqual({ isAbsent: true, lookUps: 2 });
  expect(await settle(store, { ...key, attempt: 1 }, { state: 'done', evidence: {} })).toBe(false);
  expect(await ask()).toEqual({ may: 'call', attempt: 2 });
  expect(await settle(store, { ...key, attempt: 2 }, { state: 'done', evidence: {} })).toBe(true);
  expect(await ask()).toEqual({ may: 'wait' });
});
