import { expect, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { holdIdOf } from '../../contracts/ids.ts';
import { type OrderRules, USUAL_RULES } from '../../contracts/order-rules.ts';
import { readSettings } from '../../contracts/settings.ts';
import { stepBatch } from '../../services/orders/step-batch.ts';
import { NO_LINES } from '../../services/orders/waiting-line.ts';
import { DELAYS } from '../fixtures/order-host.ts';
import {
  A,
  A2,
  aRoad,
  aRoadUnder,
  B,
  isBuying,
  TWO_LINES,
  toTwoDrafts,
  twoParts,
} from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aParcel,
  aPart,
  aReceivedOrder,
  at,
  elapsed,
  ORDER_ID,
  observed,
  placing,
  received,
  refusedLines,
  rejected,
  releaseRequested,
  riskAssessed,
  sourced,
  stoppedPlan,
  updated,
  verified,
  withheld,
} from './builders.ts';

const PARTLY: OrderRules = { ...USUAL_RULES, partialPurchase: true };
const toSourcing = [received({ lines: TWO_LINES }), elapsed('grace')];
const withoutL2 = refusedLines('out_of_stock', ['L2'], { parts: [aPart({ L1: 2 })] });

test('where the shop buys in part, a refused line is held and the rest is bought', () => {
  const road = aRoadUnder(PARTLY, ...toSourcing);
  expect(road.step(withoutL2)).toEqual([
    'fact order.sourced',
    'create A',
    'fact supplier_order.created A',
    'suppliers: buy A',
    'wait buy A',
    'hold out_of_stock L2',
    'fact order.held out_of_stock',
    'fact product.stock_alert',
    'no wait sourcing',
    'no wait sourcing',
  ]);
  expect(road.state()).toBe('purchasing');
  expect([road.line('L1'), road.line('L2')]).toMatchObject([{ unallocated: 0, held: 0 }, { held: 1 }]);
  road.step(placing(A));
  road.step(accepted(A));
  expect(road.state()).toBe('purchasing');
});

test('the held line is sourced by its release, beside what is bought already', () => {
  const road = aRoadUnder(PARTLY, ...toSourcing, withoutL2, placing(A), accepted(A));
  expect(road.commands(releaseRequested('out_of_stock', ['L2']))).toMatchObject([
    { verb: 'source', data: { round: 2, lines: [{ lineId: 'L2', units: 1 }] } },
  ]);
  expect(road.step(sourced({ round: 2, parts: [aPart({ L2: 1 })] }))).toContain('create A2');
  road.step(placing(A2));
  road.step(accepted(A2));
  expect(road.state()).toBe('awaiting_shipment');
});

test('what can be had of a line is bought, the rest of it is held', () => {
  const plan = refusedLines('out_of_stock', ['L1'], { parts: [aPart({ L1: 1, L2: 1 })] });
  const road = aRoadUnder(PARTLY, ...toSourcing, plan);
  expect(road.line('L1')).toMatchObject({ unallocated: 0, held: 1 });
  road.step(placing(A));
  road.step(accepted(A));
  expect(road.line('L1')).toMatchObject({ unallocated: 0, held: 1, ordered: 2 });
});

test('the same refusal stops all of it where the shop buys orders whole', () => {
  const road = aRoad(...toSourcing);
  expect(road.step(withoutL2).filter(isBuying)).toEqual([]);
  expect([road.line('L1'), road.line('L2')]).toMatchObject([{ unallocated: 2 }, { held: 1 }]);
});

test('an order of which nothing can be had stays in sourcing, and each line goes on with its own release', () => {
  const road = aRoadUnder(PARTLY, ...toSourcing, refusedLines('out_of_stock', ['L1', 'L2']));
  expect(road.state()).toBe('sourcing');
  road.refuse(elapsed('sourcing'));
  expect(road.commands(releaseRequested('out_of_stock', ['L2']))).toMatchObject([
    { data: { round: 2, lines: [{ lineId: 'L2', units: 1 }] } },
  ]);
});

test('a line that belongs to another service waits alone where the shop buys in part', () => {
  const lines = [aLine(), aLine({ lineId: 'L2', units: 1, deliveredBy: 'other_service' })];
  const asked = (rules: OrderRules) => aRoadUnder(rules, received({ lines })).step(elapsed('grace'));
  expect(asked(USUAL_RULES).filter(isBuying)).toEqual([]);
  expect(asked(PARTLY)).toContain('suppliers: source order');
});

test('a rejected purchase holds its own units only; the other one is bought', () => {
  const road = aRoadUnder(PARTLY, ...toTwoDrafts, placing(A), rejected('unavailable', A));
  expect(road.holds()).toEqual(['out_of_stock']);
  expect([road.line('L1'), road.line('L2')]).toMatchObject([{ held: 2 }, { held: 0 }]);
  road.step(placing(B));
  expect(road.step(releaseRequested('out_of_stock'))).not.toContain('suppliers: buy B');
  expect(road.line('L1')).toMatchObject({ held: 0, unallocated: 2 });
  expect(road.state()).toBe('sourcing');
});

test('of two withheld supplier orders each goes on with its own release where the shop buys in part', () => {
  const road = aRoadUnder(
    PARTLY,
    ...toTwoDrafts,
    withheld('insufficient_funds', A),
    withheld('cost_above_cap', B),
  );
  expect(road.step(releaseRequested('insufficient_funds')).filter(isBuying)).toEqual(['suppliers: buy A']);
  expect(road.step(releaseRequested('cost_above_cap')).filter(isBuying)).toEqual(['suppliers: buy B']);
});

test('a hold on the whole order stops all of it, also where the shop buys in part', () => {
  const road = aRoadUnder(PARTLY, ...toSourcing, riskAssessed('high'));
  road.refuse(twoParts);
  expect(road.step(releaseRequested('fraud_review'))).toContain('suppliers: source order');
});

test('a plan that must not be bought holds the order, whose units wait where they are', () => {
  for (const rules of [USUAL_RULES, PARTLY]) {
    const road = aRoadUnder(rules, ...toSourcing);
    expect(road.step(stoppedPlan('margin_below_floor', { parts: [aPart({ L1: 2, L2: 1 })] }))).toEqual([
      'hold margin_below_floor',
      'fact order.held margin_below_floor',
      'no wait sourcing',
    ]);
    expect([road.line('L1'), road.line('L2')]).toMatchObject([{ unallocated: 2 }, { unallocated: 1 }]);
    expect(road.step(releaseRequested('margin_below_floor'))).toContain('suppliers: source order');
  }
});

test('who releases a judgement accepts it for this opening; the same hold opened anew is to be judged anew', () => {
  const road = aRoad(...toSourcing, stoppedPlan('margin_below_floor'));
  road.step(releaseRequested('margin_below_floor'));
  expect(road.accepted()).toEqual([holdIdOf(ORDER_ID, 'margin_below_floor', '')]);
  road.step(stoppedPlan('margin_below_floor', { round: 2 }));
  expect(road.accepted()).toEqual([]);
});

test('a hold that mends itself was accepted by nobody', () => {
  const road = aRoad(received({ hasAddress: false }));
  road.step(updated({ hasAddress: true }));
  expect([road.holds(), road.accepted()]).toEqual([[], []]);
});

const RISKS = [
  ['off', []],
  ['high', ['high']],
  ['medium', ['medium', 'high']],
  ['unknown', ['unknown', 'medium', 'high']],
] as const;

test.each(RISKS)('a shop that holds risks from %s on holds %j', (riskHold, held) => {
  const holding = (['low', 'unknown', 'medium', 'high'] as const).filter((level) => {
    const road = aRoadUnder({ ...USUAL_RULES, riskHold }, received(), riskAssessed(level));
    return road.step(elapsed('grace')).filter(isBuying).length === 0;
  });
  expect(holding).toEqual(held);
});

test('without an assessment an order goes on, unless the shop waits for one: then it releases the order', () => {
  expect(aRoad(received()).step(elapsed('grace'))).toContain('suppliers: source order');
  const road = aRoadUnder({ ...USUAL_RULES, riskHold: 'unknown' }, received(), elapsed('grace'));
  expect(road.holds()).toEqual(['fraud_review']);
  expect(road.step(riskAssessed('low'))).toContain('suppliers: source order');
});

test('a risk that somebody has released holds again only when it grows graver', () => {
  const rules: OrderRules = { ...USUAL_RULES, riskHold: 'medium' };
  const road = aRoadUnder(rules, received(), riskAssessed('medium'), releaseRequested('fraud_review'));
  road.step(riskAssessed('medium'));
  expect(road.holds()).toEqual([]);
  road.step(riskAssessed('high'));
  expect(road.holds()).toEqual(['fraud_review']);
});

test('a risk that is found late stops what is not bought yet', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), riskAssessed('high'));
  expect(road.holds()).toEqual(['fraud_review']);
  expect(road.step(riskAssessed('low')).filter(isBuying)).toEqual(['suppliers: buy B']);
});

test('a risk that is found when all has arrived is nobody’s to look at', () => {
  const road = aRoad(...toTwoDrafts);
  const delivered = aParcel({ state: 'delivered' });
  for (const id of [A, B])
    for (const event of [placing(id), accepted(id), observed('delivered', [delivered], id)]) road.step(event);
  expect(road.state()).toBe('delivered');
  road.step(riskAssessed('high'));
  expect(road.holds()).toEqual([]);
});

test('a shop that begins to buy in part sources what only another line has held', () => {
  const road = aRoad(...toSourcing, withoutL2);
  expect(road.commands(updated({ lines: TWO_LINES, rules: PARTLY }))).toMatchObject([
    { verb: 'source', data: { round: 2, lines: [{ lineId: 'L1', units: 2 }] } },
  ]);
  expect(road.holds()).toEqual(['out_of_stock']);
});

test('a line that waited only because its order did goes on when the shop comes to buy in part', () => {
  const held = TWO_LINES.map((line) => ({ ...line, deliveredBy: 'other_service' as const }));
  const road = aRoad(received({ lines: held }), elapsed('grace'));
  road.step(releaseRequested('fulfillment_not_ours', ['L1']));
  const asked = road.commands(updated({ lines: held, rules: PARTLY }));
  expect(asked).toMatchObject([{ verb: 'source', data: { lines: [{ lineId: 'L1' }] } }]);
});

test('what waited in sourcing is bought on the shop’s word of now, not on that of days ago', () => {
  const toAsk = { canBeReread: true, lines: TWO_LINES };
  const road = aRoad(received(toAsk), elapsed('grace'), verified());
  road.step(refusedLines('unmapped_line', ['L1', 'L2'], { parts: [] }));
  expect(road.commands(releaseRequested('unmapped_line', ['L1', 'L2']))).toMatchObject([{ verb: 'verify' }]);
  expect(road.commands(verified())).toMatchObject([{ verb: 'source' }]);
});

const batchOf = (events: readonly OrderEvent[], rules: OrderRules) =>
  stepBatch(
    events.map((event, index) => ({
      messageId: `m${index}`,
      orderId: ORDER_ID,
      event,
      failure: null,
      source: '/gateway',
      causationId: null,
      log: { seq: index, subject: `oms.evt.0.${event.type}`, payload: '', pending: 0, storedAt: 0 },
    })),
    {
      loaded: { orders: new Map(), supplierOrders: new Map(), blocked: new Set() },
      lines: NO_LINES,
      delays: DELAYS,
      settings: readSettings({
        ORDER_MANAGER_PARTIAL_PURCHASE: String(rules.partialPurchase),
        ORDER_MANAGER_RISK_HOLD: rules.riskHold,
      }),
      now: '2026-11-22T08:00:00.000Z',
    },
  );

const rulesAfter = (events: readonly OrderEvent[], rules: OrderRules) =>
  batchOf(events, rules).newOrders.map(({ context }) => ('rules' in context ? context.rules : null));

test('the host puts the rules of the shop into each body; the usual ones go without saying', () => {
  expect(rulesAfter([received()], PARTLY)).toEqual([PARTLY]);
  expect(rulesAfter([received()], USUAL_RULES)).toEqual([null]);
});

test('an order that the shop is asked about before buying keeps the rules of the shop, whatever is read', () => {
  const asked = [received({ canBeReread: true }), elapsed('grace')];
  const body = aReceivedOrder({ ...at(1), canBeReread: true, reread: true });
  expect(rulesAfter([...asked, verified({ body })], PARTLY)).toEqual([PARTLY]);
});

test('what a reading before buying shows as refunded stands among the changes as a refund', () => {
  const asked = [received({ canBeReread: true }), elapsed('grace')];
  const lines = [aLine({ units: 1, refundedUnits: 1 })];
  const body = aReceivedOrder({ ...at(1), canBeReread: true, reread: true, lines });
  expect(batchOf([...asked, verified({ body })], USUAL_RULES).unitChanges).toMatchObject([
    { cause: 'refund', ordered: -1 },
  ]);
});
