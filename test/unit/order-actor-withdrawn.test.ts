import { expect, test } from 'vitest';
import { A, A2, aRoad, toSourcing } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aParcel,
  aPart,
  at,
  changeRequested,
  observed,
  placing,
  received,
  sourced,
  synced,
  updated,
} from './builders.ts';

/* Of two units one is taken back here, which gives nobody money; then the shop is brought to the same. */

const oneFewer = changeRequested({ units: { L1: 1 } });
const inShop = (hour: number, units: number, openUnits = units) =>
  updated({ ...at(hour), lines: [aLine({ units, openUnits, refundedUnits: 2 - units })] });
const toDraft = [...toSourcing, oneFewer, sourced({ round: 2, parts: [aPart({ L1: 1 })] })];

test('a unit taken back here and then refunded in the shop is one unit: the other is sourced', () => {
  const road = aRoad(received(), oneFewer, inShop(1, 1));
  expect(road.state()).toBe('grace');
  expect(road.line()).toMatchObject({ unallocated: 1, cancelled: 0 });
  road.step(inShop(2, 0));
  expect(road.state()).toBe('cancelled');
});

test('the purchase of the other stands, and a second unit that the shop takes away is another', () => {
  const road = aRoad(...toDraft, inShop(1, 1));
  expect(road.supplierOrder(A2)).toBe('draft');
  expect(road.line()).toMatchObject({ ordered: 2, unallocated: 0, held: 0, cancelled: 1 });
  road.step(inShop(2, 0));
  expect(road.supplierOrder(A2)).toBe('cancelled');
});

test('what is bought of the other is not asked back', () => {
  const road = aRoad(...toDraft, placing(A2), accepted(A2), inShop(1, 1));
  expect(road.compensation(A2)).toBeUndefined();
  expect(road.supplierOrder(A2)).toBe('accepted');
});

test('one refund of the unit taken back here and of another: what is bought of that one is not wanted any more', () => {
  const lines = (units: number) => [aLine({ units, refundedUnits: 3 - units })];
  const planned = [
    received({ lines: lines(3) }),
    ...toSourcing.slice(1),
    changeRequested({ units: { L1: 2 } }),
    sourced({ round: 2, parts: [aPart({ L1: 2 })] }),
  ];
  const refunded = updated({ ...at(1), lines: lines(1) });
  const bought = aRoad(...planned, placing(A2), accepted(A2), refunded);
  expect(bought.compensation(A2)).toBe('ask_supplier');
  const draft = aRoad(...planned, refunded);
  expect(draft.supplierOrder(A2)).toBe('cancelled');
  expect(draft.line()).toMatchObject({ ordered: 3, outside: 0, held: 1, cancelled: 2 });
});

test('a bought unit that somebody else ships, shown with the refund of the one taken back here, is told to a person', () => {
  const road = aRoad(...toDraft, placing(A2), accepted(A2), inShop(1, 1, 0));
  expect(road.compensation(A2)).toBeUndefined();
  expect(road.holds()).toContain('fulfillment_not_ours');
});

test('more units in the shop are more than what was taken back here', () => {
  const road = aRoad(received(), oneFewer, inShop(1, 1), inShop(2, 2));
  expect(road.line()).toMatchObject({ unallocated: 2, cancelled: 0 });
});

test('a unit that comes back after it arrived is not the one that was taken back here', () => {
  const road = aRoad(...toDraft, placing(A2), accepted(A2));
  road.step(observed('shipped', [aParcel()], A2));
  const [parcelId = ''] = Object.keys(road.parcels(A2));
  road.step(synced(parcelId, A2));
  road.step(inShop(1, 2, 1));
  road.step(observed('delivered', [aParcel({ state: 'delivered' })], A2));
  road.step(inShop(2, 1, 1));
  expect(road.state()).toBe('delivered');
  expect(road.holds()).toEqual([]);
  expect(road.line()).toMatchObject({ ordered: 2, held: 0, unallocated: 0, cancelled: 1 });
  expect(road.supplierOrder(A)).toBeUndefined();
});
