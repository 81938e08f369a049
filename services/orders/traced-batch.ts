import { readTraceparent } from '../../contracts/trace-context.ts';
import { type OpenSpan, openSpan } from '../tracing.ts';
import type { PartitionBatch } from './commit-batch.ts';
import type { DecodedMessage } from './decode-message.ts';

/**
 * Commits batches as one span for each event of them that belongs to a trace: the transaction is one deed, but each
 * event is a step on a road of its own. Without an exporter the messages pass through untouched, and what they lead to
 * carries their own trace context on.
 */
export async function traced<T>(
  batches: readonly PartitionBatch[],
  commit: (batches: readonly PartitionBatch[]) => Promise<T>,
): Promise<T> {
  const events = batches.reduce((sum, { messages }) => sum + messages.length, 0);
  const spans: OpenSpan[] = [];
  const open = (message: DecodedMessage, part: number): DecodedMessage => {
    const parent = readTraceparent(message.traceparent);
    if (parent === undefined) return message;
    const span = openSpan(() => ({
      name: `step ${message.event?.type ?? 'unreadable'}`,
      kind: 'consumer',
      attributes: {
        'oms.subject': message.orderId ?? '',
        'oms.partition': part,
        'oms.batch_events': events,
      },
      parent,
    }));
    if (span === undefined) return message;
    spans.push(span);
    return { ...message, traceparent: span.traceparent };
  };
  const stepped = batches.map((batch) => ({
    ...batch,
    messages: batch.messages.map((message) => open(message, batch.part)),
  }));
  try {
    const result = await commit(stepped);
    for (const span of spans) span.end();
    return result;
  } catch (error) {
    for (const span of spans) span.end(error);
    throw error;
  }
}
