import { expect, test } from 'vitest';
import { parcelIdOf } from '../../contracts/ids.ts';
import { A, aRoad, isBuying, PARCEL_A, toBought, toShipped, toSourcing } from '../fixtures/order-road.ts';
import {
  aParcel,
  elapsed,
  fulfillmentUndone,
  fulfillmentWithheld,
  observed,
  placed,
  placing,
  rejected,
  releaseRequested,
  sourced,
  synced,
  updated,
} from './builders.ts';

const half = aParcel({ units: { L1: 1 } });
const toTornApart = [...toBought, observed('processing', [half]), observed('cancelled', [half])];

test('a supplier that cancels the rest after a part has left gives it back under a hold, and the part goes on', () => {
  const road = aRoad(...toTornApart.slice(0, -1));
  expect(road.step(observed('cancelled', [half]))).toEqual([
    'no wait ship A',
    'wait deliver A',
    'fact supplier_order.shipped A',
    'hold supplier_cancelled A',
    'fact order.held supplier_cancelled A',
  ]);
  expect([road.state(), road.supplierOrder(A)]).toEqual(['partially_shipped', 'shipped']);
  expect(road.line()).toMatchObject({ ordered: 2, unallocated: 0, held: 1 });

  expect(road.step(releaseRequested('supplier_cancelled'))).toContain('suppliers: source order');
  expect(road.line()).toMatchObject({ unallocated: 1, held: 0 });
  road.step(observed('cancelled', [aParcel({ units: { L1: 1 }, state: 'delivered' })]));
  expect(road.supplierOrder(A)).toBe('delivered');
});

test('the label of a parcel that never left goes with the cancelled rest', () => {
  const label = aParcel({ trackingNumber: 'LABEL1', state: 'announced', units: { L1: 1 } });
  const road = aRoad(...toBought, observed('processing', [half, label]));
  expect(road.step(observed('cancelled', [half, label]))).toContain(`no parcel ${parcelIdOf(A, 'LABEL1')}`);
  expect(road.supplierOrder(A)).toBe('shipped');
  expect(road.line()).toMatchObject({ held: 1 });
});

test('a supplier that cancels when all has left is held once, and nothing is bought again', () => {
  const whole = aParcel();
  const road = aRoad(...toShipped);
  expect(road.step(observed('cancelled', [whole]))).toContain('hold supplier_cancelled A');
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0 });
  expect(road.step(releaseRequested('supplier_cancelled')).filter(isBuying)).toEqual([]);
});

test('one that was paid on the supplier’s site before it came apart goes on with what has left', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), placed());
  road.step(observed('cancelled', [half]));
  expect([road.supplierOrder(A), road.holds(), road.line()]).toMatchObject([
    'shipped',
    ['supplier_cancelled'],
    { held: 1 },
  ]);
  expect(road.step(elapsed('fulfill', A, PARCEL_A))).toContain('shopify: fulfill PA');
  road.refuse(rejected());
  expect(road.line()).toMatchObject({ held: 1 });
});

test('a parcel of what its supplier does not show as paid is shown in the shop, however often that takes', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), placed());
  expect(road.step(observed('awaiting_payment', [aParcel()]))).toContain('shopify: fulfill PA');
  expect(road.step(elapsed('fulfill', A, PARCEL_A))).toContain('shopify: fulfill PA');
  expect(road.step(fulfillmentWithheld(PARCEL_A))).toContain('hold fulfillment_not_ours A');
  const released = road.step(releaseRequested('fulfillment_not_ours'));
  expect(released).toEqual(expect.arrayContaining(['suppliers: pay A', 'shopify: fulfill PA']));
  expect(road.step(synced(PARCEL_A))).toContain('no wait fulfill A PA');
});

test('an order that was called off takes the cancelled rest as cancelled', () => {
  const road = aRoad(...toTornApart.slice(0, -1), updated({ cancelled: true }));
  road.step(observed('cancelled', [half]));
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0, cancelled: 1 });
});

test('a supplier that cancels what has only a label gives the units back', () => {
  const road = aRoad(...toBought, observed('processing', [aParcel({ state: 'announced' })]));
  expect(road.step(observed('cancelled', [aParcel({ state: 'announced' })]))).toContain(
    'hold supplier_cancelled A',
  );
  expect(road.supplierOrder(A)).toBe('cancelled');
  expect(road.line()).toMatchObject({ held: 2 });
});

test('the first parcel may arrive before the second has left, and all may arrive at once', () => {
  const road = aRoad(...toBought, observed('processing', [{ ...half, state: 'delivered' }]));
  expect([road.state(), road.supplierOrder(A)]).toEqual(['partially_delivered', 'partially_shipped']);
  const whole = aRoad(...toShipped);
  expect(whole.step(observed('delivered', [aParcel({ state: 'delivered' })]))).not.toContain(
    'fact order.partially_delivered',
  );
});

test('a parcel never goes back', () => {
  const road = aRoad(...toShipped);
  for (const late of ['announced', 'first_scan', 'in_transit'] as const) {
    expect(road.try(observed('shipped', [aParcel({ state: late })]))).toEqual([]);
    expect(road.parcel(A, PARCEL_A)?.state).toBe('in_transit');
  }
  road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  for (const late of ['in_transit', 'exception', 'out_for_delivery'] as const) {
    expect(road.try(observed('shipped', [aParcel({ state: late })]))).toEqual([]);
    expect(road.parcel(A, PARCEL_A)?.state).toBe('delivered');
  }
  expect(road.state()).toBe('delivered');
});

test('a trouble comes and goes', () => {
  const road = aRoad(...toShipped);
  expect(road.step(observed('shipped', [aParcel({ state: 'exception' })]))).toEqual([
    'parcel PA exception',
    'fact parcel.exception A PA',
  ]);
  expect(road.step(observed('shipped', [aParcel({ state: 'out_for_delivery' })]))).toEqual([
    'parcel PA out_for_delivery',
    'fact parcel.out_for_delivery A PA',
  ]);
});

test('a parcel does not go back by way of a trouble', () => {
  const road = aRoad(...toShipped, observed('shipped', [aParcel({ state: 'delayed' })]));
  road.try(observed('processing', [aParcel({ state: 'announced' })]));
  expect(road.parcel(A, PARCEL_A)?.state).not.toBe('announced');
});

test('the mails and the fulfilment of a parcel are asked for once', () => {
  const road = aRoad(...toShipped, synced(PARCEL_A), observed('shipped', [aParcel({ state: 'delayed' })]));
  const texts = [
    ...road.try(observed('processing', [aParcel({ state: 'announced' })])),
    ...road.try(observed('shipped', [aParcel({ state: 'in_transit' })])),
  ];
  expect(texts.filter((text) => text.startsWith('mail') || text.startsWith('shopify'))).toEqual([]);
});

test('a label with a trouble before its first scan has not shipped', () => {
  const road = aRoad(...toBought, observed('processing', [aParcel({ state: 'announced' })]));
  expect(road.step(observed('processing', [aParcel({ state: 'delayed' })]))).not.toContain(
    'mail parcel_shipped PA',
  );
});

test('a supplier order shipped without a tracking number waits for one, and is overdue in the end', () => {
  const road = aRoad(...toBought);
  expect(road.step(observed('shipped'))).toEqual([]);
  expect(road.state()).toBe('awaiting_shipment');
  expect(road.step(elapsed('ship', A))).toEqual([
    'no wait ship A',
    'hold overdue A',
    'fact order.held overdue A',
  ]);
});

test('a parcel first seen delivered asks for its shipped and its delivered mail, not for one in between', () => {
  const road = aRoad(...toBought);
  const texts = road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  expect(texts.filter((text) => text.startsWith('mail'))).toEqual([
    'mail parcel_shipped PA',
    'mail parcel_shipped PA on first_scan',
    'mail parcel_delivered PA',
  ]);
  expect(texts).toContain('shopify: fulfill PA');
  expect(texts.slice(-4)).toEqual([
    'no wait ship A',
    'no wait deliver A',
    'fact supplier_order.delivered A',
    'fact order.delivered',
  ]);
});

test('two parcels of one supplier order ship and arrive one after the other', () => {
  const first = aParcel({ units: { L1: 1 } });
  const second = aParcel({ trackingNumber: 'CJPKL2', units: { L1: 1 } });
  const road = aRoad(...toBought);
  road.step(observed('processing', [first]));
  expect(road.state()).toBe('partially_shipped');
  road.step(observed('processing', [first, { ...second, state: 'announced' }]));
  expect(road.state()).toBe('partially_shipped');
  road.step(observed('shipped', [first, second]));
  expect(road.state()).toBe('shipped');
  const arrived = { ...first, state: 'delivered' as const };
  expect(road.step(observed('shipped', [arrived, second]))).toContain('fact order.partially_delivered');
  expect([road.state(), road.supplierOrder(A)]).toEqual(['partially_delivered', 'shipped']);
  const rest = road.step(observed('delivered', [arrived, { ...second, state: 'delivered' }]));
  expect(rest).not.toContain('fact order.partially_delivered');
  expect(road.state()).toBe('delivered');
});

test('a last-mile number is saved without telling anybody anew', () => {
  const road = aRoad(...toShipped);
  expect(road.step(observed('shipped', [aParcel({ lastMileTrackingNumber: 'LM1' })]))).toEqual([
    'parcel PA in_transit',
  ]);
});

test('a look that does not see the last-mile number does not take it away', () => {
  const road = aRoad(...toShipped, observed('shipped', [aParcel({ lastMileTrackingNumber: 'LM1' })]));
  road.try(observed('shipped', [aParcel()]));
  expect(road.parcel(A, PARCEL_A)?.lastMileTrackingNumber).toBe('LM1');
});

test('a fulfilment is asked for again by its timer, and after a release', () => {
  const road = aRoad(...toShipped);
  expect(road.step(elapsed('fulfill', A, PARCEL_A))).toEqual(['shopify: fulfill PA', 'wait fulfill A PA']);
  expect(road.step(fulfillmentWithheld(PARCEL_A))).toEqual([
    'no wait fulfill A PA',
    'hold fulfillment_not_ours A',
    'fact order.held fulfillment_not_ours A',
  ]);
  expect(road.step(releaseRequested('fulfillment_not_ours'))).toEqual([
    'unhold fulfillment_not_ours A',
    'fact order.released fulfillment_not_ours',
    'shopify: fulfill PA',
    'wait fulfill A PA',
    'wait deliver A',
  ]);
  road.step(synced(PARCEL_A));
  for (const event of [synced(PARCEL_A), fulfillmentWithheld(PARCEL_A), elapsed('fulfill', A, PARCEL_A)])
    road.refuse(event);
});

test('a parcel on its way whose fulfilment is cancelled in the shop is held, told once, and shown again on release', () => {
  const road = aRoad(...toShipped, synced(PARCEL_A));
  const undone = fulfillmentUndone(PARCEL_A);
  expect(road.step(undone)).toEqual([
    'hold fulfillment_not_ours A',
    'fact order.held fulfillment_not_ours A',
  ]);
  expect(road.step(releaseRequested('fulfillment_not_ours'))).toContain('shopify: fulfill PA');
  road.step(observed('shipped', [aParcel({ state: 'out_for_delivery' })]));
  road.step(synced(PARCEL_A));
  road.refuse(undone);
  road.step(fulfillmentUndone(PARCEL_A, 'another'));

  const over = aRoad(
    ...toShipped,
    synced(PARCEL_A),
    observed('delivered', [aParcel({ state: 'delivered' })]),
  );
  over.refuse(undone);
});

test('a released overdue hold waits anew', () => {
  const road = aRoad(...toShipped, synced(PARCEL_A), elapsed('deliver', A));
  expect(road.step(releaseRequested('overdue'))).toContain('wait deliver A');
});

test('a parcel that turns round on its last mile is shown as returned, and a late answer does not hide it', () => {
  const road = aRoad(...toShipped, observed('shipped', [aParcel({ state: 'attempt_failed' })]));
  expect(road.step(observed('shipped', [aParcel({ state: 'returned' })]))).toEqual([
    'parcel PA returned',
    'fact parcel.returned A PA',
    'hold operator A',
    'fact order.held operator A',
  ]);
  for (const late of ['first_scan', 'in_transit'] as const)
    expect(road.try(observed('shipped', [aParcel({ state: late })]))).toEqual([]);
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ state: 'returned', furthest: 'out_for_delivery' });
});

test('a customer gets no "in transit" for a parcel that turns round after its first scan', () => {
  const road = aRoad(...toBought, observed('shipped', [aParcel({ state: 'first_scan' })]));
  expect(road.step(observed('shipped', [aParcel({ state: 'returned' })]))).toEqual([
    'parcel PA returned',
    'fact parcel.returned A PA',
    'no wait transit A PA',
    'hold operator A',
    'fact order.held operator A',
  ]);
});

test('a delayed label of a supplier order that shipped has left, and stays delayed', () => {
  const road = aRoad(...toBought, observed('processing', [aParcel({ state: 'delayed' })]));
  expect(road.state()).toBe('awaiting_shipment');
  expect(road.step(observed('shipped', [aParcel({ state: 'delayed' })]))).toEqual(
    expect.arrayContaining(['parcel PA delayed', 'mail parcel_shipped PA', 'shopify: fulfill PA']),
  );
  expect(road.state()).toBe('shipped');
});

test.each([
  ['returned', 'goes back to its sender'],
  ['lost', 'has lost the parcel'],
] as const)('a person hears once of a parcel that is %s', (state, words) => {
  const road = aRoad(...toShipped);
  road.step(observed('shipped', [aParcel({ state })]));
  expect(road.holds()).toEqual(['operator']);
  expect(road.evidence().at(-1)).toMatchObject({ cause: expect.stringContaining(words) });
  road.step(releaseRequested('operator'));
  road.try(observed('shipped', [aParcel({ state, lastMileTrackingNumber: 'LM1' })]));
  expect([road.state(), road.holds()]).toEqual(['shipped', []]);
});

test('a parcel lost on its way goes on where it was', () => {
  const road = aRoad(...toShipped, observed('shipped', [aParcel({ state: 'lost' })]));
  expect(road.step(observed('shipped', [aParcel({ state: 'in_transit' })]))).toEqual([
    'parcel PA in_transit',
    'fact parcel.in_transit A PA',
  ]);
});

test.each([
  ['accepted', 'ship', toBought],
  ['processing', 'ship', [...toBought, observed('processing')]],
  ['partially_shipped', 'ship', [...toBought, observed('processing', [half])]],
  ['shipped', 'deliver', toShipped],
] as const)(
  'a supplier order %s is overdue once, and waits the whole time again when released',
  (state, deadline, events) => {
    const road = aRoad(...events);
    expect(road.supplierOrder(A)).toBe(state);
    expect(road.step(elapsed(deadline, A))).toEqual([
      `no wait ${deadline} A`,
      'hold overdue A',
      'fact order.held overdue A',
    ]);
    expect(road.step(releaseRequested('overdue'))).toContain(`wait ${deadline} A`);
  },
);
