import { PARTITIONS } from '../../contracts/ids.ts';
import { OLDER_THAN_STREAM } from '../older-than-stream.ts';
import { startPeriodic } from '../periodic.ts';
import {
  beat,
  type ClaimedPartition,
  claim,
  forgetCopy,
  haltEvery,
  readPositions,
  release,
  renew,
} from '../store/partitions.ts';
import type { HostPorts } from './commit-batch.ts';
import type { PartitionWorker, WorkerOptions } from './partition-worker.ts';
import { startPartitionWorker } from './partition-worker.ts';
import { sharedBatches } from './shared-batches.ts';

export interface PartitionOwner {
  /** Gives every lease back after its batch. */
  stop(): Promise<void>;
}

const BEAT_MS = 900;

type Known = Pick<ClaimedPartition, 'epoch' | 'seq'>;

/**
 * Whether a row is older than what this process has seen of it: the database was put back to an earlier time, or a standby
 * that lacked the last commits took over. Epochs only grow, and so does a position within one.
 */
const isPutBack = (known: Known | undefined, { epoch, seq }: Known): boolean =>
  known !== undefined && (epoch < known.epoch || (epoch === known.epoch && seq < known.seq));

/**
 * Holds this copy's fair share of the partitions: takes expired leases up to ceil(P / living copies), gives back what
 * is above it, and drops what somebody else has taken.
 * @param copyId unique per process start.
 */
export function startPartitionOwner(
  options: HostPorts & Omit<WorkerOptions, 'partition' | 'commit'>,
  copyId: string,
): PartitionOwner {
  const { store, log } = options;
  const workers = new Map<number, PartitionWorker>();
  const known = new Map<number, Known>();
  const commit = sharedBatches(options);
  let isStopping = false;

  const take = (partition: ClaimedPartition): void => {
    workers.set(partition.part, startPartitionWorker({ ...options, partition, commit }));
  };

  const drop = async (part: number): Promise<void> => {
    const worker = workers.get(part);
    workers.delete(part);
    await worker?.stop();
  };

  const giveBack = async (parts: readonly number[]): Promise<void> => {
    await Promise.all(parts.map(drop));
    await release(store, copyId, parts);
  };

  /** Reading on would buy and mail anew what is bought and mailed. */
  const haltAll = async (): Promise<void> => {
    await haltEvery(store, OLDER_THAN_STREAM);
    log.error({ problem: OLDER_THAN_STREAM }, 'every partition halted: the database is older than it was');
    known.clear();
    await giveBack([...workers.keys()]);
  };

  const share = async (): Promise<void> => {
    const alive = await beat(store, copyId);
    const held = [...workers.keys()];
    // Before the rows are read: a batch may be committed meanwhile.
    for (const [part, { epoch, seq }] of workers) known.set(part, { epoch, seq: seq() });
    const ours = new Map((await renew(store, copyId, held)).map((row) => [row.part, row]));
    // Those of others too: in the older time a row may have had another owner, and whoever claims it has to know.
    const all = await readPositions(store);
    if (all.some((row) => isPutBack(known.get(row.part), row))) return haltAll();
    for (const { part, epoch, seq } of all) known.set(part, { epoch, seq });
    for (const part of held) {
      const row = ours.get(part);
      const worker = workers.get(part);
      if (row === undefined || row.epoch !== worker?.epoch) await drop(part);
      // A worker that gave up without being halted: let anyone, us included, start afresh from the committed position.
      // One that reads on though it was halted lets go as well.
      else if (worker.hasEnded() === (row.halted === null)) await giveBack([part]);
    }
    const target = Math.ceil(PARTITIONS / Math.max(alive, 1));
    if (workers.size > target) await giveBack([...workers.keys()].slice(target));
    if (workers.size < target && !isStopping) {
      const claimed = await claim(store, copyId, target - workers.size);
      // As they were before the claim raised their epochs; put back since they were read, nobody may begin on them.
      const isAny = claimed.some(({ part, epoch, seq }) =>
        isPutBack(known.get(part), { epoch: epoch - 1, seq }),
      );
      if (isAny) return haltAll();
      claimed.forEach(take);
    }
  };

  const rounds = startPeriodic('leases', BEAT_MS, log, async () => {
    await share();
    return 'idle';
  });

  return {
    async stop() {
      isStopping = true;
      const finished = Promise.all([...workers.values()].map((worker) => worker.stop()));
      // The round in hand may still take partitions: only after it is known what has to be given back.
      await rounds.stop();
      await finished;
      await giveBack([...workers.keys()]).catch(() => {});
      await forgetCopy(store, copyId).catch(() => {});
    },
  };
}
