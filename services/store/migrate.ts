import { setTimeout as delay } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Store } from './store.ts';

/** Any number that no other software of this database uses as an advisory lock. */
export const MIGRATION_LOCK = 7_302_611;
const ASK_AGAIN_MS = 200;

/** Nobody may write to a table while a change of it waits for whoever reads it: between two tries all go on. */
const TRY_AGAIN_MS = 20_000;

/** For who looks on. */
export const MIGRATIONS_WAIT =
  'somebody reads a table for long, a backup perhaps: the migrations wait for it\n';

export interface Waiting {
  /** Told each time that it has to try again. */
  readonly onWait?: () => void;
  readonly tryAgainMs?: number;
}

/** A lock was not to be had, or two who waited for each other were parted. */
const isKeptWaiting = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '55P03' || error.code === '40P01');

/**
 * An index that was being made concurrently when the server or its maker stopped is there by its name: each write pays
 * for it, and no read uses it. Making it holds nobody up, and waits for everybody, a backup perhaps.
 */
async function finishIndexes(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
      where not i.indisvalid and c.relnamespace = current_schema()::regnamespace and pg_has_role(c.relowner, 'usage')`,
  );
  // What a reindexing that was cut off itself has left stands beside the index.
  for (const { name } of rows)
    await client.query(`${/_cc(new|old)\d*"?$/.test(name) ? 'drop' : 'reindex'} index concurrently ${name}`);
}

/**
 * Brings the schema up to date; waits its turn when another copy is at it, and for whoever keeps a table to themselves or
 * reads it for long. Returns the names of what was applied.
 */
export async function migrate(
  store: Store,
  { onWait = () => {}, tryAgainMs = TRY_AGAIN_MS }: Waiting = {},
): Promise<string[]> {
  const { migrator } = await store.orm();
  const client = await store.pool.connect();
  try {
    // Asked again and again: a statement that waits for the lock would itself be waited for by the copy that holds it and
    // makes an index concurrently, for ever.
    const isMine = async (): Promise<boolean> => {
      const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [
        MIGRATION_LOCK,
      ]);
      return rows[0]?.got === true;
    };
    while (!(await isMine())) await delay(ASK_AGAIN_MS);
    await client.query('set lock_timeout = 0');
    const pending = (await migrator.getPending()).map(({ name }) => name);
    for (;;) {
      try {
        await finishIndexes(client);
        await migrator.up();
        await finishIndexes(client);
        return pending;
      } catch (error) {
        if (!isKeptWaiting(error)) throw error;
        onWait();
        await delay(tryAgainMs);
      }
    }
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release(true);
  }
}
