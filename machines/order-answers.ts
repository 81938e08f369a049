import type { OrderReceived } from '../contracts/events/order-received.ts';
import type { FactType } from '../contracts/facts.ts';
import { acceptHolds } from './acceptance.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import type { Effect } from './effect.ts';
import {
  hasHold,
  holdObserved,
  matchesRequest,
  namesBills,
  openHold,
  parkHeldLines,
  releaseHolds,
  releaseObserved,
  releaseShown,
  renewHold,
} from './holds.ts';
import { askWhichIsLast, isDoubtfulBody, isNewerBody, takeNewerBody } from './newer-body.ts';
import type { OrderContext } from './order-context.ts';
import { apply, by, emit, type OrderArgs, type OrderChange, type OrderMachineEvent } from './order-setup.ts';
import { isToBePaid } from './order-units.ts';
import { arrivedBy, movedBy, sentBy } from './purchase-news.ts';
import { applyFailed, applyGivenUp, applyTorn } from './purchase-units.ts';
import {
  archiveIfWanted,
  cancelHere,
  changeHere,
  changeRefused,
  mayChange,
  mayPurchase,
  purchaseHere,
  purchaseRefused,
} from './requests.ts';
import { applyRisk } from './risk.ts';
import { isOfUnknownShare, withKnownShares } from './shared-lines.ts';
import { isOff, surplusOf } from './wanted-units.ts';

export const fact = (type: FactType): Effect => ({ kind: 'fact', type, data: {} });

const isBody = (event: OrderMachineEvent): event is Extract<OrderMachineEvent, { data: OrderReceived }> =>
  event.type === 'order.updated' || event.type === 'order.received';

const bodyIn = (context: OrderContext, event: OrderMachineEvent): OrderReceived | undefined =>
  isBody(event) ? withKnownShares(context, event.data) : undefined;

const askShare = (context: OrderContext, received: OrderReceived): Change<OrderContext> =>
  received.reread !== true && isOfUnknownShare(context, received) ? askWhichIsLast(received) : NOTHING;

/** A body is taken when it is newer. */
const takeBody = (takeBy: (change: OrderChange) => ReturnType<typeof apply>) => [
  {
    guard: ({ context, event }: OrderArgs): boolean => {
      const body = bodyIn(context, event);
      return body !== undefined && isNewerBody(context, body);
    },
    actions: takeBy((context, event) => {
      const body = bodyIn(context, event);
      if (body === undefined) return NOTHING;
      return inTurn(
        context,
        (now) => takeNewerBody(now, body),
        () => (isBody(event) ? askShare(context, event.data) : NOTHING),
      );
    }),
  },
  {
    guard: ({ context, event }: OrderArgs): boolean => {
      const body = bodyIn(context, event);
      return body !== undefined && isDoubtfulBody(context, body);
    },
    actions: apply((_, event) => (isBody(event) ? askWhichIsLast(event.data) : NOTHING)),
  },
];

/** `takeBy` wraps what a body changes where an answer of sourcing may be on its way. */
export const bodyEvents = (takeBy: (change: OrderChange) => ReturnType<typeof apply> = apply) => ({
  'order.received': takeBody(takeBy),
  'order.updated': takeBody(takeBy),
});

/** The shop has the money, or waits for it, of an order that ended because it had none or gave it back. */
const isPaidAgain = ({ context, event }: OrderArgs): boolean =>
  isBody(event) &&
  isOff(context) &&
  !isOff({
    ...context,
    payment: event.data.payment,
    test: context.test || event.data.test,
    cancelledInShop: context.cancelledInShop || event.data.cancelled,
  });

/** A refund need not name the units that it was for: which of them the new money is for only a person sees. */
const holdPaidAgain = (before: OrderContext, now: OrderContext): Change<OrderContext> =>
  before.payment === 'refunded' && !isOff(now)
    ? openHold(now, 'customer_edit_pending', {}, { cause: 'paid again after it was refunded as a whole' })
    : NOTHING;

const bodiesPaidAgain = takeBody((change) =>
  apply((context, event) =>
    inTurn(
      context,
      (now) => change(now, event),
      (now) => holdPaidAgain(context, now),
    ),
  ),
);

/** An order that was voided or refunded is paid after all, or is to be paid, and something of it is wanted. */
export const takePaidAgain = bodiesPaidAgain.slice(0, 1).map(({ guard, actions }) => ({
  guard: (args: OrderArgs): boolean =>
    isPaidAgain(args) &&
    isBody(args.event) &&
    args.event.data.lines.some(({ units }) => units > 0) &&
    guard(args),
  actions,
}));

/** An order that is cancelled because everything was taken away goes on when something is added to it. */
export const reopeningBodies = bodiesPaidAgain.map(({ guard, actions }) => ({
  guard: (args: OrderArgs): boolean => (!isOff(args.context) || isPaidAgain(args)) && guard(args),
  actions,
}));

/** Of a body. */
export const isPaidNow = ({ event }: OrderArgs): boolean => isBody(event) && event.data.payment === 'paid';

export const isReleasing = ({ context, event }: OrderArgs): boolean =>
  event.type === 'order.release_requested' && hasHold(context, matchesRequest(event.data));

export const releaseBy = by('order.release_requested', (context, { data }) =>
  inTurn(
    context,
    (now) => acceptHolds(now, matchesRequest(data)),
    (now) => releaseHolds(now, matchesRequest(data)),
  ),
);

export const passBy = by('hold.passed', (context, { data }) =>
  (data.isShown ? releaseShown : releaseObserved)(context, data.supplierOrderId),
);

export const riskBy = by('order.risk_assessed', (context, { data }) => applyRisk(context, data));

export const holdBy = by('order.hold_requested', (context, { data: { lineId } }) =>
  inTurn(
    context,
    (now) => openHold(now, 'operator', { lineId }, { cause: 'held by a person' }),
    parkHeldLines,
  ),
);

export const giveUpBy = by('supplier_order.given_up', (context, { data }) => applyGivenUp(context, data));

/** The shop took units of a purchase away, or they count as come back: of these a person has heard. */
const isAnyTaken = (context: OrderContext, supplierOrderId = ''): boolean =>
  isOff(context) ||
  Object.keys(context.supplierOrders[supplierOrderId]?.units ?? {}).some(
    (lineId) => surplusOf(context, lineId) > 0 || (context.returned?.[lineId] ?? 0) > 0,
  );

const mailEvents = {
  'notification.sent': { actions: emit(fact('notification.sent')) },
  'notification.failed': { actions: emit(fact('notification.failed')) },
};

/** Until grace is over the shop is still to be asked; and a hold of what is paid keeps nobody from anything. */
const isStoppable = ({ context }: OrderArgs): boolean =>
  context.graceOver && !isOff(context) && isToBePaid(context);

export const holdEvents = {
  'order.held_in_shop': {
    guard: isStoppable,
    actions: apply(
      by('order.held_in_shop', (context, { data: { reason, evidence } }) =>
        openHold(context, reason, {}, evidence),
      ),
    ),
  },
  'hold.raised': {
    actions: apply(
      by('hold.raised', (context, { data }) => {
        const { reason, lineId, supplierOrderId, evidence, isObserved, isShort } = data;
        if (isObserved && supplierOrderId !== undefined)
          return holdObserved(context, supplierOrderId, reason, evidence);
        if (isShort && isAnyTaken(context, supplierOrderId)) return NOTHING;
        const open = namesBills(evidence) ? renewHold : openHold;
        return open(context, reason, { lineId, supplierOrderId }, evidence);
      }),
    ),
  },
  'hold.passed': { actions: apply(passBy) },
  'order.release_requested': { guard: isReleasing, actions: apply(releaseBy) },
  'order.risk_assessed': { actions: apply(riskBy) },
  'order.hold_requested': { actions: apply(holdBy) },
  ...mailEvents,
};

const isNewCancel = ({ context }: OrderArgs): boolean => context.cancelledHere === undefined;
const isChange = ({ context, event }: OrderArgs): boolean =>
  event.type === 'order.change_requested' && mayChange(context, event.data);
const isChangeTooLate = ({ context, event }: OrderArgs): boolean =>
  event.type === 'order.change_requested' && !isOff(context) && event.data.units !== undefined;
const isPurchase = ({ context, event }: OrderArgs): boolean =>
  event.type === 'order.purchase_requested' && mayPurchase(context, event.data);

const cancelBy = by('order.cancel_requested', cancelHere);
const changeBy = by('order.change_requested', (context, { data }) => changeHere(context, data));
const refuseChangeBy = by('order.change_requested', (context, { data }) => changeRefused(context, data));
const purchaseBy = by('order.purchase_requested', (context, { data }) => purchaseHere(context, data));
const refusePurchase = {
  actions: apply(by('order.purchase_requested', (context, { data }) => purchaseRefused(context, data))),
};

/** What a person may ask for; `change` wraps what they do to lines where an answer of sourcing may be on its way. */
export const requestEvents = (change: (by: OrderChange) => ReturnType<typeof apply> = apply) => ({
  'order.cancel_requested': { guard: isNewCancel, actions: change(cancelBy) },
  'order.change_requested': [
    { guard: isChange, actions: change(changeBy) },
    { guard: isChangeTooLate, actions: change(refuseChangeBy) },
  ],
  'order.purchase_requested': [{ guard: isPurchase, actions: change(purchaseBy) }, refusePurchase],
});

/** Before the payment nothing can be bought. */
export const unpaidRequestEvents = { ...requestEvents(), 'order.purchase_requested': refusePurchase };

export const archive = apply(archiveIfWanted);

/** Nothing moves any more: a cancel only puts the order away, again where it went on after the last time. */
export const archiveEvents = {
  'order.cancel_requested': {
    actions: apply((context) => archiveIfWanted({ ...context, archive: 'wanted' })),
  },
};

/** A dead order may still be told of money that lives on at a supplier. */
export const endEvents = {
  ...mailEvents,
  ...archiveEvents,
  'hold.raised': holdEvents['hold.raised'],
  'hold.passed': holdEvents['hold.passed'],
  'order.release_requested': holdEvents['order.release_requested'],
  // Goods were added to it since, and wait for an address.
  'order.change_requested': { guard: isChange, actions: apply(changeBy) },
};

/** `take` wraps what becomes of a purchase where an answer of sourcing may be on its way. */
export const supplierOrderEvents = (take: (change: OrderChange) => ReturnType<typeof apply> = apply) => ({
  'supplier_order.moved': { actions: take(movedBy) },
  'supplier_order.sent': { actions: take(sentBy) },
  'supplier_order.arrived': { actions: apply(arrivedBy) },
  'supplier_order.given_up': { actions: take(giveUpBy) },
  'supplier_order.failed': {
    actions: take(by('supplier_order.failed', (context, { data }) => applyFailed(context, data))),
  },
  'supplier_order.torn': {
    actions: take(by('supplier_order.torn', (context, { data }) => applyTorn(context, data))),
  },
});
