/** A store of points that refills evenly. Sizes and rates may change between calls. */
export interface TokenBucket {
  /** Points at hand now, as a real number. */
  level(): number;
  /** Takes the points if they are all there. */
  take(points: number): boolean;
  /** Gives back, for instance what a call was charged too much. */
  giveBack(points: number): void;
}

/** A bucket that starts full. `limits` is asked at every use. */
export function createTokenBucket(limits: () => { perSecond: number; capacity: number }): TokenBucket {
  let level = limits().capacity;
  let filledAt = performance.now();
  const refill = (): void => {
    const { perSecond, capacity } = limits();
    const now = performance.now();
    level = Math.min(capacity, level + ((now - filledAt) / 1_000) * perSecond);
    filledAt = now;
  };
  return {
    level() {
      refill();
      return level;
    },
    take(points) {
      refill();
      if (level < points) return false;
      level -= points;
      return true;
    },
    giveBack(points) {
      level = Math.min(limits().capacity, level + points);
    },
  };
}
