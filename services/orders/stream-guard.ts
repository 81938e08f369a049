import type { StreamState } from '../bus/streams.ts';
import type { ClaimedPartition } from '../store/partitions.ts';

/**
 * Why a partition must not be read on from its position, or null when it may. A consumer would skip in silence what
 * a lost, remade or purged stream no longer holds.
 */
export function streamProblem(
  { seq, streamCreated }: Pick<ClaimedPartition, 'seq' | 'streamCreated'>,
  stream: StreamState,
): string | null {
  if (streamCreated !== null && streamCreated !== stream.created) {
    return `the event stream was made anew at ${stream.created}; position ${seq} counts in the one of ${streamCreated}`;
  }
  if (stream.lastSeq < seq)
    return `the event stream ends at ${stream.lastSeq}, before position ${seq}: its tail is lost`;
  if (stream.firstSeq > seq + 1) {
    return `the event stream begins at ${stream.firstSeq}, behind position ${seq}: what stood between is gone`;
  }
  return null;
}
