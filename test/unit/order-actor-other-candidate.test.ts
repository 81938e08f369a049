import { expect, test } from 'vitest';
import { A, aRoad, B, isBuying, TWO_LINES, toTwoDrafts, twoParts } from '../fixtures/order-road.ts';
import {
  accepted,
  aPart,
  elapsed,
  holdRequested,
  placing,
  received,
  rejected,
  releaseRequested,
  replaceable,
  sourced,
  supplierCancelRequested,
  updated,
} from './builders.ts';

test('a refused purchase that another candidate may take is sourced again without a hold', () => {
  const road = aRoad(
    received({ lines: TWO_LINES }),
    elapsed('grace'),
    twoParts,
    placing(A),
    placing(B),
    accepted(B),
  );
  expect(road.step(replaceable(A))).toEqual([
    'no wait placing A',
    'fact supplier_order.rejected A',
    'fact product.stock_alert A',
    'suppliers: source order',
    'wait sourcing',
  ]);
  expect(road.supplierOrder(A)).toBe('rejected');
  expect(road.state()).toBe('sourcing');
  expect(road.line('L1')).toMatchObject({ unallocated: 2, held: 0 });
  const other = sourced({ round: 2, parts: [aPart({ L1: 2 }, { part: 'US' })] });
  expect(road.step(other).filter(isBuying)).toHaveLength(1);
  expect(road.line('L1')).toMatchObject({ unallocated: 0, held: 0 });
});

test('of several parts that are refused at once each is sourced again, in one question', () => {
  const road = aRoad(received({ lines: TWO_LINES }), elapsed('grace'), twoParts, placing(A), placing(B));
  road.step(replaceable(A));
  expect(road.step(replaceable(B, 'not_shippable'))).toContain('suppliers: source order');
  road.refuse(sourced({ round: 2, parts: [aPart({ L1: 2 }, { part: 'US' })] }));
  expect(road.line('L2')).toMatchObject({ unallocated: 1, held: 0 });
});

test('nothing is sourced for a refused purchase that a person gave up, nor for an order that is off', () => {
  const givenUp = aRoad(...toTwoDrafts, placing(A), supplierCancelRequested(A));
  expect(givenUp.step(replaceable(A))).toContain('hold out_of_stock A');
  expect(givenUp.line('L1')).toMatchObject({ unallocated: 0, held: 2 });
  const off = aRoad(received(), elapsed('grace'), sourced(), placing(), updated({ cancelled: true }));
  expect(off.step(replaceable())).not.toContain('suppliers: source order');
  expect(off.state()).toBe('cancelled');
});

const withUnits = (units: number) =>
  updated({
    lines: TWO_LINES.map((line) => (line.lineId === 'L1' ? { ...line, units, openUnits: units } : line)),
  });

test('of what the customer takes away while it is being bought only the rest is sourced again', () => {
  const road = aRoad(received({ lines: TWO_LINES }), elapsed('grace'), twoParts, placing(A));
  road.step(withUnits(1));
  road.step(releaseRequested('customer_edit_pending'));
  expect(road.step(replaceable(A))).toContain('suppliers: source order');
  expect(road.line('L1')).toMatchObject({ unallocated: 1, held: 0, cancelled: 1 });
});

test.each([
  ['another candidate may take', replaceable(A)],
  ['no other candidate may take', rejected('unavailable', A)],
])(
  'of a refused purchase that %s and nobody wants any more nobody is asked, and the others go on',
  (_, refusal) => {
    const road = aRoad(received({ lines: TWO_LINES }), elapsed('grace'), twoParts, placing(A));
    road.step(withUnits(0));
    expect(road.step(releaseRequested('customer_edit_pending'))).toContain('suppliers: buy B');
    road.step(refusal);
    expect(road.holds()).toEqual([]);
    expect(road.line('L1')).toMatchObject({ unallocated: 0, held: 0, cancelled: 2 });
    expect(road.state()).toBe('purchasing');
  },
);

test('under a hold of its order a refused purchase waits for the release before it is sourced again', () => {
  const road = aRoad(...toTwoDrafts, placing(A), placing(B), accepted(B), holdRequested());
  expect(road.step(replaceable(A))).not.toContain('suppliers: source order');
  expect(road.step(releaseRequested('operator'))).toContain('suppliers: source order');
});
