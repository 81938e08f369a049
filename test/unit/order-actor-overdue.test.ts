import { expect, test } from 'vitest';
import { A, aRoad, B, isBuying, toBought, toSourcing, toTwoDrafts } from '../fixtures/order-road.ts';
import {
  accepted,
  aParcel,
  aPart,
  cancelConfirmed,
  cancelRefused,
  elapsed,
  ORDER_ID,
  observed,
  placing,
  releaseRequested,
  sourced,
  supplierCancelRequested,
  updated,
} from './builders.ts';

test('a late shipment that leaves is overdue no more, and is so again when it does not arrive', () => {
  const road = aRoad(...toBought, elapsed('ship', A));
  road.step(observed('processing'));
  expect(road.holds()).toEqual(['overdue']);
  expect(road.step(observed('shipped', [aParcel()]))).toContain('unhold overdue A');
  expect(road.holds()).toEqual([]);
  road.step(elapsed('deliver', A));
  expect(road.evidence().map(({ waitingFor }) => waitingFor)).toEqual(['shipment', 'delivery']);
  road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  expect([road.state(), road.holds()]).toEqual(['delivered', []]);
});

test('a shipped purchase is waited for by the time of its lane, also when its hold is released', () => {
  const quoted = sourced({ parts: [aPart({ L1: 2 }, { deliveryDays: 60 })] });
  const road = aRoad(...toSourcing, quoted, placing(), accepted());
  expect(road.step(observed('shipped', [aParcel()]))).toContain('wait deliver A 60 days');
  road.step(elapsed('deliver', A));
  expect(road.step(releaseRequested('overdue'))).toContain('wait deliver A 60 days');
});

test('what a late shipment kept from being bought is bought when it leaves', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), elapsed('ship', A));
  expect(road.step(elapsed('buy', B)).filter(isBuying)).toEqual(['suppliers: buy B']);
  expect(road.step(observed('shipped', [aParcel()])).filter(isBuying)).toEqual(['suppliers: buy B']);
});

test.each([
  ['is confirmed', cancelConfirmed(), ['operator']],
  ['is refused', cancelRefused(true), ['supplier_rejected']],
  ['comes too late', observed('shipped', [aParcel()]), ['supplier_rejected']],
])(
  'a cancel of a purchase that took too long and %s is waited for by nobody any more',
  (_, answer, holds) => {
    const road = aRoad(...toBought, supplierCancelRequested(), elapsed('cancelling', A));
    expect(road.holds()).toEqual(['overdue']);
    road.step(answer);
    expect(road.holds()).toEqual(holds);
  },
);

test('an order whose cancel took too long, and that goes on its way after all, waits for no cancel', () => {
  const road = aRoad(...toBought, updated({ cancelled: true }), elapsed('cancelling'));
  road.step(releaseRequested('customer_edit_pending'));
  expect([road.state(), road.holds()]).toEqual(['cancelling', ['overdue']]);
  road.step(observed('shipped', [aParcel()]));
  expect([road.state(), road.holds()]).toEqual(['shipped', ['customer_edit_pending']]);
});

test('the release of a purchase that is overdue sets no deadline of its order, which is overdue still', () => {
  const road = aRoad(
    ...toBought,
    updated({ cancelled: true }),
    elapsed('cancelling'),
    elapsed('cancelling', A),
  );
  expect(road.holds()).toEqual(['customer_edit_pending', 'overdue', 'overdue']);
  const holdId = road.holdIds().at(-1) ?? '';
  const released = road.step({
    type: 'order.release_requested',
    data: { orderId: ORDER_ID, reason: 'overdue', holdId },
  });
  expect(released.filter((text) => text.startsWith('wait'))).toEqual(['wait cancel A', 'wait cancelling A']);
  expect(road.step(releaseRequested('overdue'))).toContain('wait cancelling');
});
