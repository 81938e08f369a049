import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { letOthersGoFirst } from './background-priority.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STOP_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;
/** A process that lived this long has earned a quick restart. */
const STEADY_MS = 10_000;

export interface Supervised {
  readonly name: string;
  /** Of the running process; undefined between an end and the next start. */
  pid(): number | undefined;
  /** How often it was started again after ending by itself. */
  restarts(): number;
  /** Resolves when the log says `ready` for the first time, rejects when the process ends before. */
  readonly ready: Promise<void>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  /** Script below the project's folder. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logDir: string;
  /** Text in the output that says the process works. */
  readonly readyText: string;
  /** Others go first when processors are short. */
  readonly isBackground?: boolean;
}

/**
 * Keeps one process of the stack running: starts it again whenever it ends, with growing pauses. Its output goes to
 * `<logDir>/<name>.log`. The process ends by itself when we are gone, because the channel between us closes.
 */
export function supervise(options: SuperviseOptions): Supervised {
  const { name, script, env, logDir, readyText, isBackground = false } = options;
  const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'a' });
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let child: ChildProcess | undefined;
  let isStopping = false;
  let isReady = false;
  let restarts = 0;
  let pauseMs = 100;
  let lastLines: string[] = [];
  let restart: NodeJS.Timeout | undefined;

  const start = (): void => {
    const startedAt = performance.now();
    const process_ = spawn(process.execPath, [join(PROJECT, script)], {
      cwd: PROJECT,
      env,
      // A group of its own: Ctrl-C reaches us alone, and we stop the processes in their order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = process_;
    if (isBackground && process_.pid !== undefined) void letOthersGoFirst(process_.pid);
    for (const output of [process_.stdout, process_.stderr]) {
      if (output === null) continue;
      output.on('data', (chunk: Buffer) => log.write(chunk));
      createInterface(output).on('line', (line) => {
        if (line !== '') lastLines = [...lastLines, line].slice(-5);
        if (isReady || !line.includes(readyText)) return;
        isReady = true;
        ready.resolve();
      });
    }
    process_.once('exit', () => {
      child = undefined;
      if (isStopping) return;
      if (!isReady) {
        isStopping = true;
        ready.reject(new Error(`${name} did not start:\n${lastLines.join('\n')}`));
        return;
      }
      restarts += 1;
      pauseMs = performance.now() - startedAt > STEADY_MS ? 100 : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      restart = setTimeout(start, pauseMs);
    });
  };
  start();

  return {
    name,
    pid: () => child?.pid,
    restarts: () => restarts,
    ready: ready.promise,
    kill: (signal) => child?.kill(signal),
    async stop() {
      isStopping = true;
      clearTimeout(restart);
      const running = child;
      if (running !== undefined) {
        const exited = new Promise((resolve) => running.once('exit', resolve));
        running.kill('SIGTERM');
        const timer = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
        await exited;
        clearTimeout(timer);
      }
      await new Promise((resolve) => log.end(resolve));
    },
  };
}
