import type { OrderVerified } from '../../contracts/events/order-verified.ts';
import type { HoldReason } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import { isOwnHold } from './mirror-holds.ts';
import { isBarred, isForCarrier, isOver, lineIdOf, type OpenWork } from './plan-fulfillments.ts';
import type { Truth } from './read-order.ts';
import { holdReasonOf } from './ship-parcel.ts';

type ShopHold = OrderVerified['holds'][number];
type Seen = Pick<Truth, 'received' | 'work'>;
interface LiftedHold {
  readonly holdId: string;
  readonly reason: HoldReason;
}

const toBeShipped = ({ received, work }: Seen): OpenWork[] => {
  const goods = new Set(
    received.lines.filter(({ deliveredBy }) => deliveredBy !== 'nobody').map(({ lineId }) => lineId),
  );
  return work.filter(
    (one) =>
      !isOver(one) &&
      one.lines.some(
        ({ lineItem, remainingQuantity }) => remainingQuantity > 0 && goods.has(lineIdOf(lineItem)),
      ),
  );
};

/**
 * Why nothing is to be bought, by the shop's own account: others hold it, a part of it may not be shipped now, or all of
 * it is for no carrier (picked up, delivered by hand). One hold a reason, which goes when it is seen no more.
 */
export function shopHoldsIn(seen: Seen): ShopHold[] {
  const holds = new Map<HoldReason, ShopHold>();
  const hold = (reason: HoldReason, { id }: OpenWork, heldInShop: string): void => {
    holds.set(reason, { reason, evidence: { fulfillmentOrder: id, heldInShop } });
  };
  const isAnyOurs = seen.received.lines.some(
    ({ deliveredBy, openUnits }) => deliveredBy === 'us' && openUnits > 0,
  );
  for (const one of toBeShipped(seen)) {
    for (const theirs of one.fulfillmentHolds.filter((any) => !isOwnHold(any)))
      hold(holdReasonOf(theirs.reason), one, theirs.reason);
    // Not ours, which the shop would name.
    if (one.status === 'ON_HOLD' && one.fulfillmentHolds.length === 0) hold('operator', one, one.status);
    if (!isForCarrier(one)) {
      // Beside units that are shipped, these are nobody's to buy.
      if (!isAnyOurs) hold('fulfillment_not_ours', one, one.deliveryMethod?.methodType ?? '');
    } else if (isBarred(one)) hold('fulfillment_not_ours', one, one.status);
  }
  return [...holds.values()];
}

/**
 * Holds that stand here only because the shop had a reason for them, which is there no more. What else is held for the
 * same reason is for a person.
 */
export async function liftedHolds(sql: Sql, orderId: string, seen: Seen): Promise<LiftedHold[]> {
  const holds = await sql.query<LiftedHold>(
    `select id as "holdId", reason from holds
      where order_id = $1 and released_at is null and coalesce(evidence ->> 'heldInShop', '') <> '' order by id`,
    [orderId],
  );
  const standing = new Set(shopHoldsIn(seen).map(({ reason }) => reason));
  return holds.filter(({ reason }) => !standing.has(reason));
}
