import { STREAMS } from '../../contracts/subjects.ts';
import type { Bus } from '../bus/bus.ts';
import { halt, readPositions } from '../store/partitions.ts';
import type { Sql } from '../store/store.ts';
import { streamProblem } from './stream-guard.ts';

/**
 * Halts every partition whose position does not fit the stream, as its owner would before it reads on. Done by the set-up
 * step, before any service can act on rows that are older than what happened.
 * @returns how many are halted now.
 */
export async function haltMisfits(sql: Sql, bus: Bus): Promise<number> {
  // Positions first: the stream only grows meanwhile, and is never found shorter than it was.
  const positions = await readPositions(sql);
  const stream = await bus.streamState(STREAMS.events);
  let halted = 0;
  for (const { part, epoch, halted: known, ...position } of positions) {
    const problem = known ?? (await streamProblem(position, stream, bus));
    if (problem === null) continue;
    halted += 1;
    if (known === null) await halt(sql, part, epoch, problem);
  }
  return halted;
}
