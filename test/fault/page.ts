import type { Evidence } from './evidence.ts';
import type { Run } from './run.ts';
import { isComplete, isHeld } from './verdicts.ts';

const tally = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)]
    .map(([word, same]) => `${word} ${same.length}`)
    .sort()
    .join(', ');

export const isClean = ({ verdicts }: Run): boolean => verdicts.every(({ against }) => against.length === 0);

/** One page for people. */
export function pageOf(run: Run): string {
  const { options, evidence, done, verdicts } = run;
  const { orders, purchases, ledger } = evidence;
  const held = orders.filter((order) => !isComplete(order) && isHeld(order));
  const perSecond = orders.length / run.seconds;
  const lines = [
    `fault run, seed ${options.seed}: ${options.orders} orders, ${done.length} faults, ${options.copies} copies of each service, ` +
      `${options.natsServers} NATS server${options.natsServers === 1 ? '' : 's'}`,
    `  ${run.seconds.toFixed(0)} s in all, ${perSecond.toFixed(1)} orders/s; bad answers of the outside world: ${run.badAnswers}`,
    `  orders: ${tally(orders.map(({ state }) => state))}`,
    `  held with a reason: ${held.length}${held.length === 0 ? '' : ` (${tally(held.flatMap(({ holds }) => holds.map(causeOf)))})`}`,
    `  purchases: ${tally(purchases.map(({ state }) => state))}`,
    `  fulfilments ${ledger.fulfillments.length}, mails ${ledger.mails.length} (${tally(evidence.mailRows.map(({ state }) => state))})`,
    '  faults:',
    ...[...Map.groupBy(done, ({ fault, result }) => faultKind(fault, result))]
      .map(([kind, same]) => `    ${String(same.length).padStart(4)}  ${kind}`)
      .sort(),
    ...verdicts.map(({ claim, against }) =>
      against.length === 0
        ? `  holds    ${claim}`
        : `  BROKEN   ${claim}: ${against.length}\n${against
            .slice(0, 8)
            .map((text) => `             ${text}`)
            .join('\n')}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

const causeOf = ({ reason, evidence }: Evidence['orders'][number]['holds'][number]): string =>
  typeof evidence.cause === 'string' ? `${reason}: ${evidence.cause}` : reason;

/** Without numbers, so that the same things are counted together. */
const faultKind = (fault: string, result: string): string =>
  fault.startsWith('die at a moment')
    ? `${fault.replace(/ \d+ /, ' ').replace(/#\d+$/, '')}: ${result}`
    : fault.replace(/ \d+(?= |$)/g, '');
