import { PARTITIONS } from '../../contracts/ids.ts';
import { gauge, histogram, liveParts, SECONDS } from '../figures.ts';

const PARTITION_NAMES = Array.from({ length: PARTITIONS }, (_, part) => String(part));

export interface Lag {
  /** Events that the stream holds behind the committed position, as far as the server has told. */
  readonly events: number;
  /** Since the oldest of them was published, or since nobody reads the partition; 0 when there is none. */
  readonly seconds: number;
}

/** Partitions that this process reads. */
export const readers = liveParts<{ readonly part: number; readonly lag: () => Lag }>();

/** Events that the partitions of this process have still to step. */
export const eventsBehind = (): number => [...readers].reduce((sum, { lag }) => sum + lag().events, 0);

gauge(
  { name: 'partition_lag_events', help: 'Events of the partition that are not in the state yet' },
  { partition: PARTITION_NAMES },
  (set) => {
    for (const { part, lag } of readers) set({ partition: String(part) }, lag().events);
  },
);
gauge(
  {
    name: 'partition_lag_seconds',
    help: 'Age of the oldest event of the partition that is not in the state yet, or time without a reader',
  },
  { partition: PARTITION_NAMES },
  (set) => {
    for (const { part, lag } of readers) set({ partition: String(part) }, lag().seconds);
  },
);

export const batchEvents = histogram(
  { name: 'batch_events', help: 'Events in a batch', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256] },
  {},
);
export const batchDurations = histogram(
  {
    name: 'batch_duration_seconds',
    help: 'Time to commit a batch and to publish what it says',
    buckets: SECONDS,
  },
  {},
);
