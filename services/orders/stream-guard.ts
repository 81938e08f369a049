import { STREAMS } from '../../contracts/subjects.ts';
import type { Bus } from '../bus/bus.ts';
import type { StreamState } from '../bus/streams.ts';
import type { ClaimedPartition } from '../store/partitions.ts';

type Position = Pick<ClaimedPartition, 'seq' | 'streamCreated' | 'mark'>;

/** Times of the server in microseconds do not survive every way to us. */
const SAME_MS = 1;

/**
 * Why a partition must not be read on from its position, or null when it may. A consumer would skip in silence what
 * a lost, remade or purged stream no longer holds.
 */
export async function streamProblem(
  { seq, streamCreated, mark }: Position,
  stream: StreamState,
  bus: Pick<Bus, 'storedMsOf'>,
): Promise<string | null> {
  const storedMs = mark === null ? null : await bus.storedMsOf(STREAMS.events, mark.seq);
  const isMarked = mark !== null && storedMs !== null && Math.abs(storedMs - mark.storedMs) <= SAME_MS;
  // Where what was counted still stands, the stream is the right one, whatever it says of its making.
  if (!isMarked && streamCreated !== null && streamCreated !== stream.created) {
    return `the event stream was made anew at ${stream.created}; position ${seq} counts in the one of ${streamCreated}`;
  }
  if (stream.lastSeq < seq)
    return `the event stream ends at ${stream.lastSeq}, before position ${seq}: its tail is lost`;
  if (stream.firstSeq > seq + 1) {
    return `the event stream begins at ${stream.firstSeq}, behind position ${seq}: what stood between is gone`;
  }
  // A tail that was lost and has grown again since is as long as it was.
  if (mark === null || storedMs === null || isMarked) return null;
  return `the event stream holds another message at ${mark.seq} than was read there: its tail is lost`;
}
