import type {
  DeadLetterAction,
  DeadLetterKind,
  DeadLetterReason,
  DeadLetterState,
} from '../../contracts/dead-letters.ts';
import { insertRows, updateRows } from './rows.ts';
import type { Sql } from './store.ts';

export interface DeadLetterRow {
  /** The later events of the order wait behind a letter that is an event. */
  readonly order_id: string | null;
  readonly message_id: string;
  readonly subject: string;
  /** Place in the event stream; 0 for a command. */
  readonly seq: number;
  readonly payload: string;
  readonly kind: DeadLetterKind;
  readonly state: 'open' | 'parked';
  readonly reason: DeadLetterReason;
  readonly failure: string | null;
  readonly attempts: number;
}

const COLUMNS = {
  order_id: 'text',
  message_id: 'text',
  subject: 'text',
  seq: 'bigint',
  payload: 'text',
  kind: 'text',
  state: 'text',
  reason: 'text',
  failure: 'text',
  attempts: 'int',
};

/** SQL: a letter behind which the later events of its order wait. */
export const STOPS_ITS_ORDER = "state in ('open', 'parked') and kind = 'event'";

/** Sets messages aside, where a person looks. */
export const layDown = (sql: Sql, letters: readonly DeadLetterRow[]): Promise<object[]> =>
  insertRows(sql, 'dead_letters', COLUMNS, letters);

/** A command that failed before is the same letter again, however often its asker asks; once settled it opens anew. */
export async function layDownCommand(sql: Sql, letter: DeadLetterRow): Promise<void> {
  const again = await sql.run(
    `update dead_letters set state = 'open', attempts = attempts + 1, payload = $2, reason = $3, failure = $4,
            opened_at = case when state = 'open' then opened_at else now() end, settled_at = null
      where id = (select max(id) from dead_letters where kind = 'command' and subject = $1 and state <> 'skipped')`,
    [letter.subject, letter.payload, letter.reason, letter.failure],
  );
  if (again === 0) await layDown(sql, [letter]);
}

export interface LoadedLetter {
  readonly id: string;
  readonly orderId: string;
  readonly messageId: string;
  readonly subject: string;
  readonly seq: number;
  readonly payload: string;
  readonly attempts: number;
  /** When it was set aside, in milliseconds since the epoch. */
  readonly storedAt: number;
}

/** Locks what waits of these orders, in the order in which it came. */
export const lockLetters = (sql: Sql, orderIds: readonly string[]): Promise<LoadedLetter[]> =>
  sql.query<LoadedLetter>(
    `select id::text, order_id as "orderId", message_id as "messageId", subject, seq::float8 as seq, payload, attempts,
            extract(epoch from opened_at)::float8 * 1000 as "storedAt"
       from dead_letters where order_id = any($1::text[]) and ${STOPS_ITS_ORDER}
      order by dead_letters.id for update`,
    [orderIds],
  );

export async function countWaiting(sql: Sql, orderId: string): Promise<number> {
  const [row] = await sql.query<{ waiting: number }>(
    `select count(*)::int as waiting from dead_letters
      where order_id = $1 and ${STOPS_ITS_ORDER}`,
    [orderId],
  );
  return row?.waiting ?? 0;
}

/** A letter that can be read by now is known by the id of its message. */
export const renameLetter = (sql: Sql, id: string, messageId: string): Promise<number> =>
  sql.run('update dead_letters set message_id = $2 where id = $1', [id, messageId]);

export interface LetterRequest {
  readonly id: string;
  readonly letterId: string;
  readonly action: DeadLetterAction;
  /** Of an edit. */
  readonly data: Record<string, unknown> | null;
}

export const readLetterRequests = (sql: Sql, ids: readonly string[]): Promise<LetterRequest[]> =>
  sql.query<LetterRequest>(
    `select id, letter_id::text as "letterId", action, data from dead_letter_requests where id = any($1::text[])`,
    [ids],
  );

/** What became of a letter; `open` again says why. */
export interface LetterChange {
  readonly id: string;
  readonly state: DeadLetterState;
  readonly reason: DeadLetterReason | null;
  readonly failure: string | null;
}

export const changeLetters = (sql: Sql, changes: readonly LetterChange[]): Promise<number> =>
  updateRows(
    sql,
    'dead_letters',
    { id: 'bigint', state: 'text', reason: 'text', failure: 'text' },
    changes,
    `state = d.state, reason = coalesce(d.reason, o.reason), failure = coalesce(d.failure, o.failure),
     attempts = o.attempts + case d.state when 'skipped' then 0 else 1 end,
     settled_at = case when d.state <> 'open' then now() end`,
    'o.id = d.id',
  );
