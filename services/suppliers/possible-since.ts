import { isoInstant } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';

/** Clocks differ: what was bought may seem to have been made this much before. */
export const EARLIER_MS = 120_000;
/** Orders are told apart from those of the time that a restored backup lacks for this long (`livedThrough`). */
const RESTORED_DAYS = 31;

interface Beginnings {
  readonly placedAt: string;
  readonly createdAt: string;
  readonly backupOf: string | null;
}

/**
 * The earliest that anything can have been bought for the order, with all that clocks may differ by, as an ISO instant:
 * a supplier that only lists its orders by date is asked from there on. Undefined: nobody can tell.
 */
export async function possibleSince(sql: Sql, orderId: string): Promise<string | undefined> {
  const [row] = await sql.query<Beginnings>(
    `select placed_at as "placedAt", ${isoInstant('created_at')} as "createdAt",
            (select ${isoInstant('min(backup_of)')} from restorations
              where restored_at > now() - interval '${RESTORED_DAYS} days') as "backupOf"
       from orders where id = $1`,
    [orderId],
  );
  if (row === undefined) return undefined;
  const beginnings = [row.placedAt, row.createdAt, row.backupOf ?? row.createdAt].map(Date.parse);
  return new Date(Math.min(...beginnings.filter(Number.isFinite)) - EARLIER_MS).toISOString();
}
