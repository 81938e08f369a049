import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './server-process.ts';

const run = promisify(execFile);

/** The user that PostgreSQL runs as when we are root, which it refuses to be. */
export interface ServerAccount extends Account {
  /** For messages. */
  readonly name: string;
}

async function findAccount(name: string): Promise<ServerAccount | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

async function createAccount(): Promise<ServerAccount | null> {
  await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch(() => {});
  return findAccount('postgres');
}

/**
 * Null when PostgreSQL can run as ourselves. As root: the owner of the data when there is data (whoever made it must
 * be able to go on with it), else the user `postgres`, else `nobody`, else a new system user `postgres`.
 * @throws Error when there is no such user and none can be made.
 */
export async function findServerAccount(dataDir: string): Promise<ServerAccount | null> {
  if (process.getuid?.() !== 0) return null;
  if (existsSync(dataDir)) {
    const { uid, gid } = statSync(dataDir);
    if (uid !== 0) return { name: `number ${uid}`, uid, gid };
  }
  const account = (await findAccount('postgres')) ?? (await findAccount('nobody')) ?? (await createAccount());
  if (account !== null) return account;
  throw new Error(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody". Add one of them.',
  );
}

/** The folder and all above it, from the root down. */
const pathFromRoot = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [...pathFromRoot(dirname(folder)), folder];

/**
 * The first existing folder on the way to `folder`, itself included, that the account may not enter, or null. The
 * system is asked, because modes alone do not tell (access lists, mount options).
 */
export async function findClosedFolder(folder: string, account: ServerAccount): Promise<string | null> {
  const folders = pathFromRoot(folder).filter((path) => existsSync(path));
  const script = 'for folder do cd "$folder" 2>/dev/null || { printf %s "$folder"; exit; }; done';
  const { stdout } = await run('/bin/sh', ['-c', script, 'sh', ...folders], {
    cwd: '/',
    uid: account.uid,
    gid: account.gid,
  });
  return stdout === '' ? null : stdout;
}
