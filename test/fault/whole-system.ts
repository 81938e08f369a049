import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { mapArticles } from '../../deploy/local/feed.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { startPostgres } from '../../deploy/local/postgres.ts';
import { SANDBOX_SHOP } from '../../deploy/local/sandbox-process.ts';
import { type LocalService, SERVICES } from '../../deploy/local/stack.ts';
import { supervise } from '../../deploy/local/supervisor.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { layOutRelease } from '../fixtures/previous-release.ts';
import { type NatsServers, startNatsServers } from './nats-servers.ts';
import { type ServiceCopy, startCopy } from './service-copy.ts';
import { openWire, type Wire } from './wire.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
export const CALL_TIMEOUT_MS = 2_000;
/** For so long a supplier's look-ups do not know a new order; the grace of a doubt is longer. */
const BLIND_MS = 2_500;

/** Small waits; the grace of a doubt outlasts both a call and the time for which a supplier is blind. */
const WAITS = {
  ORDER_MANAGER_GRACE_SECONDS: '0.3',
  ORDER_MANAGER_POLL_SECONDS: '1',
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: String(CALL_TIMEOUT_MS / 1_000),
  ORDER_MANAGER_DOUBT_GRACE_SECONDS: '3',
  ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '1',
};
const WORLD = {
  SANDBOX_PROCESS_MS: '500',
  SANDBOX_SHIP_MS: '500',
  SANDBOX_TRANSIT_MS: '1500',
  SANDBOX_DELIVER_MS: '2500',
  SANDBOX_LOOKUP_BLIND_MS: String(BLIND_MS),
  SANDBOX_CJ_REQUESTS_PER_SECOND: '10000',
  SANDBOX_ALIEXPRESS_REQUESTS_PER_SECOND: '10000',
  SANDBOX_SHOPIFY_POINTS_PER_SECOND: '1000000',
};

export interface WholeSystem {
  readonly copies: readonly ServiceCopy[];
  copiesOf(service: LocalService): readonly ServiceCopy[];
  readonly nats: NatsServers;
  /** Stands between the second copy of each service and database and NATS. */
  readonly wires: readonly Wire[];
  /** The gateway, whichever copy answers. */
  readonly url: string;
  readonly apiKey: string;
  readonly sandboxOrigin: string;
  readonly logDir: string;
  /** Keys, tokens and passwords: they may stand in no log. */
  readonly secrets: readonly string[];
  readonly connectionString: string;
  rows<Row extends object>(statement: string, parameters?: readonly unknown[]): Promise<Row[]>;
  crashDatabase(): Promise<void>;
  startDatabase(): Promise<void>;
  /** Runs a script of ours with the rights of the set-up role. @returns what it wrote. */
  runScript(script: string, ...args: string[]): Promise<string>;
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  signalSandbox(signal: NodeJS.Signals): void;
  /** To all that is ours: services, NATS and PostgreSQL with its sessions. The outside world goes on. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Stops the services alone. */
  stopCopies(): Promise<void>;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** Processes of each service. */
  readonly copies: number;
  /** 1, or 3 for a cluster. */
  readonly natsServers: number;
  /** How often the shop is swept for what no webhook told. */
  readonly sweepSeconds: number;
  /** How often a wait is ended by asking again. */
  readonly retrySeconds: number;
  /** A commit: its code runs side by side with this one, and each process is of the other one when it comes back. */
  readonly beside?: string | undefined;
}

const secret = (): string => randomBytes(18).toString('hex');

/** Starts all of it as processes of their own, on ports and data of their own. */
export async function startWholeSystem(options: SystemOptions): Promise<WholeSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'order-manager-faults-'));
  // Root's PostgreSQL runs as another user, who has to enter.
  await chmod(folder, 0o755);
  const logDir = join(folder, 'logs');
  await mkdir(logDir);
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return await start();
  } catch (error) {
    await stop();
    throw error;
  }

  async function start(): Promise<WholeSystem> {
    const port = await freePort();
    const openDatabase = () =>
      startPostgres({
        dataDir: join(folder, 'postgres'),
        port,
        logFile: join(logDir, 'postgres.log'),
        database: 'orderdb',
      });
    const keys = {
      api: secret(),
      cj: `CJ1@api@${secret()}`,
      shopToken: secret(),
      shopSecret: secret(),
      aliexpressSecret: secret(),
      aliexpressToken: secret(),
    };
    const [sandboxPort, smtpPort] = [await freePort(), await freePort()];
    const sandboxOrigin = `http://127.0.0.1:${sandboxPort}`;
    const sandbox = supervise({
      name: 'sandbox',
      script: 'deploy/sandbox/main.ts',
      env: {
        ...NODE_ENVIRONMENT,
        ...WORLD,
        SANDBOX_PORT: String(sandboxPort),
        SANDBOX_SMTP_PORT: String(smtpPort),
        SANDBOX_CJ_API_KEY: keys.cj,
        SANDBOX_SHOP,
        SANDBOX_SHOPIFY_ACCESS_TOKEN: keys.shopToken,
        SANDBOX_SHOPIFY_CLIENT_ID: 'sandbox-client',
        SANDBOX_SHOPIFY_CLIENT_SECRET: keys.shopSecret,
        SANDBOX_ALIEXPRESS_APP_KEY: '500123',
        SANDBOX_ALIEXPRESS_APP_SECRET: keys.aliexpressSecret,
        SANDBOX_ALIEXPRESS_ACCESS_TOKEN: keys.aliexpressToken,
      },
      logDir,
      readyText: 'sandbox listening',
    });
    stops.push(() => sandbox.stop());
    let database = await openDatabase();
    stops.push(() => database.stop());
    // Asked ten times a second, a connection for each question would cost more than the answers.
    const openPool = (): Pool => {
      const opened = new Pool({
        connectionString: database.connectionString,
        max: 2,
        connectionTimeoutMillis: 5_000,
      });
      // One that breaks while idle would end the process.
      opened.on('error', () => {});
      return opened;
    };
    let pool = openPool();
    stops.push(() => pool.end());
    const nats = await startNatsServers(folder, options.natsServers);
    stops.push(() => nats.stop());
    await sandbox.ready;

    const gatewayPorts: number[] = [];
    for (let number = 0; number < options.copies; number += 1) gatewayPorts.push(await freePort());
    const door = await openWire(gatewayPorts);
    const databaseWire = await openWire([port]);
    const natsWire = await openWire(nats.ports);
    for (const wire of [door, databaseWire, natsWire]) stops.push(() => wire.close());
    const url = `http://127.0.0.1:${door.port}`;
    const { connectionString } = database;
    const overWire = new URL(connectionString);
    overWire.port = String(databaseWire.port);

    const env = {
      ...NODE_ENVIRONMENT,
      ...WAITS,
      ORDER_MANAGER_SWEEP_SECONDS: String(options.sweepSeconds),
      ORDER_MANAGER_RETRY_SECONDS: String(options.retrySeconds),
      ORDER_MANAGER_API_KEY: keys.api,
      ORDER_MANAGER_HOST: '127.0.0.1',
      ORDER_MANAGER_REQUESTS_PER_MINUTE: '1000000',
      DB_CONNECTION_STRING: connectionString,
      NATS_REPLICAS: String(options.natsServers),
      SHOPIFY_SHOP_URL: SANDBOX_SHOP,
      SHOPIFY_API_KEY: 'sandbox-client',
      SHOPIFY_API_SECRET: keys.shopSecret,
      SHOPIFY_ACCESS_TOKEN: keys.shopToken,
      SHOPIFY_ADMIN_BASE_URL: sandboxOrigin,
      SHOPIFY_WEBHOOK_BASE_URL: url,
      CJ_DROPSHIPPING_API_KEY: keys.cj,
      CJ_DROPSHIPPING_BASE_URL: sandboxOrigin,
      CJ_DROPSHIPPING_MODE: 'live',
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '500',
      ALIEXPRESS_API_KEY: '500123',
      ALIEXPRESS_SECRET: keys.aliexpressSecret,
      ALIEXPRESS_ACCESS_TOKEN: keys.aliexpressToken,
      ALIEXPRESS_BASE_URL: sandboxOrigin,
      ALIEXPRESS_MODE: 'live',
      ALIEXPRESS_AUTO_PAY: 'true',
      ALIEXPRESS_REQUESTS_PER_SECOND: '500',
      SMTP_SERVER: '127.0.0.1',
      SMTP_PORT: String(smtpPort),
      EMAIL_FROM: 'Sandbox Shop <orders@sandbox-shop.example>',
    };
    const setupEnv = { ...env, NATS_URL: nats.urlOf('setup') };
    const runScript = async (script: string, ...args: string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, [join(PROJECT, script), ...args], { env: setupEnv }))
        .stdout;
    const releases = [PROJECT];
    if (options.beside !== undefined) {
      const before = join(folder, 'release-before');
      layOutRelease(options.beside, before);
      releases.push(before);
      const setup = join(before, 'deploy/setup.ts');
      await promisify(execFile)(process.execPath, [setup], { env: setupEnv, cwd: before });
    }
    await runScript('deploy/setup.ts');

    const copies = Object.keys(SERVICES).flatMap((name) => {
      const service = name as LocalService;
      return gatewayPorts.map((gatewayPort, index) => {
        const isWired = index % 2 === 1;
        return startCopy({
          service,
          number: index + 1,
          logDir,
          releases,
          env: {
            ...env,
            ORDER_MANAGER_PORT: String(gatewayPort),
            DB_CONNECTION_STRING: isWired ? overWire.href : connectionString,
            NATS_URL: nats.urlOf(service, isWired ? [natsWire.port] : undefined),
          },
        });
      });
    });
    const stopCopies = async (): Promise<void> => {
      await Promise.all(copies.map((copy) => copy.stop()));
    };
    stops.push(stopCopies);
    await Promise.all(copies.map((copy) => copy.ready()));
    await mapArticles({ url, apiKey: keys.api });

    return {
      copies,
      connectionString,
      copiesOf: (service) => copies.filter((copy) => copy.service === service),
      nats,
      wires: [databaseWire, natsWire],
      url,
      apiKey: keys.api,
      sandboxOrigin,
      logDir,
      secrets: [
        ...Object.values(keys),
        new URL(connectionString).password,
        nats.urlOf('setup').slice(7, 40),
        nats.urlOf('orders').slice(7, 40),
      ],
      rows: async <Row extends object>(statement: string, parameters: readonly unknown[] = []) =>
        (await pool.query<Row>(statement, [...parameters])).rows,
      async crashDatabase() {
        await database.crash();
        const broken = pool;
        pool = openPool();
        await broken.end();
      },
      async startDatabase() {
        database = await openDatabase();
      },
      runScript,
      async control(method, path, body) {
        const response = await fetch(`${sandboxOrigin}/control${path}`, {
          method,
          headers: { connection: 'close' },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        });
        if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
        return response.json();
      },
      signalSandbox: (signal) => sandbox.kill(signal),
      signalAll(signal) {
        for (const part of [...copies, nats]) {
          if (signal === 'SIGSTOP') part.freeze();
          else part.thaw();
        }
        const sessions = readFileSync(`/proc/${database.pid}/task/${database.pid}/children`, 'utf8');
        for (const pid of [database.pid, ...sessions.trim().split(' ').map(Number)])
          process.kill(pid, signal);
      },
      stopCopies,
      stop,
    };
  }
}
