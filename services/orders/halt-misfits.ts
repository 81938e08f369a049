import { STREAMS } from '../../contracts/subjects.ts';
import type { Bus } from '../bus/bus.ts';
import { isOlderThanStream, OLDER_THAN_STREAM } from '../older-than-stream.ts';
import { halt, readPositions } from '../store/partitions.ts';
import type { Sql } from '../store/store.ts';
import { streamProblem } from './stream-guard.ts';

/**
 * Halts every partition whose position does not fit the stream, as its owner would before it reads on, and all of a
 * database that is older than the stream. Done by the set-up step, before any service can act on rows that are older than what happened.
 * @returns how many are halted now.
 */
export async function haltMisfits(sql: Sql, bus: Bus): Promise<number> {
  // Positions first: the stream only grows meanwhile, and is never found shorter than it was.
  const positions = await readPositions(sql);
  const stream = await bus.streamState(STREAMS.events);
  const older = (await isOlderThanStream(sql, bus, positions, stream)) ? OLDER_THAN_STREAM : null;
  let halted = 0;
  for (const { part, epoch, halted: known, ...position } of positions) {
    const problem = known ?? older ?? (await streamProblem(position, stream, bus));
    if (problem === null) continue;
    halted += 1;
    if (known === null) await halt(sql, part, epoch, problem);
  }
  return halted;
}
