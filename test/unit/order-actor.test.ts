import { expect, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { holdIdOf } from '../../contracts/ids.ts';
import {
  A,
  A2,
  aRoad,
  B,
  isBuying,
  PARCEL_A,
  PARCEL_B,
  TWO_LINES,
  toBought,
  toShipped,
  toSourcing,
  toTwoDrafts,
  twoParts,
} from '../fixtures/order-road.ts';
import {
  absent,
  accepted,
  aLine,
  aParcel,
  aPart,
  cancelConfirmed,
  elapsed,
  mailSent,
  ORDER_ID,
  observed,
  outcomeUnknown,
  placed,
  placing,
  received,
  refusedLines,
  rejected,
  releaseRequested,
  sourced,
  synced,
  updated,
  withheld,
} from './builders.ts';

test('an order with two supplier orders goes from received to delivered, each effect in its step', () => {
  const road = aRoad();
  expect(road.step(received({ lines: TWO_LINES }))).toEqual([
    'fact order.received',
    'mail order_confirmed',
    'wait grace',
  ]);
  expect(road.state()).toBe('grace');
  expect(road.step(elapsed('grace'))).toEqual([
    'no wait grace',
    'no wait grace',
    'suppliers: source order',
    'wait sourcing',
  ]);
  expect(road.step(twoParts)).toEqual([
    'fact order.sourced',
    'create A',
    'fact supplier_order.created A',
    'suppliers: buy A',
    'wait buy A',
    'create B',
    'fact supplier_order.created B',
    'suppliers: buy B',
    'wait buy B',
    'no wait sourcing',
  ]);
  expect(road.state()).toBe('purchasing');
  expect(road.step(placing(A))).toEqual(['no wait buy A', 'wait placing A', 'fact supplier_order.placing A']);
  expect(road.step(placed(A))).toEqual([
    'no wait placing A',
    'suppliers: pay A',
    'wait pay A',
    'fact supplier_order.placed A',
  ]);
  expect(road.step(accepted(A))).toEqual(['no wait pay A', 'wait ship A', 'fact supplier_order.accepted A']);
  expect(road.state()).toBe('purchasing');
  road.step(placing(B));
  expect(road.step(accepted(B))).toEqual([
    'no wait placing B',
    'wait ship B',
    'fact supplier_order.accepted B',
    'fact order.purchased',
  ]);
  expect(road.state()).toBe('awaiting_shipment');
  expect(road.step(observed('processing', [], A))).toEqual([]);
  expect(road.supplierOrder(A)).toBe('processing');
  expect(road.step(observed('processing', [aParcel({ state: 'announced' })], A))).toEqual([
    'parcel PA announced',
    'fact parcel.announced A PA',
  ]);
  expect(road.step(observed('shipped', [aParcel({ state: 'first_scan' })], A))).toEqual([
    'parcel PA first_scan',
    'fact parcel.first_scan A PA',
    'mail parcel_shipped PA',
    'shopify: fulfill PA',
    'wait fulfill A PA',
    'mail parcel_shipped PA on first_scan',
    'wait transit A PA',
    'no wait ship A',
    'wait deliver A',
    'fact supplier_order.shipped A',
    'fact order.partially_shipped',
  ]);
  expect(road.step(synced(PARCEL_A, A))).toEqual(['no wait fulfill A PA', 'fact fulfillment.synced A PA']);
  expect(road.step(observed('shipped', [aParcel({ state: 'in_transit' })], A))).toEqual([
    'parcel PA in_transit',
    'fact parcel.in_transit A PA',
    'mail parcel_in_transit PA',
  ]);
  const parcelB = aParcel({ trackingNumber: 'USPS9400', state: 'in_transit' });
  expect(road.step(observed('shipped', [parcelB], B))).toEqual([
    'parcel PB in_transit',
    'fact parcel.in_transit B PB',
    'mail parcel_shipped PB',
    'shopify: fulfill PB',
    'wait fulfill B PB',
    'mail parcel_shipped PB on first_scan',
    'wait transit B PB',
    'mail parcel_in_transit PB',
    'no wait ship B',
    'wait deliver B',
    'fact supplier_order.shipped B',
    'fact order.shipped',
  ]);
  expect(road.step(observed('delivered', [aParcel({ state: 'delivered' })], A))).toEqual([
    'parcel PA delivered',
    'fact parcel.delivered A PA',
    'no wait transit A PA',
    'mail parcel_delivered PA',
    'no wait ship A',
    'no wait deliver A',
    'fact supplier_order.delivered A',
    'fact order.partially_delivered',
  ]);
  expect(road.step(observed('delivered', [{ ...parcelB, state: 'delivered' }], B))).toContain(
    'fact order.delivered',
  );
  expect(road.state()).toBe('delivered');
  expect(road.step(synced(PARCEL_B, B))).toEqual(['no wait fulfill B PB', 'fact fulfillment.synced B PB']);
  expect(road.step(mailSent())).toEqual(['fact notification.sent']);
});

test('the commands carry the ids, the round and the units that are still to be had', () => {
  const road = aRoad(received({ lines: [...TWO_LINES, aLine({ lineId: 'L3', deliveredBy: 'nobody' })] }));
  expect(road.commands(elapsed('grace'))).toEqual([
    {
      verb: 'source',
      data: {
        orderId: ORDER_ID,
        round: 1,
        lines: [
          { lineId: 'L1', units: 2 },
          { lineId: 'L2', units: 1 },
        ],
      },
    },
  ]);
  expect(road.commands(twoParts)).toEqual([
    { verb: 'buy', data: { orderId: ORDER_ID, supplierOrderId: A } },
    { verb: 'buy', data: { orderId: ORDER_ID, supplierOrderId: B } },
  ]);
  road.step(placing(A));
  road.step(accepted(A));
  expect(road.commands(observed('shipped', [aParcel()], A))).toEqual([
    { verb: 'fulfill', data: { orderId: ORDER_ID, supplierOrderId: A, parcelId: PARCEL_A } },
  ]);
});

test('an unmapped line holds the whole order, and its release asks again in a new round', () => {
  const road = aRoad(received({ lines: TWO_LINES }), elapsed('grace'));
  const refusal = refusedLines('unmapped_line', ['L2'], { parts: [aPart()] });
  expect(road.step(refusal)).toEqual([
    'hold unmapped_line L2',
    'fact order.held unmapped_line',
    'no wait sourcing',
  ]);
  expect(road.line('L1')).toMatchObject({ unallocated: 2, held: 0 });
  expect(road.line('L2')).toMatchObject({ unallocated: 0, held: 1 });
  for (const event of [elapsed('sourcing'), twoParts, refusal, releaseRequested('unmapped_line', ['L1'])])
    road.refuse(event);
  expect(road.step(releaseRequested('unmapped_line', ['L2']))).toEqual([
    'unhold unmapped_line L2',
    'fact order.released unmapped_line',
    'suppliers: source order',
    'wait sourcing',
  ]);
  expect(road.line('L2')).toMatchObject({ unallocated: 1, held: 0 });
  road.refuse(twoParts);
  expect(road.step(sourced({ round: 2, parts: [aPart({ L1: 2, L2: 1 })] }))).toEqual([
    'fact order.sourced',
    'create A2',
    'fact supplier_order.created A2',
    'suppliers: buy A2',
    'wait buy A2',
    'no wait sourcing',
  ]);
});

test('sourcing asks again for the same round when its answer does not come', () => {
  const road = aRoad(received(), elapsed('grace'));
  expect(road.step(elapsed('sourcing'))).toEqual(['suppliers: source order', 'wait sourcing']);
  expect(road.step(sourced())).toContain('create A');
  road.refuse(sourced());
});

test('of two holds one is released: nothing starts', () => {
  const lines = [...TWO_LINES, aLine({ lineId: 'L3', deliveredBy: 'other_service' })];
  const road = aRoad(received({ lines, hasAddress: false }), elapsed('grace'));
  expect(road.step(releaseRequested('address_invalid'))).toEqual([
    'unhold address_invalid',
    'fact order.released address_invalid',
  ]);
  expect(road.state()).toBe('grace');
  expect(road.line('L3')).toMatchObject({ unallocated: 0, held: 2 });
  expect(road.step(releaseRequested('fulfillment_not_ours'))).toContain('suppliers: source order');
  expect(road.line('L3')).toMatchObject({ unallocated: 2, held: 0 });
});

test('of two refused lines one is released: nothing is sourced before the other is', () => {
  const road = aRoad(
    received({ lines: TWO_LINES }),
    elapsed('grace'),
    refusedLines('unmapped_line', ['L1', 'L2']),
  );
  expect(road.step(releaseRequested('unmapped_line', ['L1'])).filter(isBuying)).toEqual([]);
  expect(road.step(releaseRequested('unmapped_line', ['L2'])).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
});

test('of two withheld supplier orders neither is bought before both holds are released', () => {
  const road = aRoad(received({ lines: TWO_LINES }), elapsed('grace'), twoParts);
  expect(road.step(withheld('insufficient_funds', A))).toEqual([
    'no wait buy A',
    'hold insufficient_funds A',
    'fact order.held insufficient_funds A',
  ]);
  road.step(withheld('daily_cap_reached', B));
  expect(road.step(releaseRequested('insufficient_funds')).filter(isBuying)).toEqual([]);
  expect(road.step(releaseRequested('daily_cap_reached')).filter(isBuying)).toEqual([
    'suppliers: buy A',
    'suppliers: buy B',
  ]);
});

test('a rejected purchase holds its units, and the release sources them again', () => {
  const road = aRoad(
    received({ lines: TWO_LINES }),
    elapsed('grace'),
    twoParts,
    placing(A),
    placing(B),
    accepted(B),
  );
  expect(road.step(rejected('unavailable', A))).toEqual([
    'no wait placing A',
    'fact supplier_order.rejected A',
    'hold out_of_stock A',
    'fact order.held out_of_stock A',
    'fact product.stock_alert A',
  ]);
  expect(road.supplierOrder(A)).toBe('rejected');
  expect(road.state()).toBe('purchasing');
  expect(road.line('L1')).toMatchObject({ unallocated: 0, held: 2 });
  road.refuse(rejected('unavailable', A));
  expect(road.step(releaseRequested('out_of_stock'))).toEqual([
    'unhold out_of_stock A',
    'fact order.released out_of_stock',
    'suppliers: source order',
    'wait sourcing',
    'wait ship B',
  ]);
  expect(road.state()).toBe('sourcing');
  road.refuse(sourced());
  expect(road.step(sourced({ round: 2 }))).toContain('create A2');
  expect(road.state()).toBe('purchasing');
  road.step(placing(A2));
  expect(road.step(accepted(A2))).toContain('fact order.purchased');
});

test('a doubtful purchase that is found absent is bought again', () => {
  const road = aRoad(received(), elapsed('grace'), sourced(), placing());
  expect(road.step(outcomeUnknown())).toEqual([
    'no wait placing A',
    'wait look_up A',
    'fact supplier_order.outcome_unknown A',
  ]);
  expect(road.step(elapsed('look_up', A))).toEqual(['suppliers: look_up A', 'wait look_up A']);
  expect(road.step(absent())).toEqual(['no wait look_up A', 'suppliers: buy A', 'wait buy A']);
  expect(road.supplierOrder(A)).toBe('draft');
  road.refuse(absent());
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0 });
});

test('a doubtful purchase that is found is paid for', () => {
  const road = aRoad(received(), elapsed('grace'), sourced(), placing());
  expect(road.step(elapsed('placing', A))).toContain('fact supplier_order.outcome_unknown A');
  expect(road.step(placed())).toEqual([
    'no wait look_up A',
    'suppliers: pay A',
    'wait pay A',
    'fact supplier_order.placed A',
  ]);
  expect(road.step(elapsed('pay', A))).toEqual(['suppliers: pay A', 'wait pay A']);
  expect(road.step(accepted())).toContain('fact order.purchased');
  expect(road.state()).toBe('awaiting_shipment');
});

test('a doubt that nobody can resolve is held, and its release looks again instead of buying', () => {
  const road = aRoad(received(), elapsed('grace'), sourced(), placing(), outcomeUnknown());
  expect(road.step(withheld('outcome_unknown'))).toEqual([
    'no wait look_up A',
    'hold outcome_unknown A',
    'fact order.held outcome_unknown A',
  ]);
  expect(road.step(releaseRequested('outcome_unknown'))).toEqual([
    'unhold outcome_unknown A',
    'fact order.released outcome_unknown',
    'suppliers: look_up A',
    'wait look_up A',
  ]);
});

test('a payment seen by a look-up is taken for the acceptance that was lost', () => {
  const road = aRoad(received(), elapsed('grace'), sourced(), placing(), placed());
  expect(road.step(observed('awaiting_payment'))).toEqual([]);
  expect(road.step(observed('processing'))).toEqual([
    'no wait pay A',
    'wait ship A',
    'fact supplier_order.accepted A',
    'fact order.purchased',
  ]);
  expect(road.supplierOrder(A)).toBe('processing');
});

test('a supplier that cancels before shipping gives the units back under a hold', () => {
  const road = aRoad(...toBought);
  expect(road.step(observed('cancelled'))).toEqual([
    'no wait ship A',
    'fact supplier_order.cancelled A',
    'hold supplier_cancelled A',
    'fact order.held supplier_cancelled A',
  ]);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 2 });
  expect(road.supplierOrder(A)).toBe('cancelled');
  expect(road.evidence().at(-1)).toEqual({ status: 'cancelled' });
  expect(road.step(releaseRequested('supplier_cancelled'))).toContain('suppliers: source order');
});

test('a purchase that is closed unpaid lapses: its units wait again under a hold, and it is paid no more', () => {
  const road = aRoad(received(), elapsed('grace'), sourced(), placing(), placed());
  expect(road.step(observed('cancelled'))).toEqual([
    'no wait pay A',
    'hold supplier_cancelled A',
    'fact order.held supplier_cancelled A',
  ]);
  expect(road.supplierOrder(A)).toBe('lapsed');
  const cause = 'closed at the supplier before it was paid';
  expect(road.evidence().at(-1)).toEqual({ status: 'cancelled', cause });
  expect(road.line()).toMatchObject({ unallocated: 0, held: 2 });
  expect(road.try(elapsed('pay', A)).filter(isBuying)).toEqual([]);
  expect(road.step(releaseRequested('supplier_cancelled'))).toContain('suppliers: source order');
});

test('the payment that a supplier order waits for is not the customer’s: no body of the shop releases its hold', () => {
  const road = aRoad(
    received(),
    elapsed('grace'),
    sourced(),
    placing(),
    placed(),
    withheld('payment_pending', A),
  );
  road.step(updated());
  expect(road.holds()).toEqual(['payment_pending']);
  expect(road.step(releaseRequested('payment_pending'))).toContain('suppliers: pay A');
});

test('a purchase paid by hand goes on as soon as the supplier shows it paid, and its hold is released', () => {
  const road = aRoad(
    received(),
    elapsed('grace'),
    sourced(),
    placing(),
    placed(),
    withheld('payment_pending', A),
  );
  expect(road.step(observed('processing'))).toContain('fact supplier_order.accepted A');
  const holdId = holdIdOf(ORDER_ID, 'payment_pending', A);
  const data = { orderId: ORDER_ID, reason: 'payment_pending' as const, holdId };
  expect(road.step({ type: 'order.release_requested', data })).toContain('unhold payment_pending A');
  expect([road.state(), road.supplierOrder(A)]).toEqual(['awaiting_shipment', 'processing']);
});

test('a release that names one hold closes that one alone', () => {
  const road = aRoad(...toTwoDrafts, withheld('supplier_paused', A), withheld('supplier_paused', B));
  const holdId = holdIdOf(ORDER_ID, 'supplier_paused', A);
  const data = { orderId: ORDER_ID, reason: 'supplier_paused' as const, holdId };
  expect(road.step({ type: 'order.release_requested', data })).toContain('unhold supplier_paused A');
  road.refuse({ type: 'order.release_requested', data });
  expect(road.holds()).toEqual(['supplier_paused']);
});

test('late and repeated events change nothing', () => {
  const road = aRoad();
  for (const event of [placing(), sourced(), elapsed('grace'), releaseRequested('operator'), mailSent()])
    road.refuse(event);
  const walked: OrderEvent[] = [];
  for (const event of toShipped) {
    road.step(event);
    walked.push(event);
    // What was seen is taken for news by the one who sends it; everything else has happened once.
    for (const earlier of walked.slice(0, -1).filter(({ type }) => type !== 'supplier_order.observed')) {
      const isTakenWhilePlacing =
        earlier.type === 'supplier_order.placing' && road.supplierOrder(A) === 'placing';
      if (!isTakenWhilePlacing) road.refuse(earlier);
    }
  }
  for (const event of [
    absent(),
    outcomeUnknown(),
    rejected(),
    placed(),
    withheld(),
    synced('pcl_unknown'),
    placing(B),
  ])
    road.refuse(event);
  expect(road.try(observed('shipped', [aParcel()]))).toEqual([]);
});

const CROOKED: readonly [string, Parameters<typeof sourced>[0]][] = [
  ['leaves units out', { parts: [aPart({ L1: 1 })] }],
  ['leaves everything out', { parts: [] }],
  ['has a unit too many', { parts: [aPart({ L1: 3 })] }],
  ['has a line that is not wanted', { parts: [aPart({ L1: 2, L9: 1 })] }],
];

test.each(CROOKED)('a plan that %s is not taken at all, and the right one still is', (_, plan) => {
  const road = aRoad(...toSourcing);
  expect(() => road.try(sourced(plan))).toThrow(expect.objectContaining({ code: 'conservation_violated' }));
  expect(road.step(sourced())).toContain('create A');
});

test('two rows of one line in one part are counted together', () => {
  const part = aPart();
  const rows = [1, 1].map((units) => ({ ...part.lines[0]!, units, supplierUnits: units }));
  const road = aRoad(received(), elapsed('grace'));
  road.try(sourced({ parts: [{ ...part, lines: rows }] }));
  expect(road.line()).toMatchObject({ unallocated: 0 });
});

test('a hold raised by another supplier order makes the answer on its way stale', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B), rejected('unavailable', B));
  road.step(releaseRequested('out_of_stock'));
  road.step(elapsed('ship', A));
  const plan = [aPart({ L2: 1 }, { part: 'US' })];
  road.refuse(sourced({ round: 2, parts: plan }));
  expect(road.step(releaseRequested('overdue'))).toContain('suppliers: source order');
  road.refuse(sourced({ round: 2, parts: plan }));
  expect(road.step(sourced({ round: 3, parts: plan })).filter(isBuying)).toHaveLength(1);
});

test('a purchase that answers after another try was accepted is held as a suspected duplicate', () => {
  for (const events of [toBought, toShipped]) {
    const road = aRoad(...events);
    expect(road.step(withheld('duplicate_suspected'))).toEqual([
      'hold duplicate_suspected A',
      'fact order.held duplicate_suspected A',
    ]);
    road.refuse(withheld('insufficient_funds'));
  }
});

test.each([
  ['is bought', toBought, [cancelConfirmed()]],
  ['is a draft again', [...toSourcing, sourced(), placing(), outcomeUnknown(), absent()], []],
])(
  'a suspected duplicate of a purchase that %s stays a person’s when its order is cancelled',
  (_, before, after) => {
    const road = aRoad(...before, withheld('duplicate_suspected'));
    road.step(updated({ cancelled: true }));
    for (const event of after) road.step(event);
    expect([road.state(), road.holds()]).toEqual(['cancelled', ['duplicate_suspected']]);
    road.step(releaseRequested('duplicate_suspected'));
    expect(road.holds()).toEqual([]);
  },
);

test('so is one that lapsed unpaid, when an order of its first try turns up', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), placed(), observed('cancelled'));
  expect(road.supplierOrder(A)).toBe('lapsed');
  expect(road.step(withheld('duplicate_suspected'))).toContain('hold duplicate_suspected A');
});

test('a supplier order is told as created once, though its draft is come back to', () => {
  const road = aRoad(...toSourcing);
  expect(road.step(sourced())).toContain('fact supplier_order.created A');
  const later = [placing(A), outcomeUnknown(), absent()].flatMap((event) => road.step(event));
  expect(road.supplierOrder(A)).toBe('draft');
  expect(later).not.toContain('fact supplier_order.created A');
});

test('a bill for more money holds a purchase however far it has come, and is let go when it is settled', () => {
  for (const events of [toBought, toShipped]) {
    const road = aRoad(...events);
    expect(road.step(withheld('payment_pending', A, 0, { billId: 'BT1' }))).toEqual([
      'hold payment_pending A',
      'fact order.held payment_pending A',
    ]);
    road.refuse(withheld('payment_pending', A, 0));
    expect(road.step(releaseRequested('payment_pending'))).toContain('fact order.released payment_pending');
  }
});

test('what a hold says of bills is said anew when they are others, and nothing goes on in between', () => {
  const road = aRoad(...toBought);
  road.step(withheld('payment_pending', A, 0, { billId: 'BT1', amountMinor: 235 }));
  const both = { billId: 'BT1, BT2', amountMinor: 470 };
  expect(road.step(withheld('payment_pending', A, 0, both))).toEqual([
    'unhold payment_pending A',
    'fact order.released payment_pending',
    'hold payment_pending A',
    'fact order.held payment_pending A',
  ]);
  road.step(releaseRequested('payment_pending'));
  road.refuse(releaseRequested('payment_pending'));
});
