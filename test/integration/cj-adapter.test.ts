import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { OrderKey, SupplierAdapter } from '../../services/suppliers/adapter.ts';
import type { TokenStore } from '../../services/suppliers/adapter-parts.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import {
  aCjOrder as anOrder,
  answering,
  callsOf as callsIn,
  cjAdapter,
  ledgerOf,
  NOT_SERVED,
  never,
  PLAIN_SETTINGS,
  put,
  startCjWorld,
  TIMING,
} from '../fixtures/cj-world.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const [lamp, mug] = CATALOGUE;

let sandbox: Sandbox;
let tokens: TokenStore;
let cj: SupplierAdapter;

beforeAll(async () => {
  sandbox = await startCjWorld();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  tokens = memoryTokens();
  cj = anAdapter();
  await control('faults', []);
  await control('settings', PLAIN_SETTINGS);
});

const anAdapter = (changes: Parameters<typeof cjAdapter>[2] = {}): SupplierAdapter =>
  cjAdapter(sandbox, tokens, changes);

const control = (what: 'faults' | 'settings', value: unknown, world = sandbox): Promise<void> =>
  put(world, what, value);

const fault = (operation: string, kind: string, more: object = {}): Promise<void> =>
  control('faults', [{ operation, kind, times: 1, ...more }]);

const bought = async (callerRef: string) =>
  (await ledgerOf(sandbox)).purchases.find(({ orderNumber }) => orderNumber === callerRef)?.orders ?? [];

const callsOf = (operation: string): Promise<number> => callsIn(sandbox, operation);

/** Places the order; it stays unpaid. */
async function givenOrder(request = anOrder()): Promise<OrderKey> {
  const { supplierReference } = await cj.place(request, never);
  return { supplierReference, callerRef: request.callerRef };
}

const nobody: OrderKey = { supplierReference: 'SD0000000000000000000', callerRef: 'sup_ord_nobody' };

test('an order is placed unpaid, found under our reference, made payable, paid and followed to the door', async () => {
  const request = anOrder();
  const { options } = await cj.quote(
    { destination: { countryCode: 'FR', zip: '69003' }, shipsFrom: 'CN', articles: request.lines },
    never,
  );
  const placed = await cj.place(request, never);
  const amountMinor = 690 + 2 * 410 + options[0]!.costMinor;
  expect(placed).toEqual({
    supplierReference: expect.stringMatching(/^SD\d+$/),
    amountMinor,
    currency: 'USD',
    isPaid: false,
  });
  const { supplierReference } = placed;
  const key = { supplierReference, callerRef: request.callerRef };

  await expect(cj.lookUp(request.callerRef, never)).resolves.toEqual([
    {
      callerRef: request.callerRef,
      supplierReference,
      amountMinor,
      currency: 'USD',
      isPaid: false,
      isCancelled: false,
      createdAt: expect.stringMatching(/^20\d\d-.*Z$/),
      articles: [
        { supplierVariantId: lamp!.supplierVariantId, units: 1 },
        { supplierVariantId: mug!.supplierVariantId, units: 2 },
      ],
    },
  ]);
  const statusNow = async () => (await cj.status([key], never)).get(supplierReference);
  await expect(statusNow()).resolves.toMatchObject({ status: 'awaiting_payment', parcels: [] });

  const due = { state: 'due', amountMinor, currency: 'USD', balanceMinor: 10_000_000 };
  await expect(cj.preparePayment(key, never)).resolves.toEqual(due);
  // It was just read, and is far more than is due.
  await expect(cj.preparePayment(key, never)).resolves.toEqual({ ...due, balanceMinor: null });
  await cj.pay(supplierReference, never);
  await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'paid', balanceMinor: null });

  const seen: string[] = [];
  await vi.waitFor(
    async () => {
      const now = await statusNow();
      const state = `${now?.status} ${now?.parcels[0]?.state ?? 'without parcel'}`;
      if (seen.at(-1) !== state) seen.push(state);
      expect(now).toMatchObject({ status: 'delivered' });
    },
    { timeout: 15_000, interval: 20 },
  );
  const journey = [
    'processing without parcel',
    'processing announced',
    'shipped announced',
    'shipped first_scan',
    'shipped in_transit',
    // Order and carrier are asked one after the other; the parcel may arrive in between.
    'shipped delivered',
    'delivered delivered',
  ];
  // A busy machine may sleep through a step, but never sees one out of turn.
  expect(seen).toEqual(journey.filter((step) => seen.includes(step)));
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(await bought(request.callerRef)).toMatchObject([
    { sdCode: supplierReference, paidCount: 1, amount: amountMinor },
  ]);
});

test('the last mile’s number is told once the parcel moves', async () => {
  await control('settings', { timing: { ...TIMING, deliverMs: 60_000 } });
  const key = await givenOrder();
  await cj.preparePayment(key, never);
  await cj.pay(key.supplierReference, never);
  const parcel = await vi.waitFor(
    async () => {
      const [first] = (await cj.status([key], never)).get(key.supplierReference)?.parcels ?? [];
      expect(first?.state).toBe('in_transit');
      return first;
    },
    { timeout: 60_000, interval: 20 },
  );
  expect(parcel).toMatchObject({
    carrier: 'CJPacket Ordinary',
    lastMileTrackingNumber: expect.stringMatching(/^LM/),
    trackingUrl: expect.stringContaining('https://'),
  });
});

const OWN_IOSS = 'IM0123456789';

/** The bodies that were sent to paths with that end. */
function sentTo(path: string): { readonly fetch: typeof fetch; readonly bodies: Record<string, unknown>[] } {
  const bodies: Record<string, unknown>[] = [];
  return {
    bodies,
    fetch: (input, init) => {
      if (String(input).endsWith(path)) bodies.push(JSON.parse(String(init?.body)));
      return fetch(input, init);
    },
  };
}

test.each([
  ['none', { iossType: 1 }],
  [OWN_IOSS, { iossType: 2, iossNumber: OWN_IOSS }],
  ['cj', { iossType: 3, iossNumber: 'CJ-IOSS' }],
] as const)('an order into the Union says whose IOSS number it travels under: %s', async (ioss, said) => {
  const { fetch: watched, bodies } = sentTo('createOrderV2');
  const adapter = anAdapter({ ioss, send: byFetch(watched) });
  await expect(adapter.place(anOrder(), never)).resolves.toMatchObject({ isPaid: false });
  const { recipient } = anOrder();
  const abroad = { ...recipient, countryCode: 'US', province: 'Ohio', zip: '43004', phone: '+16145550100' };
  await adapter.place(anOrder({ recipient: abroad }), never);
  const [into, elsewhere] = bodies.map(({ iossType, iossNumber }) => ({ iossType, iossNumber }));
  expect(into).toEqual({ iossNumber: undefined, ...said });
  expect(elsewhere).toEqual({ iossType: undefined, iossNumber: undefined });
});

test('freight into the Union is quoted under the merchant’s own IOSS number', async () => {
  const { fetch: watched, bodies } = sentTo('freightCalculate');
  const wanted = { shipsFrom: 'CN', articles: anOrder().lines };
  for (const countryCode of ['FR', 'US'])
    await anAdapter({ ioss: OWN_IOSS, send: byFetch(watched) }).quote(
      { ...wanted, destination: { countryCode, zip: '' } },
      never,
    );
  expect(bodies.map(({ iossNumber }) => iossNumber)).toEqual([OWN_IOSS, undefined]);
});

test('goods above 150 EUR under an IOSS number are refused with that reason', async () => {
  const [line] = anOrder().lines;
  await expect(anAdapter().place(anOrder({ lines: [{ ...line!, units: 30 }] }), never)).rejects.toMatchObject(
    {
      failureClass: 'invalid_input',
      evidence: { code: 1603000, message: expect.stringContaining('150 EUR') },
    },
  );
});

test('an order that CJ holds back says why, without the recipient', async () => {
  const reasons = [
    { code: 'A1', message: 'address 12 rue des Lilas is not known' },
    { message: 7 },
    null,
    {},
  ];
  const holding = (interceptOrderReasons: unknown): SupplierAdapter =>
    anAdapter({
      send: byFetch(
        answering('createOrderV2', (data) => ({
          data: { ...z.looseObject({}).parse(data), interceptOrderReasons },
        })),
      ),
    });
  const { recipient } = anOrder();
  const wanted = () => anOrder({ recipient: { ...recipient, address1: '12 rue des Lilas' } });
  await expect(holding(reasons).place(wanted(), never)).resolves.toMatchObject({
    heldBack: 'A1 address (erased) is not known; 7',
  });
  await expect(holding([{}]).place(wanted(), never)).resolves.toMatchObject({
    heldBack: 'CJ names no reason',
  });
  for (const none of [null, [], 'no'])
    expect(await holding(none).place(wanted(), never)).not.toHaveProperty('heldBack');
});

test('an order that a confirmation leaves where it is, with a reason, is refused and not asked for again', async () => {
  const key = await givenOrder();
  const interceptOrders = [
    { orderId: key.supplierReference, interceptOrderReasons: [{ message: 'check it' }] },
  ];
  const stopping: typeof fetch = (input, init) =>
    String(input).endsWith('confirmOrder')
      ? Promise.resolve(Response.json({ code: 200, result: true, data: { interceptOrders } }))
      : fetch(input, init);
  await expect(anAdapter({ send: byFetch(stopping) }).preparePayment(key, never)).rejects.toMatchObject({
    failureClass: 'permanent',
    evidence: { heldBack: 'check it' },
  });
});

test('a test order says so, other orders do not', async () => {
  const bodies: string[] = [];
  const watched: typeof fetch = (input, init) => {
    if (String(input).endsWith('createOrderV2')) bodies.push(String(init?.body));
    return fetch(input, init);
  };
  await anAdapter({ send: byFetch(watched), isSandboxOrder: true }).place(anOrder(), never);
  await anAdapter({ send: byFetch(watched) }).place(anOrder(), never);
  expect(bodies.map((body) => JSON.parse(body).isSandbox)).toEqual([1, undefined]);
});

test('a test order is paid without money, and none is asked for', async () => {
  const trial = anAdapter({ isSandboxOrder: true });
  const request = anOrder();
  const { supplierReference } = await trial.place(request, never);
  const key = { supplierReference, callerRef: request.callerRef };
  await control('settings', { balance: 0 });
  const before = [await callsOf('getBalance'), await callsOf('payBalance')];
  await expect(trial.preparePayment(key, never)).resolves.toMatchObject({ state: 'due', balanceMinor: null });
  await trial.pay(supplierReference, never);
  expect((await trial.status([key], never)).get(supplierReference)).toMatchObject({ status: 'processing' });
  await expect(trial.preparePayment(key, never)).resolves.toMatchObject({ state: 'paid' });
  expect([await callsOf('getBalance'), await callsOf('payBalance')]).toEqual(before);
  expect(await bought(request.callerRef)).toMatchObject([{ paidCount: 0 }]);
});

test('a repeated reference is refused as a duplicate, and the look-up shows the one order', async () => {
  const request = anOrder();
  const { supplierReference } = await cj.place(request, never);
  await expect(cj.place(request, never)).rejects.toMatchObject({ failureClass: 'duplicate_reference' });
  await expect(cj.lookUp(request.callerRef, never)).resolves.toMatchObject([{ supplierReference }]);
});

test('where a repeated reference makes a second order, the look-up shows both', async () => {
  await control('settings', { dupMode: 'B' });
  const request = anOrder();
  const [first, second] = [await givenOrder(request), await givenOrder(request)];
  await cj.preparePayment(first, never);
  await cj.pay(first.supplierReference, never);
  const found = await cj.lookUp(request.callerRef, never);
  expect(found.map(({ supplierReference, isPaid }) => [supplierReference, isPaid])).toEqual([
    [first.supplierReference, true],
    [second.supplierReference, false],
  ]);
});

test('an unknown reference is found nowhere, and a longer one is not mistaken for it', async () => {
  const request = anOrder();
  await cj.place(request, never);
  await expect(cj.lookUp(request.callerRef.slice(0, -1), never)).resolves.toEqual([]);
  await expect(cj.lookUp('sup_ord_nobody', never)).resolves.toEqual([]);
});

const withoutBatch = () => answering('/getOrderDetailBatch', () => NOT_SERVED);

test('where CJ refuses the search for siblings, the one order still counts', async () => {
  const refuse = answering('/order/list', () => ({ code: 1600300, result: false, data: null }));
  const request = anOrder();
  await cj.place(request, never);
  await expect(anAdapter({ send: byFetch(refuse) }).lookUp(request.callerRef, never)).resolves.toHaveLength(
    1,
  );
});

test('where CJ refuses the detail, the list finds the order, and nothing there is no proof of its absence', async () => {
  const refused = anAdapter({ send: byFetch(answering('/getOrderDetail', () => NOT_SERVED)) });
  const request = anOrder();
  await expect(refused.lookUp(request.callerRef, never)).rejects.toMatchObject({ failureClass: 'permanent' });
  const { supplierReference } = await givenOrder(request);
  await expect(refused.lookUp(request.callerRef, never)).resolves.toMatchObject([{ supplierReference }]);
});

/** CJ's list, whose rows show no other id than its internal number. */
const withoutCodes = () =>
  answering('/order/list', (data) => {
    const { list, ...page } = z.looseObject({ list: z.array(z.looseObject({})) }).parse(data);
    return { data: { ...page, list: list.map((row) => ({ ...row, cjOrderId: null, cjOrderCode: null })) } };
  });

test('an order that the list shows without its code is the one of the detail, and another one there is found by the batch', async () => {
  const listing = anAdapter({ send: byFetch(withoutCodes()) });
  const request = anOrder();
  const first = await givenOrder(request);
  const batches = await callsOf('getOrderDetailBatch');
  const found = async () =>
    (await listing.lookUp(request.callerRef, never)).map(({ supplierReference }) => supplierReference);
  expect(await found()).toEqual([first.supplierReference]);
  expect(await callsOf('getOrderDetailBatch')).toBe(batches);
  await control('settings', { ...PLAIN_SETTINGS, dupMode: 'B' });
  const second = await givenOrder(request);
  expect(await found()).toEqual([first.supplierReference, second.supplierReference]);
});

test('an order that the list shows without its code and the batch without its number is never called absent', async () => {
  const plain = withoutCodes();
  const unseen = answering('/getOrderDetail', () => ({ data: null }));
  const numberless = answering('/getOrderDetailBatch', (data) => ({
    data: z
      .array(z.looseObject({}))
      .parse(data)
      .map((row) => ({ ...row, orderNum: null })),
  }));
  const send: typeof fetch = (input, init) => {
    const { pathname } = new URL(String(input));
    if (pathname.endsWith('/getOrderDetail')) return unseen(input, init);
    return (pathname.endsWith('/getOrderDetailBatch') ? numberless : plain)(input, init);
  };
  const request = anOrder();
  await givenOrder(request);
  await expect(anAdapter({ send: byFetch(send) }).lookUp(request.callerRef, never)).rejects.toMatchObject({
    failureClass: 'transient',
  });
});

test('an order that no call shows with its code is a doubt beside one that has it', async () => {
  const plain = withoutCodes();
  const noBatch = withoutBatch();
  const send: typeof fetch = (input, init) =>
    (String(input).includes('/getOrderDetailBatch') ? noBatch : plain)(input, init);
  await control('settings', { ...PLAIN_SETTINGS, dupMode: 'B' });
  const request = anOrder();
  await givenOrder(request);
  await givenOrder(request);
  await expect(anAdapter({ send: byFetch(send) }).lookUp(request.callerRef, never)).rejects.toMatchObject({
    failureClass: 'transient',
  });
});

test.each([
  ['number', { orderNum: null }],
  ['code', { cjOrderId: null, cjOrderCode: '' }],
])('an order that is found without its %s is never called absent', async (_, missing) => {
  const nulls = answering('/getOrderDetail', (data) => ({
    data: { ...z.looseObject({}).parse(data), ...missing },
  }));
  const request = anOrder();
  await cj.place(request, never);
  await expect(anAdapter({ send: byFetch(nulls) }).lookUp(request.callerRef, never)).rejects.toMatchObject({
    failureClass: 'transient',
  });
});

test.each([null, '', 26010100000001, 'sup_ord_1'])(
  'a success with the order code %s is doubt',
  async (orderId) => {
    const odd = answering('/createOrderV2', (data) => ({
      data: { ...z.looseObject({}).parse(data), orderId },
    }));
    await expect(anAdapter({ send: byFetch(odd) }).place(anOrder(), never)).rejects.toMatchObject({
      failureClass: 'unknown_outcome',
    });
  },
);

test('an order in a state that nobody knows is not called paid or due, and keeps its last known status', async () => {
  const change = { orderStatus: 'SOMETHING_NEW' };
  const unknown = answering('/getOrderDetail', (data) => ({
    data: { ...z.looseObject({}).parse(data), ...change },
  }));
  const key = await givenOrder();
  const adapter = anAdapter({ send: byFetch(unknown) });
  await expect(adapter.preparePayment(key, never)).resolves.toMatchObject({
    state: 'unclear',
    shownAs: 'SOMETHING_NEW',
  });
  await expect(adapter.lookUp(key.callerRef, never)).resolves.toMatchObject([{ isPaid: null }]);
  const inBatch = answering('/getOrderDetailBatch', (data) => ({
    data: z
      .array(z.looseObject({}))
      .parse(data)
      .map((row) => ({ ...row, ...change })),
  }));
  const seen = await anAdapter({ send: byFetch(inBatch) }).status([key], never);
  expect(seen.get(key.supplierReference)).toMatchObject({
    status: null,
    parcels: [],
    attention: {
      reason: 'operator',
      evidence: { states: `${key.supplierReference}: SOMETHING_NEW` },
    },
  });
});

test.each(['error_after', 'no_answer_after', 'garbage'])(
  'a purchase that ends with %s is doubt, and the look-up finds that it bought once',
  async (kind) => {
    await fault('cj.createOrderV2', kind);
    const request = anOrder();
    await expect(cj.place(request, never)).rejects.toMatchObject({ failureClass: 'unknown_outcome' });
    await expect(cj.lookUp(request.callerRef, never)).resolves.toMatchObject([
      { isPaid: false, isCancelled: false },
    ]);
    expect(await bought(request.callerRef)).toHaveLength(1);
  },
);

test.each(['error_before', 'no_answer_before'])(
  'a purchase that ends with %s is doubt too, and the look-up finds nothing',
  async (kind) => {
    await fault('cj.createOrderV2', kind);
    const request = anOrder();
    await expect(cj.place(request, never)).rejects.toMatchObject({ failureClass: 'unknown_outcome' });
    await expect(cj.lookUp(request.callerRef, never)).resolves.toEqual([]);
    expect(await bought(request.callerRef)).toEqual([]);
  },
);

test('a purchase that is answered too late is doubt, is not repeated, and is found', async () => {
  await fault('cj.createOrderV2', 'slow', { delayMs: 2_000 });
  const request = anOrder();
  const patient = withPolicy(cj, { callTimeoutMs: 300, halfOpenAfterMs: 1_000 });
  await expect(patient.place(request, never)).rejects.toMatchObject({ failureClass: 'unknown_outcome' });
  await expect(patient.lookUp(request.callerRef, never)).resolves.toHaveLength(1);
  expect(await bought(request.callerRef)).toHaveLength(1);
});

test('a new order that CJ does not show yet is absent for look-ups and passing for the payment', async () => {
  await control('settings', { lookupBlindMs: 400 });
  const key = await givenOrder();
  await expect(cj.lookUp(key.callerRef, never)).resolves.toEqual([]);
  await expect(cj.preparePayment(key, never)).rejects.toMatchObject({
    failureClass: 'transient',
  });
  const patient = withPolicy(cj, { callTimeoutMs: 5_000, halfOpenAfterMs: 1_000 });
  await expect(patient.preparePayment(key, never)).resolves.toMatchObject({ state: 'due' });
});

test.each(['error_after', 'no_answer_after', 'garbage'])(
  'a payment that ends with %s is doubt, and preparing it again says that it is paid',
  async (kind) => {
    const key = await givenOrder();
    await cj.preparePayment(key, never);
    await fault('cj.payBalance', kind);
    await expect(cj.pay(key.supplierReference, never)).rejects.toMatchObject({
      failureClass: 'unknown_outcome',
    });
    await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'paid' });
    expect(await bought(key.callerRef)).toMatchObject([{ paidCount: 1 }]);
  },
);

test('a second payment is doubt for us and costs nothing', async () => {
  const key = await givenOrder();
  const { supplierReference } = key;
  await cj.preparePayment(key, never);
  await cj.pay(supplierReference, never);
  await expect(cj.pay(supplierReference, never)).rejects.toMatchObject({ failureClass: 'unknown_outcome' });
  expect(await bought(key.callerRef)).toMatchObject([{ paidCount: 1 }]);
});

test('an empty balance is funds', async () => {
  const key = await givenOrder();
  await cj.preparePayment(key, never);
  await control('settings', { balance: 10 });
  await expect(cj.pay(key.supplierReference, never)).rejects.toMatchObject({ failureClass: 'funds' });
});

test('a confirmation whose answer was lost does not stop the payment', async () => {
  const key = await givenOrder();
  await fault('cj.confirmOrder', 'no_answer_after');
  await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'due' });
});

test('an unconfirmed order can be cancelled, again and again; a payable one is refused', async () => {
  const key = await givenOrder();
  await cj.cancel(key, never);
  await cj.cancel(key, never);
  expect(await bought(key.callerRef)).toMatchObject([{ status: 'CANCELLED', paidCount: 0 }]);

  const other = await givenOrder();
  await cj.preparePayment(other, never);
  await expect(cj.cancel(other, never)).rejects.toMatchObject({
    failureClass: 'permanent',
  });
});

test('an order that a deletion without an answer took away is given up, also where CJ then says that it cannot delete it', async () => {
  const failed = answering('/deleteOrder', () => ({ code: 1603002, result: false, data: null }));
  const key = await givenOrder();
  await cj.cancel(key, never);
  await expect(anAdapter({ send: byFetch(failed) }).cancel(key, never)).resolves.toBeUndefined();
});

test('an order that cannot be deleted and that only the batch shows is not given up', async () => {
  const hidden = answering('/getOrderDetail', () => ({ code: 1603100, result: false, data: null }));
  const key = await givenOrder();
  await cj.preparePayment(key, never);
  await expect(anAdapter({ send: byFetch(hidden) }).cancel(key, never)).rejects.toMatchObject({
    failureClass: 'permanent',
  });
});

test('the status of many orders is one call, and unknown ones are left out', async () => {
  const keys = [await givenOrder(), await givenOrder()];
  const references = keys.map(({ supplierReference }) => supplierReference).sort();
  const [batches, singles] = [await callsOf('getOrderDetailBatch'), await callsOf('getOrderDetail')];
  expect([...(await cj.status(keys, never)).keys()].sort()).toEqual(references);
  expect(await callsOf('getOrderDetailBatch')).toBe(batches + 1);
  expect(await callsOf('getOrderDetail')).toBe(singles);
  expect([...(await cj.status([...keys, nobody], never)).keys()].sort()).toEqual(references);
  await expect(cj.status([], never)).resolves.toEqual(new Map());
});

test.each(['any', 'merchant', 'sd'])(
  'where the batch is refused the orders are read one by one, by the ids that CJ takes: %s',
  async (detailKeys) => {
    await control('settings', { detailKeys });
    const key = await givenOrder();
    const seen = await anAdapter({ send: byFetch(withoutBatch()) }).status([nobody, key], never);
    expect([...seen.entries()]).toMatchObject([[key.supplierReference, { status: 'awaiting_payment' }]]);
  },
);

test('a batch that answers with nothing is followed by single calls', async () => {
  const silent = answering('/getOrderDetailBatch', () => ({ data: null }));
  const key = await givenOrder();
  await expect(anAdapter({ send: byFetch(silent) }).status([key], never)).resolves.toHaveProperty('size', 1);
});

test('when the time runs out between single calls, what was read until then is told', async () => {
  const keys = [await givenOrder(), await givenOrder(), await givenOrder()];
  const stop = new AbortController();
  let singles = 0;
  const slow: typeof fetch = async (input, init) => {
    if (new URL(String(input)).pathname.endsWith('/getOrderDetail')) singles += 1;
    if (singles === 3) stop.abort();
    return withoutBatch()(input, init);
  };
  const seen = await anAdapter({ send: byFetch(slow) }).status(keys, stop.signal);
  expect([...seen.keys()]).toEqual(keys.slice(0, 2).map(({ supplierReference }) => supplierReference));
  await expect(anAdapter({ send: byFetch(slow) }).status(keys, stop.signal)).rejects.toMatchObject({
    failureClass: 'transient',
  });
});

test('a parcel on its way is not told about without its carrier’s word', async () => {
  await control('settings', { timing: { ...TIMING, processMs: 0, shipMs: 0, deliverMs: 60_000 } });
  const [shipped, unpaid] = [await givenOrder(), await givenOrder()];
  await cj.preparePayment(shipped, never);
  await cj.pay(shipped.supplierReference, never);
  const stop = new AbortController();
  const late: typeof fetch = async (input, init) => {
    if (String(input).includes('trackInfo')) stop.abort();
    return withoutBatch()(input, init);
  };
  const seen = await anAdapter({ send: byFetch(late) }).status([shipped, unpaid], stop.signal);
  expect([...seen.keys()]).toEqual([unpaid.supplierReference]);
});

test('a second batch that fails does not hide what the first one told', async () => {
  const key = await givenOrder();
  let batches = 0;
  const failing: typeof fetch = async (input, init) => {
    if (String(input).endsWith('getOrderDetailBatch')) batches += 1;
    return batches === 2 ? new Response('', { status: 500 }) : fetch(input, init);
  };
  const seen = await anAdapter({ send: byFetch(failing) }).status([key, nobody], never);
  expect([...seen.keys()]).toEqual([key.supplierReference]);
});

test.each(['any', 'merchant', 'sd'])(
  'an order is paid and followed to the door whichever ids CJ takes for its details: %s',
  async (detailKeys) => {
    await control('settings', { detailKeys });
    const key = await givenOrder();
    const { supplierReference, callerRef } = key;
    await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'due' });
    await cj.pay(supplierReference, never);
    await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'paid' });
    await vi.waitFor(
      async () =>
        expect((await cj.status([key], never)).get(supplierReference)).toMatchObject({
          status: 'delivered',
          parcels: [{ state: 'delivered' }],
        }),
      { timeout: 60_000, interval: 20 },
    );
    expect(await bought(callerRef)).toMatchObject([{ sdCode: supplierReference, paidCount: 1 }]);
    const given = await givenOrder();
    await cj.cancel(given, never);
    expect(await bought(given.callerRef)).toMatchObject([{ status: 'CANCELLED' }]);
  },
);

test.each(['any', 'sd'])(
  'two orders under one number are paid and observed each under its own code, with the ids that CJ takes: %s',
  async (detailKeys) => {
    await control('settings', { dupMode: 'B', detailKeys, timing: { ...TIMING, processMs: 60_000 } });
    const request = anOrder();
    const [first, second] = [await givenOrder(request), await givenOrder(request)];
    const statuses = async () => {
      const seen = await cj.status([first, second], never);
      return [first, second].map(({ supplierReference }) => seen.get(supplierReference)?.status);
    };
    const paidCounts = async () => (await bought(request.callerRef)).map(({ paidCount }) => paidCount);

    await expect(cj.preparePayment(second, never)).resolves.toMatchObject({ state: 'due' });
    await cj.pay(second.supplierReference, never);
    expect(await paidCounts()).toEqual([0, 1]);
    expect(await statuses()).toEqual(['awaiting_payment', 'processing']);

    await expect(cj.preparePayment(first, never)).resolves.toMatchObject({ state: 'due' });
    await cj.pay(first.supplierReference, never);
    expect(await paidCounts()).toEqual([1, 1]);
    expect(await statuses()).toEqual(['processing', 'processing']);
    await expect(cj.preparePayment(second, never)).resolves.toMatchObject({ state: 'paid' });
  },
);

test('the younger of two orders, where CJ shows the older one only, is never taken for it', async () => {
  await control('settings', { dupMode: 'B', detailKeys: 'merchant' });
  const request = anOrder();
  const [first, second] = [await givenOrder(request), await givenOrder(request)];
  await cj.preparePayment(first, never);
  await cj.pay(first.supplierReference, never);
  await expect(cj.preparePayment(second, never)).rejects.toMatchObject({
    failureClass: 'transient',
    evidence: { notYet: 'visible' },
  });
  expect((await cj.status([second], never)).get(second.supplierReference)).toMatchObject({
    status: 'awaiting_payment',
  });
});

test('an expired token is renewed in passing, and all copies go on with the new one', async () => {
  const world = await startCjWorld();
  onTestFinished(() => world.stop());
  await control('settings', { cjTokenTtlMs: 1_000 }, world);
  const [one, other] = [anAdapter({ baseUrl: world.origin }), anAdapter({ baseUrl: world.origin })];
  await one.lookUp('sup_ord_nobody', never);
  await other.lookUp('sup_ord_nobody', never);
  const first = await tokens.read();
  await control('settings', { cjTokenTtlMs: 86_400_000 }, world);
  await vi.waitFor(() => expect(Date.parse(first!.accessExpiresAt)).toBeLessThan(Date.now()), {
    timeout: 60_000,
    interval: 20,
  });
  await Promise.all([
    one.lookUp('sup_ord_nobody', never),
    other.lookUp('sup_ord_nobody', never),
    one.place(anOrder(), never),
  ]);
  const second = await tokens.read();
  expect(second!.accessToken).not.toBe(first!.accessToken);
  expect(second!.refreshToken).not.toBe(first!.refreshToken);
  expect(second!.accountId).toBe('987654321');
});

test('a pair that CJ no longer accepts is replaced by the key, and a purchase goes through once', async () => {
  await cj.lookUp('sup_ord_nobody', never);
  const strangersStore = memoryTokens();
  const stale = await tokens.read();
  await strangersStore.renew(async () => ({
    ...stale!,
    accessToken: 'rejected',
    refreshToken: 'rejected too',
  }));
  const request = anOrder();
  await expect(anAdapter({ tokens: strangersStore }).place(request, never)).resolves.toMatchObject({
    isPaid: false,
  });
  expect(await bought(request.callerRef)).toHaveLength(1);
});

test('a wrong key is auth', async () => {
  const stranger = anAdapter({ apiKey: 'wrong', tokens: memoryTokens() });
  await expect(stranger.lookUp('sup_ord_nobody', never)).rejects.toMatchObject({ failureClass: 'auth' });
});

test('a rate limit is throttled for a purchase, which then bought nothing, and is sat out by a read', async () => {
  await cj.lookUp('sup_ord_nobody', never);
  const request = anOrder();
  await fault('cj.createOrderV2', 'rate_limit');
  await expect(cj.place(request, never)).rejects.toMatchObject({ failureClass: 'throttled' });
  expect(await bought(request.callerRef)).toEqual([]);

  await fault('cj.getOrderDetail', 'rate_limit');
  const patient = withPolicy(cj, { callTimeoutMs: 5_000, halfOpenAfterMs: 1_000 });
  await expect(patient.lookUp(request.callerRef, never)).resolves.toEqual([]);
});

test('leave is asked before every request, purchases apart from queries', async () => {
  const asked: string[] = [];
  const counted = anAdapter({
    reserve: async ({ priority }) => {
      asked.push(priority);
    },
  });
  await counted.place(anOrder(), never);
  expect(asked).toEqual(['purchase', 'purchase']);
  await counted.status([await givenOrder()], never);
  expect(asked).toEqual(['purchase', 'purchase', 'query']);
});

test('garbage with HTTP 200 is passing for reads, which are repeated', async () => {
  const key = await givenOrder();
  await fault('cj.getOrderDetailBatch', 'garbage');
  await expect(cj.status([key], never)).rejects.toMatchObject({ failureClass: 'transient' });
  await fault('cj.getOrderDetailBatch', 'garbage', { times: 2 });
  const patient = withPolicy(cj, { callTimeoutMs: 5_000, halfOpenAfterMs: 1_000 });
  await expect(patient.status([key], never)).resolves.toHaveProperty('size', 1);
});

test('a supplier that is not there is passing even for a purchase', async () => {
  await cj.lookUp('sup_ord_nobody', never);
  const gone = await startCjWorld();
  await gone.stop();
  await expect(anAdapter({ baseUrl: gone.origin }).place(anOrder(), never)).rejects.toMatchObject({
    failureClass: 'transient',
    evidence: { sent: false },
  });
});
