import { expect, test } from 'vitest';
import { toRisk } from '../../services/shopify/order-risk.ts';
import { aRoad, isBuying } from '../fixtures/order-road.ts';
import {
  aLine,
  aReceivedOrder,
  elapsed,
  ORDER_ID,
  received,
  releaseRequested,
  updated,
  verified,
} from './builders.ts';

const inGrace = received({ canBeReread: true });
const ASKED = ['no wait grace', 'shopify: verify order', 'wait verify'];

test('when grace is over the shop is asked, and its answer leads to sourcing', () => {
  const road = aRoad(inGrace);
  expect(road.step(elapsed('grace'))).toEqual(ASKED);
  expect(road.state()).toBe('grace');
  expect(road.step(verified())).toEqual([
    'no wait verify',
    'no wait grace',
    'suppliers: source order',
    'wait sourcing',
  ]);
  expect(road.state()).toBe('sourcing');
});

test('an order whose shop nobody can ask goes on without', () => {
  const road = aRoad(received());
  expect(road.step(elapsed('grace'))).toContain('suppliers: source order');
  road.refuse(verified());
});

test('an answer that does not come is asked for again; one that comes twice, or unasked, is refused', () => {
  const road = aRoad(inGrace);
  road.refuse(verified());
  road.step(elapsed('grace'));
  expect(road.step(elapsed('verify'))).toEqual(['no wait verify', 'shopify: verify order', 'wait verify']);
  road.step(verified());
  road.refuse(verified());
  road.refuse(elapsed('verify'));
});

test('what the shop holds is held here, and asked about again once it is released', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  const fraud = { reason: 'fraud_review' as const, evidence: { heldInShop: 'HIGH_RISK_OF_FRAUD' } };
  const effects = road.step(verified({ holds: [fraud] }));
  expect(effects).toContain('hold fraud_review');
  expect([road.state(), effects.filter(isBuying)]).toEqual(['grace', []]);
  expect(road.step(releaseRequested('fraud_review'))).toContain('shopify: verify order');
  expect(road.step(verified())).toContain('suppliers: source order');
});

test('a hold that comes while the shop is asked makes the answer void: it is asked again after the release', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  road.step(updated({ hasAddress: false, canBeReread: true }));
  road.refuse(verified());
  expect(road.step(elapsed('verify'))).toEqual(['no wait verify']);
  const mended = updated({ canBeReread: true, sourceUpdatedAt: '2026-11-22T10:00:00.000Z' });
  expect(road.step(mended)).toContain('shopify: verify order');
});

test.each([
  ['cancelled', { cancelled: true }, 'cancelled'],
  ['refunded', { payment: 'refunded' as const }, 'refunded'],
  ['no longer paid', { payment: 'pending' as const }, 'awaiting_payment'],
  ['shipped by somebody else', { lines: [aLine({ openUnits: 0 })] }, 'delivered'],
])('an order that is read as %s is not bought for', (_name, over, state) => {
  const road = aRoad(inGrace, elapsed('grace'));
  const body = aReceivedOrder({ reread: true, canBeReread: true, ...over });
  const effects = road.step(verified({ body }));
  expect([road.state(), effects.filter(isBuying)]).toEqual([state, []]);
});

test('an order that only the reading shows as a test is held and not bought for, also within one second of the shop’s clock', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  const body = aReceivedOrder({ reread: true, canBeReread: true, test: true });
  expect(road.step(verified({ body }))).toContain('hold operator');
  expect(road.step(releaseRequested('operator')).filter((text) => !text.includes('hold'))).toEqual([
    'fact order.released operator',
  ]);
});

test('fewer units are bought when the shop says so, also within one second of its clock', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  const body = aReceivedOrder({ reread: true, canBeReread: true, lines: [aLine({ units: 1 })] });
  const command = road.commands(verified({ body })).find(({ verb }) => verb === 'source');
  expect(command).toMatchObject({ verb: 'source', data: { lines: [{ lineId: 'L1', units: 1 }] } });
});

test('a body that is read, as old as ours and the same, is no news; an older one never is', () => {
  const road = aRoad(received());
  road.refuse(updated({ sourceUpdatedAt: aReceivedOrder().sourceUpdatedAt, reread: true }));
  road.refuse(updated({ sourceUpdatedAt: '2026-11-22T07:00:00.000Z', reread: true, cancelled: true }));
  road.step(updated({ sourceUpdatedAt: aReceivedOrder().sourceUpdatedAt, reread: true, cancelled: true }));
  expect(road.state()).toBe('cancelled');
});

test.each([
  ['as old as ours', {}],
  ['newer', { sourceUpdatedAt: '2026-11-22T10:00:00.000Z' }],
])('a reading, %s, that sees no fulfilment order leaves each line with whoever delivers it', (_, over) => {
  const lines = (deliveredBy: 'us' | 'other_service') => [aLine(), aLine({ lineId: 'L2', deliveredBy })];
  const road = aRoad(received({ canBeReread: true, lines: lines('other_service') }));
  road.try(
    updated({
      sourceUpdatedAt: aReceivedOrder().sourceUpdatedAt,
      reread: true,
      isRoutingHidden: true,
      lines: lines('us'),
      ...over,
    }),
  );
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  expect([road.line('L1'), road.line('L2')]).toMatchObject([{ unallocated: 2 }, { unallocated: 0, held: 2 }]);
});

test('back from waiting for payment, the shop is asked again', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  expect(road.step(updated({ payment: 'pending', canBeReread: true }))).toContain('no wait verify');
  const paid = updated({ canBeReread: true, sourceUpdatedAt: '2026-11-22T10:00:00.000Z' });
  expect(road.step(paid)).toContain('shopify: verify order');
});

test.each([
  [['LOW', 'HIGH', 'MEDIUM'], 'high'],
  [['LOW', 'MEDIUM'], 'medium'],
  [['PENDING', 'LOW'], 'low'],
  [['NONE'], 'unknown'],
  [[], 'unknown'],
] as const)('assessments %j are a risk of %s', (levels, level) => {
  const assessments = levels.map((riskLevel) => ({ riskLevel }));
  const { level: found, evidence } = toRisk(ORDER_ID, { recommendation: 'NONE', assessments });
  expect([found, evidence]).toEqual([level, { recommendation: 'NONE', assessments: levels.join(' ') }]);
});

test('of an order that comes in as history the customer is told nothing', () => {
  expect(aRoad().step(received())).toContain('mail order_confirmed');
  expect(aRoad().step(received({ history: true }))).not.toContain('mail order_confirmed');
  const over = aRoad(received({ history: true, payment: 'pending' }));
  expect(over.step(updated({ lines: [aLine({ openUnits: 0 })] }))).not.toContain('mail order_confirmed');
  expect(over.state()).toBe('delivered');
});
