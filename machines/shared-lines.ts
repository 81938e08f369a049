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

/** A body calls what is open of a line ours, which others ship in part or as a whole by what is known: it cannot say whether they still do. */
export const isOfUnknownShare = (context: OrderContext, received: OrderReceived): boolean =>
  !isReading(received) &&
  received.lines.some(
    ({ lineId, deliveredBy, openUnits }) =>
      deliveredBy === 'us' && openUnits > 0 && isKnownOthers(context, received, lineId),
  );

/**
 * The body with what is known of lines that others ship: until a reading says so, no more of them is ours. Fewer are,
 * when fewer are left to ship.
 */
export function withKnownShares(context: OrderContext, received: OrderReceived): OrderReceived {
  if (isReading(received)) return received;
  const asKnown = (line: ReceivedLine): ReceivedLine => {
    const { isOthers, ours = 0 } = context.inShop[line.lineId] ?? {};
    if (line.deliveredBy !== 'us' || !isKnownOthers(context, received, line.lineId)) return line;
    return isOthers && line.openUnits > 0
      ? { ...line, deliveredBy: 'other_service' }
      : { ...line, openUnits: Math.min(line.openUnits, ours), isShared: true };
  };
  return { ...received, lines: received.lines.map(asKnown) };
}
