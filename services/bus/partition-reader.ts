import { type ConsumerMessages, DeliverPolicy, type JetStreamClient } from 'nats';
import { partitionFilter, STREAMS } from '../../contracts/subjects.ts';

export interface LogMessage {
  readonly seq: number;
  readonly subject: string;
  readonly payload: string;
  /** Messages of this partition that the stream holds behind this one. */
  readonly pending: number;
}

export interface PartitionReader {
  /** What has arrived and is not taken yet, in stream order, at most `max`. */
  take(max: number): LogMessage[];
  /** Puts a taken batch back to the front: it was not committed. */
  putBack(batch: readonly LogMessage[]): void;
  /** Resolves when something is there to take, or after the time. */
  arrival(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const PREFETCH = 512;

/**
 * Reads one partition in order from `fromSeq` on, without acknowledgements: the position is the caller's to keep.
 * A reader may fall silent after a leader change; the caller watches for lag without arrivals and opens a new one.
 */
export async function openPartitionReader(
  jetstream: JetStreamClient,
  partition: number,
  fromSeq: number,
): Promise<PartitionReader> {
  const consumer = await jetstream.consumers.get(STREAMS.events, {
    filterSubjects: partitionFilter(partition),
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSeq,
  });
  // The defaults need up to 30 s to notice that a reader stalled; these read everything under leader kills (facts, section 3).
  const messages: ConsumerMessages = await consumer.consume({
    max_messages: PREFETCH,
    expires: 4_000,
    idle_heartbeat: 1_000,
  });
  let buffer: LogMessage[] = [];
  let isClosed = false;
  let wake = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();

  const pump = async (): Promise<void> => {
    for await (const message of messages) {
      buffer.push({
        seq: message.seq,
        subject: message.subject,
        payload: message.string(),
        pending: message.info.pending,
      });
      wake.resolve();
      // Not asking the iterator for more is what keeps it from pulling without end while the database is away.
      while (buffer.length >= PREFETCH && !isClosed) await room.promise;
    }
  };
  pump().catch(() => {});

  return {
    take(max) {
      const batch = buffer.slice(0, max);
      buffer = buffer.slice(max);
      room.resolve();
      room = Promise.withResolvers();
      return batch;
    },
    putBack(batch) {
      buffer = [...batch, ...buffer];
    },
    async arrival(timeoutMs) {
      if (buffer.length > 0) return;
      wake = Promise.withResolvers();
      const timer = setTimeout(wake.resolve, timeoutMs);
      await wake.promise;
      clearTimeout(timer);
    },
    async close() {
      isClosed = true;
      room.resolve();
      wake.resolve();
      await messages.close();
    },
  };
}
