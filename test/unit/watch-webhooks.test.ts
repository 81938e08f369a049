import { expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { refusal } from '../../gateway/problem.ts';
import { createWatch } from '../../gateway/webhooks/watch-webhooks.ts';
import { aLog } from '../fixtures/order-host.ts';

const unverified = refusal({ status: 401, code: 'webhook_unverified', detail: 'the signature does not fit' });

function aWatch() {
  const { log, lines } = aLog();
  const verdicts: string[] = [];
  let now = 0;
  const countWebhook = (topic: string, verdict: string): void => {
    verdicts.push(`${topic} ${verdict}`);
  };
  const watch = createWatch({ metrics: { countWebhook }, log, clock: () => now });
  const refuse = (topic: string, error: unknown = unverified) =>
    expect(watch(topic, () => Promise.reject(error))).rejects.toBe(error);
  const pass = (ms: number): void => {
    now += ms;
  };
  return { watch, refuse, lines, verdicts, pass };
}

test('a webhook that fails verification is a warning with its topic and its reason', async () => {
  const { refuse, lines } = aWatch();
  await refuse('orders/create');
  expect(lines).toMatchObject([
    { level: 40, topic: 'orders/create', refused: 1, reason: 'the signature does not fit' },
  ]);
});

test('whoever goes on sending such webhooks fills no log: a line a minute for each topic, with how many there were', async () => {
  const { refuse, lines, pass } = aWatch();
  for (let times = 0; times < 100; times += 1) await refuse('orders/create');
  await refuse('orders/paid');
  pass(59_999);
  await refuse('orders/create');
  expect(lines.map(({ topic, refused }) => [topic, refused])).toEqual([
    ['orders/create', 1],
    ['orders/paid', 1],
  ]);
  pass(1);
  await refuse('orders/create');
  expect(lines.at(-1)).toMatchObject({ topic: 'orders/create', refused: 101 });
});

test('what is taken, or refused for another reason, is counted and no warning', async () => {
  const { watch, refuse, lines, verdicts } = aWatch();
  expect(await watch('cj', async () => ({ result: 'accepted' }))).toEqual({ result: 'accepted' });
  const tooLarge = refusal({ status: 413, code: 'body_too_large', detail: 'it is too large' });
  await refuse('cj', tooLarge);
  await refuse('cj', new AppError('store_unavailable', 'away', { retryable: true }));
  expect(verdicts).toEqual(['cj accepted', 'cj body_too_large', 'cj store_unavailable']);
  expect(lines).toEqual([]);
});
