import { expect, test } from 'vitest';
import { z } from 'zod';
import { createAliExpressClient } from '../../services/suppliers/aliexpress/client.ts';
import { gapFor } from '../../services/suppliers/aliexpress/turns.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const GAP_MS = 80;

/** Calls as they leave, whatever the leave to send them says. */
function aClient(gapMs = GAP_MS) {
  const sentAt: number[] = [];
  const client = createAliExpressClient({
    baseUrl: 'http://aliexpress.test',
    appKey: '500123',
    appSecret: 'secret',
    accessToken: 'token',
    tokens: memoryTokens(),
    reserve: async () => {},
    report: async () => {},
    gapMs,
    send: async () => {
      sentAt.push(performance.now());
      return { httpStatus: 200, headers: {}, text: '{"aliexpress_ds_product_get_response":{}}' };
    },
  });
  const call = (signal = AbortSignal.timeout(5_000)) =>
    client.call(
      { method: 'aliexpress.ds.product.get', parameters: {}, kind: 'read', priority: 'query' },
      z.object({}),
      signal,
    );
  return { call, sentAt };
}

test('calls leave no closer to each other than AliExpress grants, although leave for the next came early', async () => {
  const { call, sentAt } = aClient();
  await Promise.all([call(), call(), call()]);
  const gaps = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
  expect(gaps).toHaveLength(2);
  // A timer may fire a little early.
  expect(Math.min(...gaps)).toBeGreaterThan(GAP_MS - 2);
});

test('a call that is given up while it keeps its distance has sent nothing', async () => {
  const { call, sentAt } = aClient(60_000);
  await call();
  await expect(call(AbortSignal.timeout(10))).rejects.toMatchObject({ evidence: { sent: false } });
  expect(sentAt).toHaveLength(1);
});

test('an account of one call a second keeps more than a second, one with a contract for many none', () => {
  expect(gapFor(1)).toBeGreaterThan(1_000);
  expect(gapFor(100)).toBe(0);
});
