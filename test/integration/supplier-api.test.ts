import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { LIST_SUPPLIERS } from '../../contracts/requests/list-suppliers.ts';
import { READ_PRODUCT } from '../../contracts/requests/read-product.ts';
import { no, type RequestFailure, yes } from '../../contracts/requests/request.ts';
import { SEARCH_PRODUCTS } from '../../contracts/requests/search-products.ts';
import { TAKE_PUSH } from '../../contracts/requests/take-push.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { PurchasingPauses } from '../../contracts/resources/purchasing-pause.ts';
import { SupplierList } from '../../contracts/resources/supplier.ts';
import type { ProductPage, SupplierProduct } from '../../contracts/resources/supplier-product.ts';
import { FAILURE_CLASSES, SUPPLIERS } from '../../contracts/vocabulary.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { startGateway } from '../../gateway/service.ts';
import { openBus } from '../../services/bus/bus.ts';
import { answering, type RequestHandler } from '../../services/bus/requests.ts';
import { keepBills } from '../../services/suppliers/bills.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { describedFetch } from '../fixtures/documented.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { givenPurchase, verdicts } from '../fixtures/purchase-desk.ts';
import { aServiceContext, emptyStreams } from '../fixtures/service-context.ts';
import { CREDENTIALS, givenWorld } from '../sandbox/world.ts';

const KEY = 'a key of sixteen or more';
let nats: OwnNats;

beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());

const page: ProductPage = {
  items: [
    {
      supplier: 'cj_dropshipping',
      id: '123',
      title: 'Moon lamp',
      price: { minMinor: 690, maxMinor: 990, currency: 'USD' },
      imageUrl: null,
      stock: 12,
    },
  ],
  page: 1,
  limit: 20,
  total: 1,
};

const product: SupplierProduct = {
  supplier: 'cj_dropshipping',
  id: '123',
  title: 'Moon lamp',
  description: null,
  url: null,
  price: { minMinor: 690, maxMinor: 990, currency: 'USD' },
  imageUrls: [],
  variants: [],
  stock: 12,
  shipsFrom: ['CN'],
  country: 'FR',
  deliveryDays: { min: 7, max: 12 },
  shippingOptions: [],
};

async function aGateway() {
  const port = await freePort();
  const context = await aServiceContext(nats.url, {
    ORDER_MANAGER_API_KEY: KEY,
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(port),
  });
  const stop = await startGateway(context);
  onTestFinished(stop);
  const ask = describedFetch(`http://127.0.0.1:${port}`);
  const call = (path: string, init: RequestInit = {}) =>
    ask(path, { ...init, headers: { 'x-api-key': KEY, ...init.headers } });
  const post = (path: string, body: unknown) =>
    call(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  return { context, port, call, post };
}

/** Answers in the place of the suppliers service. */
async function answeringSuppliers(...handlers: readonly RequestHandler[]): Promise<void> {
  const bus = await openBus(nats.url, 'suppliers');
  onTestFinished(() => bus.close());
  const server = bus.serveRequests('suppliers', handlers, () => {});
  onTestFinished(() => server.stop());
  // The server knows of the subscriptions once it has answered something behind them.
  await bus.setUp(1);
}

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return Problem.parse(await response.json());
}

test('a search and a product are answered by the suppliers service, with the guide’s own bodies and paths', async () => {
  const { call, post } = await aGateway();
  const asked: unknown[] = [];
  await answeringSuppliers(
    answering(SEARCH_PRODUCTS, async (request) => {
      asked.push(request);
      return yes(page);
    }),
    answering(READ_PRODUCT, async (request) => {
      asked.push(request);
      return yes(product);
    }),
  );
  const query = { supplier: 'cj_dropshipping', query: 'smartphone accessories', page: 1, limit: 20 };
  expect(await (await post('/search', query)).json()).toEqual(page);
  expect(await (await call('/product/cj_dropshipping/123?country=FR')).json()).toEqual(product);
  const odd = 'shelf/ö 1#ß';
  expect((await call(`/product/cj_dropshipping/${encodeURIComponent(odd)}?country=FR`)).status).toBe(200);
  expect(asked.pop()).toMatchObject({ productId: odd });
  expect(asked).toEqual([
    { ...query, country: 'US' },
    { supplier: 'cj_dropshipping', productId: '123', country: 'FR' },
  ]);
});

test('what the suppliers service refuses has the title of the guide', async () => {
  const { call, post } = await aGateway();
  let failure: RequestFailure = { failureClass: 'transient', message: 'no answer', evidence: {} };
  await answeringSuppliers(
    answering(SEARCH_PRODUCTS, async () => no(failure)),
    answering(READ_PRODUCT, async () => no(failure)),
  );
  const seen: Record<string, unknown> = {};
  for (const failureClass of FAILURE_CLASSES) {
    failure = { failureClass, message: 'said the supplier', evidence: {} };
    const search = await post('/search', { supplier: 'aliexpress', query: 'lamp' });
    const read = await call('/product/aliexpress/1234567890');
    const problems = [await problemOf(search), await problemOf(read)];
    expect(problems.map(({ detail }) => detail)).toEqual(
      Array(2).fill(`said the supplier (${failureClass})`),
    );
    seen[failureClass] = problems.map(({ status, title }) => `${status} ${title}`);
  }
  const [away, auth] = ['502 API connection error', '502 Authentication failed'];
  const refused = ['422 Search refused', '404 Product not found'];
  expect(seen).toEqual({
    ...Object.fromEntries(FAILURE_CLASSES.map((failureClass) => [failureClass, refused])),
    transient: [away, away],
    throttled: ['503 API connection error', '503 API connection error'],
    auth: [auth, auth],
    account_blocked: [auth, auth],
    unknown_outcome: [away, away],
    permanent: [away, away],
  });
  failure = { failureClass: 'transient', message: 'no answer', evidence: { timeout: true } };
  expect((await call('/product/aliexpress/1')).status).toBe(504);
  failure = { failureClass: 'transient', message: 'not called', evidence: { breaker: 'open' } };
  expect((await call('/product/aliexpress/1')).status).toBe(503);
});

test('without the suppliers service there is a connection error, and bad input is named before anybody is asked', async () => {
  const { call, post } = await aGateway();
  for (const path of ['/product/aliexpress/1', '/suppliers'])
    expect(await problemOf(await call(path))).toMatchObject({
      status: 503,
      code: 'bus_unavailable',
      title: 'API connection error',
    });
  const bad = await problemOf(await post('/search', { supplier: 'temu', query: '', limit: 1_000 }));
  expect(bad.status).toBe(422);
  expect(bad.errors?.map(({ path }) => path).sort()).toEqual(['limit', 'query', 'supplier']);
  for (const path of [
    '/product/temu/1',
    '/product/aliexpress/%20',
    '/product/aliexpress/1%00',
    '/product/aliexpress/1?country=france',
  ])
    expect((await call(path)).status).toBe(422);
  expect((await fetch(new URL((await call('/suppliers')).url))).status).toBe(401);
});

test('a push is handed on with its bytes and its supplier’s signature and without the key; the verdict decides the answer', async () => {
  const { port } = await aGateway();
  const seen: z.infer<typeof TAKE_PUSH.request>[] = [];
  let result: z.infer<typeof TAKE_PUSH.reply>['result'] = 'accepted';
  await answeringSuppliers(
    answering(TAKE_PUSH, async (push) => {
      seen.push(push);
      return push.supplier === 'aliexpress' && push.bodyBase64 === ''
        ? no({ failureClass: 'auth', message: 'aliexpress is not set up here', evidence: {} })
        : yes({ result });
    }),
  );
  const body = '{"é": "exact \\u00e9 bytes"}';
  const push = (path: string, text = body) =>
    fetch(`http://127.0.0.1:${port}/webhooks/${path}`, {
      method: 'POST',
      body: text,
      headers: { sign: 'signature', authorization: 'other', 'x-api-key': 'mine', cookie: 'none' },
    });
  for (const verdict of ['accepted', 'repeated', 'probe', 'unreadable'] as const) {
    result = verdict;
    const response = await push('cj');
    expect([response.status, await response.json()]).toEqual([200, { result: verdict }]);
  }
  expect(seen[0]).toEqual({
    supplier: 'cj_dropshipping',
    headers: { sign: 'signature' },
    bodyBase64: Buffer.from(body).toString('base64'),
  });
  result = 'forged';
  expect(await problemOf(await push('aliexpress'))).toMatchObject({
    status: 401,
    title: 'Webhook verification failed',
  });
  expect(seen.at(-1)?.headers).toEqual({ authorization: 'other' });
  expect(await problemOf(await push('aliexpress', ''))).toMatchObject({
    status: 503,
    title: 'Webhook verification failed',
    detail: 'aliexpress is not set up here',
  });
  expect((await push('cj', 'x'.repeat(300_000))).status).toBe(413);
});

test('a push that nobody can verify is to be sent again; whoever only tries the address gets a yes', async () => {
  const { port } = await aGateway();
  for (const path of ['cj', 'aliexpress'])
    for (const method of ['GET', 'HEAD'])
      expect((await fetch(`http://127.0.0.1:${port}/webhooks/${path}`, { method })).status).toBe(200);
  const response = await fetch(`http://127.0.0.1:${port}/webhooks/cj`, { method: 'POST', body: '{}' });
  expect(await problemOf(response)).toMatchObject({ status: 503, title: 'Webhook verification failed' });
});

test('the real service answers: suppliers with their state and comparison, the switch by route and by message', async () => {
  await emptyStreams(nats.url);
  const { context, call, post } = await aGateway();
  const world = await givenWorld();
  const environment = {
    CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
    CJ_DROPSHIPPING_BASE_URL: world.cjBaseUrl,
    ALIEXPRESS_API_KEY: '500123',
  };
  const suppliers = await aServiceContext(nats.url, environment, context.connectionString);
  onTestFinished(await startSuppliers(suppliers));
  const list = async () => SupplierList.parse(await (await call('/suppliers')).json()).items;
  await eventually(list);

  const [aliexpress, cj] = await list();
  expect(aliexpress).toMatchObject({
    name: 'aliexpress',
    configured: false,
    missing: expect.arrayContaining(['ALIEXPRESS_SECRET']),
    mode: 'shadow',
    breaker: null,
    capabilities: null,
    comparison: { deliveryDays: { min: 15, max: 45, source: 'guide' }, qualityControl: 'minimal' },
  });
  expect(cj).toMatchObject({
    name: 'cj_dropshipping',
    configured: true,
    missing: [],
    purchasingPauses: [],
    breaker: 'closed',
    capabilities: { looksUpByReference: true },
    comparison: { internationalWarehouses: true, deliveryDays: { min: 7, max: 15, source: 'guide' } },
  });
  const said = suppliers.lines.map(({ msg }) => msg);
  expect(said).toContainEqual(expect.stringMatching(/^cj_dropshipping does everything but the purchase/));
  expect(said).toContainEqual(expect.stringMatching(/^aliexpress is not set up/));

  const search = await post('/search', { supplier: 'aliexpress', query: 'lamp' });
  expect(await problemOf(search)).toMatchObject({
    status: 502,
    title: 'Authentication failed',
    detail: expect.stringContaining('ALIEXPRESS_SECRET'),
  });

  const pauses = async (response: Response) => PurchasingPauses.parse(await response.json()).pauses;
  const paused = await post('/suppliers/cj_dropshipping/pause', { reason: 'stock-taking' });
  expect(await pauses(paused)).toMatchObject([{ scope: 'cj_dropshipping', reason: 'stock-taking' }]);
  const { bus } = context;
  expect(await pauses(await post('/purchasing/pause', { reason: 'all of it' }))).toMatchObject([
    { scope: 'all' },
    { scope: 'cj_dropshipping' },
  ]);
  expect((await list()).map(({ purchasingPauses }) => purchasingPauses.length)).toEqual(
    SUPPLIERS.map((supplier) => (supplier === 'cj_dropshipping' ? 2 : 1)),
  );
  expect(await pauses(await call('/purchasing/resume', { method: 'POST' }))).toMatchObject([
    { scope: 'cj_dropshipping' },
  ]);
  const resume = await call('/suppliers/cj_dropshipping/resume', { method: 'POST' });
  expect(await pauses(resume)).toEqual([]);
  expect((await post('/purchasing/pause', {})).status).toBe(422);
  expect((await bus.request(LIST_SUPPLIERS, {}, 10_000)).ok).toBe(true);
});

test('the real service raises a bill by itself', async () => {
  await emptyStreams(nats.url);
  const suppliers = await aServiceContext(nats.url);
  const purchase = await givenPurchase(suppliers.store, { state: 'accepted' });
  await keepBills(suppliers.store, [
    { ...purchase, id: 'BT1', amountMinor: 235, currency: 'USD', isOpen: true },
  ]);
  onTestFinished(await startSuppliers(suppliers));
  await eventually(async () =>
    expect(await verdicts(suppliers.store, purchase)).toEqual(['withheld payment_pending']),
  );
});

test('delivery days are measured once enough parcels have arrived, and the metrics tell what the copies reported', async () => {
  await emptyStreams(nats.url);
  const { context, call } = await aGateway();
  const suppliers = await aServiceContext(nats.url, {}, context.connectionString);
  await suppliers.store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency, created_at)
     select 'sup_ord_' || n, 'ord_' || n, 'cj_dropshipping', 'delivered', '{}', 'x', 'CN', 1, 'USD',
            now() - n * interval '1 day' from generate_series(5, 14) n`,
  );
  await suppliers.store.run(
    `insert into parcels (id, order_id, supplier_order_id, state, tracking_number, units)
     select 'pcl_' || n, 'ord_' || n, 'sup_ord_' || n, 'delivered', 'T' || n, '{}' from generate_series(5, 14) n`,
  );
  await suppliers.store.run(
    `insert into supplier_accounts (supplier, paused_until, budget_paused_until, quota_remaining, quota_total,
                                    access_expires_at)
     values ('cj_dropshipping', now() + interval '1 hour', now() + interval '1 day', 12, 50000, '2027-01-01T00:00:00.000Z')`,
  );
  await suppliers.store.run(`insert into supplier_calls values ('cj_dropshipping', 'place', 'ok', 7, 3.5)`);
  await suppliers.store.run(`insert into supplier_breakers values ('copy-1', 'cj_dropshipping', 'open')`);
  await suppliers.store.run(
    `insert into purchasing_pauses (scope, cause, reason) values ('all', 'operator', 'x')`,
  );
  onTestFinished(await startSuppliers(suppliers));
  const [, cj] = await eventually(
    async () => SupplierList.parse(await (await call('/suppliers')).json()).items,
  );
  expect(cj).toMatchObject({
    callsPausedUntil: expect.any(String),
    budgetPausedUntil: expect.any(String),
    quota: { remaining: 12, total: 50_000 },
    tokenExpiresAt: '2027-01-01T00:00:00.000Z',
    comparison: { deliveryDays: { min: 5, max: 14, source: 'measured', parcels: 10 } },
  });
  const metrics = (await (await call('/metrics')).text()).split('\n');
  for (const line of [
    'order_manager_supplier_calls_total{supplier="cj_dropshipping",operation="place",outcome="ok"} 7',
    'order_manager_supplier_call_seconds_total{supplier="cj_dropshipping",operation="place",outcome="ok"} 3.5',
    'order_manager_supplier_breaker{supplier="cj_dropshipping",state="open"} 1',
    'order_manager_supplier_quota_remaining{supplier="cj_dropshipping"} 12',
    'order_manager_supplier_token_expiry_timestamp_seconds{supplier="cj_dropshipping"} 1798761600',
    'order_manager_supplier_purchasing_stopped{supplier="cj_dropshipping"} 1',
  ])
    expect(metrics).toContain(line);
  const pause = (stops: string): number => {
    const start = `order_manager_supplier_pause_seconds{supplier="cj_dropshipping",stops="${stops}"} `;
    return Number(metrics.find((line) => line.startsWith(start))?.slice(start.length));
  };
  expect(pause('calls')).toBeGreaterThan(3_000);
  expect(pause('calls')).toBeLessThan(3_700);
  expect(pause('budget')).toBeGreaterThan(86_000);
});
