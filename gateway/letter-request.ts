import {
  type DeadLetterAction,
  type DeadLetterKind,
  type DeadLetterState,
  messageNameOf,
} from '../contracts/dead-letters.ts';
import type { Sql } from '../services/store/store.ts';
import { bodyHash } from './idempotency.ts';

/** Who asks for what, and why. */
export interface Wish {
  readonly action: DeadLetterAction;
  readonly by: string;
  readonly note: string | null;
  /** Of an edit. */
  readonly data?: Record<string, unknown>;
}

/** Not locked: the host must never wait for a request, and whoever comes second is late and does nothing. */
export interface FoundLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly state: DeadLetterState;
  readonly orderId: string | null;
  readonly subject: string;
  readonly payload: string;
  readonly attempts: number;
}

/** Writes into its order's timeline that a letter which stopped nothing is settled. */
export async function noteSettled(
  sql: Sql,
  { id, kind, orderId, subject }: FoundLetter,
  { action }: Wish,
  messageId: string,
): Promise<void> {
  if (orderId === null) return;
  const type = action === 'skip' ? 'dead_letter.skipped' : 'dead_letter.replayed';
  await sql.run(
    `insert into timeline (order_id, message_id, type, accepted, from_state, to_state, actor, data)
     select id, $2, $3, false, state, state, '/gateway', $4::json from orders where id = $1`,
    [
      orderId,
      messageId,
      type,
      JSON.stringify({ letterId: id, action, message: messageNameOf(kind, subject) }),
    ],
  );
}

/** The same request about the same attempt is the same message, however often it is made. @returns its id. */
export async function keepRequest(
  sql: Sql,
  { id, attempts }: FoundLetter,
  { action, by, note }: Wish,
  data: unknown,
): Promise<string> {
  const what = data === undefined ? '' : `:${bodyHash(data).slice(0, 16)}`;
  const requestId = `api:letter:${id}:${action}:${attempts}${what}`;
  await sql.run(
    `insert into dead_letter_requests (id, letter_id, action, by, note, data) values ($1, $2, $3, $4, $5, $6::json)
     on conflict do nothing`,
    [requestId, id, action, by, note, data === undefined ? null : JSON.stringify(data)],
  );
  return requestId;
}
