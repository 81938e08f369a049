import { setTimeout as delay } from 'node:timers/promises';
import { partitionFilter, STREAMS } from '../../contracts/subjects.ts';
import type { Bus } from '../bus/bus.ts';
import type { LogMessage, PartitionReader } from '../bus/partition-reader.ts';
import { clockAheadMs } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { adoptStream, type ClaimedPartition, fence, halt } from '../store/partitions.ts';
import type { Store } from '../store/store.ts';
import { FencedError, hasOtherOwner, toMark } from './commit-batch.ts';
import { type DecodedMessage, decodeMessage } from './decode-message.ts';
import { type Lag, readers } from './partition-figures.ts';
import type { CommitTurn } from './shared-batches.ts';
import { streamProblem } from './stream-guard.ts';

export interface WorkerOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Logger;
  readonly partition: ClaimedPartition;
  readonly commit: CommitTurn;
  /** Without arrivals for this long, lag means that the reader has stalled. */
  readonly silenceMs?: number;
  /** An idle position is moved to the stream's end this often, so that expiry of old messages never looks like a loss. */
  readonly idleAdvanceMs?: number;
}

export interface PartitionWorker {
  readonly epoch: number;
  /** The last sequence that it knows to be committed. */
  readonly seq: () => number;
  /** Ended by itself: fenced off, or halted by the stream guard. */
  readonly hasEnded: () => boolean;
  /** Finishes the batch in hand. */
  stop(): Promise<void>;
}

/** A process that was starved may lose the last messages on their way, and nothing comes after them to tell. */
const SILENCE_MS = 5_000;
const IDLE_ADVANCE_MS = 600_000;

/** Reads one partition in order, from its committed position, until told to stop or fenced off. */
export function startPartitionWorker(options: WorkerOptions): PartitionWorker {
  const { store, bus, log, partition } = options;
  const { part, epoch } = partition;
  const { silenceMs = SILENCE_MS, idleAdvanceMs = IDLE_ADVANCE_MS } = options;
  const stopping = new AbortController();
  let seq = partition.seq;
  let { streamCreated, mark } = partition;
  let reading: PartitionReader | undefined;
  let unreadSince = performance.now();
  let inHand: readonly LogMessage[] = [];

  const isStopping = (): boolean => stopping.signal.aborted;
  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: stopping.signal }).catch(() => {});

  /** False: halted, nobody may read on. */
  const passesGuard = async (): Promise<boolean> => {
    const stream = await bus.streamState(STREAMS.events);
    const problem = await streamProblem({ seq, streamCreated, mark }, stream, bus);
    if (problem !== null) {
      await halt(store, part, epoch, problem);
      log.error({ part, problem }, 'partition halted: see the README, "When NATS lost its data"');
      return false;
    }
    if (streamCreated !== stream.created) await adoptStream(store, part, epoch, stream.created);
    streamCreated = stream.created;
    return true;
  };

  const hasLag = async (): Promise<boolean> =>
    (await bus.lastSeqOn(STREAMS.events, partitionFilter(part))) > seq;

  /** Nothing of this partition stands between the position and the stream's end as it was before we looked. */
  const advanceIdle = async (): Promise<void> => {
    const { lastSeq } = await bus.streamState(STREAMS.events);
    if (lastSeq <= seq || (await hasLag())) return;
    const moved = await fence(store, [{ part, epoch, from: seq, to: lastSeq }]);
    if (!moved.has(part)) throw hasOtherOwner(part);
    seq = lastSeq;
  };

  const take = (reader: PartitionReader, max: number): DecodedMessage[] => {
    if (isStopping()) return [];
    inHand = reader.take(max);
    return inHand.map(decodeMessage);
  };

  const commitWhatArrived = async (reader: PartitionReader): Promise<void> => {
    seq = await options.commit({
      part,
      epoch,
      from: seq,
      take: (max) => take(reader, max),
      pause,
      isStopping,
    });
    const last = inHand.at(-1);
    if (last?.seq === seq) mark = toMark(last);
    inHand = [];
  };

  const read = async (reader: PartitionReader): Promise<void> => {
    const reconnects = bus.reconnects();
    let heardAt = performance.now();
    let advancedAt = heardAt;
    while (!isStopping() && bus.reconnects() === reconnects) {
      const hasArrived = await reader.arrival(500);
      if (bus.reconnects() !== reconnects) return;
      const now = performance.now();
      if (hasArrived) {
        heardAt = now;
        await commitWhatArrived(reader);
      } else if (now - heardAt > silenceMs) {
        heardAt = now;
        if (await hasLag()) {
          log.warn({ part }, 'the reader hears nothing while messages wait: opened again');
          return;
        }
        if (now - advancedAt > idleAdvanceMs) {
          advancedAt = now;
          await advanceIdle();
        }
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!isStopping()) {
      let reader: PartitionReader | undefined;
      try {
        if (!(await passesGuard())) return;
        reader = await bus.readPartition(part, seq + 1);
        reading = reader;
        await read(reader);
      } catch (error) {
        if (error instanceof FencedError) return;
        log.warn({ part, err: error }, 'reading the partition failed, trying again');
        await pause(1_000);
      } finally {
        if (reading !== undefined) unreadSince = performance.now();
        reading = undefined;
        inHand = [];
        await reader?.close().catch(() => {});
      }
    }
  };

  const lag = (): Lag => {
    // Nobody knows what waits while nobody reads: that it goes on is what has to be seen.
    if (reading === undefined) return { events: 0, seconds: (performance.now() - unreadSince) / 1_000 };
    const waiting = reading.waiting();
    const oldest = inHand[0] ?? waiting[0];
    if (oldest === undefined) return { events: 0, seconds: 0 };
    const behind = (waiting.at(-1) ?? inHand.at(-1))?.pending ?? 0;
    return {
      events: inHand.length + waiting.length + behind,
      // NATS stands where its clock is kept, and a machine of ours may not.
      seconds: Math.max(0, Date.now() - clockAheadMs() - oldest.storedAt) / 1_000,
    };
  };
  const forget = readers.add({ part, lag });

  let hasEnded = false;
  const ended = (partition.halted === null ? run() : Promise.resolve()).finally(() => {
    hasEnded = true;
    forget();
  });
  return {
    epoch,
    seq: () => seq,
    hasEnded: () => hasEnded,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
