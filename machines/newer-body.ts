import { REREAD_ORDER, type RereadOrder } from '../contracts/commands/reread-order.ts';
import type { OrderReceived } from '../contracts/events/order-received.ts';
import { USUAL_RULES } from '../contracts/order-rules.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { followOthers, holdOthersLines } from './delivered-by-others.ts';
import type { Effect } from './effect.ts';
import { isLive, rulesOf } from './hold-scope.ts';
import { freedLines, isAboutLine, openHold, parkHeldLines, releaseHolds } from './holds.ts';
import { releaseIdle } from './idle-holds.ts';
import { type OrderContext, shopUnitsOf, unitsOfBody } from './order-context.ts';
import { hasUnitsToSource } from './order-units.ts';
import { isTakenAway, rememberReturned, stillWithdrawn } from './returned-units.ts';
import {
  bringsMark,
  followAddress,
  isSentElsewhere,
  isUnclear,
  releaseSentRight,
  shipToMarks,
} from './ship-to.ts';
import { callOffSurplus, followShop, isAdded, isOff } from './wanted-units.ts';

const holdWithoutAddress = (context: OrderContext): Change<OrderContext> =>
  !context.cancelledInShop && !context.hasAddress && hasUnitsToSource(context)
    ? openHold(context, 'address_invalid', {}, { missing: 'name, street, city or country to ship to' })
    : NOTHING;

const holdTest = (context: OrderContext): Change<OrderContext> =>
  context.test
    ? openHold(context, 'operator', {}, { cause: 'test order: never bought, whatever is released' })
    : NOTHING;

/** Holds that follow from the first body. */
export const holdsOfFirstBody = (context: OrderContext): Change<OrderContext> =>
  inTurn(context, holdTest, holdWithoutAddress, holdOthersLines);

/** Ordered units alone once buying began: our own fulfilments make the open ones fewer, and are no edit. */
const isEdited = (context: OrderContext, { inShop }: OrderContext, hasLive: boolean): boolean =>
  [...new Set([...Object.keys(context.inShop), ...Object.keys(inShop)])].some((lineId) => {
    const [before, after] = [context.inShop[lineId], inShop[lineId]];
    const isRouted = before?.ours !== after?.ours || before?.isOthers !== after?.isOthers;
    return before?.units !== after?.units || (!hasLive && isRouted);
  });

/**
 * The body with what is known of who delivers its lines, where it could not say: a line of which nothing open is ours
 * does not become ours by a reading that sees nothing.
 */
const withKnownServices = (context: OrderContext, received: OrderReceived): OrderReceived =>
  received.isRoutingHidden === true
    ? {
        ...received,
        lines: received.lines.map((line) => {
          const { ours, deliveryMethod } = context.inShop[line.lineId] ?? {};
          return line.deliveredBy === 'us' && line.openUnits > 0 && ours === 0
            ? {
                ...line,
                deliveredBy: 'other_service',
                ...(deliveryMethod === undefined ? {} : { deliveryMethod }),
              }
            : line;
        }),
      }
    : received;

/** What two bodies of one age may differ in; a cancel is never taken back, nor is it that the order is a test. */
const isOtherwise = (context: OrderContext, received: OrderReceived): boolean =>
  received.payment !== context.payment ||
  received.totalMinor !== (context.totalMinor ?? received.totalMinor) ||
  (received.hasAddress || context.hasAddressHere === true) !== context.hasAddress ||
  bringsMark(context, received) ||
  (received.test && !context.test) ||
  (received.cancelled && !context.cancelledInShop) ||
  isEdited(context, { ...context, inShop: shopUnitsOf(withKnownServices(context, received)) }, false);

const isAsOld = (context: OrderContext, received: OrderReceived): boolean =>
  received.sourceUpdatedAt === context.sourceUpdatedAt && isOtherwise(context, received);

/** The shop's clock has seconds: two changes within one look equally old, and only a reading of ours tells them apart. */
export const isNewerBody = (context: OrderContext, received: OrderReceived): boolean =>
  received.sourceUpdatedAt > context.sourceUpdatedAt ||
  (received.reread === true && isAsOld(context, received));

/** Told by the shop within the same second as what is known, and something else: nobody knows which came last. */
export const isDoubtfulBody = (context: OrderContext, received: OrderReceived): boolean =>
  received.reread !== true &&
  !context.test &&
  (received.canBeReread ?? context.canBeReread) === true &&
  isAsOld(context, received);

/** The shop is asked what the order is now: of two that look equally old nobody knows which came last. */
export function askWhichIsLast({ shop, shopOrderId }: OrderReceived): Change<OrderContext> {
  const data: RereadOrder = { shop, shopOrderId };
  // A subject of its own, so that it takes the place of no hint that waits.
  const id = `${shopOrderId}-doubt`;
  return { context: {}, effects: [{ kind: 'command', service: 'shopify', verb: REREAD_ORDER, id, data }] };
}

/** What the order is by the body. */
const knownBy = (context: OrderContext, received: OrderReceived, hasLive: boolean) => {
  const { payment, sourceUpdatedAt, totalMinor } = received;
  const inShop = shopUnitsOf(received);
  const rules = received.rules ?? context.rules;
  return {
    payment,
    sourceUpdatedAt,
    totalMinor,
    hasAddress: received.hasAddress || context.hasAddressHere === true,
    ...shipToMarks(context, received, hasLive),
    canBeReread: received.canBeReread ?? context.canBeReread,
    // Once said it stays: bodies that do not name it leave it open.
    test: context.test || received.test,
    cancelledInShop: context.cancelledInShop || received.cancelled,
    inShop,
    ...stillWithdrawn(context, inShop),
    ...(received.isFromBackup ? { isFromBackup: received.isFromBackup } : {}),
    ...(rules === undefined ? {} : { rules: received.rules ?? USUAL_RULES }),
  };
};

/** What waited only because all of the order had to wait goes on where the shop has come to buy in part. */
const freeParts =
  (before: OrderContext) =>
  (now: OrderContext): Change<OrderContext> =>
    rulesOf(now).partialPurchase && !rulesOf(before).partialPurchase
      ? { context: { lines: freedLines(now) }, effects: [] }
      : NOTHING;

/** An edit that raises the price does this: nothing more is bought before the rest is paid. */
const holdUnpaid =
  (before: OrderContext) =>
  (now: OrderContext): Change<OrderContext> =>
    now.payment === 'pending' && before.payment === 'paid'
      ? openHold(now, 'payment_pending', {}, { payment: now.payment })
      : NOTHING;

/** By a change alone: bodies come with every touch of the order, and what was refused would be refused again. */
const releaseMended =
  (before: OrderContext, isElsewhere: boolean) =>
  (now: OrderContext): Change<OrderContext> => {
    const isMended = (now.hasAddress && !before.hasAddress) || isElsewhere;
    const isPaid = now.payment === 'paid' && before.payment !== 'paid';
    const isGivenBack = (lineId: string): boolean =>
      before.inShop[lineId]?.isOthers === true && now.inShop[lineId]?.isOthers !== true;
    return releaseHolds(
      now,
      ({ reason, lineId, supplierOrderId, isObserved, isHeldInShop }) =>
        isHeldInShop === undefined &&
        // As another service's: nothing else holds a line for this reason.
        ((reason === 'fulfillment_not_ours' && lineId !== undefined && isGivenBack(lineId)) ||
          // What its supplier says of a purchase is mended there.
          (reason === 'address_invalid' && isMended && isObserved === undefined) ||
          // A payment that a supplier order waits for is ours to make, not the customer's.
          (reason === 'payment_pending' && isPaid && supplierOrderId === undefined)),
    );
  };

/** A cancel, or an edit of what is bought, is told to a person where anything can still be done about it. */
const holdEdit =
  (before: OrderContext) =>
  (now: OrderContext): Change<OrderContext> => {
    const isCalledOff = isOff(now);
    const cause = isCalledOff
      ? 'cancelled or refunded in the shop after buying began'
      : 'edited in the shop after buying began';
    // Of what has arrived as a whole nothing is left to be undone: that it came back is between customer and shop.
    const isMoving = Object.values(before.supplierOrders).some(
      (part) => isLive(part) && part.state !== 'delivered',
    );
    const isNews = (): boolean => {
      if (isOff(before) || now.test) return !isCalledOff;
      return isCalledOff ? isMoving : isTakenAway(now, before) || isAdded(now);
    };
    return isNews() ? openHold(now, 'customer_edit_pending', {}, { cause }) : NOTHING;
  };

/**
 * Takes a newer body. While nothing is on a live supplier order its lines replace ours; afterwards an edit, or a
 * cancel, is held for a person, and each purchase of what is no longer wanted is undone as far as it can be.
 */
export function takeNewerBody(context: OrderContext, body: OrderReceived): Change<OrderContext> {
  // Copies read the shop side by side, and what one read earlier may be told later.
  const isAsOldAsKnown = body.sourceUpdatedAt === context.sourceUpdatedAt;
  return inTurn(
    context,
    () => takeBody(context, body),
    () => (isAsOldAsKnown ? askWhichIsLast(body) : NOTHING),
  );
}

function takeBody(context: OrderContext, body: OrderReceived): Change<OrderContext> {
  const received = withKnownServices(context, body);
  const hasLive = Object.values(context.supplierOrders).some(isLive);
  const newer = knownBy(context, received, hasLive);
  const after = { ...context, ...newer };
  const isCalledOff = isOff(after);
  const edited = isEdited(context, after, hasLive) || (isOff(context) && !isCalledOff);
  const saved: Effect[] = edited ? [{ kind: 'save_lines', lines: received.lines }] : [];
  const isAsked = isUnclear(context, received, hasLive);
  const isElsewhere = !isAsked && isSentElsewhere(context, received);

  const taken = (): Change<OrderContext> => ({
    context: newer,
    effects: [{ kind: 'fact', type: 'order.updated', data: {} }, ...saved],
  });
  const tested = (now: OrderContext): Change<OrderContext> => (context.test ? NOTHING : holdTest(now));
  const freed = freeParts(context);
  const unpaid = holdUnpaid(context);
  const address = (now: OrderContext): Change<OrderContext> => {
    if (isAsked) return askWhichIsLast(received);
    return isElsewhere ? followAddress(now) : releaseSentRight(now);
  };
  const others = (now: OrderContext): Change<OrderContext> => followOthers(now, context);
  // Where something is bought last of all, so that nothing goes on that the same body calls off.
  const mended = releaseMended(context, isElsewhere);

  if (!hasLive)
    return inTurn(
      context,
      taken,
      tested,
      freed,
      unpaid,
      mended,
      (now) => (edited ? replaceLines(now, received) : NOTHING),
      (now) => (isCalledOff ? followShop(now) : NOTHING),
      holdWithoutAddress,
      (now) => (edited ? holdOthersLines(now) : NOTHING),
      releaseIdle,
    );
  if (!isCalledOff && !edited)
    return inTurn(context, taken, freed, unpaid, address, others, mended, releaseIdle);
  return inTurn(
    context,
    taken,
    tested,
    freed,
    (now) => rememberReturned(now, context),
    holdEdit(context),
    unpaid,
    address,
    followShop,
    callOffSurplus,
    others,
    mended,
    releaseIdle,
  );
}

/** Holds on lines were about the old lines, but for those of a person; those that still hold are opened anew here or by the next sourcing. */
const replaceLines = (context: OrderContext, received: OrderReceived): Change<OrderContext> =>
  inTurn(
    context,
    (now) => releaseHolds(now, isAboutLine),
    () => ({ context: { lines: unitsOfBody(received), returned: undefined }, effects: [] }),
    followShop,
    parkHeldLines,
  );
