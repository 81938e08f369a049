import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isLive } from '../../contracts/configured-parts.ts';
import { NATS_ROLES } from '../../contracts/nats-roles.ts';
import type { Settings } from '../../contracts/settings.ts';
import { assertPortFree, freePort } from './free-port.ts';
import { keepServer } from './keep-server.ts';
import { keptSecret } from './kept-secret.ts';
import { type NatsProcess, startNats } from './nats-process.ts';
import { findNatsServer } from './nats-server.ts';
import { startPostgres } from './postgres.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { type Supervised, supervise } from './supervisor.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const NATS_CACHE = join(PROJECT, '.cache/nats-server');

/** In the order in which they are started; stopped the other way round. */
export const SERVICES = {
  orders: 'services/orders/main.ts',
  suppliers: 'services/suppliers/main.ts',
  shopify: 'services/shopify/main.ts',
  notifier: 'services/notifier/main.ts',
  gateway: 'gateway/main.ts',
} as const;
export type LocalService = keyof typeof SERVICES;

/** The same in one process. */
export const ONE_PROCESS = { 'all-in-one': 'deploy/all-in-one.ts' } as const;

/**
 * A service lives on small objects that die young: 12 MB of room for them do instead of 48, and two heaps of C's instead of
 * one for each thread. Neither can end a process, as a limit of the whole heap can. The Dockerfile says the same.
 */
export const LEAN = { NODE_OPTIONS: '--max-semi-space-size=4', MALLOC_ARENA_MAX: '2' } as const;

export interface Sandbox {
  readonly origin: string;
  readonly apiSecret: string;
  /** Every key and token of shop and suppliers that it lets in. */
  readonly secrets: readonly string[];
}

export interface Stack {
  /** `http://127.0.0.1:<port>` of the gateway. */
  readonly url: string;
  readonly apiKey: string;
  readonly connectionString: string;
  readonly natsUrl: string;
  /** Present when the sandbox world runs. */
  readonly sandbox: Sandbox | null;
  readonly services: Readonly<Record<string, Supervised>>;
  stop(): Promise<void>;
}

export interface ServiceProcess {
  readonly script: string;
  /** Besides what all have. */
  readonly env: Readonly<Record<string, string>>;
}

export interface StackOptions {
  readonly settings: Settings;
  /** What the services inherit besides what the stack sets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Database, streams, sandbox journal, API key and logs: a second start finds them again. */
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Each service process by name; by default one for each service. A second copy of `orders` is called `orders-2`. */
  readonly scripts?: Readonly<Record<string, string | ServiceProcess>>;
}

interface Part {
  stop(): Promise<void>;
}

/**
 * Brings up everything that is not there already: PostgreSQL, NATS, the sandbox world (unless a credential of shop or
 * supplier is set), migrations and streams, and each service in a process of its own.
 * @throws Error in words for the user; whatever had been started is stopped again.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { settings, dataDir, log } = options;
  const logDir = join(dataDir, 'logs');
  await mkdir(logDir, { recursive: true });
  const started: Part[] = [];
  const stopAll = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  const keep = <P extends Part>(part: P): P => {
    started.push(part);
    return part;
  };

  try {
    await assertPortFree(settings.ORDER_MANAGER_PORT, 'the gateway (ORDER_MANAGER_PORT)');
    const apiKey = settings.ORDER_MANAGER_API_KEY ?? (await keptSecret(join(dataDir, 'api-key')));
    const connectionString = settings.DB_CONNECTION_STRING ?? (await ownPostgres());
    const nats = settings.NATS_URL === undefined ? await ownNats() : undefined;
    const natsUrl = settings.NATS_URL ?? nats?.url;
    if (natsUrl === undefined) throw new Error('there is no NATS');
    const sandbox = isLive(settings) ? null : await ownSandbox();
    const env = {
      ...options.environment,
      // Most of a start is reading the modules; kept, the next start is quicker.
      NODE_COMPILE_CACHE: join(PROJECT, '.cache/node'),
      ...lean(options.environment.NODE_OPTIONS),
      ORDER_MANAGER_API_KEY: apiKey,
      ORDER_MANAGER_HOST: options.environment.ORDER_MANAGER_HOST || '127.0.0.1',
      DB_CONNECTION_STRING: connectionString,
      NATS_URL: natsUrl,
      ...sandbox?.env,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [join(PROJECT, 'deploy/setup.ts')], {
      cwd: PROJECT,
      env,
    }).catch((error: Error & { stderr?: string }) => {
      throw new Error(`the set-up step failed:\n${error.stderr ?? error.message}`);
    });
    for (const line of stdout.split('\n')) if (line.includes('halted')) log(line);
    const scripts = Object.entries<string | ServiceProcess>(options.scripts ?? SERVICES);
    log(`database and streams are ready${scripts.length === 0 ? '' : ', the services start'}`);
    const services = Object.fromEntries(
      scripts.map(([name, process], index) => {
        const { script, env: own } = typeof process === 'string' ? { script: process, env: {} } : process;
        const login = loginOf(name.replace(/-\d+$/, ''), nats);
        const all = { ...env, ...login, ...metricsPortOf(settings, index), ...own };
        const readyText = '"msg":"ready"';
        // Somebody waits for the gateway's answer; the others do what is promised, a moment later if need be.
        const isBackground = script.startsWith('services/');
        return [name, keep(supervise({ name, script, env: all, logDir, readyText, isBackground }))];
      }),
    );
    await Promise.all(Object.values(services).map(({ ready }) => ready));
    return {
      url: `http://127.0.0.1:${settings.ORDER_MANAGER_PORT}`,
      apiKey,
      connectionString,
      natsUrl,
      sandbox:
        sandbox === null
          ? null
          : { origin: sandbox.origin, apiSecret: sandbox.env.SHOPIFY_API_SECRET, secrets: sandbox.secrets },
      services,
      stop: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }

  /** The gateway's port is free until it starts, and must not be given away. */
  async function ownPort(): Promise<number> {
    const port = await freePort();
    return port === settings.ORDER_MANAGER_PORT ? freePort(port + 1) : port;
  }

  async function ownPostgres(): Promise<string> {
    const port = await ownPort();
    log('starting PostgreSQL');
    const start = () =>
      startPostgres({
        dataDir: join(dataDir, 'postgres'),
        port,
        logFile: join(logDir, 'postgres.log'),
        database: 'orderdb',
        log,
      });
    return keep(await keepServer('PostgreSQL', start, log)).first.connectionString;
  }

  async function ownNats(): Promise<NatsProcess> {
    const { path, version, from } = await findNatsServer({ cacheDir: NATS_CACHE, log });
    log(`starting NATS ${version} (${from})`);
    const [port, monitorPort] = [await ownPort(), await ownPort()];
    const start = () =>
      startNats({
        binary: path,
        port,
        monitorPort,
        storeDir: join(dataDir, 'nats'),
        name: 'order-manager-local',
        logFile: join(logDir, 'nats.log'),
        log,
      });
    return keep(await keepServer('NATS', start, log)).first;
  }

  async function ownSandbox() {
    const ports = { port: await ownPort(), smtpPort: await ownPort() };
    const sandbox = await startSandboxProcess({
      environment: options.environment,
      dataDir,
      logDir,
      ...ports,
    });
    await keep(sandbox.process).ready;
    log(`the sandbox world answers at ${sandbox.origin}`);
    return sandbox;
  }
}

/** @param own flags of the user, which come last and win. */
const lean = (own = '') => ({ ...LEAN, NODE_OPTIONS: `${LEAN.NODE_OPTIONS} ${own}`.trim() });

/** On one machine each service needs a port of its own: the next one. */
const metricsPortOf = (
  { ORDER_MANAGER_METRICS_PORT: first }: Settings,
  index: number,
): { ORDER_MANAGER_METRICS_PORT?: string } =>
  first === undefined ? {} : { ORDER_MANAGER_METRICS_PORT: String(first + index) };

/** Each service logs in as itself, where the NATS is ours. */
const loginOf = (service: string, nats: NatsProcess | undefined): { NATS_URL?: string } => {
  const role = NATS_ROLES.find((each) => each === service);
  return nats === undefined || role === undefined ? {} : { NATS_URL: nats.urlOf(role) };
};
