import { AppError } from '../contracts/errors.ts';
import { type BackfillProgress, backfill, planBackfill } from '../services/shopify/backfill.ts';
import { asking } from '../services/shopify/read-work.ts';
import { adminOf } from '../services/shopify/shop-login.ts';
import { DATA_HELP, DATA_OPTION, openForCommand, readOptions } from './local/open-for-command.ts';
import { createProgressBar } from './progress-bar.ts';
import { utcInstant } from './utc-instant.ts';

const HELP = `npm run backfill -- --since 2026-10-01   brings in every order that the shop changed since that day

It may be stopped and started again with the same day: it goes on where it was. Orders that are over come in as they
are and nobody is mailed about them. Open paid ones are worked on like new ones, so look at your modes first.
Without the scope read_all_orders Shopify shows the orders of the last 60 days only.
${DATA_HELP}`;

const bar = createProgressBar();
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const show = ({ total, seen, told }: BackfillProgress): void =>
  bar(seen, total, `${seen} of ${total} orders, ${told} brought in`);

const { values } = readOptions({
  options: { since: { type: 'string' }, help: { type: 'boolean' }, ...DATA_OPTION },
});
const since = utcInstant(values.since ?? '');
if (values.help || since === null) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 1);
}

const { store, bus, settings, log } = await openForCommand({
  data: values.data,
  name: 'backfill',
  maxConnections: 4,
});
const admin = adminOf(settings, log);
const shop = settings.SHOPIFY_SHOP_URL;
let code = 0;
try {
  if (admin === undefined || shop === undefined) {
    throw new AppError('settings_invalid', 'there is no login for a shop: see .env.example, section Shop', {
      retryable: false,
    });
  }
  const ports = { store, bus, settings, log, admin, copyId: 'backfill' };
  const ask = asking(admin, 'read');
  const plan = await planBackfill(ports, ask, shop, since);
  if (plan.hiddenBefore !== null) {
    const day = plan.hiddenBefore.toISOString().slice(0, 10);
    say(
      `Shopify shows this app the orders of the last 60 days only: what was placed before ${day} will not come.`,
    );
    say('The scope read_all_orders would show the rest; Shopify grants it on request.');
  }
  say(`${plan.total ?? 'All'} orders of ${shop} since ${plan.from.toISOString()}`);
  const { told } = await backfill(ports, ask, shop, since, plan, show);
  say(`\nDone: ${told} orders brought in.`);
} catch (error) {
  code = 1;
  say(
    `\nStopped: ${error instanceof AppError ? error.message : String(error)}. Start it again to go on from here.`,
  );
}
await bus.close();
await store.close();
process.exit(code);
