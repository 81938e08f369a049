import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, parse } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  /** Resolves when the process has ended, whoever ended it; never rejects. */
  readonly exited: Promise<ServerExit>;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** The last lines that this process wrote, for an error message. */
  lastLines(): string;
}

/** The operating system's user that a server runs as, where it is not our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Beyond what every program needs; our own environment holds secrets and is not handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Output is appended here. */
  readonly logFile: string;
  readonly account?: Account | null;
  /** Sent when our own process ends without having stopped the server. */
  readonly exitSignal: NodeJS.Signals;
}

const LAST_LINES = 15;
const HANDED_ON = ['PATH', 'TMPDIR', 'SystemRoot', 'TEMP', 'TMP'];

/** What a server and its tools need of our environment, with messages in English. */
export function plainEnvironment(): Record<string, string> {
  const handedOn = HANDED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(handedOn), LC_ALL: 'C' };
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C in a terminal reaches only us and we stop the
 * servers in our order. The server's working folder is the root of the file system: hand on absolute paths.
 * @throws Error when the command cannot be run.
 */
export async function spawnServer(options: SpawnOptions): Promise<ServerProcess> {
  const { command, args, env = {}, logFile, account, exitSignal } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  const output = openSync(logFile, 'a');
  const outputStart = fstatSync(output).size;
  const child = spawn(command, args, {
    cwd: parse(command).root,
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', output, output],
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  });
  closeSync(output);

  const stopWithUs = () => child.kill(exitSignal);
  process.once('exit', stopWithUs);
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', stopWithUs);
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      process.off('exit', stopWithUs);
      reject(new Error(`${command} cannot be run: ${error.message}`, { cause: error }));
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} has no process number`);

  return {
    pid,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => void child.kill(signal),
    lastLines: () => {
      const text = readFileSync(logFile).subarray(outputStart).toString('utf8').trimEnd();
      return text.split('\n').slice(-LAST_LINES).join('\n');
    },
  };
}

/** Sends the signals one after another, each with its time to work, until the process has ended. */
export async function stopServer(
  server: ServerProcess,
  steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
): Promise<ServerExit> {
  for (const { signal, waitMs } of steps) {
    if (!server.isRunning()) break;
    server.signal(signal);
    await Promise.race([server.exited, delay(waitMs, undefined, { ref: false })]);
  }
  if (server.isRunning()) server.signal('SIGKILL');
  return server.exited;
}

/**
 * Polls `isReady` until it says true.
 * @throws Error with the server's last lines when it ends before, or when the time is over.
 */
export async function waitUntilReady(
  server: ServerProcess,
  { what, timeoutMs, isReady }: { what: string; timeoutMs: number; isReady: () => Promise<boolean> },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (!server.isRunning())
      throw new Error(`${what} ended while starting. Its last lines:\n${server.lastLines()}`);
    if ((await isReady()) && server.isRunning()) return;
    await delay(25);
  }
  throw new Error(
    `${what} was not ready after ${timeoutMs / 1000} seconds. Its last lines:\n${server.lastLines()}`,
  );
}
