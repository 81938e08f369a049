import type { OrderReceived } from '../contracts/events/order-received.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { isLive } from './hold-scope.ts';
import { openHold } from './holds.ts';
import { marksOf, type OrderContext } from './order-context.ts';
import { isOff } from './wanted-units.ts';

type Body = Pick<OrderReceived, 'reread' | 'shipToMark'>;

const knownMarks = ({ shipToMark, shipToMarkRead }: OrderContext): string[] =>
  [shipToMark, shipToMarkRead].filter((mark) => mark !== undefined);

/**
 * Another address than the last one that was known in the same way, where both are known; one that was put in here stays
 * whatever the shop has.
 */
export function isSentElsewhere(context: OrderContext, { reread, shipToMark: now }: Body): boolean {
  const { shipToMark: told, shipToMarkRead: read, hasAddressHere } = context;
  const before = reread === true ? (read ?? told) : (told ?? read);
  return hasAddressHere !== true && before !== undefined && now !== undefined && now !== before;
}

/** Of the address after a body. Once something is bought, what was known of the one before counts no more. */
export const shipToMarks = (
  context: OrderContext,
  body: Body,
  hasLive: boolean,
): Pick<OrderContext, 'shipToMark' | 'shipToMarkRead'> =>
  hasLive && isSentElsewhere(context, body)
    ? { shipToMark: undefined, shipToMarkRead: undefined, ...marksOf(body) }
    : marksOf(body);

/** An address is known after the change that was not known before. */
export const hasMoved = (before: OrderContext, after: OrderContext): boolean =>
  after.hasAddressHere !== true &&
  knownMarks(before).length > 0 &&
  knownMarks(after).some((mark) => !knownMarks(before).includes(mark));

const CAUSE =
  'the address was changed in the shop after this purchase was sent with the old one: cancel the purchase to buy for the new address, or release the hold to let it go to the old one';

/** Those of the supplier orders that are on their way to another address than the order has now wait for a person. */
export function holdSentElsewhere(
  context: OrderContext,
  supplierOrderIds: readonly string[],
): Change<OrderContext> {
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
        openHold(now, 'customer_edit_pending', { supplierOrderId }, { cause: CAUSE }),
    ),
  );
}

/** Follows the shop to another address: what was quoted for the old one is quoted anew, and what was sent with it held. */
export function followAddress(context: OrderContext): Change<OrderContext> {
  const { supplierOrders } = context;
  const hasDrafts = Object.values(supplierOrders).some(({ state }) => state === 'draft');
  return inTurn(
    context,
    () => (hasDrafts && !isOff(context) ? { context: {}, effects: [{ kind: 'forget_quotes' }] } : NOTHING),
    (now) => holdSentElsewhere(now, Object.keys(supplierOrders)),
  );
}
