import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** A process by its number and its beginning. */
export const KnownProcess = z.object({ pid: z.int().positive(), mark: z.string() });
export type KnownProcess = z.infer<typeof KnownProcess>;
const ClaimRecord = z.object({ owner: KnownProcess, server: KnownProcess.optional() });
type ClaimRecord = z.infer<typeof ClaimRecord>;

const STOP_MS = 20_000;

/**
 * When this process began, or undefined when it does not live. A number alone may have gone to somebody else since
 * (after a reboot, or in a fresh container with the same files); number and beginning together have not.
 */
function beginningOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // Counted from behind the command, which may hold anything: the state first, then the start in field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    if (process.platform === 'win32') return process.kill(pid, 0) ? 'alive' : undefined;
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)])
      .toString()
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

export const identify = (pid: number): KnownProcess => ({ pid, mark: beginningOf(pid) ?? '' });
export const isAlive = ({ pid, mark }: KnownProcess): boolean => beginningOf(pid) === mark;

/** The record of the claim, or null when there is none; a torn one (written while the machine died) says nothing. */
function readRecord(file: string): ClaimRecord | null {
  try {
    return ClaimRecord.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

async function stopLeftOver(server: KnownProcess, what: string, signal: NodeJS.Signals): Promise<void> {
  for (const next of [signal, 'SIGKILL'] as const) {
    try {
      process.kill(server.pid, next);
    } catch (error) {
      if (!isAlive(server)) return;
      throw new Error(
        `${what} is still running as process ${server.pid}, left over from an earlier run, and this user may not stop it. Stop it as the user who started it.`,
        { cause: error },
      );
    }
    const deadline = Date.now() + STOP_MS;
    while (isAlive(server) && Date.now() < deadline) await delay(20);
    if (!isAlive(server)) return;
  }
  throw new Error(
    `${what} is still running as process ${server.pid}, left over from an earlier run, and does not stop.`,
  );
}

export interface ServerClaim {
  /** Notes which process serves the folder, so that the next run can find it if we are killed. */
  noteServer(pid: number): void;
  release(): void;
}

export interface ClaimOptions {
  /** Beside the server's folder; holds process numbers and nothing else. */
  readonly file: string;
  /** The server in the words of a message, such as `PostgreSQL for /srv/data`. */
  readonly what: string;
  /** What asks this kind of server to stop quickly and cleanly. */
  readonly stopSignal: NodeJS.Signals;
  readonly log: (line: string) => void;
}

/**
 * Makes this process the only one that runs a server on a folder. A server whose starter was killed is stopped
 * first; one whose starter lives is left alone.
 * @throws Error in words for the user when a living process has the claim, or the left-over server cannot be stopped.
 */
export async function claimServer({ file, what, stopSignal, log }: ClaimOptions): Promise<ServerClaim> {
  const earlier = readRecord(file);
  if (earlier !== null && isAlive(earlier.owner)) {
    throw new Error(`${what} is already in use by process ${earlier.owner.pid}. Stop that process first.`);
  }
  if (earlier?.server !== undefined && isAlive(earlier.server)) {
    log(`stopping process ${earlier.server.pid}: ${what}, left over from a run that was killed`);
    await stopLeftOver(earlier.server, what, stopSignal);
  }

  const owner = identify(process.pid);
  const write = (record: ClaimRecord, flag: 'w' | 'wx'): void =>
    writeFileSync(file, JSON.stringify(record), { flag });
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  try {
    write({ owner }, 'wx');
  } catch (error) {
    throw new Error(`${what} is being started by another process at this moment.`, { cause: error });
  }
  return {
    noteServer: (pid) => write({ owner, server: identify(pid) }, 'w'),
    release: () => rmSync(file, { force: true }),
  };
}
