import type { OrderReceived } from '../contracts/events/order-received.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { isLive } from './hold-scope.ts';
import { openHold, releaseHolds } from './holds.ts';
import { marksOf, type OrderContext, type ShipToMarks } from './order-context.ts';
import { isOff } from './wanted-units.ts';

type Body = Pick<OrderReceived, 'reread' | 'shipToMark'>;

const knownMarks = ({ shipToMark, shipToMarkRead }: ShipToMarks): string[] =>
  [shipToMark, shipToMarkRead].filter((mark) => mark !== undefined);

const markOfRoad = ({ shipToMark, shipToMarkRead }: ShipToMarks, isReading: boolean): string | undefined =>
  isReading ? shipToMarkRead : shipToMark;

const isWhole = (marks: ShipToMarks): boolean => knownMarks(marks).length === 2;

/** The address before was written differently where it was told and where it was read: so is the one now. */
const writesDifferently = ({ shipToBefore: before }: OrderContext): boolean =>
  before !== undefined && isWhole(before) && before.shipToMark !== before.shipToMarkRead;

/**
 * Another address than the last one that was known in the same way, where both are known; one that was put in here stays
 * whatever the shop has. What is known in the other way alone is compared as well, unless the shop writes differently
 * there: then only the address before can be told apart from it.
 */
export function isSentElsewhere(context: OrderContext, { reread, shipToMark: now }: Body): boolean {
  if (context.hasAddressHere === true || now === undefined) return false;
  const isReading = reread === true;
  const same = markOfRoad(context, isReading);
  const other = markOfRoad(context, !isReading);
  if (same !== undefined || other === undefined) return same !== undefined && now !== same;
  if (now === other) return false;
  return !writesDifferently(context) || now === markOfRoad(context.shipToBefore ?? {}, isReading);
}

/**
 * What is bought went to an address that was only ever read, and the shop tells one that is none like it: written
 * differently, or another. A reading can be compared, so the shop is asked.
 */
export const isUnclear = (context: OrderContext, body: Body, hasLive: boolean): boolean =>
  hasLive &&
  context.canBeReread === true &&
  body.reread !== true &&
  context.shipToMark === undefined &&
  context.shipToBefore === undefined &&
  isSentElsewhere(context, body);

/** It brings a mark that was not known: of another address, or of the same one as it is written in the other way. */
export const bringsMark = (context: OrderContext, { reread, shipToMark }: Body): boolean =>
  context.hasAddressHere !== true &&
  shipToMark !== undefined &&
  (!knownMarks(context).includes(shipToMark) || (reread === true && context.shipToUnclear !== undefined));

/** Of the address after a body: what was known of the one before is kept aside until the new one is known as well. */
export function shipToMarks(
  context: OrderContext,
  body: Body,
  hasLive: boolean,
): Pick<OrderContext, 'shipToMark' | 'shipToMarkRead' | 'shipToBefore' | 'shipToUnclear'> {
  const { shipToMark, shipToMarkRead, shipToBefore, shipToUnclear } = context;
  if (isUnclear(context, body, hasLive)) return { shipToUnclear: body.shipToMark };
  const now = marksOf(body);
  if (shipToUnclear !== undefined && body.reread === true && body.shipToMark !== undefined)
    return { ...now, shipToMark: shipToUnclear, shipToUnclear: undefined };
  const known = { shipToMark, shipToMarkRead };
  const whole = isWhole(known) ? known : shipToBefore;
  const added = { ...known, ...now };
  if (!isSentElsewhere(context, body) || (!hasLive && whole === undefined))
    return { ...added, shipToBefore: isWhole(added) ? undefined : shipToBefore };
  const isBack =
    shipToBefore !== undefined && body.shipToMark === markOfRoad(shipToBefore, body.reread === true);
  return isBack
    ? { ...shipToBefore, shipToBefore: undefined }
    : { shipToMark: undefined, shipToMarkRead: undefined, ...now, shipToBefore: whole };
}

/** An address is known after the change that was not known before. */
export const hasMoved = (before: OrderContext, after: OrderContext): boolean =>
  after.hasAddressHere !== true &&
  knownMarks(before).length > 0 &&
  knownMarks(after).some((mark) => !knownMarks(before).includes(mark));

const CAUSE =
  'the address was changed in the shop after this purchase was sent with the old one: cancel the purchase to buy for the new address, or release the hold to let it go to the old one';

/** Those of the supplier orders that are on their way to another address than the order has now wait for a person. */
function holdSentElsewhere(context: OrderContext, supplierOrderIds: readonly string[]): Change<OrderContext> {
  const marks = knownMarks(context);
  if (isOff(context) || context.hasAddressHere === true || marks.length === 0) return NOTHING;
  const astray = supplierOrderIds.filter((id) => {
    const part = context.supplierOrders[id];
    if (part?.sentTo === undefined || !isLive(part) || part.state === 'delivered') return false;
    return !marks.includes(part.sentTo);
  });
  return inTurn(
    context,
    ...astray.map(
      (supplierOrderId) => (now: OrderContext) =>
        openHold(
          now,
          'customer_edit_pending',
          { supplierOrderId },
          { cause: CAUSE },
          { isSentElsewhere: true },
        ),
    ),
  );
}

/**
 * The same for one that was sent just now. Where the shop writes an address differently, and this one is known in one way
 * alone, it may have been sent as the other way has it: only with what is known of the address before it is astray.
 */
export function holdSentJustNow(context: OrderContext, supplierOrderId: string): Change<OrderContext> {
  const sentTo = context.supplierOrders[supplierOrderId]?.sentTo;
  const isPerhapsRight =
    !isWhole(context) &&
    writesDifferently(context) &&
    sentTo !== undefined &&
    !knownMarks(context.shipToBefore ?? {}).includes(sentTo);
  const isAsTold = sentTo !== undefined && sentTo === context.shipToUnclear;
  return isPerhapsRight || isAsTold ? NOTHING : holdSentElsewhere(context, [supplierOrderId]);
}

/** What is on its way to where the order is now, or was never sent, waits for nobody because of the address. */
export function releaseSentRight(context: OrderContext): Change<OrderContext> {
  const marks = knownMarks(context);
  return releaseHolds(context, ({ isSentElsewhere: isAstray, supplierOrderId = '' }) => {
    const sentTo = context.supplierOrders[supplierOrderId]?.sentTo;
    return isAstray === true && (sentTo === undefined || marks.includes(sentTo));
  });
}

/** What is planned for the address before is quoted for the one now. */
export const quoteAnew = (context: OrderContext): Change<OrderContext> => {
  const hasDrafts = Object.values(context.supplierOrders).some(({ state }) => state === 'draft');
  return hasDrafts && !isOff(context) ? { context: {}, effects: [{ kind: 'forget_quotes' }] } : NOTHING;
};

/** Follows the shop to another address: what was quoted for the old one is quoted anew, and what was sent with it held. */
export function followAddress(context: OrderContext): Change<OrderContext> {
  const { supplierOrders } = context;
  return inTurn(
    context,
    releaseSentRight,
    () => quoteAnew(context),
    (now) => holdSentElsewhere(now, Object.keys(supplierOrders)),
  );
}
