import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `npm run test:mutations [-- --only NAME]

Switches off one guard after the other in a copy of the sources and expects the short form of the fault run to find out.
The exit code is 1 when one of them is not missed.
`;
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Each guard, and what the sources look like without it. */
const MUTATIONS: Readonly<Record<string, readonly Edit[]>> = {
  'the fence': [
    {
      file: 'services/store/partitions.ts',
      from: 'where part = $1 and epoch = $2 and seq = $3`',
      to: 'where part = $1 and $2::bigint is not null and $3::bigint is not null`',
    },
  ],
  'the inbox': [
    {
      file: 'services/store/batch.ts',
      from: 'return new Set(rows.map(({ message_id }) => message_id));',
      to: 'return new Set(rows === null ? [] : messageIds);',
    },
  ],
  'the grace': [
    {
      file: 'contracts/deadlines.ts',
      from: 'look_up: settings.ORDER_MANAGER_DOUBT_GRACE_SECONDS * 1_000',
      to: 'look_up: 0',
    },
    {
      file: 'services/suppliers/ledger.ts',
      from: "look_ups + 1 >= $4 and first_absent_at <= now() - $5::float8 * interval '1 millisecond'",
      to: '$4::int > 0 and $5::float8 >= 0',
    },
  ],
  'the outbox sweeper': [
    { file: 'services/orders/service.ts', from: '    startSweeper(store, bus, log),\n', to: '' },
  ],
  'the deadline of placing': [
    {
      file: 'contracts/deadlines.ts',
      from: 'placing: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 2_000 + 5_000',
      to: 'placing: 365 * DAY_MS',
    },
  ],
};
const COPIED = [
  'contracts',
  'machines',
  'services',
  'gateway',
  'templates',
  'deploy',
  'test',
  'package.json',
  'nats.conf',
];

/** A tree without that guard, which shares our packages. */
function mutatedTree(edits: readonly Edit[]): string {
  const tree = mkdtempSync(join(tmpdir(), 'order-manager-mutation-'));
  for (const name of COPIED) cpSync(join(PROJECT, name), join(tree, name), { recursive: true });
  for (const name of ['node_modules', '.cache']) symlinkSync(join(PROJECT, name), join(tree, name));
  for (const { file, from, to } of edits) {
    const text = readFileSync(join(tree, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
    writeFileSync(
      join(tree, file),
      text.replace(from, () => to),
    );
  }
  return tree;
}

/** @returns what the short form printed, and how it ended. */
function runShortForm(tree: string): Promise<{ readonly page: string; readonly code: number | null }> {
  const run = spawn(process.execPath, ['test/fault/main.ts', '--short'], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let page = '';
  run.stdout.on('data', (bytes: Buffer) => {
    page += bytes.toString();
  });
  return new Promise((resolve) => run.once('exit', (code) => resolve({ page, code })));
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
let missed = 0;
for (const [guard, edits] of Object.entries(MUTATIONS)) {
  if (values.only !== undefined && values.only !== guard) continue;
  const tree = mutatedTree(edits);
  const startedAt = performance.now();
  const { page, code } = await runShortForm(tree);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  rmSync(tree, { recursive: true, force: true });
  const broken = page.split('\n').filter((line) => /^ {2}BROKEN|^ {13}\S/.test(line));
  const isFound = code === 1 && broken.length > 0;
  if (!isFound) missed += 1;
  process.stdout.write(`${isFound ? 'found ' : 'MISSED'}  without ${guard} (${seconds} s)\n`);
  for (const line of broken) process.stdout.write(`      ${line.slice(0, 200)}\n`);
}
process.exit(missed === 0 ? 0 : 1);
