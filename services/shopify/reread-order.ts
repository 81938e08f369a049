import type { RereadOrder } from '../../contracts/commands/reread-order.ts';
import { HELD_IN_SHOP, type HeldInShop } from '../../contracts/events/held-in-shop.ts';
import { ORDER_UPDATED } from '../../contracts/events/order-received.ts';
import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { DONE, later } from '../serve-commands.ts';
import { type CustomerRow, saveCustomers } from '../store/customers.ts';
import type { Store } from '../store/store.ts';
import { mayBeComing, readDeletedOrder } from './deleted-order.ts';
import { oneReading } from './one-reading.ts';
import { ORDER_OF_FULFILLMENT_ORDER, OrderOfFulfillmentOrderAnswer } from './order-operations.ts';
import { newRisk, riskRow } from './order-risk.ts';
import { lineIdOf } from './plan-fulfillments.ts';
import { readOrder, type Truth } from './read-order.ts';
import { type Ask, asking } from './read-work.ts';
import { isAboutOrder, ShopError } from './shop-error.ts';
import { liftedHolds, shopHoldsIn } from './shop-holds.ts';
import type { ShopPorts } from './shop-ports.ts';

/** What is known of the order; of one that is gone no more than that. */
interface Told extends Pick<Truth, 'received' | 'work'> {
  readonly customer: CustomerRow | null;
  readonly risk: Truth['risk'] | null;
}

/** Tells the order's partition what was read, its risk and what the shop holds of it, and keeps the customer, in one commit. */
export const tellOrder = (
  { store, bus }: ShopPorts,
  messageId: string,
  { received, customer, work, risk }: Told,
): Promise<void> =>
  commitAndPublish(store, bus, async (sql, say) => {
    if (customer !== null) await saveCustomers(sql, [customer], true);
    const { orderId } = received;
    say(eventRow({ messageId, source: '/shopify', type: ORDER_UPDATED, data: received }));
    const assessed = risk === null ? null : await newRisk(sql, orderId, { risk, received, work });
    if (assessed !== null) say(riskRow(`${messageId}:risk`, assessed));
    // Without fulfilment orders nothing is known of what the shop holds.
    if (work.length === 0) return;
    const seen = { received, work };
    for (const { holdId, reason } of await liftedHolds(sql, orderId, seen)) {
      // The risk told just now may hold the order under the same name; where it does not, the next reading lifts this.
      if (reason === 'fraud_review' && assessed !== null && assessed.level !== 'low') continue;
      const data: ReleaseRequested = { orderId, reason, holdId };
      const id = `${messageId}:${holdId}`;
      say(eventRow({ messageId: id, source: '/shopify', type: RELEASE_REQUESTED, data }));
    }
    for (const hold of shopHoldsIn(seen)) {
      const data: HeldInShop = { orderId, ...hold };
      const id = `${messageId}:held:${hold.reason}`;
      say(eventRow({ messageId: id, source: '/shopify', type: HELD_IN_SHOP, data }));
    }
  });

/** Parcels on their way are looked for in the shop, as at each news of theirs: one of their fulfilments may be gone. */
const lookForParcels = (store: Store, orderId: string): Promise<number> =>
  store.run(
    `update parcels set shown_state = null, showing = null, is_sole_fulfillment = false, show_after = now()
      where order_id = $1 and fulfillment_state = 'done' and state <> 'delivered'`,
    [orderId],
  );

async function shopOrderIdOf(ask: Ask, command: RereadOrder): Promise<string | null> {
  if ('shopOrderId' in command) return command.shopOrderId;
  for (const id of [command.fulfillmentOrderId, command.movedFromId]) {
    if (id === undefined) continue;
    const fulfillmentOrderId = `gid://shopify/FulfillmentOrder/${id}`;
    const answer = await ask(
      ORDER_OF_FULFILLMENT_ORDER,
      { fulfillmentOrderId },
      OrderOfFulfillmentOrderAnswer,
    );
    if (answer.fulfillmentOrder !== null) return lineIdOf({ id: answer.fulfillmentOrder.orderId });
  }
  return null;
}

/** @returns false when the shop does not show the order. */
async function readAndTell(
  ports: ShopPorts,
  ask: Ask,
  command: RereadOrder,
  shopOrderId: string,
  messageId: string,
): Promise<boolean> {
  const { shop } = command;
  const buysAuthorized = ports.settings.ORDER_MANAGER_BUY_AUTHORIZED;
  const truth = await readOrder(ask, { shop, buysAuthorized }, shopOrderId);
  if (truth === null) return false;
  const isHistory = 'history' in command && command.history === true;
  const received = isHistory ? { ...truth.received, history: true as const } : truth.received;
  await tellOrder(ports, messageId, { ...truth, received });
  return true;
}

/** Until an order that is about to come is looked for again. */
const COMING_MS = 2_000;

/**
 * Reads an order of which the shop only said that something happened to it. Without a login for that shop nothing is
 * read: its own bodies tell the most, and a later reading the rest.
 */
export async function rereadOrder(
  ports: ShopPorts,
  command: RereadOrder,
  commandId: string,
): Promise<CommandResult> {
  const { admin, settings, store, log } = ports;
  const { shop } = command;
  const messageId = `reread:${commandId}`;
  if ('deleted' in command && command.deleted) {
    const orderId = orderIdOf(shop, command.shopOrderId);
    const received = await readDeletedOrder(store, orderId);
    if (received === null) return (await mayBeComing(store, orderId)) ? later(COMING_MS) : DONE;
    await tellOrder(ports, messageId, { received, customer: null, work: [], risk: null });
    return DONE;
  }
  if (admin === undefined || shop !== settings.SHOPIFY_SHOP_URL) return DONE;
  // First: whatever becomes of the reading, nobody says it again.
  if ('fulfillmentCancelled' in command && command.fulfillmentCancelled === true)
    await lookForParcels(store, orderIdOf(shop, command.shopOrderId));
  const ask = asking(admin, 'read');
  try {
    const shopOrderId = await shopOrderIdOf(ask, command);
    if (
      shopOrderId === null ||
      !(await oneReading(shopOrderId, () => readAndTell(ports, ask, command, shopOrderId, messageId)))
    )
      log.warn({ shopOrderId }, 'the shop does not show an order that it spoke of');
  } catch (error) {
    // An answer of an unknown shape is about this order: it ends as a dead letter.
    if (!(error instanceof ShopError) || error.retryable || isAboutOrder(error)) throw error;
    // To ask again would be refused again; the sweep reads it once the cause is mended.
    log.warn({ failureClass: error.failureClass, evidence: error.evidence }, 'an order could not be read');
  }
  return DONE;
}
