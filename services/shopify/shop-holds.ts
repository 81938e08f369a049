import type { OrderVerified } from '../../contracts/events/order-verified.ts';
import type { HoldReason } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import { isOwnHold } from './mirror-holds.ts';
import { isForCarrier, isOver, type OpenWork } from './plan-fulfillments.ts';
import type { Truth } from './read-order.ts';
import { holdReasonOf } from './ship-parcel.ts';

type ShopHold = OrderVerified['holds'][number];

const isOpen = (work: OpenWork): boolean =>
  !isOver(work) && work.lines.some(({ remainingQuantity }) => remainingQuantity > 0);

/** What others hold in the shop, and that all of it is for no carrier: picked up, delivered by hand. One hold a reason. */
export function shopHoldsIn({ received, work }: Pick<Truth, 'received' | 'work'>): ShopHold[] {
  const holds = new Map<HoldReason, ShopHold>();
  const isAnyOurs = received.lines.some(
    ({ deliveredBy, openUnits }) => deliveredBy === 'us' && openUnits > 0,
  );
  for (const one of work.filter(isOpen)) {
    const { id, fulfillmentHolds, deliveryMethod } = one;
    for (const hold of fulfillmentHolds.filter((theirs) => !isOwnHold(theirs))) {
      const reason = holdReasonOf(hold.reason);
      holds.set(reason, { reason, evidence: { fulfillmentOrder: id, heldInShop: hold.reason } });
    }
    if (isAnyOurs || isForCarrier(one)) continue;
    const reason = 'fulfillment_not_ours';
    const method = deliveryMethod?.methodType ?? '';
    holds.set(reason, { reason, evidence: { fulfillmentOrder: id, deliveryMethod: method } });
  }
  return [...holds.values()];
}

/**
 * Reasons for which an order is held here only because it was held in the shop, and is there no more. A reason that
 * anything else stands behind as well is for a person.
 */
export async function liftedReasons(
  sql: Sql,
  orderId: string,
  truth: Pick<Truth, 'received' | 'work'>,
): Promise<HoldReason[]> {
  const rows = await sql.query<{ reason: HoldReason }>(
    `select reason from holds where order_id = $1 and released_at is null
      group by reason having bool_and(coalesce(evidence ->> 'heldInShop', '') <> '')`,
    [orderId],
  );
  const standing = new Set(shopHoldsIn(truth).map(({ reason }) => reason));
  return rows.map(({ reason }) => reason).filter((reason) => !standing.has(reason));
}
