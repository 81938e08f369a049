import type { Bus } from '../bus/bus.ts';
import type { Logger } from '../logger.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import {
  dropArchived,
  isAnyLeft,
  type Leftover,
  lockLeftovers,
  promiseUnmarked,
  type QueuedRow,
  settleLeftovers,
} from '../store/outbox.ts';
import type { Store } from '../store/store.ts';

/** Transactions whose messages are published in one round. */
const LIMIT = 100;
/** Whoever committed a row publishes it at once; what is still there after this was left behind by a crash or an outage. */
const LEFT_BEHIND_MS = 3_000;

/**
 * One row that the bus will never take must not keep back the others. Each by itself, but all at once: the database ends
 * a transaction that waits for the answers of several, one after another.
 */
async function publishWhatCan(
  bus: Bus,
  log: Logger,
  rows: readonly QueuedRow[],
): Promise<readonly QueuedRow[]> {
  try {
    await bus.publish(rows);
    return rows;
  } catch (error) {
    if (!bus.isConnected()) throw error;
  }
  const refused = new Map<QueuedRow, unknown>();
  await Promise.all(rows.map((row) => bus.publish([row]).catch((error: unknown) => refused.set(row, error))));
  const [first] = refused;
  if (first !== undefined) {
    const [{ messageId, subject }, err] = first;
    const line = { messages: refused.size, messageId, subject, err };
    log.error(line, 'the bus refuses an outbox row');
  }
  return rows.filter((row) => !refused.has(row));
}

/** The transaction that was the last to begin writing. */
const lastOf = (rows: readonly Leftover[]): string =>
  rows.reduce((last, { firstId }) => (BigInt(firstId) > last ? BigInt(firstId) : last), 0n).toString();

/**
 * Keeps the outbox's promises: publishes what its writer could not, in the order it was written. What the bus refuses is
 * passed over until the end is reached, and then tried again from the beginning.
 */
export function startSweeper(store: Store, bus: Bus, log: Logger): Periodic {
  let after = '0';
  return startPeriodic('outbox sweep', 1_000, log, async () => {
    if (!(await isAnyLeft(store, LEFT_BEHIND_MS))) return 'idle';
    return store.transaction(async (sql) => {
      const rows = await lockLeftovers(sql, LEFT_BEHIND_MS, LIMIT, after);
      after = '0';
      if (rows.length === 0) return 'idle';
      const published = await publishWhatCan(bus, log, rows);
      await settleLeftovers(sql, rows, published);
      log.info({ messages: published.length }, 'published what was left in the outbox');
      if (!bus.isConnected()) return 'idle';
      after = lastOf(rows);
      return 'more';
    });
  });
}

/** Lets go of archived outbox rows after `archiveHours`, of inbox ids and of the API's request keys after thirty, in small bites. */
export const startArchiveKeeper = (store: Store, log: Logger, archiveHours: number): Periodic =>
  startPeriodic('archive', 60_000, log, async () => {
    await promiseUnmarked(store, LEFT_BEHIND_MS);
    const dropped = await dropArchived(store, archiveHours);
    const forgotten = await store.run(
      `delete from inbox where message_id in (
         select message_id from inbox where at < now() - interval '30 days' order by at limit 5000)`,
    );
    const keys = await store.run(
      `delete from api_requests where (route, key) in (
         select route, key from api_requests where at < now() - interval '30 days' order by at limit 5000)`,
    );
    return dropped + forgotten + keys >= 5_000 ? 'more' : 'idle';
  });
