import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { LocalService } from '../../deploy/local/stack.ts';
import { SERVICES } from '../../deploy/local/stack.ts';
import type { Moment } from '../../services/moments.ts';

const RESTART_MS = 100;

/** One process of a service, started again whenever it ends. Its output goes to `<logDir>/<name>.log`. */
export interface ServiceCopy {
  readonly service: LocalService;
  readonly name: string;
  /** Resolves when the present life works, or the one after it. */
  ready(): Promise<void>;
  kill(): void;
  /**
   * Starts it anew to die by itself at that moment, as `services/moments.ts` reads it.
   * @param isArmed told when it works and waits for its moment. @param withinMs from then on.
   * @returns whether it came there; where it did not within the time, it is killed anywhere.
   */
  dieAt(moment: string, withinMs: number, isArmed: () => void): Promise<boolean>;
  /** If it waits for its moment, it is started anew without. */
  spare(): void;
  /** Stands still with all its connections, as a machine that lost its processor; `thaw` lets it go on. */
  freeze(): void;
  /** As `freeze`, when it comes to that moment. @returns whether it came there; where it did not within the time, it stands still anywhere. */
  freezeAt(moment: Moment, withinMs: number): Promise<boolean>;
  thaw(): void;
  /** Ends after `ready` that nobody brought about. */
  strangeEnds(): readonly string[];
  stop(): Promise<void>;
}

interface Armed {
  readonly moment: string;
  readonly died: (byItself: boolean) => void;
  timer?: NodeJS.Timeout;
}

export function startCopy(options: {
  readonly service: LocalService;
  readonly number: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logDir: string;
  /** Where the code is, of one release or of two: each life is of the one that the life before was not of. */
  readonly releases: readonly string[];
}): ServiceCopy {
  const { service, number, env, logDir, releases } = options;
  const name = `${service}-${number}`;
  const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'a' });
  const strange: string[] = [];
  let child: ChildProcess | undefined;
  let isReady = false;
  let isOver = false;
  let isKilled = false;
  let armed: Armed | undefined;
  /** Of the life that is armed, if any: nobody waits for its moment any more. */
  const disarm = (byItself: boolean): void => {
    clearTimeout(armed?.timer);
    armed?.died(byItself);
    armed = undefined;
  };
  let waiting: (() => void)[] = [];
  let restart: NodeJS.Timeout | undefined;
  let lives = number;

  const live = (): void => {
    isReady = false;
    isKilled = false;
    const death = armed;
    const release = releases[lives % releases.length] ?? '.';
    lives += 1;
    const life = spawn(process.execPath, [join(release, SERVICES[service])], {
      cwd: release,
      env: {
        ...env,
        FAULT_SUITE: 'true',
        ...(death === undefined ? {} : { FAULT_MOMENT: death.moment }),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = life;
    const listen = (bytes: Buffer): void => {
      log.write(bytes);
      if (isReady || !bytes.includes('"msg":"ready"')) return;
      isReady = true;
      for (const resolve of waiting.splice(0)) resolve();
    };
    life.stdout?.on('data', listen);
    life.stderr?.on('data', listen);
    life.once('exit', (code, signal) => {
      const isAtMoment = !isKilled && signal === 'SIGKILL' && death !== undefined;
      if (isReady && !isKilled && !isAtMoment && !isOver)
        strange.push(`${name} ended by itself with ${signal ?? code}`);
      if (death !== undefined && death === armed) disarm(isAtMoment);
      if (!isOver) restart = setTimeout(live, RESTART_MS);
    });
  };
  const kill = (): void => {
    isKilled = true;
    child?.kill('SIGKILL');
  };
  const ready = (): Promise<void> =>
    isReady && !isKilled
      ? Promise.resolve()
      : new Promise((resolve) => {
          waiting = [...waiting, resolve];
        });
  live();

  return {
    service,
    name,
    ready,
    kill,
    dieAt(moment, withinMs, isArmed) {
      disarm(false);
      kill();
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const mine: Armed = { moment, died: resolve };
      armed = mine;
      void ready().then(() => {
        if (armed !== mine) return;
        isArmed();
        mine.timer = setTimeout(kill, withinMs);
      });
      return promise;
    },
    spare() {
      if (armed === undefined) return;
      disarm(false);
      kill();
    },
    freeze: () => void child?.kill('SIGSTOP'),
    async freezeAt(moment, withinMs) {
      const life = child;
      const hasCome = await new Promise<boolean>((resolve) => {
        life?.once('message', () => resolve(true));
        life?.send(moment, () => {});
        setTimeout(() => resolve(false), withinMs);
      });
      life?.removeAllListeners('message');
      if (!hasCome) life?.kill('SIGSTOP');
      return hasCome;
    },
    thaw: () => void child?.kill('SIGCONT'),
    strangeEnds: () => strange,
    async stop() {
      if (isOver) return;
      isOver = true;
      clearTimeout(restart);
      const life = child;
      if (life !== undefined && life.exitCode === null && life.signalCode === null) {
        const gone = new Promise((resolve) => life.once('exit', resolve));
        life.kill('SIGCONT');
        life.kill('SIGTERM');
        const timer = setTimeout(() => life.kill('SIGKILL'), 10_000);
        await gone;
        clearTimeout(timer);
      }
      await new Promise((resolve) => log.end(resolve));
    },
  };
}
