import { expect, test } from 'vitest';
import { SourceOrder } from '../../contracts/commands/source-order.ts';
import { AppError } from '../../contracts/errors.ts';
import { OrderEvent } from '../../contracts/events/order-event.ts';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { ORDER_RISK_ASSESSED } from '../../contracts/events/order-risk-assessed.ts';
import { ORDER_VERIFIED } from '../../contracts/events/order-verified.ts';
import { ORDER_STATES, type SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { decideOrder, decideSupplierOrder, startOrder } from '../../machines/decide.ts';
import { assertConserved } from '../../machines/invariants.ts';
import { type OrderActor, type Step, stepOrderActor } from '../../machines/order-actor.ts';
import type { LineUnits, OrderContext } from '../../machines/order-units.ts';
import { aDie, anAnswer, aStoryEvent, oneOf, type StoryEvent } from '../fixtures/order-stories.ts';
import { checkStep, keepTimers, stuckIn } from '../fixtures/story-checks.ts';
import { aReceivedOrder, elapsed, received, sourced } from './builders.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof AppError ? error.code : `${error}`;
  }
  return 'nothing thrown';
};

const contextWith = (
  line: Partial<LineUnits>,
  supplierOrders: OrderContext['supplierOrders'] = {},
): OrderContext => ({
  ...startOrder(aReceivedOrder()).state.context,
  lines: { L1: { ordered: 4, outside: 0, unallocated: 0, held: 0, cancelled: 0, ...line } },
  supplierOrders,
});
const bought = (state: SupplierOrderStateName, units: number) => ({ A: { state, units: { L1: units } } });

const WHOLE: readonly [string, OrderContext][] = [
  ['everything is still to be had', contextWith({ unallocated: 4 })],
  ['every place has one', contextWith({ unallocated: 1, held: 1, outside: 1 }, bought('accepted', 1))],
  ['the rest was cancelled', contextWith({ cancelled: 3 }, bought('delivered', 1))],
  ['a dead supplier order counts for nothing', contextWith({ held: 4 }, bought('rejected', 4))],
];
test.each(WHOLE)('nothing is missed when %s', (_, context) => {
  expect(codeOf(() => assertConserved(context))).toBe('nothing thrown');
});

const BROKEN: readonly [string, OrderContext][] = [
  ['a unit vanished', contextWith({ unallocated: 3 })],
  ['a unit was invented', contextWith({ unallocated: 4 }, bought('draft', 1))],
  ['a dead supplier order took its units with it', contextWith({}, bought('cancelled', 4))],
  ['a count is below zero', contextWith({ unallocated: -1 }, bought('draft', 5))],
];
test.each(BROKEN)('conservation is violated when %s', (_, context) => {
  expect(codeOf(() => assertConserved(context))).toBe('conservation_violated');
});

test('conservation is violated when a supplier order buys a line that the order does not have', () => {
  const context = contextWith({ unallocated: 4 }, { A: { state: 'draft', units: { L9: 1 } } });
  expect(codeOf(() => assertConserved(context))).toBe('conservation_violated');
});

test('a line that went away may stand on a dead supplier order', () => {
  const context = contextWith({ unallocated: 4 }, { A: { state: 'rejected', units: { L9: 1 } } });
  expect(codeOf(() => assertConserved(context))).toBe('nothing thrown');
});

test('a draft that its order gives up gives its units back', () => {
  let actor: OrderActor = { order: null, supplierOrders: new Map() };
  for (const event of [received(), elapsed('grace'), sourced()]) actor = stepOrderActor(actor, event).actor;
  const [draft] = actor.supplierOrders.values();
  let order = actor.order!;
  for (const effect of decideSupplierOrder(draft!, { type: 'order.cancelled' }).effects)
    if (effect.kind === 'tell_order') order = decideOrder(order, effect.event).state;
  expect(codeOf(() => assertConserved(order.context))).toBe('nothing thrown');
});

/** As it comes back from the database. */
const stored = ({ order, supplierOrders }: OrderActor): OrderActor => ({
  order: JSON.parse(JSON.stringify(order)),
  supplierOrders: new Map(JSON.parse(JSON.stringify([...supplierOrders]))),
});

const EVENTS_PER_STORY = 30;

/** Null for a plan that does not add up: only that may be thrown out. */
function stepOrThrowOut(actor: OrderActor, { event, isCrooked }: StoryEvent): Step | null {
  try {
    return stepOrderActor(actor, event);
  } catch (error) {
    if (isCrooked && error instanceof AppError && error.code === 'conservation_violated') return null;
    throw error;
  }
}

/** The newest body after an event that was taken. */
function bodyTakenFrom({ type, data }: OrderEvent, before: OrderReceived | null): OrderReceived | null {
  if ('shop' in data) return data;
  const read = type === ORDER_VERIFIED && 'body' in data ? data.body : null;
  return read !== null && read.sourceUpdatedAt >= (before?.sourceUpdatedAt ?? '') ? read : before;
}

/** Tells one random story: what was accepted, what was refused, the state that it came to, and who waits in vain. */
function tellStory(seed: number) {
  const die = aDie(seed);
  let actor: OrderActor = { order: null, supplierOrders: new Map() };
  let body: OrderReceived | null = null;
  const timers = new Set<string>();
  const stuck = new Set<string>();
  const repeatable: StoryEvent[] = [];
  const answers: OrderEvent[] = [];
  const taken: OrderEvent[] = [];
  for (let turn = 0; turn < EVENTS_PER_STORY; turn += 1) {
    const isRepeat = repeatable.length > 0 && die(10) === 0;
    const next: StoryEvent = isRepeat
      ? oneOf(die, repeatable)
      : aStoryEvent(die, { actor, body, answers, turn });
    OrderEvent.parse(next.event);
    const step: Step | null = stepOrThrowOut(actor, next);
    if (step === null) continue;
    if (step.accepted) body = bodyTakenFrom(next.event, body);
    checkStep(actor, next.event, step, body);
    actor = step.actor;
    keepTimers(timers, next.event, step);
    for (const waiting of stuckIn(actor, timers)) stuck.add(waiting);
    for (const effect of step.effects)
      if (effect.kind === 'command' && effect.verb === 'source')
        answers.push(anAnswer(die, SourceOrder.parse(effect.data)));
    if (!next.isCrooked) repeatable.push(next);
    if (step.accepted) taken.push(next.event);
  }
  let again: OrderActor = { order: null, supplierOrders: new Map() };
  for (const event of taken) again = stored(stepOrderActor(again, event).actor);
  expect(again).toEqual(stored(actor));
  return { seed, state: actor.order?.value, types: taken.map(({ type }) => type), stuck: [...stuck] };
}

const STORIES = 3_000;
const stories: ReturnType<typeof tellStory>[] = [];

/** Told once for all tests that ask. */
function toldStories(): typeof stories {
  for (let seed = stories.length + 1; seed <= STORIES; seed += 1) {
    try {
      stories.push(tellStory(seed));
    } catch (error) {
      throw new Error(`the story of seed ${seed} went wrong: ${error}`, { cause: error });
    }
  }
  return stories;
}

test('whatever happens in whatever order, no unit is lost or bought twice, and the same events lead to the same end', {
  timeout: 60_000,
}, () => {
  const told = toldStories();
  // A generator that never gets far, or never meets a refusal, proves nothing.
  const reached = new Set(told.map(({ state }) => state));
  for (const state of ORDER_STATES.filter((name) => name !== 'cancelling')) expect(reached).toContain(state);
  const types = new Set(told.flatMap((story) => story.types));
  // What the shop thinks of the risk is for whoever sources; the machines hear it and do nothing.
  const all = OrderEvent.options.map(({ shape }) => shape.type.value);
  expect([...types].sort()).toEqual(all.filter((type) => type !== ORDER_RISK_ASSESSED).sort());
  const taken = told.reduce((sum, { types: ofStory }) => sum + ofStory.length, 0);
  expect(STORIES * EVENTS_PER_STORY - taken).toBeGreaterThan(STORIES);
});

test('whatever happens, nothing that nobody holds waits without a timer: no order, supplier order, parcel or unit', {
  timeout: 60_000,
}, () => {
  expect(
    toldStories().flatMap(({ seed, stuck }) => stuck.map((waiting) => `seed ${seed}: ${waiting}`)),
  ).toEqual([]);
});
