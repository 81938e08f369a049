import { DAY_MS, HOUR_MS } from '../../../contracts/durations.ts';
import type { QuotaReport } from '../adapter-parts.ts';
import type { PointsInfo } from './responses.ts';

/** What an answer shows of our limits; `code` null when it has none. */
export interface LimitSigns {
  readonly path: string;
  readonly httpStatus: number;
  readonly code: number | null;
  readonly points: PointsInfo | null;
  /** For how long every call has been refused as too fast, by `createRefusalClock`. */
  readonly refusedForMs: number;
}

const TOO_FAST = 1600200;
const QUOTA_USED_UP = 1600201;
const POINTS_USED_UP = 16900500;

/** CJ wants one or two seconds of silence after a burst; all copies keep the first, and their retries the second. */
const BURST_PAUSE_MS = 1_000;
/**
 * The code of a burst is that of a day's count, too, and nothing else tells them apart: a pause lasts a quarter of the
 * time for which none got through.
 */
const PAUSE_SHARE = 1 / 4;
const LONGEST_PAUSE_MS = 15 * 60_000;
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

const isTooMuch = (httpStatus: number, code: number | null): boolean => httpStatus === 429 || code === 429;
/** Logins are counted for themselves. */
const isLogin = (path: string): boolean => path.startsWith('/authentication/');

/**
 * Tells of each answer for how long all of them have been "too fast", in milliseconds; 0 for the first and for all others.
 * Refusals that lie far apart, with nothing asked between them, are no row.
 */
export function createRefusalClock(): (signs: Omit<LimitSigns, 'refusedForMs'>, now: number) => number {
  let since = 0;
  let last = Number.NEGATIVE_INFINITY;
  return ({ path, httpStatus, code }, now) => {
    if (isLogin(path)) return 0;
    const isRefused = code === TOO_FAST || isTooMuch(httpStatus, code);
    if (now - last > 2 * LONGEST_PAUSE_MS) since = now;
    last = isRefused ? now : Number.NEGATIVE_INFINITY;
    return isRefused ? now - since : 0;
  };
}

const burstPauseMs = (refusedForMs: number, now: number): number =>
  Math.max(BURST_PAUSE_MS, Math.min(refusedForMs * PAUSE_SHARE, LONGEST_PAUSE_MS, next(HOUR_MS, now) - now));

type Pauses = Pick<QuotaReport, 'pausedUntil' | 'budgetPausedUntil' | 'isTooFast'>;

function pausesOf({ path, httpStatus, code, points, refusedForMs }: LimitSigns, now: number): Pauses {
  const lacksPoints = points?.remaining != null && points.remaining < Math.max(1, pointsOf(path));
  if (code === POINTS_USED_UP || (isTooMuch(httpStatus, code) && lacksPoints)) {
    const until = instant(refilledAt(path, points, now));
    // What is refused for points although we take it for free leaves nothing that we could be sure of.
    return pointsOf(path) > 0 ? { budgetPausedUntil: until } : { pausedUntil: until };
  }
  // Of an hour or of a day: both end on the hour, and a day's is asked for again every hour.
  if (code === QUOTA_USED_UP) return { pausedUntil: instant(next(HOUR_MS, now)) };
  if (!isTooMuch(httpStatus, code) && code !== TOO_FAST) return {};
  const pausedUntil = instant(now + burstPauseMs(refusedForMs, now));
  return isLogin(path) ? { pausedUntil } : { pausedUntil, isTooFast: true };
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
