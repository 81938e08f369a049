import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { Pool, type PoolClient, TypeOverrides, types } from 'pg';

/** The server ends a statement after ten seconds: whoever says nothing for three times as long is gone. */
const SILENCE_MS = 30_000;

/**
 * A socket that breaks when nothing comes or goes any more. A peer that vanished without a word would otherwise keep a
 * query waiting for ever, and with it a partition whose lease other connections prolong. @param silenceMs 0: never.
 */
const breakingSocket = (silenceMs = SILENCE_MS): Socket => {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () =>
    socket.destroy(new Error('the connection to PostgreSQL has fallen silent')),
  );
};

/**
 * Gives back pooled clients whose connection died inside a transaction: kysely keeps them for ever (its issue 1990),
 * and after `max` of those every query would hang.
 */
function returnDeadClients(pool: Pool): void {
  const out = new Set<PoolClient>();
  pool.on('acquire', (client) => out.add(client));
  pool.on('release', (_error, client) => out.delete(client));
  pool.on('connect', (client) =>
    client.once('error', (error) => {
      if (!out.has(client)) return;
      client.release(error);
      client.release = () => {}; // whoever still holds it may let go without harm
    }),
  );
}

/** A connection that drops is an event of its client or pool, and one that nobody hears ends the process. */
function surviveDrops(pool: Pool): void {
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', () => {});
}

/** Numbers of types, from pg_type. */
const TEXT_ARRAY: number = 1009;
const TIMES = { date: 1082, timestamp: 1114, timestamptz: 1184, interval: 1186 };
const TIME_ARRAYS = { date: 1182, timestamp: 1115, timestamptz: 1185, interval: 1187 };

/** Dates and times come as PostgreSQL writes them, which MikroORM relies on; all else as `pg` reads it. */
function timesAsText(): TypeOverrides {
  const overrides = new TypeOverrides();
  for (const oid of Object.values(TIMES)) overrides.setTypeParser(oid, (text: string) => text);
  for (const oid of Object.values(TIME_ARRAYS)) overrides.setTypeParser(oid, types.getTypeParser(TEXT_ARRAY));
  return overrides;
}

/**
 * Connections of a service on a machine of so many cores. On two cores more than 16 lose (facts, section 4), and those
 * that wait for one another keep some four megabytes each at PostgreSQL.
 * @param most where there are more cores.
 */
export const poolSize = (most: number, cores = availableParallelism()): number =>
  cores > 2 ? most : Math.ceil(most * 0.75);

export interface StoreOptions {
  connectionString: string;
  maxConnections: number;
  name: string;
  /** Of a connection that is taken for dead. */
  silenceMs?: number;
  /** For commands, which migrate or read whole tables: a statement may take as long as it takes. */
  isPatient?: boolean;
  /** Every statement finds its rows by key, and every join has its index. */
  isByKey?: boolean;
}

/**
 * One plan for each statement and connection instead of one for each execution, and in it every row is looked up by an
 * index. Statistics come minutes late, and the plan that was best for a table of some hundred rows would read all of it
 * for each batch long after.
 */
const BY_KEY = [
  'plan_cache_mode=force_generic_plan',
  'random_page_cost=1.1',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');
/** A connection that opens anew has to prepare all statements again. Less than `SILENCE_MS`: idle is not broken. */
const IDLE_MS = 20_000;

/** A session that says nothing in its transaction for so long is ended, and gives back what it holds. */
export const IDLE_IN_TRANSACTION_MS = 15_000;

/** Connects with the first statement, not before. */
export function createPool(options: StoreOptions): Pool {
  const pool = new Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: IDLE_MS,
    application_name: `order-manager ${options.name}`,
    statement_timeout: options.isPatient ? 0 : 10_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    ...(options.isByKey ? { options: BY_KEY } : {}),
    stream: () => breakingSocket(options.isPatient ? 0 : options.silenceMs),
    types: timesAsText(),
  });
  surviveDrops(pool);
  returnDeadClients(pool);
  return pool;
}
