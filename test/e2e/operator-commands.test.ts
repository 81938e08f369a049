import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { PROJECT } from '../fixtures/compose-file.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { startProcess } from '../fixtures/started-process.ts';

const START_MS = 180_000;

async function aFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'order-manager-commands-'));
  // Root's PostgreSQL runs as another user, who has to enter.
  await chmod(dir, 0o755);
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A program of deploy/ as its npm script runs it, in an environment that names neither database nor NATS. */
function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [script = '', ...args] = words;
  const started = startProcess(process.execPath, [`deploy/${script}.ts`, ...args], {
    cwd: PROJECT,
    env: { ...NODE_ENVIRONMENT, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...environment },
  });
  onTestFinished(() => started.stop());
  return started;
}

async function endOf(words: readonly string[], environment?: Readonly<Record<string, string>>) {
  const { exited, output } = run(words, environment);
  return { code: await exited, output: output() };
}

const COMMANDS = [
  ['api-keys', 'add', 'pricing-agent', '--scope', 'read'],
  ['api-keys', 'list'],
  ['verify'],
  ['privacy-search'],
  ['republish', '--dry-run'],
  ['restored'],
  ['backfill', '--since', '2026-10-01'],
  ['setup'],
];
/** What these two want besides the addresses: something to look for, and services that are stopped. */
const END_ON_A_STACK: Readonly<Record<string, readonly [number, string]>> = {
  'privacy-search': [2, 'give values'],
  restored: [1, 'a service runs on this database'],
};
const on = (words: readonly string[], dataDir: string): string[] => [...words, '--data', dataDir];

test('a command that knows of no database says so in one sentence, which names the way out', {
  timeout: START_MS,
}, async () => {
  const dataDir = await aFolder();
  for (const words of COMMANDS) {
    const { code, output } = await endOf(on(words, dataDir));
    expect(code, output).toBeGreaterThan(0);
    expect(output.trim().split('\n'), output).toHaveLength(1);
    expect(output).toContain('DB_CONNECTION_STRING is not set');
    expect(output).toContain('npm start');
  }
});

test('a command with an option that it does not know says so in one sentence, and never that it looked', {
  timeout: START_MS,
}, async () => {
  for (const [name = ''] of COMMANDS) {
    const { code, output } = await endOf([name, '--nonsense']);
    expect([name, code]).toEqual([name, ['verify', 'privacy-search'].includes(name) ? 2 : 1]);
    expect(output.trim().split('\n'), output).toHaveLength(1);
    expect(output).toContain('--nonsense');
  }
});

test('while the local stack runs, the commands of an operator find its database and its NATS', {
  timeout: START_MS,
}, async () => {
  const dataDir = join(await aFolder(), 'data');
  const stack = run(['local/start', '--empty', '--data', dataDir], {
    ORDER_MANAGER_PORT: String(await freePort()),
  });
  await stack.says('Ctrl-C stops everything');
  for (const name of ['running.json', 'nats.keys.json'])
    expect([name, (await stat(join(dataDir, name))).mode & 0o777]).toEqual([name, 0o600]);

  for (const words of COMMANDS) {
    const { code, output } = await endOf(on(words, dataDir));
    const [wantedCode, wanted] = END_ON_A_STACK[words[0] ?? ''] ?? [0, 'on the local stack in'];
    expect([code, output]).toEqual([wantedCode, expect.stringContaining(wanted)]);
    expect(output).not.toContain('is not set');
    expect(output).not.toMatch(/postgres(ql)?:\/\/|SU[A-Z2-7]{56}/);
  }

  // Half of another house: what is missing must not be filled in with ours.
  const elsewhere = { DB_CONNECTION_STRING: 'postgresql://u:p@127.0.0.1:1/orderdb' };
  const { code, output } = await endOf(on(['restored'], dataDir), elsewhere);
  expect([code, output]).toEqual([1, expect.stringContaining('NATS_URL is not set')]);

  await stack.stop();
  expect(await endOf(on(['verify'], dataDir))).toMatchObject({
    output: expect.stringContaining('DB_CONNECTION_STRING is not set'),
  });
});

test('the servers of the local stack run without a service, so that a restored backup can be declared', {
  timeout: START_MS,
}, async () => {
  const dataDir = join(await aFolder(), 'data');
  const stack = run(['local/start', '--servers', '--data', dataDir], {
    ORDER_MANAGER_PORT: String(await freePort()),
  });
  await stack.says('No service runs');
  // Its partitions have counted in no stream yet, as they have in none of an empty NATS.
  expect(await endOf(on(['restored'], dataDir))).toEqual({
    code: 0,
    output: expect.stringContaining('Start the services.'),
  });
  await stack.stop();
});
