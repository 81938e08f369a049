import { expect, test } from 'vitest';
import { A, aRoad, B, toTwoDrafts } from '../fixtures/order-road.ts';
import {
  elapsed,
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
