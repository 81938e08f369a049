import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  ...['contracts', 'machines', 'services', 'gateway', 'deploy', 'test', 'templates'],
  ...['package.json', 'tsconfig.json', '.env.example', 'biome.json', 'nats.conf'],
];

/** The kit needs no servers. */
const CONFIG = `export default { test: { include: ['test/conformance/adapters.test.ts', 'test/unit/settings.test.ts'], testTimeout: 60_000 } };`;

interface Run {
  readonly code: number;
  readonly output: string;
}

interface Copy {
  readonly folder: string;
  run(...command: readonly string[]): Promise<Run>;
  remove(): void;
}

/** The project without its history, in a folder of its own. */
function aCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'order-manager-new-supplier-'));
  for (const name of COPIED) cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'vitest.config.ts'), CONFIG);
  const run = async (...command: readonly string[]): Promise<Run> => {
    // The compiler is written in Go, whose garbage is looked for less often.
    const options = { cwd: folder, maxBuffer: 32_000_000, env: { ...process.env, GOGC: '400' } };
    const node = promisify(execFile)(process.execPath, [...command], options);
    return node.then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  };
  return { folder, run, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

test('a new supplier compiles at once, and the kit says what there is to fill in', async () => {
  const { folder, run, remove } = aCopy();
  onTestFinished(remove);
  const made = await run('deploy/new-supplier/main.ts', 'big-buy');
  expect(made).toMatchObject({
    code: 0,
    output: expect.stringContaining('services/suppliers/big-buy/big-buy.ts'),
  });
  const files = made.output.split(/\s+/).filter((word) => word.endsWith('.ts'));
  expect(
    await run('node_modules/@biomejs/biome/bin/biome', 'check', '--vcs-enabled=false', ...files),
  ).toMatchObject({ code: 0 });
  // Threads check side by side what all of them need, each for itself.
  const compiler = ['node_modules/typescript/bin/tsc', '--noEmit', '--singleThreaded'];
  expect(await run(...compiler)).toEqual({ code: 0, output: '' });

  for (const [file, lane] of [
    ['nats.conf', '"oms.cmd.big_buy.>", "$JS.API.CONSUMER.INFO.CMD.oms-big_buy"'],
    ['deploy/kubernetes/base/suppliers.yaml', 'consumer: oms-big_buy'],
  ] as const)
    expect(readFileSync(join(folder, file), 'utf8')).toContain(lane);

  const vitest = ['node_modules/vitest/vitest.mjs', 'run'];
  expect(await run(...vitest, 'test/unit/settings.test.ts')).toMatchObject({ code: 0 });

  const kit = [...vitest, '-t', 'Big Buy', '--reporter=json', '--outputFile=kit.json'];
  expect((await run(...kit)).code).toBe(1);
  const { testResults } = Report.parse(JSON.parse(readFileSync(join(folder, 'kit.json'), 'utf8')));
  const ours = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => fullName.startsWith('Big Buy'));
  const messages = ours.flatMap(({ failureMessages }) => failureMessages);
  for (const method of ['search', 'product', 'quote', 'checkRecipient', 'registerPush'])
    expect(messages.join('\n')).toContain(
      `not filled in yet: ${method}() of services/suppliers/big-buy/big-buy.ts`,
    );
  const unexplained = messages.filter((message) => !message.includes('not filled in yet: '));
  expect(unexplained).toEqual([]);
  // Paying by call is not among the promises of a supplier that promises nothing.
  expect(ours.filter(({ status }) => status === 'passed').map(({ fullName }) => fullName)).toEqual([
    'Big Buy paying a payment without an answer is doubt, and the next look knows',
    'Big Buy paying too little money is funds, and nothing is paid',
  ]);
});

const refusing = aCopy();
afterAll(refusing.remove);

test.each([
  ['Big Buy', 'is no name'],
  ['big_buy', 'is no name'],
  ['aliexpress', 'is there already'],
  ['class', 'means something else here already'],
  ['shopify', 'means something else here already'],
])('"%s" is refused in words, and nothing is written', async (name, problem) => {
  const { folder, run } = refusing;
  const before = readFileSync(join(folder, 'contracts/vocabulary.ts'), 'utf8');
  expect(await run('deploy/new-supplier/main.ts', name)).toMatchObject({
    code: 1,
    output: expect.stringContaining(problem),
  });
  expect(readFileSync(join(folder, 'contracts/vocabulary.ts'), 'utf8')).toBe(before);
});

test('a place in a table that has gone is named, and nothing is written', async () => {
  const { folder, run, remove } = aCopy();
  onTestFinished(remove);
  writeFileSync(join(folder, 'test/conformance/benches.ts'), 'export const BENCHES = {};\n');
  const before = readFileSync(join(folder, 'contracts/vocabulary.ts'), 'utf8');
  const { code, output } = await run('deploy/new-supplier/main.ts', 'big-buy');
  expect(code).toBe(1);
  expect(output).toContain('test/conformance/benches.ts has no single place');
  expect(readFileSync(join(folder, 'contracts/vocabulary.ts'), 'utf8')).toBe(before);
});
