import { expect, test } from 'vitest';
import {
  matchStrays,
  matchSurplus,
  type Stray,
  type StrayCall,
} from '../../services/suppliers/match-strays.ts';

const LAMP = 'lamp';
const aCall = (id: string, change: Partial<StrayCall> = {}): StrayCall => ({
  id,
  attempt: 1,
  state: 'in_doubt',
  isSuspected: false,
  fromMs: 1_000,
  toMs: 2_000,
  articles: LAMP,
  ...change,
});
const aStray = (reference: string, change: Partial<Stray> = {}): Stray => ({
  reference,
  instantsMs: [1_500],
  articles: LAMP,
  found: {
    supplierReference: reference,
    amountMinor: null,
    currency: 'USD',
    isPaid: false,
    callerRef: '',
    isCancelled: false,
    articles: [],
    createdAt: null,
  },
  ...change,
});
const kinds = (calls: readonly StrayCall[], strays: readonly Stray[]) =>
  Object.fromEntries([...matchStrays(calls, strays)].map(([{ id }, { kind }]) => [id, kind]));

test('an order and a purchase in doubt that fit each other and nobody else belong together', () => {
  const [call, stray] = [aCall('one'), aStray('AE1')];

  expect(matchStrays([call], [stray])).toEqual(new Map([[call, { kind: 'adopted', stray }]]));
});

test('an order fits up to the first and the last moment of a call, and not beyond', () => {
  expect(kinds([aCall('one')], [aStray('AE1', { instantsMs: [1_000] })])).toEqual({ one: 'adopted' });
  expect(kinds([aCall('one')], [aStray('AE1', { instantsMs: [2_000] })])).toEqual({ one: 'adopted' });
  expect(kinds([aCall('one')], [aStray('AE1', { instantsMs: [999] })])).toEqual({});
  expect(kinds([aCall('one')], [aStray('AE1', { instantsMs: [2_001] })])).toEqual({});
});

test('an order of other articles fits no purchase', () => {
  expect(kinds([aCall('one')], [aStray('AE1', { articles: 'mug' })])).toEqual({});
});

test('two purchases that one order fits are both in doubt still', () => {
  expect(kinds([aCall('one'), aCall('two')], [aStray('AE1')])).toEqual({
    one: 'ambiguous',
    two: 'ambiguous',
  });
});

test('two orders that fit one purchase are named to a person', () => {
  const [match] = matchStrays(
    [aCall('one')],
    [aStray('AE2', { instantsMs: [1_600] }), aStray('AE1')],
  ).values();

  expect(match).toEqual({ kind: 'ambiguous', references: 'AE1 AE2' });
});

test('an order that a call under way may have made is nobody else’s until that one is answered', () => {
  const underWay = aCall('two', { state: 'under_way' });

  expect(kinds([aCall('one'), underWay], [aStray('AE1')])).toEqual({ one: 'undecided' });
});

test('a call whose time holds no order is nobody’s rival, even in the midst of others', () => {
  const between = aCall('between', { fromMs: 1_550, toMs: 1_580 });
  const strays = [aStray('AE1', { instantsMs: [1_500] }), aStray('AE2', { instantsMs: [1_900] })];
  const [early, late] = [aCall('early', { toMs: 1_700 }), aCall('late', { fromMs: 1_700 })];

  expect(kinds([early, between, late], strays)).toEqual({ early: 'adopted', late: 'adopted' });
});

test('an order that may be of several hours fits by any of them, but is one order for all that', () => {
  const [call, elsewhere] = [aCall('one'), aCall('two', { fromMs: 5_000, toMs: 6_000 })];
  const stray = aStray('AE1', { instantsMs: [1_500, 5_500, 9_500] });
  const wide = aCall('wide', { toMs: 9_999 });

  expect(kinds([call], [stray])).toEqual({ one: 'adopted' });
  expect(kinds([wide], [stray])).toEqual({ wide: 'adopted' });
  expect(kinds([call, elsewhere], [stray])).toEqual({ one: 'ambiguous', two: 'ambiguous' });
  expect(kinds([call, { ...elsewhere, state: 'under_way' }], [stray])).toEqual({ one: 'undecided' });
  expect(kinds([wide], [stray, aStray('AE2', { instantsMs: [1_600, 5_600] })])).toEqual({
    wide: 'ambiguous',
  });
});

test('of a crowd of orders a person is told the first ones and how many there are', () => {
  const strays = Array.from({ length: 25 }, (_, index) =>
    aStray(`AE${index}`, { instantsMs: [1_000 + index] }),
  );
  const [match] = matchStrays([aCall('one')], strays).values();

  expect(match?.kind === 'ambiguous' && match.references).toMatch(/^AE0 AE1 .* AE19 and 5 more$/);
});

test('three thousand doubts and orders of one article are compared by their order, not each with each', () => {
  const calls = Array.from({ length: 3_000 }, (_, index) => aCall(`call-${index}`));
  const strays = Array.from({ length: 3_000 }, (_, index) => aStray(`AE${index}`));

  // Each call with each order and each other call would be 27,000,000,000 steps: longer than a test may last.
  expect(matchStrays(calls, strays).size).toBe(3_000);
});

const refused = (id: string, change: Partial<StrayCall> = {}) => aCall(id, { state: 'refused', ...change });

test('an order that fits a refused purchase is adopted for none, and is told when nothing else is open', () => {
  const [no, stray] = [refused('no'), aStray('AE1')];
  expect(matchSurplus([no], [stray])).toEqual([{ stray, call: no, fitting: 1 }]);
  expect(matchStrays([no], [stray])).toEqual(new Map());
  for (const state of ['in_doubt', 'under_way'] as const)
    expect(matchSurplus([no, aCall('other', { state })], [stray])).toEqual([]);
  expect(kinds([no, aCall('doubt')], [stray])).toEqual({});
});

test('of several purchases that were refused, or made again, the last one that an order fits stands for all', () => {
  const late = aCall('late', { state: 'repeated', fromMs: 1_400 });
  const calls = [refused('early'), late, refused('after', { fromMs: 1_600 })];
  const stray = aStray('AE1');
  expect(matchSurplus(calls, [stray])).toEqual([{ stray, call: late, fitting: 2 }]);
});

test('an order of other articles or of another time is of no refused purchase', () => {
  const strays = [aStray('AE1', { articles: 'mug' }), aStray('AE2', { instantsMs: [2_001] })];
  expect(matchSurplus([refused('no')], strays)).toEqual([]);
});

test('two orders too many are told beside two purchases, and not beside one that a person looks at already', () => {
  const [one, two] = [refused('one', { fromMs: 1_200 }), refused('two')];
  const looked = refused('looked', { fromMs: 1_400, isSuspected: true });
  const told = matchSurplus([looked, one, two], [aStray('AE1'), aStray('AE2')]);
  expect(told.map(({ stray, call }) => [stray.reference, call.id])).toEqual([
    ['AE1', 'one'],
    ['AE2', 'two'],
  ]);
  expect(matchSurplus([looked], [aStray('AE3')]).map(({ call }) => call.id)).toEqual(['looked']);
});
