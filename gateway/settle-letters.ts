import { type DeadLetterReason, SETTLED } from '../contracts/dead-letters.ts';
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
import type { Say } from '../services/store/outbox.ts';
import type { Sql, Store } from '../services/store/store.ts';
import { type FoundLetter, keepRequest, noteSettled, type Wish } from './letter-request.ts';
import { conflict } from './problem.ts';
import { fieldsOf } from './read-input.ts';
import { type Reading, settleWebhook } from './settle-webhook.ts';

export interface Ports {
  readonly store: Store;
  readonly bus: Bus;
  /** How bodies of webhooks are read. */
  readonly reading: Reading;
}

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
  if (action === 'edit' && kind === 'command')
    throw conflict('the data of a command follow from its order: replay it or skip it');
  if (data !== undefined && kind === 'event') checkData(letter, data);
}

/** A command stops no order: it is settled at once, and said again or not. */
async function settleCommand(sql: Sql, say: Say, letter: FoundLetter, wish: Wish, messageId: string) {
  const { id, subject, payload } = letter;
  const state = SETTLED[wish.action];
  const settled = await sql.run(
    "update dead_letters set state = $2, settled_at = now() where id = $1 and state = 'open'",
    [id, state],
  );
  // Somebody else was faster.
  if (settled === 0) return;
  if (wish.action === 'replay') say({ messageId, subject, payload });
  await noteSettled(sql, letter, wish, messageId);
}

async function request(sql: Sql, say: Say, letter: FoundLetter, wish: Wish): Promise<void> {
  const { id, kind, orderId } = letter;
  const { action } = wish;
  const requestId = await keepRequest(sql, letter, wish, wish.data);
  if (kind === 'command') return settleCommand(sql, say, letter, wish, requestId);
  if (orderId === null) throw new TypeError(`the event of the letter ${id} names no order`);
  const data: DeadLetterSettleRequested = { orderId, letterId: id, action, requestId };
  const type = DEAD_LETTER_SETTLE_REQUESTED;
  say(eventRow({ messageId: requestId, source: '/gateway', type, data }));
}

/**
 * Asks for one open letter to be settled. An event is settled by the order host in its partition, in turn with the
 * order's other events; a command or webhook at once. @throws AppError `not_found`, `body_invalid`; 409 `conflict`.
 */
export async function settleLetter(
  { store, bus, reading }: Ports,
  letterId: string,
  wish: Wish,
): Promise<DeadLetterReceipt> {
  const webhook = await commitAndPublish(store, bus, async (sql, say) => {
    const [letter] = await sql.query<FoundLetter>(`select ${COLUMNS} from dead_letters where id = $1`, [
      letterId,
    ]);
    if (letter === undefined) throw noSuchLetter(letterId);
    await mayBeSettled(sql, letter, wish);
    if (letter.kind === 'webhook') return letter;
    await request(sql, say, letter, wish);
    return null;
  });
  const failure = webhook === null ? null : await settleWebhook(store, bus, webhook, wish, reading);
  if (failure?.code === 'body_malformed') throw conflict(failure.message);
  return { requested: 1, more: false };
}

/** Asks the same for all open letters of a reason, those tried least first; at most `limit`. */
export async function settleLetters(
  { store, bus, reading }: Ports,
  { reason, limit }: { readonly reason: DeadLetterReason; readonly limit: number },
  wish: Wish,
): Promise<DeadLetterReceipt> {
  const { taken, more } = await commitAndPublish(store, bus, async (sql, say) => {
    const letters = await sql.query<FoundLetter>(
      `select ${COLUMNS} from dead_letters where state = 'open' and reason = $1
        order by attempts, dead_letters.id limit $2`,
      [reason, limit + 1],
    );
    const taken = letters.slice(0, limit);
    for (const letter of taken) if (letter.kind !== 'webhook') await request(sql, say, letter, wish);
    return { taken, more: letters.length > limit };
  });
  for (const letter of taken)
    if (letter.kind === 'webhook') await settleWebhook(store, bus, letter, wish, reading);
  return { requested: taken.length, more };
}
