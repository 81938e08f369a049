import type { Store } from './store.ts';

/** Any number that no other software of this database uses as an advisory lock. */
const MIGRATION_LOCK = 7_302_611;

/** Brings the schema up to date; waits its turn when another copy is at it. Returns the names of what was applied. */
export async function migrate(store: Store): Promise<string[]> {
  const pool = await store.orm.em.getConnection().getNativeClient();
  const client = await pool.connect();
  try {
    await client.query('set statement_timeout = 0');
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await store.orm.migrator.up();
    return applied.map(({ name }) => name);
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release(true);
  }
}
