import { envelope } from '../../contracts/envelope.ts';
import { DEAD_LETTER_SETTLE_REQUESTED } from '../../contracts/events/dead-letter-settlement.ts';
import { eventTypeOf } from '../../contracts/subjects.ts';
import {
  type LetterRequest,
  type LoadedLetter,
  lockLetters,
  readLetterRequests,
  renameLetter,
} from '../store/dead-letters.ts';
import { takeNew } from '../store/load-batch.ts';
import type { Sql } from '../store/store.ts';
import { type DecodedMessage, decodeMessage } from './decode-message.ts';

/** A message that waits in its order's line: the first is the open letter, the others are parked behind it. */
export interface Waiting {
  readonly message: DecodedMessage;
  /** Null: it came in this very batch and is not stored yet. */
  readonly letter: LoadedLetter | null;
  /** Its message was taken under its own id before, when it came once more and could be read. */
  readonly isRepeat: boolean;
}

/** Of the orders about whose letters this batch decides. */
export interface WaitingLines {
  readonly byOrder: ReadonlyMap<string, readonly Waiting[]>;
  readonly requests: ReadonlyMap<string, LetterRequest>;
}

export const NO_LINES: WaitingLines = { byOrder: new Map(), requests: new Map() };

/**
 * Loads and locks what waits of these orders. A letter that nobody could read has no id of its own; where it can be
 * read now, its id is taken into the inbox, so that the same message in two letters is not applied twice.
 */
export async function loadWaitingLines(sql: Sql, batch: readonly DecodedMessage[]): Promise<WaitingLines> {
  const asked = batch.flatMap(({ event }) =>
    event?.type === DEAD_LETTER_SETTLE_REQUESTED ? [event.data] : [],
  );
  if (asked.length === 0) return NO_LINES;
  const requests = await readLetterRequests(
    sql,
    asked.map(({ requestId }) => requestId),
  );
  const letters = await lockLetters(sql, [...new Set(asked.map(({ orderId }) => orderId))]);
  const lines = new Map<string, Waiting[]>();
  for (const letter of letters) {
    const decoded = decodeMessage({ ...letter, pending: 0 });
    const isRenamed = decoded.event !== null && decoded.messageId !== letter.messageId;
    const isRepeat = isRenamed && (await takeNew(sql, [decoded.messageId])).size === 0;
    if (isRenamed && !isRepeat) await renameLetter(sql, letter.id, decoded.messageId);
    const message = isRenamed ? decoded : { ...decoded, messageId: letter.messageId };
    lines.set(letter.orderId, [...(lines.get(letter.orderId) ?? []), { message, letter, isRepeat }]);
  }
  return { byOrder: lines, requests: new Map(requests.map((request) => [request.id, request])) };
}

/** The same message with other data: id, type and order stay. */
export function withData(
  { message }: Waiting,
  orderId: string,
  data: Record<string, unknown>,
  now: string,
): DecodedMessage {
  const { log, messageId, source, causationId } = message;
  const changed = envelope({
    id: messageId,
    source: message.event === null ? '/gateway' : source,
    type: eventTypeOf(log.subject),
    subject: orderId,
    time: now,
    data: { ...data, orderId },
    causationId: causationId ?? undefined,
  });
  return { ...decodeMessage({ ...log, payload: JSON.stringify(changed) }), messageId };
}
