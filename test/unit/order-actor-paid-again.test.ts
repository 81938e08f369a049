import { expect, test } from 'vitest';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { A, A2, aRoad, isBuying, toSourcing } from '../fixtures/order-road.ts';
import { aLine, aPart, elapsed, received, releaseRequested, sourced, updated } from './builders.ts';

const at = (hour: number): Pick<OrderReceived, 'sourceUpdatedAt'> => ({
  sourceUpdatedAt: `2026-11-23T0${hour}:00:00.000Z`,
});
const voided = updated({ payment: 'voided', ...at(1) });
const refunded = updated({ payment: 'refunded', ...at(1) });

test('an order whose payment was voided is bought once it is paid after all, and its customer is told', () => {
  const road = aRoad(received({ payment: 'pending' }), voided);
  expect(road.state()).toBe('cancelled');
  expect(road.step(updated({ payment: 'paid', ...at(2) }))).toContain('mail order_confirmed');
  expect([road.state(), road.holds()]).toEqual(['grace', []]);
  expect(road.step(elapsed('grace'))).toContain('suppliers: source order');
});

test('an order that was voided while it was sourced is sourced anew, and the old answer counts no more', () => {
  const road = aRoad(...toSourcing, voided);
  expect(road.step(updated({ payment: 'paid', ...at(2) })).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
  road.refuse(sourced());
  expect(road.step(sourced({ round: 2, parts: [aPart({ L1: 2 })] }))).toContain('create A2');
  expect([road.supplierOrder(A), road.supplierOrder(A2)]).toEqual([undefined, 'draft']);
});

test('a voided order that waits for another payment waits like any other', () => {
  const road = aRoad(received({ payment: 'pending' }), voided);
  road.step(updated({ payment: 'pending', ...at(2) }));
  expect([road.state(), road.holds()]).toEqual(['awaiting_payment', ['payment_pending']]);
  road.step(updated({ payment: 'paid', ...at(3) }));
  expect([road.state(), road.holds()]).toEqual(['grace', []]);
});

test.each([
  ['in grace', [received()]],
  ['while it was sourced', toSourcing],
])('an order that was refunded as a whole %s and is paid again waits for a person', (_, before) => {
  const road = aRoad(...before, refunded);
  expect(road.state()).toBe('refunded');
  const lines = [aLine({ units: 0 }), aLine({ lineId: 'L2', units: 1 })];
  expect(road.step(updated({ lines, payment: 'paid', ...at(2) })).filter(isBuying)).toEqual([]);
  expect(road.holds()).toEqual(['customer_edit_pending']);
  const released = [...road.try(releaseRequested('customer_edit_pending')), ...road.try(elapsed('grace'))];
  expect(released.filter(isBuying)).toEqual(['suppliers: source order']);
  expect([road.line('L1'), road.line('L2')]).toMatchObject([{ unallocated: 0 }, { unallocated: 1 }]);
});

test('what is cancelled, and what stays voided or refunded, is read no more', () => {
  for (const payment of ['voided', 'refunded'] as const) {
    const road = aRoad(received(), updated({ payment, ...at(1) }));
    road.refuse(updated({ payment, ...at(2) }));
    road.refuse(updated({ payment: 'paid', sourceUpdatedAt: '2026-11-22T09:00:00.000Z' }));
    road.refuse(updated({ payment: 'paid', cancelled: true, ...at(2) }));
  }
  const cancelled = aRoad(received({ payment: 'pending' }), updated({ cancelled: true, ...at(1) }));
  cancelled.refuse(updated({ payment: 'paid', ...at(2) }));
});

test('a refunded order that is paid again before goods are added to it goes on once they are, and it was released', () => {
  const road = aRoad(received(), refunded);
  road.step(updated({ lines: [aLine({ units: 0 })], payment: 'paid', ...at(2) }));
  expect([road.state(), road.holds()]).toEqual(['refunded', ['customer_edit_pending']]);
  const lines = [aLine({ units: 0 }), aLine({ lineId: 'L2', units: 1 })];
  expect(road.step(updated({ lines, payment: 'paid', ...at(3) })).filter(isBuying)).toEqual([]);
  expect(road.try(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
});

test('an order that was emptied while nobody had bought, and never voided, is sourced at once when goods are added', () => {
  const road = aRoad(received(), updated({ lines: [aLine({ units: 0 })], ...at(1) }));
  expect(road.state()).toBe('cancelled');
  road.step(updated({ lines: [aLine({ units: 1 })], ...at(2) }));
  expect(road.state()).toBe('sourcing');
});
