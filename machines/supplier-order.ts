import { not, setup } from 'xstate';
import { BUY, LOOK_UP, PAY, type PurchaseCommand } from '../contracts/commands/purchase.ts';
import type { DeadlineName } from '../contracts/deadlines.ts';
import type { OrderEvent } from '../contracts/events/order-event.ts';
import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { FactType } from '../contracts/facts.ts';
import type { Evidence, FailureClass, HoldReason, SupplierOrderStateName } from '../contracts/vocabulary.ts';
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
import {
  elapsed,
  isDoubt,
  isLateParcel,
  isNews,
  isOfLastAttempt,
  isOpenParcel,
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
}

export type SupplierOrderInput = Pick<
  SupplierOrderContext,
  'orderId' | 'supplierOrderId' | 'units' | 'deliveryDays'
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

/** A draft is given up with its order; nothing was bought. */
const giveUp = apply(({ supplierOrderId }) => ({
  context: {},
  effects: [{ kind: 'tell_order', event: { type: 'supplier_order.given_up', data: { supplierOrderId } } }],
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
  'supplier_order.placed': 'awaiting_payment',
  'supplier_order.accepted': 'accepted',
};
const rejectedEvent = { target: 'rejected', actions: failed };

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
        'order.resumed': { actions: askAgain(BUY, 'buy') },
        'order.cancelled': { target: 'cancelled', actions: giveUp },
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
        'supplier_order.deferred': { target: 'draft', actions: defer(true) },
        'supplier_order.withheld': { actions: withheld(null) },
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
        'supplier_order.absent': { guard: isOfLastAttempt, target: 'draft', actions: defer(false) },
        'supplier_order.withheld': { actions: withheld('look_up') },
        'order.resumed': { actions: askAgain(LOOK_UP, 'look_up') },
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
        'order.resumed': { actions: askAgain(PAY, 'pay') },
        'timer.elapsed': { guard: elapsed('pay'), actions: askAgain(PAY, 'pay') },
      },
    },
    accepted: {
      entry: entered('accepted', 'supplier_order.accepted', wait('ship')),
      always: [...TRANSPORT, { guard: 'isProcessing', target: 'processing' }],
      on: {
        ...parcelEvents,
        'order.resumed': { actions: waitAgain('ship') },
        'timer.elapsed': { guard: elapsed('ship'), actions: overdue('ship', 'shipment') },
      },
    },
    processing: {
      entry: entered('processing'),
      always: TRANSPORT,
      on: {
        ...parcelEvents,
        'order.resumed': { actions: waitAgain('ship') },
        'timer.elapsed': { guard: elapsed('ship'), actions: overdue('ship', 'shipment') },
      },
    },
    partially_shipped: {
      entry: entered('partially_shipped'),
      always: TRANSPORT.filter(({ target }) => target !== 'partially_shipped'),
      on: {
        ...parcelEvents,
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
      on: { ...parcelEvents, 'order.resumed': { actions: resumeParcels }, 'timer.elapsed': fulfillAgain },
    },
    rejected: { entry: entered('rejected', 'supplier_order.rejected') },
    cancelling: {},
    cancelled: {
      entry: entered('cancelled', 'supplier_order.cancelled', (context) => [
        { kind: 'cancel_timer', timer: timer(context, 'ship') },
      ]),
    },
    lapsed: { entry: entered('lapsed') },
  },
});
