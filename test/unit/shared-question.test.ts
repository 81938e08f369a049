import { expect, test } from 'vitest';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import { sharedQuestion } from '../../services/suppliers/shared-question.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const NEVER = new AbortController().signal;
const failed = (failureClass: FailureClass): SupplierError => new SupplierError(failureClass, 'no', {});

/** A supplier that answers when told to, each call with its number. */
function aSupplier() {
  const calls: { readonly question: object; readonly signal: AbortSignal }[] = [];
  const open: PromiseWithResolvers<number>[] = [];
  const ask = sharedQuestion((_client: object, question: object, signal: AbortSignal) => {
    const call = Promise.withResolvers<number>();
    calls.push({ question, signal });
    open.push(call);
    return call.promise;
  });
  return {
    ask,
    calls,
    answer: (index: number): void => open[index]?.resolve(index),
    fail: (index: number, error: unknown): void => open[index]?.reject(error),
  };
}
const client = {};

test('who asks the same while a call is under way takes its answer, and the next one asks anew', async () => {
  const { ask, calls, answer } = aSupplier();
  const asked = [1, 2, 3].map(() => ask(client, { product: '7' }, NEVER));
  expect(calls).toHaveLength(1);
  answer(0);
  expect(await Promise.all(asked)).toEqual([0, 0, 0]);
  const later = ask(client, { product: '7' }, NEVER);
  expect(calls).toHaveLength(2);
  answer(1);
  expect(await later).toBe(1);
});

test('another question and another client are calls of their own', () => {
  const { ask, calls } = aSupplier();
  void ask(client, { product: '7', country: 'FR' }, NEVER);
  void ask(client, { product: '7', country: 'DE' }, NEVER);
  void ask({}, { product: '7', country: 'FR' }, NEVER);
  expect(calls).toHaveLength(3);
});

test('what the supplier says of the article is said to all', async () => {
  const { ask, calls, fail } = aSupplier();
  const asked = [1, 2].map(() => ask(client, {}, NEVER));
  fail(0, failed('not_found'));
  for (const one of asked) await expect(one).rejects.toMatchObject({ failureClass: 'not_found' });
  expect(calls).toHaveLength(1);
});

test.each(['transient', 'throttled'] as const)(
  'a call that fails as %s fails for the first alone: the others ask for themselves',
  async (failureClass) => {
    const { ask, calls, fail, answer } = aSupplier();
    const [first, ...others] = [1, 2, 3].map(() => ask(client, {}, NEVER));
    fail(0, failed(failureClass));
    await expect(first).rejects.toMatchObject({ failureClass });
    await expect.poll(() => calls.length).toBe(3);
    answer(1);
    answer(2);
    expect(await Promise.all(others)).toEqual([1, 2]);
  },
);

test('whoever loses patience asks with the signal that says so, and keeps nobody else from the answer', async () => {
  const { ask, calls, fail, answer } = aSupplier();
  const first = ask(client, {}, NEVER);
  const impatient = new AbortController();
  const second = ask(client, {}, impatient.signal);
  const third = ask(client, {}, NEVER);
  impatient.abort();
  await expect.poll(() => calls.length).toBe(2);
  expect(calls[1]?.signal.aborted).toBe(true);
  fail(1, failed('transient'));
  await expect(second).rejects.toMatchObject({ failureClass: 'transient' });
  answer(0);
  expect(await Promise.all([first, third])).toEqual([0, 0]);
});
