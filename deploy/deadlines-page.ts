import { DEADLINES } from '../contracts/deadlines.ts';
import { STUCK_WORDS } from '../contracts/resources/stuck.ts';
import { readSettings } from '../contracts/settings.ts';
import { TOLERANCE_SECONDS, WAITING_KINDS, type WaitingKind, waitsOf } from '../contracts/waits.ts';

const TITLES: Readonly<Record<WaitingKind, string>> = {
  order: 'Orders',
  supplier_order: 'Supplier orders',
  parcel: 'Parcels',
  fulfillment: 'Fulfilments shown in the shop',
  hold: 'Holds',
  mail: 'Mails',
  message: 'Messages of the outbox',
  dead_letter: 'Dead letters',
};

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** As `1 d 6 h`. */
function duration(ms: number): string {
  let rest = ms;
  const parts = UNITS.flatMap(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}`];
  });
  return parts.length === 0 ? 'at once' : parts.join(' ');
}

const tableOf = (kind: WaitingKind): string[] => [
  `## ${TITLES[kind]}`,
  '',
  '| State | May last | Woken by | When that did not help |',
  '|---|---|---|---|',
  ...waitsOf(kind).map(([state, { timers, withinMs, next }]) => {
    const wakes = timers.map((timer) => `\`${timer}\``).join(', ');
    return `| \`${state}\` | ${duration(withinMs(readSettings({})))} | ${wakes || '–'} | ${next} |`;
  }),
  '',
];

/** The table of deadlines for people, under the usual settings. */
export const deadlinesPage = (): string =>
  [
    '# Deadlines',
    '',
    'Made from `contracts/waits.ts` by `npm run docs:deadlines`; a test fails when it is not as the code is.',
    '',
    'Everything that waits has a time after which somebody has to look. `GET /stuck` lists what is over it by more than',
    `${duration(TOLERANCE_SECONDS * 1_000)} (\`toleranceSeconds\`), longest first; the metric \`order_manager_stuck\` counts it by kind. What is held`,
    'waits for a person: its hold stands there in its place. Times are those of the usual settings; a timer that was set',
    'for later, by a long quote or a release, prolongs them.',
    '',
    '| Reason | Meaning |',
    '|---|---|',
    ...Object.entries(STUCK_WORDS).map(([reason, words]) => `| \`${reason}\` | ${words} |`),
    '',
    ...WAITING_KINDS.flatMap(tableOf),
    '## Timers',
    '',
    'What a timer does when it is due, again each quarter of an hour until something came of it.',
    '',
    '| Timer | When it is due |',
    '|---|---|',
    ...Object.entries(DEADLINES).map(([name, does]) => `| \`${name}\` | ${does} |`),
    '',
  ].join('\n');

if (import.meta.main) process.stdout.write(deadlinesPage());
