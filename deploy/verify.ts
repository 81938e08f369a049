import { messageOf } from '../contracts/errors.ts';
import { audit } from '../services/audit.ts';
import { DATA_HELP, DATA_OPTION, openStoreForCommand, readOptions } from './local/open-for-command.ts';
import { createProgressBar } from './progress-bar.ts';

const HELP = `npm run verify                     proves over the whole database that no unit was lost or invented, that purchases
                                   agree with their orders, and that each order's timeline leads to what is stored
npm run verify -- --order ord_…    the same of one order

Changes nothing and may run at any time. Each difference is a line: order, field, what is stored, what the timeline
tells. Exit code 1 when there is one, 2 when it could not be looked.
${DATA_HELP}`;

const { values } = readOptions(
  {
    options: { order: { type: 'string' }, help: { type: 'boolean' }, ...DATA_OPTION },
  },
  2,
);
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const store = await openStoreForCommand({ data: values.data, maxConnections: 2, name: 'verify' }, 2);
try {
  const [{ count } = { count: 0 }] = await store.query<{ count: number }>(
    'select count(*)::float8 as count from orders where $1::text is null or id = $1',
    [values.order ?? null],
  );
  const bar = createProgressBar();
  const { violations } = await audit(store, (text) => process.stdout.write(`${text}\n`), {
    orderId: values.order,
    onProgress: ({ orders }) => {
      if (process.stdout.isTTY) bar(orders, count, `${orders} of ${count} orders`);
    },
  });
  await store.close();
  process.exit(violations === 0 ? 0 : 1);
} catch (error) {
  process.stderr.write(`cannot verify: ${messageOf(error)}\n`);
  process.exit(2);
}
