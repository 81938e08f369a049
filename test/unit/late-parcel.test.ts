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

test('what the supplier calls shipped is no scan: the mail that waits for one is asked for with the first', () => {
  const road = aRoad(...toBought);
  const mails = (texts: readonly string[]) => texts.filter((text) => text.startsWith('mail'));
  expect(mails(road.step(seen('announced')))).toEqual(['mail parcel_shipped PA']);
  expect(mails(road.step(seen('first_scan')))).toEqual(['mail parcel_shipped PA on first_scan']);
  expect(mails(road.step(seen('in_transit')))).toEqual(['mail parcel_in_transit PA']);
});
