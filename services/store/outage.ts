import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';

/** A migration changed what a prepared statement answers; the next try prepares it anew. */
export const STALE_PLAN = '0A000';

/** 25P03 and 25P04: the session waited too long inside its transaction, because this process was frozen. */
const OUTAGE_CLASSES = /^(08|25P0[34]|40|53|55P03|57)/;

/**
 * Whether trying the same transaction again can help: the database was away, busy or broke a deadlock. Everything else
 * is about the data, and the same data will fail again.
 */
export function isOutage(error: unknown): boolean {
  // What is no JSON: V8 quotes it, and calls it "unterminated".
  if (!(error instanceof Error) || error instanceof SyntaxError) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E'))
    return OUTAGE_CLASSES.test(code) || code === STALE_PLAN;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return true;
  if (/connection|timeout exceeded|terminat/i.test(error.message)) return true;
  return error.cause !== undefined && isOutage(error.cause);
}

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
