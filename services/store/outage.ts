import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { codeOf } from './server-code.ts';

/** A migration changed what a prepared statement answers; the next try prepares it anew. */
export const STALE_PLAN = '0A000';

/**
 * 25P03 and 25P04: the session waited too long inside its transaction, because this process was frozen. 25006: it is a
 * standby that nobody has promoted yet, or a server that was set to be read only because its disk is full. 58: its disk or
 * its system fails, whatever the data.
 */
const OUTAGE_CLASSES = /^(08|25006|25P0[34]|40|53|55P03|57|58)/;
/** Of the network, the search for a name among it (EAI_AGAIN); what Node calls a misuse begins with ERR. */
const NETWORK_CODE = /^E(?!RR_)[A-Z_]+$/;

/**
 * Whether trying the same transaction again can help: the database was away, busy or broke a deadlock. Everything else
 * is about the data, and the same data will fail again.
 */
export function isOutage(error: unknown): boolean {
  // What is no JSON: V8 quotes it, and calls it "unterminated".
  if (!(error instanceof Error) || error instanceof SyntaxError) return false;
  const code = codeOf(error);
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E'))
    return OUTAGE_CLASSES.test(code) || code === STALE_PLAN;
  // What names a path is about a file.
  if (code !== undefined && NETWORK_CODE.test(code)) return !('path' in error);
  if (/connection|timeout exceeded|terminat/i.test(error.message)) return true;
  return error.cause !== undefined && isOutage(error.cause);
}

/** A statement was ended for taking too long: the server is slow just now, or it was asked for too much at once. */
export const isTooSlow = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '57014';

const again = retry(handleWhen(isOutage), {
  maxAttempts: 15,
  backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 5_000 }),
});

/**
 * For what is known and must not be forgotten: while the database is away, busy or breaks deadlocks it is done again, for
 * about a minute, in which whoever asks waits.
 * @param work may be done twice: an outage may take away the answer only. Throws what the last try threw.
 */
export const throughOutage = <T>(work: () => Promise<T>): Promise<T> => again.execute(work);
