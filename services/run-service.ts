import { setFlagsFromString } from 'node:v8';
import { AppError } from '../contracts/errors.ts';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { type Bus, openBus } from './bus/bus.ts';
import { markNow } from './bus/commit-and-publish.ts';
import { isBusOutage } from './bus/connection.ts';
import { watchClock } from './clock.ts';
import { startHealthListener } from './health-listener.ts';
import { type Logger, openLogger } from './logger.ts';
import { dieAtMoment, stopAtNamedMoments } from './moments.ts';
import { hearStopSignals } from './stop-signals.ts';
import { isOutage } from './store/outage.ts';
import { poolSize } from './store/pool.ts';
import { refuseOldSchema } from './store/schema.ts';
import { openStore, type Store } from './store/store.ts';
import { startTracing } from './tracing.ts';

export interface ServiceContext {
  readonly settings: Settings;
  readonly log: Logger;
  readonly store: Store;
  readonly bus: Bus;
}

/** Finishes what is in hand and lets go of everything the service started. */
export type StopService = () => Promise<void>;
export type StartService = (context: ServiceContext) => Promise<StopService>;

/**
 * The heap may grow by so much beyond what lives in it before garbage is looked for. By itself V8 lets 25 MB grow to 100
 * while orders come in fast. Read anew at each collection, so that it may be set here; no limit that ends a process.
 */
const HEAP_GROWING_PERCENT = 40;

/** Between two words about a NATS that was never reached. */
const NATS_WAIT_MS = 5_000;

/** A service that does not end by itself in this time after SIGTERM is ended; a second signal ends it at once. */
const STOP_MS = 9_000;

const required = (settings: Settings, name: 'DB_CONNECTION_STRING' | 'NATS_URL'): string => {
  const value = settings[name];
  if (value !== undefined) return value;
  throw new AppError('settings_invalid', `cannot start: ${name} is not set`, { retryable: false });
};

/**
 * Services that know what they look for: all but lists and searches goes by key. The gateway's lists want plans for what
 * people look for, and so does a process that holds the gateway as well.
 */
const BY_KEY = ['orders', 'suppliers', 'shopify', 'notifier'];

/** Opens database and bus for one service. @param maxConnections of the database pool. @param isPatient see the store. */
export async function openContext(
  settings: Settings,
  name: string,
  maxConnections: number,
  isPatient = false,
): Promise<ServiceContext> {
  const connectionString = required(settings, 'DB_CONNECTION_STRING');
  const natsUrl = required(settings, 'NATS_URL');
  const log = await openLogger(settings, name);
  const isByKey = BY_KEY.includes(name);
  const store = await openStore({ connectionString, maxConnections, name, isPatient, isByKey });
  // It waits for a NATS that starts later, and nobody would know for what.
  const waiting = setInterval(
    () => log.warn('NATS does not answer at NATS_URL: it is waited for'),
    NATS_WAIT_MS,
  );
  const bus = await openBus(natsUrl, name)
    .catch(async (error: unknown) => {
      await store.close();
      throw error;
    })
    .finally(() => clearInterval(waiting));
  return { settings, log, store, bus };
}

/**
 * The whole life of a service process: settings, parts, work until SIGTERM or SIGINT, a clean end within ten seconds.
 * Says `ready` in the log when it works. What it cannot foresee ends it: its rows and leases are made for that.
 * @param maxConnections of the database pool where there are more than two cores; see `poolSize`.
 */
export async function runService(name: string, maxConnections: number, start: StartService): Promise<void> {
  // No settings: only the fault suites set them.
  if (process.env.FAULT_SUITE) stopAtNamedMoments();
  if (process.env.FAULT_MOMENT) dieAtMoment(process.env.FAULT_MOMENT);
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const told = untilToldToStop();
  const open = async () => openContext(readSettings(process.env), name, poolSize(maxConnections));
  const context = await open().catch(refuseToStart);
  const { log, store, bus } = context;
  await refuseOldSchema(store).catch(refuseToStart);
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'an error that nobody handled');
    process.exit(1);
  });
  const stopTracing = await startTracing(context.settings, name);
  const stopHealth = await startHealthListener(context).catch(refuseToStart);
  const clock = watchClock(store, log);
  const stop = await start(context).catch(refuseToStart);
  log.info('ready');

  const signal = await told;
  log.info({ signal }, 'stopping');
  await stop();
  await clock.stop();
  await stopHealth();
  await stopTracing();
  await bus.close();
  await markNow(store);
  await store.close();
  process.exit(0);
}

/** From now on a signal ends nothing by itself: what is in hand comes first. A second one does not wait for it. */
const untilToldToStop = (): Promise<string> =>
  new Promise((resolve) => {
    const tell = (signal: string): void => {
      resolve(signal);
      setTimeout(() => process.exit(1), STOP_MS).unref();
    };
    hearStopSignals(tell, () => process.exit(1));
    // Started by the local stack, which is gone: nothing of it may stay behind.
    process.once('disconnect', () => tell('disconnect'));
  });

function refuseToStart(error: unknown): never {
  const away = isOutage(error) ? 'PostgreSQL' : isBusOutage(error) ? 'NATS' : null;
  const why = away === null ? String(error) : `cannot start: ${away} does not answer (${String(error)})`;
  process.stderr.write(`${error instanceof AppError ? error.message : why}\n`);
  process.exit(1);
}
