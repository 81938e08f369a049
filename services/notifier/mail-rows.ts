import type { NotificationKind } from '../../contracts/vocabulary.ts';
import type { Sql, Store } from '../store/store.ts';

/** A row that one caller has taken, as of that attempt. */
export interface Claimed {
  readonly id: string;
  readonly orderId: string | null;
  readonly kind: NotificationKind;
  readonly parcelId: string | null;
  readonly about: string | null;
  readonly attempt: number;
}

/** The rows of one mail, the oldest first: its id is the mail's. */
export type MailRows = readonly [Claimed, ...Claimed[]];

const CLAIMED = 'n.id, n.order_id as "orderId", n.kind, n.parcel_id as "parcelId", n.about, n.attempt';

/** 5 s, 10 s, 20 s … an hour. @param after how many attempts, in SQL. */
export const retryIn = (attempts: string): string =>
  `least(5 * 2 ^ least(${attempts}, 20), 3600) * interval '1 second'`;

export const idsOf = (rows: readonly Claimed[]): string[] => rows.map(({ id }) => id);

/**
 * Exactly one caller gets the row, and with it all that wait in its bundle, the oldest first. They still wait: if
 * writing the mail fails, it is due again after a while.
 */
export const claim = (store: Store, notificationId: string): Promise<Claimed[]> =>
  store.transaction(async (sql) => {
    // One caller at a time for each bundle, who then sees what the one before has done.
    await sql.query(
      `select pg_advisory_xact_lock(hashtextextended(coalesce(bundle, id), 0)) from notifications where id = $1`,
      [notificationId],
    );
    const rows = await sql.query<Claimed & { createdAt: number }>(
      `update notifications n set attempt = n.attempt + 1, next_try_at = now() + ${retryIn('n.attempt')}
         from notifications d
        where d.id = $1 and d.state = 'pending' and d.next_try_at <= now()
          and n.state = 'pending' and (n.id = d.id or n.bundle = d.bundle)
       returning ${CLAIMED}, extract(epoch from n.created_at)::float8 as "createdAt"`,
      [notificationId],
    );
    return rows.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  });

/**
 * The last thing before the mail server is spoken to: from here on a dead process leaves a doubt.
 * @returns false, and nothing changed, when another caller has taken one of the rows since.
 */
export const markSending = (store: Store, rows: MailRows, timeoutSeconds: number): Promise<boolean> =>
  store.transaction(async (sql) => {
    // Always in the order of their ids, as two callers may want the same ones.
    const still = await sql.query(
      `select n.id from notifications n join json_to_recordset($1::json) as d(id text, attempt int)
           on n.id = d.id and n.attempt = d.attempt
        where n.state = 'pending' order by n.id for update of n`,
      [JSON.stringify(rows)],
    );
    if (still.length < rows.length) return false;
    // Twice as long as the mail server is waited for: a row still `sending` after it belongs to a dead process.
    await sql.run(
      `update notifications set state = 'sending', next_try_at = now() + (2 * $2::float8 + 5) * interval '1 second'
        where id = any($1::text[])`,
      [idsOf(rows), timeoutSeconds],
    );
    return true;
  });

/** Those whose news a later mail of the parcel tells, or an earlier one that still waits for company. */
export const overtaken = (sql: Sql, rows: readonly Claimed[]): Promise<{ id: string }[]> =>
  sql.query<{ id: string }>(
    `select n.id from notifications n join notifications o on o.order_id = n.order_id and o.parcel_id = n.parcel_id
      where n.id = any($1::text[])
        and ((n.kind = 'parcel_shipped' and n.bundle is not null and o.kind = 'parcel_delivered')
          or (n.kind = 'parcel_in_transit' and o.kind = 'parcel_shipped' and o.bundle is not null
              and o.state = 'pending'))`,
    [idsOf(rows)],
  );

/** Rows that a dead process was sending. */
export const abandoned = (sql: Sql, limit: number): Promise<Claimed[]> =>
  sql.query<Claimed>(
    `select ${CLAIMED} from notifications n where state = 'sending' and next_try_at <= now() limit $1`,
    [limit],
  );

/**
 * What is due, one row of each bundle, the longest due first. Fresh rows have their own command: only what that has
 * missed is here, and what waits for company.
 */
export const dueMails = (sql: Sql, limit: number): Promise<{ id: string; orderId: string | null }[]> =>
  sql.query(
    `select (array_agg(id order by next_try_at, id))[1] as id,
            (array_agg(order_id order by next_try_at, id))[1] as "orderId"
       from notifications
      where state = 'pending' and next_try_at <= now() - interval '3 seconds'
      group by coalesce(bundle, id) order by min(next_try_at) limit $1`,
    [limit],
  );
