import { AppError } from '../contracts/errors.ts';
import { planRepublish, republish } from '../services/republish.ts';
import { declareRestored } from '../services/restored.ts';
import { DATA_HELP, DATA_OPTION, openForCommand, readOptions } from './local/open-for-command.ts';
import { createProgressBar } from './progress-bar.ts';
import { utcInstant } from './utc-instant.ts';

const HELP = `npm run restored -- --backup-of 2026-11-27T08:00:00Z   the database was put back to the backup of that time (UTC, unless it says otherwise)
npm run restored                                       the same; the time is the last one that the database knows

Once, after the restore and npm run setup on an empty NATS, before any service starts. What was bought, paid and mailed
after the backup is looked for before it is done again; deploy/guide/operating.md says how.
${DATA_HELP}`;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const { values } = readOptions({
  options: { 'backup-of': { type: 'string' }, help: { type: 'boolean' }, ...DATA_OPTION },
});
const backupOf = values['backup-of'] === undefined ? undefined : utcInstant(values['backup-of']);
if (values.help || backupOf === null) {
  say(HELP);
  process.exit(values.help ? 0 : 1);
}

const { store, bus } = await openForCommand({ data: values.data, name: 'restored', maxConnections: 2 });
let code = 0;
try {
  const declared = await declareRestored(store, bus, backupOf?.toISOString());
  say(`This database is a backup of ${declared.backupOf}.`);
  say(`${declared.lookedAtAgain} purchases are looked at again.`);
  if (declared.doubtfulDelays > 0)
    say(
      `${declared.doubtfulDelays} parcels are overdue, and their customers perhaps told: they are not told again.`,
    );
  const bar = createProgressBar();
  const published = await republish(store, bus, await planRepublish(store), (now) =>
    bar(now.seen, now.total, `${now.seen} of ${now.total} messages of the archive`),
  );
  say(`${published} messages of the archive are in NATS again. Start the services.`);
} catch (error) {
  code = 1;
  say(`Stopped: ${error instanceof AppError ? error.message : String(error)}.`);
}
await bus.close();
await store.close();
process.exit(code);
