import { expect, test } from 'vitest';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { aRoad } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aPart,
  aReceivedOrder,
  elapsed,
  placing,
  received,
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
  const [command] = road.commands(verified({ body: aReceivedOrder(READ) }));
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
