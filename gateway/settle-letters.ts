import type {
  DeadLetterAction,
  DeadLetterKind,
  DeadLetterReason,
  DeadLetterState,
} from '../contracts/dead-letters.ts';
import { AppError } from '../contracts/errors.ts';
import {
  DEAD_LETTER_SETTLE_REQUESTED,
  type DeadLetterSettleRequested,
} from '../contracts/events/dead-letter-settlement.ts';
import { OrderEvent } from '../contracts/events/order-event.ts';
import type { DeadLetterReceipt } from '../contracts/resources/dead-letter.ts';
import { eventTypeOf } from '../contracts/subjects.ts';
import type { Bus } from '../services/bus/bus.ts';
import { commitAndPublish, eventRow } from '../services/bus/commit-and-publish.ts';
import type { OutboxRow } from '../services/store/outbox.ts';
import type { Sql, Store } from '../services/store/store.ts';
import { bodyHash } from './idempotency.ts';
import { conflict } from './problem.ts';
import { fieldsOf } from './read-input.ts';

/** Who asks for what, and why. */
export interface Wish {
  readonly action: DeadLetterAction;
  readonly by: string;
  readonly note: string | null;
  /** Of an edit. */
  readonly data?: Record<string, unknown>;
}

/** Not locked: the host must never wait for a request, and whoever comes second is late and does nothing. */
interface FoundLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly state: DeadLetterState;
  readonly orderId: string | null;
  readonly subject: string;
  readonly payload: string;
  readonly attempts: number;
}

type Say = (row: OutboxRow) => void;

const COLUMNS = 'id::text, kind, state, order_id as "orderId", subject, payload, attempts';

export const noSuchLetter = (id: string): AppError =>
  new AppError('not_found', `there is no dead letter ${JSON.stringify(id.slice(0, 80))}`, {
    retryable: false,
  });

/** @throws AppError `body_invalid` with the fields that the event's contract refuses. */
function checkData({ subject, orderId }: FoundLetter, data: Record<string, unknown>): void {
  const refused = (fields: readonly { path: string; message: string }[]): AppError =>
    new AppError('body_invalid', 'the data are not as the event must be', { retryable: false, fields });
  if ('orderId' in data && data.orderId !== orderId)
    throw refused([{ path: 'data.orderId', message: 'the order stays as it is: leave it out' }]);
  const type = eventTypeOf(subject);
  const event = OrderEvent.safeParse({ type, data: { ...data, orderId } });
  if (event.success && type !== DEAD_LETTER_SETTLE_REQUESTED) return;
  const fields = event.success ? [] : fieldsOf(event.error, 'data');
  if (event.success || fields.some(({ path }) => path === 'type'))
    throw conflict(`an event of the type ${type} has no data to edit: skip it`);
  throw refused(fields);
}

/** @throws 409 `conflict` for what is settled, waits behind another letter, or has nothing to edit. */
async function mayBeSettled(sql: Sql, letter: FoundLetter, { action, data }: Wish): Promise<void> {
  const { id, state, kind, orderId } = letter;
  if (state === 'parked') {
    const [first] = await sql.query<{ id: string }>(
      `select id::text from dead_letters where order_id = $1 and kind = 'event' and state = 'open' order by dead_letters.id`,
      [orderId],
    );
    throw conflict(
      `${id} only waits behind the dead letter ${first?.id}: settle that one, and it goes on by itself`,
    );
  }
  if (state !== 'open') throw conflict(`${id} is settled: it was ${state}`);
  if (action === 'edit' && kind !== 'event')
    throw conflict('the data of a command follow from its order: replay it or skip it');
  if (data !== undefined) checkData(letter, data);
}

/** A command stops no order: it is settled at once, and said again or not. */
async function settleCommand(sql: Sql, say: Say, letter: FoundLetter, { action }: Wish, messageId: string) {
  const { id, orderId, subject, payload } = letter;
  const state = action === 'replay' ? 'replayed' : 'skipped';
  const settled = await sql.run(
    "update dead_letters set state = $2, settled_at = now() where id = $1 and state = 'open'",
    [id, state],
  );
  // Somebody else was faster.
  if (settled === 0) return;
  if (action === 'replay') say({ messageId, subject, payload });
  if (orderId === null) return;
  await sql.run(
    `insert into timeline (order_id, message_id, type, accepted, from_state, to_state, actor, data)
     select id, $2, $3, false, state, state, '/gateway', $4::json from orders where id = $1`,
    [
      orderId,
      messageId,
      `dead_letter.${state}`,
      JSON.stringify({ letterId: id, action, message: subject.split('.').slice(2, 4).join('.') }),
    ],
  );
}

/** The same request about the same attempt is the same message, however often it is made. */
async function request(sql: Sql, say: Say, letter: FoundLetter, wish: Wish): Promise<void> {
  const { id, kind, orderId, attempts } = letter;
  const { action, by, note, data } = wish;
  const what = data === undefined ? '' : `:${bodyHash(data).slice(0, 16)}`;
  const requestId = `api:letter:${id}:${action}:${attempts}${what}`;
  await sql.run(
    `insert into dead_letter_requests (id, letter_id, action, by, note, data) values ($1, $2, $3, $4, $5, $6::json)
     on conflict do nothing`,
    [requestId, id, action, by, note, data === undefined ? null : JSON.stringify(data)],
  );
  if (kind === 'command') return settleCommand(sql, say, letter, wish, requestId);
  if (orderId === null) throw new TypeError(`the event of the letter ${id} names no order`);
  const event: DeadLetterSettleRequested = { orderId, letterId: id, action, requestId };
  say(
    eventRow({
      messageId: requestId,
      source: '/gateway',
      type: DEAD_LETTER_SETTLE_REQUESTED,
      orderId,
      data: event,
    }),
  );
}

/**
 * Asks for one open letter to be settled. An event is settled by the order host in its partition, in turn with the
 * order's other events. @throws AppError `not_found`, `body_invalid`; 409 `conflict`.
 */
export const settleLetter = (
  store: Store,
  bus: Bus,
  letterId: string,
  wish: Wish,
): Promise<DeadLetterReceipt> =>
  commitAndPublish(store, bus, async (sql, say) => {
    const [letter] = await sql.query<FoundLetter>(`select ${COLUMNS} from dead_letters where id = $1`, [
      letterId,
    ]);
    if (letter === undefined) throw noSuchLetter(letterId);
    await mayBeSettled(sql, letter, wish);
    await request(sql, say, letter, wish);
    return { requested: 1, more: false };
  });

/** Asks the same for all open letters of a reason, those tried least first; at most `limit`. */
export const settleLetters = (
  store: Store,
  bus: Bus,
  { reason, limit }: { readonly reason: DeadLetterReason; readonly limit: number },
  wish: Wish,
): Promise<DeadLetterReceipt> =>
  commitAndPublish(store, bus, async (sql, say) => {
    const letters = await sql.query<FoundLetter>(
      `select ${COLUMNS} from dead_letters where state = 'open' and reason = $1
        order by attempts, dead_letters.id limit $2`,
      [reason, limit + 1],
    );
    for (const letter of letters.slice(0, limit)) await request(sql, say, letter, wish);
    return { requested: Math.min(letters.length, limit), more: letters.length > limit };
  });
