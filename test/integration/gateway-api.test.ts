import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Envelope } from '../../contracts/envelope.ts';
import { ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { OrderList, OrderView } from '../../contracts/resources/order.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { ProductMapping } from '../../contracts/resources/product-mapping.ts';
import { SupplierOrderList, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { readSettings } from '../../contracts/settings.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { startNats } from '../../deploy/local/nats-process.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { startPostgres } from '../../deploy/local/postgres.ts';
import { findProblems } from '../../gateway/readiness.ts';
import { startGateway } from '../../gateway/service.ts';
import { newOrderContext } from '../../machines/order-context.ts';
import { openContext, type ServiceContext } from '../../services/run-service.ts';
import { migrate } from '../../services/store/migrate.ts';
import { type CheckAnswer, createAnswerCheck } from '../fixtures/documented.ts';
import { givenOrderRows, ORDER_ID } from '../fixtures/shipped-order.ts';

const KEY = 'une clé de seize caractères ou plus';
const cleanups: (() => unknown)[] = [];
let context: ServiceContext;
let origin: string;
let problemWith: CheckAnswer;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-api-'));
  chmodSync(folder, 0o755);
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const cacheDir = fileURLToPath(new URL('../../.cache/nats-server', import.meta.url));
  const { path: binary } = await findNatsServer({ cacheDir, log: () => {} });
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    port: await freePort(),
    database: 'orders',
  });
  cleanups.push(() => postgres.stop());
  const port = await freePort();
  const monitorPort = await freePort(port + 1);
  const storeDir = join(folder, 'nats');
  const nats = await startNats({ binary, port, monitorPort, storeDir, logFile: join(folder, 'nats.log') });
  cleanups.push(() => nats.stop());
  const settings = readSettings({
    ORDER_MANAGER_DRAIN_SECONDS: '0',
    DB_CONNECTION_STRING: postgres.connectionString,
    NATS_URL: nats.url,
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_API_KEY: KEY,
    ORDER_MANAGER_LOG_LEVEL: 'ERROR',
  });
  context = await openContext(settings, 'gateway', 8);
  cleanups.push(async () => {
    await context.bus.close();
    await context.store.close();
  });
  await migrate(context.store);
  await context.bus.setUp(1);
  cleanups.push(await startGateway({ ...context, log: context.log.child({}, { level: 'silent' }) }));
  origin = `http://127.0.0.1:${settings.ORDER_MANAGER_PORT}`;
  problemWith = createAnswerCheck(await (await fetch(`${origin}/openapi.json`)).json());
});

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Every answer must be as the API's own document says. */
const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(`${origin}${path}`, {
    ...init,
    headers: { 'x-api-key': KEY, ...init.headers },
  });
  expect(await problemWith(init.method ?? 'GET', path, response)).toBeUndefined();
  return response;
};

const put = (path: string, body: string, headers: Record<string, string> = {}) =>
  call(path, { method: 'PUT', body, headers: { 'content-type': 'application/json', ...headers } });

async function problemOf(response: Response, status: number): Promise<Problem> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(status);
  return problem;
}

let orders = 0;
const anOrderId = (): string => {
  orders += 1;
  return `ord_${String(orders).padStart(13, '0')}`;
};

interface StoredOrder {
  readonly id?: string;
  readonly createdAt?: string;
  readonly variantIds?: readonly string[];
}

/** An order as the host would have written it, with a line of three units per variant. */
async function anOrder({
  id = anOrderId(),
  createdAt,
  variantIds = ['501'],
}: StoredOrder = {}): Promise<string> {
  const lines = variantIds.map((variantId, index) => ({
    lineId: `line-${index}`,
    variantId,
    productId: '9',
    sku: null,
    title: 'Lamp',
    unitPriceMinor: 1_000,
    units: 3,
    openUnits: 3,
    deliveredBy: 'us' as const,
  }));
  const fresh = newOrderContext({
    orderId: id,
    shop: 'api-shop.myshopify.com',
    shopOrderId: id.slice(4),
    name: '#1',
    currency: 'USD',
    totalMinor: 3_000,
    placedAt: '2026-11-02T14:15:00.000Z',
    sourceUpdatedAt: '2026-11-02T14:15:00.000Z',
    test: false,
    cancelled: false,
    payment: 'paid',
    hasAddress: true,
    lines,
  });
  await context.store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context, created_at)
     values ($1, $2, $3, '#1', 'USD', 3000, '2026-11-02T14:15:00.000Z', 'sourcing', $4::json, coalesce($5::timestamptz, now()))`,
    [id, 'api-shop.myshopify.com', id.slice(4), JSON.stringify(fresh), createdAt ?? null],
  );
  for (const [position, { lineId, variantId }] of lines.entries()) {
    await context.store.run(
      `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
       values ($1, $2, $3, $4, 'Lamp', 1000)`,
      [id, lineId, position, variantId],
    );
  }
  return id;
}

const aHold = (orderId: string, lineId: string, changes: { reason?: string; released?: boolean } = {}) =>
  context.store.run(
    `insert into holds (id, order_id, reason, line_id, evidence, released_at)
     values ($1, $2, $3, $4, '{"variantId":"501"}', case when $5 then now() end)`,
    [
      `hld_${orderId}_${lineId}_${changes.reason}`,
      orderId,
      changes.reason ?? 'unmapped_line',
      lineId,
      changes.released ?? false,
    ],
  );

async function aSupplierOrder(
  id: string,
  orderId: string,
  createdAt = '2026-11-03T10:00:00Z',
): Promise<string> {
  const { store } = context;
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from, expected_cost_minor, currency, created_at)
     values ($1, $2, 'cj_dropshipping', 'shipped', '{}', 'CJPacket', 'CN', 812, 'USD', $3::timestamptz)`,
    [id, orderId, createdAt],
  );
  await store.run(`insert into supplier_order_lines values ($1, 'line-0', 3, 'P1', 'V1', 6)`, [id]);
  await store.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state, request_hash, expected_cost_minor, currency, call_deadline)
     values ($1, 'create', $2, 'cj_dropshipping', $1, 2, 'done', 'h', 812, 'USD', now())`,
    [id, orderId],
  );
  await store.run(
    `insert into parcels (id, order_id, supplier_order_id, state, tracking_number, units)
     values ($1, $2, $3, 'in_transit', 'TRACK1', '{"line-0":3}')`,
    [`pcl_${id}`, orderId, id],
  );
  return id;
}

test.each([
  ['GET', '/orders'],
  ['GET', '/orders/ord_0000000000000'],
  ['GET', '/supplier-orders'],
  ['GET', '/supplier-orders/sup_ord_0000000000000'],
  ['GET', '/product-mappings/501'],
  ['PUT', '/product-mappings/501'],
])('%s %s asks for the API key', async (method, path) => {
  const missing = await call(path, { method, headers: { 'x-api-key': '' } });
  expect(await problemOf(missing, 401)).toMatchObject({ code: 'unauthorized' });
  const wrong = await call(path, { method, headers: { 'x-api-key': `${KEY}!` } });
  expect((await problemOf(wrong, 401)).detail).not.toContain(KEY);
});

test.each(['latin1', 'utf8'] as const)(
  'a key with accents is known when its header comes in %s',
  async (encoding) => {
    const header = Buffer.from(KEY, encoding).toString('latin1');
    expect((await call('/orders', { headers: { 'x-api-key': header } })).status).toBe(200);
  },
);

test.each(['/healthz', '/readyz', '/metrics'])('%s asks for no key', async (path) => {
  const response = await fetch(`${origin}${path}`);
  expect(response.status).toBe(200);
  expect((await fetch(`${origin}${path}`, { method: 'HEAD' })).status).toBe(200);
});

test.each([
  ['/nowhere', 'not_found', 'there is nothing at this path'],
  ['/orders/ord_zzzzzzzzzzzzz', 'order_not_found', 'there is no order "ord_zzzzzzzzzzzzz"'],
  ['/orders/a%00b', 'order_not_found', 'there is no order "a\\u0000b"'],
  ['/supplier-orders/sup_ord_zzz', 'supplier_order_not_found', 'there is no supplier order "sup_ord_zzz"'],
  ['/product-mappings/404', 'not_found', 'there is no mapping of variant 404'],
])('GET %s is a 404 that says which', async (path, code, detail) => {
  expect(await problemOf(await call(path), 404)).toMatchObject({ code, detail });
});

test.each([
  ['DELETE', '/orders', 'GET, HEAD, POST'],
  ['POST', '/orders/ord_0000000000000', 'GET, HEAD, PUT, DELETE'],
  ['POST', '/product-mappings/501', 'PUT, GET, HEAD, DELETE'],
  ['GET', '/webhooks/shopify/orders/create', 'POST'],
])('%s %s is a 405 with what is allowed', async (method, path, allow) => {
  const response = await call(path, { method });
  expect(response.headers.get('allow')).toBe(allow);
  expect(await problemOf(response, 405)).toMatchObject({ code: 'method_not_allowed' });
});

test('a path that cannot be decoded is a 400, and a path is never quoted', async () => {
  expect((await problemOf(await call('/orders/%E0%A4%A'), 400)).code).toBe('request_malformed');
  expect(JSON.stringify(await problemOf(await call('/secret-path?token=1'), 404))).not.toMatch(
    /secret|token/,
  );
});

test('answers carry the request’s id and the security headers, also when they refuse', async () => {
  const own = await call('/orders', { headers: { 'x-request-id': 'req-1.2:3' } });
  expect(own.headers.get('x-request-id')).toBe('req-1.2:3');
  const refused = await call('/nowhere', { headers: { 'x-request-id': 'not an id' } });
  expect(refused.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
  for (const { headers } of [own, refused, await fetch(`${origin}/metrics`)]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
  }
});

test('a page list is stable while new orders arrive, newest first, each order once', async () => {
  // Three orders share each instant, so the id has to decide between them.
  const ids: string[] = [];
  for (let index = 0; index < 12; index += 1)
    ids.push(await anOrder({ createdAt: `2026-11-04T10:00:0${Math.floor(index / 3)}.000Z` }));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: OrderList = OrderList.parse(await (await call(`/orders?limit=5${query}`)).json());
    expect(page.items.length).toBeLessThanOrEqual(5);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
    await anOrder();
  } while (cursor !== null);
  expect(seen.filter((id) => ids.includes(id))).toEqual([...ids].reverse());
  expect(new Set(seen).size).toBe(seen.length);
});

test.each([
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['limit=many', 'limit'],
  ['cursor=nonsense', 'cursor'],
  [`cursor=${Buffer.from('["2026-11-04T10:00:00.000Z","a\\u0000"]').toString('base64url')}`, 'cursor'],
  [`cursor=${Buffer.from('["0000-11-04T10:00:00.000Z","ord_1"]').toString('base64url')}`, 'cursor'],
  ['from=0000-01-01T00:00:00Z', 'from'],
  ['to=9999-12-31T23:59:59-01:00', 'to'],
  ['offset=5', 'query'],
])('GET /orders?%s is refused with its name', async (query, path) => {
  for (const list of ['/orders', '/supplier-orders']) {
    const problem = await problemOf(await call(`${list}?${query}`), 422);
    expect([problem.code, problem.errors?.map((error) => error.path)]).toEqual(['body_invalid', [path]]);
  }
});

test('a date may have any offset from UTC', async () => {
  for (const list of ['/orders', '/supplier-orders'])
    expect((await call(`${list}?from=2026-01-01T00:00:00%2B23:59&to=2026-01-02T00:00:00-23:59`)).status).toBe(
      200,
    );
});

test('an order shows its customer, units, open holds and supplier orders', async () => {
  const id = await anOrder({ variantIds: ['601', '602'] });
  await aHold(id, 'line-1');
  await aHold(id, 'line-0', { reason: 'operator', released: true });
  await aSupplierOrder('sup_ord_view', id);
  const address = { name: 'Ada', company: '', address1: '1 Road', address2: '', city: 'Town', province: '' };
  const shipTo = { ...address, provinceCode: '', zip: '1', country: 'US', countryCode: 'US', phone: '' };
  await context.store.run(
    `insert into customer_details (order_id, source_updated_at, email, shipping_address) values ($1, now(), 'ada@mail.example', $2::jsonb)`,
    [id, JSON.stringify(shipTo)],
  );
  const view = OrderView.parse(await (await call(`/orders/${id}`)).json());
  expect(view).toMatchObject({
    id,
    status: 'sourcing',
    held: true,
    holdReasons: ['unmapped_line'],
    totalMinor: 3_000,
    customer: { email: 'ada@mail.example', phone: null, locale: null, shippingAddress: shipTo },
    holds: [{ reason: 'unmapped_line', lineId: 'line-1', evidence: { variantId: '501' } }],
    supplierOrders: [{ id: 'sup_ord_view', attempt: 2 }],
  });
  const none = { outside: 0, held: 0, onSupplierOrders: 0, cancelled: 0 };
  expect(view.lines.map(({ lineId, variantId, units }) => ({ lineId, variantId, units }))).toEqual([
    { lineId: 'line-0', variantId: '601', units: { ordered: 3, unallocated: 3, ...none } },
    { lineId: 'line-1', variantId: '602', units: { ordered: 3, unallocated: 3, ...none } },
  ]);
  const list = OrderList.parse(await (await call('/orders?limit=200')).json());
  expect(list.items.find((item) => item.id === id)).toMatchObject({
    held: true,
    holdReasons: ['unmapped_line'],
  });
});

test('supplier orders show lines, attempt and parcels, one by one and in pages', async () => {
  const orderId = await anOrder();
  const ids: string[] = [];
  for (const index of [1, 2, 3, 4, 5])
    ids.push(await aSupplierOrder(`sup_ord_page${index}`, orderId, `2026-11-05T10:00:0${index}Z`));
  const one = SupplierOrderView.parse(await (await call('/supplier-orders/sup_ord_page3')).json());
  expect(one).toMatchObject({
    orderId,
    supplier: 'cj_dropshipping',
    status: 'shipped',
    attempt: 2,
    supplierReference: null,
    amountMinor: null,
    lines: [
      { lineId: 'line-0', units: 3, supplierProductId: 'P1', supplierVariantId: 'V1', supplierUnits: 6 },
    ],
    parcels: [{ state: 'in_transit', trackingNumber: 'TRACK1', lines: [{ lineId: 'line-0', units: 3 }] }],
  });
  const first = SupplierOrderList.parse(await (await call('/supplier-orders?limit=3')).json());
  const second = SupplierOrderList.parse(
    await (await call(`/supplier-orders?limit=3&cursor=${first.nextCursor}`)).json(),
  );
  const paged = [...first.items, ...second.items];
  expect(paged.map(({ id }) => id).slice(0, 5)).toEqual([...ids].reverse());
  expect(paged.every(({ lines, parcels }) => lines.length === 1 && parcels.length === 1)).toBe(true);
});

test('a draft that buys several articles for a line keeps them, and the refusal says why', async () => {
  const id = await aSupplierOrder('sup_ord_bundle', await anOrder());
  await context.store.run("update supplier_orders set state = 'draft' where id = $1", [id]);
  await context.store.run("insert into supplier_order_lines values ($1, 'line-0', 3, 'P2', 'V2', 3)", [id]);
  for (const [line_id, message] of [
    [
      'line-0',
      'is a bundle of several articles: put its product mapping, DELETE the purchase, and release its holds',
    ],
    ['line-1', 'the purchase has no such line'],
  ]) {
    const items = [{ line_id, supplier_product_id: 'P3', supplier_variant_id: 'V3' }];
    const problem = await problemOf(await put(`/supplier-orders/${id}`, JSON.stringify({ items })), 422);
    expect(problem.errors).toEqual([{ path: 'items.0.line_id', message }]);
  }
});

const MAPPING = {
  candidates: [{ supplier: 'cj_dropshipping', supplierProductId: 'P', supplierVariantId: 'V' }],
};

const releasesFor = async (orderId: string) => {
  const rows = await context.store.query<{ message_id: string; payload: string }>(
    'select message_id, payload from outbox where subject like $1 order by id',
    [`oms.evt.%.order.release_requested.${orderId}`],
  );
  return rows.map(({ message_id, payload }) => {
    const message = Envelope.parse(JSON.parse(payload));
    expect(message).toMatchObject({ id: message_id, type: 'order.release_requested', source: '/gateway' });
    return { messageId: message_id, data: ReleaseRequested.parse(message.data) };
  });
};

test('a mapping is stored, shown, and asks for the release of every line that waited for it', async () => {
  const two = await anOrder({ variantIds: ['801', '802', '801'] });
  const other = await anOrder({ variantIds: ['802'] });
  const released = await anOrder({ variantIds: ['801'] });
  const held = await anOrder({ variantIds: ['801'] });
  for (const lineId of ['line-0', 'line-1', 'line-2']) await aHold(two, lineId);
  await aHold(other, 'line-0');
  await aHold(released, 'line-0', { released: true });
  await aHold(held, 'line-0', { reason: 'phone_invalid' });

  const response = await put('/product-mappings/801', JSON.stringify(MAPPING));
  expect(response.status).toBe(200);
  const mapping = ProductMapping.parse(await response.json());
  expect(mapping).toMatchObject({
    variantId: '801',
    candidates: [{ ...MAPPING.candidates[0], unitsPerItem: 1, countries: [], shipsFrom: 'CN', priority: 1 }],
  });
  expect(await (await call('/product-mappings/801')).json()).toEqual(mapping);
  const [release] = await releasesFor(two);
  expect(release?.data).toEqual({ orderId: two, reason: 'unmapped_line', lineIds: ['line-0', 'line-2'] });
  for (const id of [other, released, held]) expect(await releasesFor(id)).toEqual([]);

  expect((await put('/product-mappings/801', JSON.stringify(MAPPING))).status).toBe(200);
  const again = await releasesFor(two);
  expect(new Set(again.map(({ messageId }) => messageId)).size).toBe(2);
  const subjects = () => context.store.query('select 1 from outbox_pending');
  await expect.poll(subjects).toEqual([]);
});

test.each<[string, number, string, string, Record<string, string>, string[] | undefined]>([
  ['/product-mappings/801', 400, 'body_malformed', '{"candidates":', {}, undefined],
  ['/product-mappings/801', 400, 'body_malformed', '', {}, undefined],
  [
    '/product-mappings/801',
    415,
    'content_type_unsupported',
    '{}',
    { 'content-type': 'text/plain' },
    undefined,
  ],
  ['/product-mappings/801', 413, 'body_too_large', `"${'x'.repeat(1_000_001)}"`, {}, undefined],
  ['/product-mappings/801', 422, 'body_invalid', '{"candidates":[]}', {}, ['candidates']],
  [
    '/product-mappings/801',
    422,
    'body_invalid',
    '{"candidates":[{"supplier":"ebay"}]}',
    {},
    ['candidates.0.supplier', 'candidates.0.supplierProductId', 'candidates.0.supplierVariantId'],
  ],
  ['/product-mappings/801', 422, 'body_invalid', JSON.stringify({ ...MAPPING, extra: 1 }), {}, ['body']],
  ['/product-mappings/abc', 422, 'body_invalid', JSON.stringify(MAPPING), {}, ['variantId']],
])('PUT %s is answered %i %s', async (path, status, code, body, headers, fields) => {
  const problem = await problemOf(await put(path, body, headers), status);
  expect([problem.code, problem.errors?.map((error) => error.path)]).toEqual([code, fields]);
});

test('a body that is no UTF-8 is refused, and no letter of it is guessed', async () => {
  const named = JSON.stringify({ ...MAPPING, sku: 'café' });
  for (const [path, method, type] of [
    ['/product-mappings/801', 'PUT', 'application/json; charset=iso-8859-1'],
    ['/product-mappings/import', 'POST', 'text/csv'],
  ] as const) {
    const headers = { 'content-type': type };
    const response = await call(path, { method, headers, body: Buffer.from(named, 'latin1') });
    expect(await problemOf(response, 400)).toMatchObject({
      code: 'body_malformed',
      detail: 'the body is not UTF-8',
    });
  }
});

test('a body that is nested without end is refused with the place of the fault', async () => {
  const body = `{"note":"x","data":${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}}`;
  const headers = { 'content-type': 'application/json' };
  const problem = await problemOf(await call('/dead-letters/1/edit', { method: 'POST', headers, body }), 422);
  expect(problem.errors?.map(({ path }) => path)).toEqual(['data']);
});

test('mails that the customer may not have are sent again by their order, and by an order that has some', async () => {
  const path = `/orders/${ORDER_ID}/mails/send-again`;
  const send = () => call(path, { method: 'POST' });
  const { store } = context;
  await givenOrderRows(store);
  await store.run(
    `insert into notifications (id, order_id, kind, state, about)
     values ('n1', $1, 'order_confirmed', 'failed', null), ('n2', $1, 'parcel_shipped', 'sent', null),
            ('n3', $1, 'mail_failed', 'failed', 'n1')`,
    [ORDER_ID],
  );
  const answer = await send();
  expect([answer.status, await answer.json()]).toEqual([
    202,
    { orderId: ORDER_ID, mails: ['order_confirmed'] },
  ]);
  expect((await send()).status).toBe(409);
  expect((await call('/orders/ord_none/mails/send-again', { method: 'POST' })).status).toBe(404);
  const states = await store.query('select id, state from notifications order by id');
  expect(states).toEqual([
    { id: 'n1', state: 'pending' },
    { id: 'n2', state: 'sent' },
    { id: 'n3', state: 'failed' },
  ]);
});

test('a failure of ours is a 500 without details', async () => {
  await context.store.run('alter table product_mappings rename to elsewhere');
  try {
    for (const path of ['/product-mappings/801', '/product-mappings/export']) {
      const problem = await problemOf(await call(path), 500);
      expect(problem.code).toBe('internal');
      expect(JSON.stringify(problem)).not.toMatch(/elsewhere|product_mappings|select/);
    }
  } finally {
    await context.store.run('alter table elsewhere rename to product_mappings');
  }
});

test('a halted partition makes the service not ready, by name', async () => {
  expect(await (await fetch(`${origin}/readyz`)).json()).toEqual({ status: 'ready' });
  await context.store.run("update event_partitions set halted = 'the stream lost its tail' where part = 7");
  try {
    const problem = await problemOf(await fetch(`${origin}/readyz`), 503);
    expect(problem.errors).toEqual([{ path: 'partition.7', message: 'the stream lost its tail' }]);
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('order_manager_partitions_halted 1');
  } finally {
    await context.store.run('update event_partitions set halted = null');
  }
});

test('a database that takes no writes makes the service not ready, beside what is halted', async () => {
  const problems = await context.store
    .transaction(async (sql) => {
      await sql.run("update event_partitions set halted = 'the stream lost its tail' where part = 7");
      await sql.run('set transaction read only');
      const found = await findProblems(sql, context.bus);
      throw Object.assign(new Error('rolled back'), { found });
    })
    .catch(({ found }: { found: unknown }) => found);
  expect(problems).toEqual([
    { path: 'database', message: expect.stringContaining('takes no writes') },
    { path: 'partition.7', message: 'the stream lost its tail' },
  ]);
});

test('a database whose disk is full makes the service not ready and says so, until it has room again', async () => {
  const { store } = context;
  await store.run(
    `create function fill_disk() returns trigger language plpgsql as $$ begin
       raise exception 'could not extend file' using errcode = '53100';
     end $$`,
  );
  await store.run('create trigger fill_disk before insert on outbox execute function fill_disk()');
  try {
    const id = await anOrder();
    expect((await call(`/orders/${id}`, { method: 'DELETE' })).status).toBe(503);
    const problem = await problemOf(await fetch(`${origin}/readyz`), 503);
    expect(problem.errors).toEqual([{ path: 'database', message: expect.stringContaining('disk is full') }]);
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain(
      'order_manager_database_refuses{reason="disk_full"} 1',
    );
  } finally {
    await store.run('drop function fill_disk() cascade');
  }
  await expect.poll(async () => (await fetch(`${origin}/readyz`)).status, { interval: 500 }).toBe(200);
});

test('metrics tell the process, the requests and what the database knows', async () => {
  const id = await anOrder();
  await aHold(id, 'line-0', { reason: 'fraud_review' });
  await context.store.run(
    `insert into timers values ('ord_metrics', 'grace', 1, 'grace', null, null, now() - interval '1 minute')`,
  );
  await context.store.run(
    `insert into dead_letters (message_id, subject, seq, payload, state) values ('m', 's', 1, '{}', 'open')`,
  );
  await call('/orders/ord_zzzzzzzzzzzzz');
  const text = await (await fetch(`${origin}/metrics`)).text();
  for (const line of [
    /^order_manager_process_cpu_seconds_total /m,
    /^order_manager_nodejs_eventloop_lag_seconds /m,
    /^order_manager_http_request_duration_seconds_count\{method="GET",route="\/orders\/:orderId",status="404"\} \d+$/m,
    /^order_manager_orders\{state="sourcing"\} [1-9]\d*$/m,
    /^order_manager_orders\{state="delivered"\} 0$/m,
    /^order_manager_supplier_orders\{state="shipped"\} [1-9]\d*$/m,
    /^order_manager_open_holds\{reason="fraud_review"\} 1$/m,
    /^order_manager_outbox_oldest_unpublished_age_seconds 0(\.\d+)?$/m,
    /^order_manager_dead_letters\{kind="event",reason="impossible"\} 1$/m,
    /^order_manager_timers_overdue 1$/m,
    /^order_manager_partitions_halted 0$/m,
    /^order_manager_database_up 1$/m,
  ])
    expect(text).toMatch(line);
  expect(text).not.toMatch(/ord_zzz/);
  const names = text.match(/^# TYPE (\S+)/gm)?.map((line) => line.slice(7)) ?? [];
  expect(names.filter((name) => !name.startsWith('order_manager_'))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});

test('one log line per request, without path, query or body', async () => {
  const lines: unknown[] = [];
  const port = await freePort();
  const log = context.log.child({}, { level: 'debug' });
  log.debug = (...args: unknown[]) => void lines.push(args);
  const stop = await startGateway({
    ...context,
    log,
    settings: { ...context.settings, ORDER_MANAGER_PORT: port },
  });
  try {
    const headers = { 'x-api-key': KEY, 'x-request-id': 'log-1' };
    await fetch(`http://127.0.0.1:${port}/orders/ord_private?secret=1`, { headers });
    const message = { method: 'GET', route: '/orders/:orderId', status: 422, requestId: 'log-1' };
    expect(lines).toEqual([
      [expect.objectContaining({ ...message, status: 404, ms: expect.any(Number) }), 'request'],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/private|secret/);
  } finally {
    await stop();
  }
});

test('without API key the start is refused, and a taken port is named', async () => {
  const { ORDER_MANAGER_API_KEY: _key, ...settings } = context.settings;
  await expect(startGateway({ ...context, settings })).rejects.toThrow(
    /^cannot start: ORDER_MANAGER_API_KEY is not set/,
  );
  const taken = startGateway(context);
  await expect(taken).rejects.toMatchObject({ code: 'settings_invalid' });
  await expect(taken).rejects.toThrow(`ORDER_MANAGER_PORT ${context.settings.ORDER_MANAGER_PORT}`);
});

const answerOf = (sent: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => sent.once('response', resolve).once('error', reject));

test('a stop takes no new connection and finishes the request in hand', async () => {
  const port = await freePort();
  const stop = await startGateway({
    ...context,
    settings: { ...context.settings, ORDER_MANAGER_PORT: port },
  });
  const agent = new Agent({ keepAlive: true });
  const headers = { 'x-api-key': KEY, 'content-type': 'application/json', expect: '100-continue' };
  const slow = request({
    host: '127.0.0.1',
    port,
    path: '/product-mappings/900',
    method: 'PUT',
    headers,
    agent,
  });
  slow.flushHeaders();
  await new Promise((resolve) => slow.once('continue', resolve));
  const stopping = stop();
  await expect
    .poll(() =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => true,
        () => false,
      ),
    )
    .toBe(false);
  slow.end(JSON.stringify(MAPPING));
  const answer = await answerOf(slow);
  answer.resume();
  expect(answer.statusCode).toBe(200);
  await stopping;
  agent.destroy();
});

test('a connection stays good for the next request after a refusal that did not read the body', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const port = context.settings.ORDER_MANAGER_PORT;
  const body = JSON.stringify({ filler: 'x'.repeat(200_000) });
  for (const [path, method, status] of [
    ['/product-mappings/801', 'PUT', 401],
    ['/orders', 'POST', 401],
    ['/webhooks/shopify/orders/create', 'POST', 503],
    ['/nowhere', 'POST', 404],
    ['/healthz', 'GET', 200],
  ] as const) {
    const sent = request({ host: '127.0.0.1', port, path, method, agent });
    sent.end(method === 'GET' ? undefined : body);
    const answer = await answerOf(sent);
    expect([path, answer.statusCode]).toEqual([path, status]);
    await new Promise((resolve) => answer.resume().once('end', resolve));
  }
  agent.destroy();
});

/** Requests counted with these labels. */
async function countOf(labels: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const line = text.split('\n').find((each) => each.includes(`duration_seconds_count{${labels}}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

test('a client that leaves in the middle of its body is no failure of ours', async () => {
  const labels = (status: number) => `method="PUT",route="/product-mappings/:variantId",status="${status}"`;
  const before = [await countOf(labels(400)), await countOf(labels(500))];
  const port = context.settings.ORDER_MANAGER_PORT;
  const path = '/product-mappings/801';
  const type = { 'content-type': 'application/json', 'content-length': '5000' };
  const headers = { 'x-api-key': KEY, ...type, expect: '100-continue' };
  const sent = request({ host: '127.0.0.1', port, path, method: 'PUT', headers }).on('error', () => {});
  sent.flushHeaders();
  await new Promise((resolve) => sent.once('continue', resolve));
  sent.write('{"candidates":', () => sent.destroy());
  await expect.poll(() => countOf(labels(400))).toBe((before[0] ?? 0) + 1);
  expect(await countOf(labels(500))).toBe(before[1]);
});
