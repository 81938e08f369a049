import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../../contracts/settings.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { openContext } from '../../services/run-service.ts';
import { migrate } from '../../services/store/migrate.ts';
import { startServers } from './bench-servers.ts';

/*
 * How fast a webhook is answered while they come at a constant rate, whether or not earlier ones were answered:
 *   node test/bench/webhook-ack.ts [per second, 200] [seconds, 20]
 * The gateway is a process of its own; database, bus and sender share the machine with it.
 */
const rate = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 20);
const SHOP = 'bench-shop.myshopify.com';
const SECRET = 'a secret of the bench shop';
const CONNECTIONS = 16;

const local = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const cleanups: (() => unknown)[] = [];

async function startWorld() {
  const { connectionString, natsUrl } = await startServers('webhook-ack', cleanups);
  const port = await freePort();
  const environment = {
    DB_CONNECTION_STRING: connectionString,
    NATS_URL: natsUrl,
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(port),
    ORDER_MANAGER_API_KEY: 'a key of sixteen or more',
    SHOPIFY_SHOP_URL: SHOP,
    SHOPIFY_API_SECRET: SECRET,
  };
  const context = await openContext(readSettings(environment), 'bench', 2);
  cleanups.push(async () => {
    await context.bus.close();
    await context.store.close();
  });
  await migrate(context.store);
  await context.bus.setUp(1);
  const gateway = spawn(process.execPath, [local('gateway/main.ts')], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanups.push(() => end(gateway));
  for (const deadline = Date.now() + 20_000; ; await delay(50)) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (ready?.ok === true) return { port, store: context.store };
    if (Date.now() > deadline || gateway.exitCode !== null) throw new Error('the gateway does not start');
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await exited;
}

const sample = readFileSync(
  local('deploy/sandbox/webhooks/02-us-several-lines-discounts-split.json'),
  'utf8',
);
const ownId = String(JSON.parse(sample).id);

/** A body and its headers, made before the clock runs: signing is the shop's work. */
function aWebhook(index: number): { body: string; headers: Record<string, string | number> } {
  const body = sample.replaceAll(ownId, String(7_100_000_000_000 + index));
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-shopify-topic': 'orders/create',
    'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(body).digest('base64'),
    'x-shopify-shop-domain': SHOP,
    'x-shopify-api-version': '2026-07',
    'x-shopify-webhook-id': randomUUID(),
    'x-shopify-event-id': randomUUID(),
  };
  return { body, headers };
}

/** Sends one and resolves with its status; 0 when the connection failed. */
function post(port: number, agent: Agent, { body, headers }: ReturnType<typeof aWebhook>): Promise<number> {
  return new Promise((resolve) => {
    const path = '/webhooks/shopify/orders/create';
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', () => resolve(0));
    sent.end(body);
  });
}

/** Latency counts from the moment a webhook was due, so that a stall shows in all that had to wait for it. */
async function run(port: number, count: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const webhooks = Array.from({ length: count }, (_, index) => aWebhook(index));
  const latencies: number[] = [];
  let errors = 0;
  const start = performance.now();
  const answers: Promise<void>[] = [];
  for (const [index, webhook] of webhooks.entries()) {
    const due = start + (index * 1_000) / rate;
    const waitMs = due - performance.now();
    if (waitMs > 0) await delay(waitMs);
    answers.push(
      post(port, agent, webhook).then((status) => {
        latencies.push(performance.now() - due);
        if (status !== 200) errors += 1;
      }),
    );
  }
  const sendSeconds = (performance.now() - start) / 1_000;
  await Promise.all(answers);
  agent.destroy();
  return { latencies: latencies.sort((a, b) => a - b), errors, sendSeconds };
}

try {
  const { port, store } = await startWorld();
  const count = rate * seconds;
  const { latencies, errors, sendSeconds } = await run(port, count);
  const at = (share: number): string =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(1);
  const [rows] = await store.query<{ n: number }>('select count(*)::int as n from webhooks');
  console.log(`body            ${Buffer.byteLength(sample)} bytes, ${CONNECTIONS} connections`);
  console.log(
    `sent            ${count} in ${sendSeconds.toFixed(1)} s, ${(count / sendSeconds).toFixed(1)}/s`,
  );
  console.log(`answered in ms  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)}`);
  console.log(`errors          ${errors}`);
  console.log(`committed       ${rows?.n}`);
} finally {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
