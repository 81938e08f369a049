import { expect, test } from 'vitest';
import { A, A2, aRoad, B, isBuying, TWO_LINES, twoParts } from '../fixtures/order-road.ts';
import {
  absent,
  accepted,
  aReceivedOrder,
  at,
  cancelConfirmed,
  changeRequested,
  cjOrder,
  deferred,
  elapsed,
  observed,
  outcomeUnknown,
  placed,
  placing,
  received,
  releaseRequested,
  sourced,
  supplierCancelRequested,
  updated,
  verified,
} from './builders.ts';

const HERE = { shipToMark: 'a1' };
const THERE = { shipToMark: 'b2' };
const SENT_HERE = placing(A, 1, HERE);
const toDraft = [received(HERE), elapsed('grace'), sourced()];

test.each([
  ['is being bought', []],
  ['is in doubt', [outcomeUnknown()]],
  ['waits for its payment', [placed()]],
  ['is bought', [accepted()]],
  ['is packed', [accepted(), observed('processing', [])]],
])('another address in the shop stops a purchase that %s for the old one', (_, events) => {
  const road = aRoad(...toDraft, SENT_HERE, ...events);
  expect(road.step(updated({ ...THERE, ...at(1) }))).toContain('hold customer_edit_pending A');
  expect(road.evidence().at(-1)).toEqual({ cause: expect.stringContaining('address') });
});

test('who released it is not asked again, whatever else the shop says of the order', () => {
  const road = aRoad(...toDraft, SENT_HERE, placed(), updated({ ...THERE, ...at(1) }));
  expect(road.step(releaseRequested('customer_edit_pending'))).toContain('suppliers: pay A');
  road.step(updated({ ...THERE, ...at(2) }));
  expect(road.holds()).toEqual([]);
});

test('a purchase that went to the new address already is no matter for anybody', () => {
  const road = aRoad(...toDraft, updated({ ...THERE, ...at(1) }), placing(A, 1, THERE), accepted());
  expect(road.holds()).toEqual([]);
});

test('a purchase that was sent while the new address was on its way is held as soon as that is heard', () => {
  const road = aRoad(...toDraft, updated({ ...THERE, ...at(1) }));
  expect(road.step(SENT_HERE)).toContain('hold customer_edit_pending A');
  // The same again, as a repeated message, after a person has let it go.
  road.step(releaseRequested('customer_edit_pending'));
  road.try(SENT_HERE);
  expect(road.holds()).toEqual([]);
});

test.each([
  ['was put off', [deferred()]],
  ['was never made', [outcomeUnknown(), absent()]],
])('a purchase that %s is sent to the new address by its next attempt', (_, events) => {
  const road = aRoad(...toDraft, SENT_HERE, ...events);
  expect(road.step(updated({ ...THERE, ...at(1) }))).toContain('quote anew');
  expect(road.holds()).toEqual([]);
  road.step(placing(A, 2, THERE));
  road.step(accepted(A, 2));
  expect(road.holds()).toEqual([]);
});

test('only the drafts of the order are quoted anew, and only for another address', () => {
  const road = aRoad(received({ lines: TWO_LINES, ...HERE }), elapsed('grace'), twoParts, SENT_HERE);
  expect(road.step(updated({ lines: TWO_LINES, ...HERE, ...at(1) }))).toEqual(['fact order.updated']);
  const followed = road.step(updated({ lines: TWO_LINES, ...THERE, ...at(2) }));
  expect(followed).toContain('quote anew');
  expect(followed).toContain('hold customer_edit_pending A');
  expect(road.supplierOrder(B)).toBe('draft');
});

test('where nothing is a draft nothing is quoted anew', () => {
  const road = aRoad(...toDraft, SENT_HERE, accepted());
  expect(road.step(updated({ ...THERE, ...at(1) }))).not.toContain('quote anew');
});

test('a purchase of which nobody wrote down where it was sent stays as it was', () => {
  const road = aRoad(...toDraft, placing(), accepted(), updated({ ...THERE, ...at(1) }));
  expect(road.holds()).toEqual([]);
});

test('an address that was put in here counts, whatever the shop has', () => {
  const road = aRoad(...toDraft, changeRequested({ hasAddress: true }), placing(A, 1, THERE), accepted());
  road.step(updated({ ...HERE, ...at(1) }));
  road.step(updated({ ...THERE, ...at(2) }));
  expect(road.holds()).toEqual([]);
});

test('of an order that is cancelled by the same body nobody asks where it goes', () => {
  const road = aRoad(...toDraft, SENT_HERE, placed());
  expect(road.step(updated({ ...THERE, cancelled: true, ...at(1) }))).not.toContain(
    'hold customer_edit_pending A',
  );
});

test.each([
  ['is in doubt', [outcomeUnknown()]],
  ['waits for its payment', [placed()]],
  ['is bought', [accepted()]],
  ['is packed', [accepted(), observed('processing', [])]],
])('where a purchase was sent is heard though it %s when the word comes', (_, events) => {
  const road = aRoad(...toDraft);
  // Its row was moved by the intent itself.
  road.intend(A);
  for (const event of events) road.step(event);
  road.step(SENT_HERE);
  road.refuse(SENT_HERE);
  expect(road.step(updated({ ...THERE, ...at(1) }))).toContain('hold customer_edit_pending A');
});

test('a purchase that was sent to the old address is held when that is heard after it was bought', () => {
  const road = aRoad(...toDraft);
  road.intend(A);
  road.step(accepted());
  road.step(updated({ ...THERE, ...at(1) }));
  expect(road.step(SENT_HERE)).toContain('hold customer_edit_pending A');
});

test('the word of an older attempt says nothing of where the newest was sent', () => {
  const road = aRoad(...toDraft, SENT_HERE, outcomeUnknown(), absent(), placing(A, 2, THERE), accepted(A, 2));
  road.refuse(SENT_HERE);
});

test('what is given up for it leaves no question behind, and is bought again after one release', () => {
  const road = aRoad(...toDraft, SENT_HERE, placed(), updated({ ...THERE, ...at(1) }));
  road.step(supplierCancelRequested());
  road.step(cancelConfirmed());
  expect(road.holds()).toEqual(['operator']);
  expect(road.step(releaseRequested('operator')).filter(isBuying)).toEqual(['suppliers: source order']);
});

const READ = { reread: true as const, canBeReread: true };

/** Its webhooks say `a1` and `b2`, its readings `r1` and `r2`. */
const aShopThatWritesDifferently = () =>
  aRoad(
    received({ ...HERE, canBeReread: true }),
    elapsed('grace'),
    verified({ body: aReceivedOrder({ ...READ, shipToMark: 'r1' }) }),
    sourced(),
    placing(A, 1, { shipToMark: 'r1' }),
    accepted(),
  );

test('a shop that writes an address differently where it is read has one address all the same', () => {
  const road = aShopThatWritesDifferently();
  road.step(updated({ ...HERE, ...at(1) }));
  road.step(updated({ ...READ, shipToMark: 'r1', ...at(2) }));
  expect(road.holds()).toEqual([]);
  road.step(updated({ ...READ, shipToMark: 'r2', ...at(3) }));
  expect(road.holds()).toEqual(['customer_edit_pending']);
});

test('an edit of which no webhook came is seen by the next reading', () => {
  const road = aRoad(...toDraft, SENT_HERE, accepted());
  road.step(updated({ ...READ, ...HERE, ...at(1) }));
  expect(road.holds()).toEqual([]);
  road.step(updated({ ...READ, ...THERE, ...at(2) }));
  expect(road.holds()).toEqual(['customer_edit_pending']);
});

const told = (shipToMark: string, hour: number) => updated({ canBeReread: true, shipToMark, ...at(hour) });
const read = (shipToMark: string, hour: number) => updated({ ...READ, shipToMark, ...at(hour) });

test.each([
  ['told', [told('b2', 1), read('r2', 2), told('b2', 3), read('r2', 4)]],
  ['read', [read('r2', 1), told('b2', 2), read('r2', 3), told('b2', 4)]],
])(
  'who released what such a shop %s first is not asked again for the same address',
  (_, [first, ...later]) => {
    const road = aShopThatWritesDifferently();
    if (first !== undefined) road.step(first);
    expect(road.holds()).toEqual(['customer_edit_pending']);
    road.step(releaseRequested('customer_edit_pending'));
    for (const body of later) {
      road.step(body);
      expect(road.holds()).toEqual([]);
    }
  },
);

test('of such a shop the next address is seen as well, by either way', () => {
  for (const next of [told('c3', 3), read('r3', 3)]) {
    const road = aShopThatWritesDifferently();
    road.step(told('b2', 1));
    road.step(read('r2', 2));
    road.step(releaseRequested('customer_edit_pending'));
    road.step(next);
    expect(road.holds()).toEqual(['customer_edit_pending']);
  }
});

test('of such a shop a change before anything is bought is no change of what is bought', () => {
  const road = aRoad(
    received({ ...HERE, canBeReread: true }),
    elapsed('grace'),
    verified({ body: aReceivedOrder({ ...READ, shipToMark: 'r1' }) }),
    told('b2', 1),
  );
  road.step(sourced({ round: 2 }));
  road.step(placing(A2, 1, { shipToMark: 'b2' }));
  road.step(accepted(A2));
  road.step(read('r2', 3));
  road.step(told('b2', 4));
  expect(road.holds()).toEqual([]);
});

const A3 = cjOrder('CN', 3);

test('what such a shop says of a new address in the other way counts, though nothing else is new', () => {
  const road = aShopThatWritesDifferently();
  road.step(told('b2', 1));
  road.step(supplierCancelRequested());
  road.step(cancelConfirmed());
  road.step(releaseRequested('operator'));
  road.step(verified({ body: aReceivedOrder({ ...READ, shipToMark: 'r2', ...at(1) }) }));
  road.step(sourced({ round: 3 }));
  road.step(placing(A3, 1, { shipToMark: 'r2' }));
  road.step(accepted(A3));
  expect(road.holds()).toEqual([]);
});

test('a purchase that was sent with the new address as such a shop has not told it yet waits for nobody', () => {
  const road = aShopThatWritesDifferently();
  road.step(told('b2', 1));
  road.step(supplierCancelRequested());
  road.step(cancelConfirmed());
  road.step(releaseRequested('operator'));
  road.step(verified());
  road.step(sourced({ round: 3 }));
  road.step(placing(A3, 1, { shipToMark: 'r2' }));
  expect(road.holds()).toEqual([]);
});

test.each([
  ['told', [told('b2', 1)], told('a1', 2)],
  ['read', [read('r2', 1)], read('r1', 2)],
  ['told first and then read', [told('b2', 1)], read('r1', 2)],
])('an address that is put back lets the purchase go on, %s', (_, away, back) => {
  const road = aShopThatWritesDifferently();
  for (const body of away) road.step(body);
  expect(road.holds()).toEqual(['customer_edit_pending']);
  road.step(back);
  expect(road.holds()).toEqual([]);
});

test.each([
  ['was put off', [], deferred()],
  ['was never made', [outcomeUnknown()], absent()],
])('a purchase that %s after its address changed goes to the new one without a word', (_, events, end) => {
  const road = aRoad(...toDraft, SENT_HERE, ...events, updated({ ...THERE, ...at(1) }));
  expect(road.holds()).toEqual(['customer_edit_pending']);
  road.step(end);
  expect(road.supplierOrder(A)).toBe('draft');
  expect(road.holds()).toEqual([]);
});

/** The webhook of its beginning was lost: a reading found it. */
const anOrderThatWasRead = () =>
  aRoad(
    received({ ...READ, shipToMark: 'r1' }),
    elapsed('grace'),
    verified(),
    sourced(),
    placing(A, 1, { shipToMark: 'r1' }),
    accepted(),
  );

test('an address that was only read and is told otherwise is read again, and is the same', () => {
  const road = anOrderThatWasRead();
  expect(road.step(told('a1', 1))).toContainEqual(expect.stringContaining('shopify: reread'));
  expect(road.holds()).toEqual([]);
  road.step(read('r1', 1));
  road.step(told('a1', 2));
  road.step(read('r1', 3));
  expect(road.holds()).toEqual([]);
  road.step(told('b2', 4));
  expect(road.holds()).toEqual(['customer_edit_pending']);
});

test('an address that was only read and is told otherwise is read again, and is another', () => {
  const road = anOrderThatWasRead();
  road.step(told('b2', 1));
  road.step(read('r2', 1));
  expect(road.holds()).toEqual(['customer_edit_pending']);
  road.step(releaseRequested('customer_edit_pending'));
  road.step(told('b2', 2));
  road.step(read('r2', 3));
  expect(road.holds()).toEqual([]);
});

test('an address that is put while suppliers are asked for the one before has them asked anew, and the old answer is not taken', () => {
  const road = aRoad(received(HERE), elapsed('grace'));
  expect(road.commands(changeRequested({ hasAddress: true }))).toMatchObject([
    { verb: 'source', data: { round: 2 } },
  ]);
  road.refuse(sourced());
  expect(road.commands(changeRequested({ hasAddress: true }))).toMatchObject([
    { verb: 'source', data: { round: 3 } },
  ]);
  road.step(sourced({ round: 3 }));
  expect(road.state()).toBe('purchasing');
});

test('what was planned between the putting of an address and the word of it is quoted anew', () => {
  expect(aRoad(...toDraft).step(changeRequested({ hasAddress: true }))).toContain('quote anew');
  expect(aRoad(...toDraft, SENT_HERE).step(changeRequested({ hasAddress: true }))).not.toContain(
    'quote anew',
  );
});
