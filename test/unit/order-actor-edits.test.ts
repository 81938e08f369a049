import { expect, test } from 'vitest';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { USUAL_RULES } from '../../contracts/order-rules.ts';
import { startOrder } from '../../machines/decide.ts';
import {
  A,
  aRoad,
  aRoadUnder,
  B,
  isBuying,
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
  aReceivedOrder,
  at,
  BY_HAND,
  cancelConfirmed,
  cancelRefused,
  cancelRequested,
  changeRequested,
  deferred,
  elapsed,
  holdRequested,
  ORDER_ID,
  observed,
  outcomeUnknown,
  placed,
  placing,
  prepared,
  purchaseRequested,
  received,
  refusedLines,
  rejected,
  releaseRequested,
  sourced,
  supplierCancelRequested,
  updated,
  withheld,
} from './builders.ts';

test('a cancelled order never reopens', () => {
  const road = aRoad(received());
  expect(road.step(updated({ cancelled: true }))).toEqual([
    'fact order.updated',
    'no wait grace',
    'fact order.cancelled',
  ]);
  const later = '2026-11-23T08:00:00.000Z';
  for (const event of [
    updated({ sourceUpdatedAt: later }),
    received({ sourceUpdatedAt: later }),
    elapsed('grace'),
    sourced(),
  ])
    road.refuse(event);
  expect(road.state()).toBe('cancelled');
});

test('a cancelled order asks nobody for anything any more: its holds are closed', () => {
  expect(
    aRoad(received({ hasAddress: false }), updated({ hasAddress: false, cancelled: true })).holds(),
  ).toEqual([]);
});

test('a refund in the grace period stops the order', () => {
  const road = aRoad(received(), updated({ payment: 'refunded' }));
  expect(road.state()).toBe('refunded');
  road.refuse(elapsed('grace'));
});

test('a cancel while the order is being sourced stops it: nothing is bought', () => {
  const road = aRoad(received(), elapsed('grace'), updated({ cancelled: true }));
  expect(road.try(sourced()).filter(isBuying)).toEqual([]);
});

test('a refund while the order is being sourced stops it: nothing is bought', () => {
  const road = aRoad(received(), elapsed('grace'), updated({ payment: 'refunded' }));
  expect(road.try(sourced()).filter(isBuying)).toEqual([]);
});

test('before buying a newer body replaces the lines, and they are saved', () => {
  const road = aRoad(received());
  const lines = [aLine({ units: 1 }), aLine({ lineId: 'L2', units: 3 })];
  expect(road.step(updated({ lines }))).toEqual(['fact order.updated', 'lines L1x1 L2x3']);
  expect(road.commands(elapsed('grace'))[0]?.data).toMatchObject({
    round: 1,
    lines: [
      { lineId: 'L1', units: 1 },
      { lineId: 'L2', units: 3 },
    ],
  });
});

test('an edit while the order is being sourced asks anew, and the answer on its way is stale', () => {
  const road = aRoad(...toSourcing);
  const lines = [aLine({ units: 1 })];
  expect(road.step(updated({ lines }))).toEqual([
    'fact order.updated',
    'lines L1x1',
    'suppliers: source order',
    'wait sourcing',
  ]);
  road.refuse(sourced());
  road.refuse(sourced({ parts: [aPart({ L1: 1 })] }));
  expect(road.step(sourced({ round: 2, parts: [aPart({ L1: 1 })] }))).toContain('create A2');
});

/** What the shop has when every unit was taken away, and the order was not cancelled. */
const emptied = updated({ lines: [aLine({ units: 0 })], ...at(1) });

test.each([
  ['before buying', toSourcing],
  ['while a draft waits to be bought', [...toSourcing, sourced()]],
  ['while a purchase that is given up for it is unpaid', [...toSourcing, sourced(), placing(), placed()]],
  ['after a purchase was rejected', [...toSourcing, sourced(), placing(), rejected()]],
])('an order whose last unit is taken away %s ends as cancelled, never as delivered', (_, events) => {
  const road = aRoad(...events);
  const told = [...road.step(emptied), ...road.try(cancelConfirmed())];
  expect([road.state(), road.holds()]).toEqual(['cancelled', []]);
  expect(told).toContain('fact order.cancelled');
  expect(told.filter((text) => isBuying(text) && !text.includes('cancel'))).toEqual([]);
  expect(told.filter((text) => text.startsWith('mail ') || text.includes('delivered'))).toEqual([]);
});

test('a first body of which everything was taken away already confirms nothing to the customer', () => {
  const { effects } = startOrder(aReceivedOrder({ lines: [aLine({ units: 0 })] }));
  expect(effects.filter(({ kind }) => kind === 'notify')).toEqual([]);
});

test('units taken back here, all of them, leave the order cancelled', () => {
  const road = aRoad(...toSourcing);
  road.step(changeRequested({ units: { L1: 0 } }));
  expect([road.state(), road.line()]).toMatchObject(['cancelled', { ordered: 2, cancelled: 2 }]);
});

test('an order that was delivered in part is delivered when the rest of it is taken away', () => {
  const road = aRoad(
    ...toTwoDrafts,
    placing(A),
    accepted(A),
    observed('delivered', [aParcel({ state: 'delivered' })], A),
  );
  expect(road.state()).toBe('purchasing');
  road.step(updated({ lines: [aLine({ openUnits: 0 }), aLine({ lineId: 'L2', units: 0 })] }));
  expect([road.state(), road.supplierOrder(B)]).toEqual(['delivered', 'cancelled']);
});

test('an order that others shipped in part is done when the rest of it is taken away', () => {
  const lines = [aLine({ units: 3, openUnits: 2 })];
  const road = aRoad(received({ lines }), elapsed('grace'));
  road.step(updated({ lines: [aLine({ units: 1, openUnits: 0 })] }));
  expect(road.state()).toBe('delivered');
});

test('goods added to an order of which everything had been taken away are sourced', () => {
  const road = aRoad(...toSourcing, emptied);
  const lines = [aLine({ units: 0 }), aLine({ lineId: 'L2', units: 1 })];
  const added = updated({ lines, ...at(2) });
  expect(road.step(added).filter(isBuying)).toEqual(['suppliers: source order']);
  expect(road.state()).toBe('sourcing');
});

test('an order of which everything had been taken away is not reopened once it is cancelled as a whole', () => {
  const road = aRoad(...toSourcing, emptied);
  road.step(updated({ cancelled: true, lines: [], ...at(2) }));
  road.refuse(updated(at(3)));
  expect(road.state()).toBe('cancelled');
});

test('an edit takes away the holds of the old lines', () => {
  const road = aRoad(...toSourcing, refusedLines('unmapped_line', ['L1']));
  expect(road.step(updated({ lines: [aLine({ lineId: 'L2', units: 1 })] }))).toEqual([
    'fact order.updated',
    'lines L2x1',
    'unhold unmapped_line L1',
    'fact order.released unmapped_line',
    'suppliers: source order',
    'wait sourcing',
  ]);
  expect(road.line()).toBeUndefined();
});

test('a line that the shop gives to another service is not bought', () => {
  const road = aRoad(...toSourcing, updated({ lines: [aLine({ deliveredBy: 'other_service' })] }));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 2 });
});

test.each([
  ['cancel', { cancelled: true }, 'cancelled'],
  ['void', { payment: 'voided' }, 'cancelled'],
  ['refund', { payment: 'refunded' }, 'refunded'],
] as const)('a %s while the order is being sourced ends it', (_, change, value) => {
  const road = aRoad(...toSourcing);
  expect(road.step(updated(change)).filter(isBuying)).toEqual([]);
  expect(road.state()).toBe(value);
  expect(road.line()).toMatchObject({ unallocated: 0, cancelled: 2 });
  road.refuse(sourced());
  road.refuse(elapsed('sourcing'));
});

test.each([
  ['cancel', { cancelled: true }, 'cancelled'],
  ['refund', { payment: 'refunded' }, 'refunded'],
] as const)('a %s before any purchase call gives up the drafts and ends the order', (_, change, value) => {
  const road = aRoad(...toTwoDrafts);
  expect(road.step(updated({ lines: TWO_LINES, ...change }))).toEqual(
    expect.arrayContaining([
      'no wait buy A',
      'fact supplier_order.cancelled A',
      'no wait buy B',
      'fact supplier_order.cancelled B',
      'unhold customer_edit_pending',
    ]),
  );
  expect([road.state(), road.supplierOrder(A), road.supplierOrder(B)]).toEqual([
    value,
    'cancelled',
    'cancelled',
  ]);
  expect(road.line()).toMatchObject({ cancelled: 2 });
  expect(road.holds()).toEqual([]);
  for (const event of [placing(A), elapsed('buy', A), withheld('operator', A)]) road.refuse(event);
});

test('a cancel after the purchase is held for a person, once: the supplier is asked, and what is not bought yet is given up', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A));
  expect(road.step(updated({ lines: TWO_LINES, cancelled: true, ...at(1) }))).toEqual([
    'fact order.updated',
    'hold customer_edit_pending',
    'fact order.held customer_edit_pending',
    'suppliers: cancel A',
    'wait cancel A',
    'wait cancelling A',
    'no wait buy B',
    'no wait ship B',
    'fact supplier_order.cancelled B',
    'wait cancelling',
  ]);
  expect([road.state(), road.supplierOrder(A), road.supplierOrder(B)]).toEqual([
    'cancelling',
    'cancelling',
    'cancelled',
  ]);
  expect(road.line('L2')).toMatchObject({ cancelled: 1 });
  expect(road.step(cancelRefused(true, A))).toContain('hold customer_edit_pending A');
  expect([road.state(), road.supplierOrder(A)]).toEqual(['awaiting_shipment', 'accepted']);
  expect(road.step(updated({ lines: TWO_LINES, cancelled: true, ...at(2) }))).toEqual(['fact order.updated']);
  expect(road.step(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([]);
  road.step(observed('delivered', [aParcel({ state: 'delivered' })], A));
  expect(road.state()).toBe('delivered');
});

test('a purchase that the supplier gives up ends the cancelled order, and nobody has to do anything', () => {
  const road = aRoad(...toBought, updated({ cancelled: true }));
  road.step(cancelConfirmed(A));
  expect([road.state(), road.supplierOrder(A), road.holds()]).toEqual(['cancelled', 'cancelled', []]);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0, cancelled: 2 });
});

test.each([
  ['draft', [], 'cancelled', 'given_up'],
  ['placing', [placing()], 'placing', 'await_verdict'],
  ['outcome_unknown', [placing(), outcomeUnknown()], 'outcome_unknown', 'await_verdict'],
  ['awaiting_payment', [placing(), placed()], 'cancelling', 'cancel_at_supplier'],
  ['accepted', [placing(), accepted()], 'cancelling', 'ask_supplier'],
  ['shipped', [placing(), accepted(), observed('shipped', [aParcel()])], 'shipped', 'too_late'],
] as const)(
  'of a purchase that is %s the compensation is chosen and kept',
  (_, events, state, compensation) => {
    for (const no of [updated({ cancelled: true }), cancelRequested()]) {
      const road = aRoad(...toSourcing, sourced(), ...events, no);
      expect([road.supplierOrder(A), road.compensation(A)]).toEqual([state, compensation]);
    }
  },
);

test.each([
  ['placed', placed()],
  ['paid', accepted()],
] as const)(
  'a purchase cancelled in flight that turns out to be %s is cancelled at the supplier, and never paid',
  (_, verdict) => {
    const road = aRoad(...toSourcing, sourced(), placing(), updated({ cancelled: true }));
    expect(road.state()).toBe('cancelling');
    expect(road.step(verdict).filter(isBuying)).toEqual(['suppliers: cancel A']);
    expect(road.step(cancelConfirmed()).filter(isBuying)).toEqual([]);
    expect(road.state()).toBe('cancelled');
  },
);

test('an unpaid purchase that the supplier keeps is not paid, whoever releases it; it ends when the supplier ends it', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), placed(), updated({ cancelled: true }));
  road.step(cancelRefused(false));
  expect([road.state(), road.supplierOrder(A)]).toEqual(['cancelling', 'cancelling']);
  expect(road.step(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([
    'suppliers: cancel A',
  ]);
  road.step(observed('cancelled'));
  expect(road.state()).toBe('cancelled');
});

test.each(['payment_pending', 'cost_above_cap', 'insufficient_funds'] as const)(
  'nobody is asked any more to pay for a purchase that is given up: %s',
  (reason) => {
    for (const no of [updated({ cancelled: true }), supplierCancelRequested()]) {
      const road = aRoad(...toSourcing, sourced(), placing(), placed(), withheld(reason));
      expect(road.holds()).toEqual([reason]);
      expect(road.step(no).filter(isBuying)).toEqual(['suppliers: cancel A']);
      expect(road.holds()).not.toContain(reason);
      // The payment's answer may still be on its way.
      road.refuse(withheld(reason));
    }
  },
);

test('what has left before a person’s wish to give it up was taken goes on, and the person hears of it', () => {
  for (const [status, state] of [
    ['shipped', 'in_transit'],
    ['delivered', 'delivered'],
  ] as const) {
    const road = aRoad(...toBought, observed(status, [aParcel({ state })]));
    expect(road.step(supplierCancelRequested())).toContain('hold supplier_rejected A');
    expect([road.supplierOrder(A), road.compensation(A)]).toEqual([status, 'too_late']);
  }
});

test('what leaves while it is being cancelled goes on, and a person hears of it', () => {
  const road = aRoad(...toBought, supplierCancelRequested());
  expect(road.supplierOrder(A)).toBe('cancelling');
  expect(road.step(observed('shipped', [aParcel()]))).toContain('hold supplier_rejected A');
  expect([road.state(), road.supplierOrder(A)]).toEqual(['shipped', 'shipped']);
});

test('a cancel that comes to no end is overdue', () => {
  const road = aRoad(...toBought, supplierCancelRequested());
  expect(road.step(elapsed('cancel', A)).filter(isBuying)).toEqual(['suppliers: cancel A']);
  expect(road.step(elapsed('cancelling', A))).toContain('hold overdue A');
  expect(road.step(releaseRequested('overdue'))).toContain('wait cancelling A');
});

test('units of a purchase that a person gives up alone are not bought again by themselves', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A));
  expect(road.step(supplierCancelRequested(B)).filter(isBuying)).toEqual([]);
  expect(road.holds()).toEqual(['operator']);
  expect(road.line('L2')).toMatchObject({ unallocated: 0, held: 1 });
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual(['suppliers: source order']);
});

test('an order cancelled here never reopens, and is put away when nothing of it moves any more', () => {
  const road = aRoad(...toSourcing, sourced(), placing());
  expect(road.step(cancelRequested())).not.toContain('archive');
  expect(road.step(rejected())).toContain('archive');
  expect(road.state()).toBe('cancelled');
  road.refuse(updated(at(2)));
});

test('an order that is over is only put away, as often as that is asked for', () => {
  const road = aRoad(...toShipped, observed('delivered', [aParcel({ state: 'delivered' })]));
  expect(road.step(cancelRequested())).toEqual(['archive']);
  expect(road.step(cancelRequested())).toEqual(['archive']);
  expect(road.state()).toBe('delivered');
});

test('units taken back here before anything is bought are sourced no more, and no body of the shop brings them back', () => {
  const road = aRoad(...toSourcing);
  expect(road.commands(changeRequested({ units: { L1: 1 } })).at(-1)?.data).toMatchObject({
    round: 2,
    lines: [{ lineId: 'L1', units: 1 }],
  });
  road.step(updated(at(1)));
  expect(road.line()).toMatchObject({ ordered: 2, unallocated: 1, cancelled: 1 });
});

test('units taken back here give the draft up, and the rest is sourced again', () => {
  const road = aRoad(...toSourcing, sourced());
  expect(road.step(changeRequested({ units: { L1: 1 } })).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
  expect([road.state(), road.supplierOrder(A)]).toEqual(['sourcing', 'cancelled']);
  expect(road.line()).toMatchObject({ unallocated: 1, cancelled: 1 });
});

test('units that are bought are not taken back without asking, nor can more be had by a change', () => {
  // What the gateway took while they were free was promised: a person hears that nothing came of it.
  for (const units of [{ L1: 1 }, { L1: 3 }]) {
    const road = aRoad(...toBought);
    expect(road.step(changeRequested({ units })).filter((text) => !text.startsWith('fact'))).toEqual([
      'hold operator',
    ]);
    expect(road.line()).toMatchObject({ ordered: 2, cancelled: 0 });
  }
  aRoad(...toBought).refuse(changeRequested({ payment: 'paid' }));
  aRoad(...toBought, cancelRequested()).refuse(changeRequested({ units: { L1: 1 } }));
});

test('an address that comes with units that are not free any more is taken without them', () => {
  const road = aRoad(received({ hasAddress: false }));
  road.step(changeRequested({ hasAddress: true, units: { L1: 3 } }));
  expect(road.holds()).toEqual(['operator']);
});

test('an address put in here mends the hold, and stays good whatever the shop says', () => {
  const road = aRoad(received({ hasAddress: false }), changeRequested({ hasAddress: true }));
  expect(road.holds()).toEqual([]);
  road.step(updated({ hasAddress: false, ...at(1) }));
  expect(road.holds()).toEqual([]);
});

test('units without a mapping that are bought by hand need no mapping any more', () => {
  const road = aRoad(...toSourcing, refusedLines('unmapped_line', ['L1']));
  expect(road.step(purchaseRequested())).toEqual(
    expect.arrayContaining([`create ${BY_HAND}`, 'unhold unmapped_line L1', `suppliers: buy ${BY_HAND}`]),
  );
  expect([road.state(), road.holds()]).toEqual(['purchasing', []]);
  expect(road.step(prepared({ L1: 2 }))).toEqual([
    `quote ${BY_HAND}`,
    `suppliers: buy ${BY_HAND}`,
    `wait buy ${BY_HAND}`,
  ]);
});

test('a purchase by hand does not wait for the grace period, and leaves the rest to sourcing', () => {
  const road = aRoad(received());
  expect(road.commands(purchaseRequested({ L1: 1 }))).toContainEqual({
    verb: 'source',
    data: expect.objectContaining({ lines: [{ lineId: 'L1', units: 1 }] }),
  });
});

test.each([
  ['is not paid', [received({ payment: 'pending' })]],
  ['has them on a purchase already', [...toSourcing, sourced()]],
  ['is being cancelled', [...toBought, updated({ cancelled: true })]],
] as const)('units of an order that %s cannot be bought by hand: a person hears of it', (_, events) => {
  const road = aRoad(...events);
  expect(road.step(purchaseRequested()).filter((text) => !text.startsWith('fact'))).toEqual([
    'hold operator',
  ]);
});

test('what a draft by hand was held for goes when a person gives the draft up: its units wait for that person alone', () => {
  const road = aRoad(...toSourcing, purchaseRequested(), withheld('mapping_changed', BY_HAND));
  expect(road.step(supplierCancelRequested(BY_HAND)).filter(isBuying)).toEqual([]);
  expect([road.supplierOrder(BY_HAND), road.holds()]).toEqual(['cancelled', ['operator']]);
  expect(road.line()).toMatchObject({ held: 2, unallocated: 0 });
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual(['suppliers: source order']);
});

test('holds of other purchases stand when a person gives up a draft', () => {
  const road = aRoad(...toTwoDrafts, withheld('mapping_changed', A), withheld('supplier_paused', B));
  road.step(supplierCancelRequested(A));
  expect(road.holds().sort()).toEqual(['operator', 'supplier_paused']);
});

test('what one request frees and calls off at once does not go on first', () => {
  const own = { shop: NO_SHOP, lines: TWO_LINES };
  const road = aRoad(
    received(own),
    elapsed('grace'),
    twoParts,
    updated({ ...own, payment: 'pending', ...at(1) }),
  );
  expect(road.holds()).toEqual(['payment_pending']);
  expect(road.step(changeRequested({ payment: 'paid', units: { L2: 0 } })).filter(isBuying)).toEqual([
    'suppliers: buy A',
  ]);
  expect(road.supplierOrder(B)).toBe('cancelled');
});

test('what one body frees and calls off at once does not go on first', () => {
  const left = { lines: [aLine({ openUnits: 0 })] };
  const road = aRoad(...toSourcing, sourced(), updated({ payment: 'pending', ...at(1) }));
  expect(road.step(updated({ ...left, ...at(2) })).filter(isBuying)).toEqual([]);
  expect(road.supplierOrder(A)).toBe('cancelled');
});

test('releasing one of two holds starts nothing; releasing the last goes on at the same step', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), holdRequested(), holdRequested('L1'), placed());
  road.refuse({
    type: 'order.release_requested',
    data: { orderId: ORDER_ID, reason: 'operator', holdId: 'hld_0' },
  });
  expect(road.step(releaseRequested('operator', ['L1'])).filter(isBuying)).toEqual([]);
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual(['suppliers: pay A']);
});

test('an order without a shop tells no shop of its parcels', () => {
  const own = { shop: NO_SHOP };
  const road = aRoad(received(own), elapsed('grace'), sourced(), placing(), accepted());
  const texts = road.step(observed('shipped', [aParcel()]));
  expect(texts).toContain('mail parcel_shipped PA');
  expect(texts.filter((text) => text.startsWith('shopify'))).toEqual([]);
});

test.each([
  ['put off', [placing(), updated({ cancelled: true }), deferred()]],
  ['found absent', [placing(), outcomeUnknown(), updated({ cancelled: true }), absent()]],
] as const)('a purchase of an order cancelled meanwhile that is %s is not tried again', (_, events) => {
  const road = aRoad(...toSourcing, sourced(), ...events);
  expect([road.state(), road.supplierOrder(A)]).toEqual(['cancelled', 'cancelled']);
  expect(road.line()).toMatchObject({ cancelled: 2 });
  road.refuse(elapsed('buy', A));
});

test('a purchase rejected after the cancel ends the order', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), updated({ cancelled: true }));
  expect(road.state()).toBe('cancelling');
  road.step(rejected());
  expect([road.state(), road.supplierOrder(A)]).toEqual(['cancelled', 'rejected']);
  expect(road.holds()).toEqual([]);
});

test('of a cancelled order the rejected part is not sourced again while the other part is on its way', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B));
  road.step(updated({ lines: TWO_LINES, cancelled: true }));
  road.step(rejected('unavailable', B));
  road.step(cancelRefused(true, A));
  expect(road.line('L2')).toMatchObject({ held: 0, unallocated: 0, cancelled: 1 });
  expect(road.step(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([]);
  expect(road.state()).toBe('awaiting_shipment');
});

test('a cancel in a second sourcing, with a part bought, sources nothing more', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B), rejected('unavailable', B));
  road.step(releaseRequested('out_of_stock'));
  expect(road.state()).toBe('sourcing');
  road.step(updated({ lines: TWO_LINES, cancelled: true }));
  road.refuse(sourced({ round: 2, parts: [aPart({ L2: 1 }, { part: 'US' })] }));
  road.step(cancelRefused(true, A));
  expect(road.step(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([]);
  expect(road.state()).toBe('awaiting_shipment');
  expect(road.line('L2')).toMatchObject({ cancelled: 1 });
});

test('our own fulfilment in the shop is no edit', () => {
  const road = aRoad(...toShipped);
  expect(road.step(updated({ lines: [aLine({ openUnits: 0 })] }))).toEqual(['fact order.updated']);
  expect(road.holds()).toEqual([]);
});

/** L1 on its way, L2 refused by its supplier. */
const toOneRejected = [...toTwoDrafts, placing(A), accepted(A), placing(B), rejected('unavailable', B)];
const withL2 = (over: Parameters<typeof aLine>[0]) => [aLine(), aLine({ lineId: 'L2', units: 1, ...over })];

test('what somebody else shipped while it waited is not bought, and nobody has to decide about it any more', () => {
  const road = aRoad(...toOneRejected);
  const taken = road.step(updated({ lines: withL2({ openUnits: 0 }) }));
  expect(taken.filter(isBuying)).toEqual([]);
  expect(road.line('L2')).toMatchObject({ held: 0, outside: 1 });
  expect(road.holds()).toEqual([]);
  expect(road.state()).toBe('awaiting_shipment');
});

test('what somebody else shipped while it was being bought is not bought again when nothing came of it', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B));
  road.step(updated({ lines: withL2({ openUnits: 0 }) }));
  expect(road.step(rejected('unavailable', B)).filter(isBuying)).toEqual([]);
  expect(road.line('L2')).toMatchObject({ unallocated: 0, held: 0, outside: 1 });
  expect(road.holds()).toEqual([]);
});

test('what somebody else shipped and took back waits for a person, and is then sourced', () => {
  const road = aRoad(...toOneRejected, updated({ lines: withL2({ openUnits: 0 }), ...at(1) }));
  expect(road.step(updated({ lines: withL2({}), ...at(2) }))).toEqual([
    'fact order.updated',
    'hold customer_edit_pending',
    'fact order.held customer_edit_pending',
  ]);
  expect(road.line('L2')).toMatchObject({ held: 1, outside: 0 });
  expect(road.commands(releaseRequested('customer_edit_pending'))).toContainEqual({
    verb: 'source',
    data: expect.objectContaining({ lines: [{ lineId: 'L2', units: 1 }] }),
  });
});

test('our own fulfilment takes nothing away from what waits', () => {
  const road = aRoad(...toOneRejected, observed('shipped', [aParcel()], A));
  road.step(updated({ lines: [aLine({ openUnits: 0 }), aLine({ lineId: 'L2', units: 1 })] }));
  expect(road.line('L2')).toMatchObject({ held: 1, outside: 0 });
});

test('what waits of a line that the shop gives to another service after buying began is held, and bought on a person’s word', () => {
  const road = aRoad(...toOneRejected);
  const lines = withL2({ deliveredBy: 'other_service' });
  expect(road.step(updated({ lines, ...at(1) }))).toContain('hold fulfillment_not_ours L2');
  road.step(updated({ lines, ...at(2) }));
  expect(road.step(releaseRequested('out_of_stock')).filter(isBuying)).toEqual([]);
  expect(road.step(releaseRequested('fulfillment_not_ours')).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
});

test('an edit after buying is held once, however many bodies repeat it', () => {
  const road = aRoad(...toBought);
  const lines = [aLine({ units: 1 })];
  expect(road.step(updated({ lines, ...at(1) }))).toEqual([
    'fact order.updated',
    'lines L1x1',
    'hold customer_edit_pending',
    'fact order.held customer_edit_pending',
    'suppliers: cancel A',
    'wait cancel A',
    'wait cancelling A',
  ]);
  road.step(cancelRefused(true, A));
  road.step(releaseRequested('customer_edit_pending'));
  expect(road.step(updated({ lines, ...at(2) }))).toEqual(['fact order.updated']);
  expect(road.line()).toMatchObject({ ordered: 2, cancelled: 0 });
});

test('an edit before the purchase call gives the draft up, and the release sources what is wanted now', () => {
  const road = aRoad(...toSourcing, sourced());
  const texts = road.step(updated({ lines: [aLine({ units: 1 })] }));
  expect(texts).toContain('hold customer_edit_pending');
  expect(road.supplierOrder(A)).toBe('cancelled');
  expect(road.line()).toMatchObject({ unallocated: 0, held: 1, cancelled: 1 });
  expect(road.commands(releaseRequested('customer_edit_pending'))[0]?.data).toMatchObject({
    round: 2,
    lines: [{ lineId: 'L1', units: 1 }],
  });
});

test('an edit while the purchase is being placed is heeded when nothing came of it', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), updated({ lines: [aLine({ units: 1 })] }));
  road.step(releaseRequested('customer_edit_pending'));
  expect(road.step(deferred()).filter(isBuying)).toEqual(['suppliers: source order']);
  expect([road.state(), road.supplierOrder(A)]).toEqual(['sourcing', 'cancelled']);
  expect(road.step(sourced({ round: 2, parts: [aPart({ L1: 1 })] }))).toContain('create A2');
});

test('units that an edit took away while they waited for another try are not bought', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A), placing(B), rejected('unavailable', B));
  road.step(updated({ lines: [aLine(), aLine({ lineId: 'L2', units: 0 })] }));
  expect(road.line('L2')).toMatchObject({ held: 0, cancelled: 1 });
  expect(road.holds()).toEqual(['customer_edit_pending']);
  expect(road.step(releaseRequested('customer_edit_pending')).filter(isBuying)).toEqual([]);
  expect(road.state()).toBe('awaiting_shipment');
});

test('units that an edit adds after buying wait for a release and are then sourced', () => {
  const road = aRoad(...toShipped);
  const lines = [aLine({ units: 3, openUnits: 1 }), aLine({ lineId: 'L2', units: 1 })];
  road.step(updated({ lines }));
  expect(road.line()).toMatchObject({ ordered: 3, held: 1 });
  expect(road.commands(releaseRequested('customer_edit_pending'))).toContainEqual({
    verb: 'source',
    data: expect.objectContaining({
      round: 2,
      lines: [
        { lineId: 'L1', units: 1 },
        { lineId: 'L2', units: 1 },
      ],
    }),
  });
  road.step(sourced({ round: 2, parts: [aPart({ L1: 1, L2: 1 })] }));
  expect(road.state()).toBe('purchasing');
});

test('an edit after every purchase was rejected replaces the lines, and what was wanted in their place is sourced', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), rejected());
  expect(road.commands(updated({ lines: [aLine({ lineId: 'L2', units: 1 })] }))[0]?.data).toMatchObject({
    lines: [{ lineId: 'L2', units: 1 }],
  });
  expect([road.state(), road.holds()]).toEqual(['sourcing', []]);
});

test('goods added to an order that was delivered in the shop alone are sourced', () => {
  const gift = aLine({ lineId: 'gift', deliveredBy: 'nobody' });
  const road = aRoad(received({ lines: [gift] }));
  expect(road.state()).toBe('delivered');
  expect(road.step(updated({ lines: [gift, aLine()] })).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
});

test('goods added to an order that is refunded by the same body wait for nobody', () => {
  const gift = aLine({ lineId: 'gift', deliveredBy: 'nobody' });
  const road = aRoad(received({ lines: [gift] }), updated({ lines: [gift, aLine()], payment: 'refunded' }));
  expect(road.line()).toMatchObject({ unallocated: 0, cancelled: 2 });
});

test.each([{ payment: 'refunded' as const }, { cancelled: true }])(
  'of what has arrived as a whole nobody has to decide anything when it is called off: %o',
  (over) => {
    const arrived = observed('delivered', [aParcel({ state: 'delivered' })]);
    const road = aRoad(...toBought, arrived, updated({ ...over, ...at(1) }));
    expect([road.state(), road.holds()]).toEqual(['delivered', []]);
    const underWay = aRoad(...toShipped, updated({ ...over, ...at(1) }));
    expect(underWay.holds()).toEqual(['customer_edit_pending']);
  },
);

test('units given up for a refund that is taken back are sourced once a person lets them', () => {
  const road = aRoad(...toTwoDrafts, placing(A), accepted(A));
  road.step(updated({ lines: TWO_LINES, payment: 'refunded', ...at(1) }));
  expect(road.line('L2')).toMatchObject({ held: 0, cancelled: 1 });
  road.step(updated({ lines: TWO_LINES, ...at(2) }));
  expect(road.line('L2')).toMatchObject({ held: 1 });
  expect(road.commands(releaseRequested('customer_edit_pending'))).toContainEqual(
    expect.objectContaining({
      verb: 'source',
      data: expect.objectContaining({ lines: [{ lineId: 'L2', units: 1 }] }),
    }),
  );
});

test('a line of another service on an order delivered and then refunded is not sourced by a release', () => {
  const gift = aLine({ lineId: 'gift', deliveredBy: 'nobody' });
  const lines = [gift, aLine({ deliveredBy: 'other_service' })];
  const road = aRoad(received({ lines: [gift] }), updated({ lines, ...at(1) }));
  expect(road.holds()).toEqual(['fulfillment_not_ours']);
  road.step(updated({ lines, payment: 'refunded', ...at(2) }));
  expect(road.step(releaseRequested('fulfillment_not_ours')).filter(isBuying)).toEqual([]);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0, cancelled: 2 });
});

test.each([
  ['the customer takes away', updated({ lines: [aLine(), aLine({ lineId: 'L2', units: 0, openUnits: 0 })] })],
  ['a person takes back', changeRequested({ units: { L2: 0 } })],
])('of a line that waits, and that %s as a whole, nobody is asked any more', (_, change) => {
  const plan = refusedLines('out_of_stock', ['L2'], { parts: [aPart({ L1: 2 })] });
  const road = aRoadUnder(
    { ...USUAL_RULES, partialPurchase: true },
    received({ lines: [aLine(), aLine({ lineId: 'L2', units: 1 })] }),
    elapsed('grace'),
    plan,
    placing(A),
    accepted(A),
  );
  expect(road.holds()).toEqual(['out_of_stock']);
  road.step(change);
  expect(road.holds()).not.toContain('out_of_stock');
  expect(road.line('L2')).toMatchObject({ held: 0, unallocated: 0, cancelled: 1 });
});
