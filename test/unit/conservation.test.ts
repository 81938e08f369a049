import { expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { decideOrder, decideSupplierOrder, startOrder } from '../../machines/decide.ts';
import { assertConserved } from '../../machines/invariants.ts';
import { type OrderActor, stepOrderActor } from '../../machines/order-actor.ts';
import type { LineUnits, OrderContext } from '../../machines/order-context.ts';
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
