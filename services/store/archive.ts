import type { QueuedRow } from './outbox.ts';
import { isoInstant } from './rows.ts';
import type { Sql } from './store.ts';

/** What a message was for, by the beginning of its subject. */
const KINDS = { events: 'oms.evt.', commands: 'oms.cmd.', facts: 'oms.pub.' } as const;
export type Kind = keyof typeof KINDS;

/** Published rows of the outbox within a time; ISO instants, the end not included. */
export interface ArchiveSpan {
  readonly from: string;
  readonly to: string;
}

export interface ArchivedRow extends QueuedRow {
  /** When the message was written and when JetStream had it: ISO instants. */
  readonly createdAt: string;
  readonly publishedAt: string;
}

export interface ArchiveExtent {
  /** ISO instant by the database's clock. */
  readonly now: string;
  /** From when on the archive holds everything that was published; null: nothing was ever dropped from it. */
  readonly holdsFrom: string | null;
}

/** An outbox that begins with its first row ever has lost none. Of old events some stay longer, and say nothing of the rest. */
export async function archiveExtent(sql: Sql): Promise<ArchiveExtent> {
  const [row] = await sql.query<ArchiveExtent>(
    `select ${isoInstant('now()')} as now,
            case when coalesce((select min(id) from outbox), 0) > 1
                 then ${isoInstant(`coalesce((select min(published_at) from outbox where subject not like '${KINDS.events}%'), now())`)}
            end as "holdsFrom"`,
  );
  return row ?? { now: new Date().toISOString(), holdsFrom: null };
}

/**
 * Of events only those that no order has taken, and these however old they are: nothing else would ask for them again.
 * The inbox knows the others. A row bears the time of its commit, and the bus had it some moments later.
 */
const WANTED = `published_at < $2::timestamptz
  and case when subject like '${KINDS.events}%'
           then not exists (select 1 from inbox i where i.message_id = o.message_id)
           else published_at >= $1::timestamptz - interval '1 minute' end`;

export async function countArchived(sql: Sql, { from, to }: ArchiveSpan): Promise<Record<Kind, number>> {
  const of = (kind: Kind): string =>
    `count(*) filter (where subject like '${KINDS[kind]}%')::float8 as ${kind}`;
  const [row] = await sql.query<Record<Kind, number>>(
    `select ${of('events')}, ${of('commands')}, ${of('facts')} from outbox o where ${WANTED}`,
    [from, to],
  );
  return row ?? { events: 0, commands: 0, facts: 0 };
}

/** The next ones of a kind behind `afterId`, in the order in which they were written. */
export const readArchived = (
  sql: Sql,
  { from, to }: ArchiveSpan,
  kind: Kind,
  afterId: string,
  limit: number,
): Promise<ArchivedRow[]> =>
  sql.query<ArchivedRow>(
    `select id, message_id as "messageId", subject, payload, ${isoInstant('created_at')} as "createdAt",
            ${isoInstant('published_at')} as "publishedAt"
       from outbox o where id > $3::bigint and subject like $5 || '%' and ${WANTED} order by id limit $4`,
    [from, to, afterId, limit, KINDS[kind]],
  );

/** They are where they belong once more: from now on the archive keeps them as fresh ones. */
export const markRepublished = (sql: Sql, ids: readonly string[]): Promise<number> =>
  sql.run('update outbox set published_at = now() where id = any($1::bigint[])', [ids]);
