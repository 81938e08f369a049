import { setTimeout as delay } from 'node:timers/promises';
import { readSettings } from '../contracts/settings.ts';
import { missingMigrations } from '../services/store/schema.ts';
import { openStore } from '../services/store/store.ts';

const PAUSE_MS = 1_000;

/**
 * Waits until the set-up step has brought the database to what this release needs. A service that is started before it,
 * where nothing else keeps the order of the two, runs this first.
 */
const { DB_CONNECTION_STRING: connectionString } = readSettings(process.env);
if (connectionString === undefined) throw new Error('DB_CONNECTION_STRING is not set');
const store = await openStore({ connectionString, maxConnections: 1, name: 'await-setup' });
for (let before = -1; ; await delay(PAUSE_MS)) {
  const { length } = await missingMigrations(store);
  if (length === 0) break;
  if (length !== before) process.stdout.write(`waiting for the set-up step: ${length} migrations to go\n`);
  before = length;
}
await store.close();
