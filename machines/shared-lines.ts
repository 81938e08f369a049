import type { OrderReceived, ReceivedLine } from '../contracts/events/order-received.ts';
import type { OrderContext } from './order-context.ts';

const isReading = ({ reread, isRoutingHidden }: OrderReceived): boolean =>
  reread === true && isRoutingHidden !== true;

/** The line is known as another service's, in part or, where the shop can be asked, as a whole. */
const isKnownOthers = (
  { inShop, canBeReread: couldBe }: OrderContext,
  { canBeReread = couldBe }: OrderReceived,
  lineId: string,
): boolean =>
  inShop[lineId]?.isShared === true || (canBeReread === true && inShop[lineId]?.isOthers === true);

/**
 * The line is known as ours, and the shop can be asked: something open of it, or, where the body has nothing of it open
 * any more, all of it shipped.
 */
function isKnownOurs(
  { inShop, canBeReread: couldBe }: OrderContext,
  { canBeReread = couldBe }: OrderReceived,
  { lineId, openUnits }: ReceivedLine,
): boolean {
  const known = inShop[lineId];
  if (canBeReread !== true || known === undefined) return false;
  return known.ours > 0 || (openUnits === 0 && known.isOthers !== true);
}

/**
 * A body calls what is open of a line ours, which others ship in part or as a whole by what is known, or the other way
 * round: it names the service of the article, and cannot say to whom the shop has moved the line since.
 */
export const isOfUnknownShare = (context: OrderContext, received: OrderReceived): boolean =>
  !isReading(received) &&
  received.lines.some(
    (line) =>
      line.openUnits > 0 &&
      ((line.deliveredBy === 'us' && isKnownOthers(context, received, line.lineId)) ||
        (line.deliveredBy === 'other_service' && isKnownOurs(context, received, line))),
  );

/**
 * The body with what is known of who ships its lines: until a reading says so, no more of them is ours, and no line that
 * is ours becomes another service's. Fewer units are ours when fewer are left to ship.
 */
export function withKnownShares(context: OrderContext, received: OrderReceived): OrderReceived {
  if (isReading(received)) return received;
  const asKnown = (told: ReceivedLine): ReceivedLine => {
    const { isOthers, ours = 0, deliveryMethod } = context.inShop[told.lineId] ?? {};
    const isOurs = told.deliveredBy === 'other_service' && isKnownOurs(context, received, told);
    const line: ReceivedLine = isOurs ? { ...told, deliveredBy: 'us' } : told;
    if (line.deliveredBy !== 'us' || !isKnownOthers(context, received, line.lineId)) return line;
    return isOthers && line.openUnits > 0
      ? { ...line, deliveredBy: 'other_service', ...(deliveryMethod === undefined ? {} : { deliveryMethod }) }
      : { ...line, openUnits: Math.min(line.openUnits, ours), isShared: true };
  };
  return { ...received, lines: received.lines.map(asKnown) };
}
