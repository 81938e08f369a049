import { expect, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { A, aRoad, isBuying, TWO_LINES, toBought, toSourcing } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aReceivedOrder,
  at,
  cancelConfirmed,
  changeRequested,
  elapsed,
  observed,
  placing,
  purchaseRequested,
  received,
  refusedLines,
  rejected,
  releaseRequested,
  sourced,
  stoppedPlan,
  updated,
  verified,
  withheld,
} from './builders.ts';

const HERE = { shipToMark: 'a1' };
const THERE = { shipToMark: 'b2' };

test('an unpaid order waits for its payment and goes on once it is there', () => {
  const road = aRoad();
  expect(road.step(received({ payment: 'pending' }))).toEqual([
    'fact order.received',
    'hold payment_pending',
    'fact order.held payment_pending',
    'wait payment',
  ]);
  expect(road.state()).toBe('awaiting_payment');
  road.refuse(elapsed('grace'));
  expect(road.step(releaseRequested('payment_pending'))).toEqual([
    'unhold payment_pending',
    'fact order.released payment_pending',
  ]);
  expect(road.state()).toBe('awaiting_payment');
  expect(road.step(updated())).toEqual([
    'fact order.updated',
    'no wait payment',
    'mail order_confirmed',
    'wait grace',
  ]);
  expect(road.state()).toBe('grace');
});

test('the payment takes its own hold away', () => {
  const road = aRoad(received({ payment: 'pending' }));
  expect(road.step(updated())).toContain('unhold payment_pending');
  expect(road.holds()).toEqual([]);
});

test('an order unpaid for too long is held as overdue, once', () => {
  const road = aRoad(received({ payment: 'pending' }));
  expect(road.step(elapsed('payment'))).toEqual([
    'hold overdue',
    'fact order.held overdue',
    'no wait payment',
  ]);
  expect(road.try(elapsed('payment'))).toEqual(['no wait payment']);
  expect(road.step(releaseRequested('overdue'))).toContain('wait payment');
});

test('a late payment takes away the hold that its absence raised', () => {
  const road = aRoad(received({ payment: 'pending' }), elapsed('payment'), updated());
  expect(road.holds()).toEqual([]);
});

test('an order that is voided while unpaid is cancelled', () => {
  const road = aRoad(received({ payment: 'pending' }));
  expect(road.step(updated({ payment: 'voided' }))).toContain('fact order.cancelled');
  expect(road.state()).toBe('cancelled');
});

test('a test order is never sourced, whatever is released', () => {
  const road = aRoad();
  expect(road.step(received({ test: true }))).toEqual([
    'fact order.received',
    'hold operator',
    'fact order.held operator',
  ]);
  const steps = [
    ...road.step(releaseRequested('operator')),
    ...road.step(updated({ test: true })),
    ...road.step(updated({ sourceUpdatedAt: '2026-11-22T10:00:00.000Z' })),
  ];
  expect(steps.filter(isBuying)).toEqual([]);
  for (const event of [elapsed('grace'), elapsed('sourcing'), sourced(), releaseRequested('operator')])
    road.refuse(event);
  expect(road.state()).toBe('received');
});

test.each<[string, OrderEvent[], string]>([
  ['before it is sourced', [received()], 'grace'],
  ['while it is sourced', toSourcing, 'sourcing'],
  ['while its purchase waits', [...toSourcing, sourced()], 'purchasing'],
])(
  'an order that turns out to be a test %s is never bought, whatever is released and told',
  (_, events, state) => {
    const road = aRoad(...events);
    const steps = [
      ...road.step(updated({ test: true, ...at(1) })),
      ...road.try(sourced()),
      ...road.step(releaseRequested('operator')),
      ...road.step(updated(at(2))),
      ...[elapsed('grace'), elapsed('sourcing'), elapsed('buy', A), sourced()].flatMap(road.try),
    ];
    expect(steps).toContain('hold operator');
    expect(steps.filter(isBuying)).toEqual([]);
    expect([road.state(), road.holds()]).toEqual([state, []]);
    expect(road.step(purchaseRequested({ L1: 1 })).filter(isBuying)).toEqual([]);
  },
);

test('what is bought of an order that turns out to be a test is asked back', () => {
  const road = aRoad(...toBought);
  const told = road.step(updated({ test: true, ...at(1) }));
  expect(told.filter(isBuying)).toEqual(['suppliers: cancel A']);
  expect(road.holds()).toEqual(['operator']);
  road.step(cancelConfirmed());
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual([]);
  expect(road.line()).toMatchObject({ unallocated: 0, held: 0, cancelled: 2 });
});

test('an order without an address is held, and a newer body with one mends it', () => {
  const road = aRoad();
  expect(road.step(received({ hasAddress: false }))).toEqual([
    'fact order.received',
    'hold address_invalid',
    'fact order.held address_invalid',
    'mail order_confirmed',
    'wait grace',
  ]);
  expect(road.step(elapsed('grace'))).toEqual(['no wait grace']);
  expect(road.state()).toBe('grace');
  expect(road.step(updated({ hasAddress: false }))).toEqual(['fact order.updated']);
  expect(road.step(updated({ sourceUpdatedAt: '2026-11-22T10:00:00.000Z' }))).toEqual([
    'fact order.updated',
    'unhold address_invalid',
    'fact order.released address_invalid',
    'no wait grace',
    'suppliers: source order',
    'wait sourcing',
  ]);
});

test('a newer body without an address holds an order that is not sourced yet', () => {
  expect(aRoad(received(), updated({ hasAddress: false })).holds()).toEqual(['address_invalid']);
});

test('an address refused by sourcing is sourced again when the shop has another one, and not before', () => {
  const road = aRoad(received(HERE), elapsed('grace'), refusedLines('address_invalid', ['L1']));
  expect(road.step(updated({ ...HERE, ...at(1) }))).toEqual(['fact order.updated']);
  expect(road.step(updated(at(2)))).toEqual(['fact order.updated']);
  expect(road.step(updated({ ...THERE, ...at(3) }))).toContain('suppliers: source order');
  expect(road.holds()).toEqual([]);
});

test('of an order whose address nobody has marked yet the first mark is no change', () => {
  const road = aRoad(received(), elapsed('grace'), refusedLines('address_invalid', ['L1']));
  road.step(updated({ ...HERE, ...at(1) }));
  expect(road.holds()).toEqual(['address_invalid']);
  expect(road.step(updated({ ...THERE, ...at(2) }))).toContain('suppliers: source order');
});

test('what the shop says of addresses releases nothing once one was put in here', () => {
  const road = aRoad(received(HERE), changeRequested({ hasAddress: true }), elapsed('grace'));
  road.step(refusedLines('address_invalid', ['L1']));
  road.step(updated({ ...THERE, ...at(1) }));
  expect(road.holds()).toEqual(['address_invalid']);
});

test('an address that changes while the order is being sourced makes the answer on its way stale', () => {
  const road = aRoad(received(HERE), elapsed('grace'));
  expect(road.step(updated({ ...THERE, ...at(1) }))).toContain('suppliers: source order');
  road.refuse(refusedLines('address_invalid', ['L1']));
});

test.each([
  ['address_invalid', HERE, THERE],
  ['payment_pending', {}, {}],
] as const)(
  'a hold of the shop for %s is released by what the shop says of its holds alone',
  (reason, before, after) => {
    const road = aRoad(received({ ...before, canBeReread: true }), elapsed('grace'));
    road.step(verified({ holds: [{ reason, evidence: { heldInShop: 'INCORRECT_ADDRESS' } }] }));
    road.step(updated({ ...before, hasAddress: false, payment: 'pending', ...at(1) }));
    road.step(updated({ ...after, ...at(2) }));
    expect(road.holds()).toEqual([reason]);
    road.step(releaseRequested(reason));
    expect(road.holds()).toEqual([]);
  },
);

test('a hold for a payment goes when the payment comes, not with every body of a paid order', () => {
  const road = aRoad(...toSourcing, stoppedPlan('payment_pending'));
  road.step(updated(at(1)));
  expect(road.holds()).toEqual(['payment_pending']);
});

test('an older body never sets an order back', () => {
  const road = aRoad(received({ payment: 'pending' }), updated());
  for (const payment of ['pending', 'voided', 'refunded'] as const) {
    road.refuse(received({ payment }));
    road.refuse(updated({ payment, cancelled: true }));
  }
  expect(road.state()).toBe('grace');
});

test('an order first heard of by its update is an order like any other', () => {
  const road = aRoad();
  expect(road.step(updated())).toEqual(['fact order.received', 'mail order_confirmed', 'wait grace']);
  road.refuse(received());
});

test('an order whose payment falls back to pending in its grace period is not sourced', () => {
  const road = aRoad(received(), updated({ payment: 'pending' }));
  expect(road.try(elapsed('grace')).filter(isBuying)).toEqual([]);
});

test('a payment that falls back in the grace period is waited for, and its coming leads on', () => {
  const road = aRoad(received(), updated({ payment: 'pending', ...at(1) }));
  expect(road.state()).toBe('awaiting_payment');
  expect(road.holds()).toEqual(['payment_pending']);
  road.step(updated(at(2)));
  expect(road.state()).toBe('grace');
  expect(road.holds()).toEqual([]);
  expect(road.step(elapsed('grace'))).toContain('suppliers: source order');
});

test('a payment that falls back while the order is being sourced stops it until it is there', () => {
  const road = aRoad(...toSourcing, updated({ payment: 'pending', ...at(1) }));
  expect(road.holds()).toEqual(['payment_pending']);
  road.refuse(sourced());
  expect(road.step(updated(at(2))).filter(isBuying)).toEqual(['suppliers: source order']);
  road.refuse(sourced());
  expect(road.step(sourced({ round: 2 }))).toContain('create A2');
});

test('a payment that falls back before the purchase call holds the draft until it is there', () => {
  const road = aRoad(...toSourcing, sourced());
  expect(road.step(updated({ payment: 'pending', ...at(1) }))).toEqual([
    'fact order.updated',
    'hold payment_pending',
    'fact order.held payment_pending',
  ]);
  expect(road.step(updated({ payment: 'pending', ...at(2) }))).toEqual(['fact order.updated']);
  expect(road.step(updated(at(3)))).toContain('suppliers: buy A');
  expect(road.holds()).toEqual([]);
});

test('a newer body that changes nothing leaves the answer on its way alone', () => {
  const road = aRoad(...toSourcing);
  expect(road.step(updated())).toEqual(['fact order.updated']);
  expect(road.step(sourced())).toContain('create A');
});

test('a body without an address does not take a refused line for that of another service', () => {
  const road = aRoad(
    received({ lines: TWO_LINES }),
    elapsed('grace'),
    refusedLines('unmapped_line', ['L1']),
    updated({ lines: TWO_LINES, hasAddress: false }),
  );
  expect(road.holds()).toEqual(['unmapped_line', 'address_invalid']);
});

test('a mended address leads on a purchase that was withheld for want of it', () => {
  const road = aRoad(received(HERE), elapsed('grace'), sourced(), withheld('address_invalid'));
  expect(road.step(updated({ ...HERE, ...at(1) }))).toEqual(['fact order.updated']);
  expect(road.step(updated({ ...THERE, ...at(2) }))).toContain('suppliers: buy A');
  expect(road.holds()).toEqual([]);
});

test.each([
  ['another one in the shop', updated({ ...THERE, ...at(2) })],
  ['one that is put in here', changeRequested({ hasAddress: true })],
])('a purchase that its supplier refused for the address waits for %s', (_, mended) => {
  const refused = rejected('invalid_input', A, 1, { field: 'zip' });
  const road = aRoad(received(HERE), elapsed('grace'), sourced(), placing(), refused);
  road.step(updated({ ...HERE, ...at(1) }));
  expect(road.holds()).toEqual(['address_invalid']);
  expect(road.step(mended)).toContain('suppliers: source order');
  expect(road.holds()).toEqual([]);
});

test('what a supplier says of an address that it has is not mended by another one in the shop', () => {
  const attention = { reason: 'address_invalid' as const, evidence: { field: 'zip' } };
  const road = aRoad(received(HERE), elapsed('grace'), sourced(), placing(), accepted());
  road.step(observed('processing', [], A, { attention }));
  road.step(updated({ ...THERE, ...at(1) }));
  expect(road.holds()).toEqual(['address_invalid']);
});

test('the holds that come back with every body are opened once', () => {
  const road = aRoad(received({ hasAddress: false }), updated({ hasAddress: false, ...at(1) }));
  expect(road.step(updated({ hasAddress: false, ...at(2) }))).toEqual(['fact order.updated']);
});

const SAME_SECOND = aReceivedOrder();
/** Told by the shop in the second of the first body, where there is a login to ask it. */
const asOld = (over: Partial<OrderReceived> = {}) => updated({ ...SAME_SECOND, canBeReread: true, ...over });

test.each<[string, Partial<OrderReceived>]>([
  ['pays', { payment: 'paid' }],
  ['cancels', { payment: 'pending', cancelled: true }],
  ['is a test', { payment: 'pending', test: true }],
  ['is to be sent elsewhere', { payment: 'pending', ...THERE }],
  ['takes a unit away', { payment: 'pending', lines: [aLine({ units: 1 })] }],
])('a body as old as the one before that %s is not believed: the shop is read', (_, over) => {
  const road = aRoad(received({ payment: 'pending', canBeReread: true, ...HERE }));
  expect(road.commands(asOld(over))).toEqual([
    { verb: 'reread', data: { shop: SAME_SECOND.shop, shopOrderId: SAME_SECOND.shopOrderId } },
  ]);
  expect(road.state()).toBe('awaiting_payment');
});

test('what is read then counts, and the same told again or read again is no news', () => {
  const road = aRoad(received({ payment: 'pending', canBeReread: true }), asOld());
  expect(road.step(asOld({ reread: true }))).toContain('fact order.updated');
  expect(road.state()).toBe('grace');
  road.refuse(asOld());
  road.refuse(asOld({ reread: true }));
});

test('of two readings of one second the one that is told last counts until the shop is read once more', () => {
  const road = aRoad(received({ payment: 'pending', canBeReread: true }));
  const reading = { verb: 'reread', data: { shop: SAME_SECOND.shop, shopOrderId: SAME_SECOND.shopOrderId } };
  expect(road.commands(asOld({ reread: true, payment: 'paid' }))).toEqual([reading]);
  expect(road.commands(asOld({ reread: true, payment: 'pending' }))).toEqual([reading]);
  expect(road.commands(asOld({ reread: true, payment: 'paid' }))).toEqual([reading]);
  road.refuse(asOld({ reread: true, payment: 'paid' }));
  expect(road.commands(updated({ canBeReread: true, reread: true, ...at(1) }))).toEqual([]);
});

test('a repeat, a body of an order that nobody can read, and one of an order that is over cause no reading', () => {
  const road = aRoad(received({ payment: 'pending', canBeReread: true }));
  road.refuse(asOld({ payment: 'pending' }));
  aRoad(received({ payment: 'pending' })).refuse(asOld({ canBeReread: false }));
  const over = aRoad(received({ canBeReread: true }), asOld({ reread: true, cancelled: true }));
  over.refuse(asOld({ payment: 'refunded' }));
});

test('a body as old as the last one does not disturb the purchase: the plan on its way is still the answer', () => {
  const road = aRoad(received({ canBeReread: true }), elapsed('grace'), verified());
  expect(road.step(asOld({ cancelled: true }))).toEqual([expect.stringContaining('shopify: reread')]);
  expect(road.step(sourced())).toContain('create A');
});
