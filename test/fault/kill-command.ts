import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `npm run test:kill -- --orders 1000 --kills 20 --seed 7

Buys that many orders from both suppliers while they answer every fourth call that spends badly and processes are
killed at the moments of their purchases; prints one page of verdicts.
`;
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '7' },
    help: { type: 'boolean', default: false },
  },
});
const { orders, kills, seed } = values;
if (values.help || [orders, kills, seed].some((number) => !/^\d+$/.test(number))) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 1);
}

const folder = mkdtempSync(join(tmpdir(), 'order-manager-kill-'));
const page = join(folder, 'page');
const run = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/fault/purchase-kill.test.ts', '-t', 'processes that die'],
  {
    cwd: PROJECT,
    stdio: 'inherit',
    env: {
      ...process.env,
      KILL_TEST_ORDERS: orders,
      KILL_TEST_KILLS: kills,
      KILL_TEST_SEED: seed,
      KILL_TEST_PAGE: page,
    },
  },
);
run.once('exit', (code) => {
  try {
    process.stdout.write(`\n${readFileSync(page, 'utf8')}`);
  } catch {
    process.stdout.write('the run ended before there was anything to judge\n');
  }
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
