import { expect, test } from 'vitest';
import { A, aRoad, B, PARCEL_A, toTwoDrafts } from '../fixtures/order-road.ts';
import {
  accepted,
  aParcel,
  cancelRefused,
  elapsed,
  fulfillmentWithheld,
  observed,
  outcomeUnknown,
  placed,
  placing,
  refusedLines,
  rejected,
  releaseRequested,
  supplierCancelRequested,
  withheld,
} from './builders.ts';

/** A waits for its payment and for money; L2 came back from B, and only A's hold keeps it from being sourced. */
const toWaitingWithPayment = [
  ...toTwoDrafts,
  placing(A),
  placed(A),
  placing(B),
  rejected('unavailable', B),
  releaseRequested('out_of_stock'),
  refusedLines('out_of_stock', ['L2'], { round: 2 }),
  withheld('insufficient_funds', A),
  releaseRequested('out_of_stock', ['L2']),
];

test('units that waited only for the money of another purchase are sourced when that one is given up', () => {
  const road = aRoad(...toWaitingWithPayment);
  expect(road.state()).toBe('sourcing');
  expect(road.line('L2')).toMatchObject({ held: 1, unallocated: 0 });
  expect(road.commands(supplierCancelRequested(A))).toMatchObject([
    { verb: 'cancel' },
    { verb: 'source', data: { lines: [{ lineId: 'L2', units: 1 }] } },
  ]);
});

test('an order whose sourcing waited for the money of another purchase is sourced when that one is given up', () => {
  const road = aRoad(
    ...toTwoDrafts,
    placing(A),
    placed(A),
    placing(B),
    rejected('unavailable', B),
    releaseRequested('out_of_stock'),
    withheld('insufficient_funds', A),
  );
  road.refuse(elapsed('sourcing'));
  expect(road.commands(supplierCancelRequested(A))).toMatchObject([
    { verb: 'cancel' },
    { verb: 'source', data: { lines: [{ lineId: 'L2', units: 1 }] } },
  ]);
});

/** B waits for a person, and goes on doing so. */
const toHeldBeside = [...toTwoDrafts, withheld('address_invalid', B), placing(A)];

test.each([
  [
    'is in doubt is looked up again',
    [outcomeUnknown(A), withheld('outcome_unknown', A)],
    releaseRequested('outcome_unknown'),
    ['suppliers: look_up A', 'wait look_up A'],
  ],
  [
    'its supplier did not give up is asked for again',
    [placed(A), supplierCancelRequested(A), cancelRefused(false, A)],
    releaseRequested('supplier_rejected'),
    ['suppliers: cancel A', 'wait cancel A', 'wait cancelling A'],
  ],
  [
    'is overdue is waited for again',
    [accepted(A), elapsed('ship', A)],
    releaseRequested('overdue'),
    ['wait ship A'],
  ],
  [
    'the shop did not show is shown there',
    [accepted(A), observed('shipped', [aParcel()], A), fulfillmentWithheld(PARCEL_A, A)],
    releaseRequested('fulfillment_not_ours'),
    ['shopify: fulfill PA', 'wait fulfill A PA', 'wait deliver A'],
  ],
])('a released purchase that %s, though another of its order is held still', (_, held, release, follows) => {
  const road = aRoad(...toHeldBeside, ...held);
  expect(road.holds()).toHaveLength(2);
  expect(road.step(release)).toEqual(expect.arrayContaining(follows));
  expect(road.holds()).toEqual(['address_invalid']);
});

test('a released purchase is bought or paid no sooner than nothing holds its order any more', () => {
  const road = aRoad(...toHeldBeside, placed(A), withheld('insufficient_funds', A));
  expect(road.commands(releaseRequested('insufficient_funds'))).toEqual([]);
  expect(road.commands(releaseRequested('address_invalid'))).toMatchObject([
    { verb: 'pay' },
    { verb: 'buy' },
  ]);
});
