import type { OrderReceived } from '../contracts/events/order-received.ts';
import type { OrderContext } from './order-context.ts';

const isReading = ({ reread, isRoutingHidden }: OrderReceived): boolean =>
  reread === true && isRoutingHidden !== true;

/** A line of the body was read as shipped by others in part, and the body cannot say whether it still is. */
export const isOfUnknownShare = ({ inShop }: OrderContext, received: OrderReceived): boolean =>
  !isReading(received) && received.lines.some(({ lineId }) => inShop[lineId]?.isShared === true);

/**
 * The body with what is known of lines that others ship in part: until a reading says so, no more of them is ours. Fewer
 * are, when fewer are left to ship.
 */
export const withKnownShares = (context: OrderContext, received: OrderReceived): OrderReceived =>
  isOfUnknownShare(context, received)
    ? {
        ...received,
        lines: received.lines.map((line) => {
          const known = context.inShop[line.lineId];
          return known?.isShared === true && line.deliveredBy === 'us'
            ? { ...line, openUnits: Math.min(line.openUnits, known.ours), isShared: true }
            : line;
        }),
      }
    : received;
