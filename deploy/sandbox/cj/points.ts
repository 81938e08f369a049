import type { LiveSettings } from '../settings.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** What each call costs, by the beginning of its path; the rest is free. */
const PRICES: readonly (readonly [path: string, points: number])[] = [
  ['/product/list', 50],
  ['/product/query', 10],
  ['/product/variant/query', 10],
  ['/product/stock/', 10],
  ['/logistic/freightCalculate', 10],
];

export interface PointsInfo {
  readonly usedToday: number;
  readonly remaining: number;
  readonly total: number;
}

export interface CjPoints {
  /** Pays for a call. False when there are too few points: then nothing is taken. */
  pay(path: string): boolean;
  /** Null while no budget is set. */
  info(): PointsInfo | null;
}

/** The account's daily points: they come back evenly over the day, and all of them at midnight UTC. */
export function createCjPoints(settings: LiveSettings): CjPoints {
  let [total, level, usedToday, countedAt] = [0, 0, 0, 0];
  const count = (): void => {
    const now = Date.now();
    const { cjPointsPerDay } = settings.current();
    const isNewDay = Math.floor(now / DAY_MS) > Math.floor(countedAt / DAY_MS);
    if (isNewDay || cjPointsPerDay !== total) [total, level, usedToday] = [cjPointsPerDay, cjPointsPerDay, 0];
    else level = Math.min(total, level + ((now - countedAt) / DAY_MS) * total);
    countedAt = now;
  };
  return {
    pay(path) {
      count();
      const price = PRICES.find(([start]) => path.startsWith(start))?.[1] ?? 0;
      if (total === 0) return true;
      if (price > level) return false;
      level -= price;
      usedToday += price;
      return true;
    },
    info() {
      count();
      return total === 0 ? null : { usedToday, remaining: Math.floor(level), total };
    },
  };
}
