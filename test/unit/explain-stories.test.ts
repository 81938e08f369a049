import { test } from 'vitest';
import { SourceOrder } from '../../contracts/commands/source-order.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { ExplainedRows } from '../fixtures/explained-rows.ts';
import { aDie, anAnswer, aStoryEvent } from '../fixtures/order-stories.ts';
import { mustBeTrue } from '../fixtures/true-words.ts';
import { WholeWorld } from '../fixtures/whole-world.ts';

/** The same orders in every run of the suite; others come with STORY_SEED, more of them with STORIES. */
const SEED = Number(process.env.STORY_SEED ?? 20_261_129);
const STORIES = Number(process.env.STORIES ?? 25);
const seeds = Array.from({ length: STORIES }, (_, index) => SEED * 10_000 + index);

function naming(seed: number, turn: number, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    throw new Error(`seed ${seed}, turn ${turn}: ${String(error)}`, { cause: error });
  }
}

function tellStory(seed: number): void {
  const die = aDie(seed);
  const rows = new ExplainedRows();
  const answers: OrderEvent[] = [];
  let body: OrderReceived | null = null;
  for (let turn = 0; turn < 20; turn += 1) {
    const { event, isCrooked } = aStoryEvent(die, { actor: rows.actor, body, answers, turn });
    if (isCrooked) continue;
    const { accepted, effects } = rows.take(event);
    if (!accepted) continue;
    if ('shop' in event.data) body = event.data;
    for (const effect of effects)
      if (effect.kind === 'command' && effect.verb === 'source')
        answers.push(anAnswer(die, SourceOrder.parse(effect.data)));
    naming(seed, turn, () => mustBeTrue(rows));
  }
}

function live(seed: number): void {
  const rows = new ExplainedRows();
  let turn = 0;
  const world = new WholeWorld(aDie(seed), (event, step) => {
    rows.see(event, step);
    if (step.accepted) naming(seed, turn, () => mustBeTrue(rows));
  });
  for (; turn < 100; turn += 1) world.turn();
  world.end();
}

test('whatever happens to an order, what is said of it is so, and what is said to come next comes', {
  timeout: 120_000,
}, () => {
  for (const seed of seeds) tellStory(seed);
  for (const seed of seeds) live(seed);
});
