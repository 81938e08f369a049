import { readTraceparent } from '../../contracts/trace-context.ts';
import { type OpenSpan, openSpan } from '../tracing.ts';
import type { DecodedMessage } from './decode-message.ts';

/**
 * Commits a batch as one span for each event of it that belongs to a trace: the batch is one deed, but each event is
 * a step on a road of its own. Without an exporter the messages pass through untouched, and what they lead to carries
 * their own trace context on.
 */
export async function traced<T>(
  messages: readonly DecodedMessage[],
  part: number,
  commit: (messages: readonly DecodedMessage[]) => Promise<T>,
): Promise<T> {
  if (!messages.some(({ traceparent }) => traceparent !== undefined)) return commit(messages);
  const spans: OpenSpan[] = [];
  const stepped = messages.map((message) => {
    const parent = readTraceparent(message.traceparent);
    if (parent === undefined) return message;
    const span = openSpan(() => ({
      name: `step ${message.event?.type ?? 'unreadable'}`,
      kind: 'consumer',
      attributes: {
        'oms.subject': message.orderId ?? '',
        'oms.partition': part,
        'oms.batch_events': messages.length,
      },
      parent,
    }));
    if (span === undefined) return message;
    spans.push(span);
    return { ...message, traceparent: span.traceparent };
  });
  try {
    const result = await commit(stepped);
    for (const span of spans) span.end();
    return result;
  } catch (error) {
    for (const span of spans) span.end(error);
    throw error;
  }
}
