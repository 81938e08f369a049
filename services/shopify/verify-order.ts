import type { VerifyOrder } from '../../contracts/commands/verify-order.ts';
import { AppError } from '../../contracts/errors.ts';
import { ORDER_VERIFIED, type OrderVerified } from '../../contracts/events/order-verified.ts';
import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { DONE } from '../serve-commands.ts';
import { type CustomerRow, saveCustomers } from '../store/customers.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { isoInstant } from '../store/rows.ts';
import { oneReading } from './one-reading.ts';
import { riskRow, toRisk } from './order-risk.ts';
import { readOrder, type Truth } from './read-order.ts';
import { asking } from './read-work.ts';
import { ShopError } from './shop-error.ts';
import { shopHoldsIn } from './shop-holds.ts';
import type { ShopPorts } from './shop-ports.ts';

/** Refusals of the shop that only a person can mend; the others pass, and the deadline asks again. */
export const HOLD_OF_REFUSAL: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  account_blocked: 'account_risk',
  permanent: 'operator',
};

/** For such a hold: its reason alone would send whoever reads it to a supplier. */
export const refusedByShop = ({ failureClass, evidence }: ShopError): Evidence => ({
  refusedBy: 'shop',
  failureClass,
  ...evidence,
});

interface OrderRow {
  readonly shop: string;
  readonly shopOrderId: string;
  readonly placedAt: string;
  /** We have known it no longer than the shop may take to route it: an imported order may be placed years ago. */
  readonly isNew: boolean;
  /** By the database's clock: this machine's may be hours off. */
  readonly now: string;
}

/** As long as this Shopify may take to route an order, and to show it to those who ask. */
const ROUTING_MS = 600_000;

type Verdict = Pick<OrderVerified, 'holds'> & { readonly truth: Truth | null };
const NOT_SHOWN =
  'not shown by the shop: deleted, or too old; released, it is bought by what was known of it';
const HIDDEN: OrderVerified['holds'][number] = { reason: 'operator', evidence: { order: NOT_SHOWN } };
/** It goes by itself once a reading sees a fulfilment order. */
const UNROUTED: OrderVerified['holds'][number] = {
  reason: 'fulfillment_not_ours',
  evidence: {
    heldInShop: 'not routed',
    cause: 'no fulfilment order seen: not routed, or a scope is missing',
  },
};

/** Without a scope for fulfilment orders the shop shows none, and says nothing of it: who delivers is not known. */
const isUnrouted = ({ received, work }: Truth): boolean =>
  work.length === 0 &&
  !received.cancelled &&
  received.lines.some(({ deliveredBy, openUnits }) => deliveredBy === 'us' && openUnits > 0);

/** A shop whose clock is ahead of ours is waited for no longer than any other. */
const isJustPlaced = (placedAt: string, now: string): boolean =>
  Math.abs(Date.parse(now) - Date.parse(placedAt)) < ROUTING_MS;

/** A person released that it is not shown: asked again, the shop would say the same, and it would never go on. */
async function isToGoOnUnseen({ store }: ShopPorts, orderId: string): Promise<boolean> {
  const [hold] = await store.query(
    `select 1 from holds where order_id = $1 and reason = 'operator' and released_at is not null and evidence ->> 'order' = $2`,
    [orderId, NOT_SHOWN],
  );
  return hold !== undefined;
}

/** `not_yet`: Shopify may still be routing it, or does not show it yet. */
async function judge(
  ports: ShopPorts,
  orderId: string,
  { shop, shopOrderId, placedAt, isNew, now }: OrderRow,
): Promise<Verdict | 'not_yet'> {
  const { admin, settings } = ports;
  // Made by hand, of another shop, or without a login: what is known is all there is.
  if (admin === undefined || shop !== settings.SHOPIFY_SHOP_URL) return { truth: null, holds: [] };
  try {
    const truth = await readOrder(
      asking(admin, 'read'),
      { shop, buysAuthorized: settings.ORDER_MANAGER_BUY_AUTHORIZED },
      shopOrderId,
    );
    if (truth === null) {
      if (isJustPlaced(placedAt, now)) return 'not_yet';
      return { truth, holds: (await isToGoOnUnseen(ports, orderId)) ? [] : [HIDDEN] };
    }
    if (!isUnrouted(truth)) return { truth, holds: shopHoldsIn(truth) };
    return isNew || isJustPlaced(truth.received.placedAt, now) ? 'not_yet' : { truth, holds: [UNROUTED] };
  } catch (error) {
    if (error instanceof AppError && error.code === 'body_invalid')
      return { truth: null, holds: [{ reason: 'operator', evidence: { order: error.message } }] };
    const reason = error instanceof ShopError ? HOLD_OF_REFUSAL[error.failureClass] : undefined;
    if (!(error instanceof ShopError) || reason === undefined) throw error;
    return { truth: null, holds: [{ reason, evidence: refusedByShop(error) }] };
  }
}

const orderRow = gatheringFor(async ({ store }: ShopPorts, orderIds: readonly string[]) => {
  const rows = await store.query<OrderRow & { readonly id: string }>(
    `select id, shop, shop_order_id as "shopOrderId", placed_at as "placedAt",
            created_at > now() - $2::float8 * interval '1 millisecond' as "isNew",
            ${isoInstant('now()')} as now
       from orders where id = any($1::text[])`,
    [orderIds, ROUTING_MS],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  return orderIds.map((orderId) => known.get(orderId));
});

interface Told {
  readonly customer: CustomerRow | null;
  readonly events: readonly OutboxRow[];
}

/** Verdicts that are ready at the same time are one commit. */
const tell = gatheringFor(async ({ store, bus }: ShopPorts, told: readonly Told[]) => {
  await commitAndPublish(store, bus, async (sql, say) => {
    await saveCustomers(
      sql,
      told.flatMap(({ customer }) => (customer === null ? [] : [customer])),
      true,
    );
    for (const row of told.flatMap(({ events }) => events)) say(row);
  });
  return told.map(() => true);
});

/** Says what the order is now, what the shop thinks of its risk, and what keeps it from being bought for. */
export async function verifyOrder(
  ports: ShopPorts,
  { orderId }: VerifyOrder,
  commandId: string,
): Promise<CommandResult> {
  const order = await orderRow(ports, orderId);
  if (order === undefined) return DONE;
  return oneReading(order.shopOrderId, () => judgeAndTell(ports, orderId, order, commandId));
}

async function judgeAndTell(
  ports: ShopPorts,
  orderId: string,
  order: OrderRow,
  commandId: string,
): Promise<CommandResult> {
  const verdict = await judge(ports, orderId, order);
  if (verdict === 'not_yet') {
    ports.log.warn(
      { orderId },
      'the shop does not show the order or its fulfilment orders yet: it is asked again',
    );
    // Not `later`, which would keep a slot for minutes: the deadline of the question asks again.
    return DONE;
  }
  const { truth, holds } = verdict;
  const risk = truth === null ? [] : [riskRow(`risk:${commandId}`, toRisk(orderId, truth.risk))];
  const data: OrderVerified = { orderId, body: truth?.received ?? null, holds };
  const messageId = `verified:${commandId}`;
  const verified = eventRow({ messageId, source: '/shopify', type: ORDER_VERIFIED, data });
  await tell(ports, { customer: truth?.customer ?? null, events: [...risk, verified] });
  return DONE;
}
