import { banSecondsOf, failureClassOf, type Refusal } from './failure-classes.ts';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 15 * 60_000;
/** Of the time for which no call got through. */
const SHARE = 1 / 4;

/**
 * Tells of each answer, null for one that is no refusal, how long nobody should call: as long as a ban says that it lasts.
 * One that names no end, as that of a day's calls may, is asked after the more rarely the longer it lasts: calls that come
 * on all the same have prolonged bans. 0: no ban. @param now by `performance.now()`.
 */
export function createBanClock(): (refusal: Refusal | null, now: number) => number {
  let since: number | null = null;
  return (refusal, now) => {
    if (refusal === null || failureClassOf(refusal, 'read') !== 'throttled') {
      since = null;
      return 0;
    }
    since ??= now;
    const seconds = banSecondsOf(refusal);
    return seconds === null
      ? Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now - since) * SHARE))
      : seconds * 1_000;
  };
}
