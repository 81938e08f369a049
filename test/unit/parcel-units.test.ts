import { expect, test } from 'vitest';
import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import { toOrderUnits } from '../../services/suppliers/parcel-units.ts';

const aParcel = (trackingNumber: string, units?: Record<string, number>): ObservedParcel => ({
  trackingNumber,
  lastMileTrackingNumber: null,
  carrier: null,
  trackingUrl: null,
  state: 'announced',
  ...(units === undefined ? {} : { units }),
});
const line = (lineId: string, units: number, supplierUnits: number) => ({ lineId, units, supplierUnits });
const unitsOf = (parcels: readonly ObservedParcel[]) => parcels.map(({ units }) => units);

test('where one piece is one unit the parcels stay as they are', () => {
  const parcels = [aParcel('A', { '1': 2 }), aParcel('B', { '1': 1, '2': 1 })];
  expect(toOrderUnits(parcels, [line('1', 3, 3), line('2', 1, 1)])).toEqual(parcels);
});

test('packs count as units, each in the parcel with its last piece, and never more than were ordered', () => {
  const parcels = [aParcel('A', { '1': 2 }), aParcel('B', { '1': 4 }), aParcel('C', { '1': 9 })];
  expect(unitsOf(toOrderUnits(parcels, [line('1', 2, 6)]))).toEqual([{}, { '1': 2 }, {}]);
});

test('a parcel that names no units keeps none, and lines of others are dropped', () => {
  const parcels = [aParcel('A'), aParcel('B', { '9': 1, '1': 1 })];
  expect(unitsOf(toOrderUnits(parcels, [line('1', 1, 1)]))).toEqual([undefined, { '1': 1 }]);
});

test('a line that was bought as several articles is one line', () => {
  const parcels = [aParcel('A', { '1': 2 }), aParcel('B', { '1': 1 })];
  expect(unitsOf(toOrderUnits(parcels, [line('1', 1, 1), line('1', 2, 2)]))).toEqual([
    { '1': 2 },
    { '1': 1 },
  ]);
});
