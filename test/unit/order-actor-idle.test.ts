import { expect, test } from 'vitest';
import { USUAL_RULES } from '../../contracts/order-rules.ts';
import { A, aRoad, aRoadUnder, B, isBuying, toSourcing, toTwoDrafts } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  at,
  cancelConfirmed,
  cancelRefused,
  changeRequested,
  holdRequested,
  placed,
  placing,
  purchaseRequested,
  refusedLines,
  rejected,
  releaseRequested,
  sourced,
  supplierCancelRequested,
  updated,
  withheld,
} from './builders.ts';

const IN_PART = { ...USUAL_RULES, partialPurchase: true };
const twoLines = (units: number) => [aLine({ units }), aLine({ lineId: 'L2', units: 1 })];

test.each([
  ['the shop takes away', updated({ lines: twoLines(0) })],
  ['a person takes back here', changeRequested({ units: { L1: 0 } })],
  ['a person buys by hand', purchaseRequested({ L1: 2 })],
])('what a supplier refused and %s keeps the rest of the order from nothing any more', (_, event) => {
  const road = aRoad(...toTwoDrafts, placing(A), rejected('unavailable', A));
  expect(road.holds()).toEqual(['out_of_stock']);
  expect(road.step(event)).toContain('unhold out_of_stock A');
});

test('a purchase that is refused after its units were taken away asks nobody for anything', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B), updated({ lines: [aLine()] }));
  road.step(releaseRequested('customer_edit_pending'));
  road.step(rejected('unavailable', B));
  expect([road.state(), road.holds()]).toEqual(['awaiting_shipment', []]);
});

test('a line that cannot be had, and that the shop takes away beside what is bought, is held no more', () => {
  const plan = refusedLines('out_of_stock', ['L1'], { parts: [] });
  const road = aRoadUnder(IN_PART, ...toSourcing, plan, purchaseRequested({ L1: 1 }));
  road.step(updated({ lines: [aLine({ units: 1 })] }));
  expect(road.holds()).toEqual(['customer_edit_pending']);
});

test('an edit of something else buys nothing of what a person gave up', () => {
  const road = aRoadUnder(IN_PART, ...toSourcing, sourced(), supplierCancelRequested());
  const added = updated({ lines: [aLine(), aLine({ lineId: 'L2', units: 1 })] });
  expect(road.commands(added)).toEqual([
    { verb: 'source', data: expect.objectContaining({ lines: [{ lineId: 'L2', units: 1 }] }) },
  ]);
  expect([road.line()?.held, road.holds()]).toEqual([2, ['operator']]);
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual(['suppliers: source order']);
});

test('a line that a person holds is not said to be another service’s when the order is edited', () => {
  const road = aRoadUnder(IN_PART, ...toSourcing, holdRequested('L1'));
  road.step(updated({ lines: twoLines(2) }));
  expect([road.line()?.held, road.holds()]).toEqual([2, ['operator']]);
});

test.each([
  ['a supplier that let nobody in', withheld('credentials_expired')],
  ['a supplier that refused at first', cancelRefused(false)],
])('of %s nobody has to hear any more once it has given up the purchase', (_, event) => {
  const road = aRoad(...toTwoDrafts, placing(A), placed(A), supplierCancelRequested(A), event);
  expect(road.holds()).toHaveLength(1);
  road.step(cancelConfirmed(A));
  expect([road.supplierOrder(A), road.holds()]).toEqual(['cancelled', ['operator']]);
});

test('a second order at the supplier stays a matter of its own when the purchase is given up', () => {
  const road = aRoad(...toTwoDrafts, placing(A), placed(A), supplierCancelRequested(A));
  road.step(withheld('duplicate_suspected', A));
  road.step(cancelConfirmed(A));
  expect(road.holds()).toEqual(['duplicate_suspected', 'operator']);
});

test('an address that is put for goods that came to a cancelled order is taken, and they are sourced', () => {
  const gone = [aLine({ units: 0, openUnits: 0 })];
  const road = aRoad(...toSourcing, updated({ lines: gone, ...at(1) }));
  road.step(updated({ hasAddress: false, ...at(2) }));
  expect([road.state(), road.holds()]).toEqual(['cancelled', ['address_invalid']]);
  expect(road.step(changeRequested({ hasAddress: true })).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
  expect([road.state(), road.holds()]).toEqual(['sourcing', []]);
});
