import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from './store.ts';

/** Any number that no other software of this database uses as an advisory lock. */
export const MIGRATION_LOCK = 7_302_611;
const ASK_AGAIN_MS = 200;

/**
 * An index that was being made concurrently when the server stopped is there by its name: each write pays for it, and no
 * read uses it.
 */
async function finishIndexes(store: Store): Promise<void> {
  const unfinished = await store.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
      where not i.indisvalid and c.relnamespace = current_schema()::regnamespace and pg_has_role(c.relowner, 'usage')`,
  );
  // What a reindexing that was cut off itself has left stands beside the index.
  for (const { name } of unfinished)
    await store.run(`${/_cc(new|old)\d*"?$/.test(name) ? 'drop' : 'reindex'} index concurrently ${name}`);
}

/** Brings the schema up to date; waits its turn when another copy is at it. Returns the names of what was applied. */
export async function migrate(store: Store): Promise<string[]> {
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
    const applied = await migrator.up();
    await finishIndexes(store);
    return applied.map(({ name }) => name);
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release(true);
  }
}
