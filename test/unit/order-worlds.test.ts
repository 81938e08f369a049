import fc from 'fast-check';
import { test } from 'vitest';
import { aDie } from '../fixtures/order-stories.ts';
import { WholeWorld } from '../fixtures/whole-world.ts';

const WORLDS = Number(process.env.WORLDS ?? 1_000);
const MOST_TURNS = 200;
/** The same worlds in every run of the suite; others come with WORLD_SEED, more of them with WORLDS. */
const SEED = Number(process.env.WORLD_SEED ?? 20_261_128);

function live(seed: number, turns: number): void {
  const world = new WholeWorld(aDie(seed));
  for (let turn = 0; turn < turns; turn += 1) world.turn();
  world.end();
}

test('between a shop and a supplier that keep their own books nobody waits in vain, no unit is forgotten, and none is bought that a person did not hear of', {
  timeout: 300_000,
}, () => {
  // A failure names seed and turns; the shortest that fails is shown.
  fc.assert(fc.property(fc.integer({ min: 1 }), fc.integer({ min: 1, max: MOST_TURNS }), live), {
    numRuns: WORLDS,
    seed: SEED,
  });
});
