import type { QuotaReport } from '../adapter-parts.ts';
import type { PointsInfo } from './responses.ts';

/** What an answer shows of our limits; `code` null when it has none. */
export interface LimitSigns {
  readonly path: string;
  readonly httpStatus: number;
  readonly code: number | null;
  readonly points: PointsInfo | null;
}

const TOO_FAST = 1600200;
const QUOTA_USED_UP = 1600201;
const POINTS_USED_UP = 16900500;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** CJ wants one or two seconds of silence after a burst; all copies keep the first, and their retries the second. */
const BURST_PAUSE_MS = 1_000;
/** Of an account that has spent nothing yet; the answers name a larger one. */
const BASE_POINTS = 50_000;

/** What a call costs, by the beginning of its path; everything that is not here is free, orders and payments above all. */
const POINTS: readonly (readonly [path: string, points: number])[] = [
  ['/product/list', 50],
  ['/product/query', 10],
  ['/product/variant/query', 10],
  ['/product/stock/', 10],
  ['/logistic/freightCalculate', 10],
];

export const pointsOf = (path: string): number => POINTS.find(([start]) => path.startsWith(start))?.[1] ?? 0;

const instant = (ms: number): string => new Date(ms).toISOString();
const next = (unitMs: number, now: number): number => (Math.floor(now / unitMs) + 1) * unitMs;

/**
 * When the points for this call will be there. They come back evenly, a day's total in a day, and all at once at midnight
 * UTC. Whether a day's total that is used up refills at all before midnight is not sure: asking again after
 * each refill costs one refused call, and waiting for midnight for nothing a day of sourcing.
 */
function refilledAt(path: string, points: PointsInfo | null, now: number): number {
  const total = points?.total || BASE_POINTS;
  const missing = Math.max(1, pointsOf(path) - Math.max(0, points?.remaining ?? 0));
  return Math.min(now + Math.ceil((missing * DAY_MS) / total), next(DAY_MS, now));
}

type Pauses = Pick<QuotaReport, 'pausedUntil' | 'budgetPausedUntil' | 'isTooFast'>;

function pausesOf({ path, httpStatus, code, points }: LimitSigns, now: number): Pauses {
  const isTooMuch = httpStatus === 429 || code === 429;
  const lacksPoints = points?.remaining != null && points.remaining < Math.max(1, pointsOf(path));
  if (code === POINTS_USED_UP || (isTooMuch && lacksPoints)) {
    const until = instant(refilledAt(path, points, now));
    // What is refused for points although we take it for free leaves nothing that we could be sure of.
    return pointsOf(path) > 0 ? { budgetPausedUntil: until } : { pausedUntil: until };
  }
  // Of an hour or of a day: both end on the hour, and a day's is asked for again every hour.
  if (code === QUOTA_USED_UP) return { pausedUntil: instant(next(HOUR_MS, now)) };
  if (!isTooMuch && code !== TOO_FAST) return {};
  const pausedUntil = instant(now + BURST_PAUSE_MS);
  // Logins are counted for themselves.
  return path.startsWith('/authentication/') ? { pausedUntil } : { pausedUntil, isTooFast: true };
}

/** What an answer tells about our limits; null when nothing. @param now in milliseconds. */
export function quotaReportOf(signs: LimitSigns, now: number): QuotaReport | null {
  const { remaining, total } = signs.points ?? { remaining: null, total: null };
  const report = {
    ...pausesOf(signs, now),
    ...(remaining === null ? {} : { remaining: Math.floor(remaining) }),
    ...(total === null ? {} : { total: Math.floor(total) }),
  };
  return Object.keys(report).length === 0 ? null : report;
}
