import { expect, test } from 'vitest';
import type { ObservedParcel } from '../../contracts/events/supplier-order-observed.ts';
import { parcelIdOf } from '../../contracts/ids.ts';
import type { ParcelStateName } from '../../contracts/vocabulary.ts';
import { hasLeft, STEPS } from '../../machines/parcel-place.ts';
import { A, aRoad, TWO_LINES } from '../fixtures/order-road.ts';
import { seeded } from '../fixtures/seeded.ts';
import {
  accepted,
  aParcel,
  aPart,
  contentsTold,
  elapsed,
  observed,
  placing,
  received,
  sourced,
  synced,
} from './builders.ts';

/** Two units of L1 and one of L2 in one purchase. */
const toBoughtTogether = [
  received({ lines: TWO_LINES }),
  elapsed('grace'),
  sourced({ parts: [aPart({ L1: 2, L2: 1 })] }),
  placing(),
  accepted(),
];
const ALL = { L1: 2, L2: 1 };
const [X, Y] = [parcelIdOf(A, 'X'), parcelIdOf(A, 'Y')];
const box = (
  trackingNumber: string,
  state: ParcelStateName,
  units?: Record<string, number>,
): ObservedParcel => aParcel({ trackingNumber, state, ...(units === undefined ? {} : { units }) });
const unitsOf = (road: ReturnType<typeof aRoad>) =>
  Object.fromEntries(
    Object.values(road.parcels(A)).map(({ trackingNumber, units }) => [trackingNumber, units]),
  );
const splitLabels = observed('processing', [
  box('X', 'announced', { L1: 2 }),
  box('Y', 'announced', { L2: 1 }),
]);

test('a label gives up what its supplier puts into a second box, and neither of the two passes for all', () => {
  const road = aRoad(...toBoughtTogether, observed('processing', [box('X', 'announced', ALL)]));
  expect(road.step(splitLabels)).toEqual([
    `parcel ${X} announced`,
    `parcel ${Y} announced`,
    `fact parcel.announced A ${Y}`,
  ]);
  road.step(observed('processing', [box('X', 'in_transit', { L1: 2 }), box('Y', 'announced', { L2: 1 })]));
  expect(road.state()).toBe('partially_shipped');
  road.step(observed('shipped', [box('X', 'delivered', { L1: 2 }), box('Y', 'in_transit', { L2: 1 })]));
  expect(road.state()).toBe('partially_delivered');
  road.step(observed('delivered', [box('X', 'delivered', { L1: 2 }), box('Y', 'delivered', { L2: 1 })]));
  expect(road.state()).toBe('delivered');
  expect(road.holds()).toEqual([]);
});

test('the corrected contents of a label are saved for the shop before it leaves', () => {
  const road = aRoad(...toBoughtTogether, observed('processing', [box('X', 'announced', ALL)]));
  expect(road.saved(splitLabels)).toMatchObject([
    { trackingNumber: 'X', units: { L1: 2 } },
    { trackingNumber: 'Y', units: { L2: 1 } },
  ]);
});

test('a label that named nothing has what the boxes that do name theirs leave', () => {
  const road = aRoad(...toBoughtTogether, observed('processing', [box('X', 'announced')]));
  expect(unitsOf(road)).toEqual({ X: ALL });
  road.step(observed('processing', [box('X', 'announced'), box('Y', 'announced', { L2: 1 })]));
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
});

test('a label that is seen no more is forgotten when its contents are in other boxes', () => {
  const road = aRoad(...toBoughtTogether, observed('processing', [box('LABEL', 'announced', ALL)]));
  expect(road.step(splitLabels)).toContain(`no parcel ${parcelIdOf(A, 'LABEL')}`);
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
});

test('a label that one look misses is there still, with what no other box has', () => {
  const road = aRoad(...toBoughtTogether, splitLabels);
  road.refuse(observed('processing', [box('X', 'announced', { L1: 2 })]));
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
});

test('contents that a supplier names smaller after the shop shows them all are for a person, and are not all delivered', () => {
  const road = aRoad(...toBoughtTogether, observed('shipped', [box('X', 'in_transit')]), synced(X));
  const texts = road.step(
    observed('shipped', [box('X', 'in_transit', { L1: 2 }), box('Y', 'announced', { L2: 1 })]),
  );
  expect(texts).toContain('hold operator A');
  expect(road.evidence().at(-1)).toMatchObject({ trackingNumbers: 'X' });
  road.step(observed('shipped', [box('X', 'delivered', { L1: 2 }), box('Y', 'in_transit', { L2: 1 })]));
  expect(road.state()).toBe('partially_delivered');
  road.step(observed('delivered', [box('X', 'delivered', { L1: 2 }), box('Y', 'delivered', { L2: 1 })]));
  expect(road.state()).toBe('delivered');
});

test('as long as the shop shows nothing of a parcel, its smaller contents are just the right ones', () => {
  const road = aRoad(...toBoughtTogether, observed('shipped', [box('X', 'in_transit')]));
  road.step(observed('shipped', [box('X', 'in_transit', { L1: 2 }), box('Y', 'in_transit', { L2: 1 })]));
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
  expect(road.holds()).toEqual([]);
});

test('a parcel on its way that names nothing gives up what a second box names', () => {
  const road = aRoad(...toBoughtTogether, observed('shipped', [box('X', 'in_transit')]), synced(X));
  road.step(observed('shipped', [box('X', 'in_transit'), box('Y', 'in_transit', { L2: 1 })]));
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
  expect(road.holds()).toEqual(['operator']);
});

/** One number was taken for all of the purchase, and a second one is on its way. */
const riddle = observed('shipped', [box('X', 'in_transit'), box('Y', 'in_transit')]);
const toRiddle = [...toBoughtTogether, observed('shipped', [box('X', 'in_transit')]), riddle];

test('a person says what is in the second box: it is shown to shop and customer with that, and the first has the rest', () => {
  const road = aRoad(...toRiddle);
  expect(road.evidence().at(-1)?.cause).toContain('POST /supplier-orders/{id}/parcel-contents');
  expect(road.step(contentsTold('y', { L2: 1 }))).toEqual([]);
  road.refuse(contentsTold('Y', { L2: 1 }));
  const texts = road.step(riddle);
  expect(texts).toContain(`mail parcel_shipped ${Y}`);
  expect(texts).toContain(`shopify: fulfill ${Y}`);
  expect(texts).not.toContain('hold operator A');
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
  road.refuse(riddle);
});

test('a word about the first box settles it as well, whatever the supplier names', () => {
  const named = observed('shipped', [box('X', 'in_transit', ALL), box('Y', 'in_transit')]);
  const road = aRoad(...toBoughtTogether, named, contentsTold('X', { L1: 1 }), named);
  expect(unitsOf(road)).toEqual({ X: { L1: 1 }, Y: { L1: 1, L2: 1 } });
});

test('a number that a person calls no box gives all it had to the other, and the shop is to be corrected', () => {
  const road = aRoad(...toRiddle, synced(X), contentsTold('X', {}));
  expect(road.step(riddle)).toContain(`no parcel ${X}`);
  expect(unitsOf(road)).toEqual({ Y: ALL });
  expect(road.evidence().at(-1)).toMatchObject({ trackingNumbers: 'X' });
  road.refuse(riddle);
});

test('nothing is waited for of a number that a person calls no box', () => {
  const shown = aRoad(...toRiddle, synced(X), contentsTold('X', {})).step(riddle);
  expect(shown).toContain(`no wait transit A ${X}`);
  expect(shown).not.toContain(`no wait fulfill A ${X}`);
  const unshown = aRoad(...toRiddle, contentsTold('X', {})).step(riddle);
  expect(unshown).toContain(`no wait transit A ${X}`);
  expect(unshown).toContain(`no wait fulfill A ${X}`);
});

test('a word that names more than the purchase has is taken as far as it goes', () => {
  const road = aRoad(...toRiddle, contentsTold('Y', { L2: 7, L9: 1 }), riddle);
  expect(unitsOf(road)).toEqual({ X: { L1: 2 }, Y: { L2: 1 } });
});

test('a second box that names all that another one has is for a person', () => {
  const road = aRoad(...toBoughtTogether, observed('shipped', [box('X', 'in_transit')]), synced(X));
  expect(road.step(observed('shipped', [box('X', 'in_transit'), box('Y', 'in_transit', ALL)]))).toEqual([
    'hold operator A',
    'fact order.held operator A',
  ]);
  expect(unitsOf(road)).toEqual({ X: ALL });
});

test('a look that names no contents changes none', () => {
  const road = aRoad(
    ...toBoughtTogether,
    observed('shipped', [box('X', 'in_transit', { L1: 2 }), box('Y', 'in_transit', { L2: 1 })]),
  );
  road.refuse(observed('shipped', [box('X', 'in_transit'), box('Y', 'in_transit')]));
});

test('a box of a unit that counts to another box is no parcel of its own', () => {
  const road = aRoad(...toBoughtTogether);
  road.step(observed('shipped', [box('X', 'in_transit', ALL), box('Y', 'in_transit', {})]));
  expect(unitsOf(road)).toEqual({ X: ALL });
  expect(road.holds()).toEqual([]);
});

const NUMBERS = ['N1', 'N2', 'N3', 'N4'];
const STATES = ['announced', 'first_scan', 'in_transit', 'exception', 'delivered', 'returned'] as const;
const CONTENTS = [undefined, {}, { L1: 1 }, { L1: 2 }, { L2: 1 }, { L1: 1, L2: 1 }];

/** Any look at all: a supplier that forgets, repeats, renames, splits and lies. */
function anyLook(random: () => number) {
  const any = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const parcels = NUMBERS.filter(() => random() < 0.4).map((number) =>
    box(number, any(STATES), any(CONTENTS)),
  );
  return observed(any(['processing', 'shipped', 'shipped', 'delivered'] as const), parcels);
}

test('whatever is seen, nothing that left is lost or goes back, no unit is in two parcels, and each mail is asked for once', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const road = aRoad(...toBoughtTogether);
    const mails: string[] = [];
    for (let look = 0; look < 12; look += 1) {
      const before = road.parcels(A);
      const texts = road.try(random() < 0.2 ? synced(Object.keys(before)[0] ?? X) : anyLook(random));
      mails.push(...texts.filter((text) => text.startsWith('mail') && !text.includes('delayed')));
      const now = road.parcels(A);
      for (const [id, parcel] of Object.entries(before)) {
        if (!hasLeft(parcel)) continue;
        const at = `seed ${seed}, look ${look}, parcel ${parcel.trackingNumber}`;
        expect(STEPS.indexOf(now[id]?.furthest ?? 'announced'), at).toBeGreaterThanOrEqual(
          STEPS.indexOf(parcel.furthest),
        );
      }
      for (const [lineId, count] of Object.entries(ALL)) {
        const packed = Object.values(now).reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);
        expect(packed, `seed ${seed}, look ${look}, line ${lineId}`).toBeLessThanOrEqual(count);
      }
    }
    expect(mails.length, `seed ${seed}`).toBe(new Set(mails).size);
  }
});
