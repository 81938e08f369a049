import { expect, test, vi } from 'vitest';
import { createQuotaReporter, createTokenStore, rememberKey } from '../../services/suppliers/account.ts';
import type { CallPriority, SupplierToken } from '../../services/suppliers/adapter-parts.ts';
import { createCallLimiter } from '../../services/suppliers/call-limiter.ts';
import { aDatabase, aStore, givenDeadlocks } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aDesk, article, callsOf } from '../fixtures/purchase-desk.ts';
import { control, givenFaults, ledgerOf } from '../sandbox/world.ts';

const CJ = 'cj_dropshipping';
const never = new AbortController().signal;
const QUOTE = {
  destination: { countryCode: 'US', zip: '97201' },
  shipsFrom: 'CN',
  articles: [{ ...article(1), units: 1 }],
};

const aToken = (name: string, change: Partial<SupplierToken> = {}): SupplierToken => ({
  accessToken: `access-${name}`,
  accessExpiresAt: '2027-01-01T00:00:00.000Z',
  refreshToken: `refresh-${name}`,
  refreshExpiresAt: '2027-06-01T00:00:00.000Z',
  accountId: '987654321',
  ...change,
});

test('calls of all copies are spaced by one clock', async () => {
  const connectionString = await aDatabase();
  const [one, other] = [await aStore(connectionString), await aStore(connectionString)];
  const limiters = [await createCallLimiter(one, CJ, 20), await createCallLimiter(other, CJ, 20)];
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 12 }, (_, n) => limiters[n % 2]?.({ priority: 'purchase' }, never)));
  // Twelve calls have eleven gaps of 50 ms, and 10 % for the difference of the clocks.
  expect(performance.now() - startedAt).toBeGreaterThan(11 * 55 - 20);
});

test('calls that the supplier counts for themselves keep their distance whichever copy makes them, others go between', async () => {
  const connectionString = await aDatabase();
  const [one, other] = [await aStore(connectionString), await aStore(connectionString)];
  const limiters = [await createCallLimiter(one, CJ, 100), await createCallLimiter(other, CJ, 100)];
  const spacedAt: number[] = [];
  let between = 0;
  const spaced = async (n: number): Promise<void> => {
    await limiters[n % 2]?.({ priority: 'query', spacingMs: 200 }, never);
    spacedAt.push(performance.now());
  };
  const all = Promise.all(Array.from({ length: 4 }, (_, n) => spaced(n)));
  while (spacedAt.length < 4) {
    await limiters[between % 2]?.({ priority: 'query' }, never);
    between += 1;
  }
  await all;
  const gaps = spacedAt.slice(1).map((at, index) => at - spacedAt[index]!);
  // Less what a busy machine is late in taking the time of the one before.
  expect(Math.min(...gaps)).toBeGreaterThan(200 - 50);
  expect(between).toBeGreaterThan(10);
});

test('an idle time is not saved up for a burst', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 10);
  await reserve({ priority: 'query' }, never);
  await store.run("update supplier_accounts set next_call_at = now() - interval '1 hour'");
  const startedAt = performance.now();
  for (const _ of [1, 2, 3]) await reserve({ priority: 'purchase' }, never);
  expect(performance.now() - startedAt).toBeGreaterThan(2 * 110 - 20);
});

test('purchases go before queries that wait already', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 20);
  const order: CallPriority[] = [];
  const call = async (priority: CallPriority): Promise<void> => {
    await reserve({ priority }, never);
    order.push(priority);
  };
  const queries = Promise.all(Array.from({ length: 8 }, () => call('query')));
  await eventually(() => expect(order.length).toBeGreaterThan(0));
  await Promise.all([call('purchase'), call('purchase')]);
  // At most the calls that had their turn already went before.
  expect(order.indexOf('purchase')).toBeLessThanOrEqual(4);
  expect(order.filter((priority) => priority === 'query').length).toBeLessThan(8);
  await queries;
  expect(order).toHaveLength(10);
});

test('who waits for a turn can be told to stop', async () => {
  const store = await aStore(await aDatabase());
  const reserve = await createCallLimiter(store, CJ, 0.1);
  await reserve({ priority: 'purchase' }, never);
  const startedAt = performance.now();
  await expect(reserve({ priority: 'purchase' }, AbortSignal.timeout(100))).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  await expect(reserve({ priority: 'query' }, AbortSignal.timeout(100))).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  await expect(reserve({ priority: 'query' }, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('a token pair comes back as it was kept, and another supplier’s is another', async () => {
  const store = await aStore(await aDatabase());
  await createCallLimiter(store, CJ, 10);
  await createCallLimiter(store, 'aliexpress', 10);
  const tokens = createTokenStore(store, CJ);
  expect(await tokens.read()).toBeNull();
  await tokens.renew(async (current) => {
    expect(current).toBeNull();
    return aToken('1');
  });
  expect(await tokens.read()).toEqual(aToken('1'));
  expect(await createTokenStore(store, 'aliexpress').read()).toBeNull();
});

test('renewals of all copies go one after another and each sees the pair of the one before', async () => {
  const connectionString = await aDatabase();
  const [one, other] = [await aStore(connectionString), await aStore(connectionString)];
  await createCallLimiter(one, CJ, 10);
  const stores = [createTokenStore(one, CJ), createTokenStore(other, CJ)];
  const seen: (string | null)[] = [];
  let inside = 0;
  const renewAs = (name: string, n: number) =>
    stores[n % 2]?.renew(async (current) => {
      inside += 1;
      expect(inside).toBe(1);
      seen.push(current?.accessToken ?? null);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
      return current ?? aToken(name);
    });
  await Promise.all(Array.from({ length: 10 }, (_, n) => renewAs(String(n), n)));
  expect(seen[0]).toBeNull();
  expect(new Set(seen.slice(1)).size).toBe(1);
});

test('a pair that was brought is kept, and not asked for again, when the database breaks off what writes it down', async () => {
  const store = await aStore(await aDatabase());
  await createCallLimiter(store, CJ, 10);
  const tokens = createTokenStore(store, CJ);
  await tokens.renew(async () => aToken('1'));
  await givenDeadlocks(store, 'update on supplier_accounts', { times: 2 });
  let asked = 0;
  const renewed = await tokens.renew(async () => {
    asked += 1;
    return aToken('2');
  });
  expect(renewed).toEqual(aToken('2'));
  expect(await tokens.read()).toEqual(aToken('2'));
  expect(asked).toBe(1);
});

test('a renewal that fails leaves the pair and the lock as they were', async () => {
  const store = await aStore(await aDatabase());
  await createCallLimiter(store, CJ, 10);
  const tokens = createTokenStore(store, CJ);
  await tokens.renew(async () => aToken('1'));
  await expect(tokens.renew(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const unreachable = Object.assign(new Error('unreachable'), { code: 'ECONNREFUSED' });
  const asked = vi.fn(() => Promise.reject(unreachable));
  await expect(tokens.renew(asked)).rejects.toBe(unreachable);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(await tokens.read()).toEqual(aToken('1'));
  await tokens.renew(async () => aToken('2'));
  expect(await tokens.read()).toEqual(aToken('2'));
});

test('another key begins without the tokens, the account and the limits of the one before', async () => {
  const store = await aStore(await aDatabase());
  await createCallLimiter(store, CJ, 10);
  const tokens = createTokenStore(store, CJ);
  // Of the release that remembered no key.
  await tokens.renew(async () => aToken('1'));
  await rememberKey(store, CJ, 'key-1');
  await rememberKey(store, CJ, 'key-1');
  expect(await tokens.read()).toEqual(aToken('1'));

  const pausedUntil = new Date(Date.now() + 3_600_000).toISOString();
  await createQuotaReporter(store, CJ)({ pausedUntil, remaining: 1, total: 2 });
  await rememberKey(store, CJ, 'key-2');
  expect(await tokens.read()).toBeNull();
  await tokens.renew(async (current) => {
    expect(current).toBeNull();
    return aToken('2', { accountId: '111' });
  });
  await rememberKey(store, CJ, 'key-2');
  expect(await tokens.read()).toEqual(aToken('2', { accountId: '111' }));
  const rows = await store.query(
    'select paused_until, quota_remaining from supplier_accounts where supplier = $1',
    [CJ],
  );
  expect(rows).toEqual([{ paused_until: null, quota_remaining: null }]);
  const stored = JSON.stringify(await store.query('select * from supplier_accounts'));
  expect(stored).not.toContain('key-2');
});

test('the first calls of a service need one login, even when they are more than its connections', async () => {
  const desk = await aDesk();
  const copies = [await desk.copy({}, 4), await desk.copy({}, 4)];
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 32 }, (_, n) => copies[n % 2]?.adapter.quote(QUOTE, never)));
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(await callsOf(desk.world, 'getAccessToken')).toBe(1);
});

test('a token that the supplier no longer takes is replaced once for all copies', async () => {
  const desk = await aDesk();
  const other = await desk.copy();
  const copies = [desk, other];
  await Promise.all(copies.map(({ adapter }) => adapter.quote(QUOTE, never)));
  // Somebody else logs in with the same refresh token: ours is dead.
  const [row] = await desk.store.query<{ token: string }>(
    'select refresh_token as token from supplier_accounts',
  );
  await fetch(`${desk.world.cjBaseUrl}/authentication/refreshAccessToken`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refreshToken: row?.token }),
  });
  const before = await ledgerOf(desk.world);
  await Promise.all(Array.from({ length: 12 }, (_, n) => copies[n % 2]?.adapter.quote(QUOTE, never)));
  const after = await ledgerOf(desk.world);
  const added = (call: string): number => (after.calls[call] ?? 0) - (before.calls[call] ?? 0);
  expect(added('cj.refreshAccessToken')).toBe(1);
  expect(added('cj.getAccessToken')).toBe(1);
});

test('after a login too many no copy tries another, nor does one that was started anew', async () => {
  const desk = await aDesk();
  const other = await desk.copy();
  await givenFaults(desk.world, { operation: 'cj.getAccessToken', kind: 'rate_limit', times: 1 });
  const ask = (adapter: typeof desk.adapter) =>
    expect(adapter.quote(QUOTE, never)).rejects.toMatchObject({ failureClass: 'throttled' });
  await ask(desk.adapter);
  await ask(other.adapter);
  await ask((await desk.copy()).adapter);
  expect(await callsOf(desk.world, 'getAccessToken')).toBe(1);

  await desk.store.run("update supplier_accounts set login_paused_until = now() - interval '1 second'");
  await other.adapter.quote(QUOTE, never);
  expect(await callsOf(desk.world, 'getAccessToken')).toBe(2);
});

test('a token that runs out is renewed without a rejected call', async () => {
  const desk = await aDesk();
  await control(desk.world, 'PUT', '/settings', { cjTokenTtlMs: 1_200 });
  await desk.adapter.quote(QUOTE, never);
  const [row] = await desk.store.query<{ until: string }>(
    'select access_expires_at as until from supplier_accounts',
  );
  await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(row?.until ?? '')));
  await desk.adapter.quote(QUOTE, never);
  expect(await callsOf(desk.world, 'refreshAccessToken')).toBe(1);
  expect(await callsOf(desk.world, 'freightCalculate')).toBe(2);
});
