import { expect, test } from 'vitest';
import { pageOf } from './page.ts';
import { runFaults } from './run.ts';
import { SHORT_FORM } from './short-form.ts';

test('whatever dies, breaks or lies: nothing is lost, nothing is bought, fulfilled or mailed twice', async () => {
  const steps: string[] = [];
  const run = await runFaults({ ...SHORT_FORM, say: (line) => steps.push(line) });
  const page = pageOf(run);
  console.log(page);
  expect(
    run.verdicts.filter(({ against }) => against.length > 0),
    `${page}\n${steps.join('\n')}`,
  ).toEqual([]);
  // Otherwise nothing was put to the test. How many calls an outage meets is up to the machine.
  expect(run.badAnswers).toBeGreaterThan(2);
  expect(run.done.filter(({ result }) => result === 'died there').length).toBeGreaterThan(2);
  // A hold is the honest way out, but not the usual one.
  const held = run.evidence.orders.filter(({ holds }) => holds.length > 0);
  expect(held.length).toBeLessThan(SHORT_FORM.orders / 3);
}, 900_000);
