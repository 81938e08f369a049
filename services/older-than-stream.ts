import { STREAMS } from '../contracts/subjects.ts';
import type { Bus } from './bus/bus.ts';
import type { StreamState } from './bus/streams.ts';
import type { PartitionPosition } from './store/partitions.ts';
import type { Sql } from './store/store.ts';

/** Why partitions of such a database are halted. */
export const OLDER_THAN_STREAM =
  'NATS has events that this database never said: it was put back to an earlier time. Stop every service, empty the store of NATS, then npm run setup and npm run restored';

/**
 * Whether the event stream holds what this database never said: then the database was put back to an earlier time, and
 * reading on would buy and mail anew what is bought and mailed. What is published stands in the outbox before, and stays
 * there until it is read. Once that was seen, nothing but another NATS undoes it.
 */
export async function isOlderThanStream(
  sql: Sql,
  bus: Pick<Bus, 'storedMsOf' | 'storedIds'>,
  positions: readonly Pick<PartitionPosition, 'seq' | 'streamCreated' | 'halted'>[],
  stream: StreamState,
): Promise<boolean> {
  const ofStream = positions.filter(({ streamCreated }) => streamCreated === stream.created);
  // A database that has never read this stream is new, and reads all of it.
  if (ofStream.length === 0) return false;
  if (ofStream.some(({ halted }) => halted === OLDER_THAN_STREAM)) return true;
  // The first that nobody here has read. Behind it may stand what was said since.
  const unread = Math.max(...positions.map(({ seq }) => seq)) + 1;
  const storedMs = await bus.storedMsOf(STREAMS.events, unread);
  if (storedMs === null) return false;
  // Times of the server are finer than ours.
  const ids = await bus.storedIds(STREAMS.events, new Date(storedMs - 1), new Date(storedMs + 1));
  const unknown = await sql.query(
    `select 1 from unnest($1::text[]) as said (id)
      where not exists (select 1 from outbox o where o.message_id = said.id)
        and not exists (select 1 from inbox i where i.message_id = said.id) limit 1`,
    [[...ids]],
  );
  return unknown.length > 0;
}
