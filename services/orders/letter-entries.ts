import type { DeadLetterReason } from '../../contracts/dead-letters.ts';
import {
  DEAD_LETTER_SETTLE_REQUESTED,
  type DeadLetterSettleRequested,
} from '../../contracts/events/dead-letter-settlement.ts';
import { eventTypeOf } from '../../contracts/subjects.ts';
import type { OrderStateName } from '../../contracts/vocabulary.ts';
import { MACHINE_VERSION } from '../../machines/replay.ts';
import type { TimelineRow } from '../store/batch-writes.ts';
import type { DecodedMessage } from './decode-message.ts';

export interface Failure {
  readonly reason: DeadLetterReason;
  readonly failure: string | null;
}

/** What became of a letter, as the timeline and the crew hear it. */
export interface LetterEntry {
  readonly type: 'dead_letter.opened' | 'dead_letter.replayed' | 'dead_letter.skipped';
  readonly attempt: number;
  readonly reason?: DeadLetterReason;
}

/** Each attempt of a letter is told once. */
export const entryIdOf = ({ messageId }: DecodedMessage, { type, attempt }: LetterEntry): string =>
  `${messageId}:${type}:${attempt}`;

const inPlace = (state: OrderStateName | null) => ({
  from_state: state,
  to_state: state,
  supplier_order_id: null,
  supplier_from: null,
  supplier_to: null,
  machine_version: MACHINE_VERSION,
});

/** Not `accepted`: it moved nothing, and no replay of the timeline needs it. Nothing unchecked of the letter is in it. */
export const letterRow = (
  message: DecodedMessage,
  orderId: string,
  state: OrderStateName | null,
  entry: LetterEntry,
): TimelineRow => ({
  ...inPlace(state),
  order_id: orderId,
  message_id: entryIdOf(message, entry),
  type: entry.type,
  accepted: false,
  actor: '/orders',
  cause: message.messageId,
  data: {
    message: eventTypeOf(message.log.subject),
    attempt: entry.attempt,
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
  },
});

/** What a person asked for; refused when the letter is settled already, or not the first that waits. */
export const settlementRow = (
  message: DecodedMessage,
  { orderId, letterId, action, requestId }: DeadLetterSettleRequested,
  state: OrderStateName | null,
  accepted: boolean,
): TimelineRow => ({
  ...inPlace(state),
  order_id: orderId,
  message_id: message.messageId,
  type: DEAD_LETTER_SETTLE_REQUESTED,
  accepted,
  actor: message.source,
  cause: message.causationId,
  data: accepted ? { orderId, letterId, action, requestId } : null,
});
