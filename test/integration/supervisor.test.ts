import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { supervise } from '../../deploy/local/supervisor.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A process of these lines that lives until its starter is gone, kept running. */
async function aSupervised(...lines: string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'supervised-'));
  const script = join(dir, 'child.mjs');
  await writeFile(script, ["process.on('disconnect', () => process.exit(0));", ...lines].join('\n'));
  const supervised = supervise({
    name: 'child',
    script: relative(PROJECT, script),
    env: { PATH: process.env.PATH },
    logDir: dir,
    readyText: 'works now',
  });
  onTestFinished(async () => {
    await supervised.stop();
    await rm(dir, { recursive: true });
  });
  return supervised;
}

test('a process is ready when it says so, though its word arrives in two pieces', async () => {
  const { ready } = await aSupervised(
    "process.stdout.write('it works', () => setTimeout(() => process.stdout.write(' now\\n'), 50));",
  );
  await expect(ready).resolves.toBeUndefined();
});

test('a process that ends before is not started again, and its last words say why', async () => {
  const supervised = await aSupervised(
    "process.stderr.write('no port\\n', () => setTimeout(() => process.exit(1), 50));",
  );
  await expect(supervised.ready).rejects.toThrow(/child did not start:\nno port/);
  expect(supervised.restarts()).toBe(0);
});
