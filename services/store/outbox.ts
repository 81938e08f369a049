import { insertRows } from './rows.ts';
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

const COLUMNS = { message_id: 'text', subject: 'text', payload: 'text' };

/** Part of the caller's transaction: what is queued here is promised, and the sweeper keeps the promise if nobody else does. */
export async function queue(sql: Sql, rows: readonly OutboxRow[]): Promise<QueuedRow[]> {
  const ids = await insertRows<{ id: string }>(
    sql,
    'outbox',
    COLUMNS,
    rows.map(({ messageId, subject, payload }) => ({ message_id: messageId, subject, payload })),
    'returning id',
  );
  return rows.map((row, index) => ({ ...row, id: ids[index]?.id ?? '' }));
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
