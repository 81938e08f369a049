import { expect, test } from 'vitest';
import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import { parcelIdOf } from '../../contracts/ids.ts';
import { decideSupplierOrder } from '../../machines/decide.ts';
import { A, aRoad, PARCEL_A, toBought } from '../fixtures/order-road.ts';
import { aParcel, observed, synced } from './builders.ts';

const OLD = aParcel().trackingNumber;
const label = (trackingNumber: string): ObservedParcel => aParcel({ trackingNumber, state: 'announced' });
const moving = (trackingNumber: string, units?: Record<string, number>): ObservedParcel =>
  aParcel({ trackingNumber, ...(units === undefined ? {} : { units }) });
const arrived = (trackingNumber: string): ObservedParcel => aParcel({ trackingNumber, state: 'delivered' });

const toLabelled = [...toBought, observed('processing', [label(OLD)])];
const toMoving = [...toBought, observed('shipped', [moving(OLD)]), synced(PARCEL_A)];
const toTwoBoxes = [
  ...toBought,
  observed('shipped', [moving('BOX1', { L1: 1 }), moving('BOX2', { L1: 1 })]),
  synced(parcelIdOf(A, 'BOX1')),
  synced(parcelIdOf(A, 'BOX2')),
];
const numbersOf = (road: ReturnType<typeof aRoad>) =>
  Object.values(road.parcels(A)).map(({ trackingNumber }) => trackingNumber);
const isTold = (text: string): boolean => /^(mail|fact|shopify)/.test(text);

test('a label that gets another number before it leaves ships and arrives under that one', () => {
  const road = aRoad(...toLabelled);
  expect(road.step(observed('processing', [label('NEW-2')]))).toEqual(['parcel PA announced']);
  expect(road.step(observed('shipped', [moving('NEW-2')]))).toEqual(
    expect.arrayContaining(['mail parcel_shipped PA', 'shopify: fulfill PA']),
  );
  expect(road.state()).toBe('shipped');
  road.step(observed('delivered', [arrived('NEW-2')]));
  expect(road.state()).toBe('delivered');
  expect(numbersOf(road)).toEqual(['NEW-2']);
  expect(road.holds()).toEqual([]);
});

test('a number that replaces the one of a parcel on its way is saved, and nobody is told anew that it left', () => {
  const road = aRoad(...toMoving);
  expect(road.step(observed('shipped', [moving('NEW-2')]))).toEqual(['parcel PA in_transit']);
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ trackingNumber: 'NEW-2', earlierNumbers: [OLD] });
  expect(road.step(observed('delivered', [arrived('NEW-2')]))).toContain('mail parcel_delivered PA');
  expect(road.state()).toBe('delivered');
});

test('a parcel whose new number has no scan yet does not go back', () => {
  const road = aRoad(...toMoving);
  expect(road.step(observed('processing', [label('NEW-2')]))).toEqual(['parcel PA in_transit']);
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ trackingNumber: 'NEW-2', state: 'in_transit' });
});

test('the last mile of a replaced number is not the last mile of the new one', () => {
  const road = aRoad(...toMoving, observed('shipped', [aParcel({ lastMileTrackingNumber: 'LM1' })]));
  road.step(observed('shipped', [moving('NEW-2')]));
  expect(road.parcel(A, PARCEL_A)?.lastMileTrackingNumber).toBeNull();
});

test('a supplier that shows the number of the last mile in the place of the first one means the same parcel', () => {
  const road = aRoad(...toMoving, observed('shipped', [aParcel({ lastMileTrackingNumber: 'LM1' })]));
  expect(road.step(observed('shipped', [moving('LM1')]))).toEqual(['parcel PA in_transit']);
  road.refuse(observed('shipped', [moving('LM1'), moving('LM1')]));
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ trackingNumber: 'LM1', lastMileTrackingNumber: null });
});

test('a number written with blanks is no other number', () => {
  const road = aRoad(...toMoving);
  road.refuse(observed('shipped', [moving(` ${OLD.toLowerCase()} `)]));
});

test('the latest number counts, whichever of them came before', () => {
  const road = aRoad(...toMoving);
  for (const number of ['NEW-2', 'NEW-3', 'NEW-2', OLD])
    expect(road.step(observed('shipped', [moving(number)])).filter(isTold)).toEqual([]);
  expect(numbersOf(road)).toEqual([OLD]);
  expect(road.parcel(A, PARCEL_A)?.earlierNumbers).toEqual(['NEW-3', 'NEW-2']);
});

test('a look that shows no parcel takes none away, neither a label nor one on its way', () => {
  const labelled = aRoad(...toLabelled);
  labelled.refuse(observed('processing'));
  labelled.step(observed('shipped', [moving(OLD)]));
  labelled.refuse(observed('shipped'));
  expect(labelled.parcel(A, PARCEL_A)).toMatchObject({ state: 'in_transit', units: { L1: 2 } });
});

test('of two boxes the one whose number changes keeps its contents', () => {
  const road = aRoad(...toTwoBoxes);
  const texts = road.step(observed('shipped', [moving('BOX1', { L1: 1 }), moving('NEW-2', { L1: 1 })]));
  expect(texts.filter(isTold)).toEqual([]);
  expect(numbersOf(road)).toEqual(['BOX1', 'NEW-2']);
  expect(road.holds()).toEqual([]);
});

test('a box that is not seen for once is not taken for one that is seen for the first time', () => {
  const road = aRoad(...toBought, observed('processing', [moving('BOX1', { L1: 1 })]));
  road.step(observed('shipped', [moving('BOX2', { L1: 1 })]));
  road.try(observed('shipped', [moving('BOX1', { L1: 1 }), moving('BOX2', { L1: 1 })]));
  expect(numbersOf(road)).toEqual(['BOX1', 'BOX2']);
  expect(road.state()).toBe('shipped');
  expect(road.holds()).toEqual([]);
});

test('two new numbers in the place of one parcel that left are for a person, once, and the customer hears nothing', () => {
  const road = aRoad(...toMoving);
  const both = [moving('NEW-2', { L1: 1 }), moving('NEW-3', { L1: 1 })];
  expect(road.step(observed('shipped', both))).toEqual(['hold operator A', 'fact order.held operator A']);
  road.refuse(observed('shipped', both));
  expect(road.parcel(A, PARCEL_A)).toMatchObject({ state: 'in_transit', units: { L1: 2 } });
});

test('both new numbers of two boxes alike are for a person: nobody can tell which is which', () => {
  const road = aRoad(...toTwoBoxes);
  road.step(observed('shipped', [moving('NEW-2', { L1: 1 }), moving('NEW-3', { L1: 1 })]));
  expect(numbersOf(road)).toEqual(['BOX1', 'BOX2']);
  expect(road.holds()).toEqual(['operator']);
});

test('the new numbers of boxes alike lead to a delivered order once its supplier shows all of it arrived', () => {
  const road = aRoad(...toTwoBoxes);
  road.step(observed('shipped', [moving('NEW-2', { L1: 1 }), moving('NEW-3', { L1: 1 })]));
  const arrivedWith = (number: string): ObservedParcel => ({ ...arrived(number), units: { L1: 1 } });
  road.refuse(observed('shipped', [arrivedWith('NEW-2'), moving('NEW-3', { L1: 1 })]));
  expect(road.state()).toBe('shipped');
  const texts = road.step(observed('delivered', [arrivedWith('NEW-2'), arrivedWith('NEW-3')]));
  expect(texts.filter((text) => text.startsWith('mail parcel_delivered'))).toHaveLength(2);
  expect(road.state()).toBe('delivered');
  expect(numbersOf(road)).toEqual(['NEW-2', 'NEW-3']);
});

test('a second number beside a parcel that holds everything is for a person as soon as it moves', () => {
  const road = aRoad(...toLabelled);
  road.refuse(observed('processing', [label(OLD), label('BOX2')]));
  expect(road.step(observed('shipped', [moving(OLD), moving('BOX2')]))).toContain('hold operator A');
  expect(road.evidence().at(-1)).toMatchObject({ trackingNumbers: 'BOX2' });
  // It was seen beside it, so it does not stand in its place.
  road.refuse(observed('shipped', [moving('BOX2')]));
  expect(numbersOf(road)).toEqual([OLD]);
});

test('a replaced number that is on its way beside the new one is for a person', () => {
  const road = aRoad(...toMoving, observed('shipped', [moving('NEW-2')]));
  expect(road.step(observed('shipped', [moving(OLD), moving('NEW-2')]))).toEqual([
    'hold operator A',
    'fact order.held operator A',
  ]);
  expect(numbersOf(road)).toEqual(['NEW-2']);
});

test('numbers that cannot be told apart are nobody’s trouble once all has arrived', () => {
  const road = aRoad(...toBought, observed('delivered', [arrived(OLD), arrived('BOX2')]));
  expect(road.state()).toBe('delivered');
  expect(road.holds()).toEqual([]);
});

test('a parcel that has arrived keeps its number, and another one on its way is for a person', () => {
  const road = aRoad(...toMoving, observed('delivered', [arrived(OLD)]));
  expect(road.step(observed('shipped', [moving('NEW-2')]))).toContain('hold operator A');
  expect(numbersOf(road)).toEqual([OLD]);
});

test('a supplier order stored by the release before goes on: its dead label gives way to the number that is seen', () => {
  const { parcels: _none, ...stored } = aRoad(...toLabelled).context(A);
  const before = {
    [PARCEL_A]: {
      state: 'announced',
      furthest: 'announced',
      trackingNumber: OLD,
      lastMileTrackingNumber: null,
      units: { L1: 2 },
      isFulfilled: false,
      isScanned: false,
    },
  } as const;
  const event = observed('shipped', [moving('NEW-2')]);
  if (event.type !== 'supplier_order.observed') throw new TypeError('no observation');
  const after = decideSupplierOrder({ value: 'processing', context: { ...stored, parcels: before } }, event);
  expect(after.state.value).toBe('shipped');
  expect(after.state.context.parcels[PARCEL_A]).toMatchObject({
    trackingNumber: 'NEW-2',
    earlierNumbers: [OLD],
    state: 'in_transit',
  });
});
