import { readSettings } from '../contracts/settings.ts';
import { audit } from '../services/audit.ts';
import { createLogger } from '../services/logger.ts';
import { openStore } from '../services/store/store.ts';

/**
 * npm run audit: proves over the whole database that no unit was lost or invented, that purchases agree with their
 * orders, and that each order's timeline leads to the state that is stored. Changes nothing; exit code 1 on a violation.
 */
const settings = readSettings(process.env);
const { DB_CONNECTION_STRING: connectionString } = settings;
if (connectionString === undefined) {
  process.stderr.write('cannot audit: DB_CONNECTION_STRING is not set\n');
  process.exit(2);
}
const store = await openStore({ connectionString, maxConnections: 2, name: 'audit' });
const { checked, violations } = await audit(store, (text) => process.stdout.write(`${text}\n`));
createLogger(settings, 'audit').debug({ ...checked, violations }, 'audited');
await store.close();
process.exit(violations === 0 ? 0 : 1);
