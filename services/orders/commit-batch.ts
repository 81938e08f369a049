import type { DeadlineName } from '../../contracts/deadlines.ts';
import { DEAD_LETTER_SETTLE_REQUESTED } from '../../contracts/events/dead-letter-settlement.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Bus } from '../bus/bus.ts';
import { publishQueued } from '../bus/commit-and-publish.ts';
import type { LogMessage } from '../bus/partition-reader.ts';
import { describeError, type Logger } from '../logger.ts';
import { moment } from '../moments.ts';
import { countWaiting } from '../store/dead-letters.ts';
import { lockOrders, takeNew } from '../store/load-batch.ts';
import { isOutage, isTooSlow } from '../store/outage.ts';
import type { QueuedRow } from '../store/outbox.ts';
import { fence, type Mark, type Move, position } from '../store/partitions.ts';
import type { Store } from '../store/store.ts';
import { writeBatch } from '../store/write-batch.ts';
import type { DecodedMessage } from './decode-message.ts';
import { batchDurations, batchEvents } from './partition-figures.ts';
import { stepBatch } from './step-batch.ts';
import { traced } from './traced-batch.ts';
import { loadWaitingLines } from './waiting-line.ts';

/** Somebody else owns the partition now. The batch is theirs; the reader must be dropped. */
export class FencedError extends Error {
  override name = 'FencedError';
}

export const hasOtherOwner = (part: number): FencedError =>
  new FencedError(`partition ${part} has another owner`);

/** What the batches of all partitions of this copy are committed with. */
export interface HostPorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  readonly log: Logger;
  /** Told after the commit of a batch that has set a timer without a delay. */
  readonly onTimerDue?: (() => void) | undefined;
}

/** Whose batch it is, and how its worker waits. */
export interface Holder {
  readonly part: number;
  readonly epoch: number;
  /** Resolves after the time, or at once when the worker is told to stop. */
  pause(ms: number): Promise<void>;
  isStopping(): boolean;
}

export type BatchPorts = HostPorts & Holder;

/** What one partition brings to a transaction: messages in stream order, and the move of its position. */
export interface PartitionBatch extends Move {
  readonly messages: readonly DecodedMessage[];
}

export const toMark = ({ seq, storedAt }: LogMessage): Mark => ({ seq, storedMs: Math.floor(storedAt) });

export const partitionBatch = (
  { part, epoch }: Pick<Holder, 'part' | 'epoch'>,
  from: number,
  messages: readonly DecodedMessage[],
): PartitionBatch => {
  const last = messages.at(-1)?.log;
  return { part, epoch, from, to: last?.seq ?? from, mark: last && toMark(last), messages };
};

interface Committed {
  /** Partitions that are still ours. */
  readonly passed: ReadonlySet<number>;
  readonly queued: QueuedRow[];
  readonly isTimerDue: boolean;
}

/** One transaction: positions, inbox, states, rows, timers, outbox. Of a partition that is fenced off nothing is written. */
async function commitOnce(ports: HostPorts, batches: readonly PartitionBatch[]): Promise<Committed> {
  const { store, delays, settings } = ports;
  return store.transaction(async (sql) => {
    const moved = await fence(sql, batches);
    const passed = new Set(moved.keys());
    // Of whichever copy the partition is: their clocks differ, and rows are compared with the database's.
    const [now] = moved.values();
    const messages = batches.flatMap((batch) => (passed.has(batch.part) ? batch.messages : []));
    const fresh = await takeNew(
      sql,
      messages.map(({ messageId }) => messageId),
    );
    const taken = new Set<string>();
    const isFirst = ({ messageId }: DecodedMessage): boolean => {
      const isNew = fresh.has(messageId) && !taken.has(messageId);
      taken.add(messageId);
      return isNew;
    };
    const batch = messages.filter(isFirst);
    if (batch.length === 0 || now === undefined) return { passed, queued: [], isTimerDue: false };
    const orderIds = [...new Set(batch.flatMap(({ orderId }) => (orderId === null ? [] : [orderId])))];
    const loaded = await lockOrders(sql, orderIds);
    const lines = await loadWaitingLines(sql, batch);
    const writes = stepBatch(batch, { loaded, lines, delays, settings, now });
    for (const { order_id: orderId, message_id: messageId, failure, state } of writes.deadLetters) {
      if (state === 'open') ports.log.error({ orderId, messageId, failure }, 'dead letter');
    }
    for (const { id, failure, state } of writes.changedLetters) {
      if (state === 'open') ports.log.error({ letterId: id, failure }, 'dead letter again');
    }
    const queued = await writeBatch(sql, writes);
    moment('batch: before commit');
    return { passed, queued, isTimerDue: [...writes.timers.values()].some(({ delay_ms }) => delay_ms === 0) };
  });
}

/**
 * Commits the batches of several partitions in one transaction and publishes what they say: the cost of a transaction
 * is shared by all that happens at once, while each partition keeps its own position and epoch.
 * @returns the partitions whose batch is committed; the others have another owner.
 * @throws whatever the database says; then nothing is committed, unless the answer of the commit was lost.
 */
export async function commitTogether(
  ports: HostPorts,
  batches: readonly PartitionBatch[],
): Promise<ReadonlySet<number>> {
  const begun = performance.now();
  moment('batch: before fence');
  const { passed, queued, isTimerDue } = await traced(batches, (stepped) => commitOnce(ports, stepped));
  moment('batch: after commit before publish');
  if (isTimerDue) ports.onTimerDue?.();
  await publishQueued(ports.store, ports.bus, queued);
  const events = batches.reduce(
    (sum, { part, messages }) => sum + (passed.has(part) ? messages.length : 0),
    0,
  );
  const ms = performance.now() - begun;
  batchEvents.observe({}, events);
  batchDurations.observe({}, ms / 1_000);
  for (const { messageId, orderId, event } of batches.flatMap(({ messages }) => messages))
    ports.log.debug({ messageId, orderId, type: event?.type, ms: Math.round(ms) }, 'event');
  return passed;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Waits, and tells whether the commit itself was the call whose answer was lost. */
async function isCommittedAfterAll(
  ports: BatchPorts,
  to: number,
  pauseMs: number,
  error: unknown,
): Promise<boolean> {
  ports.log.warn({ part: ports.part, err: error }, 'the database is away, the batch waits');
  await ports.pause(pauseMs);
  if (ports.isStopping()) throw new FencedError('stopping with an uncommitted batch');
  const now = await position(ports.store, ports.part).catch(() => undefined);
  if (now !== undefined && now.epoch !== ports.epoch)
    throw new FencedError('lost while the database was away');
  return now?.seq === to;
}

async function inHalves(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
): Promise<number> {
  const middle = Math.ceil(messages.length / 2);
  const between = await commitBatch(ports, messages.slice(0, middle), from);
  return commitBatch(ports, messages.slice(middle), between);
}

/**
 * Commits the batch of one partition by itself and publishes what it says. An outage of the database is waited out; a
 * batch that takes it too long is halved, and one that it refuses until the culprit is found, which becomes a dead letter.
 * @param failed why it could not be committed just now, if it was tried.
 * @returns the new position.
 * @throws FencedError when the partition has another owner.
 */
export async function commitBatch(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
  failed?: unknown,
): Promise<number> {
  const batch = partitionBatch(ports, from, messages);
  let error = failed;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (error !== undefined) {
      if (!isOutage(error)) return refuse(ports, messages, from, error);
      if (await isCommittedAfterAll(ports, batch.to, pauseMs, error)) return batch.to;
      if (isTooSlow(error) && messages.length > 1) return inHalves(ports, messages, from);
    }
    try {
      const passed = await commitTogether(ports, [batch]);
      if (passed.has(batch.part)) return batch.to;
    } catch (cause) {
      error = cause;
      continue;
    }
    throw hasOtherOwner(batch.part);
  }
}

async function refuse(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
  error: unknown,
): Promise<number> {
  const [only] = messages;
  if (messages.length > 1) return inHalves(ports, messages, from);
  if (only === undefined || only.event === null) throw error;
  const failure = JSON.stringify(describeError(error));
  if (only.event.type === DEAD_LETTER_SETTLE_REQUESTED) {
    // One of the line is the culprit, and the request is not: from the last on, each is taken for it until the rest goes.
    const before = only.refusedAt ?? (await countWaiting(ports.store, only.event.data.orderId));
    if (before > 0) return commitBatch(ports, [{ ...only, failure, refusedAt: before - 1 }], from);
  }
  return commitBatch(ports, [{ ...only, event: null, failure, reason: 'unstorable' }], from);
}
