import { expect, onTestFinished, test } from 'vitest';
import { SUPPLIER_ORDER_OBSERVED } from '../../contracts/events/supplier-order-observed.ts';
import { callPauses, createQuotaReporter } from '../../services/suppliers/account.ts';
import type { ObservedStatus, OrderKey } from '../../services/suppliers/adapter.ts';
import { readPurchase } from '../../services/suppliers/purchase-row.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { tellObserved } from '../../services/suppliers/tell-observed.ts';
import { startWatch } from '../../services/suppliers/watch.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  article,
  type Copy,
  callsOf,
  type Desk,
  type Environment,
  givenPurchase,
  LAMP_COST_MINOR,
  placeRequestOf,
  saidTo,
} from '../fixtures/purchase-desk.ts';
import { ledgerOf } from '../sandbox/world.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

const never = new AbortController().signal;
/** Once is enough within a test. */
const RARELY = { ORDER_MANAGER_POLL_SECONDS: '600' };
const OFTEN = { ORDER_MANAGER_POLL_SECONDS: '0.1' };

/** Orders that stand at the supplier and are due for a look, numbered from 1. */
async function placedOrders(desk: Desk, count: number): Promise<Purchase[]> {
  const purchases: Purchase[] = [];
  for (let number = 1; number <= count; number += 1) {
    const purchase = await givenPurchase(desk.store, { number, state: 'accepted' });
    const request = await placeRequestOf(desk, purchase.supplierOrderId);
    const { supplierReference } = await desk.adapter.place(request, never);
    await desk.store.run(
      "update supplier_orders set supplier_reference = $2, next_check_at = now() - interval '1 second' where id = $1",
      [purchase.supplierOrderId, supplierReference],
    );
    purchases.push(purchase);
  }
  return purchases;
}

async function payFor(desk: Desk, { supplierOrderId }: Purchase): Promise<void> {
  const supplierReference = (await readPurchase(desk.store, supplierOrderId))?.supplierReference ?? '';
  await desk.adapter.preparePayment({ supplierReference, callerRef: supplierOrderId }, never);
  await desk.adapter.pay(supplierReference, never);
}

const watching = (copy: Copy, adapter = copy.adapter) => {
  const watch = startWatch(copy.ports, adapter);
  onTestFinished(() => watch.stop());
  return watch;
};

const observations = async (desk: Desk): Promise<number> => {
  const [row] = await desk.store.query<{ count: number }>(
    "select count(*)::int as count from outbox where subject like '%' || $1 || '%'",
    [SUPPLIER_ORDER_OBSERVED],
  );
  return row?.count ?? 0;
};

const dueOrders = async (desk: Desk): Promise<number> => {
  const [row] = await desk.store.query<{ count: number }>(
    'select count(*)::int as count from supplier_orders where next_check_at <= now()',
  );
  return row?.count ?? 0;
};

/** Nothing of these orders is paid, and within the window nobody minds. */
const aWatchedDesk = (environment: Environment, timing = {}) =>
  aDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '600', ...environment }, { timing });

test('a hundred orders need two calls', async () => {
  const desk = await aWatchedDesk(RARELY);
  await placedOrders(desk, 100);
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(100));
  expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBe(2);
  expect(await callsOf(desk.world, 'getOrderDetail')).toBe(0);
});

test('a thousand waiting orders need twenty calls', async () => {
  const desk = await aWatchedDesk({ ...RARELY, ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '30' });
  const [first] = await placedOrders(desk, 1);
  const request = await placeRequestOf(desk, first?.supplierOrderId ?? '');
  const refs = Array.from({ length: 999 }, (_, n) => `sup_ord_${n}`);
  const placed: { id: string; reference: string }[] = [];
  while (refs.length > 0) {
    const some = refs.splice(0, 25).map(async (callerRef) => {
      const { supplierReference } = await desk.adapter.place({ ...request, callerRef }, never);
      placed.push({ id: callerRef, reference: supplierReference });
    });
    await Promise.all(some);
  }
  await desk.store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency, supplier_reference, next_check_at)
     select id, 'ord_' || id, 'cj_dropshipping', 'accepted', '{}', 'x', 'CN', 1, 'USD', reference, now()
       from json_to_recordset($1::json) as d(id text, reference text)`,
    [JSON.stringify(placed)],
  );
  const callsBefore = Object.values((await ledgerOf(desk.world)).calls).reduce(
    (sum, count) => sum + count,
    0,
  );
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(1_000));
  const calls = Object.values((await ledgerOf(desk.world)).calls).reduce((sum, count) => sum + count, 0);
  expect(calls - callsBefore).toBeLessThanOrEqual(20);
});

test('a call that one order needs is filled up with those that are due next', async () => {
  const desk = await aWatchedDesk(RARELY);
  await placedOrders(desk, 30);
  await desk.store.run("update supplier_orders set next_check_at = now() + random() * interval '1 minute'");
  watching(desk);
  await desk.store.run(
    "update supplier_orders set next_check_at = now() - interval '1 second' where id = (select min(id) from supplier_orders)",
  );
  await eventually(async () => expect(await observations(desk)).toBe(30));
  expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBe(1);
});

test('where a call tells of one order only, each has its turn before any has its second, pushed or not', async () => {
  const desk = await aWatchedDesk({ ORDER_MANAGER_POLL_SECONDS: '0.5' });
  for (let number = 1; number <= 20; number += 1)
    await givenPurchase(desk.store, { number, state: 'accepted', reference: `AE${number}`, isWatched: true });
  const asked: string[] = [];
  watching(desk, {
    ...desk.adapter,
    capabilities: { ...desk.adapter.capabilities, statusBatchSize: 1 },
    status: async (keys) => {
      asked.push(...keys.map(({ supplierReference }) => supplierReference));
      await desk.store.run(
        "update supplier_orders set next_check_at = now() where supplier_reference = 'AE1'",
      );
      return new Map();
    },
  });
  await eventually(() => expect(asked.length).toBeGreaterThan(20));
  // The one that is pushed again and again comes behind whoever waits longer.
  expect(new Set(asked.slice(0, 20)).size).toBe(20);
});

test('a look that fails is made up for soon, not after the whole pause', async () => {
  const desk = await aWatchedDesk(RARELY);
  await placedOrders(desk, 1);
  let failures = 0;
  const watch = watching(desk, {
    ...desk.adapter,
    status: async () => {
      failures += 1;
      throw new SupplierError('transient', 'no answer', {});
    },
  });
  await eventually(() => expect(failures).toBe(1));
  await watch.stop();
  const [row] = await desk.store.query<{ seconds: number }>(
    'select extract(epoch from next_check_at - now())::float8 as seconds from supplier_orders',
  );
  expect(row?.seconds).toBeLessThanOrEqual(5);
});

test('an order that does not come to an end is looked at more and more rarely, unless it waits for its payment', async () => {
  const desk = await aWatchedDesk({ ORDER_MANAGER_POLL_SECONDS: '900' });
  const [fresh, old, lost, unpaid] = await placedOrders(desk, 4);
  const stands = (purchase: Purchase | undefined, state: string, days: number) =>
    desk.store.run(
      `update supplier_orders set state = $2, entered_at = now() - $3::float8 * interval '1 day' where id = $1`,
      [purchase?.supplierOrderId, state, days],
    );
  await stands(fresh, 'shipped', 0.1);
  await stands(old, 'shipped', 60);
  await stands(lost, 'shipped', 3_000);
  await stands(unpaid, 'awaiting_payment', 60);
  watching(desk);
  await eventually(async () => expect(await dueOrders(desk)).toBe(0));
  const minutesUntil = async (purchase: Purchase | undefined): Promise<number> => {
    const [row] = await desk.store.query<{ minutes: number }>(
      `select extract(epoch from next_check_at - now())::float8 / 60 as minutes from supplier_orders where id = $1`,
      [purchase?.supplierOrderId],
    );
    return row?.minutes ?? 0;
  };
  expect(await minutesUntil(fresh)).toBeLessThanOrEqual(15);
  expect(await minutesUntil(unpaid)).toBeLessThanOrEqual(15);
  expect(await minutesUntil(old)).toBeGreaterThan(15);
  expect(await minutesUntil(old)).toBeLessThan(60);
  expect(await minutesUntil(lost)).toBeGreaterThan(240);
  expect(await minutesUntil(lost)).toBeLessThanOrEqual(360);
});

test('a supplier that does not take our login is not called for each order that is due', async () => {
  const desk = await aWatchedDesk({ ...RARELY, CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '20' });
  await placedOrders(desk, 3);
  let rounds = 0;
  let calls = 0;
  const watch = watching(desk, {
    ...desk.adapter,
    capabilities: { ...desk.adapter.capabilities, statusBatchSize: 1 },
    breakerState: () => {
      rounds += 1;
      return 'closed';
    },
    status: async () => {
      calls += 1;
      throw new SupplierError('auth', 'token invalid', {});
    },
  });
  await eventually(() => {
    watch.wake();
    expect(rounds).toBeGreaterThan(3);
  });
  expect(calls).toBe(1);
});

test('while the supplier wants no calls, orders keep their place', async () => {
  const desk = await aWatchedDesk(OFTEN);
  await placedOrders(desk, 1);
  await createQuotaReporter(
    desk.store,
    'cj_dropshipping',
  )({
    pausedUntil: new Date(Date.now() + 1_500).toISOString(),
  });
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(1));
  expect((await callPauses(desk.store, 'cj_dropshipping')).callsMs).toBe(0);
});

test('two copies share the orders: nothing is asked or said twice', async () => {
  const desk = await aWatchedDesk(RARELY);
  await placedOrders(desk, 60);
  const other = await desk.copy();
  watching(desk);
  watching(other);
  await eventually(async () => expect(await observations(desk)).toBe(60));
  expect(await dueOrders(desk)).toBe(0);
  // A copy that finds a batch half taken asks for fewer at once, and for none twice.
  expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBeLessThanOrEqual(6);
});

test('news is said once, in order, up to the delivery', async () => {
  const timing = { processMs: 300, shipMs: 300, transitMs: 300, deliverMs: 300 };
  const desk = await aWatchedDesk(OFTEN, timing);
  const [purchase] = await placedOrders(desk, 1);
  if (purchase === undefined) throw new Error('no order');
  const watch = watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(1));
  await payFor(desk, purchase);
  await eventually(async () =>
    expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({ status: 'delivered' }),
  );
  const before = await callsOf(desk.world, 'getOrderDetailBatch');
  await eventually(async () =>
    expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBeGreaterThan(before + 2),
  );
  await watch.stop();

  const said = await saidTo(desk.store, purchase);
  const news = said.map((seen) => JSON.stringify(seen));
  expect(new Set(news).size).toBe(news.length);
  const statuses = said.map((seen) => ('status' in seen ? seen.status : null));
  expect([...new Set(statuses)]).toEqual(['awaiting_payment', 'processing', 'shipped', 'delivered']);
  expect(said.at(-1)).toMatchObject({ parcels: [{ state: 'delivered', carrier: 'CJPacket Ordinary' }] });
  const ids = await desk.store.query<{ id: string }>('select distinct message_id as id from outbox');
  expect(ids).toHaveLength(said.length);
});

test('what a person has to see to is news, and a state that nobody knows is told as the one before', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [purchase] = await placedOrders(desk, 1);
  if (purchase === undefined) throw new Error('no order');
  const attention = { reason: 'operator' as const, evidence: { orderStatus: 'IN_ISSUE' } };
  let seen: ObservedStatus = { status: 'processing', parcels: [], evidence: {} };
  watching(desk, {
    ...desk.adapter,
    status: async (keys) => new Map(keys.map(({ supplierReference }) => [supplierReference, seen])),
  });
  const lastSaid = async () => (await saidTo(desk.store, purchase)).at(-1);
  await eventually(async () => expect(await lastSaid()).toMatchObject({ status: 'processing' }));
  seen = { ...seen, attention };
  await eventually(async () => expect(await lastSaid()).toMatchObject({ status: 'processing', attention }));
  await desk.store.run("update supplier_orders set state = 'shipped'");
  seen = { ...seen, status: null };
  await eventually(async () => expect(await lastSaid()).toMatchObject({ status: 'shipped', attention }));
});

test('an end that nobody expected is told when it is shown twice, and one that is taken back never was', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [purchase] = await placedOrders(desk, 1);
  if (purchase === undefined) throw new Error('no order');
  const shown: ('cancelled' | 'processing')[] = [
    'processing',
    'cancelled',
    'processing',
    'cancelled',
    'cancelled',
  ];
  const asked: string[] = [];
  watching(desk, {
    ...desk.adapter,
    status: async (keys) => {
      const status = shown[asked.length] ?? 'cancelled';
      asked.push(status);
      const evidence = { orderStatus: status };
      return new Map(
        keys.map(({ supplierReference }) => [supplierReference, { status, parcels: [], evidence }]),
      );
    },
  });
  const said = async () =>
    (await saidTo(desk.store, purchase)).map((each) => ('status' in each ? each.status : null));
  await eventually(async () => expect((await said()).at(-1)).toBe('cancelled'));
  expect(asked.slice(0, 5)).toEqual(shown);
  expect(await said()).toEqual(['processing', 'processing', 'cancelled']);
  const supplierReference = (await readPurchase(desk.store, purchase.supplierOrderId))?.supplierReference;
  expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
    evidence: { supplierReference, orderStatus: 'cancelled' },
  });
});

test('what several looks see at the same time is told in one transaction, and of two at one order the later', async () => {
  const desk = await aDesk(RARELY);
  const [one, other] = await placedOrders(desk, 2);
  const seeing = ({ orderId, supplierOrderId: id }: Purchase, status: 'processing' | 'shipped') =>
    tellObserved(desk.ports, {
      id,
      orderId,
      state: 'accepted',
      seen: { status, parcels: [], evidence: {} },
      fingerprint: status,
    });
  await Promise.all([seeing(one!, 'processing'), seeing(other!, 'shipped'), seeing(one!, 'shipped')]);
  await expect(desk.store.query('select distinct xmin::text from supplier_orders')).resolves.toHaveLength(1);
  for (const purchase of [one!, other!])
    expect(await saidTo(desk.store, purchase)).toMatchObject([{ type: 'observed', status: 'shipped' }]);

  await seeing(one!, 'shipped');
  expect(await saidTo(desk.store, one!)).toHaveLength(1);
});

test('a copy that dies between taking orders and recording them costs one round and no news', async () => {
  const desk = await aWatchedDesk({ ORDER_MANAGER_POLL_SECONDS: '1' });
  await placedOrders(desk, 3);
  const dying = await desk.copy();
  let asked = 0;
  const watch = watching(dying, {
    ...dying.adapter,
    status: async () => {
      asked += 1;
      throw new SupplierError('transient', 'the process ends here', {});
    },
  });
  await eventually(() => expect(asked).toBe(1));
  await watch.stop();
  expect(await dueOrders(desk)).toBe(0);
  expect(await observations(desk)).toBe(0);
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(3));
});

test('an order that the supplier does not know is logged and does not stop its neighbours', async () => {
  const desk = await aWatchedDesk(OFTEN);
  await placedOrders(desk, 1);
  const { supplierOrderId } = await givenPurchase(desk.store, {
    number: 2,
    state: 'accepted',
    reference: 'SD2600000000000009999',
    isWatched: true,
  });
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(1));
  await eventually(() =>
    expect(desk.logLines).toContainEqual(
      expect.objectContaining({
        supplierOrderId,
        msg: 'the supplier told nothing about an order that we bought',
      }),
    ),
  );
});

test('a bought order that its supplier has not shown for a day is for a person, until it is shown again', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [purchase] = await placedOrders(desk, 1);
  await payFor(desk, purchase!);
  let isHidden = true;
  watching(desk, {
    ...desk.adapter,
    status: async (keys, signal) => (isHidden ? new Map() : desk.adapter.status(keys, signal)),
  });
  const unseen = "observation like 'unseen %'";
  const aDayLater = `update supplier_orders set observation = 'unseen ' || (extract(epoch from now() - interval '25 hours') * 1000)::bigint where ${unseen}`;
  await eventually(async () => expect(await desk.store.run(aDayLater)).toBe(1));
  const attention = { reason: 'operator', evidence: { cause: expect.stringMatching(/told nothing/) } };
  await eventually(async () =>
    expect(await saidTo(desk.store, purchase!)).toMatchObject([{ status: 'processing', attention }]),
  );
  isHidden = false;
  await eventually(async () => expect(await observations(desk)).toBe(2));
  expect((await saidTo(desk.store, purchase!))[1]).not.toHaveProperty('attention');
});

test('an order that only the end of the time kept from being read is looked at again soon, and not complained of', async () => {
  const desk = await aWatchedDesk(RARELY);
  const [one, other] = await placedOrders(desk, 2);
  const { supplierReference = null } = (await readPurchase(desk.store, other!.supplierOrderId)) ?? {};
  let looks = 0;
  watching(desk, {
    ...desk.adapter,
    async status(keys, signal) {
      looks += 1;
      const seen = new Map(await desk.adapter.status(keys, signal));
      if (looks === 1) seen.delete(supplierReference ?? '');
      return seen;
    },
  });
  for (const purchase of [one!, other!])
    await eventually(async () =>
      expect(await saidTo(desk.store, purchase)).toMatchObject([{ type: 'observed' }]),
    );
  expect(desk.logLines.map(({ msg }) => msg)).not.toContain(
    'the supplier told nothing about an order that we bought',
  );
});

test('orders that nobody watches, or that have no reference yet, are not asked for', async () => {
  const desk = await aWatchedDesk(RARELY);
  const [watched] = await placedOrders(desk, 1);
  await givenPurchase(desk.store, { number: 2, state: 'delivered', reference: 'SD1' });
  await givenPurchase(desk.store, { number: 3, state: 'placing', isWatched: true });
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(1));
  const [row] = await desk.store.query<{ ids: string[] }>(
    "select array_agg(id) as ids from supplier_orders where next_check_at > now() + interval '1 minute'",
  );
  expect(row?.ids).toEqual([watched?.supplierOrderId]);
});

test('the supplier is told what was ordered, so that its parcels can say what they hold', async () => {
  const desk = await aWatchedDesk(RARELY);
  await placedOrders(desk, 1);
  const asked: (readonly OrderKey[])[] = [];
  watching(desk, {
    ...desk.adapter,
    status: (keys, signal) => {
      asked.push(keys);
      return desk.adapter.status(keys, signal);
    },
  });
  await eventually(async () => expect(await observations(desk)).toBe(1));
  const { supplierVariantId } = article(1);
  expect(asked).toMatchObject([[{ lines: [{ lineId: '1', supplierVariantId }] }]]);
});

test('an order that was taken for paid and is shown unpaid is for a person, once a payment must have shown', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [early, late] = await placedOrders(desk, 2);
  await desk.store.run(
    "update supplier_orders set entered_at = now() - interval '11 minutes' where id = $1",
    [late!.supplierOrderId],
  );
  watching(desk);
  await eventually(async () => expect(await observations(desk)).toBe(2));
  const [soon] = await saidTo(desk.store, early!);
  expect(soon).toMatchObject({ status: 'awaiting_payment' });
  expect(soon).not.toHaveProperty('attention');
  expect(await saidTo(desk.store, late!)).toMatchObject([
    {
      status: 'awaiting_payment',
      attention: { reason: 'operator', evidence: { supplierReference: expect.stringMatching(/^SD/) } },
    },
  ]);
});

test('what a supplier took with the order is for a person where it is more than the purchase may cost', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [dear, fair] = await placedOrders(desk, 2);
  const setAmount = (purchase: Purchase, amountMinor: number) =>
    desk.store.run('update supplier_orders set amount_minor = $2 where id = $1', [
      purchase.supplierOrderId,
      amountMinor,
    ]);
  await setAmount(dear!, Math.floor(LAMP_COST_MINOR * 1.1) + 1);
  await setAmount(fair!, Math.floor(LAMP_COST_MINOR * 1.1));
  const { adapter } = desk;
  watching(desk, { ...adapter, capabilities: { ...adapter.capabilities, payment: 'with_order' } });
  await eventually(async () => expect(await observations(desk)).toBe(2));
  expect(await saidTo(desk.store, dear!)).toMatchObject([
    {
      attention: { reason: 'cost_above_cap', evidence: { expectedMinor: LAMP_COST_MINOR, currency: 'USD' } },
    },
  ]);
  const [said] = await saidTo(desk.store, fair!);
  expect(said).not.toHaveProperty('attention');
});

test('an amount that only the status tells is remembered and compared', async () => {
  const desk = await aWatchedDesk(OFTEN);
  const [purchase] = await placedOrders(desk, 1);
  const { adapter } = desk;
  watching(desk, {
    ...adapter,
    capabilities: { ...adapter.capabilities, payment: 'with_order' },
    status: async (keys, signal) =>
      new Map(
        [...(await adapter.status(keys, signal))].map(([reference, status]) => [
          reference,
          { ...status, amountMinor: 2 * LAMP_COST_MINOR },
        ]),
      ),
  });
  await eventually(async () => expect(await observations(desk)).toBe(1));
  const [said] = await saidTo(desk.store, purchase!);
  expect(said).toMatchObject({
    attention: { reason: 'cost_above_cap', evidence: { amountMinor: 2 * LAMP_COST_MINOR } },
  });
  expect(said).not.toHaveProperty('amountMinor');
  expect(await readPurchase(desk.store, purchase!.supplierOrderId)).toMatchObject({
    amountMinor: 2 * LAMP_COST_MINOR,
  });
});
