import type { HoldReason } from '../../contracts/vocabulary.ts';
import { underLease } from './order-lease.ts';
import { isBarred, isOthers, isOver, orderGidOf } from './plan-fulfillments.ts';
import { type Ask, asking, readWork } from './read-work.ts';
import { ShopError } from './shop-error.ts';
import type { ShopPorts } from './shop-ports.ts';
import { assertTaken } from './user-errors.ts';
import {
  type FulfillmentHold,
  type FulfillmentOrder,
  PLACE_HOLD,
  PlaceHoldAnswer,
  RELEASE_HOLDS,
  ReleaseHoldsAnswer,
} from './work-operations.ts';

/** Ours among the holds of a fulfilment order; the shop lets each app use a handle once. */
const HOLD_HANDLE = 'order-manager';

const LIMIT = 20;
/** Each time costs a reading, and every held order would be asked for at its own. */
const REFUSED_SECONDS = 1_800;

/** The shop knows fewer reasons than we; the note says ours. */
const SHOP_REASON_OF: Partial<Record<HoldReason, string>> = {
  payment_pending: 'AWAITING_PAYMENT',
  fraud_review: 'HIGH_RISK_OF_FRAUD',
  address_invalid: 'INCORRECT_ADDRESS',
  phone_invalid: 'INCORRECT_ADDRESS',
  out_of_stock: 'INVENTORY_OUT_OF_STOCK',
};

export const isOwnHold = ({ handle, heldByRequestingApp }: FulfillmentHold) =>
  heldByRequestingApp && handle === HOLD_HANDLE;

const isHeldByUs = ({ fulfillmentHolds }: Pick<FulfillmentOrder, 'fulfillmentHolds'>): boolean =>
  fulfillmentHolds.some(isOwnHold);

async function release(ask: Ask, fulfillmentOrderId: string, holds: readonly FulfillmentHold[]) {
  const holdIds = holds.map(({ id }) => id);
  const answer = await ask(RELEASE_HOLDS, { fulfillmentOrderId, holdIds }, ReleaseHoldsAnswer);
  assertTaken('release', answer.fulfillmentOrderReleaseHold);
}

/** @param placing says afterwards, also after a failure, whether any of ours may stand in the shop. */
async function placeHolds(
  ask: Ask,
  orderGid: string,
  reasons: readonly HoldReason[],
  placing: { isAnyPlaced: boolean },
): Promise<void> {
  const work = await readWork(ask, orderGid);
  placing.isAnyPlaced = work.some(isHeldByUs);
  const reason = reasons.map((one) => SHOP_REASON_OF[one]).find((one) => one !== undefined) ?? 'OTHER';
  const hold = {
    reason,
    reasonNotes: `Order Manager waits: ${reasons.join(', ')}`,
    handle: HOLD_HANDLE,
    notifyMerchant: false,
  };
  for (const one of work) {
    const mayBeHeld = one.supportedActions.some(({ action }) => action === 'HOLD');
    // Over a barred one a hold would hide what we wait for.
    if (isOver(one) || isOthers(one) || isBarred(one) || isHeldByUs(one) || !mayBeHeld) continue;
    const answer = await ask(PLACE_HOLD, { fulfillmentOrderId: one.id, hold }, PlaceHoldAnswer);
    assertTaken('hold', answer.fulfillmentOrderHold);
    placing.isAnyPlaced = true;
    const { fulfillmentHold: placed } = answer.fulfillmentOrderHold;
    // We would take it for somebody else's from now on, and wait for them.
    if (placed !== null && !isOwnHold(placed)) await release(ask, one.id, [placed]);
  }
}

async function liftHolds(ask: Ask, orderGid: string): Promise<void> {
  const work = await readWork(ask, orderGid);
  for (const { id, fulfillmentHolds } of work.filter(isHeldByUs))
    await release(ask, id, fulfillmentHolds.filter(isOwnHold));
}

/** Sure of what stands in the shop: nothing is to be looked at again. */
const SURE = `'-infinity'::timestamptz`;

const remember = (ports: ShopPorts, orderId: string, placed: boolean): Promise<number> =>
  ports.store.run(
    `insert into shop_holds (order_id, placed, check_after) values ($1, $2, ${SURE})
     on conflict (order_id) do update set placed = excluded.placed, check_after = excluded.check_after`,
    [orderId, placed],
  );

/**
 * Before a parcel is shown, under the order's lease: our own hold must not stop our own fulfilment. One whose placing got
 * no answer may still land: it is looked for again.
 */
export async function liftOwnHolds(
  ports: ShopPorts,
  ask: Ask,
  orderId: string,
  orderGid: string,
): Promise<void> {
  await liftHolds(ask, orderGid);
  await ports.store.run(
    `update shop_holds set placed = false where order_id = $1 and check_after = ${SURE}`,
    [orderId],
  );
}

/** For an order without any hold of ours in the shop: nothing has to be lifted meanwhile. */
const askMuchLater = ({ store }: ShopPorts, orderId: string): Promise<number> =>
  store.run(
    `update shop_holds set check_after = now() + $2::float8 * interval '1 second' where order_id = $1`,
    [orderId, REFUSED_SECONDS],
  );

interface Mismatch {
  readonly orderId: string;
  readonly shopOrderId: string;
  /** Of our open holds; null: none is open any more. */
  readonly reasons: HoldReason[] | null;
}

/**
 * Orders that are held here and not for sure in the shop, or perhaps there and no more here; for what the shop holds
 * itself no hold of ours is wanted, which would outlast it there. While a parcel waits to be shown nothing is placed.
 * Claimed for the retry time, so that copies share them and a failure is no storm; from then on a hold that is about to
 * be placed counts as placed, whatever becomes of the call.
 * @param orderId of one that was claimed: claims it anew, as it is by now; nothing where it is no mismatch any more.
 */
const claimMismatches = (
  { store, settings }: ShopPorts,
  orderId: string | null = null,
): Promise<Mismatch[]> =>
  store.query<Mismatch>(
    `with open as (
       select order_id, json_agg(distinct reason) as reasons from holds
        where released_at is null and coalesce(evidence ->> 'heldInShop', '') = '' group by order_id
     ), mismatch as (
       select o.id, o.shop_order_id, open.reasons
         from open full join (select order_id from shop_holds where placed) placed on placed.order_id = open.order_id
         join orders o on o.id = coalesce(open.order_id, placed.order_id)
         left join shop_holds known on known.order_id = o.id
        where (open.order_id is null or placed.order_id is null or known.check_after > ${SURE}) and o.shop = $1
          and case when $4::text is null then coalesce(known.check_after, '-infinity') <= now() else o.id = $4 end
          and (open.order_id is null or not exists (
                select 1 from parcels p where p.order_id = o.id and p.left_at is not null
                   and p.fulfillment_state is distinct from 'done'))
        order by o.id limit $2
     ), claimed as (
       insert into shop_holds as h (order_id, placed, check_after)
       select id, reasons is not null, now() + $3::float8 * interval '1 second' from mismatch
       on conflict (order_id) do update
         set check_after = excluded.check_after, placed = h.placed or excluded.placed
         where h.check_after <= now() or $4::text is not null
       returning order_id
     )
     select id as "orderId", shop_order_id as "shopOrderId", reasons
       from mismatch join claimed on claimed.order_id = id`,
    [settings.SHOPIFY_SHOP_URL, LIMIT, settings.ORDER_MANAGER_RETRY_SECONDS, orderId],
  );

/**
 * Brings the shop's fulfilment holds and our own holds together: ours are placed under our handle and lifted again,
 * those of others are left alone. One round.
 */
export async function mirrorHolds(ports: ShopPorts): Promise<'more' | 'idle'> {
  const { admin, log } = ports;
  if (admin === undefined) return 'idle';
  const mismatches = await claimMismatches(ports);
  for (const { orderId } of mismatches) {
    // Until the shop is read, one may stand there of which no answer told.
    const placing = { isAnyPlaced: true };
    try {
      await underLease(ports, orderId, async (signal) => {
        // Only what is read under the lease counts: the hold may be over, and another copy have seen to it.
        const [now] = await claimMismatches(ports, orderId);
        if (now === undefined) return;
        const { reasons } = now;
        const orderGid = orderGidOf(now.shopOrderId);
        const ask = asking(admin, 'read', signal);
        if (reasons === null) await liftHolds(ask, orderGid);
        else await placeHolds(ask, orderGid, reasons, placing);
        await remember(ports, orderId, reasons !== null);
      });
    } catch (error) {
      if (!(error instanceof ShopError)) throw error;
      const { failureClass, evidence } = error;
      if (failureClass === 'permanent' && !placing.isAnyPlaced) await askMuchLater(ports, orderId);
      log.warn({ orderId, failureClass, evidence }, 'a hold could not be shown in the shop');
    }
  }
  return mismatches.length === LIMIT ? 'more' : 'idle';
}
