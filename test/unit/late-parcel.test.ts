import { expect, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import type { ParcelStateName } from '../../contracts/vocabulary.ts';
import { A, aRoad, PARCEL_A, toBought, toShipped, toSourcing } from '../fixtures/order-road.ts';
import { accepted, aParcel, aPart, elapsed, observed, placing, sourced } from './builders.ts';

const late = elapsed('transit', A, PARCEL_A);
const seen = (state: ParcelStateName) => observed('shipped', [aParcel({ state })]);
const toldIn = (texts: readonly string[]) => texts.filter((text) => /^(mail|fact parcel)/.test(text));

test('a parcel that is not there in its lane’s time is delayed, and the customer is told', () => {
  const road = aRoad(...toShipped);
  expect(road.step(late)).toEqual([
    'no wait transit A PA',
    'parcel PA delayed',
    'fact parcel.delayed A PA',
    'mail parcel_delayed PA',
  ]);
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ state: 'delayed', furthest: 'in_transit' });
  expect(road.state()).toBe('shipped');
});

test('a delay is said once, even if the timer comes again', () => {
  const road = aRoad(...toShipped, late);
  expect(road.step(late)).toEqual(['no wait transit A PA']);
});

test('the same seen again does not end a delay; a new scan does, and a delivery', () => {
  const road = aRoad(...toShipped, late);
  expect(road.try(seen('in_transit'))).toEqual([]);
  expect(road.try(seen('first_scan'))).toEqual([]);
  expect(toldIn(road.step(observed('shipped', [aParcel({ lastMileTrackingNumber: 'LM1' })])))).toEqual([]);
  expect(road.parcel(A, PARCEL_A)?.state).toBe('delayed');
  road.step(seen('out_for_delivery'));
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ state: 'out_for_delivery' });
  expect(road.step(seen('delivered'))).toContain('mail parcel_delivered PA');
});

test('a delay that the carrier tells of is told as well, and the lane’s deadline adds nothing to it', () => {
  const road = aRoad(...toShipped);
  expect(toldIn(road.step(seen('delayed')))).toEqual(['fact parcel.delayed A PA', 'mail parcel_delayed PA']);
  expect(road.step(late)).toEqual(['no wait transit A PA']);
});

test('a label that is late before it has left is no parcel for the customer yet', () => {
  const road = aRoad(...toBought);
  const label = observed('processing', [aParcel({ state: 'delayed' })]);
  expect(road.step(label)).not.toContain('mail parcel_delayed PA');
  expect(road.step(seen('delayed'))).toContain('mail parcel_delayed PA');
});

test.each(['delivered', 'available_for_pickup', 'attempt_failed', 'returned', 'lost'] as const)(
  'a parcel that is %s waits for no deadline any more',
  (state) => {
    const road = aRoad(...toShipped);
    expect(road.step(seen(state))).toContain('no wait transit A PA');
    expect(road.try(late)).toEqual([]);
    expect(road.parcel(A, PARCEL_A)?.state).toBe(state);
  },
);

test('a parcel first seen delivered never had a deadline', () => {
  const road = aRoad(...toBought);
  const texts = road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  expect(texts.filter((text) => text.includes('transit'))).toEqual([]);
});

test('the lane’s quoted days go with its deadline, and nothing is made up where none were quoted', () => {
  const bought = (part: OrderEvent) => aRoad(...toSourcing, part, placing(), accepted());
  const quoted = bought(sourced({ parts: [aPart({ L1: 2 }, { deliveryDays: 12 })] }));
  expect(quoted.step(seen('first_scan'))).toContain('wait transit A PA 12 days');
  expect(bought(sourced()).step(seen('first_scan'))).toContain('wait transit A PA');
});

test('what the supplier calls shipped has left, and no carrier has scanned it until one says so', () => {
  const road = aRoad(...toBought);
  expect(road.step(seen('announced'))).toEqual([
    'parcel PA announced',
    'fact parcel.announced A PA',
    'mail parcel_shipped PA',
    'shopify: fulfill PA',
    'wait fulfill A PA',
    'wait transit A PA',
    'no wait ship A',
    'wait deliver A',
    'fact supplier_order.shipped A',
    'fact order.shipped',
  ]);
  expect(road.step(seen('first_scan'))).toEqual([
    'parcel PA first_scan',
    'fact parcel.first_scan A PA',
    'mail parcel_shipped PA on first_scan',
  ]);
  expect(toldIn(road.step(seen('in_transit')))).toEqual([
    'fact parcel.in_transit A PA',
    'mail parcel_in_transit PA',
  ]);
});

test('a label that leaves without a scan is told as shipped, and is late by its lane all the same', () => {
  const road = aRoad(...toBought, observed('processing', [aParcel({ state: 'announced' })]));
  expect(road.step(seen('announced'))).toContain('mail parcel_shipped PA');
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ state: 'announced', furthest: 'left' });
  expect(road.step(late)).toContain('mail parcel_delayed PA');
  expect(road.try(seen('announced'))).toEqual([]);
  expect(toldIn(road.step(seen('first_scan')))).toEqual([
    'fact parcel.first_scan A PA',
    'mail parcel_shipped PA on first_scan',
  ]);
});

test('a parcel that has left is told though the rest of its order waits, and keeps having left', () => {
  const road = aRoad(...toBought);
  const gone = aParcel({ state: 'announced', hasLeft: true, units: { L1: 1 } });
  const label = aParcel({ trackingNumber: 'USPS9400', state: 'announced', units: { L1: 1 } });
  const mails = (texts: readonly string[]) => texts.filter((text) => text.startsWith('mail'));
  expect(mails(road.step(observed('processing', [gone, label])))).toEqual(['mail parcel_shipped PA']);
  expect(road.try(observed('processing', [{ ...gone, hasLeft: false }, label]))).toEqual([]);
});
