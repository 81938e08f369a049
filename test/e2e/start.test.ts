import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../deploy/local/free-port.ts';
import { MIGRATIONS } from '../../services/store/migrations/list.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { startOwnNats } from '../fixtures/own-nats.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const BODIES = join(PROJECT, 'deploy/sandbox/webhooks');

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  output(): string;
  exit(): Promise<number | null>;
}

const running: Started[] = [];
afterEach(async () => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});

async function start(
  script: string,
  environment: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Started> {
  const port = await freePort();
  const { HOME, TMPDIR } = process.env;
  const env = { ...NODE_ENVIRONMENT, HOME, TMPDIR, ORDER_MANAGER_PORT: String(port), ...environment };
  const child = spawn(process.execPath, [join(PROJECT, script), ...args], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const started = { child, port, output: () => output, exit: () => ended };
  running.push(started);
  return started;
}

async function aDataDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'order-manager-start-'));
  // Root's PostgreSQL runs as another user, who has to enter.
  await chmod(dir, 0o755);
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const says = async (started: Started, text: string): Promise<void> => {
  const early = started.exit().then((code) => {
    throw new Error(`ended with ${code} before it said "${text}":\n${started.output()}`);
  });
  await Promise.race([eventually(() => expect(started.output()).toContain(text), 150_000), early]);
};

const isOpenPort = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    onTestFinished(() => void socket.destroy());
  });

test('a bad value stops the start, names its variable and does not repeat it', async () => {
  const started = await start('deploy/local/start.ts', {
    SHOPIFY_API_VERSION: 'newest',
    SMTP_PORT: 'secret-port',
  });
  expect(await started.exit()).toBe(1);
  expect(started.output()).toContain('SHOPIFY_API_VERSION');
  expect(started.output()).toContain('SMTP_PORT');
  expect(started.output()).not.toContain('secret-port');
});

test('a gateway port that is taken stops the start and names the variable', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  const started = await start(
    'deploy/local/start.ts',
    { ORDER_MANAGER_PORT: String(port) },
    '--data',
    await aDataDir(),
  );
  expect(await started.exit()).toBe(1);
  expect(started.output()).toContain('ORDER_MANAGER_PORT');
});

test('a service by itself does not start without its database', async () => {
  const orders = await start('services/orders/main.ts', {});
  expect(await orders.exit()).toBe(1);
  expect(orders.output()).toContain('DB_CONNECTION_STRING is not set');
});

test('a service does not start on the database of the release before, and says what to do', async () => {
  const database = await aDatabase({ isMigrated: false });
  const { migrator } = await (await aStore(database, 1)).orm();
  const nats = await startOwnNats();
  onTestFinished(nats.remove);
  const refused = async (migrations: number): Promise<void> => {
    const environment = { DB_CONNECTION_STRING: database, NATS_URL: nats.urlOf('orders') };
    const orders = await start('services/orders/main.ts', environment);
    expect([await orders.exit(), orders.output()]).toEqual([
      1,
      `cannot start: the database lacks ${migrations} migrations of this release: run the set-up step (npm run setup)\n`,
    ]);
  };
  await refused(MIGRATIONS.length);
  const before = MIGRATIONS.at(-2);
  await migrator.up(before === undefined ? {} : { to: before.name });
  await refused(1);
});

test('a service by itself says in one line which value is bad', async () => {
  const orders = await start('services/orders/main.ts', { ORDER_MANAGER_EXCHANGE_RATES: 'EUR=0' });
  expect(await orders.exit()).toBe(1);
  expect(orders.output()).toMatch(/^cannot start: ORDER_MANAGER_EXCHANGE_RATES: .*\n$/);
});

test('one credential turns the sandbox off; what lacks its own is off and named', async () => {
  const started = await start(
    'deploy/local/start.ts',
    { CJ_DROPSHIPPING_API_KEY: 'CJ1@api@not-a-real-key', CJ_DROPSHIPPING_BASE_URL: 'http://127.0.0.1:1' },
    '--data',
    await aDataDir(),
  );
  await says(started, 'Ctrl-C stops everything');
  const output = started.output();
  expect(output).toContain('no sandbox is started and nothing is fed');
  expect(output).toContain('Shopify webhooks are off: SHOPIFY_SHOP_URL, SHOPIFY_API_SECRET not set');
  expect(output).toContain('Mail to customers is off: SMTP_SERVER, EMAIL_FROM not set');
  expect(output).toContain('cj_dropshipping buys nothing: CJ_DROPSHIPPING_MODE is shadow');
  expect(output).not.toContain('fed ');
  expect(output).not.toContain('not-a-real-key');
  started.child.kill('SIGTERM');
  expect(await started.exit()).toBe(0);
});

test('PostgreSQL and NATS that are killed are started again, and it is said', async () => {
  const dataDir = await aDataDir();
  const stack = await start('deploy/local/start.ts', {}, '--servers', '--data', dataDir);
  const says = (text: string): Promise<void> =>
    eventually(() => expect(stack.output()).toContain(text), 120_000);
  await says('No service runs');
  for (const [name, file] of [
    ['PostgreSQL', 'postgres.running.json'],
    ['NATS', 'nats.running.json'],
  ] as const) {
    const { server } = z
      .object({ server: z.object({ pid: z.int() }) })
      .parse(JSON.parse(await readFile(join(dataDir, file), 'utf8')));
    process.kill(server.pid, 'SIGKILL');
    await says(`${name} ended (SIGKILL) and is started again`);
    await says(`${name} runs again`);
  }
  stack.child.kill('SIGTERM');
  expect(await stack.exit(), stack.output()).toBe(0);
});

test('bodies of your own are fed, and every later start finds its data again and reads on', async () => {
  const dir = await aDataDir();
  const bodies = join(dir, 'bodies');
  await mkdir(bodies);
  await copyFile(join(BODIES, '12-us-test-order.json'), join(bodies, 'mine.json'));
  const first = await start('deploy/local/start.ts', {}, '--data', join(dir, 'data'), '--bodies', bodies);
  await says(first, 'Ctrl-C stops everything');
  expect(first.output()).toContain('All 1 orders have ended: 0 delivered, 1 held with a reason.');
  first.child.kill('SIGINT');
  expect(await first.exit()).toBe(0);

  // From the third start on a server had lost when its streams were made, once their set-up was repeated.
  const data = ['--data', join(dir, 'data')];
  const second = await start('deploy/local/start.ts', {}, ...data, '--servers');
  await says(second, 'No service runs');
  second.child.kill('SIGTERM');
  expect(await second.exit()).toBe(0);

  const again = await start('deploy/local/start.ts', {}, ...data, '--empty');
  await says(again, 'Ctrl-C stops everything');
  expect(again.output()).not.toContain('fed ');
  const [, door = '', keys = ''] = /agents: (nats:\/\/\S+), .+ (\/\S+\.json)/.exec(again.output()) ?? [];
  expect(JSON.parse(await readFile(keys, 'utf8'))).toHaveProperty('crew-reader');
  await expect(isOpenPort(Number(new URL(door).port))).resolves.toBe(true);
  expect(again.output()).not.toMatch(/SU[A-Z2-7]{56}/);
  const key = /X-API-Key: ([^']+)'/.exec(again.output())?.[1] ?? '';
  expect(first.output()).toContain(key);
  const url = `http://127.0.0.1:${again.port}`;
  const response = await fetch(`${url}/orders`, { headers: { 'x-api-key': key } });
  expect(await response.text()).toContain('"held":true');
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('"ready"')]);
  again.child.kill('SIGTERM');
  expect(await again.exit()).toBe(0);
});
