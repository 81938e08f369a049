import { expect, test } from 'vitest';
import { describeDifference, differencesOf } from '../../services/differences.ts';

test('every place where two values differ is named with both of them, and what is missing as well', () => {
  const stored = { order: { state: 'grace', lines: { '1': { held: 0, ordered: 2 } } }, only: [1] };
  const told = { order: { state: 'sourcing', lines: { '1': { held: 1, ordered: 2 }, '2': {} } } };
  expect(differencesOf(stored, told).map(describeDifference)).toEqual([
    'order.state: stored "grace", told "sourcing"',
    'order.lines.1.held: stored 0, told 1',
    'order.lines.2: stored nothing, told {}',
    'only: stored [1], told nothing',
  ]);
});

test('equal values differ nowhere, whatever the order of their fields', () => {
  expect(differencesOf({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toEqual([]);
  expect(differencesOf([1], { 0: 1 })).toHaveLength(1);
});
