import { envelope } from '../../contracts/envelope.ts';
import { AppError } from '../../contracts/errors.ts';
import { eventSubject } from '../../contracts/subjects.ts';
import { type Moment, moment } from '../moments.ts';
import { markPublished, type OutboxRow, type QueuedRow, queue, type Say } from '../store/outbox.ts';
import type { Sql, Store } from '../store/store.ts';
import { currentWork } from '../work.ts';
import type { Bus } from './bus.ts';

/** Each round of marks is a commit of its own. Well below the age at which the sweeper takes a row for left behind. */
const MARK_AFTER_MS = 300;
interface Unmarked {
  readonly rows: QueuedRow[];
  readonly timer: NodeJS.Timeout;
}
const unmarked = new WeakMap<Store, Unmarked>();

/** Marks of all that was published within a moment are one statement, and nobody waits for it. */
function markSoon(store: Store, rows: readonly QueuedRow[]): void {
  const waiting = unmarked.get(store);
  if (waiting === undefined) {
    const timer = setTimeout(() => void markNow(store), MARK_AFTER_MS);
    unmarked.set(store, { rows: [...rows], timer });
  } else waiting.rows.push(...rows);
}

/** Writes the marks that still wait. Before the store is closed: else the next start would publish the same again. */
export async function markNow(store: Store): Promise<void> {
  const waiting = unmarked.get(store);
  if (waiting === undefined) return;
  unmarked.delete(store);
  clearTimeout(waiting.timer);
  // What stays unmarked is published again by the sweeper, under the same message ids.
  await markPublished(store, waiting.rows).catch(() => {});
}

/** Publishes what a commit has promised. A failure is no loss: the rows stay, and the sweeper comes by. */
export async function publishQueued(store: Store, bus: Bus, rows: readonly QueuedRow[]): Promise<void> {
  if (rows.length === 0) return;
  try {
    await bus.publish(rows);
    moment('outbox: after publish before mark');
    markSoon(store, rows);
  } catch {
    // The sweeper repeats them under the same message ids.
  }
}

type Work<T> = (sql: Sql, say: Say) => Promise<T>;

async function committed<T>(
  transaction: Store['transaction'],
  store: Store,
  bus: Bus,
  work: Work<T>,
  between: readonly Moment[],
): Promise<T> {
  let queued: QueuedRow[] = [];
  const result = await transaction(async (sql) => {
    const rows: OutboxRow[] = [];
    const value = await work(sql, (row) => rows.push(row));
    queued = await queue(sql, rows);
    return value;
  });
  for (const name of between) moment(name);
  void publishQueued(store, bus, queued);
  return result;
}

/**
 * Rows and messages commit together or not at all; then the messages are published. The answer does not wait for the
 * bus: what is committed is promised. @param between names the moments after the commit and before the publishing.
 */
export const commitAndPublish = <T>(
  store: Store,
  bus: Bus,
  work: Work<T>,
  ...between: readonly Moment[]
): Promise<T> => committed(store.transaction, store, bus, work, between);

/** As `commitAndPublish`, by a `sureTransaction`: for the right to do something outside. */
export const commitForSure = <T>(store: Store, bus: Bus, work: Work<T>): Promise<T> =>
  committed(store.sureTransaction, store, bus, work, []);

/** NATS takes 1 MB with the headers. What is queued and never taken would be lost without anybody being told. */
const MOST_BYTES = 1_000_000;

/**
 * An event for the partition of the order that its data name, ready for the outbox.
 * @param event.source the service that says it, as `/suppliers`.
 * @throws AppError `body_too_large` when no message can hold it.
 */
export function eventRow(event: {
  readonly messageId: string;
  readonly source: string;
  readonly type: string;
  readonly data: { readonly orderId: string; readonly [field: string]: unknown };
  /** By default of the work at hand. */
  readonly traceparent?: string | null | undefined;
}): OutboxRow {
  const { orderId } = event.data;
  const payload = JSON.stringify(
    envelope({
      id: event.messageId,
      source: event.source,
      type: event.type,
      subject: orderId,
      time: new Date().toISOString(),
      data: event.data,
      traceparent: event.traceparent ?? currentWork()?.traceparent,
    }),
  );
  if (Buffer.byteLength(payload) > MOST_BYTES) {
    const message = `${event.type} of this order is larger than a message of NATS may be`;
    throw new AppError('body_too_large', message, { retryable: false });
  }
  return { messageId: event.messageId, subject: eventSubject(event.type, orderId), payload };
}
