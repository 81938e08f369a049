import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection, StringCodec } from 'nats';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { REREAD_ORDER } from '../../contracts/commands/reread-order.ts';
import type { NatsRole } from '../../contracts/nats-roles.ts';
import { commandSubject, eventSubject, factSubject, STREAMS } from '../../contracts/subjects.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { newNatsKeys, publicKeys } from '../../deploy/local/nats-keys.ts';
import { openBus } from '../../services/bus/bus.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
  const bus = await openBus(nats.url, 'setup');
  await bus.setUp(1);
  await bus.close();
});
afterAll(() => nats.remove());

const text = StringCodec();
const ORDER = 'ord_20wmtjkdkoioc';
const EVENT = eventSubject('order.updated', ORDER);
const FACT = factSubject('order.received');

interface Login {
  readonly connection: NatsConnection;
  /** Subjects that the server has refused so far. */
  readonly refused: string[];
}

async function logIn(role: NatsRole): Promise<Login> {
  const connection = await connect({
    ...toConnectOptions(nats.urlOf(role)),
    inboxPrefix: role.startsWith('crew') ? '_INBOX' : `_INBOX_${role}`,
  });
  onTestFinished(() => connection.close());
  const refused: string[] = [];
  const watch = async (): Promise<void> => {
    for await (const { type, permissionContext } of connection.status())
      if (String(type) === 'error' && permissionContext !== undefined)
        refused.push(permissionContext.subject);
  };
  void watch();
  return { connection, refused };
}

/** Whether the server lets this role publish there. A refusal comes before the answer to the flush. */
async function mayPublish({ connection, refused }: Login, subject: string): Promise<boolean> {
  const before = refused.length;
  connection.publish(subject, '{}');
  await connection.flush();
  await connection.flush();
  return refused.length === before;
}

async function mayHear({ connection, refused }: Login, subject: string): Promise<boolean> {
  const before = refused.length;
  const subscription = connection.subscribe(subject, { callback: () => {} });
  await connection.flush();
  await connection.flush();
  if (!subscription.isClosed()) subscription.unsubscribe();
  return refused.length === before;
}

const command = (service: string): string => `oms.cmd.${service}.buy.x`;
const next = (service: string): string => `$JS.API.CONSUMER.MSG.NEXT.CMD.oms-${service}`;
const outcome = eventSubject('supplier_order.placed', ORDER);
const fulfilled = eventSubject('fulfillment.synced', ORDER);
const mailed = eventSubject('notification.sent', ORDER);

const RIGHTS: readonly (readonly [NatsRole, { may: readonly string[]; mayNot: readonly string[] }])[] = [
  [
    'orders',
    {
      may: [EVENT, command('suppliers'), FACT, '$JS.API.STREAM.INFO.EVT'],
      mayNot: [
        '$JS.API.STREAM.DELETE.EVT',
        '$JS.API.STREAM.CREATE.EVT',
        next('suppliers'),
        'svc.oms.read.orders',
      ],
    },
  ],
  [
    'suppliers',
    {
      may: [
        outcome,
        next('suppliers'),
        ...SUPPLIERS.flatMap((supplier) => [next(supplier), command(supplier)]),
        '_INBOX_gateway.x.y',
      ],
      mayNot: [fulfilled, mailed, FACT, command('notifier'), next('notifier'), '_INBOX_orders.x.y'],
    },
  ],
  [
    'shopify',
    {
      // A hint of the shop that waits longer than the server delivers one message is said anew by whoever has it.
      may: [fulfilled, next('shopify'), commandSubject('shopify', REREAD_ORDER, 'x')],
      mayNot: [outcome, mailed, FACT, next('suppliers'), command('shopify')],
    },
  ],
  [
    'notifier',
    { may: [mailed, next('notifier')], mayNot: [outcome, fulfilled, EVENT, FACT, next('shopify')] },
  ],
  [
    'gateway',
    {
      may: [EVENT, 'oms.req.suppliers.search', '$JS.API.STREAM.INFO.EVT', '$SRV.INFO.oms'],
      mayNot: [
        '$SRV.INFO.others',
        FACT,
        next('suppliers'),
        '$JS.API.STREAM.PURGE.EVT',
        '$JS.API.CONSUMER.CREATE.EVT.x',
      ],
    },
  ],
  [
    'all-in-one',
    {
      may: [EVENT, FACT, next('suppliers'), '_INBOX_all-in-one.x.y', '_R_.x.y'],
      mayNot: ['$JS.API.STREAM.DELETE.EVT', '_INBOX_orders.x.y'],
    },
  ],
  [
    'crew-reader',
    {
      may: ['svc.oms.read.orders', '$SRV.PING'],
      mayNot: ['svc.oms.write.orders', EVENT, FACT, command('suppliers')],
    },
  ],
  [
    'crew-writer',
    {
      may: ['svc.oms.read.orders', 'svc.oms.write.orders'],
      mayNot: [EVENT, outcome, '$JS.API.STREAM.DELETE.CREW'],
    },
  ],
];

test.each(RIGHTS)('%s may publish what it needs and nothing else', async (role, { may, mayNot }) => {
  const login = await logIn(role);
  for (const subject of may) expect([subject, await mayPublish(login, subject)]).toEqual([subject, true]);
  for (const subject of mayNot) expect([subject, await mayPublish(login, subject)]).toEqual([subject, false]);
});

test('each service hears its own answers only', async () => {
  for (const role of ['orders', 'suppliers', 'shopify', 'notifier', 'gateway'] as const) {
    const login = await logIn(role);
    expect([role, await mayHear(login, `_INBOX_${role}.x`)]).toEqual([role, true]);
    for (const subject of ['_INBOX_setup.x', 'oms.evt.>', 'oms.cmd.>', '>'])
      expect([role, subject, await mayHear(login, subject)]).toEqual([role, subject, false]);
  }
});

test.each<[NatsRole, { asks: NatsRole; subject: string }]>([
  ['suppliers', { asks: 'gateway', subject: 'oms.req.suppliers.search' }],
  ['suppliers', { asks: 'setup', subject: 'oms.req.suppliers.search' }],
  ['gateway', { asks: 'crew-reader', subject: 'svc.oms.read.orders' }],
  ['all-in-one', { asks: 'all-in-one', subject: 'oms.req.suppliers.search' }],
  // While a shop goes over from one process to one for each service, both answer.
  ['all-in-one', { asks: 'gateway', subject: 'oms.req.suppliers.search' }],
  ['suppliers', { asks: 'all-in-one', subject: 'oms.req.suppliers.search' }],
  ['all-in-one', { asks: 'crew-reader', subject: 'svc.oms.read.orders' }],
])('%s answers what $asks asks on $subject', async (role, { asks, subject }) => {
  const { connection } = await logIn(role);
  connection.subscribe(subject, { callback: (_error, message) => message.respond('here') });
  await connection.flush();
  const { connection: asking } = await logIn(asks);
  expect(text.decode((await asking.request(subject, '', { timeout: 10_000 })).data)).toBe('here');
});

test('an agent hears facts, under our names and under the crew’s, and nothing of our own road', async () => {
  const { connection: orders } = await logIn('orders');
  const { connection: agent } = await logIn('crew-reader');
  const heard: string[] = [];
  for (const subject of ['oms.pub.>', 'order.>'])
    agent.subscribe(subject, { callback: (_error, message) => heard.push(message.subject) });
  await agent.flush();
  orders.publish(EVENT, '{}');
  orders.publish(FACT, '{}');
  await eventually(() => expect(heard.toSorted()).toEqual([FACT, 'order.created']));
});

test('an agent that was away reads the facts again', async () => {
  const { connection: orders } = await logIn('orders');
  await orders.jetstream().publish(factSubject('order.shipped'), '{"orderId":"a"}', { msgID: 'replay:1' });
  const { connection: agent } = await logIn('crew-reader');
  const manager = await agent.jetstreamManager({ apiPrefix: 'oms.js', checkAPI: false });
  const { name } = await manager.consumers.add(STREAMS.crew, {
    name: 'an-agent',
    filter_subject: factSubject('order.shipped'),
    inactive_threshold: 60_000_000_000,
  });
  const consumer = await agent.jetstream({ apiPrefix: 'oms.js' }).consumers.get(STREAMS.crew, name);
  const message = await consumer.next({ expires: 5_000 });
  expect(message && text.decode(message.data)).toBe('{"orderId":"a"}');
  // Not `ackAck`: from 2.10.26 on the server takes the acknowledgement of another account and says that nobody heard it.
  message?.ack();
  await eventually(async () => {
    const { num_ack_pending: pending, ack_floor: floor } = await manager.consumers.info(STREAMS.crew, name);
    expect([pending, floor.consumer_seq]).toEqual([0, 1]);
  });
});

test('whoever has no key, or another server’s, is not let in', async () => {
  const { host } = new URL(nats.url);
  await expect(connect({ servers: `nats://${host}`, reconnect: false })).rejects.toThrow(/authorization/i);
  const stranger = `nats://${newNatsKeys().orders}@${host}`;
  await expect(connect({ ...toConnectOptions(stranger), reconnect: false })).rejects.toThrow(
    /authorization/i,
  );
});

/** Made by openssl, which is nearly everywhere; where it is not, the tests of TLS say that they were skipped. */
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

function aCertificate(place: string): { cert: string; key: string } {
  const [cert, key] = [join(place, 'cert.pem'), join(place, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject],
    {
      stdio: 'pipe',
    },
  );
  return { cert, key };
}

const environment = (place: string): Record<string, string> => ({
  ...publicKeys(newNatsKeys()),
  NATS_NAME: '"checked"',
  NATS_HOST: '"127.0.0.1"',
  NATS_PORT: '4222',
  NATS_MONITOR_PORT: '8222',
  NATS_STORE_DIR: JSON.stringify(join(place, 'store')),
});

const checkConfig = (file: string, env: Record<string, string>): unknown =>
  execFileSync(inject('natsBinary'), ['-t', '-c', join(PROJECT, file)], { env, stdio: 'pipe' });

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nats-roles-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the server’s own check accepts nats.conf', () => {
  checkConfig('nats.conf', environment(aFolder()));
});

test.skipIf(!hasOpenssl)('its check accepts the configurations with TLS and for a cluster', () => {
  const folder = aFolder();
  const { cert, key } = aCertificate(folder);
  const tls = { NATS_TLS_CERT: JSON.stringify(cert), NATS_TLS_KEY: JSON.stringify(key) };
  checkConfig('deploy/nats/tls.conf', { ...environment(folder), ...tls });
  const cluster = {
    NATS_CLUSTER_PORT: '6222',
    NATS_ROUTES: '["nats://127.0.0.1:6223"]',
    NATS_CLUSTER_PASSWORD: '"a password"',
  };
  checkConfig('deploy/nats/cluster.conf', { ...environment(folder), ...tls, ...cluster });
});
