/** How many may ask a supplier at once. Memory of one process. */
export interface Crowd {
  /** 1 at least. */
  limit(): number;
  /** An answer came: for as many as may ask at once, one more may. */
  answered(): void;
  /** None came in time: half as many may ask. @param askedAt by `performance.now()`. */
  late(askedAt: number): void;
}

/** @param most as long as answers come in time. */
export function createCrowd(most: number): Crowd {
  let limit = most;
  let halvedAt = Number.NEGATIVE_INFINITY;
  return {
    limit: () => Math.floor(limit),
    answered() {
      limit = Math.min(most, limit + 1 / limit);
    },
    late(askedAt) {
      // Whoever had asked before then was one of the crowd that was halved.
      if (askedAt < halvedAt) return;
      limit = Math.max(1, limit / 2);
      halvedAt = performance.now();
    },
  };
}
