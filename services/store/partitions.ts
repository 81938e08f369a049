import { isoInstant } from './rows.ts';
import type { Sql } from './store.ts';

/** An applied message: as long as the stream is the one that was counted in, it stands there with that time. */
export interface Mark {
  readonly seq: number;
  /** When the stream took it, by the server's clock. */
  readonly storedMs: number;
}

export interface ClaimedPartition {
  readonly part: number;
  readonly epoch: number;
  /** Position in the stream: the last sequence whose effects are committed. */
  readonly seq: number;
  readonly streamCreated: string | null;
  /** At or before `seq`. */
  readonly mark: Mark | null;
  readonly halted: string | null;
}

interface Row {
  part: number;
  epoch: string;
  seq: string;
  stream_created: string | null;
  mark: Mark | null;
  halted: string | null;
}

/** SQL for the `Mark` of a partition, or null. */
const MARK = `case when marked_seq is not null then json_build_object('seq', marked_seq, 'storedMs', marked_ms) end`;

const COLUMNS = `part, epoch, seq, stream_created, ${MARK} as mark, halted`;

const claimed = (row: Row): ClaimedPartition => ({
  part: row.part,
  epoch: Number(row.epoch),
  seq: Number(row.seq),
  streamCreated: row.stream_created,
  mark: row.mark,
  halted: row.halted,
});

/** A lease outlives three missed renewals of 0.9 s; all clocks are the database's. */
const LEASE = "interval '3 seconds'";

/** Says that this copy lives, and counts those that do. */
export async function beat(sql: Sql, copyId: string): Promise<number> {
  const [row] = await sql.query<{ alive: number }>(
    `with beat as (insert into copies values ($1, now()) on conflict (id) do update set seen_at = now())
     select 1 + count(*)::int as alive from copies where id <> $1 and seen_at > now() - interval '4 seconds'`,
    [copyId],
  );
  return row?.alive ?? 1;
}

export const forgetCopy = (sql: Sql, copyId: string): Promise<number> =>
  sql.run("delete from copies where id = $1 or seen_at < now() - interval '1 day'", [copyId]);

/** Takes expired leases, at most `limit`. A new epoch fences off whoever held them before. */
export async function claim(sql: Sql, copyId: string, limit: number): Promise<ClaimedPartition[]> {
  const rows = await sql.query<Row>(
    `update event_partitions set owner = $1, epoch = epoch + 1, lease_until = now() + ${LEASE}
      where part in (select part from event_partitions where lease_until < now() order by part limit $2 for update skip locked)
      returning ${COLUMNS}`,
    [copyId, limit],
  );
  return rows.map(claimed).sort((a, b) => a.part - b.part);
}

/**
 * Prolongs what is still ours and names it; the others are lost. A row that a batch of ours holds is passed over instead
 * of waited for: the batch prolongs the lease, too.
 */
export async function renew(sql: Sql, copyId: string, parts: readonly number[]): Promise<ClaimedPartition[]> {
  const rows = await sql.query<Row>(
    `with quiet as (
       select part from event_partitions
        where owner = $1 and part = any($2::int[]) and lease_until < now() + interval '2.5 seconds'
        order by part for update skip locked),
     prolonged as (
       update event_partitions p set lease_until = now() + ${LEASE} from quiet where p.part = quiet.part)
     select ${COLUMNS} from event_partitions
      where owner = $1 and part = any($2::int[]) order by part`,
    [copyId, parts],
  );
  return rows.map(claimed);
}

/**
 * Gives leases back at once, so that another copy need not wait for their end. A moment ago, since the column rounds to
 * milliseconds, and upwards as well.
 */
export const release = (sql: Sql, copyId: string, parts: readonly number[]): Promise<number> =>
  sql.run(
    `update event_partitions set owner = null, lease_until = now() - interval '1 millisecond'
      where owner = $1 and part = any($2::int[])`,
    [copyId, parts],
  );

/** How far a batch moves the position of its partition. */
export interface Move {
  readonly part: number;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** The last message of the batch; absent where the position moves past messages of others. */
  readonly mark?: Mark | undefined;
}

/**
 * First statement of every batch: moves the positions of the partitions that nobody has taken or halted since. The others are
 * fenced off: write nothing of theirs, drop the reader, never retry. Rows are locked in the order of the partitions, so
 * that two transactions never wait for each other.
 * @returns the partitions that moved, each with the hour of the transaction by the database's clock, as an ISO instant.
 */
export async function fence(sql: Sql, moves: readonly Move[]): Promise<ReadonlyMap<number, string>> {
  const rows = await sql.query<{ part: number; at: string }>(
    `with ours as (
       select p.part, d."to", d.marked_seq, d.marked_ms from event_partitions p
         join json_to_recordset($1::json) as d(part int, epoch bigint, "from" bigint, "to" bigint, marked_seq bigint,
                                               marked_ms bigint)
           on d.part = p.part and d.epoch = p.epoch and d."from" = p.seq
        where p.halted is null
        order by p.part for update of p)
     update event_partitions p
        set seq = ours."to", lease_until = now() + ${LEASE}, marked_seq = coalesce(ours.marked_seq, p.marked_seq),
            marked_ms = coalesce(ours.marked_ms, p.marked_ms)
       from ours where p.part = ours.part
     returning p.part, ${isoInstant('now()')} as at`,
    [
      JSON.stringify(
        moves.map(({ part, epoch, from, to, mark }) => ({
          part,
          epoch,
          from,
          to,
          marked_seq: mark?.seq,
          marked_ms: mark?.storedMs,
        })),
      ),
    ],
  );
  return new Map(rows.map(({ part, at }) => [part, at]));
}

export async function position(sql: Sql, part: number): Promise<{ epoch: number; seq: number } | undefined> {
  const [row] = await sql.query<{ epoch: string; seq: string }>(
    'select epoch, seq from event_partitions where part = $1',
    [part],
  );
  return row === undefined ? undefined : { epoch: Number(row.epoch), seq: Number(row.seq) };
}

/** Remembers which stream the position counts in. */
export const adoptStream = (sql: Sql, part: number, epoch: number, created: string): Promise<number> =>
  sql.run('update event_partitions set stream_created = $3 where part = $1 and epoch = $2', [
    part,
    epoch,
    created,
  ]);

/** Nobody reads on until an operator decides: see the README, "When NATS lost its data". */
export const halt = (sql: Sql, part: number, epoch: number, reason: string): Promise<number> =>
  sql.run('update event_partitions set halted = $3 where part = $1 and epoch = $2', [part, epoch, reason]);

/** The same for all that are not halted yet, whoever owns them by now. */
export const haltEvery = (sql: Sql, reason: string): Promise<number> =>
  sql.run('update event_partitions set halted = $1 where halted is null', [reason]);

export interface PartitionPosition {
  readonly part: number;
  readonly epoch: number;
  readonly seq: number;
  readonly streamCreated: string | null;
  readonly mark: Mark | null;
  /** Why nobody reads on; null: somebody may. */
  readonly halted: string | null;
}

export const readPositions = (sql: Sql): Promise<PartitionPosition[]> =>
  sql.query(
    `select part, epoch::float8 as epoch, seq::float8 as seq, stream_created as "streamCreated", ${MARK} as mark, halted
       from event_partitions order by part`,
  );

/** Whether some partition is halted: then much of what the rows say may be out of date. */
export async function isAnyHalted(sql: Sql): Promise<boolean> {
  const [row] = await sql.query('select 1 from event_partitions where halted is not null limit 1');
  return row !== undefined;
}

/**
 * Lets a halted partition read on behind `seq` of the stream made at `created`. A new epoch makes whoever holds it let
 * go of it. Reading again what was done is harmless for as long as the inbox remembers it.
 */
export const resumeAt = (sql: Sql, part: number, created: string, seq: number): Promise<number> =>
  sql.run(
    `update event_partitions set halted = null, seq = $3, stream_created = $2, epoch = epoch + 1, owner = null,
            lease_until = now(), marked_seq = null, marked_ms = null where part = $1 and halted is not null`,
    [part, created, seq],
  );
