import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const LOGGER = new URL('../../services/logger.ts', import.meta.url).href;
const WORK = new URL('../../services/work.ts', import.meta.url).href;
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A program that logs as a service does, at WARNING. */
const program = (folder: string | undefined, work: string): string => `
  const { openLogger } = await import('${LOGGER}');
  const { during } = await import('${WORK}');
  const settings = { ORDER_MANAGER_LOG_LEVEL: 'WARNING', ORDER_MANAGER_LOG_DIR: ${JSON.stringify(folder)} };
  const log = await openLogger(settings, 'orders');
  ${work}`;

const run = async (code: string, toFile?: string): Promise<string> => {
  const args = ['--input-type=module', '--eval', code];
  if (toFile === undefined)
    return (await promisify(execFile)(process.execPath, args, { cwd: PROJECT })).stdout;
  // Whatever writes much to a pipe waits for whoever reads it.
  const command = `exec "$0" "$@" > '${toFile}'`;
  await promisify(execFile)('/bin/sh', ['-c', command, process.execPath, ...args], { cwd: PROJECT });
  return readFile(toFile, 'utf8');
};

const linesOf = (text: string): unknown[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

/** Cheaper than parsing lines of a megabyte. */
const messagesIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => /"msg":"([^"]*)"}$/.exec(line.slice(-40))?.[1] ?? []);

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'order-manager-logs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'logs');
}

const LINES = `
  log.info('too small for this level');
  during({ orderId: 'ord_1', requestId: 'r-1' }, () =>
    during({ messageId: 'm-1' }, () => log.warn({ err: new TypeError('robin@probe.example') }, 'in work')));
  log.error({ orderId: 'ord_2' }, 'beside it');`;

test('on a pipe a line is JSON, says what it is about, and keeps the words of foreign errors to itself', async () => {
  const text = await run(program(undefined, LINES));
  expect(linesOf(text)).toEqual([
    expect.objectContaining({
      level: 'warn',
      service: 'orders',
      orderId: 'ord_1',
      requestId: 'r-1',
      messageId: 'm-1',
      err: expect.objectContaining({ name: 'TypeError' }),
      msg: 'in work',
    }),
    expect.objectContaining({ level: 'error', orderId: 'ord_2', msg: 'beside it' }),
  ]);
  expect(text).not.toContain('robin');
});

test('what PostgreSQL refuses for want of something says what that is', async () => {
  const refused = `log.warn({ err: Object.assign(new Error('could not extend file'), { code: '53100' }) }, 'refused');`;
  expect(linesOf(await run(program(undefined, refused)))).toMatchObject([
    { err: { code: '53100', means: 'the disk of PostgreSQL is full' }, msg: 'refused' },
  ]);
});

test('a folder gets the same lines, in files by service and day that follow each other', async () => {
  const folder = await aFolder();
  const lines = `for (let n = 0; n < 60; n += 1) log.warn({ filling: 'x'.repeat(1_000_000) }, 'line ' + n);
    await new Promise((resolve) => setTimeout(resolve, 100));
    log.warn('last');`;
  const stdout = messagesIn(await run(program(folder, lines), `${folder}.out`));
  const files = (await readdir(folder)).sort();
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(file).toMatch(/^orders\.\d{4}-\d\d-\d\d\.\d\.log$/);
  const written = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  expect(messagesIn(written.join(''))).toEqual(stdout);
  expect(stdout).toHaveLength(61);
});

/** Gives a program a terminal. */
const SCRIPT = '/usr/bin/script';
const noTerminal = existsSync(SCRIPT) ? '' : ` (skipped: ${SCRIPT} is missing)`;

test.skipIf(noTerminal !== '')(`on a terminal a line is for people${noTerminal}`, async () => {
  const code = program(undefined, LINES).replaceAll('\n', ' ').replaceAll("'", `'"'"'`);
  const command = `'${process.execPath}' --input-type=module --eval '${code}'`;
  const { stdout } = await promisify(execFile)(SCRIPT, ['-qec', command, '/dev/null'], { cwd: PROJECT });
  expect(stdout).not.toContain('"msg"');
  expect(stdout).toMatch(/WARN.*in work/);
  expect(stdout).toMatch(/orderId.*ord_1/);
});

/** A file on a disk without room. */
const FULL = '/dev/full';
const noFullDisk = existsSync(FULL) ? '' : ` (skipped: ${FULL} is missing)`;
const THREE_LINES = `for (const n of [1, 2, 3]) log.error('line ' + n);
  await new Promise((resolve) => setTimeout(resolve, 100));`;

test.skipIf(noFullDisk !== '')(
  `a full disk below the folder stops no work, and the other lines say so once${noFullDisk}`,
  async () => {
    const folder = await aFolder();
    await mkdir(folder);
    await symlink(FULL, join(folder, `orders.${new Date().toLocaleDateString('sv-SE')}.1.log`));
    const lines = linesOf(await run(program(folder, THREE_LINES)));
    const said = { msg: expect.stringContaining('ORDER_MANAGER_LOG_DIR'), err: { code: 'ENOSPC' } };
    expect(lines).toMatchObject([said, { msg: 'line 1' }, { msg: 'line 2' }, { msg: 'line 3' }]);
  },
);

test.skipIf(noFullDisk !== '')(
  `a full disk behind standard output stops no work, and the folder has all lines${noFullDisk}`,
  async () => {
    const folder = await aFolder();
    await run(program(folder, `${THREE_LINES} process.kill(process.pid, 'SIGKILL')`), FULL).catch(() => {});
    const [file = ''] = await readdir(folder);
    expect(messagesIn(await readFile(join(folder, file), 'utf8'))).toEqual(['line 1', 'line 2', 'line 3']);
  },
);

test('a folder that no log can be written to stops the start and names its variable', async () => {
  await expect(run(program('/dev/null/logs', LINES))).rejects.toThrow(
    'cannot start: ORDER_MANAGER_LOG_DIR: no file can be written there',
  );
});
