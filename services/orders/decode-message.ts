import { Envelope } from '../../contracts/envelope.ts';
import { OrderEvent } from '../../contracts/events/order-event.ts';
import type { LogMessage } from '../bus/partition-reader.ts';
import { describeError } from '../logger.ts';

export interface DecodedMessage {
  readonly log: LogMessage;
  readonly messageId: string;
  readonly orderId: string | null;
  /** Null when nobody can read it: a dead letter. */
  readonly event: OrderEvent | null;
  readonly failure: string | null;
}

/** The order id is the subject's last token, so that even an unreadable message blocks no other order. */
export function decodeMessage(log: LogMessage): DecodedMessage {
  const orderId = log.subject.split('.').at(-1) ?? null;
  try {
    const message = Envelope.parse(JSON.parse(log.payload));
    const event = OrderEvent.parse({ type: message.type, data: message.data });
    if (event.data.orderId !== orderId) throw new TypeError('the subject names another order than the data');
    return { log, messageId: message.id, orderId, event, failure: null };
  } catch (error) {
    const failure = JSON.stringify(describeError(error));
    return { log, messageId: `unreadable:${log.seq}`, orderId, event: null, failure };
  }
}
