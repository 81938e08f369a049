import { describe, expect, it } from 'vitest';
import { gathering } from '../../services/gathering.ts';

/** Rounds that end when they are told to. */
function heldRounds() {
  const rounds: { items: readonly number[]; end: () => void }[] = [];
  const ask = gathering<number, string>(
    (items) =>
      new Promise((resolve) => {
        rounds.push({ items, end: () => resolve(items.map((item) => `answer ${item}`)) });
      }),
    { most: 3 },
  );
  return { rounds, ask };
}

describe('gathering', () => {
  it('shares one round among all that is asked for in one turn, and answers each in its place', async () => {
    const { rounds, ask } = heldRounds();
    const answers = Promise.all([ask(1), ask(2)]);
    await expect.poll(() => rounds.length).toBe(1);
    expect(rounds[0]?.items).toEqual([1, 2]);
    rounds[0]?.end();
    expect(await answers).toEqual(['answer 1', 'answer 2']);
  });

  it('lets what comes during a round share the next one, up to the most that a round takes', async () => {
    const { rounds, ask } = heldRounds();
    const first = ask(1);
    await expect.poll(() => rounds.length).toBe(1);
    const others = Promise.all([2, 3, 4, 5].map(ask));
    rounds[0]?.end();
    await first;
    await expect.poll(() => rounds.length).toBe(2);
    rounds[1]?.end();
    await expect.poll(() => rounds.length).toBe(3);
    rounds[2]?.end();
    expect((await others).at(-1)).toBe('answer 5');
    expect(rounds.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('begins anew after all was done', async () => {
    const ask = gathering(async (items: readonly number[]) => items.map((item) => item * 2));
    expect(await ask(1)).toBe(2);
    expect(await ask(4)).toBe(8);
  });

  it('fails a bad item alone', async () => {
    const ask = gathering(async (items: readonly number[]) => {
      if (items.includes(2)) throw new TypeError('two is refused');
      return items;
    });
    const settled = await Promise.allSettled([ask(1), ask(2), ask(3)]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('asks a database that is away once for a round, not once for each item', async () => {
    let rounds = 0;
    const ask = gathering(async (_items: readonly number[]): Promise<number[]> => {
      rounds += 1;
      throw Object.assign(new Error('the server is shutting down'), { code: '57P01' });
    });
    const settled = await Promise.allSettled([ask(1), ask(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(rounds).toBe(1);
  });
});
