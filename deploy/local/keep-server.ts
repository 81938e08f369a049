import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../contracts/errors.ts';
import type { ServerExit } from './server-process.ts';

interface Server {
  readonly exited: Promise<ServerExit>;
  stop(): Promise<void>;
}

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Starts a server of the stack, and again whenever it ends by itself, as the services are: without it they would wait for
 * it until somebody looks. Says so each time. @param start must lead to the same data at the same port.
 */
export async function keepServer<S extends Server>(
  name: string,
  start: () => Promise<S>,
  log: (line: string) => void,
): Promise<{ readonly first: S; stop(): Promise<void> }> {
  let starting: Promise<S> = start();
  const first = await starting;
  const stopping = new AbortController();

  async function startAgain(): Promise<S> {
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await delay(pauseMs, undefined, { ref: false, signal: stopping.signal });
      try {
        return await start();
      } catch (error) {
        log(`${name} does not start: ${messageOf(error)}`);
      }
    }
  }

  async function watch(): Promise<void> {
    for (;;) {
      const { code, signal } = await (await starting).exited;
      if (stopping.signal.aborted) return;
      log(`${name} ended (${signal ?? `code ${code}`}) and is started again`);
      starting = startAgain();
      await starting;
      log(`${name} runs again`);
    }
  }
  // It ends with a start that was broken off by our own stop.
  watch().catch(() => {});

  return {
    first,
    async stop() {
      stopping.abort();
      await starting.then(
        (server) => server.stop(),
        () => {},
      );
    },
  };
}
