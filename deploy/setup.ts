import { haltMisfits } from '../services/orders/halt-misfits.ts';
import { MIGRATIONS_WAIT, migrate } from '../services/store/migrate.ts';
import { DATA_OPTION, openForCommand, readOptions } from './local/open-for-command.ts';

/**
 * The set-up step: migrations under a lock, then streams and durables. Run before the services and after each update;
 * repeating it changes nothing. Without DB_CONNECTION_STRING it is done on the local stack that runs; --data DIR says in
 * which folder, if not .data/local.
 */
const { values } = readOptions({ options: DATA_OPTION });
const { store, bus, settings } = await openForCommand({
  data: values.data,
  name: 'setup',
  maxConnections: 2,
});
const applied = await migrate(store, { onWait: () => process.stderr.write(MIGRATIONS_WAIT) });
await bus.setUp(settings.NATS_REPLICAS, settings.NATS_STORE_GIGABYTES);
const halted = await haltMisfits(store, bus);
if (halted > 0)
  process.stdout.write(
    `${halted} partitions are halted: NATS lost its data (npm run republish), or the database is a restored backup (npm run restored)\n`,
  );
process.stdout.write(`database ready (${applied.length} migrations applied), streams ready\n`);
await bus.close();
await store.close();
