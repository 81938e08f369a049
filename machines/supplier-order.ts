import { and, not } from 'xstate';
import type { FactType } from '../contracts/facts.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { Effect } from './effect.ts';
import {
  ask,
  askAgain,
  askEvents,
  endWait,
  stopWaiting,
  wait,
  waitAgain,
  waitForDelivery,
} from './supplier-order-deadlines.ts';
import { failed, givenUpInstead, giveUp, lapsed } from './supplier-order-endings.ts';
import {
  elapsed,
  isDoubt,
  isOfItsUnits,
  isOfLastAttempt,
  isOfPayment,
  isPlacedHeldBack,
} from './supplier-order-guards.ts';
import { duplicateEvents, heldBack, overdue, withheld } from './supplier-order-holds.ts';
import { fulfillAgain, parcelEvents, parcelIsLate, resumeParcels } from './supplier-order-parcels.ts';
import { lateWordEvents, rememberAttempt } from './supplier-order-sent.ts';
import { apply, by, type EffectsOf, emit, supplierOrderSetup } from './supplier-order-setup.ts';
import {
  heldUncancelled,
  leftMeanwhile,
  unwanted,
  whenTooLate,
  whenUnwanted,
} from './supplier-order-unwanted.ts';

/** Says the new state to the order and, where outsiders care, to the crew. */
const entered = (state: SupplierOrderStateName, fact?: FactType, more?: EffectsOf) =>
  emit((context) => {
    const { supplierOrderId, sentTo } = context;
    const data = { supplierOrderId, state };
    const moved = state === 'draft' ? data : { ...data, sentTo };
    const told: Effect = { kind: 'tell_order', event: { type: 'supplier_order.moved', data: moved } };
    const facts: Effect[] = fact === undefined ? [] : [{ kind: 'fact', type: fact, data }];
    return [told, ...(more?.(context) ?? []), ...facts];
  });

const defer = (isDeferred: boolean) => apply(() => ({ context: { isDeferred }, effects: [] }));

/** Its articles and cost are known by now: they are kept, and the purchase is asked for. */
const prepare = apply(
  by('supplier_order.prepared', (context, { data: { part, edits } }) => {
    const { supplierOrderId } = context;
    const saved: Effect = { kind: 'save_quote', supplierOrderId, part, edits };
    return { context: {}, effects: [saved, ...ask('buy')(context)] };
  }),
);

const verdictEvents = {
  'supplier_order.placed': [
    { guard: 'isUnwanted' as const, target: 'cancelling' },
    { guard: isPlacedHeldBack, target: 'awaiting_payment', actions: heldBack },
    { target: 'awaiting_payment' },
  ],
  'supplier_order.accepted': [{ guard: 'isUnwanted' as const, target: 'cancelling' }, { target: 'accepted' }],
};
const rejectedEvent = { target: 'rejected', actions: failed };

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
export const supplierOrderMachine = supplierOrderSetup.createMachine({
  id: 'supplier_order',
  context: ({ input }) => ({ ...input, status: null, parcels: {}, isDeferred: false, attempt: 0 }),
  initial: 'draft',
  states: {
    draft: {
      entry: entered('draft', undefined, (context) => (context.isDeferred ? wait : ask)('buy')(context)),
      exit: stopWaiting('buy'),
      on: {
        'supplier_order.placing': { target: 'placing', actions: rememberAttempt },
        'supplier_order.withheld': { actions: withheld('buy') },
        ...askEvents('buy'),
        'supplier_order.prepared': { guard: isOfItsUnits, actions: prepare },
        'order.cancelled': { target: 'cancelled', actions: [unwanted('given_up'), giveUp] },
        'supplier_order.cancel_requested': { target: 'cancelled', actions: [unwanted('given_up'), giveUp] },
        'timer.elapsed': { guard: elapsed('buy'), actions: askAgain('buy') },
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
              ...endWait('buy')(context),
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
            actions: [stopWaiting('buy'), waitAgain('placing')],
          },
        ],
      },
    },
    outcome_unknown: {
      entry: entered('outcome_unknown', 'supplier_order.outcome_unknown', wait('look_up')),
      exit: stopWaiting('look_up'),
      on: {
        ...verdictEvents,
        ...lateWordEvents,
        'supplier_order.rejected': { guard: not(isDoubt), ...rejectedEvent },
        'supplier_order.absent': [
          { ...givenUpInstead, guard: and(['isUnwanted', isOfLastAttempt]) },
          { guard: isOfLastAttempt, target: 'draft', actions: defer(false) },
        ],
        'supplier_order.withheld': { actions: withheld('look_up') },
        ...askEvents('look_up'),
        ...whenUnwanted('await_verdict'),
        'timer.elapsed': { guard: elapsed('look_up'), actions: askAgain('look_up') },
      },
    },
    awaiting_payment: {
      entry: entered('awaiting_payment', 'supplier_order.placed', (context) =>
        context.isHeldBack ? [] : ask('pay')(context),
      ),
      exit: stopWaiting('pay'),
      always: [
        { guard: 'isPaid', target: 'accepted' },
        { guard: 'isCancelled', target: 'lapsed', actions: lapsed },
      ],
      on: {
        // Some show parcels of what they do not show as paid yet.
        ...parcelEvents,
        'supplier_order.accepted': 'accepted',
        'supplier_order.rejected': { guard: not(isDoubt), ...rejectedEvent },
        'supplier_order.withheld': { actions: withheld('pay') },
        ...askEvents('pay'),
        'order.resumed': { actions: [askAgain('pay'), resumeParcels] },
        ...whenUnwanted('cancel_at_supplier', 'cancelling'),
        'timer.elapsed': [fulfillAgain, { guard: elapsed('pay'), actions: askAgain('pay') }],
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
        ...endWait('ship')(context),
        ...waitForDelivery(context),
      ]),
      always: TRANSPORT.filter(({ target }) => target === 'delivered'),
      on: {
        ...parcelEvents,
        ...whenTooLate,
        'order.resumed': { actions: [resumeParcels, emit(waitForDelivery)] },
        'timer.elapsed': [
          fulfillAgain,
          parcelIsLate,
          { guard: elapsed('deliver'), actions: overdue('deliver', 'delivery') },
        ],
      },
    },
    delivered: {
      entry: entered('delivered', 'supplier_order.delivered', (context) => [
        ...endWait('ship')(context),
        ...endWait('deliver')(context),
      ]),
      on: {
        ...parcelEvents,
        ...whenTooLate,
        'order.resumed': { actions: resumeParcels },
        'timer.elapsed': fulfillAgain,
      },
    },
    rejected: { entry: entered('rejected', 'supplier_order.rejected'), on: duplicateEvents },
    cancelling: {
      entry: entered('cancelling', undefined, (context) => [
        ...ask('cancel')(context),
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
        'supplier_order.withheld': { guard: not(isOfPayment), actions: withheld('cancel') },
        // A payment that was on its way got its answer: now it can be seen what there is to undo.
        'supplier_order.accepted': { actions: askAgain('cancel') },
        'order.resumed': { actions: [askAgain('cancel'), waitAgain('cancelling')] },
        'supplier_order.retry_requested': { actions: askAgain('cancel') },
        'timer.elapsed': [
          { guard: elapsed('cancel'), actions: askAgain('cancel') },
          { guard: elapsed('cancelling'), actions: overdue('cancelling', 'cancellation') },
        ],
      },
    },
    cancelled: {
      entry: entered('cancelled', 'supplier_order.cancelled', endWait('ship')),
      on: duplicateEvents,
    },
    lapsed: { entry: entered('lapsed'), on: duplicateEvents },
  },
});
