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
 * The latest restoration before which this order may already have been worked on; undefined: there is none, and all that
 * ever happened to it is in the database. An order of the shop is judged by when it was placed there. One that the API
 * made may be the repetition of a request whose order was lost.
 */
export const restorationOf = async (sql: Sql, orderId: string): Promise<Restoration | undefined> =>
  (await restorationsOf(sql, [orderId])).get(orderId);

/** As `restorationOf`, by order; those without one are left out. */
export async function restorationsOf(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, Restoration>> {
  const rows = await sql.query<Row>(
    `select distinct on (o.id) o.id as "orderId", ${isoInstant('r.backup_of')} as "backupOf", ${isoInstant('r.restored_at')} as "restoredAt",
            (extract(epoch from now() - r.restored_at) * 1000)::float8 as "ageMs",
            o.shop, o.placed_at as "placedAt", ${isoInstant('o.created_at')} as "createdAt"
       from restorations r join orders o on o.id = any($1::text[]) order by o.id, r.restored_at desc`,
    [orderIds],
  );
  return new Map(
    rows.flatMap(({ orderId, shop, placedAt, createdAt, ...restoration }) => {
      const restoredAt = Date.parse(restoration.restoredAt);
      const isNew =
        shop === NO_SHOP
          ? Date.parse(createdAt) > restoredAt + KEYS_MS
          : Date.parse(placedAt) > restoredAt + SKEW_MS;
      return isNew ? [] : [[orderId, restoration] as const];
    }),
  );
}
