import type { CallPriority, CallTurn, TakeCallTurn } from '../adapter-parts.ts';

/** Waits for its turn and answers how to end it; rejects with the signal's reason when that fires first. */
export type TakeTurn = (priority: CallPriority, signal: AbortSignal) => Promise<() => void>;

/** Below it a call is over before the next may begin: AliExpress bans whoever calls it in parallel, for hours at worst. */
const PARALLEL_FROM = 10;
/** Of a second: with a contract for many calls, as many are under way as begin in this time. */
const CALL_SECONDS = 0.2;

/** Calls that an app with this allowance makes at once. */
export const turnsFor = (requestsPerSecond: number): number =>
  requestsPerSecond < PARALLEL_FROM ? 1 : Math.min(32, Math.ceil(requestsPerSecond * CALL_SECONDS));

/**
 * Leave for one call of all copies where no two may be made in parallel, else absent. The distance between two holds what
 * the way to AliExpress may take more for the first of them.
 */
export const aloneAt = (
  requestsPerSecond: number,
  takeTurn: TakeCallTurn,
): ((signal: AbortSignal) => Promise<CallTurn>) | undefined =>
  turnsFor(requestsPerSecond) > 1 ? undefined : (signal) => takeTurn(1_100 / requestsPerSecond, signal);

/** So many at a time in this process, purchases before queries. */
export function createTurns(most = 1): TakeTurn {
  const waiting: Record<CallPriority, (() => void)[]> = { purchase: [], query: [] };
  let taken = 0;

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
    if (go === undefined) taken -= 1;
    else go();
  };

  return async (priority, signal) => {
    signal.throwIfAborted();
    // Whoever is called up takes over the turn that ended.
    if (taken < most) taken += 1;
    else await wait(priority, signal);
    return next;
  };
}
