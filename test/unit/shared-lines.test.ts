import { expect, test } from 'vitest';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { USUAL_RULES } from '../../contracts/order-rules.ts';
import { A, aRoad, aRoadUnder } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aParcel,
  aPart,
  aReceivedOrder,
  elapsed,
  observed,
  placing,
  received,
  releaseRequested,
  sourced,
  updated,
  verified,
} from './builders.ts';

/** Three units are ordered, and nobody has shipped one. */
const TOLD = { canBeReread: true, lines: [aLine({ units: 3 })] };
/** Two of them are ours, and another service has the third. */
const READ = { ...TOLD, reread: true as const, lines: [aLine({ units: 3, openUnits: 2, isShared: true })] };

const at = (hour: number, over: Partial<OrderReceived>) =>
  updated({ ...over, sourceUpdatedAt: `2026-11-22T${hour}:00:00.000Z` });

const toSourcing = [received(TOLD), elapsed('grace'), verified({ body: aReceivedOrder(READ) })];
const toBought = [...toSourcing, sourced({ parts: [aPart({ L1: 2 })] }), placing(), accepted()];

test('of a line that others ship in part our units are bought, and the others are left to them', () => {
  const road = aRoad(received(TOLD), elapsed('grace'));
  const command = road
    .commands(verified({ body: aReceivedOrder(READ) }))
    .find(({ verb }) => verb === 'source');
  expect(command).toMatchObject({ verb: 'source', data: { lines: [{ lineId: 'L1', units: 2 }] } });
  expect(road.line()).toMatchObject({ ordered: 3, outside: 1, unallocated: 2 });
});

test('a told body, which knows nothing of others, makes nothing ours that was read as theirs', () => {
  const road = aRoad(...toSourcing);
  expect(road.step(at(10, TOLD))).toContain('shopify: reread 5550001112223334445-doubt');
  expect(road.line()).toMatchObject({ outside: 1, unallocated: 2 });

  const bought = aRoad(...toBought);
  bought.step(at(10, TOLD));
  expect(bought.holds()).toEqual([]);
  expect(bought.line()).toMatchObject({ outside: 1, unallocated: 0, held: 0 });
});

test('neither does a reading that sees no fulfilment order', () => {
  const road = aRoad(...toSourcing);
  road.step(at(10, { ...TOLD, reread: true, isRoutingHidden: true }));
  expect(road.line()).toMatchObject({ outside: 1, unallocated: 2 });
});

test('what a told body takes away is taken at once', () => {
  const road = aRoad(...toSourcing);
  road.step(at(10, { ...TOLD, lines: [aLine({ units: 1 })] }));
  expect(road.line()).toMatchObject({ ordered: 1, unallocated: 1 });
  road.step(at(11, { ...TOLD, cancelled: true }));
  expect(road.state()).toBe('cancelled');
});

test('a reading gives the units back that others do not ship any more', () => {
  const road = aRoad(...toSourcing);
  road.step(at(10, { ...TOLD, reread: true }));
  expect(road.line()).toMatchObject({ outside: 0, unallocated: 3 });
  expect(road.step(at(11, TOLD))).not.toContain('shopify: reread 5550001112223334445-doubt');
});

/** All of the line was read as another service's. */
const GIVEN = { ...READ, lines: [aLine({ units: 3, deliveredBy: 'other_service' })] };
const toGiven = [received(TOLD), elapsed('grace'), verified({ body: aReceivedOrder(GIVEN) })];

test('a told body while the rest of the order is sourced makes nothing ours of a line that was read as all theirs', () => {
  const rest = aLine({ lineId: 'L2', units: 1 });
  const rules = { ...USUAL_RULES, partialPurchase: true };
  const given = { ...GIVEN, rules, lines: [...GIVEN.lines, rest] };
  const told = { ...TOLD, lines: [...TOLD.lines, rest] };
  const road = aRoadUnder(rules, received(told), elapsed('grace'), verified({ body: aReceivedOrder(given) }));
  expect(road.state()).toBe('sourcing');
  road.step(at(10, told));
  expect(road.line()).toMatchObject({ held: 3, unallocated: 0 });
  road.step(sourced({ parts: [aPart({ L2: 1 })] }));
  // A draft of the rest is waiting, and lines are not replaced any more.
  road.step(at(11, told));
  expect([road.line(), road.holds()]).toMatchObject([{ held: 3 }, ['fulfillment_not_ours']]);
});

test('a line that was read as all theirs does not become ours by a told body: the shop is asked', () => {
  const road = aRoad(...toGiven);
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  const told = road.step(at(10, TOLD));
  expect(told).toContain('shopify: reread 5550001112223334445-doubt');
  expect(told).not.toContain('suppliers: source order');
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  expect(road.line()).toMatchObject({ held: 3, unallocated: 0 });
  // Where the body says so itself, there is nothing to ask.
  expect(road.step(at(11, { ...TOLD, lines: GIVEN.lines }))).toEqual(['fact order.updated']);
});

test('a reading gives such a line back, and it is bought', () => {
  const road = aRoad(...toGiven, at(10, TOLD));
  const read = { ...TOLD, reread: true as const };
  road.step(at(11, read));
  expect([road.holds(), road.line()]).toMatchObject([[], { held: 0, unallocated: 3 }]);
  expect(road.step(verified({ body: aReceivedOrder(read) }))).toContain('suppliers: source order');
});

test('what others have shipped of such a line is outside, and is not ours when it is open again', () => {
  const shipped = { ...TOLD, lines: [aLine({ units: 3, openUnits: 0 })] };
  const road = aRoad(...toGiven);
  expect(road.step(at(10, shipped))).not.toContain('shopify: reread 5550001112223334445-doubt');
  expect(road.line()).toMatchObject({ outside: 3, held: 0 });
  const reopened = road.step(at(11, TOLD));
  expect(reopened).toContain('shopify: reread 5550001112223334445-doubt');
  expect(road.line()).toMatchObject({ unallocated: 0 });
});

test('a line that was moved to us stays ours when a told body names the service of its article: the shop is asked', () => {
  const theirs = { ...TOLD, lines: [aLine({ units: 3, deliveredBy: 'other_service' })] };
  const moved = { ...TOLD, reread: true as const };
  const road = aRoad(received(theirs), at(10, moved), elapsed('grace'));
  expect(road.holds()).toEqual([]);
  expect(road.step(at(11, theirs))).toContain('shopify: reread 5550001112223334445-doubt');
  road.step(verified({ body: aReceivedOrder({ ...moved, sourceUpdatedAt: '2026-11-22T11:00:00.000Z' }) }));
  for (const event of [sourced({ parts: [aPart({ L1: 3 })] }), at(12, theirs), placing(), accepted()])
    road.step(event);
  road.step(at(13, theirs));
  expect([road.state(), road.holds()]).toEqual(['awaiting_shipment', []]);
  // A reading that sees it with them is believed.
  road.step(at(14, { ...theirs, reread: true }));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
});

test('what came back of such a line after we shipped it asks nobody for anything, however often its service is named', () => {
  const theirs = (units: number, openUnits: number) => ({
    canBeReread: true,
    lines: [aLine({ units, openUnits, deliveredBy: 'other_service' as const })],
  });
  const road = aRoad(
    received(theirs(3, 3)),
    at(10, { ...TOLD, reread: true }),
    elapsed('grace'),
    verified(),
    sourced({ parts: [aPart({ L1: 3 })] }),
    placing(),
    accepted(),
    observed('shipped', [aParcel()]),
    at(11, theirs(3, 0)),
    at(12, theirs(3, 0)),
  );
  road.step(at(13, theirs(2, 0)));
  expect([road.state(), road.holds()]).toEqual(['shipped', []]);
});

test('where the shop cannot be asked, its last word counts', () => {
  const road = aRoad(received({ ...TOLD, canBeReread: false, lines: GIVEN.lines }), elapsed('grace'));
  const step = road.step(at(10, { ...TOLD, canBeReread: false }));
  expect(step).toContain('suppliers: source order');
});

test('a person’s word to buy a line that was given away stands when a told body calls it ours', () => {
  const road = aRoad(...toGiven);
  road.step(releaseRequested('fulfillment_not_ours'));
  road.step(verified({ body: aReceivedOrder(GIVEN) }));
  road.step(sourced({ parts: [aPart({ L1: 3 })] }));
  road.step(at(10, TOLD));
  expect([road.supplierOrder(A), road.holds()]).toEqual(['draft', []]);
});
