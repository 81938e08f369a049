import { insertion } from './rows.ts';
import type { Sql } from './store.ts';

export interface OutboxRow {
  readonly messageId: string;
  readonly subject: string;
  readonly payload: string;
}

export interface QueuedRow extends OutboxRow {
  /** bigint as text. */
  readonly id: string;
}

/** Of rows as `outboxRows` gives them. */
export const queueing = insertion(
  'outbox',
  { message_id: 'text', subject: 'text', payload: 'text' },
  'returning id',
);

export const outboxRows = (rows: readonly OutboxRow[]): object[] =>
  rows.map(({ messageId, subject, payload }) => ({ message_id: messageId, subject, payload }));

/** @param ids as they were given, in the order of the rows. */
export const queuedRows = (rows: readonly OutboxRow[], ids: readonly string[]): QueuedRow[] =>
  rows.map((row, index) => ({ ...row, id: ids[index] ?? '' }));

/** Part of the caller's transaction: what is queued here is promised, and the sweeper keeps the promise if nobody else does. */
export async function queue(sql: Sql, rows: readonly OutboxRow[]): Promise<QueuedRow[]> {
  if (rows.length === 0) return [];
  const ids = await sql.query<{ id: string }>(queueing('$1'), [JSON.stringify(outboxRows(rows))]);
  return queuedRows(
    rows,
    ids.map(({ id }) => id),
  );
}

export const markPublished = (sql: Sql, rows: readonly QueuedRow[]): Promise<number> =>
  sql.run('update outbox set published_at = now() where id = any($1::bigint[]) and published_at is null', [
    rows.map(({ id }) => id),
  ]);

/** Locks what nobody published within `olderThanMs`; other copies skip it. Call inside a transaction. */
export const lockLeftovers = (sql: Sql, olderThanMs: number, limit: number): Promise<QueuedRow[]> =>
  sql.query<QueuedRow>(
    `select id, message_id as "messageId", subject, payload from outbox
      where published_at is null and created_at < now() - $1::float8 * interval '1 millisecond'
      order by id limit $2 for update skip locked`,
    [olderThanMs, limit],
  );

/** Lets go of what was published longer ago, a bite at a time. */
export const dropArchived = (sql: Sql, hours: number): Promise<number> =>
  sql.run(
    `delete from outbox where id in (
       select id from outbox where published_at < now() - $1::float8 * interval '1 hour' order by published_at limit 5000)`,
    [hours],
  );
