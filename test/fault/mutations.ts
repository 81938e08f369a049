import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { applied, type Edit, MUTATIONS } from './guards.ts';

const HELP = `npm run test:mutations [-- --only NAME]

Switches off one guard after the other in a copy of the sources and expects the short form of the fault run to find out.
The exit code is 1 when one of them is not missed.
`;
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

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
  for (const edit of edits) {
    const file = join(tree, edit.file);
    writeFileSync(file, applied(readFileSync(file, 'utf8'), edit));
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
