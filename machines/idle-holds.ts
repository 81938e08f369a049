import type { Change } from './change.ts';
import { isLive } from './hold-scope.ts';
import { isAboutLine, releaseHolds } from './holds.ts';
import type { OpenHold, OrderContext } from './order-context.ts';
import { mayLiveOn } from './wanted-units.ts';

const isWaiting = ({ lines }: OrderContext, lineId: string): boolean => {
  const { unallocated = 0, held = 0 } = lines[lineId] ?? {};
  return unallocated + held > 0;
};

/** Units of an ended purchase that wait to be bought elsewhere. */
export const hasComeBack = (context: OrderContext, supplierOrderId: string): boolean =>
  Object.keys(context.supplierOrders[supplierOrderId]?.units ?? {}).some((lineId) =>
    isWaiting(context, lineId),
  );

/**
 * It keeps units from being bought, and does nothing else: of a line, as a rule found it, or of a purchase that bought
 * nothing. A bill, a second order at the supplier and money for what it cancelled are matters of their own.
 */
function keepsUnitsAlone(context: OrderContext, hold: OpenHold): boolean {
  if (hold.isHeldInShop) return false;
  // Its units may be on a purchase still that is being given up for it.
  if (isAboutLine(hold)) return hold.reason !== 'fulfillment_not_ours';
  const ended = context.supplierOrders[hold.supplierOrderId ?? ''];
  if (ended === undefined || isLive(ended) || mayLiveOn(hold) || hold.reason === 'payment_pending')
    return false;
  return ended.state !== 'cancelled' || hold.reason === 'operator';
}

/**
 * Lets go of holds whose units nobody waits for any more: taken away, shipped by others, or bought by hand. Nobody has to
 * decide about them, and what else waited for the same hold goes on.
 */
export const releaseIdle = (context: OrderContext): Change<OrderContext> =>
  releaseHolds(
    context,
    (hold) =>
      keepsUnitsAlone(context, hold) &&
      !(hold.lineId === undefined
        ? hasComeBack(context, hold.supplierOrderId ?? '')
        : isWaiting(context, hold.lineId)),
  );
