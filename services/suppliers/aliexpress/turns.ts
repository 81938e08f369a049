import type { CallPriority } from '../adapter.ts';

/** Waits for its turn and answers how to end it; rejects with the signal's reason when that fires first. */
export type TakeTurn = (priority: CallPriority, signal: AbortSignal) => Promise<() => void>;

/**
 * One at a time in this process, purchases before queries: AliExpress bans whoever calls it in parallel, for hours at
 * worst. Between processes the spacing of the calls has to do.
 */
export function createTurns(): TakeTurn {
  const waiting: Record<CallPriority, (() => void)[]> = { purchase: [], query: [] };
  let isTaken = false;

  const wait = (priority: CallPriority, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const line = waiting[priority];
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        line.splice(line.indexOf(go), 1);
        reject(signal.reason);
      };
      line.push(go);
      signal.addEventListener('abort', leave, { once: true });
    });

  const next = (): void => {
    const go = waiting.purchase.shift() ?? waiting.query.shift();
    if (go === undefined) isTaken = false;
    else go();
  };

  return async (priority, signal) => {
    signal.throwIfAborted();
    if (isTaken) await wait(priority, signal);
    isTaken = true;
    return next;
  };
}
