import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../contracts/errors.ts';
import type { ServerAccount } from './postgres-account.ts';
import { type PostgresBinaries, runAs } from './postgres-place.ts';
import { plainEnvironment } from './server-process.ts';

/** The only role; the database is this application's alone. */
export const DATABASE_USER = 'postgres';

export interface ClusterPlace {
  readonly binaries: PostgresBinaries;
  readonly dataDir: string;
  readonly account: ServerAccount | null;
}

export const passwordFileOf = (dataDir: string): string => `${dataDir}.password`;

const newPassword = (): string => randomBytes(24).toString('base64url');

function writeSecret(file: string, password: string, account?: ServerAccount | null): void {
  rmSync(file, { force: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account) chownSync(file, account.uid, account.gid);
}

/**
 * Everything happens in a folder beside the data that gets its name at the end, so an interrupted run leaves nothing
 * that looks like a database. The files are synced: skipping that was no faster, and a power cut in the first half
 * minute would cost the purchases made in it.
 */
async function initialise({ binaries, dataDir, account }: ClusterPlace): Promise<string> {
  if (existsSync(dataDir)) {
    if (readdirSync(dataDir).length > 0) {
      throw new Error(
        `${dataDir} holds files but no PostgreSQL database. Move them away or name another folder.`,
      );
    }
    rmdirSync(dataDir);
  }
  const workDir = `${dataDir}.unfinished`;
  await rm(workDir, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  mkdirSync(workDir, { mode: 0o700 });
  if (account) chownSync(workDir, account.uid, account.gid);

  const password = newPassword();
  const passwordForInitdb = join(workDir, 'password');
  writeSecret(passwordForInitdb, password, account);
  const created = join(workDir, 'data');
  await runAs(account, binaries.initdb, [
    `--pgdata=${created}`,
    `--username=${DATABASE_USER}`,
    `--pwfile=${passwordForInitdb}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The provider within PostgreSQL sorts alike on every system and needs no locale to be installed.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]).catch((error: unknown) => {
    const reason = messageOf(error);
    throw new Error(`PostgreSQL could not make a database in ${dataDir}: ${reason}`, { cause: error });
  });
  writeSecret(passwordFileOf(dataDir), password);
  await rename(created, dataDir);
  await rm(workDir, { recursive: true, force: true });
  return password;
}

/** The server is down and the data is ours: its single-user mode needs no password. */
async function replacePassword({ binaries, dataDir, account }: ClusterPlace): Promise<string> {
  const password = newPassword();
  await new Promise<void>((resolve, reject) => {
    const options = {
      cwd: '/',
      env: plainEnvironment(),
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    };
    const args = ['--single', '-D', dataDir, '-c', 'log_min_error_statement=panic', 'postgres'];
    const child = execFile(binaries.postgres, args, options, (error) => (error ? reject(error) : resolve()));
    child.stdin?.end(`alter role ${DATABASE_USER} password '${password}'\n`);
  });
  writeSecret(passwordFileOf(dataDir), password);
  return password;
}

/**
 * Makes sure that `dataDir` holds a database cluster, and returns its password, which is kept beside it in a file
 * that only its owner may read. When that file is gone, a new password is set.
 */
export async function ensureCluster(place: ClusterPlace): Promise<string> {
  const { dataDir } = place;
  if (!existsSync(join(dataDir, 'PG_VERSION'))) return initialise(place);
  const file = passwordFileOf(dataDir);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : replacePassword(place);
}
