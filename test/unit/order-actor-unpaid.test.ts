import { expect, test } from 'vitest';
import { HOLD_WORDS } from '../../contracts/hold-words.ts';
import { A, aRoad, isBuying, toSourcing } from '../fixtures/order-road.ts';
import {
  accepted,
  aLine,
  aParcel,
  at,
  BY_HAND,
  cancelConfirmed,
  cancelRefused,
  elapsed,
  holdRequested,
  observed,
  placing,
  purchaseRequested,
  received,
  releaseRequested,
  sourced,
  updated,
} from './builders.ts';

const TWO_LINES = [aLine(), aLine({ lineId: 'L2' })];
/** Half of it is bought by hand, and then all of it is held: of the rest nobody knows yet what the shop says. */
const boughtByHand = [
  received({ lines: TWO_LINES, canBeReread: true }),
  purchaseRequested(),
  placing(BY_HAND),
  holdRequested(),
];

test.each(['refunded', 'voided'] as const)(
  'an order of which something was bought by hand and that is then %s waits for no payment',
  (payment) => {
    const road = aRoad(...boughtByHand);
    road.step(updated({ lines: TWO_LINES, payment, ...at(1) }));
    expect([road.state(), road.holds()]).toEqual(['cancelling', ['operator', 'customer_edit_pending']]);
    road.step(accepted(BY_HAND));
    road.step(cancelConfirmed(BY_HAND));
    expect(road.state()).toBe(payment === 'refunded' ? 'refunded' : 'cancelled');
  },
);

test('a refunded order whose purchase by hand cannot be called back follows its parcel to the end', () => {
  const road = aRoad(...boughtByHand, updated({ lines: TWO_LINES, payment: 'refunded', ...at(1) }));
  road.step(accepted(BY_HAND));
  road.step(cancelRefused(true, BY_HAND));
  expect(road.state()).toBe('awaiting_shipment');
  road.step(observed('delivered', [aParcel({ state: 'delivered' })], BY_HAND));
  expect(road.state()).toBe('delivered');
});

test('the same when its payment had fallen back before', () => {
  const road = aRoad(...boughtByHand, updated({ lines: TWO_LINES, payment: 'pending', ...at(1) }));
  expect(road.state()).toBe('awaiting_payment');
  road.step(accepted(BY_HAND));
  road.step(observed('delivered', [aParcel({ state: 'delivered' })], BY_HAND));
  expect(road.state()).toBe('awaiting_payment');
  road.step(updated({ lines: TWO_LINES, payment: 'refunded', ...at(2) }));
  expect([road.state(), road.line('L2')]).toMatchObject(['delivered', { cancelled: 2 }]);
});

const NOTHING_LEFT = [aLine({ units: 0 })];

test.each([
  ['while it was sourced', toSourcing],
  ['before the purchase call', [...toSourcing, sourced()]],
])(
  'an unpaid order of which everything was taken away %s waits for its payment, and for a person in the end',
  (_, before) => {
    const road = aRoad(...before);
    const taken = road.step(updated({ payment: 'pending', lines: NOTHING_LEFT, ...at(1) }));
    expect(taken).toContain('wait payment');
    expect(road.state()).toBe('awaiting_payment');
    road.step(releaseRequested('payment_pending'));
    expect(road.step(elapsed('payment'))).toContain('hold overdue');
    road.step(updated({ lines: NOTHING_LEFT, ...at(2) }));
    expect([road.state(), road.holds()]).toEqual(['cancelled', []]);
  },
);

test('an unpaid order whose last purchase is undone waits for its payment', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), accepted());
  road.step(updated({ payment: 'pending', lines: NOTHING_LEFT, ...at(1) }));
  expect(road.state()).toBe('purchasing');
  expect(road.step(cancelConfirmed(A))).toContain('wait payment');
  expect([road.state(), road.supplierOrder(A)]).toEqual(['awaiting_payment', 'cancelled']);
  expect(road.holds()).toContain('payment_pending');
});

test('what is added to it and paid is bought anew, and no answer of before counts', () => {
  const road = aRoad(...toSourcing, sourced(), placing(), accepted());
  road.step(updated({ payment: 'pending', lines: NOTHING_LEFT, ...at(1) }));
  road.step(cancelConfirmed(A));
  road.step(releaseRequested('customer_edit_pending'));
  road.step(updated(at(2)));
  road.refuse(sourced());
  expect(road.step(sourced({ round: 2 }))).toContain('create A2');
});

test('the release of an unpaid order buys where sourcing has begun, and nowhere before; its words say so', () => {
  const waiting = aRoad(received({ payment: 'pending' }));
  expect(waiting.step(releaseRequested('payment_pending')).filter(isBuying)).toEqual([]);
  const begun = aRoad(...toSourcing, updated({ payment: 'pending', ...at(1) }));
  expect(begun.step(releaseRequested('payment_pending')).filter(isBuying)).toEqual([
    'suppliers: source order',
  ]);
  const { mend } = HOLD_WORDS.payment_pending;
  expect(mend).toContain('nothing is bought in awaiting_payment, whoever releases this');
  expect(mend).toContain('after sourcing began, a release goes on buying');
});
