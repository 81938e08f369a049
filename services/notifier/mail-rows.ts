import { CUSTOMER_MAILS, type Evidence, type NotificationKind } from '../../contracts/vocabulary.ts';
import { SENT_AGAIN } from '../store/notifications.ts';
import type { Sql } from '../store/store.ts';

/** A row that one caller has taken, for that attempt. */
export interface Claimed {
  readonly id: string;
  readonly orderId: string | null;
  readonly kind: NotificationKind;
  readonly parcelId: string | null;
  readonly about: string | null;
  readonly bundle: string | null;
  readonly attempt: number;
}

/** The rows of one mail, the oldest first: its id is the mail's. */
export type MailRows = readonly [Claimed, ...Claimed[]];

/** What becomes of rows; `pending` is sent again later. */
export interface Fate {
  readonly rows: readonly Claimed[];
  readonly state: 'pending' | 'sending' | 'sent' | 'failed' | 'doubt' | 'skipped';
  readonly evidence: Evidence | null;
  /** Ids of other parcels that the mail tells of; absent: what is known of that stays. */
  readonly alsoTells?: readonly string[];
}

const CLAIMED = 'n.id, n.order_id as "orderId", n.kind, n.parcel_id as "parcelId", n.about, n.bundle';

/** 5 s, 10 s, 20 s … an hour. @param after how many attempts, in SQL. */
const retryIn = (attempts: string): string =>
  `least(5 * 2 ^ least(${attempts}, 20), 3600) * interval '1 second'`;

const BY_KEY = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']
  .map((setting) => `set_config('${setting}', 'off', true)`)
  .join(', ');

/** For this transaction: a plan is kept from the time when the tables were empty, and must not be one that reads all of them. */
const findByKey = (sql: Sql): Promise<unknown> => sql.query(`select ${BY_KEY}`);

/** The rows of one mail together, each mail's oldest first. */
function mailsOf(rows: readonly (Claimed & { readonly createdAt: number })[]): MailRows[] {
  const mails = new Map<string, [Claimed, ...Claimed[]]>();
  for (const { createdAt: _, ...row } of rows.toSorted(
    (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
  )) {
    const mail = mails.get(row.bundle ?? row.id);
    if (mail === undefined) mails.set(row.bundle ?? row.id, [row]);
    else mail.push(row);
  }
  return [...mails.values()];
}

const FOLLOWERS = `('parcel_in_transit', 'parcel_delayed', 'parcel_delivered')`;

/**
 * SQL: the row `w` tells how a parcel goes on of which the customer has not heard yet that it was shipped. What waits for
 * company tells itself that the parcel is under way or there, but no delay; and an arrival takes the place of what is to
 * be tried again later.
 */
const IS_AHEAD = `(w.kind in ${FOLLOWERS} and exists (
      select 1 from notifications o
       where o.order_id = w.order_id and o.parcel_id = w.parcel_id and o.kind = 'parcel_shipped'
         and (o.state = 'sending' or (o.state = 'pending' and case w.kind
           when 'parcel_in_transit' then o.bundle is null
           when 'parcel_delivered' then o.bundle is null and o.next_try_at <= now()
           else true end))))`;

/** Mails that were ahead of these, and are due. */
export const behind = async (sql: Sql, rows: readonly Claimed[]): Promise<string[]> => {
  const shipped = rows.filter(({ kind }) => kind === 'parcel_shipped');
  if (shipped.length === 0) return [];
  const waiting = await sql.query<{ id: string }>(
    `select id from notifications
      where order_id = any($1::text[]) and parcel_id = any($2::text[]) and kind in ${FOLLOWERS}
        and state = 'pending' and next_try_at <= now() order by created_at, id`,
    [shipped.map(({ orderId }) => orderId), shipped.map(({ parcelId }) => parcelId)],
  );
  return waiting.map(({ id }) => id);
};

/**
 * Locks those rows that wait and are due, and with each all that wait in its bundle, until the caller's transaction ends:
 * one mail each. Until {@link settle} says what becomes of them, nothing is changed.
 */
export async function claim(sql: Sql, ids: readonly string[]): Promise<MailRows[]> {
  await findByKey(sql);
  // One caller at a time for each bundle and each order, who then sees what the one before has done.
  await sql.query(
    `select pg_advisory_xact_lock(key) from (
       select distinct hashtextextended(name, 0) as key
         from notifications, unnest(array[coalesce(bundle, id), order_id]) as name
        where id = any($1::text[]) and name is not null order by key) as keys`,
    [ids],
  );
  return mailsOf(
    await sql.query<Claimed & { createdAt: number }>(
      `with due as materialized (
         select w.id, w.bundle from notifications w
          where w.id = any($1::text[]) and w.state = $2 and w.next_try_at <= now() and not ${IS_AHEAD}),
       mine as materialized (
         select id from due union select n.id from due join notifications n on n.bundle = due.bundle and n.state = 'pending')
       select ${CLAIMED}, n.attempt + 1 as attempt, extract(epoch from n.created_at)::float8 as "createdAt"
         from mine join notifications n on n.id = mine.id where n.state = $2 order by n.id for update of n`,
      // As a parameter, which tells the planner nothing: it would go through all that wait instead of looking up these.
      [ids, 'pending'],
    ),
  );
}

/** SQL: a person wants the row `n` sent again, whatever became of it. */
const IS_WANTED = `coalesce(n.evidence ->> '${SENT_AGAIN}', 'false') = 'true'`;

/**
 * Writes what becomes of rows that are still as their caller took them, in the caller's transaction. Taking one that was
 * `pending`, after {@link claim}, counts as an attempt.
 * @param timeoutSeconds the mail server is waited for.
 * @returns the ids of those that were.
 */
export async function settle(
  sql: Sql,
  from: 'pending' | 'sending',
  fates: readonly Fate[],
  timeoutSeconds: number,
): Promise<ReadonlySet<string>> {
  const rows = fates.flatMap(({ rows: of, state, evidence, alsoTells }) =>
    of.map(({ id, attempt }) => ({ id, attempt, state, evidence, alsoTells })),
  );
  if (rows.length === 0) return new Set();
  if (from === 'sending') await findByKey(sql);
  // Locked in the order of their ids, as two callers may want the same ones. `sending` for twice as long as the mail
  // server is waited for: a row that still is so after it belongs to a dead process. What has ended keeps when.
  const written = await sql.query<{ id: string }>(
    `with mine as materialized (
       select n.id, d.attempt, d.state, d.evidence, d."alsoTells"
         from notifications n join json_to_recordset($1::json)
              as d(id text, attempt int, state text, evidence json, "alsoTells" text[])
           on n.id = d.id and n.attempt = d.attempt - case when $2::text = 'pending' then 1 else 0 end
        where n.id = any($4::text[]) and n.state = $2::text order by n.id for update of n)
     update notifications n
        set state = m.state, attempt = m.attempt,
            evidence = case when m.state = 'pending' and m.evidence is not null and ${IS_WANTED}
                            then (m.evidence::jsonb || jsonb_build_object('${SENT_AGAIN}', true))::json
                            else coalesce(m.evidence, n.evidence) end,
            also_tells = coalesce(m."alsoTells", n.also_tells),
            sent_at = case when m.state = 'sent' then now() end,
            next_try_at = case m.state when 'pending' then now() + ${retryIn('m.attempt - 1')}
              when 'sending' then now() + (2 * $3::float8 + 5) * interval '1 second' else now() end
       from mine m where n.id = m.id and n.id = any($4::text[]) returning n.id`,
    [JSON.stringify(rows), from, timeoutSeconds, rows.map(({ id }) => id)],
  );
  return new Set(written.map(({ id }) => id));
}

/** A row that could not even be read with what it tells waits as after an attempt. */
export const putOff = (sql: Sql, id: string): Promise<number> =>
  sql.run(
    `update notifications set attempt = attempt + 1, next_try_at = now() + ${retryIn('attempt')}
      where id = $1 and state = 'pending' and next_try_at <= now()`,
    [id],
  );

/**
 * Those whose news is none any more: the customer has been told of the arrival, or a waiting mail will tell of it, or an
 * earlier one that still waits for company; or a mail about another parcel of the same number tells it; or the parcel
 * goes back; or an order is confirmed that the server did not take until a parcel of it had been told.
 */
export async function overtaken(sql: Sql, rows: readonly Claimed[]): Promise<ReadonlySet<string>> {
  const ids = rows.filter(({ kind }) => CUSTOMER_MAILS.some((known) => known === kind)).map(({ id }) => id);
  if (ids.length === 0) return new Set();
  const late = await sql.query<{ id: string }>(
    `select n.id from notifications n
      where n.id = any($1::text[]) and n.kind = 'order_confirmed' and n.attempt > 0 and not ${IS_WANTED}
        and exists (select 1 from notifications o
                     where o.order_id = n.order_id and o.parcel_id is not null and o.state = 'sent')
     union all
     select n.id from notifications n join parcels p on p.id = n.parcel_id
            left join notifications o on o.order_id = n.order_id and o.parcel_id = n.parcel_id
      where n.id = any($1::text[])
        and ((n.kind in ('parcel_in_transit', 'parcel_delayed')
              and (p.state in ('delivered', 'returned') or o.kind = 'parcel_delivered'))
          or (n.kind = 'parcel_shipped' and o.kind = 'parcel_delivered'
              and (n.bundle is not null or o.state in ('sending', 'sent', 'doubt')))
          or (n.kind = 'parcel_in_transit' and o.kind = 'parcel_shipped' and o.bundle is not null
              and o.state = 'pending')
          or exists (select 1 from notifications t
                      where t.order_id = n.order_id and n.parcel_id = any(t.also_tells)
                        and t.kind in (n.kind, 'parcel_delivered')
                        and (t.state in ('sending', 'sent', 'doubt') or (t.state = 'pending' and n.kind <> 'parcel_shipped'))))`,
    [ids],
  );
  return new Set(late.map(({ id }) => id));
}

/** Rows that a dead process was sending. */
export const abandoned = (sql: Sql, limit: number): Promise<Claimed[]> =>
  sql.query<Claimed>(
    `select ${CLAIMED}, n.attempt from notifications n where state = 'sending' and next_try_at <= now() limit $1`,
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
       from notifications w
      where state = 'pending' and next_try_at <= now() - interval '3 seconds' and not ${IS_AHEAD}
      group by coalesce(bundle, id) order by min(next_try_at) limit $1`,
    [limit],
  );
