import { recordset, UNHURRIED, type Write } from './rows.ts';
import type { Sql } from './store.ts';

export interface OutboxRow {
  readonly messageId: string;
  readonly subject: string;
  readonly payload: string;
}

/** Queues a row in the transaction that is under way. */
export type Say = (row: OutboxRow) => void;

export interface QueuedRow extends OutboxRow {
  /** bigint as text. */
  readonly id: string;
}

const COLUMNS = { message_id: 'text', subject: 'text', payload: 'text' };

/** Of rows as `outboxRows` gives them. They are published right after their commit, or marked anew by the sweeper. */
export const queueing: Write = (parameter) =>
  `insert into outbox (message_id, subject, payload, published_at)
   select message_id, subject, payload, now() from ${recordset(COLUMNS, parameter)} returning id`;

/** Remembers until they are published what `queueing` wrote under the name `queued`. */
export const PROMISING = `insert into outbox_pending (first_id, ids)
  select min(id), array_agg(id order by id) from queued having count(*) > 0`;

export const outboxRows = (rows: readonly OutboxRow[]): object[] =>
  rows.map(({ messageId, subject, payload }) => ({ message_id: messageId, subject, payload }));

/** @param ids as they were given, in the order of the rows. */
export const queuedRows = (rows: readonly OutboxRow[], ids: readonly string[]): QueuedRow[] =>
  rows.map((row, index) => ({ ...row, id: ids[index] ?? '' }));

/** Part of the caller's transaction: what is queued here is promised, and the sweeper keeps the promise if nobody else does. */
export async function queue(sql: Sql, rows: readonly OutboxRow[]): Promise<QueuedRow[]> {
  if (rows.length === 0) return [];
  const ids = await sql.query<{ id: string }>(
    `with queued as (${queueing('$1')}), promised as (${PROMISING}) select id from queued order by id`,
    [JSON.stringify(outboxRows(rows))],
  );
  return queuedRows(
    rows,
    ids.map(({ id }) => id),
  );
}

/** @param rows all that some transactions have queued. */
export const markPublished = (sql: Sql, rows: readonly QueuedRow[]): Promise<number> =>
  sql.run(`delete from outbox_pending using ${UNHURRIED} where first_id = any($1::bigint[])`, [
    rows.map(({ id }) => id),
  ]);

export interface Leftover extends QueuedRow {
  /** Of the transaction that queued it: its first row. */
  readonly firstId: string;
}

/** Whether there is anything to lock: asked each second, and nearly always in vain. */
export const isAnyLeft = async (sql: Sql, olderThanMs: number): Promise<boolean> =>
  (
    await sql.query(
      "select from outbox_pending where created_at < now() - $1::float8 * interval '1 millisecond' limit 1",
      [olderThanMs],
    )
  ).length > 0;

/**
 * Locks what nobody published within `olderThanMs`; other copies skip it. Call inside a transaction.
 * @param limit of transactions that queued it.
 * @param after the `firstId` behind which to begin.
 */
export const lockLeftovers = (
  sql: Sql,
  olderThanMs: number,
  limit: number,
  after = '0',
): Promise<Leftover[]> =>
  sql.query<Leftover>(
    `with old as materialized (
       select first_id, ids from outbox_pending
        where created_at < now() - $1::float8 * interval '1 millisecond' and first_id > $3::bigint
        order by first_id limit $2 for update skip locked)
     select o.id, old.first_id as "firstId", o.message_id as "messageId", o.subject, o.payload
       from old cross join unnest(old.ids) as one (id) join outbox o on o.id = one.id order by o.id`,
    [olderThanMs, limit, after],
  );

/** In the transaction that locked them. @param published the others stay promised. */
export async function settleLeftovers(
  sql: Sql,
  locked: readonly Leftover[],
  published: readonly QueuedRow[],
): Promise<void> {
  const firsts = [...new Set(locked.map(({ firstId }) => firstId))];
  const ids = published.map(({ id }) => id);
  await sql.run('update outbox set published_at = now() where id = any($1::bigint[])', [ids]);
  await sql.run(
    `update outbox_pending set ids = array(select unnest(ids) except select unnest($2::bigint[]))
      where first_id = any($1::bigint[])`,
    [firsts, ids],
  );
  await sql.run("delete from outbox_pending where first_id = any($1::bigint[]) and ids = '{}'", [firsts]);
}

/** Promises what copies of the release before this one queued and did not publish, without a row in `outbox_pending`. */
export const promiseUnmarked = (sql: Sql, olderThanMs: number): Promise<number> =>
  sql.run(
    `with unmarked as (
       update outbox set published_at = now() where id in (
         select id from outbox
          where published_at is null and created_at < now() - $1::float8 * interval '1 millisecond'
          order by id limit 5000 for update skip locked) returning id)
     insert into outbox_pending (first_id, ids) select id, array[id] from unmarked on conflict do nothing`,
    [olderThanMs],
  );

/**
 * Lets go of what was published longer ago, a bite at a time; what is still promised stays. So does an event that no
 * order has taken, for as long as the inbox would know it: it may wait in a halted partition, and nothing else tells of it.
 */
export const dropArchived = (sql: Sql, hours: number): Promise<number> =>
  sql.run(
    `delete from outbox where id in (
       select o.id from outbox o where o.published_at < now() - $1::float8 * interval '1 hour'
          and o.id not in (select unnest(ids) from outbox_pending)
          and (o.subject not like 'oms.evt.%' or o.published_at < now() - interval '30 days'
               or exists (select from inbox i where i.message_id = o.message_id))
        order by o.published_at limit 5000)`,
    [hours],
  );
