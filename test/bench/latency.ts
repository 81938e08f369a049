import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { readSettings } from '../../contracts/settings.ts';
import { type Delivery, openSender, percentile, placeOrders } from './drive-orders.ts';
import { cpuBetween, readUse } from './process-use.ts';
import { startRoadWorld } from './road-world.ts';

/*
 * How long a purchase waits while orders come at a steady rate, each at its moment whether or not we keep up:
 *   npm run bench:latency [-- --rate 50 --seconds 30 --warm-up 20]
 * From the moment at which a webhook is due until the intent of its first purchase is written; its call follows the commit.
 */
const { values } = parseArgs({
  options: {
    /** Webhooks per second. */
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    /** Before those, at the same rate: a service that is up compiles no code any more. */
    'warm-up': { type: 'string', default: '20' },
  },
});
const RATE = Number(values.rate);
const ORDERS = Math.round(RATE * Number(values.seconds));
const WARM_UP = Math.round(RATE * Number(values['warm-up']));
const CONNECTIONS = 64;
/** After the last webhook; then what is not bought counts as open. */
const PATIENCE_MS = 60_000 + (WARM_UP + ORDERS) * 200;
const PACKING_MS = 3_600_000;

interface Sent {
  /** Of the shop's order. */
  readonly orderId: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly ackMs: number;
}

/** What was bought is looked at as often as in a shop that sets nothing. */
const { ORDER_MANAGER_POLL_SECONDS: POLL_SECONDS } = readSettings({});
const world = await startRoadWorld('latency', { ORDER_MANAGER_POLL_SECONDS: String(POLL_SECONDS) });
const database = new Client({ connectionString: world.stack.connectionString });

/** Orders of the run that are here, and those of them that have a purchase. */
async function countBought(since: Date): Promise<{ come: number; bought: number }> {
  const { rows } = await database.query<{ come: number; bought: number }>(
    `select count(*)::int as come,
            count(*) filter (where exists (select 1 from supplier_orders s
                                             join purchase_intents i on i.supplier_order_id = s.id
                                            where s.order_id = o.id))::int as bought
       from orders o where created_at >= $1 and archived_at is null`,
    [since],
  );
  return rows[0] ?? { come: 0, bought: 0 };
}

/** @returns how many were bought by then, which are fewer when it takes too long. */
async function waitUntilBought(since: Date, count: number): Promise<number> {
  const patience = Date.now() + PATIENCE_MS;
  for (;;) {
    const { bought } = await countBought(since);
    if (bought >= count || Date.now() > patience) return bought;
    await delay(500);
  }
}

/** Sends each webhook at its moment. @returns the seconds until the last one was acknowledged, too. */
async function sendSteadily(deliveries: readonly Delivery[]): Promise<{ sent: Sent[]; seconds: number }> {
  const sender = openSender(world, CONNECTIONS);
  const startedAt = Date.now();
  const sent = await Promise.all(
    deliveries.map(async (delivery, index): Promise<Sent> => {
      const dueAt = startedAt + (index * 1_000) / RATE;
      await delay(dueAt - Date.now());
      await sender.send(delivery);
      return { orderId: delivery.orderId, dueAt, ackMs: Date.now() - dueAt };
    }),
  );
  sender.close();
  return { sent, seconds: (Date.now() - startedAt) / 1_000 };
}

/** When half of the orders had come to each of their steps, from the first sight of their webhook. */
async function readSteps(since: Date): Promise<readonly { step: string; ms: number }[]> {
  const { rows } = await database.query<{ step: string; ms: number }>(
    `with begun as (select order_id, min(received_at) as at from webhooks where received_at >= $1 group by order_id),
          steps as (
            select order_id, coalesce(to_state, supplier_to) || ' by ' || type as step, min(at) as at
              from timeline where accepted and at >= $1 group by 1, 2
            union all
            select order_id, 'intent to ' || kind || ', ' || supplier, min(created_at)
              from purchase_intents where created_at >= $1 group by 1, 2)
     select step, percentile_cont(0.5) within group (order by extract(epoch from s.at - b.at) * 1000)::float8 as ms
       from steps s join begun b using (order_id) group by step having count(*) > $2 order by ms`,
    [since, ORDERS / 2],
  );
  return rows;
}

const shown = (name: string, ascending: readonly number[]): string =>
  `${name.padEnd(28)} p50 ${percentile(ascending, 0.5).toFixed(0)} ms  p99 ${percentile(ascending, 0.99).toFixed(0)} ms`;

try {
  await database.connect();
  const numbers = Array.from({ length: WARM_UP + ORDERS }, (_, index) => index);
  // Suppliers pack for longer than the measurement lasts, as they do: nothing is shipped, fulfilled or mailed in it.
  await world.control('PUT', '/settings', JSON.stringify({ timing: { processMs: PACKING_MS } }));
  const warmUp = await placeOrders(world, numbers.slice(0, WARM_UP));
  const deliveries = await placeOrders(world, numbers.slice(WARM_UP));
  const warmingUp = new Date();
  await sendSteadily(warmUp);
  await waitUntilBought(warmingUp, WARM_UP);
  const since = new Date();
  const open: number[] = [];
  let isSending = true;
  const watch = (async () => {
    while (isSending) {
      const { come, bought } = await countBought(since);
      open.push(come - bought);
      await delay(1_000);
    }
  })();
  const useBefore = readUse(false);
  const { sent, seconds } = await sendSteadily(deliveries);
  const useAfter = readUse(false);
  isSending = false;
  await watch;
  const { bought: boughtWhileSending } = await countBought(since);
  const bought = await waitUntilBought(since, ORDERS);
  const { rows } = await database.query<{ shopOrderId: string; at: number }>(
    `select o.shop_order_id as "shopOrderId", extract(epoch from min(i.created_at))::float8 * 1000 as at
       from orders o join supplier_orders s on s.order_id = o.id join purchase_intents i on i.supplier_order_id = s.id
      where o.created_at >= $1 and o.archived_at is null group by o.shop_order_id`,
    [since],
  );
  const dueAt = new Map(sent.map((each) => [each.orderId, each.dueAt]));
  const waits = rows.map(({ shopOrderId, at }) => at - (dueAt.get(shopOrderId) ?? at)).sort((a, b) => a - b);
  const acks = sent.map(({ ackMs }) => ackMs).sort((a, b) => a - b);
  const middle = open[Math.floor(open.length / 2)] ?? 0;
  const last = open.at(-1) ?? 0;
  console.log(`wanted                       ${RATE} orders/s for ${values.seconds} s: ${ORDERS} orders`);
  console.log(`acknowledged                 ${(ORDERS / seconds).toFixed(1)}/s`);
  console.log(`bought while they came       ${(boughtWhileSending / seconds).toFixed(1)}/s`);
  console.log(shown('webhook due to ack', acks));
  console.log(shown('webhook due to first purchase', waits));
  // A second's orders more than in the middle is no steady state any more.
  console.log(
    `backlog                      ${middle} orders without a purchase in the middle, ${last} at the end: ` +
      `${last > middle + RATE ? 'it grew' : 'it did not grow'}`,
  );
  const shares = [...cpuBetween(useBefore, useAfter)].map(([name, cpuMs]) => ({
    name,
    cores: cpuMs / (seconds * 1_000),
  }));
  const cores = shares.reduce((sum, share) => sum + share.cores, 0);
  console.log(`cores at work                ${cores.toFixed(2)} of ${availableParallelism()}`);
  for (const { name, cores: used } of shares) console.log(`  ${name.padEnd(26)} ${used.toFixed(2)}`);
  console.log('half of the orders were there after');
  for (const { step, ms } of await readSteps(since))
    console.log(`  ${ms.toFixed(0).padStart(6)} ms  ${step}`);
  if (bought < ORDERS) console.log(`${ORDERS - bought} orders were not bought at all`);
  process.exitCode = bought < ORDERS ? 1 : 0;
} finally {
  await database.end().catch(() => {});
  await world.stop();
}
