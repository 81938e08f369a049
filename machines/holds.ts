import type { ReleaseRequested } from '../contracts/events/release-requested.ts';
import { attentionIdOf, holdIdOf } from '../contracts/ids.ts';
import type { Evidence, HoldReason } from '../contracts/vocabulary.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import type { Effect, HoldScope } from './effect.ts';
import { isHeldItself, isHeldOfItsOwn, isLineHeld, isLive, isStopped, isToBeSpentOn } from './hold-scope.ts';
import type { OpenHold, OrderContext } from './order-context.ts';
import { mapLines } from './order-units.ts';

/** For the agents that look after prices and products: somebody wanted what nobody has. */
export const stockAlert = ({ lineId, supplierOrderId }: HoldScope): Effect => ({
  kind: 'fact',
  type: 'product.stock_alert',
  data: { lineId, supplierOrderId },
});

/** Several causes need a person at one supplier order and have the same reason: there the facts tell the holds apart. */
function idOf(
  { orderId }: Pick<OrderContext, 'orderId'>,
  reason: HoldReason,
  { supplierOrderId, lineId }: HoldScope,
  evidence: Evidence,
): string {
  if (reason !== 'operator' || supplierOrderId === undefined)
    return holdIdOf(orderId, reason, supplierOrderId ?? lineId ?? '');
  return holdIdOf(orderId, reason, `${supplierOrderId} ${attentionIdOf({ reason, evidence })}`);
}

type Passing = Pick<OpenHold, 'isObserved' | 'isSentElsewhere' | 'isShippedEarly'>;

/** Whatever else opens one of these goes with a body of the shop: it must not take along what the shop holds still. */
const GO_WITH_BODY: readonly HoldReason[] = ['payment_pending', 'address_invalid'];

const goesByItself = ({
  reason,
  isObserved,
  isSentElsewhere,
  isShippedEarly,
  isHeldInShop,
}: Omit<OpenHold, keyof HoldScope>): boolean =>
  isObserved === true ||
  isSentElsewhere === true ||
  isShippedEarly === true ||
  (isHeldInShop === true && !GO_WITH_BODY.includes(reason));

/** Opening the same hold twice changes nothing; but one that would go by itself gives way to one that would not. */
export function openHold(
  context: Pick<OrderContext, 'orderId' | 'holds' | 'accepted'>,
  reason: HoldReason,
  scope: HoldScope,
  evidence: Evidence,
  passing: Passing = {},
): Change<OrderContext> {
  const holdId = idOf(context, reason, scope, evidence);
  const open = context.holds[holdId];
  const inShop = (evidence.heldInShop ?? '') === '' ? {} : { isHeldInShop: true as const };
  const raised = { reason, ...passing, ...inShop };
  if (open !== undefined && (!goesByItself(open) || goesByItself(raised))) return NOTHING;
  const { accepted = [] } = context;
  return {
    context: {
      holds: { ...context.holds, [holdId]: { ...raised, ...scope } },
      ...(accepted.includes(holdId) ? { accepted: accepted.filter((id) => id !== holdId) } : {}),
    },
    effects: [
      { kind: 'open_hold', holdId, reason, scope, evidence },
      { kind: 'fact', type: 'order.held', data: { reason, supplierOrderId: scope.supplierOrderId } },
      ...(reason === 'out_of_stock' ? [stockAlert(scope)] : []),
    ],
  };
}

/** Several at once, each of the whole order or of a line. */
export const openHolds = (
  context: OrderContext,
  holds: readonly { readonly reason: HoldReason; readonly evidence: Evidence; readonly lineId?: string }[],
): Change<OrderContext> =>
  inTurn(
    context,
    ...holds.map(
      ({ reason, evidence, lineId }) =>
        (now: OrderContext) =>
          openHold(now, reason, lineId === undefined ? {} : { lineId }, evidence),
    ),
  );

/** A rule opened it for what a line was like; what a person holds only a person releases. */
export const isAboutLine = (hold: OpenHold): hold is OpenHold & { readonly lineId: string } =>
  hold.lineId !== undefined && hold.reason !== 'operator';

export type MatchesHold = (hold: OpenHold, holdId: string) => boolean;

export const hasHold = (context: OrderContext, matches: MatchesHold): boolean =>
  Object.entries(context.holds).some(([holdId, hold]) => matches(hold, holdId));

/** What waits of lines that are held themselves waits with their holds, whatever else of the order goes on. */
export const parkHeldLines = (context: OrderContext): Change<OrderContext> => ({
  context: {
    lines: mapLines(context.lines, (units, lineId) =>
      units.unallocated > 0 && isHeldItself(context, lineId)
        ? { ...units, unallocated: 0, held: units.held + units.unallocated }
        : units,
    ),
  },
  effects: [],
});

/** Units that no hold concerns go on. */
export const freedLines = (context: OrderContext): OrderContext['lines'] =>
  mapLines(context.lines, (units, lineId) =>
    isLineHeld(context, lineId) ? units : { ...units, unallocated: units.unallocated + units.held, held: 0 },
  );

/** Closes the matching holds, and nothing goes on for that. */
function closeHolds(context: OrderContext, matches: MatchesHold): Change<OrderContext> {
  const closed = Object.entries(context.holds).filter(([holdId, hold]) => matches(hold, holdId));
  if (closed.length === 0) return NOTHING;
  const ids = new Set(closed.map(([holdId]) => holdId));
  return {
    context: {
      holds: Object.fromEntries(Object.entries(context.holds).filter(([holdId]) => !ids.has(holdId))),
    },
    effects: [
      ...[...ids].map((holdId): Effect => ({ kind: 'close_hold', holdId })),
      ...closed.map(([, { reason }]): Effect => ({ kind: 'fact', type: 'order.released', data: { reason } })),
    ],
  };
}

/**
 * Closes the matching holds; units and supplier orders that none of the others concerns go on. A hold of something else in
 * its order stops what is spent on a supplier order, and no look-up, cancel or parcel of it.
 */
export function releaseHolds(context: OrderContext, matches: MatchesHold): Change<OrderContext> {
  const closed = closeHolds(context, matches);
  if (closed.effects.length === 0) return NOTHING;
  const after = { ...context, ...closed.context };
  const resumed = Object.entries(context.supplierOrders).filter(
    ([id, part]) =>
      isLive(part) &&
      ((isStopped(context, id) && !isStopped(after, id)) ||
        (!isToBeSpentOn(part) && isHeldOfItsOwn(context, id) && !isHeldOfItsOwn(after, id))),
  );
  return {
    context: { ...closed.context, lines: freedLines(after) },
    effects: [
      ...closed.effects,
      ...resumed.map(
        ([supplierOrderId]): Effect => ({
          kind: 'tell_supplier_order',
          supplierOrderId,
          event: { type: 'order.resumed' },
        }),
      ),
    ],
  };
}

/** What a payment waits for a person with. */
const PAYMENT: readonly HoldReason[] = ['payment_pending', 'cost_above_cap', 'insufficient_funds'];

/** A bill comes after the payment, and stands whatever becomes of the purchase. */
export const isAboutPayment = (reason: HoldReason, evidence: Evidence): boolean =>
  PAYMENT.includes(reason) && !namesBills(evidence);

/** Nobody is to pay for what is being given up; others that waited for it go on, itself does not. */
export function releasePayment(context: OrderContext, supplierOrderId: string): Change<OrderContext> {
  const released = releaseHolds(
    context,
    (hold) => hold.supplierOrderId === supplierOrderId && PAYMENT.includes(hold.reason),
  );
  const isItself = (effect: Effect): boolean =>
    effect.kind === 'tell_supplier_order' && effect.supplierOrderId === supplierOrderId;
  return { ...released, effects: released.effects.filter((effect) => !isItself(effect)) };
}

const isObservedAt =
  (id: string): MatchesHold =>
  ({ isObserved, supplierOrderId }) =>
    isObserved === true && supplierOrderId === id;

/** What the supplier says of a purchase now, in the place of what it said before: nothing goes on in between. */
export const holdObserved = (
  context: OrderContext,
  supplierOrderId: string,
  reason: HoldReason,
  evidence: Evidence,
): Change<OrderContext> =>
  inTurn(
    context,
    (now) => closeHolds(now, isObservedAt(supplierOrderId)),
    (now) => openHold(now, reason, { supplierOrderId }, evidence, { isObserved: true }),
  );

/** What suppliers want more money for: bills come and go while the hold stands. */
export const namesBills = ({ billId }: Evidence): boolean => billId !== undefined;

/** As `openHold`, but in the place of one that stands, which says what is true no more: nothing goes on in between. */
export function renewHold(
  context: OrderContext,
  reason: HoldReason,
  scope: HoldScope,
  evidence: Evidence,
): Change<OrderContext> {
  const renewed = idOf(context, reason, scope, evidence);
  return inTurn(
    context,
    (now) => closeHolds(now, (_, holdId) => holdId === renewed),
    (now) => openHold(now, reason, scope, evidence),
  );
}

export const releaseObserved = (context: OrderContext, supplierOrderId: string): Change<OrderContext> =>
  releaseHolds(context, isObservedAt(supplierOrderId));

/** Who shipped its units in the shop before we did has shipped this very purchase. */
export const releaseShown = (context: OrderContext, supplierOrderId: string): Change<OrderContext> =>
  releaseHolds(context, (hold) => hold.isShippedEarly === true && hold.supplierOrderId === supplierOrderId);

export const matchesRequest =
  ({ reason, lineIds, holdId }: ReleaseRequested) =>
  (hold: OpenHold, id: string): boolean =>
    hold.reason === reason &&
    (holdId === undefined || holdId === id) &&
    (lineIds === undefined || (hold.lineId !== undefined && lineIds.includes(hold.lineId)));
