import { readSettings } from '../contracts/settings.ts';
import { haltMisfits } from '../services/orders/halt-misfits.ts';
import { openContext } from '../services/run-service.ts';
import { migrate } from '../services/store/migrate.ts';

/**
 * The set-up step: migrations under a lock, then streams and durables. Run before the services and after each update;
 * repeating it changes nothing.
 */
const { store, bus, settings } = await openContext(readSettings(process.env), 'setup', 2, true);
const applied = await migrate(store);
await bus.setUp(settings.NATS_REPLICAS, settings.NATS_STORE_GIGABYTES);
const halted = await haltMisfits(store, bus);
if (halted > 0)
  process.stdout.write(
    `${halted} partitions are halted: NATS lost its data (npm run republish), or the database is a restored backup (npm run restored)\n`,
  );
process.stdout.write(`database ready (${applied.length} migrations applied), streams ready\n`);
await bus.close();
await store.close();
