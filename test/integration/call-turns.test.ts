import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createAliExpressClient } from '../../services/suppliers/aliexpress/client.ts';
import { aloneAt } from '../../services/suppliers/aliexpress/turns.ts';
import { createCallLimiter } from '../../services/suppliers/call-limiter.ts';
import { createCallTurns } from '../../services/suppliers/call-turns.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const RATE = 8;
const CALL_MS = 10_000;
const never = new AbortController().signal;

interface Call {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** A copy that calls AliExpress; `calls` are those of all copies, and each answer takes its time. */
async function aCopy(connectionString: string, calls: Call[], answerMs: number) {
  const store = await aStore(connectionString);
  const takeTurn = createCallTurns(store, 'aliexpress', CALL_MS);
  const client = createAliExpressClient({
    baseUrl: 'http://aliexpress.test',
    appKey: '500123',
    appSecret: 'secret',
    accessToken: 'token',
    tokens: memoryTokens(),
    reserve: await createCallLimiter(store, 'aliexpress', RATE),
    takeTurn: aloneAt(RATE, takeTurn),
    report: async () => {},
    send: async ({ signal }) => {
      const sentAt = performance.now();
      await sleep(answerMs, undefined, { signal });
      calls.push({ sentAt, answeredAt: performance.now() });
      return { httpStatus: 200, headers: {}, text: '{"aliexpress_ds_product_get_response":{}}' };
    },
  });
  const call = (signal = AbortSignal.timeout(10_000)) =>
    client.call(
      { method: 'aliexpress.ds.product.get', parameters: {}, kind: 'read', priority: 'query' },
      z.object({}),
      signal,
    );
  return { call, takeTurn, store };
}

test.each([
  ['slower than they may follow each other', 300],
  ['at once', 0],
])(
  'copies call AliExpress one after the other and with its distance when it answers %s',
  async (_, answerMs) => {
    const database = await aDatabase();
    const calls: Call[] = [];
    const copies = await Promise.all([1, 2, 3].map(() => aCopy(database, calls, answerMs)));
    await Promise.all([...copies, ...copies].map(({ call }) => call()));
    const inTurn = calls.toSorted((one, other) => one.sentAt - other.sentAt);
    const gaps = inTurn.slice(1).map(({ sentAt }, index) => ({
      apart: sentAt - (inTurn[index]?.sentAt ?? 0),
      afterAnswer: sentAt - (inTurn[index]?.answeredAt ?? 0),
    }));
    expect(gaps).toHaveLength(5);
    expect(Math.min(...gaps.map(({ afterAnswer }) => afterAnswer))).toBeGreaterThan(0);
    // A timer may fire a little early.
    expect(Math.min(...gaps.map(({ apart }) => apart))).toBeGreaterThan(1_000 / RATE);
  },
);

test('a call that is given up while another copy calls has sent nothing, and leaves the turn to others', async () => {
  const database = await aDatabase();
  const calls: Call[] = [];
  const [one, other] = [await aCopy(database, calls, 0), await aCopy(database, calls, 0)];
  const turn = await one.takeTurn(0, never);
  await expect(other.call(AbortSignal.timeout(200))).rejects.toMatchObject({ evidence: { sent: false } });
  expect(calls).toHaveLength(0);
  await turn.end(null);
  await other.call();
  expect(calls).toHaveLength(1);
});

test('the turn of a copy that died is over when its call would have been given up', async () => {
  const database = await aDatabase();
  const [dead, other] = [await aCopy(database, [], 0), await aCopy(database, [], 0)];
  const lost = await dead.takeTurn(0, never);
  const [{ forMs } = { forMs: 0 }] = await other.store.query<{ forMs: number }>(
    'select (extract(epoch from turn_until - now()) * 1000)::float8 as "forMs" from supplier_accounts',
  );
  expect(forMs).toBeGreaterThan(CALL_MS);
  expect(forMs).toBeLessThan(CALL_MS * 2);
  await other.store.run('update supplier_accounts set turn_until = now()');
  const turn = await other.takeTurn(0, never);
  // Whoever was taken for dead ends nobody else's turn.
  await lost.end(performance.now());
  await expect(dead.takeTurn(0, AbortSignal.timeout(200))).rejects.toThrow('aborted');
  await turn.end(null);
  await dead.takeTurn(0, never);
});

test('with a contract for many calls copies call side by side', async () => {
  const { takeTurn } = await aCopy(await aDatabase(), [], 0);
  expect(aloneAt(100, takeTurn)).toBeUndefined();
});
