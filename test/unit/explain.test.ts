import { expect, test } from 'vitest';
import { DEADLINES } from '../../contracts/deadlines.ts';
import { HOLD_WORDS, holdWordsOf } from '../../contracts/hold-words.ts';
import { redact } from '../../contracts/redact.ts';
import { Explanation } from '../../contracts/resources/explanation.ts';
import {
  COMPENSATIONS,
  HOLD_REASONS,
  type HoldReason,
  MENDED_BY_MAPPING,
  ORDER_STATES,
  type OrderStateName,
  SUPPLIER_ORDER_STATES,
} from '../../contracts/vocabulary.ts';
import { explain } from '../../gateway/explain.ts';
import type { Explained } from '../../gateway/explained.ts';

const aHold = (reason: HoldReason): Explained['holds'][number] => ({
  id: 'hld_1',
  orderId: 'ord_1',
  reason,
  lineId: null,
  supplierOrderId: null,
  evidence: {},
  means: HOLD_WORDS[reason].means,
  suggestedMend: HOLD_WORDS[reason].mend,
  releaseRule: HOLD_WORDS[reason].release,
  notes: ['Mrs Example called'],
  openedAt: '2026-11-20T10:00:00.000Z',
});

const anOrder = (over: Partial<Explained> = {}): Explained => ({
  id: 'ord_1',
  status: 'grace',
  isArchived: false,
  isTest: false,
  isErased: false,
  isOff: false,
  isCancelledHere: false,
  isStopped: false,
  isRiskAwaited: false,
  waiting: { toSource: false, held: false },
  supplierOrders: [],
  holds: [],
  deadLetters: [],
  timers: [],
  callPauses: [],
  halted: null,
  ...over,
});

const aPurchase = (
  over: Partial<Explained['supplierOrders'][number]> = {},
): Explained['supplierOrders'][number] => ({
  id: 'sup_ord_1',
  supplier: 'cj_dropshipping' as const,
  status: 'processing' as const,
  compensation: null,
  wanted: 'nothing' as const,
  parcels: [],
  ...over,
});

const FINAL = ['delivered', 'cancelled', 'refunded'];

test.each(ORDER_STATES)(
  'an order that is %s says where it is, and either what comes next or that it is over',
  (status) => {
    const explanation = Explanation.parse(explain(anOrder({ status })));
    expect(explanation.sentences[0]).toMatch(/^(The order|It|Nothing|Everything|A part|The whole)\b.+\.$/);
    expect(explanation.next.length === 0).toBe(FINAL.includes(status));
    // Somebody can always do something, but for waiting until a cancel has ended.
    expect(explanation.can.length > 0).toBe(status !== 'cancelling');
    expect(explain(anOrder({ status, isArchived: true })).sentences).toContain('It is put away.');
  },
);

test.each(SUPPLIER_ORDER_STATES)('a purchase that is %s is told in a sentence', (status) => {
  for (const compensation of [null, ...COMPENSATIONS]) {
    const purchase = aPurchase({ status, compensation });
    const { where, sentences } = explain(anOrder({ supplierOrders: [purchase] }));
    const says = where.supplierOrders[0]?.says ?? '';
    expect(says).toMatch(/^sup_ord_1 at cj_dropshipping (is|was|may|stands|has|ran) .+\.$/);
    expect(says.includes('nobody wants it any more')).toBe(compensation !== null);
    const isAsked = /is (asked to give it up|cancelled at the supplier)/.test(says);
    if (['partially_shipped', 'shipped', 'delivered', 'rejected', 'cancelled', 'lapsed'].includes(status))
      expect(isAsked).toBe(false);
    expect(sentences).toContain(says);
  }
});

test.each([
  ['a part', 'cancelling', 'a part of it is not wanted any more; the supplier is asked to give it up, else'],
  ['a part', 'processing', 'a part of it is not wanted any more; the supplier did not give it up.'],
  ['a part', 'shipped', 'a part of it is not wanted any more.'],
  ['all', 'processing', 'it was not wanted for a while, and is wanted again.'],
  ['all', 'shipped', 'it was not wanted for a while, and is wanted again.'],
  ['all', 'cancelled', 'nobody wants it any more.'],
] as const)(
  'of a purchase of which %s is wanted, and that is %s, nothing else is told',
  (wanted, status, words) => {
    const purchase = aPurchase({ status, wanted, compensation: 'ask_supplier' });
    const says = explain(anOrder({ supplierOrders: [purchase] })).where.supplierOrders[0]?.says;
    expect(says).toContain(words);
    if (status !== 'cancelled') expect(says).not.toContain('nobody');
    const asBought = explain(anOrder({ supplierOrders: [{ ...purchase, compensation: null }] }));
    expect(asBought.where.supplierOrders[0]?.says).not.toContain('wanted');
  },
);

test.each(HOLD_REASONS)(
  'the hold %s says what it means, how it is mended and when it goes, and can be released',
  (reason) => {
    const explanation = explain(
      anOrder({ isStopped: true, holds: [aHold(reason)], waiting: { toSource: true, held: false } }),
    );
    for (const words of Object.values(HOLD_WORDS[reason])) expect(words.length).toBeGreaterThan(5);
    expect(explanation.sentences).toContain(`It is held (${reason}): ${HOLD_WORDS[reason].means}.`);
    expect(explanation.can[0]).toMatchObject({ method: 'POST', path: '/holds/hld_1/release' });
    expect(explanation.next[0]?.what).toContain('until the hold is released');
    expect(JSON.stringify(explanation)).not.toContain('Mrs Example');
  },
);

const heldUnits = { toSource: false, held: true };

const NEXT_WITH_A_HOLD: readonly [OrderStateName, boolean, RegExp[]][] = [
  ['purchasing', true, [/^Nothing more is bought until/]],
  ['purchasing', false, [/^When all of them are bought/, /^What is held waits until/]],
  ['partially_shipped', true, [/^The rest is shipped/, /^Nothing more is bought until/]],
  ['awaiting_shipment', true, [/^The suppliers ship/]],
  ['shipped', true, [/^The carriers deliver/]],
  ['cancelling', true, [/^It is cancelled when/]],
];
test.each(NEXT_WITH_A_HOLD)(
  'an order that is %s with a hold says what goes on meanwhile (stopped as a whole: %s)',
  (status, isStopped, words) => {
    const supplierOrders = [aPurchase({ status: 'draft' })];
    const { next } = explain(
      anOrder({ status, isStopped, holds: [aHold('overdue')], supplierOrders, waiting: heldUnits }),
    );
    expect(next.map(({ what }) => what)).toEqual(words.map((each) => expect.stringMatching(each)));
  },
);

test('an unpaid order goes on with its payment, whoever releases the hold that says so', () => {
  const unpaid = (...reasons: HoldReason[]) =>
    explain(anOrder({ status: 'awaiting_payment', isStopped: true, holds: reasons.map(aHold) }));
  const next = (...reasons: HoldReason[]) => unpaid(...reasons).next.map(({ what }) => what);
  const byPayment = 'The payment leads on to the grace period.';
  expect(next('payment_pending', 'overdue')).toEqual([byPayment]);
  expect(next('payment_pending', 'operator')).toEqual([
    byPayment,
    'Even when it is paid, what else holds it waits until the hold is released.',
  ]);
});

test('an order that the shop has not shown or routed yet says that the shop is asked, and not that there is time left', () => {
  const verify = { deadline: 'verify', supplierOrderId: null, dueAt: '2026-11-20T11:00:00.000Z' };
  const { sentences, next } = explain(anOrder({ status: 'grace', timers: [verify] }));
  expect(sentences[0]).toContain('the shop is asked what it is now');
  expect(next.map(({ what }) => what)).toEqual([
    'When the shop shows the order and who ships it, suppliers are sought.',
    'the shop is asked again what the order is now',
  ]);
});

test.each([
  ['the grace period', 'grace', /^When the grace period is over and the shop has assessed its risk, /],
  ['the shop', 'verify', /^When the shop shows the order, who ships it and its risk, /],
])(
  'an order that waits for %s says that its risk has to be known, where the shop wants that',
  (_, deadline, words) => {
    const timer = { deadline, supplierOrderId: null, dueAt: '2026-11-20T11:00:00.000Z' };
    const { next } = explain(anOrder({ status: 'grace', timers: [timer], isRiskAwaited: true }));
    expect(next[0]?.what).toMatch(words);
  },
);

test.each(['sourcing', 'grace', 'purchasing'] as const)(
  'of an order in %s that is held line by line nobody says that an answer is on its way',
  (status) => {
    const holds = [{ ...aHold('out_of_stock'), lineId: 'L1' }];
    const next = (over: Partial<Explained>) =>
      explain(anOrder({ status, holds, waiting: heldUnits, ...over })).next.map(({ what }) => what);
    expect(next({ supplierOrders: [aPurchase({ status: 'rejected' })] })).toEqual([
      'All that is to be bought waits until the hold is released; a line goes on with its own.',
    ]);
    const others = { waiting: { toSource: true, held: true } };
    expect(next(others)).toContain('What is held waits until the hold is released; the rest goes on.');
    expect(next({ supplierOrders: [aPurchase({ status: 'draft' })] })).toHaveLength(2);
  },
);

const wait = (deadline: string, supplierOrderId: string | null = null) => ({
  deadline,
  supplierOrderId,
  dueAt: '2026-11-20T11:00:00.000Z',
});
const toSource = { toSource: true, held: false };
const WHERE: readonly [string, Partial<Explained>][] = [
  ['The order is paid, and the time to change their mind is over for the customer.', { status: 'grace' }],
  ['The order is paid, and the customer has time to change their mind.', { timers: [wait('grace')] }],
  ['It is being found out who delivers each unit, and at what cost.', { waiting: toSource }],
  [
    'The shop is asked what the order is now before anything more is bought for it.',
    { waiting: toSource, timers: [wait('verify')] },
  ],
  [
    'It is not known yet who delivers what is not bought, and nobody is asked.',
    { waiting: toSource, isStopped: true, holds: [aHold('operator')] },
  ],
  ['Nothing is left to be sourced for the order.', { isStopped: true, holds: [aHold('operator')] }],
  ['Purchases are being made.', { supplierOrders: [aPurchase({ status: 'placing' })] }],
  [
    'Purchases that nobody wants any more are being undone.',
    { supplierOrders: [aPurchase({ status: 'placing', compensation: 'await_verdict' })] },
  ],
  ['A part of the order is bought.', { supplierOrders: [aPurchase()], waiting: heldUnits }],
  ['Nothing of the order is bought.', { supplierOrders: [aPurchase({ status: 'rejected' })] }],
];
test.each(WHERE)('where an order is that only a hold or an answer keeps: %s', (is, over) => {
  const status = over.supplierOrders ? 'purchasing' : over.waiting || over.isStopped ? 'sourcing' : 'grace';
  expect(explain(anOrder({ status, ...over })).sentences[0]).toBe(is);
});

test('of an order whose last parcels are lost nobody says that the rest is on its way', () => {
  const arrived = aPurchase({ status: 'delivered', parcels: ['delivered'] });
  const rest = (...parcels: readonly ('lost' | 'in_transit')[]) =>
    explain(
      anOrder({
        status: 'partially_delivered',
        supplierOrders: [arrived, aPurchase({ id: 'sup_ord_2', status: 'shipped', parcels })],
      }),
    ).next.map(({ what }) => what);
  expect(rest('lost')).toEqual(['A person sees to what does not arrive.']);
  expect(rest('lost', 'in_transit')).toEqual(['The rest is on its way, being bought or held.']);
});

test('a hold that keeps nothing from being bought is not said to', () => {
  const next = (over: Partial<Explained>) =>
    explain(
      anOrder({ status: 'partially_shipped', isStopped: true, holds: [aHold('operator')], ...over }),
    ).next.map(({ what }) => what);
  const shipped = 'The rest is shipped by its suppliers, as far as nothing holds it.';
  expect(next({ supplierOrders: [aPurchase()] })).toEqual([shipped]);
  expect(next({ supplierOrders: [aPurchase()], isStopped: false })).toEqual([shipped]);
  expect(next({ waiting: heldUnits })).toHaveLength(2);
});

test.each([
  ['outcome_unknown', 'look_up', 'it is looked up once nothing holds the order any more'],
  ['cancelling', 'cancel', 'its supplier is asked again once nothing holds the order any more'],
] as const)(
  'a purchase that is %s, and of which nobody asks, says what asks again',
  (status, deadline, words) => {
    const says = (over: Partial<Explained>) =>
      explain(anOrder({ supplierOrders: [aPurchase({ status })], ...over })).where.supplierOrders[0]?.says;
    const holds = [aHold('operator')];
    expect(says({ holds, isStopped: true })).toContain(words);
    expect(says({ holds, isStopped: true, timers: [wait(deadline, 'sup_ord_1')] })).not.toContain(words);
    const own = [{ ...aHold('credentials_expired'), supplierOrderId: 'sup_ord_1' }];
    expect(says({ holds: own, isStopped: true })).toMatch(
      /a person (sees to its hold first|says what became)/,
    );
  },
);

test('a deadline of a state that is past, or of a question that a hold stops, is not said to lead on', () => {
  const next = (over: Partial<Explained>) =>
    explain(anOrder(over)).next.flatMap(({ what, at }) => (at === null ? [] : [what]));
  const supplierOrders = [aPurchase({ status: 'accepted' })];
  const timers = ['buy', 'ship', 'transit'].map((deadline) => wait(deadline, 'sup_ord_1'));
  expect(next({ supplierOrders, timers })).toEqual([DEADLINES.ship, DEADLINES.transit]);
  const sourcing = { status: 'sourcing', timers: [wait('sourcing')], waiting: toSource } as const;
  expect(next(sourcing)).toEqual([DEADLINES.sourcing]);
  expect(next({ ...sourcing, isStopped: true })).toEqual([]);
  expect(next({ ...sourcing, waiting: heldUnits })).toEqual([]);
});

test('units can be made fewer where some are not bought yet, and nowhere else', () => {
  const offered = (over: Partial<Explained>) =>
    explain(anOrder({ status: 'purchasing', ...over })).can.find(({ method }) => method === 'PUT')?.what;
  expect(offered({ supplierOrders: [aPurchase()] })).toBe('change its note; the rest went to the supplier');
  expect(offered({ supplierOrders: [aPurchase()], waiting: heldUnits })).toContain('units not bought yet');
  expect(offered({ isErased: true })).toBeUndefined();
});

test('an order that was delivered, and of which units wait since, is not called done', () => {
  const delivered = (over: Partial<Explained>) => explain(anOrder({ status: 'delivered', ...over }));
  const holds = [aHold('customer_edit_pending')];
  const { sentences, next } = delivered({ holds, isStopped: true, waiting: heldUnits });
  expect(sentences[0]).toBe('All that was bought of the order has arrived.');
  expect(next.map(({ what }) => what)).toEqual([
    'Units that came to it since, or came back, wait to be bought until the hold is released.',
  ]);
  expect(delivered({ holds, isStopped: true }).next).toEqual([]);
  const cancelled = explain(
    anOrder({ status: 'cancelled', holds: [aHold('address_invalid')], waiting: heldUnits }),
  );
  expect(cancelled.sentences[0]).not.toContain('cancelled');
  expect(cancelled.next).toHaveLength(1);
  expect(cancelled.can).toContainEqual(expect.objectContaining({ method: 'PUT', path: '/orders/ord_1' }));
});

test.each(Object.keys(DEADLINES))('the deadline %s is told with its time, the nearest first', (deadline) => {
  const timers = [
    { deadline, supplierOrderId: 'sup_ord_1', dueAt: '2026-11-22T10:00:00.000Z' },
    { deadline: 'payment', supplierOrderId: null, dueAt: '2026-11-21T10:00:00.000Z' },
  ];
  const { next } = explain(anOrder({ status: 'delivered', timers }));
  expect(next.map(({ at }) => at)).toEqual(['2026-11-21T10:00:00.000Z', '2026-11-22T10:00:00.000Z']);
});

test('an order that was cancelled here, of which the supplier keeps something, is not offered to be cancelled again', () => {
  const cancel = { method: 'DELETE', path: '/orders/ord_1' };
  const offered = (over: Partial<Explained>) =>
    explain(anOrder({ status: 'awaiting_shipment', ...over })).can;
  expect(offered({ isOff: true })).toContainEqual(expect.objectContaining(cancel));
  expect(offered({ isOff: true, isCancelledHere: true })).not.toContainEqual(expect.objectContaining(cancel));
});

test('a supplier that takes no calls for now is named where the order waits for it', () => {
  const until = '2026-11-22T14:00:00.000Z';
  const callPauses = [{ supplier: 'aliexpress' as const, until, stops: 'calls' as const }];
  const purchase = aPurchase({ supplier: 'aliexpress' });
  const words = `aliexpress takes no calls until ${until}: what it has to be asked waits.`;
  for (const waiting of [
    anOrder({ status: 'sourcing', callPauses }),
    anOrder({ status: 'purchasing', supplierOrders: [{ ...purchase, status: 'draft' }], callPauses }),
    anOrder({ status: 'shipped', supplierOrders: [{ ...purchase, status: 'shipped' }], callPauses }),
  ]) {
    const explanation = Explanation.parse(explain(waiting));
    expect(explanation.sentences).toContain(words);
    expect(explanation.next).toContainEqual({
      what: 'aliexpress takes calls again',
      at: until,
      supplierOrderId: null,
    });
  }
  for (const status of ['cancelled', 'delivered'] as const)
    expect(
      explain(anOrder({ status: 'purchasing', supplierOrders: [{ ...purchase, status }], callPauses }))
        .sentences,
    ).not.toContain(words);
  expect(explain(anOrder({ status: 'grace', callPauses })).sentences).not.toContain(words);
});

test('an order under way says that a stopped log keeps it where it is, one that has ended does not', () => {
  const halted = 'the stream lost its tail';
  const what = `Nothing goes on until the log of events is mended: ${halted}`;
  const underWay = explain(anOrder({ status: 'sourcing', halted }));
  expect(underWay.next[0]).toEqual({ what, at: null, supplierOrderId: null });
  expect(underWay.sentences).toContain(what);
  expect(explain(anOrder({ status: 'delivered', halted })).sentences).not.toContain(what);
});

test('a supplier whose budget is used up is named where a quote of it is waited for, and nowhere else', () => {
  const until = '2026-11-22T14:00:00.000Z';
  const callPauses = [{ supplier: 'cj_dropshipping' as const, until, stops: 'budget' as const }];
  const words = `cj_dropshipping gives no quotes until ${until}, since its budget of calls is used up: what has to be quoted waits.`;
  const isTold = (over: Partial<Explained>): boolean => {
    const { sentences, next } = Explanation.parse(explain(anOrder({ ...over, callPauses })));
    const isNext = next.some(({ what, at }) => what === 'cj_dropshipping gives quotes again' && at === until);
    expect(isNext).toBe(sentences.includes(words));
    return isNext;
  };
  const purchase = (status: 'draft' | 'processing'): Partial<Explained> => ({
    status: 'purchasing',
    supplierOrders: [aPurchase({ status })],
  });
  expect([{ status: 'sourcing' as const }, purchase('draft'), purchase('processing')].map(isTold)).toEqual([
    true,
    true,
    false,
  ]);
});

test.each(MENDED_BY_MAPPING)('the hold %s says that a mapping releases it', (reason) => {
  expect(HOLD_WORDS[reason].release).toMatch(/^by itself, when the mapping/);
});

test.each(['out_of_stock', 'customer_edit_pending', 'payment_pending', 'operator'] as const)(
  'who reads of a hold %s that is the shop’s own is sent to the shop, to no supplier and no mapping',
  (reason) => {
    const { means, mend, release } = holdWordsOf(reason, { heldInShop: 'OTHER' });
    expect(means).toBe('the shop holds it, for the reason that the evidence names (heldInShop)');
    expect(mend).toMatch(/in the shop/);
    expect(release).toMatch(/^by itself, when the shop holds it no more/);
    for (const heldInShop of ['', null]) expect(holdWordsOf(reason, { heldInShop })).toBe(HOLD_WORDS[reason]);
    expect(holdWordsOf(reason, {})).toBe(HOLD_WORDS[reason]);
  },
);

test('a test order says that nothing is ever bought for it', () => {
  expect(explain(anOrder({ status: 'received', isTest: true })).sentences).toContain(
    'It is a test order: nothing is ever bought for it.',
  );
});

test.each([
  ['mail to jean.dupont@example.com failed', 'mail to (mail) failed'],
  ['call +33 1 23 45 67 89 first', 'call (phone) first'],
  ['phone 503-555-0100', 'phone (phone)'],
  ['order SD2611220001 of 2026-11-22T08:00:00.000Z', 'order SD2611220001 of 2026-11-22T08:00:00.000Z'],
  ['code 1603002', 'code 1603002'],
])('evidence that quotes a person is redacted: %s', (text, shown) => {
  expect(redact({ message: text, attempt: 2 })).toEqual({ message: shown, attempt: 2 });
});

test('of a purchase in doubt, and of no other, a person can say what became of it, wanted or not', () => {
  for (const status of SUPPLIER_ORDER_STATES)
    for (const compensation of [null, 'await_verdict'] as const) {
      const purchase = aPurchase({ supplier: 'aliexpress', status, compensation });
      const ways = explain(anOrder({ supplierOrders: [purchase] })).can.map(({ path }) => path);
      for (const word of ['adopt', 'not-bought'])
        expect(ways.includes(`/supplier-orders/sup_ord_1/${word}`)).toBe(status === 'outcome_unknown');
    }
});

test.each([
  ['awaiting_payment', 'payment_pending', 'pay', 'it is paid next', 'a person pays it there'],
  ['awaiting_payment', 'cost_above_cap', 'pay', 'it is paid next', 'a person sees to its hold first'],
  ['outcome_unknown', 'duplicate_suspected', 'look_up', 'it is looked up', 'a person says what became of it'],
  ['draft', 'cost_above_cap', 'buy', 'it is bought next', 'a person sees to its hold first'],
] as const)(
  'of a purchase that is %s and waits for a person (%s) nobody is told that it goes on by itself',
  (status, reason, deadline, byItself, byAPerson) => {
    const hold = { ...aHold(reason), supplierOrderId: 'sup_ord_1' };
    const timer = { deadline, supplierOrderId: 'sup_ord_1', dueAt: '2026-11-20T11:00:00.000Z' };
    const says = (over: Partial<Explained>) =>
      explain(anOrder({ supplierOrders: [aPurchase({ status })], ...over })).where.supplierOrders[0]?.says;
    expect(says({ holds: [hold] })).toContain(byAPerson);
    expect(says({ holds: [hold] })).not.toContain(byItself);
    // A look spends nothing, and is taken whatever is held.
    const isLook = deadline === 'look_up';
    expect(says({ holds: [hold], timers: [timer] })).toContain(isLook ? byItself : byAPerson);
    // Of a parcel that its supplier shows early, and no question about the purchase.
    expect(says({ holds: [hold], timers: [{ ...timer, deadline: 'transit' }] })).toContain(byAPerson);
    expect(says({ holds: [{ ...hold, supplierOrderId: 'sup_ord_2' }] })).toContain(byItself);
  },
);

test('a purchase that its supplier did not give up says so, and can be asked for once more', () => {
  for (const status of ['accepted', 'processing', 'cancelling'] as const)
    for (const compensation of ['ask_supplier', 'cancel_at_supplier', 'await_verdict'] as const) {
      const { where, can } = explain(anOrder({ supplierOrders: [aPurchase({ status, compensation })] }));
      const isAnswered = status !== 'cancelling';
      const says = where.supplierOrders[0]?.says ?? '';
      expect(says.endsWith('; nobody wants it any more; the supplier did not give it up.')).toBe(isAnswered);
      const asksAgain = can.filter(
        ({ method, path }) => `${method} ${path}` === 'DELETE /supplier-orders/sup_ord_1',
      );
      expect(asksAgain.map(({ what }) => what)).toEqual(
        isAnswered ? ['ask cj_dropshipping once more to give up sup_ord_1'] : [],
      );
    }
});

test('of a purchase that its supplier has no call to give up nobody is told that this goes on there', () => {
  const order = anOrder({
    supplierOrders: [aPurchase({ status: 'cancelling', compensation: 'cancel_at_supplier' })],
  });
  const evidence = { cause: 'this supplier has no call to give up an order', cancelled: false };
  const hold = { ...aHold('supplier_rejected'), supplierOrderId: 'sup_ord_1', evidence };
  const says = (explained: Explained) => explain(explained).where.supplierOrders[0]?.says;
  expect(says({ ...order, holds: [hold] })).toBe(
    'sup_ord_1 at cj_dropshipping was to be cancelled there; nobody wants it any more; the supplier did not give it up.',
  );
  const asked = { deadline: 'cancel', supplierOrderId: 'sup_ord_1', dueAt: '2026-11-20T10:00:00.000Z' };
  for (const goesOn of [
    { holds: [{ ...hold, supplierOrderId: 'sup_ord_2' }] },
    // Asked once more, after an answer that still holds it.
    { holds: [hold], timers: [asked] },
  ])
    expect(says({ ...order, ...goesOn })).toContain('the supplier says yes or no');
});

test('who reads of a purchase that the kill switch stopped is told to resume, not to set a mode', () => {
  const { mend, release } = HOLD_WORDS.supplier_paused;
  expect(mend).toMatch(
    /switch.*POST \/purchasing\/resume.*POST \/suppliers\/\{supplier\}\/resume.*else set its mode/,
  );
  expect(release).toMatch(/^by itself, when what was paused is resumed/);
});

test('of a parcel that is lost, late or goes back nobody reads that the carrier delivers it', () => {
  const purchase = aPurchase({ status: 'shipped', parcels: ['returned'] });
  const astray = explain(anOrder({ status: 'shipped', supplierOrders: [purchase] }));
  expect(astray.where.supplierOrders[0]?.says).toBe(
    'sup_ord_1 at cj_dropshipping was shipped, and not all of it arrives; a parcel of it goes back to its sender; a person sees to the rest.',
  );
  expect(astray.sentences[0]).toBe('The whole order was shipped, and not all of it arrives.');
  expect(astray.sentences.join(' ')).not.toMatch(/is on its way;|carrier delivers it|carriers deliver it/);
  const says = (parcels: typeof purchase.parcels) => {
    const { where } = explain(
      anOrder({ status: 'shipped', supplierOrders: [{ ...purchase, parcels: [...parcels] }] }),
    );
    return where.supplierOrders[0]?.says;
  };
  expect(says(['delivered', 'lost'])).toContain('not all of it arrives; a parcel of it is lost;');
  expect(says(['lost', 'in_transit', 'delayed', 'delayed'])).toContain(
    'is on its way; 2 parcels of it are late; a parcel of it is lost; the carrier delivers it',
  );
  for (const parcels of [[], ['in_transit', 'delivered'], ['delivered']] as const)
    expect(says(parcels)).toBe('sup_ord_1 at cj_dropshipping is on its way; the carrier delivers it.');
});

test.each([
  ['draft', 'it is bought once nothing holds the order any more.', 'it is bought next.'],
  ['awaiting_payment', 'it is paid once nothing holds the order any more.', 'it is paid next.'],
  ['processing', 'the supplier ships it.', 'the supplier ships it.'],
] as const)(
  'a purchase that is %s says that what stops its whole order stops it too',
  (status, held, free) => {
    const saysIn = (over: Partial<Explained>) =>
      explain(anOrder({ status: 'sourcing', supplierOrders: [aPurchase({ status })], ...over })).where
        .supplierOrders[0]?.says;
    const holds = [{ ...aHold('unmapped_line'), lineId: 'L1' }];
    const timers = [{ deadline: 'buy', supplierOrderId: 'sup_ord_1', dueAt: '2026-11-20T10:00:00.000Z' }];
    expect(saysIn({ holds, timers, isStopped: true })).toContain(held);
    expect(saysIn({ holds, timers })).toContain(free);
  },
);
