import { fromGid } from './gid.ts';
import { fulfillmentOrderView, holdView, supportedActionsOf } from './order-view.ts';
import type { Shop } from './shop.ts';
import type { FulfillmentOrder, ShopOrder } from './shop-order.ts';
import { UserRefusal } from './user-refusal.ts';

export type Picked = { order: ShopOrder; fulfillmentOrder: FulfillmentOrder };

/** The fulfilment order with its order. @throws UserRefusal when there is none. */
export function pick(shop: Shop, gid: string): Picked {
  const found = shop.fulfillmentOrder(fromGid('FulfillmentOrder', gid) ?? '');
  if (found === undefined) throw new UserRefusal(['fulfillment'], 'Fulfillment order does not exist.');
  return found;
}

export interface HoldInput {
  reason: string;
  reasonNotes?: string | null;
  handle?: string | null;
}

/** Puts a hold of ours on a fulfilment order. */
export function hold(shop: Shop, gid: string, input: HoldInput): object {
  const { order, fulfillmentOrder } = pick(shop, gid);
  if (!supportedActionsOf(order, fulfillmentOrder).includes('HOLD'))
    throw new UserRefusal(['id'], 'The fulfillment order is not in a state that can be held.');
  const handle = input.handle ?? null;
  if (fulfillmentOrder.holds.some((one) => one.isOurs && one.handle === handle))
    throw new UserRefusal(
      ['fulfillmentHold', 'handle'],
      'The handle provided for the fulfillment hold is already in use.',
    );
  const { reason, reasonNotes = null } = input;
  const placed = { id: shop.nextId(), handle, reason, reasonNotes, isOurs: true };
  fulfillmentOrder.holds.push(placed);
  shop.touch(order);
  shop.tellFulfillmentOrder('FULFILLMENT_ORDERS_PLACED_ON_HOLD', order, fulfillmentOrder);
  return holdView(placed);
}

/** Without ids every hold goes, also those of others. */
export function release(shop: Shop, gid: string, holdIds: string[] | null | undefined): object {
  const { order, fulfillmentOrder } = pick(shop, gid);
  const ids = holdIds?.map((id) => fromGid('FulfillmentHold', id));
  fulfillmentOrder.holds = fulfillmentOrder.holds.filter(({ id }) => ids !== undefined && !ids.includes(id));
  shop.touch(order);
  shop.tellFulfillmentOrder('FULFILLMENT_ORDERS_HOLD_RELEASED', order, fulfillmentOrder);
  return fulfillmentOrderView(order, fulfillmentOrder);
}
