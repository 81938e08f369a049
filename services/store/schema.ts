import { readdir } from 'node:fs/promises';
import { AppError } from '../../contracts/errors.ts';
import type { Store } from './store.ts';

/** By the names of their files: loading them takes memory that no service has for them. */
const MIGRATIONS = new URL('migrations/', import.meta.url);
const UNDEFINED_TABLE = '42P01';

const namesOfRelease = async (): Promise<string[]> =>
  (await readdir(MIGRATIONS)).flatMap((file) => /^(\d{4}-.+)\.ts$/.exec(file)?.[1] ?? []);

const isEmptyDatabase = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE;

/** @returns the names of this release's migrations that the database lacks, all of them where it is empty. */
export async function missingMigrations(store: Store): Promise<string[]> {
  const rows = await store.query<{ name: string }>('select name from migrations').catch((error: unknown) => {
    if (isEmptyDatabase(error)) return [];
    throw error;
  });
  const applied = new Set(rows.map(({ name }) => name));
  return (await namesOfRelease()).filter((name) => !applied.has(name));
}

/**
 * A database of the release before lacks what every statement of this one counts on: orders would stand still, and
 * commands be set aside as hopeless.
 * @throws AppError `store_unavailable` that names what to do. A database of a later release will do.
 */
export async function refuseOldSchema(store: Store): Promise<void> {
  const { length } = await missingMigrations(store);
  if (length === 0) return;
  const what = `the database lacks ${length} migrations of this release: run the set-up step (npm run setup)`;
  throw new AppError('store_unavailable', `cannot start: ${what}`, { retryable: true });
}
