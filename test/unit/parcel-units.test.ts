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
  const parcels = [aParcel('A', { '1': 2 }), aParcel('B', { '1': 9 })];
  expect(unitsOf(toOrderUnits(parcels, [line('1', 2, 6)]))).toEqual([{}, { '1': 2 }]);
});

test('a parcel that names only what others hold already is one of which nobody knows what it holds', () => {
  const parcels = [aParcel('A', { '1': 6 }), aParcel('B', { '1': 6 }), aParcel('C', { '1': 1, '2': 1 })];
  const lines = [line('1', 2, 6), line('2', 1, 1)];
  expect(unitsOf(toOrderUnits(parcels, lines))).toEqual([{ '1': 2 }, undefined, { '2': 1 }]);
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

const A_BOX: ObservedParcel = { ...aParcel('YT1'), state: 'in_transit' };

test('what goes under one number is one box: it holds the pieces of all, and has arrived with the last of them', () => {
  const lines = [line('1', 3, 3), line('2', 1, 1)];
  const one = { ...A_BOX, state: 'delivered' as const, units: { '1': 1 } };
  const other = { ...A_BOX, trackingNumber: ' yt1', units: { '1': 2, '2': 1 } };
  expect(toOrderUnits([one, other], lines)).toEqual([{ ...A_BOX, units: { '1': 3, '2': 1 } }]);
  expect(toOrderUnits([one, { ...one, units: { '2': 1 } }], lines)).toEqual([
    { ...one, units: { '1': 1, '2': 1 } },
  ]);
  const { units: _, ...unnamed } = other;
  expect(toOrderUnits([one, unnamed], lines)).toEqual([A_BOX]);
});

test('a label that waits yet is no part of the box that has left under its number', () => {
  const label = { ...A_BOX, state: 'announced' as const, units: { '1': 2 } };
  const box = { ...A_BOX, units: { '1': 1 } };
  for (const parcels of [
    [label, box],
    [box, label],
  ])
    expect(toOrderUnits(parcels, [line('1', 3, 3)])).toEqual([box]);
  expect(toOrderUnits([label, { ...label, units: { '1': 1 } }], [line('1', 3, 3)])).toEqual([
    { ...label, units: { '1': 3 } },
  ]);
  const unscanned = { ...label, hasLeft: true, units: { '1': 1 } };
  expect(toOrderUnits([label, unscanned], [line('1', 3, 3)])).toEqual([unscanned]);
});
