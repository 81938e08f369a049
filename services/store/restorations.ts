import { DAY_MS } from '../../contracts/durations.ts';
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
const KEYS_MS = 30 * DAY_MS;

/** What is needed to tell whether an order lived through the latest restoration. */
export interface BesideRestoration extends Restoration {
  readonly shop: string;
  readonly placedAt: string;
  readonly createdAt: string;
}

/** SQL for that of an order: null where nothing was ever restored. @param orderId names the column. */
export const besideRestoration = (orderId: string): string =>
  `(select json_build_object('backupOf', ${isoInstant('r.backup_of')}, 'restoredAt', ${isoInstant('r.restored_at')},
             'ageMs', (extract(epoch from now() - r.restored_at) * 1000)::float8,
             'shop', w.shop, 'placedAt', w.placed_at, 'createdAt', ${isoInstant('w.created_at')})
      from (select * from restorations order by restored_at desc limit 1) r join orders w on w.id = ${orderId})`;

/**
 * The latest restoration before which the order may already have been worked on; undefined: there is none, and all that
 * ever happened to the order is in the database. An order of the shop is judged by when it was placed there. One that the
 * API made may be the repetition of a request whose order was lost.
 */
export function livedThrough(beside: BesideRestoration | null): Restoration | undefined {
  if (beside === null) return undefined;
  const { shop, placedAt, createdAt, ...restoration } = beside;
  const restoredAt = Date.parse(restoration.restoredAt);
  const isNew =
    shop === NO_SHOP
      ? Date.parse(createdAt) > restoredAt + KEYS_MS
      : Date.parse(placedAt) > restoredAt + SKEW_MS;
  return isNew ? undefined : restoration;
}

/** For each order the restoration that it lived through; those without one are left out. */
export async function restorationsOf(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, Restoration>> {
  const found = new Map<string, Restoration>();
  if (orderIds.length === 0) return found;
  const rows = await sql.query<{ readonly orderId: string; readonly beside: BesideRestoration | null }>(
    `select id as "orderId", ${besideRestoration('o.id')} as beside from orders o where id = any($1::text[])`,
    [orderIds],
  );
  for (const { orderId, beside } of rows) {
    const restoration = livedThrough(beside);
    if (restoration !== undefined) found.set(orderId, restoration);
  }
  return found;
}
