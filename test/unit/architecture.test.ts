import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FACT_TYPES } from '../../contracts/facts.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LAYERS: readonly string[] = ['contracts', 'machines', 'services', 'gateway', 'deploy', 'test'];
const SPEAKERS = ['orders', 'suppliers', 'shopify', 'notifier'];
const PURE = ['contracts', 'machines'];
/** What a pure layer may take from outside. */
const PURE_PACKAGES = ['zod', 'xstate'];
const MAY_SPEAK_NATS = ['services/bus/', 'deploy/', 'test/'];
const DIALECT =
  /api2\.0|cjdropshipping\.com|payBalance|createOrderV2|aliexpress\.(?:com|ds\.|trade\.)|out_order_id|sku_attr/;
const MAY_SPEAK_DIALECT = [
  'services/suppliers/aliexpress/',
  'services/suppliers/cj-dropshipping/',
  'deploy/sandbox/',
  'contracts/settings.ts',
  'test/',
];
const UNPURE =
  /\bDate\.now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\s\w$(]))|(?<!new\s)\bDate\(|\bMath\.random\b|\bperformance\.now\b/;

const IMPORTS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<path>[^'"]+)\1/gm,
  /^\s*import\s*(['"])(?<path>[^'"]+)\1/gm,
  /\b(?:import|require)\s*\(\s*(['"`])(?<path>[^'"`]+)\1/g,
];

const withoutComments = (source: string): string =>
  source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

const importsOf = (source: string): string[] =>
  IMPORTS.flatMap((pattern) => [...source.matchAll(pattern)].flatMap(({ groups }) => groups?.path ?? []));

const startsWithAny = (path: string, starts: readonly string[]): boolean =>
  starts.some((start) => path.startsWith(start));

/** `services/orders/x.ts` belongs to `orders`; `services/logger.ts` and the ground floor to none of the four. */
const speakerOf = (path: string): string | undefined => {
  const [layer, folder] = path.split('/');
  return layer === 'services' && SPEAKERS.includes(folder ?? '') ? folder : undefined;
};

/** Why `from` may not import `to`, both from the root of the project; null when it may. */
function forbidden(from: string, to: string): string | null {
  const [source, target] = [from, to].map((path) => path.split('/')[0]);
  if (source === 'test') return null;
  if (target === 'test') return 'only tests import tests';
  if (source === 'deploy') return null;
  if (target === 'deploy') return 'only deploy and tests import deploy';
  const rank = (layer = ''): number => LAYERS.indexOf(layer);
  if (rank(target) < 0) return 'it leaves the layers';
  if (rank(target) > rank(source)) return `${source} may not import ${target}`;
  const speaker = speakerOf(to);
  if (speaker === undefined || speaker === speakerOf(from)) return null;
  return source === 'gateway'
    ? `the gateway may not import ${speaker}`
    : `services may not import ${speaker}`;
}

function importProblem(path: string, specifier: string): string | null {
  const [layer = ''] = path.split('/');
  if (specifier.startsWith('.')) {
    if (!specifier.endsWith('.ts')) return 'a relative import ends in .ts';
    return forbidden(path, posix.join(posix.dirname(path), specifier));
  }
  const name = specifier.split('/')[0] ?? '';
  if (PURE.includes(layer) && !PURE_PACKAGES.includes(name))
    return `${layer} imports nothing but zod and xstate`;
  if (name === 'nats' && !startsWithAny(path, MAY_SPEAK_NATS)) return 'only the bus imports nats';
  return null;
}

/** What is wrong with a file, one sentence each; `path` is relative to the root of the project. */
function problemsOf(path: string, source: string): string[] {
  const code = withoutComments(source);
  const problems = importsOf(source).flatMap((specifier) => {
    const problem = importProblem(path, specifier);
    return problem === null ? [] : [`${path}: ${specifier}: ${problem}`];
  });
  if (/^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/m.test(code))
    problems.push(`${path}: a default export`);
  if (path.startsWith('machines/') && UNPURE.test(code))
    problems.push(`${path}: a clock or a die in a machine`);
  if (DIALECT.test(source) && !startsWithAny(path, MAY_SPEAK_DIALECT))
    problems.push(`${path}: a word of a supplier`);
  return problems;
}

const files = LAYERS.flatMap((layer) => {
  try {
    const found = readdirSync(`${ROOT}${layer}`, { recursive: true, encoding: 'utf8' });
    return found.filter((path) => path.endsWith('.ts')).map((path) => posix.join(layer, path));
  } catch {
    return [];
  }
});

test('there are files to look at in every pure layer and in the services', () => {
  for (const layer of ['contracts', 'machines', 'services'])
    expect(files.filter((path) => path.startsWith(`${layer}/`)).length).toBeGreaterThan(5);
});

test('every file imports only what its place allows', () => {
  expect(files.flatMap((path) => problemsOf(path, readFileSync(`${ROOT}${path}`, 'utf8')))).toEqual([]);
});

const WRONG: readonly [string, string, string][] = [
  ['contracts/a.ts', "import { b } from '../machines/b.ts';", 'contracts may not import machines'],
  ['machines/a.ts', "import type { B } from '../services/orders/b.ts';", 'machines may not import services'],
  ['services/orders/a.ts', "import { b } from '../../gateway/b.ts';", 'services may not import gateway'],
  ['services/orders/a.ts', "import { b } from '../shopify/b.ts';", 'services may not import shopify'],
  ['services/notifier/a.ts', "export { b } from '../orders/b.ts';", 'services may not import orders'],
  ['services/store/a.ts', "import { b } from '../orders/b.ts';", 'services may not import orders'],
  ['services/bus/a.ts', "import { b } from '../suppliers/b.ts';", 'services may not import suppliers'],
  ['services/logger.ts', "import { b } from './notifier/b.ts';", 'services may not import notifier'],
  ['gateway/a.ts', "import { b } from '../services/shopify/b.ts';", 'the gateway may not import shopify'],
  [
    'services/orders/a.ts',
    "import { b } from '../../deploy/sandbox/b.ts';",
    'only deploy and tests import deploy',
  ],
  ['gateway/a.ts', "import { b } from '../test/unit/b.ts';", 'only tests import tests'],
  ['deploy/a.ts', "import { b } from '../test/b.ts';", 'only tests import tests'],
  [
    'contracts/a.ts',
    "import { readFileSync } from 'node:fs';",
    'contracts imports nothing but zod and xstate',
  ],
  ['machines/a.ts', "import 'pino';", 'machines imports nothing but zod and xstate'],
  [
    'machines/a.ts',
    "const { join } = await import('node:path');",
    'machines imports nothing but zod and xstate',
  ],
  ['services/orders/a.ts', "import { connect } from 'nats';", 'only the bus imports nats'],
  ['services/store/a.ts', "import type {\n  Msg,\n} from 'nats';", 'only the bus imports nats'],
  ['services/orders/a.ts', "import { b } from './b';", 'a relative import ends in .ts'],
  ['test/unit/a.ts', "import { b } from './b.js';", 'a relative import ends in .ts'],
  ['contracts/a.ts', "import { b } from '../node_modules/b.ts';", 'it leaves the layers'],
  ['services/a.ts', 'export default 1;', 'a default export'],
  ['services/a.ts', 'export { a as default };', 'a default export'],
  ['machines/a.ts', 'const at = Date.now();', 'a clock or a die in a machine'],
  ['machines/a.ts', 'const at = new Date();', 'a clock or a die in a machine'],
  ['machines/a.ts', 'const at = new Date;', 'a clock or a die in a machine'],
  ['machines/a.ts', 'const id = Math.random();', 'a clock or a die in a machine'],
  ['machines/a.ts', 'const at = performance.now();', 'a clock or a die in a machine'],
  ['services/suppliers/a.ts', "const path = '/pay/payBalance';", 'a word of a supplier'],
  ['gateway/a.ts', "const url = 'https://developers.cjdropshipping.com';", 'a word of a supplier'],
  ['services/suppliers/a.ts', "const method = 'aliexpress.ds.order.create';", 'a word of a supplier'],
  ['services/suppliers/cj-dropshipping.ts', 'const order = { out_order_id: id };', 'a word of a supplier'],
];

test.each(WRONG)('%s with the source %j is found out', (path, source, problem) => {
  expect(problemsOf(path, source)).toEqual([expect.stringContaining(problem)]);
});

const RIGHT: readonly [string, string][] = [
  ['machines/a.ts', "import { z } from 'zod';\nimport type { B } from '../contracts/events/b.ts';"],
  ['machines/a.ts', 'const at = new Date(event.time);'],
  ['machines/a.ts', '// Date.now() would not be pure\nexport const a = 1;'],
  ['services/orders/a.ts', "import { b } from '../store/b.ts';\nimport { c } from '../bus/c.ts';"],
  ['services/bus/a.ts', "import { connect } from 'nats';\nimport { b } from '../../machines/b.ts';"],
  [
    'services/suppliers/cj-dropshipping/a.ts',
    "import { b } from '../policy.ts';\nconst path = 'payBalance';",
  ],
  ['gateway/a.ts', "import { b } from '../services/store/b.ts';\nimport { c } from '../services/logger.ts';"],
  [
    'deploy/local/a.ts',
    "import { b } from '../../services/orders/b.ts';\nimport { c } from '../../gateway/c.ts';",
  ],
  ['test/unit/a.ts', "import { b } from '../../deploy/sandbox/b.ts';\nimport { connect } from 'nats';"],
];

test.each(RIGHT)('%s with the source %j is left alone', (path, source) => {
  expect(problemsOf(path, source)).toEqual([]);
});

test('each fact that other agents are promised is said somewhere', () => {
  const said = files
    .filter((path) => startsWithAny(path, ['machines/', 'services/']))
    .map((path) => withoutComments(readFileSync(`${ROOT}${path}`, 'utf8')));
  expect(FACT_TYPES.filter((type) => !said.some((source) => source.includes(`'${type}'`)))).toEqual([]);
});
