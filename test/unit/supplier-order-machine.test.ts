import { expect, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { parcelIdOf } from '../../contracts/ids.ts';
import {
  FAILURE_CLASSES,
  type HoldReason,
  SUPPLIER_ORDER_STATES,
  type SupplierOrderStateName,
} from '../../contracts/vocabulary.ts';
import { decideSupplierOrder, type SupplierOrderState } from '../../machines/decide.ts';
import type { ToSupplierOrder } from '../../machines/effect.ts';
import type { Parcels, ParcelUnits } from '../../machines/parcel-place.ts';
import { supplierOrderMachine } from '../../machines/supplier-order.ts';
import {
  absent,
  accepted,
  aParcel,
  cancelConfirmed,
  cancelRefused,
  contentsTold,
  deferred,
  elapsed,
  fulfillmentWithheld,
  ORDER_ID,
  observed,
  outcomeUnknown,
  placed,
  placing,
  prepared,
  rejected,
  retryRequested,
  SUPPLIER_ORDER_ID,
  supplierCancelRequested,
  synced,
  TRACKING_NUMBER,
  withheld,
} from './builders.ts';

type SupplierOrderEvent = Parameters<typeof decideSupplierOrder>[1];

const PARCEL_ID = parcelIdOf(SUPPLIER_ORDER_ID, TRACKING_NUMBER);

/** Half or all of the two units in one parcel that the shop does not show yet. */
const parcels = (state: Exclude<ParcelUnits['furthest'], 'left'>, units: number): Parcels => ({
  [PARCEL_ID]: {
    state,
    furthest: state,
    trackingNumber: TRACKING_NUMBER,
    lastMileTrackingNumber: null,
    units: { L1: units },
    isFulfilled: false,
  },
});

const PARCELS_IN: Partial<Record<SupplierOrderStateName, Parcels>> = {
  awaiting_payment: parcels('announced', 2),
  accepted: parcels('announced', 2),
  processing: parcels('announced', 2),
  partially_shipped: parcels('in_transit', 1),
  shipped: parcels('in_transit', 2),
  delivered: parcels('delivered', 2),
};

const stateOf = (value: SupplierOrderStateName): SupplierOrderState => ({
  value,
  context: {
    orderId: ORDER_ID,
    supplierOrderId: SUPPLIER_ORDER_ID,
    units: { L1: 2 },
    status: null,
    parcels: PARCELS_IN[value] ?? {},
    isDeferred: false,
    attempt: 0,
  },
});

const own = (event: OrderEvent): SupplierOrderEvent => event as SupplierOrderEvent;
const told = (type: ToSupplierOrder['type']): SupplierOrderEvent => ({ type });

const EVENTS = {
  placing: own(placing()),
  placed: own(placed()),
  accepted: own(accepted()),
  rejected: own(rejected()),
  'rejected without a clear no': own(rejected('duplicate_reference')),
  deferred: own(deferred()),
  'outcome unknown': own(outcomeUnknown()),
  absent: own(absent()),
  withheld: own(withheld('credentials_expired')),
  'withheld for the payment': own(withheld('insufficient_funds')),
  'withheld as a suspected duplicate': own(withheld('duplicate_suspected')),
  'withheld for a bill': own(withheld('payment_pending', SUPPLIER_ORDER_ID, 0, { billId: 'BT1' })),
  'observed something new': own(observed('processing')),
  'the shop shows the parcel': own(synced(PARCEL_ID)),
  'the shop shows a parcel that nobody knows': own(synced('pcl_unknown')),
  'the shop refuses the parcel': own(fulfillmentWithheld(PARCEL_ID)),
  'timer buy': own(elapsed('buy', SUPPLIER_ORDER_ID)),
  'timer placing': own(elapsed('placing', SUPPLIER_ORDER_ID)),
  'timer look_up': own(elapsed('look_up', SUPPLIER_ORDER_ID)),
  'timer pay': own(elapsed('pay', SUPPLIER_ORDER_ID)),
  'timer ship': own(elapsed('ship', SUPPLIER_ORDER_ID)),
  'timer deliver': own(elapsed('deliver', SUPPLIER_ORDER_ID)),
  'timer fulfill': own(elapsed('fulfill', SUPPLIER_ORDER_ID, PARCEL_ID)),
  'timer fulfill of an unknown parcel': own(elapsed('fulfill', SUPPLIER_ORDER_ID, 'pcl_unknown')),
  "a timer of the order's own": own(elapsed('grace', SUPPLIER_ORDER_ID)),
  'timer cancel': own(elapsed('cancel', SUPPLIER_ORDER_ID)),
  'timer cancelling': own(elapsed('cancelling', SUPPLIER_ORDER_ID)),
  'a person gives it up': own(supplierCancelRequested()),
  'a person tries again': own(retryRequested()),
  'a person tells what a parcel holds': own(contentsTold('X', { L1: 1 })),
  prepared: own(prepared({ L1: 2 }, SUPPLIER_ORDER_ID)),
  'prepared for other units': own(prepared({ L1: 1 }, SUPPLIER_ORDER_ID)),
  'the supplier gives it up': own(cancelConfirmed()),
  'the supplier does not give it up': own(cancelRefused(true)),
  'the order resumed': told('order.resumed'),
  'the order was cancelled': told('order.cancelled'),
} as const;
type EventName = keyof typeof EVENTS;

/**
 * What each state takes; it refuses everything else. A purchase that is being placed needs no word from its order: its
 * own timer brings it to a look-up. Verdicts are taken while a call runs or is in doubt, and only then:
 * the ledger lets none through without its intent; an answer that comes after all that can only be a duplicate. That
 * its order does not want it is heard everywhere; a person cannot give up what has left.
 */
const ACCEPTED: Record<SupplierOrderStateName, readonly EventName[]> = {
  draft: [
    'prepared',
    'placing',
    'withheld',
    'withheld for the payment',
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'timer buy',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
    'a person tries again',
  ],
  placing: [
    'placing',
    'placed',
    'accepted',
    'rejected',
    'rejected without a clear no',
    'deferred',
    'outcome unknown',
    'withheld',
    'withheld for the payment',
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'timer buy',
    'timer placing',
    'the order was cancelled',
    'a person gives it up',
  ],
  outcome_unknown: [
    'placed',
    'accepted',
    'rejected',
    'absent',
    'withheld',
    'withheld for the payment',
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'timer look_up',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
    'a person tries again',
  ],
  awaiting_payment: [
    'accepted',
    'rejected',
    'observed something new',
    'withheld',
    'withheld for the payment',
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer pay',
    'timer fulfill',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
    'a person tries again',
  ],
  accepted: [
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer ship',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
  ],
  processing: [
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer ship',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
  ],
  partially_shipped: [
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer ship',
    'timer fulfill',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
  ],
  shipped: [
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer deliver',
    'timer fulfill',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
  ],
  delivered: [
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the shop shows the parcel',
    'the shop refuses the parcel',
    'timer fulfill',
    'the order resumed',
    'the order was cancelled',
    'a person gives it up',
  ],
  rejected: ['withheld as a suspected duplicate', 'withheld for a bill'],
  cancelling: [
    'accepted',
    'rejected',
    'withheld',
    'withheld as a suspected duplicate',
    'withheld for a bill',
    'observed something new',
    'a person tells what a parcel holds',
    'the supplier gives it up',
    'the supplier does not give it up',
    'timer cancel',
    'timer cancelling',
    'a person tries again',
    'the order resumed',
  ],
  cancelled: ['withheld as a suspected duplicate', 'withheld for a bill'],
  lapsed: ['withheld as a suspected duplicate', 'withheld for a bill'],
};

for (const state of SUPPLIER_ORDER_STATES) {
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const isAccepted = ACCEPTED[state].includes(name);
    test(`${state} ${isAccepted ? 'takes' : 'refuses'}: ${name}`, () => {
      const before = stateOf(state);
      const decision = decideSupplierOrder(before, EVENTS[name]);
      expect(decision.accepted).toBe(isAccepted);
      if (isAccepted) return;
      expect(decision.state).toBe(before);
      expect(decision.effects).toEqual([]);
    });
  }
}

test('the table speaks of every event that the machine knows', () => {
  const types = new Set<string>(Object.values(EVENTS).map(({ type }) => type));
  expect([...supplierOrderMachine.events].sort()).toEqual([...types].sort());
});

/** Classes that say that the supplier may have the order already; a release of their hold would buy it a second time. */
const DOUBTS = ['unknown_outcome', 'duplicate_reference'] as const;
type ClearRefusal = Exclude<(typeof FAILURE_CLASSES)[number], (typeof DOUBTS)[number]>;

const HOLDS: Record<ClearRefusal, HoldReason> = {
  transient: 'supplier_rejected',
  throttled: 'quota_exhausted',
  auth: 'credentials_expired',
  funds: 'insufficient_funds',
  invalid_input: 'supplier_rejected',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  price_changed: 'cost_above_cap',
  account_blocked: 'account_risk',
  permanent: 'supplier_rejected',
};

test.each(Object.keys(HOLDS) as ClearRefusal[])(
  'a refusal of class %s asks for the hold that names its mend',
  (failureClass) => {
    const { state, effects } = decideSupplierOrder(stateOf('placing'), own(rejected(failureClass)));
    expect(state.value).toBe('rejected');
    expect(effects).toContainEqual({
      kind: 'tell_order',
      event: {
        type: 'supplier_order.failed',
        data: {
          supplierOrderId: SUPPLIER_ORDER_ID,
          state: 'rejected',
          reason: HOLDS[failureClass],
          evidence: { code: 1_603_000 },
        },
      },
    });
  },
);

test.each([
  ['address1', 'address_invalid'],
  ['zip', 'address_invalid'],
  ['phone', 'phone_invalid'],
  ['taxId', 'tax_id_missing'],
  ['birthday', 'tax_id_missing'],
  ['callerRef', 'supplier_rejected'],
] as const)('an order that is refused for its %s asks for the hold %s', (field, reason) => {
  const refused = rejected('invalid_input', SUPPLIER_ORDER_ID, 1, { field });
  const { effects } = decideSupplierOrder(stateOf('placing'), own(refused));
  expect(effects).toContainEqual(
    expect.objectContaining({
      event: expect.objectContaining({
        type: 'supplier_order.failed',
        data: expect.objectContaining({ reason }),
      }),
    }),
  );
});

test('every failure class is either a clear refusal or a doubt', () => {
  expect([...Object.keys(HOLDS), ...DOUBTS].sort()).toEqual([...FAILURE_CLASSES].sort());
});

test.each(DOUBTS)(
  'a refusal of class %s is a doubt: it is looked up, and no payment is given up for it',
  (failureClass) => {
    const { state, effects } = decideSupplierOrder(stateOf('placing'), own(rejected(failureClass)));
    expect(state.value).toBe('outcome_unknown');
    expect(effects).toContainEqual({
      kind: 'set_timer',
      timer: { deadline: 'look_up', supplierOrderId: SUPPLIER_ORDER_ID },
    });
    for (const value of ['outcome_unknown', 'awaiting_payment'] as const)
      expect(decideSupplierOrder(stateOf(value), own(rejected(failureClass))).accepted).toBe(false);
  },
);

test('a purchase that its supplier holds back is held before the money, and paid after the release', () => {
  const heldBack = 'address intercepted';
  const held = decideSupplierOrder(stateOf('placing'), own(placed(undefined, 1, { heldBack })));
  expect(held.state.value).toBe('awaiting_payment');
  expect(held.effects.filter(({ kind }) => kind === 'command' || kind === 'set_timer')).toEqual([]);
  expect(held.effects).toContainEqual({
    kind: 'tell_order',
    event: {
      type: 'hold.raised',
      data: {
        reason: 'supplier_rejected',
        supplierOrderId: SUPPLIER_ORDER_ID,
        evidence: { supplierReference: 'SD2611220001', heldBack },
      },
    },
  });
  const released = decideSupplierOrder(held.state, told('order.resumed'));
  expect(released.effects).toContainEqual(expect.objectContaining({ kind: 'command', verb: 'pay' }));
});

test('a purchase that the supplier puts off waits for its timer instead of asking at once', () => {
  const { state, effects } = decideSupplierOrder(stateOf('placing'), own(deferred()));
  expect(state.value).toBe('draft');
  expect(effects.filter(({ kind }) => kind === 'command')).toEqual([]);
  expect(effects).toContainEqual({
    kind: 'set_timer',
    timer: { deadline: 'buy', supplierOrderId: SUPPLIER_ORDER_ID },
  });
});

test('a purchase put off, doubted and found absent is asked for at once', () => {
  const events = [deferred(), placing(), outcomeUnknown(), absent()].map(own);
  let step = decideSupplierOrder(stateOf('placing'), EVENTS.placing);
  for (const event of events) {
    step = decideSupplierOrder(step.state, event);
    expect(step.accepted).toBe(true);
  }
  expect(step.state.value).toBe('draft');
  expect(step.effects).toContainEqual(expect.objectContaining({ kind: 'command', verb: 'buy' }));
});

test('a purchase withheld while it is being placed keeps the timer that leads to a look-up', () => {
  const { state, effects } = decideSupplierOrder(stateOf('placing'), own(withheld()));
  expect(effects.map(({ kind }) => kind)).toEqual(['tell_order']);
  expect(decideSupplierOrder(state, EVENTS['timer placing']).state.value).toBe('outcome_unknown');
});

test('a purchase whose intent was never told is still given up: its old timer sets the deadline of the call', () => {
  const { state, effects } = decideSupplierOrder(stateOf('placing'), EVENTS['timer buy']);
  expect(state.value).toBe('placing');
  expect(
    effects.map((effect) => ('timer' in effect ? [effect.kind, effect.timer.deadline] : effect.kind)),
  ).toEqual([
    ['cancel_timer', 'buy'],
    ['set_timer', 'placing'],
  ]);
});

test('an absence counted for the first attempt does not clear the doubt about the second', () => {
  let state = stateOf('draft');
  for (const event of [placing(), outcomeUnknown(), absent(), placing(undefined, 2)])
    state = decideSupplierOrder(state, own(event)).state;
  state = decideSupplierOrder(state, own(outcomeUnknown(undefined, 2))).state;
  expect(state.value).toBe('outcome_unknown');
  expect(decideSupplierOrder(state, own(absent(undefined, 1))).accepted).toBe(false);
});

test('an observation that says nothing new is refused', () => {
  const once = decideSupplierOrder(stateOf('accepted'), own(observed('processing')));
  expect(once.accepted).toBe(true);
  expect(decideSupplierOrder(once.state, own(observed('processing'))).accepted).toBe(false);
});

test('an observation counts as new by its parcels as well', () => {
  const look = observed('shipped', [aParcel({ state: 'out_for_delivery' })]);
  const once = decideSupplierOrder(stateOf('shipped'), own(look));
  expect(once.accepted).toBe(true);
  expect(decideSupplierOrder(once.state, own(look)).accepted).toBe(false);
});
