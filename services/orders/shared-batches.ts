import { bulkhead } from 'cockatiel';
import { PARTITIONS } from '../../contracts/ids.ts';
import { gathering } from '../gathering.ts';
import { isOutage } from '../store/outage.ts';
import {
  commitBatch,
  commitTogether,
  type Holder,
  type HostPorts,
  hasOtherOwner,
  type PartitionBatch,
  partitionBatch,
} from './commit-batch.ts';
import type { DecodedMessage } from './decode-message.ts';

/** A partition that has something to commit. */
export interface Turn extends Holder {
  /** Its position. */
  readonly from: number;
  /** Asked when the transaction begins: what came while the turn was waited for goes along. */
  take(max: number): readonly DecodedMessage[];
}

/**
 * Commits what the partition has.
 * @returns its new position.
 * @throws FencedError when the partition has another owner.
 */
export type CommitTurn = (turn: Turn) => Promise<number>;

/** Events of one transaction: a larger one makes none of them cheaper, and whoever comes behind it waits longer. */
const MOST_EVENTS = 512;
/** Shared transactions at once: a second one would only make both smaller. */
const SHARED = 1;
/** Transactions of single partitions at once. */
const ALONE = 3;

/** What is left to do for a turn after the shared transaction; most often nothing but to tell the position. */
type Rest = () => number | Promise<number>;

/**
 * One transaction for what all partitions of this copy have at the same time, instead of one for each: a transaction of
 * many events costs hardly more than one of two, and while it is written the readers gather the next. A partition that
 * is fenced off drops out of it and harms nobody. When the transaction fails, each partition goes on by itself, so that
 * whoever is the cause waits, or is taken apart, alone.
 */
export function sharedBatches(ports: HostPorts): CommitTurn {
  const alone = bulkhead(ALONE, Number.POSITIVE_INFINITY);

  const commitAll = async (turns: readonly Turn[]): Promise<readonly Rest[]> => {
    const rests = new Map<Turn, Rest>();
    const batches = new Map<Turn, PartitionBatch>();
    for (const turn of turns) {
      try {
        const messages = turn.take(Math.ceil(MOST_EVENTS / turns.length));
        if (messages.length > 0) batches.set(turn, partitionBatch(turn, turn.from, messages));
      } catch (error) {
        rests.set(turn, () => Promise.reject(error));
      }
    }
    if (batches.size > 0) {
      const outcome = await commitTogether(ports, [...batches.values()]).catch((error: unknown) => ({
        error,
      }));
      if ('error' in outcome && batches.size > 1)
        ports.log.warn(
          { partitions: batches.size, err: outcome.error },
          'a shared transaction failed, its partitions go on alone',
        );
      for (const [turn, batch] of batches) rests.set(turn, restOf(turn, batch, batches.size, outcome));
    }
    return turns.map((turn) => rests.get(turn) ?? (() => turn.from));
  };

  const restOf = (
    turn: Turn,
    { from, to, messages }: PartitionBatch,
    company: number,
    outcome: ReadonlySet<number> | { readonly error: unknown },
  ): Rest => {
    if (!('error' in outcome)) {
      if (outcome.has(turn.part)) return () => to;
      return () => Promise.reject(hasOtherOwner(turn.part));
    }
    const { error } = outcome;
    // What the database refuses may be another's: only alone it is told about this one.
    const failed = company === 1 || isOutage(error) ? error : undefined;
    return () => alone.execute(() => commitBatch({ ...ports, ...turn }, messages, from, failed));
  };

  const together = gathering(commitAll, { most: PARTITIONS, rounds: SHARED });
  return async (turn) => (await together(turn))();
}
