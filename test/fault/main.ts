import { parseArgs } from 'node:util';
import { isClean, pageOf } from './page.ts';
import { runFaults } from './run.ts';
import { SHORT_FORM } from './short-form.ts';

const HELP = `npm run test:faults -- --orders 2000 --faults 60 --seed 7 [--copies 2] [--nats 1|3] [--settle SECONDS] [--beside COMMIT] [--logs DIR]
npm run test:faults -- --short


Starts the whole system as processes of its own against the sandbox world, sells that many orders, does that many faults
to it meanwhile and prints one page of verdicts; the exit code is 1 when any of them is broken. The same seed sells the
same orders and does the same harm. The short form is what npm test runs. With --beside the code of that commit runs side
by side with this one, as in an upgrade and on the way back: each process that is started again is of the other one.
`;

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '2000' },
    faults: { type: 'string', default: '60' },
    seed: { type: 'string', default: '7' },
    copies: { type: 'string', default: '2' },
    settle: { type: 'string', default: '240' },
    nats: { type: 'string', default: '1' },
    beside: { type: 'string' },
    short: { type: 'boolean', default: false },
    logs: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const { orders, faults, seed, copies, nats, settle } = values;
if (values.help || [orders, faults, seed, copies, nats, settle].some((number) => !/^\d+$/.test(number))) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}

const isTerminal = process.stderr.isTTY;
const say = (line: string): void => {
  process.stderr.write(isTerminal ? `\r\u001b[K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
};
// The servers end with this process, but only when it ends in its own way.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const run = await runFaults({
  ...(values.short
    ? SHORT_FORM
    : {
        orders: Number(orders),
        faults: Number(faults),
        seed: Number(seed),
        copies: Number(copies),
        natsServers: Number(nats),
        settleMs: Number(settle) * 1_000,
        sweepSeconds: 10,
        // A thousand orders that ask again every three seconds would keep two cores from everything else.
        retrySeconds: 10,
      }),
  beside: values.beside,
  logsTo: values.logs,
  say,
});
if (isTerminal) process.stderr.write('\r\u001b[K');
process.stdout.write(pageOf(run));
process.exit(isClean(run) ? 0 : 1);
