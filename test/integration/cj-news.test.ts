import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { OrderKey, Push, SupplierAdapter } from '../../services/suppliers/adapter.ts';
import type { TokenStore } from '../../services/suppliers/adapter-parts.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import {
  aCjOrder,
  answering,
  callsOf as callsIn,
  cjAdapter,
  NOT_SERVED,
  never,
  PLAIN_SETTINGS,
  put,
  startCjWorld,
  TIMING,
} from '../fixtures/cj-world.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';
import { anEar, type Ear } from '../fixtures/push-ear.ts';

const Rows = z.array(z.looseObject({ cjOrderId: z.string() }));

const PATIENT = { timeout: 60_000, interval: 20 };
const QUIET = {
  ...PLAIN_SETTINGS,
  cjPushUrls: 'any',
  cjPushRetryMs: 20,
  cjPushDelayMs: 0,
  cjPushDoubled: false,
  cjPushOutOfOrder: false,
  cjPushDropped: false,
};

let sandbox: Sandbox;
let tokens: TokenStore;
const anAdapter = (changes: Parameters<typeof cjAdapter>[2] = {}): SupplierAdapter =>
  cjAdapter(sandbox, tokens, changes);
let cj: SupplierAdapter;
const settings = (value: object): Promise<void> => put(sandbox, 'settings', value);

beforeAll(async () => {
  sandbox = await startCjWorld();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  tokens = memoryTokens();
  cj = anAdapter();
  await put(sandbox, 'faults', []);
  await settings(QUIET);
});

async function givenPaid(request = aCjOrder()): Promise<OrderKey> {
  const { supplierReference } = await cj.place(request, never);
  const key = { supplierReference, callerRef: request.callerRef };
  await cj.preparePayment(key, never);
  await cj.pay(supplierReference, never);
  return key;
}

const statusOf = async (key: OrderKey) => (await cj.status([key], never)).get(key.supplierReference);

/** All pieces of the order by line, summed over its parcels. */
const unitsIn = (parcels: readonly { readonly units?: Record<string, number> | undefined }[]) => {
  const sum: Record<string, number> = {};
  for (const { units } of parcels)
    for (const [line, count] of Object.entries(units ?? {})) sum[line] = (sum[line] ?? 0) + count;
  return sum;
};

const SPLITS = ['hidden', 'shown'].flatMap((split) =>
  ['any', 'merchant', 'sd'].map((detailKeys) => [split, detailKeys] as const),
);

test.each(SPLITS)(
  'a split order is followed parcel by parcel to the door, the whole one %s, by the ids that CJ takes: %s',
  async (split, detailKeys) => {
    await settings({
      split,
      detailKeys,
      timing: { processMs: 20, shipMs: 120, transitMs: 20, deliverMs: 20 },
    });
    const key = await givenPaid();
    const seen: string[] = [];
    const last = await vi.waitFor(async () => {
      const now = await statusOf(key);
      const states = (now?.parcels ?? []).map(({ state }) => (state === 'announced' ? 'announced' : 'gone'));
      const line = `${now?.status} ${states.join(' ')}`;
      if (seen.at(-1) !== line) seen.push(line);
      expect(now?.status).toBe('delivered');
      return now;
    }, PATIENT);
    expect(last?.parcels).toHaveLength(2);
    expect(new Set(last?.parcels.map(({ trackingNumber }) => trackingNumber)).size).toBe(2);
    expect(unitsIn(last?.parcels ?? [])).toEqual({ 'line-1': 1, 'line-2': 2 });
    expect(last?.evidence).toMatchObject({ parts: 2 });
    // The first parcel leaves before the second: until then the order as a whole is not shipped.
    expect(seen.filter((line) => line.startsWith('shipped'))).toEqual(
      seen.filter((line) => line === 'shipped gone gone'),
    );
  },
);

test('a single line that is split shows how many of its pieces are in which parcel', async () => {
  await settings({ split: 'hidden', timing: { ...TIMING, processMs: 0, shipMs: 60_000 } });
  const [, mugs] = aCjOrder().lines;
  const key = await givenPaid(aCjOrder({ lines: [{ ...mugs!, units: 5 }] }));
  const now = await vi.waitFor(async () => {
    const status = await statusOf(key);
    expect(status?.parcels).toHaveLength(1);
    return status;
  }, PATIENT);
  expect(now).toMatchObject({
    status: 'processing',
    parcels: [{ state: 'announced', units: { 'line-2': 2 } }],
  });
});

/** All steps but the last are over at once: later ones would be pushed into other tests. */
const UNDER_WAY = { ...TIMING, processMs: 0, shipMs: 0, transitMs: 0, deliverMs: 600_000 };

/** Orders that are paid, split, and long under way. */
async function givenSplits(count: number): Promise<OrderKey[]> {
  await settings({ split: 'hidden', timing: UNDER_WAY });
  const keys: OrderKey[] = [];
  while (keys.length < count) keys.push(await givenPaid());
  return keys;
}

/** CJ counts batches apart, two a second. */
const SPACING_MS = 550;

/** The claims of all calls that the adapter makes meanwhile: how far each keeps from the last one of its kind. */
async function spacingsWhile(
  work: (adapter: SupplierAdapter) => Promise<unknown>,
  changes: Parameters<typeof anAdapter>[0],
): Promise<(number | undefined)[]> {
  const spacings: (number | undefined)[] = [];
  await work(anAdapter({ ...changes, reserve: async ({ spacingMs }) => void spacings.push(spacingMs) }));
  return spacings;
}

test('the parts of many split orders are asked for together, with room between two batches', async () => {
  const keys = await givenSplits(12);
  const spacings = await spacingsWhile(
    async (adapter) => expect((await adapter.status(keys, never)).size).toBe(12),
    { requestsPerSecond: 6 },
  );
  expect(spacings.filter((ms) => ms !== undefined)).toEqual([SPACING_MS, SPACING_MS, SPACING_MS]);
});

test('who grants more calls than CJ gets batches without room between them, until it finds them too many', async () => {
  await settings({ timing: UNDER_WAY });
  const keys = [await givenPaid()];
  let isBusy = true;
  const busy: typeof fetch = async (input, init) => {
    if (!isBusy || !String(input).endsWith('getOrderDetailBatch')) return fetch(input, init);
    isBusy = false;
    return Response.json({ code: 1600200, result: false, message: 'Too many requests', data: null });
  };
  const spacings = await spacingsWhile(
    async (adapter) => {
      await expect(adapter.status(keys, never)).rejects.toMatchObject({ failureClass: 'throttled' });
      expect((await adapter.status(keys, never)).size).toBe(1);
    },
    { requestsPerSecond: 100, send: byFetch(busy) },
  );
  expect(spacings.slice(0, 2)).toEqual([undefined, SPACING_MS]);
});

test.each(['a call that fails', 'the end of the time'])(
  'what was read of split orders before %s is told',
  async (end) => {
    await settings({ timing: UNDER_WAY });
    const [whole, splits] = [await givenPaid(), await givenSplits(12)];
    const stop = new AbortController();
    let batches = 0;
    const ending: typeof fetch = async (input, init) => {
      if (String(input).endsWith('getOrderDetailBatch')) batches += 1;
      if (batches < 3) return fetch(input, init);
      if (end === 'the end of the time') stop.abort();
      return Response.json({ code: 1600200, result: false, message: 'Too many requests', data: null });
    };
    const seen = await anAdapter({ send: byFetch(ending) }).status([whole, ...splits], stop.signal);
    // The whole one, and the eleven whose parts were in one batch; the twelfth was to be in the next.
    expect([...seen.keys()].sort()).toEqual(
      [whole, ...splits.slice(0, 11)].map(({ supplierReference }) => supplierReference).sort(),
    );
  },
);

test('where CJ shows no parts under their codes, each order is told of as soon as it is read', async () => {
  const keys = await givenSplits(3);
  const codeOf = ({ supplierReference }: OrderKey): string => `${supplierReference}-1`;
  const stop = new AbortController();
  let lists = 0;
  // Of each split order the batch shows the first part only.
  const hiding = answering('/getOrderDetailBatch', (data) => ({
    data: Rows.parse(data).filter(({ cjOrderId }) => keys.map(codeOf).includes(cjOrderId)),
  }));
  const ending: typeof fetch = async (input, init) => {
    if (String(input).includes('/order/list')) lists += 1;
    // Four states are listed for each.
    if (lists > 8) stop.abort();
    return hiding(input, init);
  };
  const seen = await anAdapter({ send: byFetch(ending) }).status(keys, stop.signal);
  expect([...seen.keys()]).toEqual(keys.slice(0, 2).map(({ supplierReference }) => supplierReference));
  for (const { parcels } of seen.values()) expect(parcels).toHaveLength(2);
});

test.each(SPLITS)(
  'a split order is one order and no duplicate, the whole one %s, by the ids that CJ takes: %s',
  async (split, detailKeys) => {
    await settings({ split, detailKeys, timing: { ...TIMING, processMs: 60_000 } });
    const request = aCjOrder();
    const key = await givenPaid(request);
    const whole = {
      supplierReference: key.supplierReference,
      callerRef: key.callerRef,
      isPaid: true,
      isCancelled: false,
      articles: request.lines.map(({ supplierVariantId, units }) => ({ supplierVariantId, units })),
    };
    await expect(cj.lookUp(key.callerRef, never)).resolves.toMatchObject([whole]);
    await expect(cj.preparePayment(key, never)).resolves.toMatchObject({ state: 'paid' });
    await expect(cj.read(key.supplierReference, never)).resolves.toMatchObject({
      supplierReference: key.supplierReference,
      isPaid: true,
    });
  },
);

test('a double is found and told apart from the parts of a split order', async () => {
  await settings({ dupMode: 'B', split: 'hidden', timing: { ...TIMING, processMs: 60_000 } });
  const request = aCjOrder();
  const first = await givenPaid(request);
  const second = await cj.place(request, never);
  const found = await cj.lookUp(request.callerRef, never);
  expect(found.map(({ supplierReference, isPaid }) => [supplierReference, isPaid]).sort()).toEqual([
    [first.supplierReference, true],
    [second.supplierReference, false],
  ]);
});

test('doubles are found where CJ’s details answer to its own codes only', async () => {
  await settings({ dupMode: 'B', detailKeys: 'sd' });
  const request = aCjOrder();
  const [first, second] = [await cj.place(request, never), await cj.place(request, never)];
  const found = await cj.lookUp(request.callerRef, never);
  expect(found.map(({ supplierReference }) => supplierReference).sort()).toEqual(
    [first.supplierReference, second.supplierReference].sort(),
  );
});

test('states that CJ does not list hide no double in the others', async () => {
  await settings({ dupMode: 'B' });
  const request = aCjOrder();
  for (let n = 0; n < 2; n += 1) await cj.place(request, never);
  const withoutCart: typeof fetch = (input, init) =>
    new URL(String(input)).searchParams.get('status') === 'IN_CART'
      ? Promise.resolve(Response.json({ code: 1600300, result: false, message: 'Param error', data: null }))
      : fetch(input, init);
  await expect(
    anAdapter({ send: byFetch(withoutCart) }).lookUp(request.callerRef, never),
  ).resolves.toHaveLength(2);
});

test('a list that ignores the number searched for is read page by page', async () => {
  const world = await startCjWorld();
  onTestFinished(() => world.stop());
  await put(world, 'settings', { ...QUIET, detailKeys: 'sd' });
  const withoutSearch: typeof fetch = (input, init) => {
    const url = new URL(String(input));
    if (url.pathname.endsWith('/order/list')) {
      url.searchParams.delete('orderNumbers');
      url.searchParams.set('pageSize', '1');
    }
    return fetch(url, init);
  };
  const adapter = anAdapter({ baseUrl: world.origin, send: byFetch(withoutSearch) });
  const requests = [aCjOrder(), aCjOrder()];
  for (const request of requests) await adapter.place(request, never);
  for (const { callerRef } of requests)
    await expect(adapter.lookUp(callerRef, never)).resolves.toMatchObject([{ callerRef }]);
});

test.each(['any', 'merchant', 'sd'])(
  'an order is read by its code whichever ids CJ takes: %s',
  async (detailKeys) => {
    const request = aCjOrder();
    const { supplierReference } = await cj.place(request, never);
    await settings({ detailKeys });
    await expect(cj.read(supplierReference, never)).resolves.toMatchObject({
      callerRef: request.callerRef,
      supplierReference,
      isPaid: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    });
    await expect(cj.read('SD0000000000000000000', never)).resolves.toBeNull();
  },
);

test('the balance is told while something is due, and a failing look at it is none', async () => {
  const request = aCjOrder();
  const { supplierReference } = await cj.place(request, never);
  const due = { supplierReference, callerRef: request.callerRef };
  await settings({ balance: 123_45 });
  await expect(cj.preparePayment(due, never)).resolves.toMatchObject({ state: 'due', balanceMinor: 12_345 });
  await put(sandbox, 'faults', [{ operation: 'cj.getBalance', kind: 'error_before' }]);
  await expect(cj.preparePayment(due, never)).resolves.toMatchObject({ state: 'due', balanceMinor: null });
});

test.each([1604000, 1600100, 1603001])(
  'too little money is funds, also when CJ says it with %i',
  async (code) => {
    const request = aCjOrder();
    const { supplierReference } = await cj.place(request, never);
    await cj.preparePayment({ supplierReference, callerRef: request.callerRef }, never);
    await settings({ balance: 10, lowBalanceCode: code });
    await expect(cj.pay(supplierReference, never)).rejects.toMatchObject({ failureClass: 'funds' });
  },
);

test('a confirmation without enough stock is unavailable', async () => {
  const request = aCjOrder();
  const { supplierReference } = await cj.place(request, never);
  const { supplierVariantId } = request.lines[0]!;
  await put(sandbox, `articles/${supplierVariantId}`, { stock: 0 });
  onTestFinished(() => put(sandbox, `articles/${supplierVariantId}`, { stock: 50_000 }));
  const key = { supplierReference, callerRef: request.callerRef };
  await expect(cj.preparePayment(key, never)).rejects.toMatchObject({ failureClass: 'unavailable' });
});

test('an order that CJ stops for a look is refused for a person, and costs nothing', async () => {
  await settings({ intercept: true });
  onTestFinished(() => settings({ intercept: false }));
  const request = aCjOrder({ recipient: { ...aCjOrder().recipient, name: '山田 花子' } });
  const { supplierReference } = await cj.place(request, never);
  const key = { supplierReference, callerRef: request.callerRef };
  await expect(cj.preparePayment(key, never)).rejects.toMatchObject({
    failureClass: 'permanent',
    evidence: { code: 1603001, message: expect.stringContaining('intercepted') },
  });
  await cj.cancel(key, never);
});

test.each([true, false])(
  'an order is placed whether its answer comes with nulls or without: %s',
  async (createNulls) => {
    await settings({ createNulls });
    await expect(cj.place(aCjOrder(), never)).resolves.toMatchObject({
      amountMinor: expect.any(Number),
      isPaid: false,
    });
  },
);

const understood = (ear: Ear): Promise<Push[]> =>
  Promise.all(ear.heard.map((message) => cj.readPush(message)));
const callsOf = (operation: string): Promise<number> => callsIn(sandbox, operation);

test('pushes are registered once, after a probe, and written again only when they would go elsewhere', async () => {
  const [ear, other] = [await anEar(), await anEar()];
  const before = await callsOf('webhookSet');
  await cj.registerPush(ear.url, never);
  await cj.registerPush(ear.url, never);
  expect(await callsOf('webhookSet')).toBe(before + 1);
  expect(await understood(ear)).toEqual([{ kind: 'probe' }]);
  await cj.registerPush(other.url, never);
  expect(await callsOf('webhookSet')).toBe(before + 2);
  await settings({ cjPushUrls: 'public' });
  await expect(cj.registerPush(ear.url, never)).rejects.toMatchObject({ failureClass: 'permanent' });
});

test('each step of an order is pushed, understood as news of it, and read afterwards', async () => {
  const ear = await anEar();
  await cj.registerPush(ear.url, never);
  await settings({ cjPushDoubled: true, cjPushOutOfOrder: true });
  const key = await givenPaid();
  const news = await vi.waitFor(async () => {
    const pushes = await understood(ear);
    const about = pushes.flatMap((push) => (push.kind === 'news' ? [push] : []));
    expect(about.filter(({ topic }) => topic === 'LOGISTIC').length).toBeGreaterThanOrEqual(6);
    return about;
  }, PATIENT);
  for (const { references } of news) {
    expect(references).toContain(key.supplierReference);
    expect(references).toContain(key.callerRef);
  }
  // Unpaid, paid, announced, shipped and arrived; each came twice under one id.
  const ids = new Set(news.map(({ messageId }) => messageId));
  expect(news.length).toBeGreaterThan(ids.size);
  expect((await statusOf(key))?.status).toBe('delivered');
});

test('a split is pushed as news of the order that we know', async () => {
  const ear = await anEar();
  await cj.registerPush(ear.url, never);
  await settings({ split: 'hidden', timing: { ...TIMING, processMs: 60_000 } });
  const { supplierReference } = await givenPaid();
  const split = await vi.waitFor(async () => {
    const pushes = await understood(ear);
    const found = pushes.find((push) => push.kind === 'news' && push.topic === 'ORDERSPLIT');
    expect(found).toBeDefined();
    return found;
  }, PATIENT);
  expect(split).toMatchObject({
    references: [supplierReference, `${supplierReference}-1`, `${supplierReference}-2`],
  });
});

test('a push that was changed on its way, or signed by another account, is forged', async () => {
  const ear = await anEar();
  await cj.registerPush(ear.url, never);
  await givenPaid();
  await vi.waitFor(() => expect(ear.heard.length).toBeGreaterThan(1), PATIENT);
  const message = ear.heard.at(-1)!;
  await expect(cj.readPush(message)).resolves.toMatchObject({ kind: 'news' });
  const changed = Buffer.from(Buffer.from(message.body).toString().replace('UPDATE', 'DELETE'));
  await expect(cj.readPush({ ...message, body: changed })).resolves.toEqual({ kind: 'forged' });
  await tokens.renew(async (pair) => ({ ...pair!, accountId: '123' }));
  await expect(cj.readPush(message)).resolves.toEqual({ kind: 'forged' });
});

test('the signing key is fetched once when none is stored, and kept', async () => {
  const ear = await anEar();
  await cj.registerPush(ear.url, never);
  await givenPaid();
  await vi.waitFor(() => expect(ear.heard.length).toBeGreaterThan(1), PATIENT);
  const message = ear.heard.at(-1)!;

  const empty = memoryTokens();
  const stranger = anAdapter({ tokens: empty });
  const before = await callsOf('setting');
  const pushes = await Promise.all([stranger.readPush(message), stranger.readPush(message)]);
  await stranger.readPush(message);
  expect(pushes.map(({ kind }) => kind)).toEqual(['news', 'news']);
  expect(await callsOf('setting')).toBe(before + 1);

  // A pair that was stored before its account was known.
  await tokens.renew(async (pair) => ({ ...pair!, accountId: null }));
  await expect(cj.readPush(message)).resolves.toMatchObject({ kind: 'news' });
  expect((await tokens.read())?.accountId).toBe('987654321');
});

test('a registration mends a stored account number that is not ours', async () => {
  const ear = await anEar();
  await cj.lookUp('sup_ord_nobody', never);
  await tokens.renew(async (pair) => ({ ...pair!, accountId: 'old' }));
  await cj.registerPush(ear.url, never);
  expect((await tokens.read())?.accountId).toBe('987654321');
});

test('optional topics that CJ does not show are no reason to write again', async () => {
  const ear = await anEar();
  await cj.registerPush(ear.url, never);
  const before = await callsOf('webhookSet');
  const older = answering('/setting/get', (data) => {
    const { callback, ...rest } = data as { callback: Record<string, unknown> };
    const { product, stock, order, logistics } = callback;
    return { data: { ...rest, callback: { product, stock, order, logistics } } };
  });
  await anAdapter({ send: byFetch(older) }).registerPush(ear.url, never);
  expect(await callsOf('webhookSet')).toBe(before);
  const silent = answering('/setting/get', () => NOT_SERVED);
  await expect(anAdapter({ send: byFetch(silent) }).registerPush(ear.url, never)).rejects.toMatchObject({
    failureClass: 'permanent',
  });
});
