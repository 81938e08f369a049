import { expect, test } from 'vitest';
import {
  A,
  aRoad,
  aRoadUnder,
  B,
  isBuying,
  PARCEL_A,
  TWO_LINES,
  toBought,
  toSourcing,
  toTwoDrafts,
} from '../fixtures/order-road.ts';
import {
  absent,
  accepted,
  aLine,
  aParcel,
  aPart,
  at,
  cancelConfirmed,
  deferred,
  elapsed,
  fulfillmentWithheld,
  holdRequested,
  observed,
  outcomeUnknown,
  placed,
  placing,
  received,
  releaseRequested,
  sourced,
  supplierCancelRequested,
  synced,
  updated,
  withheld,
} from './builders.ts';

const toDraft = [...toSourcing, sourced()];
const leaves = (openUnits: number, hour = 1) => updated({ lines: [aLine({ openUnits })], ...at(hour) });

test('a purchase that waits is given up when somebody else ships its units, and asks nobody for anything', () => {
  const road = aRoad(...toDraft, withheld('supplier_paused'), leaves(0));
  expect([road.state(), road.supplierOrder(A)]).toEqual(['delivered', 'cancelled']);
  expect(road.line()).toMatchObject({ outside: 2, unallocated: 0, held: 0, cancelled: 0 });
  expect(road.holds()).toEqual([]);
  road.refuse(releaseRequested('supplier_paused'));
  road.refuse(elapsed('buy', A));
});

test('a purchase held because what it replaces lives again is given up when that is shipped by hand, and its hold asks on', () => {
  const road = aRoad(...toDraft, withheld('duplicate_suspected'), leaves(0));
  expect([road.supplierOrder(A), road.holds()]).toEqual(['cancelled', ['duplicate_suspected']]);
  expect(road.step(releaseRequested('duplicate_suspected')).filter(isBuying)).toEqual([]);
  expect([road.state(), road.holds()]).toEqual(['delivered', []]);
});

test('of an order from a backup no purchase is given up: what the shop shows as shipped may be the one that was forgotten', () => {
  const left = { lines: [aLine({ openUnits: 0 })], isFromBackup: true as const };
  const road = aRoad(...toDraft, withheld('supplier_paused'), updated({ ...left, ...at(1) }));
  expect([road.state(), road.supplierOrder(A), road.holds()]).toEqual([
    'purchasing',
    'draft',
    ['supplier_paused'],
  ]);
  // Nor by a later body that says nothing of it.
  road.step(leaves(0, 2));
  expect(road.supplierOrder(A)).toBe('draft');
});

test('of a purchase that waits what the shop still leaves to us is sourced anew', () => {
  const road = aRoad(...toDraft);
  expect(road.commands(leaves(1))).toEqual([
    { verb: 'source', data: expect.objectContaining({ round: 2, lines: [{ lineId: 'L1', units: 1 }] }) },
  ]);
  expect(road.supplierOrder(A)).toBe('cancelled');
  expect(road.line()).toMatchObject({ outside: 1, unallocated: 1 });
  road.step(sourced({ round: 2, parts: [aPart({ L1: 1 })] }));
  expect(road.step(leaves(1, 2))).toEqual(['fact order.updated']);
});

test('a purchase that waits under a hold waits on under it for what is left to us', () => {
  const road = aRoad(...toDraft, withheld('supplier_paused'), leaves(1));
  expect(road.holds()).toEqual(['supplier_paused']);
  expect(road.line()).toMatchObject({ outside: 1, held: 1 });
  expect(road.step(releaseRequested('supplier_paused')).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
});

test.each([
  ['put off', [placing(), deferred()], 'cancelled', []],
  ['not paid yet', [placing(), placed()], 'cancelling', ['suppliers: cancel A']],
] as const)(
  'a purchase that is %s is given up when somebody else ships its units',
  (_, events, state, deeds) => {
    const road = aRoad(...toDraft, ...events);
    expect(road.step(leaves(0)).filter(isBuying)).toEqual(deeds);
    expect(road.supplierOrder(A)).toBe(state);
    road.try(cancelConfirmed());
    expect([road.state(), road.line()]).toMatchObject(['delivered', { outside: 2, held: 0 }]);
  },
);

test.each([
  ['put off', [placing()], deferred()],
  ['found absent', [placing(), outcomeUnknown()], absent()],
] as const)(
  'a purchase in flight, of units shipped by others meanwhile, that is %s is not tried again',
  (_, events, end) => {
    const road = aRoad(...toDraft, ...events, leaves(0));
    expect(road.step(end).filter(isBuying)).toEqual([]);
    expect([road.state(), road.supplierOrder(A)]).toEqual(['delivered', 'cancelled']);
  },
);

test('a purchase in flight, of units shipped by others meanwhile, is not paid', () => {
  const road = aRoad(...toDraft, placing(), leaves(0));
  expect(road.step(placed()).filter(isBuying)).toEqual(['suppliers: cancel A']);
});

test('what we have shown in the shop ourselves takes nothing away from what waits', () => {
  const lines = (openUnits: number) => [aLine({ units: 3, openUnits })];
  const road = aRoad(
    received({ lines: lines(3) }),
    elapsed('grace'),
    sourced({ parts: [aPart({ L1: 2 }), aPart({ L1: 1 }, { part: 'US' })] }),
    placing(A),
    accepted(A),
    withheld('supplier_paused', B),
    observed('shipped', [aParcel()], A),
  );
  expect(road.step(updated({ lines: lines(1), ...at(1) }))).toEqual(['fact order.updated']);
  expect(road.supplierOrder(B)).toBe('draft');
});

test('what is bought goes on, and a draft beside it is given up when the shop leaves nothing of it to us', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A));
  const lines = [aLine(), aLine({ lineId: 'L2', units: 1, openUnits: 0 })];
  expect(road.step(updated({ lines, ...at(1) })).filter(isBuying)).toEqual([]);
  expect([road.state(), road.supplierOrder(A), road.supplierOrder(B)]).toEqual([
    'awaiting_shipment',
    'accepted',
    'cancelled',
  ]);
});

test('a draft of a line that the shop gives to another service is given up, and bought on a person’s word', () => {
  const given = { lines: [aLine({ deliveredBy: 'other_service' as const })] };
  const road = aRoad(...toDraft, updated({ ...given, ...at(1) }));
  expect([road.supplierOrder(A), road.holds()]).toEqual(['cancelled', ['fulfillment_not_ours']]);
  expect(road.line()).toMatchObject({ held: 2, unallocated: 0 });
  expect(road.step(releaseRequested('fulfillment_not_ours')).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
  road.step(sourced({ round: 2 }));
  expect(road.step(updated({ ...given, ...at(2) }))).toEqual(['fact order.updated']);
});

/** L1 is bought, L2 was given to another service meanwhile. */
const SECOND = aLine({ lineId: 'L2', units: 1 });
const toGivenAway = [
  ...toTwoDrafts,
  placing(A),
  accepted(A),
  updated({ lines: [aLine(), { ...SECOND, deliveredBy: 'other_service' }], ...at(1) }),
];
const givenBack = updated({ lines: [aLine(), SECOND], ...at(2) });

test('a line that the other service gives back goes on by itself beside what is bought', () => {
  const road = aRoad(...toGivenAway);
  expect([road.holds(), road.line('L2')]).toMatchObject([['fulfillment_not_ours'], { held: 1 }]);
  expect(road.step(givenBack).filter(isBuying)).toEqual(['suppliers: source order']);
  expect(road.holds()).toEqual([]);
});

test('what a person holds of a line that is given back stays held', () => {
  const road = aRoad(...toGivenAway, holdRequested('L2'));
  expect(road.step(givenBack).filter(isBuying)).toEqual([]);
  expect(road.holds()).toEqual(['operator']);
});

test('where an order may be bought in part, an unpaid purchase of a line given away is not paid', () => {
  const road = aRoadUnder({ partialPurchase: true, riskHold: 'off' }, ...toTwoDrafts, placing(A), placed(A));
  const lines = [aLine({ deliveredBy: 'other_service' }), ...TWO_LINES.slice(1)];
  expect(road.step(updated({ lines, ...at(1) })).filter(isBuying)).toEqual(['suppliers: cancel A']);
  expect([road.supplierOrder(B), road.holds()]).toEqual(['draft', ['fulfillment_not_ours']]);
});

test('of what is bought and then shipped in the shop as well a person hears at once, and only once', () => {
  const road = aRoad(...toBought);
  expect(road.step(leaves(0)).filter((text) => !text.startsWith('fact'))).toEqual([
    'hold fulfillment_not_ours A',
  ]);
  expect(road.evidence().at(-1)?.cause).toContain('DELETE /supplier-orders/{id}');
  expect(road.supplierOrder(A)).toBe('accepted');
  road.step(releaseRequested('fulfillment_not_ours'));
  road.step(leaves(0, 2));
  expect(road.holds()).toEqual([]);
});

test('a purchase that is cancelled because the shop ships its units leaves nobody anything to do', () => {
  const road = aRoad(...toBought, leaves(0), supplierCancelRequested(A), cancelConfirmed(A));
  expect([road.state(), road.supplierOrder(A), road.holds()]).toEqual(['delivered', 'cancelled', []]);
  expect(road.line()).toMatchObject({ outside: 2, held: 0, unallocated: 0 });
});

test('when the shop ships a part of what is bought, the rest waits for a person once the purchase is cancelled', () => {
  const road = aRoad(...toBought, leaves(1));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  road.step(supplierCancelRequested(A));
  road.step(cancelConfirmed(A));
  expect(road.holds()).toEqual(['operator']);
  expect(road.line()).toMatchObject({ outside: 1, held: 1 });
});

test.each([
  ['has left', [observed('shipped', [aParcel()])], leaves(0)],
  ['is edited to fewer units', [], updated({ lines: [aLine({ units: 1, openUnits: 1 })], ...at(1) })],
  ['is untouched', [], updated(at(1))],
  [
    'is of an order from a backup',
    [],
    updated({ lines: [aLine({ openUnits: 0 })], isFromBackup: true, ...at(1) }),
  ],
] as const)('nothing of a purchase that %s counts as shipped by the shop', (_, events, body) => {
  const road = aRoad(...toBought, ...events);
  road.step(body);
  expect(road.holds()).not.toContain('fulfillment_not_ours');
});

test('of two purchases of one line only as many are named as were shipped in the shop', () => {
  const road = aRoad(
    received({ lines: [aLine({ units: 3 })] }),
    elapsed('grace'),
    sourced({ parts: [aPart({ L1: 2 }), aPart({ L1: 1 }, { part: 'US' })] }),
    placing(A),
    accepted(A),
    placing(B),
    accepted(B),
  );
  expect(road.step(updated({ lines: [aLine({ units: 3, openUnits: 2 })], ...at(1) }))).toContain(
    'hold fulfillment_not_ours A',
  );
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
});

/** Bought, and shipped in the shop by somebody before a parcel of it was seen. */
const shippedEarly = () => {
  const road = aRoad(...toBought, leaves(0));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  return road;
};

test('whoever shipped it in the shop under the number that its supplier tells later has shipped this very purchase', () => {
  const road = shippedEarly();
  road.step(observed('shipped', [aParcel()]));
  expect(road.step(synced(PARCEL_A))).toContain('unhold fulfillment_not_ours A');
  expect([road.state(), road.holds()]).toEqual(['shipped', []]);
});

test('whoever shipped it in the shop as another parcel has shipped it a second time: a person sees to that', () => {
  const road = shippedEarly();
  road.step(observed('shipped', [aParcel()]));
  road.step(fulfillmentWithheld(PARCEL_A));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  road.step(releaseRequested('fulfillment_not_ours'));
  expect(road.holds()).toEqual([]);
});

test('whoever shipped a part of it in the shop as another parcel has shipped that a second time: a person sees to that', () => {
  const road = aRoad(...toBought, leaves(1));
  road.step(observed('shipped', [aParcel()]));
  road.step(synced(PARCEL_A, A, { missingUnits: 1 }));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
});

test('whoever shipped a part of it in the shop once its parcel had left has shipped that a second time: a person hears of it', () => {
  const road = aRoad(...toBought, observed('shipped', [aParcel()]), leaves(1));
  expect(road.holds()).toEqual([]);
  expect(road.step(synced(PARCEL_A, A, { missingUnits: 1 }))).toContain('hold fulfillment_not_ours A');
  expect(road.evidence().at(-1)).toMatchObject({ missingUnits: 1 });
  road.step(releaseRequested('fulfillment_not_ours'));
  road.step(observed('delivered', [aParcel({ state: 'delivered' })]));
  expect([road.state(), road.holds()]).toEqual(['delivered', []]);
});

test('units that the shop took away after buying are missing when their parcel is shown, and told once', () => {
  const fewer = updated({ lines: [aLine({ units: 1, openUnits: 1 })], ...at(1) });
  const road = aRoad(...toBought, observed('shipped', [aParcel()]), fewer);
  const told = road.holds();
  road.step(synced(PARCEL_A, A, { missingUnits: 1 }));
  expect(road.holds()).toEqual(told);
  expect(told).toEqual(['customer_edit_pending']);
});

test('one parcel of a purchase that somebody shipped in the shop does not speak for its other units', () => {
  const road = shippedEarly();
  const [first, second] = [
    aParcel({ units: { L1: 1 } }),
    aParcel({ trackingNumber: 'SECOND', units: { L1: 1 } }),
  ];
  road.step(observed('shipped', [first, second]));
  road.step(synced(PARCEL_A));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
});

test('a line that the customer picks up is held as that, also after an edit that does not say so', () => {
  const theirs = aLine({ lineId: 'L2', deliveredBy: 'other_service', deliveryMethod: 'PICK_UP' });
  const known = { canBeReread: true as const, reread: true as const };
  const road = aRoad(received({ canBeReread: true, lines: TWO_LINES }), elapsed('grace'));
  road.step(updated({ ...known, lines: [aLine(), theirs], ...at(1) }));
  const pickedUp = { deliveryMethod: 'PICK_UP', cause: expect.stringContaining('picks it up') };
  expect(road.evidence()).toEqual([pickedUp]);
  const edited = [aLine(), aLine({ lineId: 'L2', units: 1, deliveredBy: 'us' })];
  road.step(updated({ canBeReread: true, lines: edited, ...at(2) }));
  // Opened anew, as every line's after an edit.
  expect(road.evidence()).toEqual([pickedUp, pickedUp]);
});
