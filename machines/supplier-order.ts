import { and, not, setup } from 'xstate';
import { BUY, CANCEL, LOOK_UP, PAY, type PurchaseCommand } from '../contracts/commands/purchase.ts';
import type { DeadlineName } from '../contracts/deadlines.ts';
import type { OrderEvent } from '../contracts/events/order-event.ts';
import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { FactType } from '../contracts/facts.ts';
import type {
  Compensation,
  Evidence,
  FailureClass,
  HoldReason,
  SupplierOrderStateName,
} from '../contracts/vocabulary.ts';
import type { Change, Effect, ToSupplierOrder } from './effect.ts';
import {
  delayParcel,
  fulfillCommand,
  hasLeft,
  observeParcels,
  type Parcels,
  parcelProgress,
  splitByLeft,
} from './parcels.ts';
import { unitsOfPart } from './purchase-units.ts';
import {
  elapsed,
  isDoubt,
  isLateParcel,
  isNews,
  isOfLastAttempt,
  isOpenParcel,
  isSameUnits,
  isSuspectedDuplicate,
} from './supplier-order-guards.ts';

/** Counts, flags and ids; what was bought and where it goes stands in tables. */
export interface SupplierOrderContext {
  readonly orderId: string;
  readonly supplierOrderId: string;
  /** Order line id to units of that line. */
  readonly units: Readonly<Record<string, number>>;
  readonly status: SupplierOrderObserved['status'] | null;
  readonly parcels: Parcels;
  /** The supplier said "not now": draft waits for its timer instead of asking at once. */
  readonly isDeferred: boolean;
  /** The longest that the quote promised; absent where it promised nothing. */
  readonly deliveryDays?: number;
  /** Of the purchase call that the ledger let through last, as far as we were told; 0 before the first. */
  readonly attempt: number;
  /** The shop is not told of its parcels: there is none. */
  readonly isWithoutShop?: true;
  /** Nobody wants it any more: its order as a whole, or a person who gave up this purchase alone. */
  readonly unwantedBy?: 'order' | 'operator';
  /** What is done about that; it follows from how far the purchase had come. */
  readonly compensation?: Compensation;
}

export type SupplierOrderInput = Pick<
  SupplierOrderContext,
  'orderId' | 'supplierOrderId' | 'units' | 'isWithoutShop' | 'deliveryDays'
>;

export type SupplierOrderMachineEvent =
  | Extract<OrderEvent, { type: `supplier_order.${string}` | `fulfillment.${string}` | 'timer.elapsed' }>
  | ToSupplierOrder;

/** What a person has to look at when the supplier said no, by the class of its answer. */
const HOLD_OF: Record<FailureClass, HoldReason> = {
  transient: 'supplier_rejected',
  throttled: 'quota_exhausted',
  auth: 'credentials_expired',
  funds: 'insufficient_funds',
  invalid_input: 'supplier_rejected',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  price_changed: 'cost_above_cap',
  duplicate_reference: 'duplicate_suspected',
  account_blocked: 'account_risk',
  unknown_outcome: 'outcome_unknown',
  permanent: 'supplier_rejected',
};

const machine = setup({
  types: {
    input: {} as SupplierOrderInput | undefined,
    context: {} as SupplierOrderContext,
    events: {} as SupplierOrderMachineEvent,
  },
  actions: { effect: (_, _effect: Effect) => {} },
  guards: {
    isDelivered: ({ context }) => parcelProgress(context.units, context.parcels) === 'delivered',
    isShipped: ({ context }) => parcelProgress(context.units, context.parcels) === 'shipped',
    isPartiallyShipped: ({ context }) =>
      parcelProgress(context.units, context.parcels) === 'partially_shipped',
    isProcessing: ({ context }) => context.status === 'processing',
    isPaid: ({ context }) =>
      context.status !== null && context.status !== 'awaiting_payment' && context.status !== 'cancelled',
    isUnwanted: ({ context }) => context.unwantedBy !== undefined,
    isCancelled: ({ context }) =>
      context.status === 'cancelled' && !Object.values(context.parcels).some(hasLeft),
  },
});

const apply = (
  change: (context: SupplierOrderContext, event: SupplierOrderMachineEvent) => Change<SupplierOrderContext>,
) =>
  machine.enqueueActions(({ context, event, enqueue }) => {
    const { context: changed, effects } = change(context, event);
    enqueue.assign(changed);
    for (const effect of effects) enqueue({ type: 'effect', params: effect });
  });

const purchase = (context: SupplierOrderContext, verb: string): Effect => {
  const data: PurchaseCommand = { orderId: context.orderId, supplierOrderId: context.supplierOrderId };
  return { kind: 'command', service: 'suppliers', verb, id: context.supplierOrderId, data };
};

const timer = (context: SupplierOrderContext, deadline: DeadlineName) => ({
  deadline,
  supplierOrderId: context.supplierOrderId,
});

/** Says the new state to the order and, where outsiders care, to the crew. */
const entered = (
  state: SupplierOrderStateName,
  fact?: FactType,
  more?: (context: SupplierOrderContext) => Effect[],
) =>
  apply((context) => {
    const { supplierOrderId } = context;
    const told: Effect = {
      kind: 'tell_order',
      event: { type: 'supplier_order.moved', data: { supplierOrderId, state } },
    };
    const effects: Effect[] = [told, ...(more?.(context) ?? [])];
    if (fact !== undefined) effects.push({ kind: 'fact', type: fact, data: { supplierOrderId, state } });
    return { context: {}, effects };
  });

const wait =
  (deadline: DeadlineName) =>
  (context: SupplierOrderContext): Effect[] => [{ kind: 'set_timer', timer: timer(context, deadline) }];

const ask =
  (verb: string, deadline: DeadlineName) =>
  (context: SupplierOrderContext): Effect[] => [purchase(context, verb), ...wait(deadline)(context)];

const stopWaiting = (deadline: DeadlineName) =>
  apply((context) => ({ context: {}, effects: [{ kind: 'cancel_timer', timer: timer(context, deadline) }] }));

const askAgain = (verb: string, deadline: DeadlineName) =>
  apply((context) => ({ context: {}, effects: ask(verb, deadline)(context) }));

const raised = (
  { supplierOrderId }: SupplierOrderContext,
  reason: HoldReason,
  evidence: Evidence,
): Effect => ({
  kind: 'tell_order',
  event: { type: 'hold.raised', data: { reason, supplierOrderId, evidence } },
});

/** Suppliers will not go on by itself: the order is held, and asking again stops until somebody releases it. */
const withheld = (stopping: DeadlineName | null) =>
  apply((context, event) => {
    if (event.type !== 'supplier_order.withheld') return { context: {}, effects: [] };
    const hold = raised(context, event.data.reason, event.data.evidence);
    if (stopping === null) return { context: {}, effects: [hold] };
    return { context: {}, effects: [{ kind: 'cancel_timer', timer: timer(context, stopping) }, hold] };
  });

const failed = apply((context, event) => {
  const { supplierOrderId } = context;
  const refusal =
    event.type === 'supplier_order.rejected'
      ? {
          state: 'rejected' as const,
          reason: HOLD_OF[event.data.failureClass],
          evidence: event.data.evidence,
        }
      : { state: 'cancelled' as const, reason: 'supplier_cancelled' as const, evidence: {} };
  return {
    context: {},
    effects: [
      { kind: 'tell_order', event: { type: 'supplier_order.failed', data: { supplierOrderId, ...refusal } } },
    ],
  };
});

/** Nobody paid in time, or it was closed unpaid: no money was spent, and its units wait again. */
const lapsed = apply(({ supplierOrderId }) => {
  const evidence = { cause: 'closed at the supplier before it was paid' };
  const data = { supplierOrderId, state: 'lapsed' as const, reason: 'supplier_cancelled' as const, evidence };
  return {
    context: {},
    effects: [{ kind: 'tell_order', event: { type: 'supplier_order.failed', data } }],
  };
});

const isByOperator = (event: SupplierOrderMachineEvent): boolean =>
  event.type === 'supplier_order.cancel_requested';

/** It comes to nothing because nobody wants it any more. */
const giveUp = apply(({ supplierOrderId, unwantedBy }) => ({
  context: {},
  effects: [
    {
      kind: 'tell_order',
      event: { type: 'supplier_order.given_up', data: { supplierOrderId, by: unwantedBy ?? 'order' } },
    },
  ],
}));

/** Remembers that nobody wants it, and what is done about it. */
const unwanted = (compensation: Compensation) =>
  apply((_context, event) => ({
    context: { unwantedBy: isByOperator(event) ? 'operator' : 'order', compensation },
    effects: [],
  }));

/** An order says it with each of its bodies, and is heard once; a person may ask again. */
const isFirstNo = ({ context, event }: { context: SupplierOrderContext; event: SupplierOrderMachineEvent }) =>
  context.unwantedBy === undefined || isByOperator(event);

/** The two ways to hear that it is not wanted, answered alike. */
const whenUnwanted = (compensation: Compensation, target?: 'cancelling') => {
  const transition = {
    guard: isFirstNo,
    actions: unwanted(compensation),
    ...(target === undefined ? {} : { target }),
  };
  return { 'order.cancelled': transition, 'supplier_order.cancel_requested': transition };
};

/** What has left cannot be called back; a person who wants that is refused before it gets here. */
const whenTooLate = {
  'order.cancelled': { guard: isFirstNo, actions: unwanted('too_late') },
};

const stillThere = (context: SupplierOrderContext, evidence: Evidence): Effect => {
  const reason = context.unwantedBy === 'operator' ? 'supplier_rejected' : 'customer_edit_pending';
  return raised(context, reason, { ...evidence, cancelled: false });
};

/** The supplier does not give it up: a person has to speak with it, or let it go on. */
const heldUncancelled = apply((context, event) => {
  if (event.type !== 'supplier_order.cancel_refused') return { context: {}, effects: [] };
  const { isPaid, evidence } = event.data;
  return { context: {}, effects: [stillThere(context, { ...evidence, isPaid })] };
});

/** It left while it was being given up. */
const leftMeanwhile = apply((context) => ({
  context: {},
  effects: [stillThere(context, { cause: 'it was shipped meanwhile' })],
}));

/** Said once; a release waits the whole time again. */
const overdue = (deadline: DeadlineName, waitingFor: string) =>
  apply((context) => ({
    context: {},
    effects: [
      { kind: 'cancel_timer', timer: timer(context, deadline) },
      raised(context, 'overdue', { waitingFor }),
    ],
  }));

const waitAgain = (deadline: DeadlineName) =>
  apply((context) => ({ context: {}, effects: wait(deadline)(context) }));

const observe = apply((context, event) => {
  if (event.type !== 'supplier_order.observed') return { context: {}, effects: [] };
  const { status, evidence } = event.data;
  const { parcels, effects } = observeParcels(context, event.data);
  if (status !== 'cancelled' || !Object.values(parcels).some(hasLeft))
    return { context: { status, parcels }, effects };
  const { left, rest } = splitByLeft(context.units, parcels);
  // Labels of parcels that never left go with the rest: it is bought anew.
  const gone = Object.fromEntries(Object.entries(parcels).filter(([, parcel]) => hasLeft(parcel)));
  const { supplierOrderId } = context;
  const torn: Effect = {
    kind: 'tell_order',
    event: { type: 'supplier_order.torn', data: { supplierOrderId, left, rest, evidence } },
  };
  const isAllGone = Object.keys(rest).length === 0;
  // Said once: a cancelled order of which all has left is a riddle for a person, and goes on its way meanwhile.
  const riddle = context.status === 'cancelled' ? [] : [raised(context, 'supplier_cancelled', evidence)];
  return {
    context: { status, parcels: gone, units: left },
    effects: [...effects, ...(isAllGone ? riddle : [torn])],
  };
});

const rememberAttempt = apply((context, event) => ({
  context:
    event.type === 'supplier_order.placing' || event.type === 'supplier_order.outcome_unknown'
      ? { attempt: Math.max(context.attempt, event.data.attempt) }
      : {},
  effects: [],
}));

const verdictEvents = {
  'supplier_order.placed': [
    { guard: 'isUnwanted' as const, target: 'cancelling' },
    { target: 'awaiting_payment' },
  ],
  'supplier_order.accepted': [{ guard: 'isUnwanted' as const, target: 'cancelling' }, { target: 'accepted' }],
};
const rejectedEvent = { target: 'rejected', actions: failed };
/** Nothing came of it, and nobody wants it any more: it is not tried again. */
const givenUpInstead = { guard: 'isUnwanted' as const, target: 'cancelled', actions: giveUp };
/** A dead purchase that turns out to live after all is money that somebody has to look after. */
const lateEvents = { 'supplier_order.withheld': { guard: isSuspectedDuplicate, actions: withheld(null) } };

/** Whoever releases the order or asks to try again does now what the deadline would do later. */
const askEvents = (verb: string, deadline: DeadlineName) => ({
  'order.resumed': { actions: askAgain(verb, deadline) },
  'supplier_order.retry_requested': { actions: askAgain(verb, deadline) },
});

const isOfItsUnits = ({
  context,
  event,
}: {
  context: SupplierOrderContext;
  event: SupplierOrderMachineEvent;
}): boolean =>
  event.type === 'supplier_order.prepared' && isSameUnits(context.units, unitsOfPart(event.data.part));

/** Its articles and cost are known by now: they are kept, and the purchase is asked for. */
const prepare = apply((context, event) =>
  event.type === 'supplier_order.prepared'
    ? {
        context: {},
        effects: [
          { kind: 'save_quote', supplierOrderId: context.supplierOrderId, part: event.data.part },
          ...ask(BUY, 'buy')(context),
        ],
      }
    : { context: {}, effects: [] },
);

const parcelEvents = {
  'supplier_order.withheld': {
    guard: isSuspectedDuplicate,
    actions: withheld(null),
  },
  'supplier_order.observed': { guard: isNews, actions: observe },
  'fulfillment.synced': {
    guard: isOpenParcel,
    actions: apply((context, event) => {
      if (event.type !== 'fulfillment.synced') return { context: {}, effects: [] };
      const { parcelId } = event.data;
      const { supplierOrderId } = context;
      const parcel = context.parcels[parcelId];
      if (parcel === undefined) return { context: {}, effects: [] };
      return {
        context: { parcels: { ...context.parcels, [parcelId]: { ...parcel, isFulfilled: true } } },
        effects: [
          { kind: 'cancel_timer', timer: { deadline: 'fulfill', supplierOrderId, parcelId } },
          { kind: 'fact', type: 'fulfillment.synced', data: { supplierOrderId, parcelId } },
        ],
      };
    }),
  },
  'fulfillment.withheld': {
    guard: isOpenParcel,
    actions: apply((context, event) => {
      if (event.type !== 'fulfillment.withheld') return { context: {}, effects: [] };
      const { reason, evidence, parcelId } = event.data;
      const { supplierOrderId } = context;
      return {
        context: {},
        effects: [
          { kind: 'cancel_timer', timer: { deadline: 'fulfill', supplierOrderId, parcelId } },
          raised(context, reason, evidence),
        ],
      };
    }),
  },
};

const defer = (isDeferred: boolean) => apply(() => ({ context: { isDeferred }, effects: [] }));

/** A timer of an open parcel asks the shop again; a release does so for every parcel that the shop does not show yet. */
const fulfillAgain = {
  guard: (args: { context: SupplierOrderContext; event: SupplierOrderMachineEvent }) =>
    elapsed('fulfill')(args) && isOpenParcel(args),
  actions: apply((context, event) => ({
    context: {},
    effects:
      event.type === 'timer.elapsed' && event.data.parcelId !== undefined
        ? fulfillCommand(context, event.data.parcelId)
        : [],
  })),
};

const parcelIsLate = {
  guard: isLateParcel,
  actions: apply((context, event) => {
    if (event.type !== 'timer.elapsed' || event.data.parcelId === undefined)
      return { context: {}, effects: [] };
    const { parcels, effects } = delayParcel(context, event.data.parcelId);
    return { context: { parcels }, effects };
  }),
};

const resumeParcels = apply((context) => ({
  context: {},
  effects: Object.entries(context.parcels).flatMap(([parcelId, parcel]) =>
    parcel.isFulfilled || !hasLeft(parcel) ? [] : fulfillCommand(context, parcelId),
  ),
}));

const TRANSPORT = [
  { guard: 'isDelivered' as const, target: 'delivered' },
  { guard: 'isShipped' as const, target: 'shipped' },
  { guard: 'isPartiallyShipped' as const, target: 'partially_shipped' },
  { guard: 'isCancelled' as const, target: 'cancelled', actions: failed },
];

/**
 * One purchase from one supplier. `draft → placing` is written by the suppliers service itself, in the transaction
 * that commits the purchase intent; its event only tells the machine.
 */
export const supplierOrderMachine = machine.createMachine({
  id: 'supplier_order',
  context: ({ input }) =>
    input === undefined
      ? ({} as SupplierOrderContext)
      : { ...input, status: null, parcels: {}, isDeferred: false, attempt: 0 },
  initial: 'draft',
  states: {
    draft: {
      entry: entered('draft', undefined, (context) =>
        context.isDeferred ? wait('buy')(context) : ask(BUY, 'buy')(context),
      ),
      exit: stopWaiting('buy'),
      on: {
        'supplier_order.placing': { target: 'placing', actions: rememberAttempt },
        'supplier_order.withheld': { actions: withheld('buy') },
        ...askEvents(BUY, 'buy'),
        'supplier_order.prepared': { guard: isOfItsUnits, actions: prepare },
        'order.cancelled': { target: 'cancelled', actions: [unwanted('given_up'), giveUp] },
        'supplier_order.cancel_requested': { target: 'cancelled', actions: [unwanted('given_up'), giveUp] },
        'timer.elapsed': { guard: elapsed('buy'), actions: askAgain(BUY, 'buy') },
      },
    },
    placing: {
      entry: entered('placing', 'supplier_order.placing', wait('placing')),
      exit: stopWaiting('placing'),
      on: {
        ...verdictEvents,
        'supplier_order.rejected': [{ guard: isDoubt, target: 'outcome_unknown' }, rejectedEvent],
        // The row was moved here by the intent's own transaction, so the exit of draft never ran.
        'supplier_order.placing': {
          actions: [
            rememberAttempt,
            entered('placing', 'supplier_order.placing', (context) => [
              { kind: 'cancel_timer', timer: timer(context, 'buy') },
              ...wait('placing')(context),
            ]),
          ],
        },
        'supplier_order.outcome_unknown': { target: 'outcome_unknown', actions: rememberAttempt },
        'supplier_order.deferred': [givenUpInstead, { target: 'draft', actions: defer(true) }],
        'supplier_order.withheld': { actions: withheld(null) },
        ...whenUnwanted('await_verdict'),
        'timer.elapsed': [
          { guard: elapsed('placing'), target: 'outcome_unknown' },
          // Still there: the event that told of the intent was lost, and with it the deadline of the call.
          {
            guard: elapsed('buy'),
            actions: [
              stopWaiting('buy'),
              apply((context) => ({ context: {}, effects: wait('placing')(context) })),
            ],
          },
        ],
      },
    },
    outcome_unknown: {
      entry: entered('outcome_unknown', 'supplier_order.outcome_unknown', wait('look_up')),
      exit: stopWaiting('look_up'),
      on: {
        ...verdictEvents,
        'supplier_order.rejected': { guard: not(isDoubt), ...rejectedEvent },
        'supplier_order.absent': [
          { ...givenUpInstead, guard: and(['isUnwanted', isOfLastAttempt]) },
          { guard: isOfLastAttempt, target: 'draft', actions: defer(false) },
        ],
        'supplier_order.withheld': { actions: withheld('look_up') },
        ...askEvents(LOOK_UP, 'look_up'),
        ...whenUnwanted('await_verdict'),
        'timer.elapsed': { guard: elapsed('look_up'), actions: askAgain(LOOK_UP, 'look_up') },
      },
    },
    awaiting_payment: {
      entry: entered('awaiting_payment', 'supplier_order.placed', ask(PAY, 'pay')),
      exit: stopWaiting('pay'),
      always: [
        { guard: 'isPaid', target: 'accepted' },
        { guard: 'isCancelled', target: 'lapsed', actions: lapsed },
      ],
      on: {
        'supplier_order.accepted': 'accepted',
        'supplier_order.rejected': { guard: not(isDoubt), ...rejectedEvent },
        'supplier_order.observed': { guard: isNews, actions: observe },
        'supplier_order.withheld': { actions: withheld('pay') },
        ...askEvents(PAY, 'pay'),
        ...whenUnwanted('cancel_at_supplier', 'cancelling'),
        'timer.elapsed': { guard: elapsed('pay'), actions: askAgain(PAY, 'pay') },
      },
    },
    accepted: {
      entry: entered('accepted', 'supplier_order.accepted', wait('ship')),
      always: [...TRANSPORT, { guard: 'isProcessing', target: 'processing' }],
      on: {
        ...parcelEvents,
        ...whenUnwanted('ask_supplier', 'cancelling'),
        'order.resumed': { actions: waitAgain('ship') },
        'timer.elapsed': { guard: elapsed('ship'), actions: overdue('ship', 'shipment') },
      },
    },
    processing: {
      entry: entered('processing'),
      always: TRANSPORT,
      on: {
        ...parcelEvents,
        ...whenUnwanted('ask_supplier', 'cancelling'),
        'order.resumed': { actions: waitAgain('ship') },
        'timer.elapsed': { guard: elapsed('ship'), actions: overdue('ship', 'shipment') },
      },
    },
    partially_shipped: {
      entry: entered('partially_shipped'),
      always: TRANSPORT.filter(({ target }) => target !== 'partially_shipped'),
      on: {
        ...parcelEvents,
        ...whenTooLate,
        'order.resumed': { actions: [resumeParcels, waitAgain('ship')] },
        'timer.elapsed': [
          fulfillAgain,
          parcelIsLate,
          { guard: elapsed('ship'), actions: overdue('ship', 'shipment') },
        ],
      },
    },
    shipped: {
      entry: entered('shipped', 'supplier_order.shipped', (context) => [
        { kind: 'cancel_timer', timer: timer(context, 'ship') },
        ...wait('deliver')(context),
      ]),
      always: TRANSPORT.filter(({ target }) => target === 'delivered'),
      on: {
        ...parcelEvents,
        ...whenTooLate,
        'order.resumed': { actions: [resumeParcels, waitAgain('deliver')] },
        'timer.elapsed': [
          fulfillAgain,
          parcelIsLate,
          { guard: elapsed('deliver'), actions: overdue('deliver', 'delivery') },
        ],
      },
    },
    delivered: {
      entry: entered('delivered', 'supplier_order.delivered', (context) => [
        { kind: 'cancel_timer', timer: timer(context, 'ship') },
        { kind: 'cancel_timer', timer: timer(context, 'deliver') },
      ]),
      on: {
        ...parcelEvents,
        ...whenTooLate,
        'order.resumed': { actions: resumeParcels },
        'timer.elapsed': fulfillAgain,
      },
    },
    rejected: { entry: entered('rejected', 'supplier_order.rejected'), on: lateEvents },
    cancelling: {
      entry: entered('cancelling', undefined, (context) => [
        ...ask(CANCEL, 'cancel')(context),
        ...wait('cancelling')(context),
      ]),
      exit: [stopWaiting('cancel'), stopWaiting('cancelling')],
      always: [
        { guard: 'isCancelled', target: 'cancelled', actions: giveUp },
        ...TRANSPORT.filter(({ target }) => target !== 'cancelled').map((way) => ({
          ...way,
          actions: leftMeanwhile,
        })),
      ],
      on: {
        ...parcelEvents,
        'supplier_order.cancel_confirmed': { target: 'cancelled', actions: giveUp },
        'supplier_order.cancel_refused': [
          { guard: ({ event }) => event.data.isPaid, target: 'accepted', actions: heldUncancelled },
          // Nobody pays for it any more; asking again waits for a person, or for the supplier to give up by itself.
          { actions: [stopWaiting('cancel'), stopWaiting('cancelling'), heldUncancelled] },
        ],
        // The payment found it cancelled at the supplier.
        'supplier_order.rejected': { guard: not(isDoubt), target: 'cancelled', actions: giveUp },
        'supplier_order.withheld': { actions: withheld('cancel') },
        // A payment that was on its way got its answer: now it can be seen what there is to undo.
        'supplier_order.accepted': { actions: askAgain(CANCEL, 'cancel') },
        'order.resumed': { actions: [askAgain(CANCEL, 'cancel'), waitAgain('cancelling')] },
        'supplier_order.retry_requested': { actions: askAgain(CANCEL, 'cancel') },
        'timer.elapsed': [
          { guard: elapsed('cancel'), actions: askAgain(CANCEL, 'cancel') },
          { guard: elapsed('cancelling'), actions: overdue('cancelling', 'cancellation') },
        ],
      },
    },
    cancelled: {
      entry: entered('cancelled', 'supplier_order.cancelled', (context) => [
        { kind: 'cancel_timer', timer: timer(context, 'ship') },
      ]),
      on: lateEvents,
    },
    lapsed: { entry: entered('lapsed') },
  },
});
