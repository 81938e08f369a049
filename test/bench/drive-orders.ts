import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { SANDBOX_SHOP } from '../../deploy/local/sandbox-process.ts';
import { aShopOrder, type ShopOrder } from '../fixtures/shop-orders.ts';
import { inLanes } from './in-lanes.ts';
import { KEYS, type RoadWorld } from './road-world.ts';

/** One line that is bought at AliExpress, one that is bought at CJ. */
const ARTICLES = [
  { article: 3, units: 1 },
  { article: 1, units: 1 },
];

/** @param number anew for each order of a world. */
export const benchOrder = (number: number): ShopOrder => aShopOrder(1_000_000 + number, ARTICLES);

export interface Delivery {
  /** As the shop calls its order. */
  readonly orderId: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | number>>;
}

/** A delivery with its signature, made before the clock runs: signing is the shop's work. */
const toDelivery = ({ id, body }: ShopOrder): Delivery => ({
  orderId: id,
  body,
  headers: {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-shopify-topic': 'orders/create',
    'x-shopify-hmac-sha256': createHmac('sha256', KEYS.shopSecret).update(body).digest('base64'),
    'x-shopify-shop-domain': SANDBOX_SHOP,
    'x-shopify-webhook-id': randomUUID(),
    'x-shopify-event-id': randomUUID(),
    'x-shopify-api-version': '2026-10',
  },
});

/** Puts the orders of these numbers into the sandbox shop. @returns their webhooks, still to be sent. */
export async function placeOrders({ control }: RoadWorld, numbers: readonly number[]): Promise<Delivery[]> {
  const orders = numbers.map(benchOrder);
  await inLanes(orders, 8, async ({ body }) => {
    await control('POST', '/shop/orders', body);
  });
  return orders.map(toDelivery);
}

/** The shop with its kept connections to the gateway. */
export interface Sender {
  /** @returns how long the gateway took to acknowledge, in milliseconds. @throws Error unless it answers with 200. */
  send(delivery: Delivery): Promise<number>;
  close(): void;
}

export function openSender({ stack }: RoadWorld, connections: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const port = Number(new URL(stack.url).port);
  const post = ({ body, headers }: Delivery): Promise<number> =>
    new Promise((resolve, reject) => {
      const path = '/webhooks/shopify/orders/create';
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  return {
    async send(delivery) {
      const sentAt = performance.now();
      const status = await post(delivery);
      if (status !== 200) throw new Error(`a webhook was answered with ${status}`);
      return performance.now() - sentAt;
    },
    close: () => agent.destroy(),
  };
}

export interface Run {
  readonly seconds: number;
  /** Milliseconds, ascending. */
  readonly acks: readonly number[];
  readonly ends: readonly number[];
}

/** Everything of an order is over: delivered, its parcels shown so in the shop, its mails gone. Along indexes alone. */
const OPEN = `
  with ours as (select id, state from orders where created_at >= $2 and archived_at is null)
  select $1 - (select count(*) from ours where state = 'delivered')
       + (select count(*) from ours o join supplier_orders s on s.order_id = o.id
            join parcels p on p.supplier_order_id = s.id where p.shown_state is distinct from 'delivered')
       + (select count(*) from ours o join notifications n on n.order_id = o.id where n.state <> 'sent') as open`;

/** Orders that are not delivered. Asked first, since asking for all the rest costs more than one of the orders itself. */
const UNDELIVERED = `
  select $1 - count(*) as open from orders where created_at >= $2 and archived_at is null and state = 'delivered'`;

/** What is not over, in words: how many orders stand where, and why the first of them do. */
async function listOpen(database: Client, since: string): Promise<string> {
  const { rows } = await database.query<{ line: string }>(
    `select concat_ws(' ', count(*), o.state, s.state, s.supplier, p.state, 'shown', p.shown_state, n.kind, n.state,
                      'first', min(o.id::text)) as line
       from orders o left join supplier_orders s on s.order_id = o.id
       left join parcels p on p.supplier_order_id = s.id
       left join notifications n on n.order_id = o.id and n.state <> 'sent'
      where o.created_at >= $1 and o.archived_at is null
        and (o.state <> 'delivered' or n.id is not null or (p.id is not null and p.shown_state is distinct from 'delivered'))
      group by o.state, s.state, s.supplier, p.state, p.shown_state, n.kind, n.state`,
    [since],
  );
  return rows.map(({ line }) => line).join('\n');
}

/** Waits until everything is over about the orders that came since then. @param since an instant of the database. */
export async function untilOver(database: Client, orders: number, since: string): Promise<void> {
  const deadline = performance.now() + 120_000 + orders * 400;
  for (;;) {
    let open = 0;
    for (const question of [UNDELIVERED, OPEN]) {
      const { rows } = await database.query<{ open: string }>(question, [orders, since]);
      open = Number(rows[0]?.open);
      if (open > 0) break;
    }
    if (open === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${open} things are not over:\n${await listOpen(database, since)}`);
    await delay(200);
  }
}

/** Sends the orders of these numbers, so many at once, and waits until everything about them is over. */
export async function runOrders(
  world: RoadWorld,
  database: Client,
  numbers: readonly number[],
  concurrency: number,
): Promise<Run> {
  const deliveries = await placeOrders(world, numbers);
  const sender = openSender(world, concurrency);
  const acks: number[] = [];
  const startedAt = performance.now();
  const since = new Date().toISOString();
  await inLanes(deliveries, concurrency, async (delivery) => {
    acks.push(await sender.send(delivery));
  });
  sender.close();
  await untilOver(database, numbers.length, since);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { rows } = await database.query<{ ms: number }>(
    `select extract(epoch from max(t.at) - min(w.received_at)) * 1000 as ms
       from orders o join timeline t on t.order_id = o.id join webhooks w on w.order_id = o.id
      where o.created_at >= $1 and o.archived_at is null and w.received_at >= $1
        and t.to_state = 'delivered' and t.from_state is distinct from 'delivered'
      group by t.order_id order by 1`,
    [since],
  );
  return { seconds, acks: acks.sort((a, b) => a - b), ends: rows.map(({ ms }) => Number(ms)) };
}

/** The value below which that share of the ascending values lies. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
