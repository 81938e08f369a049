import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, ServiceError, StringCodec } from 'nats';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { NatsRole } from '../../contracts/nats-roles.ts';
import { agentSubject } from '../../contracts/requests/agent-request.ts';
import { OrderList } from '../../contracts/resources/order.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { ProductMapping } from '../../contracts/resources/product-mapping.ts';
import { readSettings } from '../../contracts/settings.ts';
import { factSubject, requestSubject } from '../../contracts/subjects.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { OPERATIONS } from '../../gateway/crew/operations.ts';
import { ROUTE_DOCS } from '../../gateway/documents/route-docs.ts';
import { startGateway } from '../../gateway/service.ts';
import { startOrder } from '../../machines/decide.ts';
import { openBus } from '../../services/bus/bus.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { readPauses } from '../../services/purchasing-switch.ts';
import { openContext, type ServiceContext } from '../../services/run-service.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase } from '../fixtures/database.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
  const bus = await openBus(nats.url, 'setup');
  await bus.setUp(1);
  await bus.close();
});
afterAll(() => nats.remove());

async function aGateway(): Promise<ServiceContext> {
  const settings = readSettings({
    ORDER_MANAGER_DRAIN_SECONDS: '0',
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: nats.urlOf('gateway'),
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_API_KEY: 'the key of the owner',
    ORDER_MANAGER_LOG_LEVEL: 'ERROR',
  });
  const context = await openContext(settings, 'gateway', 4);
  onTestFinished(async () => {
    await context.bus.close();
    await context.store.close();
  });
  onTestFinished(await startGateway({ ...context, log: context.log.child({}, { level: 'silent' }) }));
  return context;
}

const text = StringCodec();

/** An agent as others would write one: the client's defaults and our subjects. */
const anAgent = (role: NatsRole) => anAgentOf(nats.urlOf(role));

async function anAgentOf(url: string) {
  const connection = await connect(toConnectOptions(url));
  onTestFinished(() => connection.close());
  return {
    connection,
    async ask(subject: string, request: unknown): Promise<unknown> {
      const payload = typeof request === 'string' ? request : JSON.stringify(request);
      const bytes = request instanceof Uint8Array ? request : text.encode(payload);
      const message = await connection.request(subject, bytes, { timeout: 10_000 });
      const error = ServiceError.toServiceError(message);
      const body: unknown = JSON.parse(text.decode(message.data));
      if (error === null) return body;
      const problem = Problem.parse(body);
      expect(problem.status).toBe(error.code);
      throw problem;
    },
  };
}

const HELD = 'ord_heldheldheldh';

async function givenHeldOrder(store: Store): Promise<void> {
  const { state } = startOrder({
    orderId: HELD,
    shop: 'crew-shop.myshopify.com',
    shopOrderId: '77',
    name: '#77',
    currency: 'USD',
    totalMinor: 100,
    placedAt: '2026-11-02T14:15:00.000Z',
    sourceUpdatedAt: '2026-11-02T14:15:00.000Z',
    test: true,
    cancelled: false,
    payment: 'paid',
    hasAddress: true,
    lines: [],
  });
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'crew-shop.myshopify.com', '77', '#77', 'USD', 100, '2026-11-02T14:15:00.000Z', $2, $3::json)`,
    [HELD, state.value, JSON.stringify(state.context)],
  );
  await store.run(
    "insert into holds (id, order_id, reason, evidence) values ('hold_77', $1, 'operator', '{}'::json)",
    [HELD],
  );
}

const LIST = agentSubject('read', 'orders.list');
const SET = agentSubject('write', 'product_mappings.set');
const mapping = {
  params: { variantId: '44' },
  body: {
    candidates: [{ supplier: 'cj_dropshipping', supplierProductId: '26', supplierVariantId: '27' }],
  },
};

test('every operation stands for a route that is described', () => {
  for (const route of Object.keys(OPERATIONS)) expect(ROUTE_DOCS).toHaveProperty([route]);
  expect(new Set(Object.values(OPERATIONS)).size).toBe(Object.keys(OPERATIONS).length);
});

test('an agent finds the service, asks it, and gets the answers and problems of REST', async () => {
  await aGateway();
  const { connection, ask } = await anAgent('crew-reader');
  const found = [];
  for await (const { name } of await connection.services.client().ping()) found.push(name);
  expect(found).toEqual(['oms']);
  const info = [];
  for await (const { endpoints } of await connection.services.client().info('oms')) info.push(...endpoints);
  expect(info.map(({ subject }) => subject)).toContain(LIST);

  expect(OrderList.parse(await ask(LIST, { query: { limit: 5 } }))).toEqual({ items: [], nextCursor: null });
  expect(OrderList.parse(await ask(LIST, ''))).toEqual({ items: [], nextCursor: null });
  await expect(ask(LIST, { query: { limit: 0 } })).rejects.toMatchObject({
    code: 'body_invalid',
    errors: [{ path: 'limit' }],
  });
  await expect(
    ask(agentSubject('read', 'orders.get'), { params: { orderId: 'ord_none' } }),
  ).rejects.toMatchObject({ status: 404, code: 'order_not_found' });
});

test.each([
  ['a name that is misspelt', 'read', 'orders.gett'],
  ['a writing operation asked for in the other scope', 'read', 'orders.change'],
  ['a reading operation asked for in the other scope', 'write', 'orders.get'],
])('an agent is told soon that there is no such operation: %s', async (_, scope, operation) => {
  await aGateway();
  const { ask } = await anAgent('crew-writer');
  const subject = agentSubject(scope, operation);
  await expect(ask(subject, {})).rejects.toMatchObject({
    status: 404,
    code: 'not_found',
    detail: expect.stringContaining(subject),
  });
});

test('beside a copy of a newer release no copy says of its new operation that there is none', async () => {
  await aGateway();
  const newer = await openBus(nats.urlOf('gateway'), 'gateway');
  onTestFinished(() => newer.close());
  const subject = agentSubject('write', 'orders.juggle');
  const answer = async () => {
    await delay(1_500);
    return { ok: true, status: 200, title: '', body: '{"juggled":true}' };
  };
  await newer.serveAgents([{ subject, name: 'orders_juggle', description: 'new', answer }], () => {});
  const { ask } = await anAgent('crew-writer');
  expect(await ask(subject, {})).toEqual({ juggled: true });
  await expect(ask(agentSubject('write', 'orders.jugle'), {})).rejects.toMatchObject({ code: 'not_found' });
});

test('what is no request is refused with the place of the fault', async () => {
  await aGateway();
  const { ask } = await anAgent('crew-reader');
  await expect(ask(LIST, '{"query":')).rejects.toMatchObject({ status: 422, code: 'body_invalid' });
  await expect(ask(LIST, Buffer.from('{"query":{"text":"café"}}', 'latin1'))).rejects.toMatchObject({
    code: 'body_invalid',
    detail: 'the message is not UTF-8',
  });
  await expect(ask(LIST, { parameters: {} })).rejects.toMatchObject({ code: 'body_invalid' });
  await expect(ask(LIST, { query: { limit: [] } })).rejects.toMatchObject({
    errors: [{ path: 'query.limit' }],
  });
  await expect(
    ask(agentSubject('read', 'orders.get'), { params: { orderId: '../readyz' } }),
  ).rejects.toMatchObject({ status: 404 });
});

test.each([
  ['a key with a line break', { idempotencyKey: 'a\nb' }, 'idempotencyKey'],
  ['a key that no header can hold', { idempotencyKey: 'clé-ā' }, 'idempotencyKey'],
  ['half of a character in the path', { params: { orderId: '\ud800' } }, 'params.orderId'],
  ['a step to another route', { params: { orderId: '..' } }, 'params.orderId'],
  ['a body where none is read', { params: { orderId: 'ord_1' }, body: {} }, 'body'],
])('%s is the fault of the request and not of the service', async (_, request, path) => {
  await aGateway();
  const { ask } = await anAgent('crew-reader');
  await expect(ask(agentSubject('read', 'orders.get'), request)).rejects.toMatchObject({
    status: 422,
    code: 'body_invalid',
    errors: [{ path }],
  });
});

test('no operation leads to a route that is for the owner alone', async () => {
  await aGateway();
  const { ask } = await anAgent('crew-reader');
  for (const supplier of ['..', '.'])
    await expect(
      ask(agentSubject('read', 'products.get'), { params: { supplier, productId: 'privacy-requests' } }),
    ).rejects.toMatchObject({ code: 'body_invalid', errors: [{ path: 'params.supplier' }] });
});

test.each([
  ['a part of the path that is left out', 'read', 'orders.get', {}, 'params.orderId'],
  [
    'a part of the path under another name',
    'read',
    'orders.get',
    { params: { id: 'ord_1' } },
    'params.orderId',
  ],
  ['an empty part of the path', 'read', 'orders.get', { params: { orderId: '' } }, 'params.orderId'],
  ['a change without a body', 'write', 'orders.change', { params: { orderId: 'ord_1' } }, 'body'],
  ['a search without a body', 'read', 'products.search', {}, 'body'],
] as const)('%s is named', async (_, scope, operation, request, path) => {
  await aGateway();
  const { ask } = await anAgent('crew-writer');
  await expect(ask(agentSubject(scope, operation), request)).rejects.toMatchObject({
    status: 422,
    code: 'body_invalid',
    errors: [{ path, message: 'must be there' }],
  });
});

test('all that a request lacks is named at once', async () => {
  await aGateway();
  const { ask } = await anAgent('crew-writer');
  await expect(ask(agentSubject('read', 'products.get'), {})).rejects.toMatchObject({
    errors: [{ path: 'params.supplier' }, { path: 'params.productId' }],
  });
  await expect(ask(agentSubject('write', 'orders.change'), {})).rejects.toMatchObject({
    errors: [{ path: 'params.orderId' }, { path: 'body' }],
  });
});

test('a writer sets a mapping that a reader sees, and a reader sets none', async () => {
  await aGateway();
  const [writer, reader] = [await anAgent('crew-writer'), await anAgent('crew-reader')];
  await expect(reader.ask(SET, mapping)).rejects.toThrow(/permission/i);
  expect(ProductMapping.parse(await writer.ask(SET, mapping))).toMatchObject({ variantId: '44' });
  const get = agentSubject('read', 'product_mappings.get');
  expect(await reader.ask(get, { params: { variantId: '44' } })).toMatchObject({
    candidates: [{ supplierVariantId: '27' }],
  });
});

test('a writer stops all buying by the request that the README names; one from within is open to no agent', async () => {
  const { store } = await aGateway();
  const [writer, reader] = [await anAgent('crew-writer'), await anAgent('crew-reader')];
  const subject = 'svc.oms.write.purchasing.pause';
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`\`${subject}\` with \`{"body": {"reason": "..."}}\``);
  expect(readme).not.toContain('oms.req.');
  const request = { body: { reason: 'stock-taking' } };
  await expect(reader.ask(subject, request)).rejects.toThrow(/permission/i);
  expect(await writer.ask(subject, request)).toMatchObject({ pauses: [{ scope: 'all' }] });
  expect(await readPauses(store)).toMatchObject([{ scope: 'all', reason: 'stock-taking' }]);
  await expect(writer.ask(requestSubject('suppliers', 'list_suppliers'), {})).rejects.toThrow(/permission/i);
});

test('news of products and prices changes mappings, under the names of the crew', async () => {
  await aGateway();
  const [writer, reader] = [await anAgent('crew-writer'), await anAgent('crew-reader')];
  const seen = { optionLabels: ['Color: Black'], unitPriceMinor: 410, currency: 'USD' };
  const candidates = [{ ...mapping.body.candidates[0], seen }];
  expect(await writer.ask('product.created', { variantId: '45', sku: 'MUG-B', candidates })).toEqual({
    mappings: 1,
  });
  expect(await writer.ask('product.updated', { specversion: '1.0', data: { variantId: '46' } })).toEqual({
    mappings: 0,
  });
  const price = {
    supplier: 'cj_dropshipping',
    supplierProductId: '26',
    supplierVariantId: '27',
    currency: 'USD',
  };
  expect(await writer.ask('price.changed', { ...price, unitPriceMinor: 450 })).toEqual({ mappings: 1 });
  expect(await writer.ask('price.changed', { ...price, unitPriceMinor: 450 })).toEqual({ mappings: 0 });
  const get = agentSubject('read', 'product_mappings.get');
  expect(await reader.ask(get, { params: { variantId: '45' } })).toMatchObject({
    sku: 'MUG-B',
    candidates: [{ seen: { optionLabels: ['Color: Black'], unitPriceMinor: 450 } }],
  });
  await expect(writer.ask('price.changed', { ...price, unitPriceMinor: -1 })).rejects.toMatchObject({
    code: 'body_invalid',
    errors: [{ path: 'unitPriceMinor' }],
  });
  await expect(reader.ask('product.created', { variantId: '45' })).rejects.toThrow(/permission/i);
});

test('news of a product that changes nothing of its mapping lets no order go on that waits for another one', async () => {
  const { store } = await aGateway();
  const writer = await anAgent('crew-writer');
  await writer.ask(SET, { params: { variantId: '45' }, body: { ...mapping.body, sku: 'MUG-B' } });
  await store.run(
    `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
     values ('ord_1', '1', 0, '45', 'Mug', 100)`,
  );
  await store.run(
    `insert into holds (id, order_id, reason, line_id, evidence) values ('hld_1', 'ord_1', 'out_of_stock', '1', '{}')`,
  );
  for (const sku of [{ sku: 'MUG-B' }, {}])
    expect(await writer.ask('product.updated', { variantId: '45', ...sku })).toEqual({ mappings: 0 });
  expect(await store.query('select subject from outbox')).toEqual([]);
  expect(await writer.ask('product.updated', { variantId: '45', sku: 'MUG-C' })).toEqual({ mappings: 1 });
});

test.each([
  [
    'a price',
    'price.changed',
    { supplier: 'cj_dropshipping', supplierProductId: '26', supplierVariantId: '27', currency: 'USD' },
    (round: number) => ({ unitPriceMinor: 400 + round }),
  ],
  ['a SKU', 'product.updated', { variantId: '45' }, (round: number) => ({ sku: `MUG-${round}` })],
])(
  'news of %s mends no mapping: no order that waits for another one goes on for it',
  async (_, type, about, now) => {
    const { store } = await aGateway();
    const writer = await anAgent('crew-writer');
    const seen = { optionLabels: ['Color: Black'], unitPriceMinor: 400, currency: 'USD' };
    const candidates = [{ ...mapping.body.candidates[0], seen }];
    await writer.ask(SET, { params: { variantId: '45' }, body: { sku: 'MUG-B', candidates } });
    await store.run(
      `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
     values ('ord_1', '1', 0, '45', 'Mug', 100)`,
    );
    await store.run(
      `insert into holds (id, order_id, reason, line_id, evidence) values ('hld_1', 'ord_1', 'mapping_changed', '1', '{}')`,
    );
    for (const round of [1, 2])
      expect(await writer.ask(type, { ...about, ...now(round) })).toEqual({ mappings: 1 });
    expect(await store.query('select subject from outbox')).toEqual([]);
    const mended = 'select 1 from product_mappings m join holds h on m.updated_at > h.opened_at';
    expect(await store.query(mended)).toEqual([]);

    await writer.ask('product.updated', { variantId: '45', candidates });
    expect(await store.query('select subject from outbox')).toMatchObject([
      { subject: expect.stringContaining('order.release_requested') },
    ]);
  },
);

test.each([
  ['price.changed', { supplier: 'cj_dropshipping', supplierProductId: '26', supplierVariantId: '27' }],
  ['product.updated', { variantId: '45', sku: 'MUG-B' }],
])('%s takes nothing back that a person changed at the same time', async (type, about) => {
  const { store } = await aGateway();
  const [writer, reader] = [await anAgent('crew-writer'), await anAgent('crew-reader')];
  const seen = { optionLabels: ['Color: Black'], unitPriceMinor: 410, currency: 'USD' };
  const candidate = { ...mapping.body.candidates[0], seen };
  await writer.ask(SET, { params: { variantId: '45' }, body: { candidates: [candidate] } });
  const price = type === 'price.changed' ? { unitPriceMinor: 450, currency: 'USD' } : {};
  const told = await store.transaction(async (sql) => {
    const changed = JSON.stringify([{ ...candidate, shipsFrom: 'US' }]);
    await sql.run("update product_mappings set candidates = $1::jsonb where variant_id = '45'", [changed]);
    const telling = writer.ask(type, { ...about, ...price });
    await expect
      .poll(() => store.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
      .toHaveLength(1);
    return { telling };
  });
  expect(await told.telling).toEqual({ mappings: 1 });
  const get = agentSubject('read', 'product_mappings.get');
  expect(await reader.ask(get, { params: { variantId: '45' } })).toMatchObject({
    candidates: [{ shipsFrom: 'US' }],
  });
});

test('news is told where the document for agents says, from the account that it says', async () => {
  const { settings } = await aGateway();
  const writer = await anAgent('crew-writer');
  const { channels } = z
    .object({ channels: z.record(z.string(), z.object({ address: z.string().nullable() })) })
    .parse(await (await fetch(`http://127.0.0.1:${settings.ORDER_MANAGER_PORT}/asyncapi.json`)).json());
  const places = Object.entries(channels).flatMap(([id, { address }]) =>
    id.startsWith('news_') && address !== null ? [address] : [],
  );
  expect(places).toHaveLength(3);
  // Somebody answers there, if only with what is wrong.
  for (const place of places)
    await expect(writer.ask(place, {})).rejects.toMatchObject({ code: 'body_invalid' });
});

test('an operation that fails as nobody foresaw is answered, told to us, and ends nothing', async () => {
  const bus = await openBus(nats.url, 'setup');
  onTestFinished(() => bus.close());
  const bugs: string[] = [];
  const broken = {
    subject: agentSubject('read', 'broken'),
    name: 'broken',
    description: 'Fails',
    answer: () => Promise.reject(new RangeError('a bug')),
  };
  const service = await bus.serveAgents([broken], (error, subject) => bugs.push(`${subject}: ${error}`));
  const { ask } = await anAgent('crew-reader');
  for (let times = 0; times < 2; times += 1)
    await expect(ask(broken.subject, {})).rejects.toMatchObject({ status: 500, code: 'internal' });
  expect(bugs).toEqual(Array(2).fill(`${broken.subject}: RangeError: a bug`));
  await service.stop();
});

test('an answer that no message can hold is refused, and ends nothing', async () => {
  const bus = await openBus(nats.url, 'setup');
  onTestFinished(() => bus.close());
  const broken = {
    subject: agentSubject('read', 'large'),
    name: 'large',
    description: 'Says too much',
    answer: async () => ({ ok: true, status: 200, title: '', body: JSON.stringify('x'.repeat(2_000_000)) }),
  };
  const service = await bus.serveAgents([broken], () => {});
  const { ask } = await anAgent('crew-reader');
  for (let times = 0; times < 2; times += 1)
    await expect(ask(broken.subject, {})).rejects.toMatchObject({ status: 413, code: 'body_too_large' });
  await service.stop();
});

test('news that the database cannot hold is refused with the place of the fault', async () => {
  await aGateway();
  const writer = await anAgent('crew-writer');
  const price = { supplier: 'cj_dropshipping', supplierVariantId: '27', unitPriceMinor: 1, currency: 'USD' };
  await expect(writer.ask('product.created', { variantId: '45', sku: 'a\u0000' })).rejects.toMatchObject({
    code: 'body_invalid',
    errors: [{ path: 'sku' }],
  });
  await expect(writer.ask('price.changed', { ...price, supplierProductId: '\ud800' })).rejects.toMatchObject({
    code: 'body_invalid',
    errors: [{ path: 'supplierProductId' }],
  });
});

test.each(['{"variantId":"45', 'connection'])(
  'news that is no JSON (%s) is refused and not asked for again',
  async (news) => {
    await aGateway();
    const writer = await anAgent('crew-writer');
    await expect(writer.ask('product.updated', news)).rejects.toMatchObject({
      status: 422,
      code: 'body_invalid',
    });
  },
);

test('the example agent hears of a held order, asks and says why', async () => {
  const { store } = await aGateway();
  await givenHeldOrder(store);
  const { host } = new URL(nats.url);
  const script = fileURLToPath(new URL('../../deploy/agents/example-agent.ts', import.meta.url));
  const seed = new URL(nats.urlOf('crew-reader')).username;
  const agent = spawn(process.execPath, [script, `nats://${host}`], {
    env: { ...process.env, NATS_SEED: seed },
  });
  onTestFinished(() => {
    agent.kill('SIGKILL');
  });
  let said = '';
  agent.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await expect.poll(() => said).toContain('listening');
  const { connection } = await anAgentOf(nats.urlOf('orders'));
  await expect
    .poll(
      () => {
        connection.publish(factSubject('order.held'), JSON.stringify({ data: { orderId: HELD } }));
        return said;
      },
      { timeout: 15_000 },
    )
    .toContain('#77 is held: operator');
});
