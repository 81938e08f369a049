import { parseArgs } from 'node:util';
import { readSettings } from '../contracts/settings.ts';
import { STREAMS } from '../contracts/subjects.ts';
import { openContext } from '../services/run-service.ts';
import { republishEvents } from '../services/store/outbox.ts';
import { haltedPartitions, resumeFromStart } from '../services/store/partitions.ts';

const HELP = `npm run partition:resume                  lists the halted partitions and why
npm run partition:resume -- --republish   NATS lost events: publishes again what the outbox archive of the last 24 hours
                                          holds, and lets the partitions read the stream from its beginning
`;

/**
 * The way on for partitions that the stream guard has halted. Reading again from the stream's beginning and publishing
 * again are both harmless: the inbox knows what was done.
 */
const { values } = parseArgs({ options: { republish: { type: 'boolean', default: false } } });
const { store, bus } = await openContext(readSettings(process.env), 'partition-resume', 2);
const halted = await haltedPartitions(store);
for (const { part, halted: why } of halted) process.stdout.write(`partition ${part}: ${why}\n`);
if (halted.length === 0) process.stdout.write('no partition is halted\n');
else if (!values.republish) process.stdout.write(`\n${HELP}`);
else {
  const { created } = await bus.streamState(STREAMS.events);
  await store.transaction(async (sql) => {
    const again = await republishEvents(sql);
    await resumeFromStart(sql, created);
    process.stdout.write(
      `${halted.length} partitions resume; ${again} events are published again by the sweeper\n`,
    );
  });
}
await bus.close();
await store.close();
