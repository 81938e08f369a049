import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { isoInstant } from './rows.ts';
import type { Sql } from './store.ts';

/**
 * The database was restored from a backup: what happened between `backupOf` and `restoredAt` happened outside and is not
 * in it. ISO instants.
 */
export interface Restoration {
  readonly backupOf: string;
  readonly restoredAt: string;
  /** Since `restoredAt`, by the database's clock. */
  readonly ageMs: number;
}

/** By which the shop's clock and ours may differ. */
const SKEW_MS = 60_000;
/** For so long the API knows the key of a request, and with it the order that it made. */
const KEYS_MS = 30 * 24 * 3_600_000;

interface Row extends Restoration {
  readonly orderId: string;
  readonly shop: string;
  readonly placedAt: string;
  readonly createdAt: string;
}

/**
 * For each order the latest restoration before which it may already have been worked on; where it is missing there is
 * none, and all that ever happened to the order is in the database. An order of the shop is judged by when it was placed
 * there. One that the API made may be the repetition of a request whose order was lost.
 */
export async function restorationsOf(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, Restoration>> {
  const found = new Map<string, Restoration>();
  if (orderIds.length === 0) return found;
  const rows = await sql.query<Row>(
    `select o.id as "orderId", ${isoInstant('r.backup_of')} as "backupOf", ${isoInstant('r.restored_at')} as "restoredAt",
            (extract(epoch from now() - r.restored_at) * 1000)::float8 as "ageMs",
            o.shop, o.placed_at as "placedAt", ${isoInstant('o.created_at')} as "createdAt"
       from (select * from restorations order by restored_at desc limit 1) r join orders o on o.id = any($1::text[])`,
    [orderIds],
  );
  for (const { orderId, shop, placedAt, createdAt, ...restoration } of rows) {
    const restoredAt = Date.parse(restoration.restoredAt);
    const isNew =
      shop === NO_SHOP
        ? Date.parse(createdAt) > restoredAt + KEYS_MS
        : Date.parse(placedAt) > restoredAt + SKEW_MS;
    if (!isNew) found.set(orderId, restoration);
  }
  return found;
}
