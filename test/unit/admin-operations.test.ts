import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import {
  buildClientSchema,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type IntrospectionQuery,
  NoDeprecatedCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import { requestedCost } from '../../deploy/sandbox/shopify/query-cost.ts';
import { fixedAccessToken, renewedAccessToken } from '../../services/shopify/access-token.ts';
import { type AdminClientOptions, createAdminClient } from '../../services/shopify/admin-client.ts';
import { toTrackingInfo } from '../../services/shopify/carriers.ts';
import * as orderOperations from '../../services/shopify/order-operations.ts';
import * as shipmentOperations from '../../services/shopify/shipment-operations.ts';
import type { ShopError } from '../../services/shopify/shop-error.ts';
import * as shopOperations from '../../services/shopify/shop-operations.ts';
import * as workOperations from '../../services/shopify/work-operations.ts';

const VERSIONS = ['2026-10', '2026-07', '2026-04'];

/** Shopify's own dev tool carries the whole schemas. */
function realSchema(version: string): GraphQLSchema {
  const file = new URL(
    `../../node_modules/@shopify/dev-mcp/dist/data/admin_${version}.json.gz`,
    import.meta.url,
  );
  const content: { data: IntrospectionQuery } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
  // Shopify's interfaces break a rule about deprecation that graphql would complain of.
  return buildClientSchema(content.data, { assumeValid: true });
}

const texts = Object.entries({
  ...orderOperations,
  ...shipmentOperations,
  ...shopOperations,
  ...workOperations,
}).flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : []));

const parcel = {
  trackingNumber: 'YP1',
  lastMileTrackingNumber: '9400',
  carrier: 'Yanwen',
  trackingUrl: null,
};
/** What we send, as the mutations' variables. */
const VARIABLES: Record<string, Record<string, unknown>> = {
  CREATE_FULFILLMENT: {
    fulfillment: {
      lineItemsByFulfillmentOrder: [
        {
          fulfillmentOrderId: 'gid://shopify/FulfillmentOrder/1',
          fulfillmentOrderLineItems: [{ id: 'gid://shopify/FulfillmentOrderLineItem/2', quantity: 1 }],
        },
      ],
      trackingInfo: toTrackingInfo(parcel),
      notifyCustomer: true,
    },
  },
  UPDATE_TRACKING: {
    fulfillmentId: 'gid://shopify/Fulfillment/1',
    trackingInfo: toTrackingInfo(parcel),
    notifyCustomer: true,
  },
  CREATE_FULFILLMENT_EVENT: {
    event: {
      fulfillmentId: 'gid://shopify/Fulfillment/1',
      status: 'IN_TRANSIT',
      happenedAt: '2026-11-22T10:00:00Z',
    },
  },
  SUBSCRIBE: {
    topic: 'ORDERS_CREATE',
    subscription: { uri: 'https://orders.lantern.example/webhooks/shopify/orders/create', format: 'JSON' },
  },
  ADD_TAGS: { orderId: 'gid://shopify/Order/1', tags: ['order-manager'] },
  UPDATE_NOTE: { input: { id: 'gid://shopify/Order/1', note: 'text' } },
  PLACE_HOLD: {
    fulfillmentOrderId: 'gid://shopify/FulfillmentOrder/1',
    hold: { reason: 'OTHER', reasonNotes: 'text', handle: 'order-manager', notifyMerchant: false },
  },
  RELEASE_HOLDS: {
    fulfillmentOrderId: 'gid://shopify/FulfillmentOrder/1',
    holdIds: ['gid://shopify/FulfillmentHold/1'],
  },
};

describe.each(VERSIONS)('in Shopify’s own schema of %s', (version) => {
  const schema = realSchema(version);

  test.each(texts)('%s is valid and uses nothing deprecated', (_name, text) => {
    expect(validate(schema, parse(text), [...specifiedRules, NoDeprecatedCustomRule])).toEqual([]);
  });

  test.each(texts)('%s stays well below the 1,000 points of one call', (_name, text) => {
    const document = parse(text);
    const operation = getOperationAST(document);
    if (operation == null) throw new Error('no operation');
    expect(requestedCost(schema, document, operation, {})).toBeLessThan(800);
  });

  test.each(Object.entries(VARIABLES))('the variables of %s are accepted', (name, variables) => {
    const text = new Map(texts).get(name) ?? '';
    const definitions = getOperationAST(parse(text))?.variableDefinitions ?? [];
    expect(getVariableValues(schema, definitions, variables)).toHaveProperty('variableValues');
  });
});

test('every operation has a name of its own, which errors and logs carry', () => {
  const names = texts.map(([, text]) => getOperationAST(parse(text))?.name?.value);
  expect(new Set(names).size).toBe(texts.length);
  expect(names).not.toContain(undefined);
});

const QUERY = 'query Look { shop { name } }';
const MUTATION = 'mutation Change { tagsAdd(id: "gid://shopify/Order/1", tags: ["a"]) { node { id } } }';
const Look = z.object({ shop: z.object({ name: z.string() }) });
const FINE = { data: { shop: { name: 'Lantern' } } };

interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as it is when it is text, else as JSON. Absent: the connection is cut. */
  readonly body?: unknown;
}

/** A shop that answers by the script, the last answer for ever. */
async function givenShop(script: readonly Scripted[], changes: Partial<AdminClientOptions> = {}) {
  const seen: { path: string; token: string | undefined }[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { status = 200, headers = {}, body } = script[Math.min(seen.length, script.length - 1)] ?? {};
    const token = request.headers['x-shopify-access-token'];
    seen.push({ path: request.url ?? '', token: typeof token === 'string' ? token : undefined });
    if (body === undefined) return void response.destroy();
    const type = typeof body === 'string' ? 'text/html' : 'application/json';
    response.writeHead(status, { 'content-type': type, 'x-shopify-api-version': '2026-10', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response));
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const client = createAdminClient({
    shop: 'lantern-goods.myshopify.com',
    apiSecret: 'secret',
    accessToken: 'token-1',
    apiVersion: '2026-10',
    baseUrl: `http://127.0.0.1:${port}`,
    timeoutMs: 5_000,
    ...changes,
  });
  const look = () => client.request(QUERY, {}, Look, { priority: 'write' });
  const change = () => client.request(MUTATION, {}, z.unknown(), { priority: 'write' });
  return { client, seen, look, change };
}

const failureOf = (request: Promise<unknown>): Promise<ShopError> =>
  request.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: ShopError) => error,
  );

const refusal = (code: string, data?: unknown, path?: string[]): Scripted => ({
  body: { errors: [{ message: code, path, extensions: { code } }], data },
});

test('an answer is validated, the request carries version and token', async () => {
  const { look, seen } = await givenShop([{ body: FINE }]);
  expect(await look()).toEqual({ shop: { name: 'Lantern' } });
  expect(seen).toEqual([{ path: '/admin/api/2026-10/graphql.json', token: 'token-1' }]);
});

const LOST: [string, Scripted][] = [
  ['a 500', { status: 500, body: {} }],
  ['a 503', { status: 503, body: 'busy' }],
  ['a cut connection', {}],
  ['HTML with status 200', { body: '<html>' }],
  ['broken JSON', { body: '{"data":', headers: { 'content-type': 'application/json' } }],
  ['an empty list of errors', { body: { errors: [] } }],
  ['an internal error', refusal('INTERNAL_SERVER_ERROR')],
];
test.each(LOST)(
  '%s is waited out for a query, and an unknown outcome of a mutation, sent once',
  async (_name, lost) => {
    const reading = await givenShop([lost, { body: FINE }]);
    expect(await reading.look()).toEqual(FINE.data);
    expect(reading.seen).toHaveLength(2);

    const writing = await givenShop([lost, { body: FINE }]);
    expect(await failureOf(writing.change())).toMatchObject({
      failureClass: 'unknown_outcome',
      retryable: false,
    });
    expect(writing.seen).toHaveLength(1);
  },
);

test('a mutation behind a fragment is still a mutation', async () => {
  const { client, seen } = await givenShop([{ status: 500, body: {} }]);
  const text = `fragment Part on Node { id } ${MUTATION}`;
  const failure = await failureOf(client.request(text, {}, z.unknown(), { priority: 'read' }));
  expect(failure).toMatchObject({ failureClass: 'unknown_outcome', evidence: { operation: 'Change' } });
  expect(seen).toHaveLength(1);
});

test.each([
  ['data beside errors', refusal('ACCESS_DENIED', { tagsAdd: { node: null } }, ['tagsAdd', 'node'])],
  ['an answer thrown away', refusal('ACCESS_DENIED', { tagsAdd: null }, ['tagsAdd', 'node', 'id'])],
  ['a field that failed inside', refusal('INTERNAL_SERVER_ERROR', { tagsAdd: null }, ['tagsAdd'])],
  ['a code that nobody knows', refusal('SOMETHING_NEW')],
  ['a throttling that left data', refusal('THROTTLED', { tagsAdd: { node: null } })],
])('%s leaves the outcome of a mutation unknown', async (_name, answer) => {
  const { change, seen } = await givenShop([answer]);
  expect((await failureOf(change())).failureClass).toBe('unknown_outcome');
  expect(seen).toHaveLength(1);
});

test.each([
  ['auth', 'a missing scope', refusal('ACCESS_DENIED')],
  ['auth', 'a refused field', refusal('ACCESS_DENIED', { tagsAdd: null }, ['tagsAdd'])],
  ['auth', 'a refused fixed token', { status: 401, body: {} }],
  ['auth', 'a forbidden call', { status: 403, body: {} }],
  ['account_blocked', 'a frozen shop', { status: 402, body: {} }],
  ['account_blocked', 'a locked shop', { status: 423, body: {} }],
  ['permanent', 'a query that costs too much', refusal('MAX_COST_EXCEEDED')],
  ['permanent', 'an unknown field', refusal('undefinedField')],
  [
    'auth',
    'an error about nothing in particular',
    { body: { errors: [{ message: 'no', path: null, extensions: { code: 'ACCESS_DENIED' } }] } },
  ],
  [
    'permanent',
    'an error without a code',
    { body: { errors: [{ message: 'syntax error', path: null, extensions: null }] } },
  ],
  ['account_blocked', 'a shop that is not there', { status: 404, body: {} }],
  ['account_blocked', 'a door that turns us away', { status: 430, body: {} }],
  ['account_blocked', 'a shop that moved', { status: 301, headers: { location: '/' }, body: {} }],
  ['permanent', 'a bad request', { status: 400, body: {} }],
])('%s: %s is a clear refusal, not repeated', async (failureClass, _name, answer) => {
  for (const kind of ['look', 'change'] as const) {
    const shop = await givenShop([answer]);
    expect(await failureOf(shop[kind]())).toMatchObject({
      code: 'shop_failed',
      failureClass,
      retryable: false,
    });
    expect(shop.seen).toHaveLength(1);
  }
});

const cost = (currentlyAvailable: number) => ({
  requestedQueryCost: 100,
  throttleStatus: { maximumAvailable: 2_000, currentlyAvailable, restoreRate: 500 },
});
const throttled = (currentlyAvailable: number): Scripted => ({
  body: {
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
    extensions: { cost: cost(currentlyAvailable) },
  },
});

test('a throttled mutation waits until its cost has flowed back, then goes out again', async () => {
  const { change, seen } = await givenShop([throttled(0), { body: { data: { tagsAdd: null } } }]);
  const startedAt = performance.now();
  await change();
  expect(performance.now() - startedAt).toBeGreaterThan(195);
  expect(seen).toHaveLength(2);
});

test('a read leaves a fifth of the bucket to writes', async () => {
  const { client } = await givenShop([throttled(100), { body: FINE }]);
  const startedAt = performance.now();
  await client.request(QUERY, {}, Look, { priority: 'read' });
  expect(performance.now() - startedAt).toBeGreaterThan(795);
});

test('the front door’s 429 is obeyed in seconds, also for a mutation', async () => {
  const busy = { status: 429, headers: { 'retry-after': '0.3' }, body: {} };
  const { change, seen } = await givenShop([busy, { body: { data: { tagsAdd: null } } }]);
  const startedAt = performance.now();
  await change();
  expect(performance.now() - startedAt).toBeGreaterThan(295);
  expect(seen).toHaveLength(2);
});

test('a 429 that names no seconds is waited out, not run against', async () => {
  const busy = { status: 429, headers: { 'retry-after': 'Sun, 29 Nov 2026 07:28:00 GMT' }, body: {} };
  const { look } = await givenShop([busy, { body: FINE }]);
  const startedAt = performance.now();
  await look();
  expect(performance.now() - startedAt).toBeGreaterThan(900);
});

test('endless throttling ends as throttled, with nothing done', async () => {
  const { change, seen } = await givenShop([{ status: 429, headers: { 'retry-after': '0.001' }, body: {} }]);
  expect(await failureOf(change())).toMatchObject({ failureClass: 'throttled', retryable: true });
  expect(seen).toHaveLength(6);
});

test('an answer of another shape is permanent for a query and unknown for a mutation', async () => {
  const { client } = await givenShop([{ body: { data: { shop: {} } } }]);
  const ask = (text: string) => failureOf(client.request(text, {}, Look, { priority: 'write' }));
  expect(await ask(QUERY)).toMatchObject({
    failureClass: 'permanent',
    evidence: { unexpected: 'shop.name' },
  });
  expect(await ask(MUTATION)).toMatchObject({ failureClass: 'unknown_outcome' });
});

test('five lost calls in a row open the circuit; then nothing is sent and a mutation is safe to repeat', async () => {
  const { change, seen } = await givenShop([{ status: 500, body: {} }]);
  for (let lost = 1; lost <= 5; lost += 1)
    expect((await failureOf(change())).failureClass).toBe('unknown_outcome');
  expect(await failureOf(change())).toMatchObject({
    failureClass: 'transient',
    evidence: { circuit: 'open' },
  });
  expect(seen).toHaveLength(5);
});

test('refusals do not open the circuit', async () => {
  const { change, seen } = await givenShop([{ status: 403, body: {} }]);
  for (let times = 1; times <= 8; times += 1) await failureOf(change());
  expect(seen).toHaveLength(8);
});

test('a caller who left before sending did nothing; one who left while waiting for the answer does not know', async () => {
  const { client, seen } = await givenShop([{ body: FINE }]);
  const gone = AbortSignal.abort();
  const early = client.request(MUTATION, {}, z.unknown(), { priority: 'write', signal: gone });
  expect((await failureOf(early)).failureClass).toBe('transient');
  expect(seen).toHaveLength(0);

  const slow = createServer(() => {});
  const port = await listenOn(slow, '127.0.0.1', 0);
  onTestFinished(() => {
    slow.closeAllConnections();
    slow.close();
  });
  const late = await givenShop([], { baseUrl: `http://127.0.0.1:${port}` });
  const leave = new AbortController();
  slow.once('request', () => leave.abort());
  const asked = late.client.request(MUTATION, {}, z.unknown(), { priority: 'write', signal: leave.signal });
  expect((await failureOf(asked)).failureClass).toBe('unknown_outcome');
});

test('a caller who left during the login did nothing', async () => {
  const leave = new AbortController();
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    leave.abort();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: 'token-1', scope: '', expires_in: 86_399 }));
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { client } = await givenShop([], {
    accessToken: undefined,
    apiKey: 'client-1',
    baseUrl: `http://127.0.0.1:${port}`,
  });
  const asked = client.request(MUTATION, {}, z.unknown(), { priority: 'write', signal: leave.signal });
  expect((await failureOf(asked)).failureClass).toBe('transient');
  expect(paths).toEqual(['/admin/oauth/access_token']);
});

test('a client without any login is refused at once', () => {
  const options = {
    shop: 'lantern-goods.myshopify.com',
    apiSecret: 'secret',
    apiVersion: '2026-10',
    timeoutMs: 1_000,
  } as const;
  expect(() => createAdminClient(options)).toThrow('apiKey');
});

test('another API version and a deprecation are told once each', async () => {
  const told: string[] = [];
  const headers = {
    'x-shopify-api-version': '2026-01',
    'x-shopify-api-deprecated-reason': 'https://changes.example',
  };
  const { look } = await givenShop([{ body: FINE, headers }], {
    warn: ({ detail = '' }) => told.push(detail),
  });
  await look();
  await look();
  expect(told.toSorted()).toEqual(['2026-01', 'https://changes.example']);
});

test('two clients of one shop reach each its own origin, also at the same time', async () => {
  const answers = await Promise.all(
    ['One', 'Two'].map(async (name) => (await givenShop([{ body: { data: { shop: { name } } } }])).look()),
  );
  expect(answers.map(({ shop }) => shop.name)).toEqual(['One', 'Two']);
});

test('a login is shared, asked again at four fifths of its life, and may fail while the old token lives', async () => {
  let now = 0;
  let logins = 0;
  let isDown = false;
  const tokens = renewedAccessToken(
    async () => {
      logins += 1;
      if (isDown) throw new Error('down');
      return { accessToken: `token-${logins}`, expiresAt: now + 1_000 };
    },
    () => now,
  );
  expect(await Promise.all([tokens.current(), tokens.current()])).toEqual(['token-1', 'token-1']);
  now = 799;
  expect(await tokens.current()).toBe('token-1');
  now = 800;
  expect(await Promise.all([tokens.current(), tokens.current()])).toEqual(['token-2', 'token-2']);
  expect(logins).toBe(2);

  isDown = true;
  now = 1_700;
  expect(await tokens.current()).toBe('token-2');
  now = 1_800;
  await expect(tokens.current()).rejects.toThrow('down');
  isDown = false;
  expect(await tokens.current()).toBe('token-5');
});

test('a refused token is forgotten once, a fixed one cannot be replaced', async () => {
  let logins = 0;
  const tokens = renewedAccessToken(async () => {
    logins += 1;
    return { accessToken: `token-${logins}`, expiresAt: Number.POSITIVE_INFINITY };
  });
  const first = await tokens.current();
  expect(tokens.reject(first)).toBe(true);
  expect(await tokens.current()).toBe('token-2');
  expect(tokens.reject(first)).toBe(true);
  expect(await tokens.current()).toBe('token-2');
  expect(fixedAccessToken('fixed').reject('fixed')).toBe(false);
});

test('a fulfilment order whose hold does not say whose it is, is held by somebody else', () => {
  const page = { hasNextPage: false, endCursor: null };
  const fulfillmentOrder = {
    id: 'gid://shopify/FulfillmentOrder/71',
    status: 'ON_HOLD',
    requestStatus: 'UNSUBMITTED',
    assignedLocation: { name: 'Main', countryCode: 'FR' },
    deliveryMethod: null,
    supportedActions: [{ action: 'RELEASE_HOLD' }],
    fulfillmentHolds: [{ id: 'gid://shopify/FulfillmentHold/1', reason: 'OTHER' }],
    lineItems: { pageInfo: page, nodes: [] },
  };
  const { order } = workOperations.FulfillmentOrdersAnswer.parse({
    order: {
      id: 'gid://shopify/Order/1',
      cancelledAt: null,
      fulfillmentOrders: { pageInfo: page, nodes: [fulfillmentOrder] },
    },
  });
  const [hold] = order?.fulfillmentOrders.nodes[0]?.fulfillmentHolds ?? [];
  expect(hold).toMatchObject({ handle: null, heldByRequestingApp: false });
});

test('a line of which more was shipped than is left of it has nothing remaining, and is read', () => {
  const line = {
    id: 'gid://shopify/FulfillmentOrderLineItem/1',
    totalQuantity: 1,
    lineItem: { id: 'gid://shopify/LineItem/1' },
  };
  const page = {
    pageInfo: { hasNextPage: false },
    nodes: [
      {
        id: 'gid://shopify/FulfillmentOrder/1',
        status: 'CLOSED',
        requestStatus: 'UNSUBMITTED',
        assignedLocation: { name: 'Shop location', countryCode: 'FR' },
        supportedActions: [],
        fulfillmentHolds: [],
        lineItems: { pageInfo: { hasNextPage: false }, nodes: [{ ...line, remainingQuantity: -1 }] },
      },
    ],
  };
  expect(workOperations.WorkPage.parse(page).nodes[0]?.lineItems.nodes[0]).toEqual({
    ...line,
    remainingQuantity: 0,
  });
});
