import type { DeadlineName } from '../../contracts/deadlines.ts';
import { DEAD_LETTER_SETTLE_REQUESTED } from '../../contracts/events/dead-letter-settlement.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Bus } from '../bus/bus.ts';
import { publishQueued } from '../bus/commit-and-publish.ts';
import { describeError, type Logger } from '../logger.ts';
import { moment } from '../moments.ts';
import { countWaiting } from '../store/dead-letters.ts';
import { lockOrders, takeNew } from '../store/load-batch.ts';
import { isOutage } from '../store/outage.ts';
import type { QueuedRow } from '../store/outbox.ts';
import { fence, position } from '../store/partitions.ts';
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

export interface BatchPorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  readonly log: Logger;
  readonly part: number;
  readonly epoch: number;
  readonly onTimerDue?: (() => void) | undefined;
  /** Resolves after the time, or at once when the worker is told to stop. */
  pause(ms: number): Promise<void>;
  isStopping(): boolean;
}

/** One transaction: position, inbox, states, rows, timers, outbox. */
async function commitOnce(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
  to: number,
): Promise<{ queued: QueuedRow[]; isTimerDue: boolean }> {
  const { store, part, epoch, delays, settings } = ports;
  return store.transaction(async (sql) => {
    if (!(await fence(sql, part, epoch, from, to)))
      throw new FencedError(`partition ${part} has another owner`);
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
    if (batch.length === 0) return { queued: [], isTimerDue: false };
    const orderIds = [...new Set(batch.flatMap(({ orderId }) => (orderId === null ? [] : [orderId])))];
    const loaded = await lockOrders(sql, orderIds);
    const lines = await loadWaitingLines(sql, batch);
    const writes = stepBatch(batch, { loaded, lines, delays, settings, now: new Date().toISOString() });
    for (const { order_id: orderId, message_id: messageId, failure, state } of writes.deadLetters) {
      if (state === 'open') ports.log.error({ orderId, messageId, failure }, 'dead letter');
    }
    for (const { id, failure, state } of writes.changedLetters) {
      if (state === 'open') ports.log.error({ letterId: id, failure }, 'dead letter again');
    }
    const queued = await writeBatch(sql, writes);
    moment('batch: before commit');
    return { queued, isTimerDue: [...writes.timers.values()].some(({ delay_ms }) => delay_ms === 0) };
  });
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Commits the batch and publishes what it says. An outage of the database is waited out; a batch that the database
 * refuses is halved until the culprit is found, which becomes a dead letter.
 * @returns the new position.
 * @throws FencedError when the partition has another owner.
 */
export async function commitBatch(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
): Promise<number> {
  const to = messages.at(-1)?.log.seq ?? from;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const begun = performance.now();
    try {
      const { queued, isTimerDue } = await traced(messages, ports.part, (batch) =>
        commitOnce(ports, batch, from, to),
      );
      moment('batch: after commit before publish');
      if (isTimerDue) ports.onTimerDue?.();
      await publishQueued(ports.store, ports.bus, queued);
      batchEvents.observe({}, messages.length);
      batchDurations.observe({}, (performance.now() - begun) / 1_000);
      return to;
    } catch (error) {
      if (error instanceof FencedError) throw error;
      if (!isOutage(error)) return refuse(ports, messages, from, error);
      ports.log.warn({ part: ports.part, err: error }, 'the database is away, the batch waits');
      await ports.pause(pauseMs);
      if (ports.isStopping()) throw new FencedError('stopping with an uncommitted batch');
      // The commit itself may have been the call whose answer was lost.
      const now = await position(ports.store, ports.part).catch(() => undefined);
      if (now !== undefined && now.epoch !== ports.epoch)
        throw new FencedError('lost while the database was away');
      if (now?.seq === to) return to;
    }
  }
}

async function refuse(
  ports: BatchPorts,
  messages: readonly DecodedMessage[],
  from: number,
  error: unknown,
): Promise<number> {
  const [only] = messages;
  if (messages.length > 1) {
    const middle = Math.ceil(messages.length / 2);
    const between = await commitBatch(ports, messages.slice(0, middle), from);
    return commitBatch(ports, messages.slice(middle), between);
  }
  if (only === undefined || only.event === null) throw error;
  const failure = JSON.stringify(describeError(error));
  if (only.event.type === DEAD_LETTER_SETTLE_REQUESTED) {
    // One of the line is the culprit, and the request is not: from the last on, each is taken for it until the rest goes.
    const before = only.refusedAt ?? (await countWaiting(ports.store, only.event.data.orderId));
    if (before > 0) return commitBatch(ports, [{ ...only, failure, refusedAt: before - 1 }], from);
  }
  return commitBatch(ports, [{ ...only, event: null, failure, reason: 'unstorable' }], from);
}
