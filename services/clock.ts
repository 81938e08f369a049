import { gauge } from './figures.ts';
import type { Logger } from './logger.ts';
import { type Periodic, startPeriodic } from './periodic.ts';
import type { Sql } from './store/store.ts';

const EVERY_MS = 60_000;
/** By so much a clock may differ that somebody sets now and then. */
const BEARABLE_MS = 60_000;

let aheadMs: number | null = null;

/** How far the clock of this machine is ahead of the database's; 0 until it was compared. */
export const clockAheadMs = (): number => aheadMs ?? 0;

gauge(
  { name: 'clock_ahead_seconds', help: 'How far the clock of this process is ahead of PostgreSQL’s' },
  {},
  (set) => {
    if (aheadMs !== null) set({}, aheadMs / 1_000);
  },
);

async function measure(sql: Sql): Promise<number> {
  const [asked, begun] = [Date.now(), performance.now()];
  const [row] = await sql.query<{ now: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  return asked + (performance.now() - begun) / 2 - (row?.now ?? asked);
}

/**
 * Compares the clock of this machine with the database's, which all copies share and by which everything is due, and says
 * when they differ: what is left to this one, such as the end of a token, is off by as much.
 */
export function watchClock(sql: Sql, log: Logger): Periodic {
  let isWrong = false;
  return startPeriodic('clock', EVERY_MS, log, async () => {
    aheadMs = await measure(sql);
    const wasWrong = isWrong;
    isWrong = Math.abs(aheadMs) > BEARABLE_MS;
    if (isWrong && !wasWrong) {
      const aheadSeconds = Math.round(aheadMs / 1_000);
      log.warn({ aheadSeconds }, 'the clock of this machine is ahead of PostgreSQL’s, or behind it: set it');
    }
    return 'idle';
  });
}
