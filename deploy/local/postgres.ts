import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, DatabaseError, escapeIdentifier } from 'pg';
import { assertPortFree } from './free-port.ts';
import { findServerAccount } from './postgres-account.ts';
import { type ClusterPlace, DATABASE_USER, ensureCluster, passwordFileOf } from './postgres-cluster.ts';
import { findPostgresBinaries, placeData, runAs } from './postgres-place.ts';
import { claimServer, type ServerClaim } from './process-claim.ts';
import {
  type ServerExit,
  type ServerProcess,
  spawnServer,
  stopServer,
  waitUntilReady,
} from './server-process.ts';

const HOST = '127.0.0.1';
// Replaying the log after a crash comes before the first connection.
const READY_MS = 120_000;
// Backends notice the death of their postmaster at their next wait, at most a statement later.
const ORPHANED_BACKENDS_MS = 10_000;
const FAST = { signal: 'SIGINT', waitMs: 20_000 } as const;
const IMMEDIATE = { signal: 'SIGQUIT', waitMs: 10_000 } as const;

const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '100',
  // What is read again and again fits; the rest the system keeps for all, in memory that nobody misses.
  shared_buffers: '40MB',
  // Our statements are short: compiling one never pays.
  jit: 'off',
  // Each checkpoint makes the next change of every page a copy of the whole page in the log.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  // The statement and the detail of an error hold customers' data, which belongs in no log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** Nothing waits for the disk: a server that crashes loses nothing, a machine that does may lose everything. */
const FORGETFUL_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_size: '256MB',
};

export interface PostgresProcess {
  /** `postgresql://…` with the password: never to be logged. */
  readonly connectionString: string;
  /** Where the data is; differs from the wish when root's folders are closed to PostgreSQL's user. */
  readonly dataDir: string;
  readonly pid: number;
  /** Resolves when the server has ended, whoever ended it; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Cuts the connections, writes everything to disk and ends; safe to call again. */
  stop(): Promise<void>;
  /** Ends at once as in a crash: the next start recovers what was committed. */
  crash(): Promise<void>;
}

export interface StartPostgresOptions {
  /** Kept over restarts; the password lies beside it as `<dataDir>.password`. */
  readonly dataDir: string;
  readonly port: number;
  readonly logFile: string;
  /** Created when it is not there. */
  readonly database: string;
  /** The data is worth nothing once the server has ended, as in tests: it need not outlive a crash of the machine. */
  readonly isForgetful?: boolean;
  readonly log?: (line: string) => void;
}

type Launch = ClusterPlace & {
  readonly port: number;
  readonly logFile: string;
  readonly password: string;
  readonly isForgetful: boolean;
};

async function withClient<T>(
  { port, password }: Pick<Launch, 'port' | 'password'>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    host: HOST,
    port,
    user: DATABASE_USER,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 2_000,
  });
  // A connection that breaks while idle would otherwise end our process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function answers(launch: Launch): Promise<boolean> {
  try {
    await withClient(launch, (client) => client.query('select 1'));
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '28P01') {
      const file = passwordFileOf(launch.dataDir);
      throw new Error(
        `The password in ${file} is not the database's. Delete the file, and a new password is set.`,
        {
          cause: error,
        },
      );
    }
    return false;
  }
}

async function launchOnce(launch: Launch, claim: ServerClaim): Promise<ServerProcess> {
  const { binaries, dataDir, account, port, logFile, isForgetful } = launch;
  const settings = Object.entries({ ...SETTINGS, ...(isForgetful ? FORGETFUL_SETTINGS : {}) }).flatMap(
    ([name, value]) => ['-c', `${name}=${value}`],
  );
  const server = await spawnServer({
    command: binaries.postgres,
    args: ['-D', dataDir, '-p', String(port), ...settings],
    logFile,
    account,
    exitSignal: FAST.signal,
  });
  claim.noteServer(server.pid);
  try {
    const what = `PostgreSQL for ${dataDir}`;
    await waitUntilReady(server, { what, timeoutMs: READY_MS, isReady: () => answers(launch) });
    return server;
  } catch (error) {
    await stopServer(server, [FAST, IMMEDIATE]);
    throw error;
  }
}

/** A postmaster that was killed leaves its file, and for a moment its backends, which hold the data until they end. */
async function launchServer(launch: Launch, claim: ServerClaim): Promise<ServerProcess> {
  const endedBadly = existsSync(join(launch.dataDir, 'postmaster.pid'));
  const deadline = Date.now() + (endedBadly ? ORPHANED_BACKENDS_MS : 0);
  for (;;) {
    try {
      return await launchOnce(launch, claim);
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await delay(250);
    }
  }
}

const ensureDatabase = (launch: Launch, database: string): Promise<void> =>
  withClient(launch, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`create database ${escapeIdentifier(database)}`);
  });

/**
 * Starts PostgreSQL from the npm package on 127.0.0.1, with the data of earlier runs or a new database, and returns
 * when it answers. As root the server runs as another user. A server that an earlier run left behind on the same
 * data is stopped first. Ending our process ends the server too, unless we are killed.
 * @throws Error in words for the user: port taken, data in use, or the server's last lines when it does not start.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<PostgresProcess> {
  const { port, database, isForgetful = false, log = () => {} } = options;
  const wishedDir = resolve(options.dataDir);
  const account = await findServerAccount(wishedDir);
  const dataDir = await placeData(wishedDir, account, log);
  const binaries = await findPostgresBinaries(account);
  const what = `PostgreSQL for ${dataDir}`;
  const claim = await claimServer({ file: `${dataDir}.running.json`, what, stopSignal: FAST.signal, log });
  try {
    await assertPortFree(port, 'PostgreSQL');
    const place = { binaries, dataDir, account };
    const password = await ensureCluster(place);
    const launch = { ...place, port, password, isForgetful, logFile: resolve(options.logFile) };
    const server = await launchServer(launch, claim);
    void server.exited.then(() => claim.release());

    const end = async (mode: 'fast' | 'immediate'): Promise<void> => {
      // Windows has no signals; pg_ctl speaks to the server through a pipe there.
      if (process.platform === 'win32' && server.isRunning()) {
        await runAs(null, binaries.pg_ctl, ['stop', '-D', dataDir, '-m', mode, '-W']);
        await server.exited;
      }
      await stopServer(server, mode === 'fast' ? [FAST, IMMEDIATE] : [IMMEDIATE]);
    };
    try {
      await ensureDatabase(launch, database);
    } catch (error) {
      await end('fast');
      throw error;
    }
    const connectionString = `postgresql://${DATABASE_USER}:${password}@${HOST}:${port}/${encodeURIComponent(database)}`;
    return {
      connectionString,
      dataDir,
      pid: server.pid,
      exited: server.exited,
      stop: () => end('fast'),
      crash: () => end('immediate'),
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}
