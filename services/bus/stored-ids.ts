import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
} from 'nats';
import { AppError } from '../../contracts/errors.ts';

/** Reads without acknowledgements and bodies, and leaves nothing behind. */
const readingSince = (from: Date): Partial<ConsumerConfig> => ({
  deliver_policy: DeliverPolicy.StartTime,
  opt_start_time: from.toISOString(),
  ack_policy: AckPolicy.None,
  headers_only: true,
  mem_storage: true,
  num_replicas: 1,
});

/** Message ids at once; the server keeps the rest. */
const PAGE = 1_000;
const PATIENCE_MS = 5_000;

/**
 * The message ids of what a stream has stored between two times by its server's clock, both included. For streams that
 * keep their messages; it holds one id for each message of that time.
 * @throws AppError `bus_unavailable` when the server does not give them all.
 */
export async function readStoredIds(
  jetstream: JetStreamClient,
  manager: JetStreamManager,
  stream: string,
  from: Date,
  to: Date,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const { name, num_pending: pending } = await manager.consumers.add(stream, readingSince(from));
  try {
    const consumer = await jetstream.consumers.get(stream, name);
    for (let left = pending; left > 0; ) {
      const page = await consumer.fetch({ max_messages: Math.min(PAGE, left), expires: PATIENCE_MS });
      let seen = 0;
      for await (const message of page) {
        seen += 1;
        if (message.info.timestampNanos / 1e6 > to.getTime()) return ids;
        ids.add(message.headers?.get('Nats-Msg-Id') ?? '');
      }
      if (seen === 0) {
        const text = `JetStream does not give what the stream ${stream} holds`;
        throw new AppError('bus_unavailable', text, { retryable: true });
      }
      left -= seen;
    }
    return ids;
  } finally {
    await manager.consumers.delete(stream, name).catch(() => {});
  }
}

/** Sequence of the first message stored at that time or later; one behind the last when there is none. */
export async function firstSeqSince(manager: JetStreamManager, stream: string, from: Date): Promise<number> {
  const { name, delivered } = await manager.consumers.add(stream, readingSince(from));
  await manager.consumers.delete(stream, name).catch(() => {});
  return delivered.stream_seq + 1;
}
