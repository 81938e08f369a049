import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { OrderView } from '../../contracts/resources/order.ts';
import { STREAMS } from '../../contracts/subjects.ts';
import { feed, mapArticles } from '../../deploy/local/feed.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { type Sandbox, startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { clusterVariables, PROJECT } from '../fixtures/compose-file.ts';
import { type Containers, type StartedContainer, theContainers } from '../fixtures/containers.ts';
import { createDatabase } from '../fixtures/database.ts';
import { commandsOf, DOCUMENTS, simpleCommands, textOf } from '../fixtures/documents.ts';
import { eventually } from '../fixtures/eventually.ts';
import { mailsByKind } from '../fixtures/mails-by-kind.ts';
import { npmRunOf } from '../fixtures/npm-scripts.ts';
import { startProcess } from '../fixtures/started-process.ts';
import { CREDENTIALS, ledgerOf } from '../sandbox/world.ts';

const SERVICES = ['orders', 'suppliers', 'shopify', 'notifier', 'order-manager'] as const;
const API_KEY = 'a key of the containers';

let world: Sandbox;
let containers: Containers;
let setUp: string;
const started = new Map<string, StartedContainer>();
const cleanups: (() => unknown)[] = [];

/** As a container reaches it. */
function inDatabaseContainer(url: string): string {
  const inside = new URL(url);
  inside.host = 'db:5432';
  return inside.href;
}

beforeAll(async () => {
  const database = await createDatabase({ isMigrated: false });
  cleanups.push(database.drop);
  world = await startSandbox({
    credentials: CREDENTIALS,
    timing: { processMs: 200, shipMs: 200, transitMs: 200, deliverMs: 500 },
  });
  cleanups.push(world.stop);
  // What a user writes into the .env.
  const env = `
ORDER_MANAGER_API_KEY="${API_KEY}"
DB_CONNECTION_STRING=${inDatabaseContainer(database.url)}
SHOPIFY_SHOP_URL=${CREDENTIALS.shop}
SHOPIFY_API_KEY=${CREDENTIALS.shopifyClientId}
SHOPIFY_API_SECRET=${CREDENTIALS.shopifyClientSecret}
SHOPIFY_ADMIN_BASE_URL=${world.origin}
CJ_DROPSHIPPING_API_KEY=${CREDENTIALS.cjApiKey}
CJ_DROPSHIPPING_BASE_URL=${world.origin}
CJ_DROPSHIPPING_MODE=live
CJ_DROPSHIPPING_REQUESTS_PER_SECOND=40
ALIEXPRESS_API_KEY=${CREDENTIALS.aliexpressAppKey}
ALIEXPRESS_SECRET=${CREDENTIALS.aliexpressAppSecret}
ALIEXPRESS_ACCESS_TOKEN=${CREDENTIALS.aliexpressAccessToken}
ALIEXPRESS_BASE_URL=${world.origin}
ALIEXPRESS_REQUESTS_PER_SECOND=40
SMTP_SERVER=127.0.0.1
SMTP_PORT=${world.smtpPort}
EMAIL_FROM=orders@sandbox-shop.example
ORDER_MANAGER_GRACE_SECONDS=0.3
ORDER_MANAGER_POLL_SECONDS=0.2
ORDER_MANAGER_RETRY_SECONDS=2
`;
  containers = await theContainers(env, database.url);
  cleanups.push(containers.stop);
  setUp = await containers.run('setup');
  await Promise.all(SERVICES.map(async (name) => started.set(name, await containers.start(name))));
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const aFolderWith = (...bodies: string[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'order-manager-bodies-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  for (const body of bodies) copyFileSync(join(PROJECT, 'deploy/sandbox/webhooks', body), join(folder, body));
  return folder;
};

test('the containers of docker-compose.yml take an order from its webhook to the customer’s door', async () => {
  const stack = {
    url: containers.url,
    apiKey: API_KEY,
    sandbox: { origin: world.origin, apiSecret: CREDENTIALS.shopifyClientSecret, secrets: [] },
  };
  expect(setUp).toContain('streams ready');
  await mapArticles(stack);
  const fed = await feed(
    stack,
    aFolderWith(
      '01-us-single-line.json',
      '02-us-several-lines-discounts-split.json',
      '15-us-unmapped-article.json',
    ),
  );
  expect(fed.map(({ status }) => status)).toEqual([200, 200, 200]);
  const viewOf = async (id: string): Promise<OrderView> => {
    const response = await fetch(`${containers.url}/orders/${id}`, { headers: { 'x-api-key': API_KEY } });
    return OrderView.parse(await response.json());
  };
  await eventually(async () => {
    const orders = await readOrders(stack);
    const landed = orders.map(({ name, status, held }) => [name, held ? 'held' : status]);
    expect(Object.fromEntries(landed)).toEqual({
      '#5001': 'delivered',
      '#5002': 'delivered',
      '#5015': 'held',
    });
    const views = await Promise.all(orders.map(({ id }) => viewOf(id)));
    const parcels = views.flatMap(({ supplierOrders }) => supplierOrders.flatMap(({ parcels: own }) => own));
    const parcelIds = parcels.map(({ id }) => id).sort();
    const { fulfillments, mails } = await ledgerOf(world);
    expect(parcelIds.length).toBeGreaterThan(0);
    expect(fulfillments).toHaveLength(parcelIds.length);
    const { parcel_in_transit: inTransit, ...told } = mailsByKind(mails, views);
    expect(told).toEqual({
      order_confirmed: orders.map(({ id }) => id).sort(),
      parcel_shipped: parcelIds,
      parcel_delayed: [],
      parcel_delivered: parcelIds,
      other: [],
    });
    expect(inTransit).toEqual(parcelIds.filter((id) => inTransit.includes(id)));
  });
});

test('each service writes its log into the container’s folder logs', () => {
  const services = readdirSync(containers.logDir).map((file) => file.split('.')[0]);
  expect(new Set(services)).toEqual(
    new Set(['setup', 'orders', 'suppliers', 'shopify', 'notifier', 'gateway']),
  );
});

test('the image’s health check says of each container that it works', async () => {
  const ends = [...started].map(async ([name, { healthcheck }]) => [name, await healthcheck()] as const);
  expect(Object.fromEntries(await Promise.all(ends))).toEqual(
    Object.fromEntries(SERVICES.map((name) => [name, 0])),
  );
});

/** Where the guides say that the API is. */
const ADDRESSES = /http:\/\/(127\.0\.0\.1|votre-serveur):8002/g;

test('every call of the API in the guides is answered as it stands there', async () => {
  const calls = DOCUMENTS.flatMap(commandsOf).filter(({ text }) => text.startsWith('curl '));
  expect(calls.length).toBeGreaterThan(15);
  const failed: string[] = [];
  for (const { document, text } of calls) {
    const command = `${text.replaceAll(ADDRESSES, containers.url)} --silent --show-error --fail-with-body`;
    const env = { PATH: process.env.PATH, ORDER_MANAGER_API_KEY: API_KEY };
    const call = startProcess('bash', ['-c', command], { cwd: PROJECT, env });
    if ((await call.exited) !== 0) failed.push(`${document}: ${text}\n${call.output()}`);
  }
  expect(failed).toEqual([]);
});

/** Looks at everything, makes a key or changes nothing where nothing was lost; the others change what this file's tests look at, or want an answer. */
const RUN_HERE = ['verify', 'api-keys', 'nats:keys', 'republish'];
/** The container that a command names: a role's rights are that container's. */
const containerIn = (words: readonly string[]): string =>
  words[0] === 'docker' ? (words[words.indexOf('npm') - 1] ?? '') : 'order-manager';

test('the guides’ commands for operators work inside of a container', async () => {
  const commands = DOCUMENTS.flatMap(commandsOf).flatMap(({ text }) => simpleCommands(text));
  const runs = commands.flatMap((words) => {
    const begin = words.indexOf('npm');
    if (begin < 0 || words[begin + 1] === 'ci') return [];
    return [{ ...npmRunOf(words.slice(begin)), container: containerIn(words) }];
  });
  const here = runs.filter(({ script }) => RUN_HERE.includes(script));
  expect(new Set(here.map(({ script }) => script))).toEqual(new Set(RUN_HERE));
  await Promise.all(
    here.map(({ container, entry, args }) => containers.run(container, ['node', entry ?? '', ...args])),
  );
});

test('every route in the guides’ tables is one of the API', async () => {
  const described = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(await (await fetch(`${containers.url}/openapi.json`)).json());
  const shapeOf = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}');
  const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${shapeOf(path)}`),
  );
  const rows = [
    ...textOf('deploy/guide/guide-utilisateur.fr.md').matchAll(/^\| (GET|POST|PUT|DELETE) \| `([^`]+)`/gm),
  ].map(([, method, path]) => `${method} ${shapeOf(path ?? '')}`);
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter((row) => !routes.includes(row))).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)('no service may write to the files of its image', async () => {
  const write = ['node', '-e', "require('node:fs').writeFileSync('contracts/settings.ts', '')"];
  await expect(containers.run('orders', write)).rejects.toThrow('EACCES');
});

test('a cluster has three servers and three copies of each stream; who awaits the set-up step goes on after it', async () => {
  const database = await createDatabase({ isMigrated: false });
  cleanups.push(database.drop);
  const env = `DB_CONNECTION_STRING=${inDatabaseContainer(database.url)}\nNATS_CLUSTER_PASSWORD=ofTheRoutes\n`;
  const cluster = await theContainers(env, database.url, clusterVariables());
  cleanups.push(cluster.stop);
  // As in Kubernetes, where nothing else keeps the order of the two.
  const awaited = cluster.run('orders', ['node', 'deploy/await-setup.ts']);
  await eventually(() => cluster.run('setup'), 90_000);
  await awaited;
  const connection = await connect(toConnectOptions(cluster.natsUrl('setup')));
  cleanups.push(() => connection.close());
  const manager = await connection.jetstreamManager();
  for (const name of Object.values(STREAMS)) {
    const { config, cluster: where } = await manager.streams.info(name);
    expect([name, config.num_replicas, where?.replicas?.length]).toEqual([name, 3, 2]);
  }
});
