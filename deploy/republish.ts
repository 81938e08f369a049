import { AppError } from '../contracts/errors.ts';
import { planRepublish, republish } from '../services/republish.ts';
import { DATA_HELP, DATA_OPTION, openForCommand, readOptions } from './local/open-for-command.ts';
import { createProgressBar } from './progress-bar.ts';
import { utcInstant } from './utc-instant.ts';

const HELP = `npm run republish                                   fills a NATS that lost its data from all that the outbox archive holds
npm run republish -- --since 2026-11-27T08:00:00Z   of commands and facts only those published since then (UTC, unless it says otherwise)
npm run republish -- --dry-run                      says what it would do, and which partitions are halted and why

Events, commands and facts go out again under their own ids, and halted partitions read on. It may be stopped and
started again, and repeated: nothing is done twice. After a database was restored from a backup it is
npm run restored instead.
${DATA_HELP}`;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const { values } = readOptions({
  options: {
    since: { type: 'string' },
    'dry-run': { type: 'boolean' },
    help: { type: 'boolean' },
    ...DATA_OPTION,
  },
});
const since = values.since === undefined ? undefined : utcInstant(values.since);
if (values.help || since === null) {
  say(HELP);
  process.exit(values.help ? 0 : 1);
}

const { store, bus } = await openForCommand({ data: values.data, name: 'republish', maxConnections: 2 });
let code = 0;
try {
  const plan = await planRepublish(store, since?.toISOString());
  const { span, counts, halted } = plan;
  for (const { part, halted: why } of halted) say(`partition ${part} is halted: ${why}`);
  if (halted.length === 0) say('no partition is halted');
  say(
    `published between ${span.from} and ${span.to}: ${counts.events} events that no order has taken, ` +
      `${counts.commands} commands and ${counts.facts} facts`,
  );
  if (values['dry-run']) say('Nothing was changed.');
  else {
    const bar = createProgressBar();
    const published = await republish(store, bus, plan, (now) =>
      bar(now.seen, now.total, `${now.seen} of ${now.total} messages, ${now.published} published`),
    );
    say(
      `Done: ${published} messages were published again; ${halted.length} halted partitions read on within seconds.`,
    );
  }
} catch (error) {
  code = 1;
  say(`Stopped: ${error instanceof AppError ? error.message : String(error)}.`);
  say('Nothing is lost by that: it may be started again.');
}
await bus.close();
await store.close();
process.exit(code);
