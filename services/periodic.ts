import type { Logger } from './logger.ts';

export interface Periodic {
  /** Ends the present pause, or leaves out the one after the round in hand. */
  wake(): void;
  /** Waits for the round in hand. */
  stop(): Promise<void>;
}

/**
 * Runs `round` again and again, never twice at once, with a pause of about `everyMs` (±20 %, so that copies drift
 * apart). A round that says it found a full load is followed by the next one at once; one that fails is logged.
 */
export function startPeriodic(
  name: string,
  everyMs: number,
  log: Logger,
  round: () => Promise<'more' | 'idle'>,
): Periodic {
  let isStopping = false;
  let isWoken = false;
  let wake = (): void => {};
  const run = async (): Promise<void> => {
    while (!isStopping) {
      isWoken = false;
      const found = await round().catch((error: unknown) => {
        log.warn({ err: error, work: name }, 'a round failed and is tried again');
        return 'idle' as const;
      });
      if (found === 'more' || isStopping || isWoken) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs * (0.8 + Math.random() * 0.4));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = run();
  return {
    wake() {
      isWoken = true;
      wake();
    },
    async stop() {
      isStopping = true;
      wake();
      await running;
    },
  };
}
