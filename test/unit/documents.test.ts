import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../contracts/errors.ts';
import { NATS_ROLES, seedVariable } from '../../contracts/nats-roles.ts';
import { SETTING_NAMES } from '../../contracts/settings.ts';
import { NEEDED_SCOPES } from '../../contracts/shopify-scopes.ts';
import { HOLD_REASONS } from '../../contracts/vocabulary.ts';
import { WEBHOOK_TOPICS } from '../../contracts/webhook-topics.ts';
import { composeContainers, PROJECT } from '../fixtures/compose-file.ts';
import { anchorsOf, commandsOf, DOCUMENTS, linksOf, simpleCommands, textOf } from '../fixtures/documents.ts';
import { npmRunOf } from '../fixtures/npm-scripts.ts';

const isThere = (path: string): boolean => existsSync(join(PROJECT, path));
const missing = (...paths: readonly (string | undefined)[]): string[] =>
  paths.flatMap((path) => (path !== undefined && isThere(path) ? [] : [`there is no ${path}`]));

const CONTAINERS = composeContainers({ DB_CONNECTION_STRING: 'x', NATS_NKEY_SETUP: 'x' });
const PROFILES = Object.values(CONTAINERS).flatMap(({ profiles }) => profiles);
/** Subcommands of docker compose whose words are containers, or a container and what runs in it. */
const OF_CONTAINERS = ['build', 'down', 'logs', 'ps', 'restart', 'up'];
const IN_A_CONTAINER = ['exec', 'run'];
const MANIFESTS = globSync('deploy/kubernetes/**/*.yaml', { cwd: PROJECT })
  .map((file) => readFileSync(join(PROJECT, file), 'utf8'))
  .join('\n');

function composeProblems(words: readonly string[]): string[] {
  const problems: string[] = [];
  const rest = [...words];
  while (rest[0]?.startsWith('--')) {
    const [flag, value = ''] = rest.splice(0, 2);
    if (flag === '--profile') problems.push(...(PROFILES.includes(value) ? [] : [`no profile ${value}`]));
    else problems.push(`docker compose ${flag} is new here`);
  }
  const [verb = '', ...more] = rest;
  const plain = more.filter((word) => !word.startsWith('-'));
  const known = (name = ''): string[] =>
    CONTAINERS[name] === undefined ? [`there is no container ${name}`] : [];
  if (OF_CONTAINERS.includes(verb)) return [...problems, ...plain.flatMap(known)];
  if (!IN_A_CONTAINER.includes(verb)) return [...problems, `docker compose ${verb} is new here`];
  const inside = more.slice(more.indexOf(plain[0] ?? '') + 1);
  return [...problems, ...known(plain[0]), ...(inside.length > 0 ? problemsOf(inside) : [])];
}

function dockerProblems([verb, ...rest]: readonly string[]): string[] {
  if (verb === 'compose') return composeProblems(rest);
  if (verb === 'build') return missing(rest[rest.indexOf('-f') + 1]);
  if (verb === 'run') return problemsOf(rest.slice(rest.indexOf('order-manager') + 1));
  return [`docker ${verb} is new here`];
}

function kubectlProblems(words: readonly string[]): string[] {
  const folder = words[words.indexOf('-k') + 1];
  if (words.includes('-k')) return missing(`${folder}/kustomization.yaml`);
  const inside = words.indexOf('--');
  const outside = inside < 0 ? words : words.slice(0, inside);
  const plain = outside.filter((word, index) => !word.startsWith('-') && words[index - 1] !== '-n');
  const named = plain.at(-1)?.replace(/^(job|deploy)\//, '') ?? '';
  const name = plain[0] === 'create' && plain[1] === 'secret' ? (plain[3] ?? '') : named;
  return [
    ...(MANIFESTS.includes(`name: ${name}`) ? [] : [`no manifest names ${name}`]),
    ...(inside < 0 ? [] : problemsOf(words.slice(inside + 1))),
  ];
}

function npmProblems(words: readonly string[]): string[] {
  if (words[0] === 'ci') return [];
  const { script, entry, args } = npmRunOf(words);
  const flags = args.filter((arg) => arg.startsWith('--')).map((flag) => flag.slice(2));
  if (entry === undefined) return [];
  // Flags of a program are read where it begins, or in the file beside it.
  const source = globSync(`${dirname(entry)}/*.ts`, { cwd: PROJECT })
    .filter((file) => file === entry || dirname(entry) !== 'deploy')
    .map(textOf)
    .join('\n');
  const unknown = flags.filter(
    (flag) => !new RegExp(`['"]?${flag}['"]?: \\{ type:|--${flag}\\b`).test(source),
  );
  return [...missing(entry), ...unknown.map((flag) => `npm run ${script} knows no --${flag}`)];
}

/** Programs that come with the reader's own machine; what they are given is the reader's, too. */
const OF_THE_READER = ['export', 'grep', 'ls', 'pg_dump', 'pg_restore', 'printf'];

/** Why a simple command cannot work here; empty when nothing speaks against it. */
function problemsOf([program = '', ...words]: readonly string[]): string[] {
  const [first = ''] = words;
  if (program === 'npm') return npmProblems(words);
  if (program === 'docker') return dockerProblems(words);
  if (program === 'kubectl') return kubectlProblems(words);
  if (program === 'npx' && first === 'node') return missing(words[1]);
  if (program === 'npx') return first === 'vitest' ? missing(words[2]) : [`npx ${first} is new here`];
  if (['node', 'python3', 'bash', 'cp', 'cat'].includes(program)) return missing(first);
  // These are run, by the test of the containers.
  if (program === 'curl') return [];
  return OF_THE_READER.includes(program) ? [] : [`${program} is new here`];
}

test.each(DOCUMENTS)('every command of %s can be given as it stands', (document) => {
  const problems = commandsOf(document).flatMap(({ text }) =>
    simpleCommands(text)
      .flatMap(problemsOf)
      .map((what) => `${text}: ${what}`),
  );
  expect(problems).toEqual([]);
});

test('what is wrong with a command is found', () => {
  const wrong = [
    'docker compose logs order',
    'docker compose --profile trials up -d',
    'docker compose exec orders node deploy/gone.ts',
    'npm run backfill -- --until 2026-10-01',
    'kubectl apply -k deploy/kubernetes/overlays/none',
    'kubectl -n order-manager create secret generic order-manager-keys --from-env-file=x',
    'kubectl -n order-manager exec deploy/gone -- npm run verify',
    'kubectl -n order-manager exec deploy/gateway -- npm run verify -- --all',
    'yarn start',
  ];
  expect(wrong.filter((text) => simpleCommands(text).flatMap(problemsOf).length === 0)).toEqual([]);
  expect(() => problemsOf(['npm', 'run', 'gone'])).toThrow('no script gone');
});

test.each(DOCUMENTS)('every link of %s leads somewhere', (document) => {
  const dead = linksOf(document).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? document : normalize(join(dirname(document), path));
    if (!isThere(target)) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
  expect(dead).toEqual([]);
});

test.each(DOCUMENTS)('every script that %s names is there', (document) => {
  const named = [...textOf(document).matchAll(/`npm run (?:--silent )?([a-z:-]+)/g)].map(
    ([, script]) => script ?? '',
  );
  for (const script of named) expect(npmRunOf(['run', script]).script).toBe(script);
});

test.each(DOCUMENTS)('no command of %s writes what npm says of itself into a file', (document) => {
  expect(textOf(document).match(/npm run (?!--silent)[^\n`;|&]*>/g) ?? []).toEqual([]);
});

/** Read by containers, NATS and commands, not by our settings. */
const OTHERS = /^(NATS_(SEED|NKEY|CLUSTER|SERVERS|CONFIG|URL)|ORDER_MANAGER_COPIES|NODE_EXTRA_CA_CERTS$)/;
const PREFIXES = /\b(?:ORDER_MANAGER|SHOPIFY|ALIEXPRESS|CJ_DROPSHIPPING|SMTP|EMAIL|DB|NATS)_[A-Z_]*[A-Z]\b/g;

test.each(DOCUMENTS)('every variable that %s names is read', (document) => {
  const named = textOf(document).match(PREFIXES) ?? [];
  const roles = NATS_ROLES.map(seedVariable);
  const unknown = named.filter(
    (name) => !SETTING_NAMES.includes(name) && !OTHERS.test(name) && !roles.includes(name),
  );
  expect(unknown).toEqual([]);
});

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, word]) => word ?? '');

test.each(DOCUMENTS)('every topic of a webhook that %s names is taken', (document) => {
  const topics: readonly string[] = WEBHOOK_TOPICS;
  const named = all(textOf(document), /\/webhooks\/shopify\/(\w+\/\w+)/g);
  expect(named.filter((topic) => !topics.includes(topic))).toEqual([]);
});

test('the guide in French names the scopes that the app needs, and reasons and codes that there are', () => {
  const guide = textOf('deploy/guide/guide-utilisateur.fr.md');
  expect(new Set(all(guide, /`((?:read|write)_\w+)`/g))).toEqual(new Set(Object.keys(NEEDED_SCOPES)));
  const reasons: readonly string[] = HOLD_REASONS;
  const named = all(guide, /\b(?:retenue|ou) `(\w+_\w+)`/g);
  expect(named).toContain('unmapped_line');
  expect(named.filter((reason) => !reasons.includes(reason))).toEqual([]);
  const codes: readonly string[] = ERROR_CODES;
  expect(all(guide, /le code `(\w+)`/g).filter((code) => !codes.includes(code))).toEqual([]);
});
