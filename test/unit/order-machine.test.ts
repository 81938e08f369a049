import { expect, test } from 'vitest';
import { DEADLINES, type DeadlineName } from '../../contracts/deadlines.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { OrderReceived } from '../../contracts/events/order-received.ts';
import { holdIdOf } from '../../contracts/ids.ts';
import {
  ORDER_STATES,
  type OrderStateName,
  type SupplierOrderStateName,
} from '../../contracts/vocabulary.ts';
import { decideOrder, type OrderState, startOrder } from '../../machines/decide.ts';
import { orderMachine } from '../../machines/order.ts';
import type { OrderContext } from '../../machines/order-context.ts';
import { progressOf } from '../../machines/order-progress.ts';
import {
  aLine,
  aReceivedOrder,
  cancelRequested,
  changeRequested,
  elapsed,
  heldInShop,
  holdRequested,
  mailFailed,
  mailSent,
  ORDER_ID,
  purchaseRequested,
  received,
  releaseRequested,
  riskAssessed,
  SUPPLIER_ORDER_ID,
  sourced,
  updated,
  verified,
} from './builders.ts';

type OrderMachineEvent = Parameters<typeof decideOrder>[1];

/** What the one supplier order of a state that follows the purchase has come to. */
const SUPPLIER_ORDER_IN: Partial<Record<OrderStateName, SupplierOrderStateName>> = {
  purchasing: 'draft',
  awaiting_shipment: 'accepted',
  partially_shipped: 'partially_shipped',
  shipped: 'shipped',
  partially_delivered: 'shipped',
  delivered: 'delivered',
  cancelling: 'accepted',
};

const PAYMENT_IN: Partial<Record<OrderStateName, OrderContext['payment']>> = {
  awaiting_payment: 'pending',
  refunded: 'refunded',
};

const LINE = { ordered: 2, outside: 0, unallocated: 2, held: 0, cancelled: 0 };

const contextOf = (value: OrderStateName, over: Partial<OrderContext> = {}): OrderContext => {
  const bought = SUPPLIER_ORDER_IN[value];
  return {
    orderId: ORDER_ID,
    sourceUpdatedAt: '2026-11-22T08:00:00.000Z',
    payment: PAYMENT_IN[value] ?? 'paid',
    cancelledInShop: value === 'cancelled',
    test: value === 'received',
    hasAddress: true,
    graceOver: bought !== undefined,
    round: 1,
    lines: { L1: bought === undefined ? LINE : { ...LINE, unallocated: 0 } },
    inShop: { L1: { units: 2, ours: 2 } },
    supplierOrders: bought === undefined ? {} : { [SUPPLIER_ORDER_ID]: { state: bought, units: { L1: 2 } } },
    holds: {},
    ...over,
  };
};

const stateOf = (value: OrderStateName, over?: Partial<OrderContext>): OrderState => ({
  value,
  context: contextOf(value, over),
});

const HOLD = { [holdIdOf(ORDER_ID, 'operator', '')]: { reason: 'operator' as const } };
const own = (event: OrderEvent): OrderMachineEvent => event as OrderMachineEvent;
const OLDER = { sourceUpdatedAt: '2026-11-22T07:59:59.999Z' };
const NEWER = { sourceUpdatedAt: '2026-11-22T08:00:00.001Z' };

const EVENTS = {
  'order.received, newer': own(received(NEWER)),
  'order.received, the same again': own(received()),
  'order.received, older': own(received(OLDER)),
  'order.updated, newer': own(updated(NEWER)),
  'order.updated, the same again': own(updated({ sourceUpdatedAt: '2026-11-22T08:00:00.000Z' })),
  'order.updated, older': own(updated(OLDER)),
  'order.updated, as old and otherwise': own(
    updated({ sourceUpdatedAt: '2026-11-22T08:00:00.000Z', canBeReread: true, lines: [aLine({ units: 1 })] }),
  ),
  'the shop’s last word before buying': own(verified()),
  'order.sourced of this round': own(sourced()),
  'order.sourced of another round': own(sourced({ round: 2 })),
  'the risk is assessed': own(riskAssessed('high')),
  'a release that fits a hold': own(releaseRequested('operator')),
  'a release that fits no hold': own(releaseRequested('overdue')),
  'a mail was sent': own(mailSent()),
  'a mail failed': own(mailFailed()),
  'a person holds it': own(holdRequested()),
  'a person cancels it': own(cancelRequested()),
  'a person puts an address': own(changeRequested({ hasAddress: true })),
  'a person wants more units than before': own(changeRequested({ units: { L1: 3 } })),
  'a person buys by hand': own(purchaseRequested()),
  'timer cancelling': own(elapsed('cancelling')),
  'timer payment': own(elapsed('payment')),
  'timer grace': own(elapsed('grace')),
  'timer verify': own(elapsed('verify')),
  'timer sourcing': own(elapsed('sourcing')),
  'a supplier order moved': {
    type: 'supplier_order.moved',
    data: { supplierOrderId: SUPPLIER_ORDER_ID, state: 'accepted' },
  },
  'a supplier order was sent': {
    type: 'supplier_order.sent',
    data: { supplierOrderId: SUPPLIER_ORDER_ID, sentTo: 'a1' },
  },
  'a first parcel has arrived': {
    type: 'supplier_order.arrived',
    data: { supplierOrderId: SUPPLIER_ORDER_ID },
  },
  'a draft was given up': {
    type: 'supplier_order.given_up',
    data: { supplierOrderId: SUPPLIER_ORDER_ID, by: 'order' },
  },
  'a supplier order failed': {
    type: 'supplier_order.failed',
    data: { supplierOrderId: SUPPLIER_ORDER_ID, state: 'rejected', reason: 'out_of_stock', evidence: {} },
  },
  'a supplier order is torn': {
    type: 'supplier_order.torn',
    data: { supplierOrderId: SUPPLIER_ORDER_ID, left: {}, rest: {}, evidence: {} },
  },
  'the shop holds it': own(heldInShop()),
  'what was held is over': { type: 'hold.passed', data: { supplierOrderId: SUPPLIER_ORDER_ID } },
  'a hold is raised': { type: 'hold.raised', data: { reason: 'overdue', evidence: {} } },
} as const satisfies Record<string, OrderMachineEvent>;
type EventName = keyof typeof EVENTS;

/** A mail may still be on its way when the order is over. */
const MAILS: readonly EventName[] = ['a mail was sent', 'a mail failed'];
/** Holds come and go wherever an order stands, even over a dead one: its purchases may turn out to live. */
const ALWAYS: readonly EventName[] = [
  ...MAILS,
  'a release that fits a hold',
  'a hold is raised',
  'what was held is over',
  'a person cancels it',
];
/** What a person may ask of an order that is not over. What cannot be done any more is taken, and becomes a hold. */
const REQUESTS: readonly EventName[] = [
  'a person holds it',
  'a person puts an address',
  'a person wants more units than before',
  'a person buys by hand',
];
const OPEN: readonly EventName[] = [
  ...ALWAYS,
  ...REQUESTS,
  'the risk is assessed',
  'order.received, newer',
  'order.updated, newer',
  'order.updated, as old and otherwise',
];
const SUPPLIER_ORDERS: readonly EventName[] = [
  'a supplier order moved',
  'a supplier order was sent',
  'a first parcel has arrived',
  'a draft was given up',
  'a supplier order failed',
  'a supplier order is torn',
];

/**
 * What each state takes; it refuses everything else. What was cancelled as a whole reads no body, what was refunded as
 * a whole only one that says it is paid again.
 */
const ACCEPTED: Record<OrderStateName, readonly EventName[]> = {
  // A test order: nobody has to know which of its bodies came last, and nothing of it can be had another way.
  received: OPEN.filter(
    (name) =>
      name !== 'order.updated, as old and otherwise' &&
      name !== 'a person puts an address' &&
      name !== 'a person wants more units than before',
  ),
  awaiting_payment: [...OPEN, ...SUPPLIER_ORDERS, 'timer payment'],
  grace: [...OPEN, ...SUPPLIER_ORDERS, 'timer grace'],
  sourcing: [...OPEN, ...SUPPLIER_ORDERS, 'order.sourced of this round', 'timer sourcing'],
  // Before, the shop is still to be asked; afterwards no money is left to be spent.
  purchasing: [...OPEN, ...SUPPLIER_ORDERS, 'the shop holds it'],
  awaiting_shipment: [...OPEN, ...SUPPLIER_ORDERS],
  partially_shipped: [...OPEN, ...SUPPLIER_ORDERS],
  shipped: [...OPEN, ...SUPPLIER_ORDERS],
  partially_delivered: [...OPEN, ...SUPPLIER_ORDERS],
  delivered: [
    ...ALWAYS,
    ...SUPPLIER_ORDERS,
    'the risk is assessed',
    'a person holds it',
    'order.received, newer',
    'order.updated, newer',
    'order.updated, as old and otherwise',
  ],
  cancelling: [...OPEN, ...SUPPLIER_ORDERS, 'timer cancelling'],
  cancelled: ALWAYS,
  refunded: [
    ...ALWAYS,
    'order.received, newer',
    'order.updated, newer',
    'order.updated, as old and otherwise',
  ],
};

for (const state of ORDER_STATES) {
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const isAccepted = ACCEPTED[state].includes(name);
    test(`${state} ${isAccepted ? 'takes' : 'refuses'}: ${name}`, () => {
      const before = stateOf(state, name === 'a release that fits a hold' ? { holds: HOLD } : {});
      const decision = decideOrder(before, EVENTS[name]);
      expect(decision.accepted).toBe(isAccepted);
      if (isAccepted) return;
      expect(decision.state).toBe(before);
      expect(decision.effects).toEqual([]);
    });
  }
}

test('the table speaks of every event that the machine knows', () => {
  const types = new Set<string>(Object.values(EVENTS).map(({ type }) => type));
  expect([...orderMachine.events].sort()).toEqual([...types].sort());
});

const SUPPLIER_DEADLINES = (Object.keys(DEADLINES) as DeadlineName[]).filter(
  (deadline) => !['payment', 'grace', 'verify', 'sourcing', 'cancelling'].includes(deadline),
);

test.each(ORDER_STATES)('%s refuses every timer that belongs to a supplier order', (state) => {
  for (const deadline of SUPPLIER_DEADLINES)
    expect(decideOrder(stateOf(state), own(elapsed(deadline))).accepted).toBe(false);
});

test('an order in grace takes the shop’s word, and the timer for it, only when it asked', () => {
  const asked = { graceOver: true, canBeReread: true, verification: 'asked' as const };
  for (const name of ['the shop’s last word before buying', 'timer verify'] as const) {
    expect(decideOrder(stateOf('grace', asked), EVENTS[name]).accepted).toBe(true);
    expect(decideOrder(stateOf('grace'), EVENTS[name]).accepted).toBe(false);
  }
});

test('a held order in sourcing takes neither a plan nor its timer', () => {
  const held = stateOf('sourcing', { holds: HOLD });
  expect(decideOrder(held, EVENTS['order.sourced of this round']).accepted).toBe(false);
  expect(decideOrder(held, EVENTS['timer sourcing']).accepted).toBe(false);
});

/** Two supplier orders and what the order is then, with every unit on them. */
const TOGETHER: readonly [SupplierOrderStateName, SupplierOrderStateName, OrderStateName][] = [
  ['draft', 'draft', 'purchasing'],
  ['accepted', 'placing', 'purchasing'],
  ['accepted', 'outcome_unknown', 'purchasing'],
  ['processing', 'awaiting_payment', 'purchasing'],
  ['shipped', 'draft', 'purchasing'],
  ['delivered', 'draft', 'purchasing'],
  ['accepted', 'accepted', 'awaiting_shipment'],
  ['accepted', 'processing', 'awaiting_shipment'],
  ['partially_shipped', 'accepted', 'partially_shipped'],
  ['shipped', 'processing', 'partially_shipped'],
  ['shipped', 'partially_shipped', 'partially_shipped'],
  ['shipped', 'shipped', 'shipped'],
  ['delivered', 'accepted', 'partially_delivered'],
  ['delivered', 'shipped', 'partially_delivered'],
  ['delivered', 'delivered', 'delivered'],
  ['delivered', 'cancelled', 'delivered'],
  ['rejected', 'accepted', 'awaiting_shipment'],
  ['rejected', 'lapsed', 'purchasing'],
];

test.each(TOGETHER)('supplier orders %s and %s make an order %s', (first, second, whole) => {
  const supplierOrders = { A: { state: first, units: { L1: 1 } }, B: { state: second, units: { L1: 1 } } };
  const lines = { L1: { ...LINE, unallocated: 0 } };
  expect(progressOf(contextOf('purchasing', { lines, supplierOrders }))).toBe(whole);
});

/** What an order with a unit under a hold is while the rest of it has come this far. */
const NOT_WHOLE: readonly [SupplierOrderStateName, OrderStateName][] = [
  ['accepted', 'purchasing'],
  ['shipped', 'partially_shipped'],
  ['delivered', 'partially_delivered'],
];

test.each(NOT_WHOLE)('a supplier order %s beside a held unit makes an order %s', (state, whole) => {
  const supplierOrders = { A: { state, units: { L1: 1 } } };
  const lines = { L1: { ...LINE, unallocated: 0, held: 1 } };
  expect(progressOf(contextOf('purchasing', { lines, supplierOrders }))).toBe(whole);
});

const STARTS: readonly [string, Parameters<typeof aReceivedOrder>[0], OrderStateName][] = [
  ['paid', {}, 'grace'],
  ['unpaid', { payment: 'pending' }, 'awaiting_payment'],
  ['cancelled in the shop', { cancelled: true }, 'cancelled'],
  ['voided', { payment: 'voided' }, 'cancelled'],
  ['refunded', { payment: 'refunded' }, 'refunded'],
  ['paid and a test', { test: true }, 'received'],
  ['unpaid and a test', { test: true, payment: 'pending' }, 'received'],
  ['without an address', { hasAddress: false }, 'grace'],
  ['paid and digital', { lines: [aLine({ deliveredBy: 'nobody' })] }, 'delivered'],
  [
    'unpaid and digital',
    { payment: 'pending', lines: [aLine({ deliveredBy: 'nobody' })] },
    'awaiting_payment',
  ],
  ['paid and already shipped', { lines: [aLine({ openUnits: 0 })] }, 'delivered'],
  ['paid and taken back line by line', { lines: [aLine({ units: 0 })] }, 'cancelled'],
  [
    'partly shipped already, the rest taken back',
    { lines: [aLine({ openUnits: 0 }), aLine({ lineId: 'L2', units: 0 })] },
    'delivered',
  ],
  [
    'partly for another service',
    { lines: [aLine(), aLine({ lineId: 'L2', deliveredBy: 'other_service' })] },
    'grace',
  ],
];

test.each(STARTS)('an order that comes %s starts well', (_, over, value) => {
  expect(startOrder(aReceivedOrder(over)).state.value).toBe(value);
});

test('units that are not ours to buy are counted as outside, those of another service as held', () => {
  const { state } = startOrder(
    aReceivedOrder({
      lines: [
        aLine({ lineId: 'half', units: 5, openUnits: 3 }),
        aLine({ lineId: 'gift', units: 1, deliveredBy: 'nobody' }),
        aLine({ lineId: 'theirs', units: 4, openUnits: 3, deliveredBy: 'other_service' }),
      ],
    }),
  );
  expect(state.context.lines).toEqual({
    half: { ordered: 5, outside: 2, unallocated: 3, held: 0, cancelled: 0 },
    gift: { ordered: 1, outside: 1, unallocated: 0, held: 0, cancelled: 0 },
    theirs: { ordered: 4, outside: 1, unallocated: 0, held: 3, cancelled: 0 },
  });
});

test('bodies say their instant with milliseconds, so that two of them compare as text', () => {
  const withInstant = (sourceUpdatedAt: string) =>
    OrderReceived.safeParse({ ...aReceivedOrder(), sourceUpdatedAt }).success;
  expect(withInstant('2026-11-22T08:00:00.500Z')).toBe(true);
  for (const other of ['2026-11-22T08:00:00Z', '2026-11-22T08:00:00.5Z', '2026-11-22T08:00:00.500+01:00'])
    expect(withInstant(other)).toBe(false);
});

const OFF: readonly [string, Partial<OrderContext>][] = [
  ['cancelled in the shop', { cancelledInShop: true }],
  ['voided', { payment: 'voided' }],
  ['refunded', { payment: 'refunded' }],
];

test.each(OFF)('an order %s with a part on its way sources nothing, though units wait', (_, over) => {
  const lines = { L1: { ...LINE, unallocated: 1 } };
  const supplierOrders = { A: { state: 'accepted' as const, units: { L1: 1 } } };
  const state = stateOf('purchasing', { lines, supplierOrders, ...over });
  const moved = decideOrder(state, {
    type: 'supplier_order.moved',
    data: { supplierOrderId: 'A', state: 'processing' },
  });
  expect(moved.state.value).toBe('purchasing');
  expect(moved.effects).toEqual([]);
});
