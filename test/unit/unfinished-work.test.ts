import { expect, onTestFinished, test, vi } from 'vitest';
import { createUnfinishedWork } from '../../services/suppliers/unfinished-work.ts';

const MINUTE_MS = 60_000;

function aWork() {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const unfinished = createUnfinishedWork<string>();
  /** Begins the task, or goes on with it, and fails in a way that passes. @returns what it had before. */
  const tryAt = async (task: string): Promise<string[]> => {
    let had: string[] = [];
    await unfinished
      .goOn(task, async (parts) => {
        had = [...parts.values()];
        parts.set('price', 'read');
        throw new Error('out of time');
      })
      .catch(() => undefined);
    return had;
  };
  return { tryAt };
}

test('what was read of a task is used for ten minutes from its beginning, however often it is tried', async () => {
  const { tryAt } = aWork();
  await tryAt('a');
  for (let minutes = 3; minutes < 10; minutes += 3) {
    vi.advanceTimersByTime(3 * MINUTE_MS);
    expect(await tryAt('a')).toEqual(['read']);
  }
  vi.advanceTimersByTime(MINUTE_MS);
  expect(await tryAt('a')).toEqual([]);
});

test('of very many tasks the oldest are forgotten', async () => {
  const { tryAt } = aWork();
  for (let task = 0; task <= 500; task += 1) await tryAt(String(task));
  expect(await tryAt('500')).toEqual(['read']);
  expect(await tryAt('0')).toEqual([]);
});
