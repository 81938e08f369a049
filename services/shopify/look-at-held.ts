import { STOPS_ITS_ORDER } from '../store/dead-letters.ts';
import { isOutage } from '../store/outage.ts';
import { oneReading } from './one-reading.ts';
import { newRisk } from './order-risk.ts';
import { readOrder } from './read-order.ts';
import type { Ask } from './read-work.ts';
import { tellOrder } from './reread-order.ts';
import { isAboutOrder, ShopError } from './shop-error.ts';
import { liftedHolds } from './shop-holds.ts';
import type { ShopPorts } from './shop-ports.ts';

/** Chosen by chance, so that each has its turn and nobody writes down whose it was. */
const LIMIT = 20;

interface HeldOrder {
  readonly orderId: string;
  readonly shopOrderId: string;
}

async function look(
  ports: ShopPorts,
  ask: Ask,
  shop: string,
  { orderId, shopOrderId }: HeldOrder,
  at: Date,
): Promise<void> {
  const buysAuthorized = ports.settings.ORDER_MANAGER_BUY_AUTHORIZED;
  const truth = await readOrder(ask, { shop, buysAuthorized }, shopOrderId);
  if (truth === null || truth.work.length === 0) return;
  const isLifted = (await liftedHolds(ports.store, orderId, truth)).length > 0;
  if (!isLifted && (await newRisk(ports.store, orderId, truth)) === null) return;
  await tellOrder(ports, `held:${orderId}:${at.getTime()}`, truth);
}

/**
 * Looks again at orders that stand here only because the shop holds them, has not routed them or finds them risky, and
 * tells those of which that is over or otherwise. No sweep finds them: a fulfilment order that is released, routed or due
 * need not change its order, and the webhook that says so may be lost. Not behind a dead letter, where each round would
 * only park the same once more. One round. Throws ShopError when the shop cannot be read.
 * @param at names the round: what it tells is said once.
 */
export async function lookAtHeld(ports: ShopPorts, ask: Ask, shop: string, at: Date): Promise<void> {
  const { store, log } = ports;
  const held = await store.query<HeldOrder>(
    `select o.id as "orderId", o.shop_order_id as "shopOrderId"
       from (select distinct order_id from holds
              where released_at is null
                and (reason = 'fraud_review' or coalesce(evidence ->> 'heldInShop', '') <> '')) h
       join orders o on o.id = h.order_id
      where o.shop = $1 and not exists (
              select 1 from dead_letters where order_id = o.id and ${STOPS_ITS_ORDER})
      order by random() limit $2`,
    [shop, LIMIT],
  );
  for (const order of held) {
    try {
      await oneReading(order.shopOrderId, () => look(ports, ask, shop, order, at));
    } catch (error) {
      if ((error instanceof ShopError && !isAboutOrder(error)) || isOutage(error)) throw error;
      log.warn({ orderId: order.orderId, err: error }, 'a held order of the shop could not be taken in');
    }
  }
}
