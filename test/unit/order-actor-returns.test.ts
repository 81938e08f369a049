import { expect, test } from 'vitest';
import { A, aRoad, B, isBuying, PARCEL_A } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aParcel,
  aPart,
  changeRequested,
  elapsed,
  observed,
  placing,
  received,
  rejected,
  releaseRequested,
  sourced,
  synced,
  updated,
} from './builders.ts';

/** A later body of a line of two, by what the shop still counts of it and what it has open. */
const says = (units: number, openUnits: number, hour: number) =>
  updated({
    lines: [aLine({ units, openUnits })],
    sourceUpdatedAt: `2026-11-22T${String(8 + hour).padStart(2, '0')}:00:00.000Z`,
  });

const delivered = (id: string, number?: string) =>
  observed(
    'delivered',
    [aParcel({ state: 'delivered', ...(number === undefined ? {} : { trackingNumber: number }) })],
    id,
  );

/** One unit on A, which is delivered and stands so in the shop; the other on B, which is asked for. */
const toHalf = [
  received(),
  elapsed('grace'),
  sourced({ parts: [aPart({ L1: 1 }), aPart({ L1: 1 }, { part: 'US' })] }),
  placing(A),
  accepted(A),
  placing(B),
  delivered(A),
  synced(PARCEL_A, A),
  says(2, 1, 1),
];

test('a delivered unit that the customer returns leaves the purchase of the other one alone', () => {
  const road = aRoad(...toHalf, accepted(B));
  expect(road.step(says(1, 1, 2))).toEqual(['fact order.updated', 'lines L1x1']);
  expect([road.supplierOrder(B), road.holds()]).toEqual(['accepted', []]);
  road.step(delivered(B, 'USPS9400'));
  expect(road.state()).toBe('delivered');
  expect(road.line()).toMatchObject({ ordered: 2, cancelled: 0, held: 0 });
});

test('after a return the other unit is bought again when its purchase comes to nothing', () => {
  const road = aRoad(...toHalf, says(1, 1, 2), rejected('unavailable', B));
  expect(road.line()).toMatchObject({ held: 1, cancelled: 0 });
  expect(road.commands(releaseRequested('out_of_stock'))).toContainEqual({
    verb: 'source',
    data: expect.objectContaining({ lines: [{ lineId: 'L1', units: 1 }] }),
  });
});

test('a unit that staff had shipped comes back, and the one that we buy goes on', () => {
  const road = aRoad(
    received({ lines: [aLine({ openUnits: 1 })] }),
    elapsed('grace'),
    sourced({ parts: [aPart({ L1: 1 })] }),
    placing(A),
    accepted(A),
  );
  expect(road.step(says(1, 1, 1)).filter(isBuying)).toEqual([]);
  expect([road.supplierOrder(A), road.holds()]).toEqual(['accepted', []]);
});

test('what comes back of an order that is wholly delivered asks nobody for anything', () => {
  const road = aRoad(...toHalf, accepted(B), delivered(B, 'USPS9400'), says(2, 0, 2));
  expect(road.step(says(1, 0, 3))).toEqual(['fact order.updated', 'lines L1x1']);
  expect(road.step(says(0, 0, 4))).toEqual(['fact order.updated', 'lines L1x0']);
  expect([road.state(), road.holds()]).toEqual(['delivered', []]);
});

test('a unit that an edit takes away is still called off beside one that comes back', () => {
  const road = aRoad(...toHalf, accepted(B));
  expect(road.step(says(0, 0, 2))).toEqual(
    expect.arrayContaining(['hold customer_edit_pending', 'suppliers: cancel B']),
  );
  expect(road.supplierOrder(A)).toBe('delivered');
});

test('a unit added after a return is one more to buy, once a person lets it', () => {
  const road = aRoad(...toHalf, accepted(B), says(1, 1, 2));
  expect(road.step(says(2, 2, 3))).toContain('hold customer_edit_pending');
  expect(road.line()).toMatchObject({ ordered: 3, held: 1 });
  expect(road.step(says(2, 2, 4))).toEqual(['fact order.updated']);
  expect(road.commands(releaseRequested('customer_edit_pending'))).toContainEqual({
    verb: 'source',
    data: expect.objectContaining({ lines: [{ lineId: 'L1', units: 1 }] }),
  });
});

test('a return from an order that is then cancelled leaves nothing to buy', () => {
  const road = aRoad(...toHalf, says(1, 1, 2), rejected('unavailable', B));
  road.step(
    updated({ lines: [aLine({ units: 1 })], cancelled: true, sourceUpdatedAt: '2026-11-22T12:00:00.000Z' }),
  );
  expect(road.line()).toMatchObject({ held: 0, unallocated: 0, cancelled: 1 });
});

test('units taken back here are not taken for units that came back', () => {
  const three = (units: number, hour: number) =>
    updated({ lines: [aLine({ units })], sourceUpdatedAt: `2026-11-22T1${hour}:00:00.000Z` });
  const road = aRoad(
    received({ lines: [aLine({ units: 3 })] }),
    changeRequested({ units: { L1: 2 } }),
    elapsed('grace'),
    sourced(),
    placing(A),
    accepted(A),
  );
  // The one that was taken back here: a person hears of the edit, and both others are wanted.
  const same = road.step(three(2, 0));
  expect(same).toContain('hold customer_edit_pending');
  expect(same).not.toContain('suppliers: cancel A');
  expect(road.step(three(1, 1))).toContain('suppliers: cancel A');
});

test('what was taken back here, shipped by staff and returned adds nothing to buy', () => {
  const body = (units: number, openUnits: number, hour: number) =>
    updated({
      lines: [aLine({ units, openUnits }), aLine({ lineId: 'L2', units: 1 })],
      sourceUpdatedAt: `2026-11-22T1${hour}:00:00.000Z`,
    });
  const road = aRoad(
    received({ lines: [aLine(), aLine({ lineId: 'L2', units: 1 })] }),
    changeRequested({ units: { L1: 0 } }),
    elapsed('grace'),
    sourced({ parts: [aPart({ L2: 1 })] }),
    placing(),
    accepted(),
    body(2, 0, 0),
  );
  expect(road.step(body(1, 0, 1))).toEqual(['fact order.updated', 'lines L1x1 L2x1']);
  expect(road.line()).toMatchObject({ ordered: 2, cancelled: 2, held: 0 });
});
