import { expect, test } from 'vitest';
import { RELEASE_REQUESTED } from '../../contracts/events/release-requested.ts';
import type { Attention, SupplierOrderObserved } from '../../contracts/events/supplier-order-observed.ts';
import { A, aRoad, toBought, toShipped, toSourcing } from '../fixtures/order-road.ts';
import {
  aParcel,
  cancelConfirmed,
  cancelRequested,
  ORDER_ID,
  observed,
  placed,
  placing,
  rejected,
  releaseRequested,
  sourced,
  withheld,
} from './builders.ts';

const DISPUTE: Attention = { reason: 'operator', evidence: { state: 'IN_ISSUE', order: 'AE1' } };
const FREEZE: Attention = { reason: 'supplier_rejected', evidence: { state: 'IN_FROZEN' } };
const seen = (attention?: Attention, status: SupplierOrderObserved['status'] = 'processing') =>
  observed(status, [], A, { isAttentive: true, ...(attention === undefined ? {} : { attention }) });

test('what a person has to see to at the supplier is held once, and the same said again is no news', () => {
  const road = aRoad(...toBought, seen());
  expect(road.step(seen(DISPUTE))).toEqual(['hold operator A', 'fact order.held operator A']);
  expect(road.supplierOrder(A)).toBe('processing');
  road.refuse(seen(DISPUTE));
  road.refuse(seen({ reason: 'operator', evidence: { order: 'AE1', state: 'IN_ISSUE' } }));
});

test('once a person has released it the same is not held again, but other facts are', () => {
  const road = aRoad(...toBought, seen(DISPUTE), releaseRequested('operator'));
  expect(road.holds()).toEqual([]);
  road.refuse(seen(DISPUTE));
  expect(road.step(seen({ ...DISPUTE, evidence: { state: 'IN_ISSUE', order: 'AE2' } }))).toContain(
    'hold operator A',
  );
  expect(road.step(seen(FREEZE))).toEqual([
    'unhold operator A',
    'fact order.released operator',
    'hold supplier_rejected A',
    'fact order.held supplier_rejected A',
  ]);
});

test('where it is about an order that is not shown at all, its parcels stay as they were', () => {
  const road = aRoad(...toShipped);
  expect(road.step(seen(DISPUTE, 'shipped'))).toEqual(['hold operator A', 'fact order.held operator A']);
  expect(road.supplierOrder(A)).toBe('shipped');
});

test('other facts for the same reason take the place of the former: the hold is opened anew, and nothing goes on', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), placed(), seen(DISPUTE, 'awaiting_payment'));
  const steps = road.step(seen({ ...DISPUTE, evidence: { state: 'IN_CANCEL' } }, 'awaiting_payment'));
  expect(steps).toEqual([
    'unhold operator A',
    'fact order.released operator',
    'hold operator A',
    'fact order.held operator A',
  ]);
});

test('the hold goes by itself when the supplier says so no more, and comes again when it does', () => {
  const road = aRoad(...toBought, seen(DISPUTE));
  expect(road.step(seen())).toEqual(['unhold operator A', 'fact order.released operator', 'wait ship A']);
  expect(road.holds()).toEqual([]);
  expect(road.step(seen(DISPUTE))).toContain('hold operator A');
});

test('whoever looks and cannot tell, as a copy of the release before, leaves it as it is', () => {
  const road = aRoad(...toBought, seen(DISPUTE));
  road.refuse(observed('processing', [], A));
  expect(road.holds()).toEqual(['operator']);
});

test.each([
  ['is cancelled', [cancelRequested(), cancelConfirmed(A)]],
  ['is refused after all', [cancelRequested(), rejected('unavailable', A)]],
])('what was observed of a purchase that %s is over with it', (_how, ending) => {
  const road = aRoad(...toBought, seen(FREEZE), ...ending);
  expect(road.holds()).not.toContain('supplier_rejected');
});

test('a hold of another cause stays when what was observed is over', () => {
  const road = aRoad(
    ...toSourcing,
    sourced(),
    placing(),
    placed(),
    seen({ reason: 'insufficient_funds', evidence: {} }, 'awaiting_payment'),
    withheld('insufficient_funds'),
  );
  expect(road.step(seen(undefined, 'awaiting_payment'))).toEqual([]);
  expect(road.holds()).toEqual(['insufficient_funds']);
});

const STRAY = [aParcel(), aParcel({ trackingNumber: 'CJPKL7100009999YQ' })];
const AGAIN = [...STRAY, aParcel({ trackingNumber: 'CJPKL7100008888YQ' })];

test('a dispute and a riddle of the parcels are two holds: neither hides the other, and the end of one leaves the other', () => {
  const road = aRoad(...toShipped, observed('shipped', STRAY, A));
  expect(road.step(observed('shipped', STRAY, A, { attention: DISPUTE }))).toContain('hold operator A');
  expect(road.holds()).toEqual(['operator', 'operator']);
  road.step(observed('shipped', STRAY, A, { isAttentive: true }));
  expect(road.holds()).toEqual(['operator']);

  const other = aRoad(...toShipped, observed('shipped', [aParcel()], A, { attention: DISPUTE }));
  other.step(observed('shipped', STRAY, A, { attention: DISPUTE }));
  expect(other.holds()).toEqual(['operator', 'operator']);
});

test('a second riddle of the parcels is told beside the first, and each is released by itself', () => {
  const road = aRoad(...toShipped, observed('shipped', STRAY, A));
  expect(road.step(observed('shipped', AGAIN, A))).toContain('hold operator A');
  expect(road.evidence().map(({ trackingNumbers }) => trackingNumbers)).toEqual([
    'CJPKL7100009999YQ',
    'CJPKL7100008888YQ',
  ]);
  const [first = ''] = road.holdIds();
  road.step({ type: RELEASE_REQUESTED, data: { orderId: ORDER_ID, reason: 'operator', holdId: first } });
  expect(road.holds()).toEqual(['operator']);
  expect(road.holdIds()).not.toContain(first);
});

test('a dispute that ends in a cancel leaves the hold of the cancel alone', () => {
  const road = aRoad(...toBought, seen(DISPUTE), seen(undefined, 'cancelled'));
  expect(road.holds()).toEqual(['supplier_cancelled']);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 2 });
});

const whole = [aParcel()];
const arrived = [aParcel({ state: 'delivered' })];
test.each([
  ['awaiting_payment', [...toSourcing, sourced(), placing(), placed()], 'awaiting_payment', []],
  ['accepted', toBought, 'processing', []],
  ['processing', [...toBought, seen()], 'processing', []],
  ['partially_shipped', [...toBought, observed('shipped', [aParcel({ units: { L1: 1 } })])], 'shipped', []],
  ['shipped', toShipped, 'shipped', whole],
  ['delivered', [...toShipped, observed('delivered', arrived)], 'delivered', arrived],
] as const)('it is held in the state %s', (state, road, status, parcels) => {
  const actor = aRoad(...road);
  expect(actor.supplierOrder(A)).toBe(state);
  actor.step(observed(status, [...parcels], A, { attention: DISPUTE }));
  expect(actor.holds()).toEqual(['operator']);
});
