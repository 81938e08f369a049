import type { DeadLetterReason } from '../../contracts/dead-letters.ts';
import { Envelope } from '../../contracts/envelope.ts';
import { OrderEvent } from '../../contracts/events/order-event.ts';
import type { LogMessage } from '../bus/partition-reader.ts';
import { describeError } from '../logger.ts';
import { cutTo, isStorable, toStorable } from '../store/storable.ts';

export interface DecodedMessage {
  readonly log: LogMessage;
  readonly messageId: string;
  readonly orderId: string | null;
  /** Null when nobody can read it, or the database refuses it: a dead letter. */
  readonly event: OrderEvent | null;
  readonly failure: string | null;
  /** Why there is no event. */
  readonly reason?: DeadLetterReason;
  /** Of a request to settle a letter: the database refuses what the letter at this place of the line leads to. */
  readonly refusedAt?: number;
  /** Who says it, as `/suppliers`. */
  readonly source: string;
  /** Message that led to this one, where there is one. */
  readonly causationId: string | null;
  /** W3C Trace Context of what it came of, where there is one. */
  readonly traceparent?: string | undefined;
}

/** Ours have 17 characters. More than an index of the database holds would stop the partition for ever. */
const LONGEST_ORDER_ID = 200;

/** The order id is the subject's last token, so that even an unreadable message blocks no other order. */
export function decodeMessage(received: LogMessage): DecodedMessage {
  const { subject } = received;
  const log = isStorable(subject) ? received : { ...received, subject: toStorable(subject) };
  const orderId = cutTo(LONGEST_ORDER_ID, log.subject.split('.').at(-1) ?? '');
  try {
    const message = Envelope.parse(JSON.parse(log.payload));
    if (!isStorable(message.id)) throw new TypeError('no database takes this message id');
    const event = OrderEvent.parse({ type: message.type, data: message.data });
    if (event.data.orderId !== orderId) throw new TypeError('the subject names another order than the data');
    const { id: messageId, source, causationid: causationId = null, traceparent } = message;
    return { log, messageId, orderId, event, failure: null, source, causationId, traceparent };
  } catch (error) {
    const failure = JSON.stringify(describeError(error));
    const stored = { ...log, payload: log.payload.replaceAll('\0', '\ufffd') };
    return {
      log: stored,
      // By its time as well: in a stream that was made anew, or lost its tail, another message has its number.
      messageId: `unreadable:${Math.floor(log.storedAt)}:${log.seq}`,
      orderId,
      event: null,
      failure,
      reason: 'unreadable',
      source: 'unknown',
      causationId: null,
    };
  }
}
