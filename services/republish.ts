import { AppError } from '../contracts/errors.ts';
import { STREAMS } from '../contracts/subjects.ts';
import type { Bus } from './bus/bus.ts';
import { isOlderThanStream, OLDER_THAN_STREAM } from './older-than-stream.ts';
import {
  type ArchivedRow,
  type ArchiveSpan,
  archiveExtent,
  countArchived,
  type Kind,
  markRepublished,
  readArchived,
} from './store/archive.ts';
import { readPositions, resumeAt } from './store/partitions.ts';
import type { Store } from './store/store.ts';

/**
 * How many of each kind at once, in the order in which they go out: after the events the partitions read on. For each
 * batch of facts all those are read that the stream has of its time, so they come in fewer of them.
 */
const ROUNDS: readonly (readonly [Kind, number])[] = [
  ['events', 500],
  ['commands', 500],
  ['facts', 5_000],
];
/** By which the clocks of PostgreSQL and NATS may differ. */
const SKEW_MS = 60_000;

export interface RepublishPlan {
  readonly span: ArchiveSpan;
  /** What will be looked at. Of events those that no order has taken, from before the span, too. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly halted: readonly { readonly part: number; readonly halted: string }[];
}

/**
 * What has to be published again. @param since ISO instant; absent: all that the archive holds.
 * @throws AppError `archive_too_short` when the archive does not reach back so far.
 */
export async function planRepublish(store: Store, since?: string): Promise<RepublishPlan> {
  const { now, holdsFrom } = await archiveExtent(store);
  if (since !== undefined && holdsFrom !== null && Date.parse(since) < Date.parse(holdsFrom)) {
    const message =
      `the outbox archive holds what was published since ${holdsFrom}, not since ${since}: what was lost before cannot be published again. ` +
      `Start with --since ${holdsFrom}; then bring in what the shop changed in between with npm run backfill -- --since ${since.slice(0, 10)}. ` +
      'Commands and purchases from before are asked for again by the deadlines of their orders';
    throw new AppError('archive_too_short', message, { retryable: false });
  }
  const span = { from: since ?? holdsFrom ?? new Date(0).toISOString(), to: now };
  const halted = (await readPositions(store)).flatMap(({ part, halted: why }) =>
    why === null ? [] : [{ part, halted: why }],
  );
  return { span, counts: await countArchived(store, span), halted };
}

/** Without those that the stream still has: who listens to facts may not know our message ids. */
async function missingFacts(bus: Bus, rows: readonly ArchivedRow[]): Promise<readonly ArchivedRow[]> {
  const written = rows.map(({ createdAt }) => Date.parse(createdAt));
  const published = rows.map(({ publishedAt }) => Date.parse(publishedAt));
  const from = new Date(Math.min(...written) - SKEW_MS);
  const to = new Date(Math.max(...published) + SKEW_MS);
  const stored = await bus.storedIds(STREAMS.crew, from, to);
  return rows.filter(({ messageId }) => !stored.has(messageId));
}

export interface RepublishProgress {
  readonly total: number;
  readonly seen: number;
  readonly published: number;
}

/**
 * Publishes again, under their own ids and in the order in which they were written, the messages of a plan that are
 * missing, and lets halted partitions read on: after the events, so that no order waits for commands and facts, which are
 * many times as many. It may be stopped and repeated: what came through is known by its id.
 * @returns how many were published.
 * @throws AppError `stream_mismatch` when the database was put back to a time before what NATS has: that is no loss of NATS.
 */
export async function republish(
  store: Store,
  bus: Bus,
  plan: RepublishPlan,
  onProgress: (progress: RepublishProgress) => void = () => {},
): Promise<number> {
  const stream = await bus.streamState(STREAMS.events);
  if (await isOlderThanStream(store, bus, await readPositions(store), stream))
    throw new AppError('stream_mismatch', OLDER_THAN_STREAM, { retryable: false });
  const total = Object.values(plan.counts).reduce((sum, count) => sum + count, 0);
  let [seen, published] = [0, 0];
  for (const [kind, limit] of ROUNDS) {
    for (let after = '0'; ; ) {
      const rows = await readArchived(store, plan.span, kind, after, limit);
      const last = rows.at(-1);
      if (last === undefined) break;
      const missing = kind === 'facts' ? await missingFacts(bus, rows) : rows;
      await bus.publish(missing);
      await markRepublished(
        store,
        missing.map(({ id }) => id),
      );
      after = last.id;
      seen += rows.length;
      published += missing.length;
      onProgress({ total, seen, published });
    }
    // After each kind: some partition may have noticed the loss only meanwhile.
    await resume(store, bus, plan);
  }
  return published;
}

/**
 * A stream made anew is read from its beginning; one whose tail was lost from where the time of the plan begins; one
 * whose beginning is gone from what is left. What is read a second time is known to the inbox.
 */
async function resume(store: Store, bus: Bus, { span }: RepublishPlan): Promise<void> {
  const stream = await bus.streamState(STREAMS.events);
  const since = await bus.firstSeqSince(STREAMS.events, new Date(Date.parse(span.from) - SKEW_MS));
  for (const { part, seq, streamCreated, halted } of await readPositions(store)) {
    if (halted === null) continue;
    const isTail = streamCreated === stream.created && stream.firstSeq <= seq + 1;
    const from = isTail ? Math.min(seq, since - 1) : stream.firstSeq - 1;
    await resumeAt(store, part, stream.created, Math.max(0, from));
  }
}
