import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { Client } from 'pg';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { startNats } from '../../deploy/local/nats-process.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { startPostgres } from '../../deploy/local/postgres.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const cleanups: (() => unknown)[] = [];
let natsBinary: string;

beforeAll(async () => {
  const cacheDir = join(projectDir, '.cache', 'nats-server');
  natsBinary = (await findNatsServer({ cacheDir, log: () => {} })).path;
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** With a space in it. Unless told otherwise the user that PostgreSQL runs as when we are root may enter it. */
function aFolder({ closed = false } = {}): string {
  const parent = mkdtempSync(join(tmpdir(), 'local-servers-'));
  cleanups.push(() => rmSync(parent, { recursive: true, force: true }));
  if (!closed) chmodSync(parent, 0o755);
  mkdirSync(join(parent, 'my shop'));
  return join(parent, 'my shop');
}

async function aTakenPort(): Promise<number> {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return port;
}

async function nats(folder: string, port: number) {
  const server = await startNats({
    binary: natsBinary,
    port,
    monitorPort: await freePort(port + 1),
    storeDir: join(folder, 'nats'),
    logFile: join(folder, 'nats.log'),
  });
  cleanups.push(() => server.stop());
  return server;
}

async function postgres(folder: string, port: number, log: (line: string) => void = () => {}) {
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    port,
    logFile: join(folder, 'postgres.log'),
    database: 'order manager',
    log,
  });
  cleanups.push(() => server.stop());
  return server;
}

/** Runs the statements one after another and returns the values of the last one's rows. */
async function query(connectionString: string, ...statements: string[]): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  let values: unknown[] = [];
  try {
    for (const text of statements) {
      values = (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.flat();
    }
  } finally {
    await client.end();
  }
  return values;
}

async function until(isTrue: () => boolean): Promise<void> {
  await expect.poll(isTrue, { interval: 20 }).toBe(true);
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** Another process that starts both servers in `folder` and says their numbers. */
async function startElsewhere(folder: string, ports: { nats: number; postgres: number }, uid?: number) {
  const script = `
    const { startNats } = await import(${JSON.stringify(join(projectDir, 'deploy/local/nats-process.ts'))});
    const { startPostgres } = await import(${JSON.stringify(join(projectDir, 'deploy/local/postgres.ts'))});
    const { binary, folder, ports } = JSON.parse(process.argv[1]);
    const nats = await startNats({ binary, port: ports.nats, storeDir: folder + '/nats', logFile: folder + '/nats.log' });
    const postgres = await startPostgres({
      dataDir: folder + '/postgres', port: ports.postgres, logFile: folder + '/postgres.log', database: 'order manager',
    });
    process.on('SIGTERM', async () => { await postgres.stop(); await nats.stop(); process.exit(0); });
    console.log(JSON.stringify({ nats: nats.pid, postgres: postgres.pid, connectionString: postgres.connectionString }));
    setInterval(() => {}, 1000);
  `;
  const input = JSON.stringify({ binary: natsBinary, folder, ports });
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, input], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  cleanups.push(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await until(() => output.includes('\n') || child.exitCode !== null);
  expect(output).toMatch(/^\{/);
  const started: { nats: number; postgres: number; connectionString: string } = JSON.parse(output);
  return { ...started, child, exited };
}

test('NATS keeps its streams over a stop and over a kill', async () => {
  const folder = aFolder();
  const port = await freePort();
  const first = await nats(folder, port);
  const connection = await connect(toConnectOptions(first.url));
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'] });
  await connection.jetstream().publish('kept.one');
  await connection.close();
  await first.stop();

  const second = await nats(folder, port);
  const again = await connect(toConnectOptions(second.url));
  await again.jetstream().publish('kept.two');
  await again.close();
  second.kill('SIGKILL');
  expect(await second.exited).toEqual({ code: null, signal: 'SIGKILL' });

  const third = await nats(folder, port);
  const last = await connect(toConnectOptions(third.url));
  const { state } = await (await last.jetstreamManager()).streams.info('KEPT');
  await last.close();
  expect(state.messages).toBe(2);
  expect((await fetch(`${third.monitorUrl}/jsz`)).ok).toBe(true);
});

test('PostgreSQL keeps its data over a stop, a crash and a kill with open connections', async () => {
  const folder = aFolder();
  const port = await freePort();
  const first = await postgres(folder, port);
  expect(await query(first.connectionString, 'select 1')).toEqual([1]);
  await query(first.connectionString, 'create table kept as select 1 as id');
  await first.stop();

  const second = await postgres(folder, port);
  await query(second.connectionString, 'insert into kept values (2)');
  await second.crash();

  const third = await postgres(folder, port);
  await query(third.connectionString, 'insert into kept values (3)');
  const open = new Client({ connectionString: third.connectionString });
  open.on('error', () => {});
  await open.connect();
  process.kill(third.pid, 'SIGKILL');
  await third.exited;

  const fourth = await postgres(folder, port);
  expect(await query(fourth.connectionString, 'select id from kept order by id')).toEqual([1, 2, 3]);
  await open.end();
});

test('PostgreSQL is private, durable, in UTF-8, and keeps data and passwords out of logs and from other users', async () => {
  const folder = aFolder();
  const port = await freePort();
  const { connectionString } = await postgres(folder, port);

  const settings = [
    'listen_addresses',
    'unix_socket_directories',
    'fsync',
    'synchronous_commit',
    'server_encoding',
  ];
  const shown = await query(
    connectionString,
    `select ${settings.map((name) => `current_setting('${name}')`).join()}, datlocale from pg_database where datname = current_database()`,
  );
  expect(shown).toEqual(['127.0.0.1', '', 'on', 'on', 'UTF8', 'C.UTF-8']);

  const wrong = connectionString.replace(/:[^:@]+@/, ':wrong@');
  await expect(query(wrong, 'select 1')).rejects.toThrow(/password authentication failed/);
  expect(statSync(join(folder, 'postgres.password')).mode & 0o777).toBe(0o600);

  await query(
    connectionString,
    'create table mail (address text unique)',
    "insert into mail values ('jo@example.com')",
  );
  await expect(query(connectionString, "insert into mail values ('jo@example.com')")).rejects.toThrow(
    /duplicate key/,
  );
  const log = readFileSync(join(folder, 'postgres.log'), 'utf8');
  expect(log).toContain('duplicate key');
  expect(log).not.toContain('jo@example.com');
});

test('an interrupted first start, and later a lost password, are mended by the next start', async () => {
  const folder = aFolder();
  const port = await freePort();
  mkdirSync(join(folder, 'postgres.unfinished', 'data', 'base'), { recursive: true });
  mkdirSync(join(folder, 'postgres'));

  const first = await postgres(folder, port);
  await query(first.connectionString, 'create table kept as select 7 as id');
  await first.stop();
  rmSync(join(folder, 'postgres.password'));

  const second = await postgres(folder, port);
  expect(await query(second.connectionString, 'select id from kept')).toEqual([7]);
  expect(second.connectionString).not.toBe(first.connectionString);
  expect(existsSync(join(folder, 'postgres.unfinished'))).toBe(false);
});

test('a folder with foreign files is not taken for a database', async () => {
  const folder = aFolder();
  mkdirSync(join(folder, 'postgres'));
  writeFileSync(join(folder, 'postgres', 'diary.txt'), 'dear diary');
  await expect(postgres(folder, await freePort())).rejects.toThrow(/holds files but no PostgreSQL database/);
  expect(existsSync(join(folder, 'postgres', 'diary.txt'))).toBe(true);
});

test('a port that was given is given to nobody else, though nothing listens on it yet', async () => {
  const port = await freePort();
  const other = promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { freePort } from '${pathToFileURL(join(projectDir, 'deploy/local/free-port.ts'))}';
     console.log(await freePort(${port}));`,
  ]);
  expect(await freePort(port)).toBeGreaterThan(port);
  expect(Number((await other).stdout)).toBeGreaterThan(port);
});

test('a taken port is named in a clear sentence', async () => {
  const folder = aFolder();
  const port = await aTakenPort();
  await expect(nats(folder, port)).rejects.toThrow(`NATS cannot start: port ${port} on 127.0.0.1 is taken`);
  await expect(postgres(folder, port)).rejects.toThrow(
    `PostgreSQL cannot start: port ${port} on 127.0.0.1 is taken`,
  );
});

test('a server that does not come up is reported with its last lines', async () => {
  const folder = aFolder();
  mkdirSync(join(folder, 'nats'));
  writeFileSync(join(folder, 'nats', 'jetstream'), 'a file where the folder should be');
  await expect(nats(folder, await freePort())).rejects.toThrow(/ended while starting.*jetstream/is);
});

test('servers of a living process are left alone, and those of a killed one are replaced', async () => {
  const folder = aFolder();
  const ports = { nats: await freePort(), postgres: await freePort() };
  const elsewhere = await startElsewhere(folder, ports);
  await query(elsewhere.connectionString, 'create table kept as select 7 as id');

  await expect(nats(folder, await freePort())).rejects.toThrow(
    `already in use by process ${elsewhere.child.pid}`,
  );
  await expect(postgres(folder, await freePort())).rejects.toThrow(
    `in use by process ${elsewhere.child.pid}`,
  );

  elsewhere.child.kill('SIGKILL');
  await elsewhere.exited;
  expect([isAlive(elsewhere.nats), isAlive(elsewhere.postgres)]).toEqual([true, true]);

  const bus = await nats(folder, ports.nats);
  const database = await postgres(folder, ports.postgres);
  expect([isAlive(elsewhere.nats), isAlive(elsewhere.postgres)]).toEqual([false, false]);
  expect(new URL(bus.url).host).toBe(`127.0.0.1:${ports.nats}`);
  expect(await query(database.connectionString, 'select id from kept')).toEqual([7]);
});

test.skipIf(!isRoot)('an ordinary user can run both, and root can go on with the same data', async () => {
  const folder = aFolder();
  chownSync(folder, NOBODY, NOBODY);
  const ports = { nats: await freePort(), postgres: await freePort() };
  const elsewhere = await startElsewhere(folder, ports, NOBODY);
  await query(elsewhere.connectionString, 'create table kept as select 7 as id');
  elsewhere.child.kill('SIGTERM');
  expect(await elsewhere.exited).toBe(0);
  expect([isAlive(elsewhere.nats), isAlive(elsewhere.postgres)]).toEqual([false, false]);

  const database = await postgres(folder, ports.postgres);
  expect(await query(database.connectionString, 'select id from kept')).toEqual([7]);
});

test.skipIf(!isRoot)(
  'below a folder that is closed to others, root gets an open place and is told where',
  async () => {
    const lines: string[] = [];
    const folder = aFolder({ closed: true });
    const database = await postgres(folder, await freePort(), (line) => lines.push(line));
    cleanups.unshift(() => {
      for (const end of ['', '.password'])
        rmSync(`${database.dataDir}${end}`, { recursive: true, force: true });
    });
    expect(await query(database.connectionString, 'select 1')).toEqual([1]);
    expect(lines.join()).toContain(`the database is kept in ${database.dataDir} instead of ${folder}`);
    expect(lines.join()).toMatch(/may not enter/);
  },
);
