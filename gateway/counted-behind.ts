import type { GaugeValue } from './store-gauges.ts';

/** Counting may take this share of one connection's time, whatever it has grown to. */
const SHARE = 0.01;
const FRESH_MS = 5_000;

/**
 * Has what is dear to count be counted behind the scrape's back: an answer is the count of a moment ago, and only the
 * first one is waited for. The longer a count takes, the longer it is good.
 */
export function countedBehind(
  count: () => Promise<readonly GaugeValue[]>,
): () => Promise<readonly GaugeValue[]> {
  let last: readonly GaugeValue[] | undefined;
  let counting: Promise<readonly GaugeValue[]> | undefined;
  let nextAt = 0;

  const countAgain = async (): Promise<readonly GaugeValue[]> => {
    const begun = performance.now();
    try {
      last = await count();
      return last;
    } finally {
      const now = performance.now();
      nextAt = now + Math.max(FRESH_MS, (now - begun) / SHARE);
      counting = undefined;
    }
  };

  return async () => {
    if (performance.now() >= nextAt) counting ??= countAgain();
    if (last !== undefined) {
      // A count that fails leaves the last one standing; the scrape's own reading tells that the database is away.
      counting?.catch(() => {});
      return last;
    }
    return counting ?? [];
  };
}
