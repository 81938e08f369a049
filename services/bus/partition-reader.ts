import { randomUUID } from 'node:crypto';
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  nanos,
} from 'nats';
import { AppError } from '../../contracts/errors.ts';
import { partitionFilter, STREAMS } from '../../contracts/subjects.ts';

export interface LogMessage {
  readonly seq: number;
  readonly subject: string;
  readonly payload: string;
  /** Messages of this partition that the stream holds behind this one. */
  readonly pending: number;
  /** When the stream took it, in milliseconds since the epoch by the server's clock. */
  readonly storedAt: number;
}

export interface PartitionReader {
  /**
   * What has arrived and is not taken yet, in stream order, at most `max`.
   * @throws AppError `bus_unavailable` when the server no longer knows the reader or a message was lost on its way: open
   * a new one, after a look at the stream.
   */
  take(max: number): LogMessage[];
  /** What has arrived and is not taken yet. */
  waiting(): readonly LogMessage[];
  /** True when something is there to take, or to be told of: the reader is broken. False after the time. */
  arrival(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const PREFETCH = 512;
/** The server forgets a reader that asked for nothing for this long, as one does whose process died. */
const FORGOTTEN_MS = 60_000;

/**
 * Reads one partition in order from `fromSeq` on, without acknowledgements: the position is the caller's to keep.
 * It never heals itself, unlike the package's ordered consumer: that one goes on in a stream that was made anew, skips
 * what it missed there, and pulls without end while nobody takes. A reader may still fall silent, so the caller
 * watches for lag without arrivals.
 */
export async function openPartitionReader(
  jetstream: JetStreamClient,
  manager: JetStreamManager,
  partition: number,
  fromSeq: number,
): Promise<PartitionReader> {
  const { name } = await manager.consumers.add(STREAMS.events, {
    name: `reader-${partition}-${randomUUID()}`,
    filter_subject: partitionFilter(partition),
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSeq,
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(FORGOTTEN_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  const consumer = await jetstream.consumers.get(STREAMS.events, name);
  let buffer: LogMessage[] = [];
  let deliveries = 0;
  let messages: ConsumerMessages | undefined;
  let isClosed = false;
  let broken: AppError | undefined;
  let wake = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();

  // Not waited for: the package never says that it is closed once nobody reads from it any more.
  const endDelivery = (): void => void messages?.close().catch(() => {});

  const pump = async (): Promise<void> => {
    while (!isClosed) {
      // One bounded request after another is what keeps the memory bounded while the database is away.
      messages = await consumer.fetch({ max_messages: PREFETCH, expires: 4_000, idle_heartbeat: 1_000 });
      if (isClosed) endDelivery();
      for await (const message of messages) {
        const { deliverySequence, pending, timestampNanos } = message.info;
        deliveries += 1;
        if (deliverySequence !== deliveries) throw new RangeError('a message was lost on its way');
        buffer.push({
          seq: message.seq,
          subject: message.subject,
          payload: message.string(),
          pending,
          storedAt: timestampNanos / 1e6,
        });
        wake.resolve();
      }
      while (buffer.length >= PREFETCH && !isClosed) await room.promise;
    }
  };
  pump().catch((cause: unknown) => {
    broken = new AppError('bus_unavailable', `the reader of partition ${partition} has lost its place`, {
      retryable: true,
      cause,
    });
    wake.resolve();
  });

  return {
    take(max) {
      if (broken !== undefined) throw broken;
      const batch = buffer.slice(0, max);
      buffer = buffer.slice(max);
      room.resolve();
      room = Promise.withResolvers();
      return batch;
    },
    waiting: () => buffer,
    async arrival(timeoutMs) {
      const hasNews = (): boolean => buffer.length > 0 || broken !== undefined;
      if (hasNews()) return true;
      wake = Promise.withResolvers();
      const timer = setTimeout(wake.resolve, timeoutMs);
      await wake.promise;
      clearTimeout(timer);
      return hasNews();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      room.resolve();
      wake.resolve();
      endDelivery();
      // A courtesy that nobody waits for: the server may be away, and forgets the reader by itself.
      manager.consumers.delete(STREAMS.events, name).catch(() => {});
    },
  };
}
