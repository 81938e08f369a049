import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv } from 'ajv';
import { generate } from 'openapi-typescript-codegen';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { GAP_REPORTED } from '../../contracts/events/gap-reported.ts';
import type { Scope } from '../../contracts/resources/api-key.ts';
import { readSettings } from '../../contracts/settings.ts';
import { factSubject } from '../../contracts/subjects.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { ROUTE_DOCS } from '../../gateway/documents/route-docs.ts';
import { startGateway } from '../../gateway/service.ts';
import { openContext } from '../../services/run-service.ts';
import { addKey, listKeys, revokeKey } from '../../services/store/api-keys.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase } from '../fixtures/database.ts';
import { createAnswerCheck } from '../fixtures/documented.ts';

const OWNERS_KEY = 'the key of the owner';

interface Gateway {
  readonly origin: string;
  readonly store: Store;
  ask(path: string, key?: string | null, init?: RequestInit): Promise<Response>;
  document(): Promise<Record<string, unknown>>;
  givenKey(name: string, scope: Scope): Promise<string>;
}

async function aGateway(requestsPerMinute = 1_000): Promise<Gateway> {
  const settings = readSettings({
    ORDER_MANAGER_DRAIN_SECONDS: '0',
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: inject('bareNatsUrl'),
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_API_KEY: OWNERS_KEY,
    ORDER_MANAGER_LOG_LEVEL: 'ERROR',
    ORDER_MANAGER_REQUESTS_PER_MINUTE: String(requestsPerMinute),
  });
  const context = await openContext(settings, 'gateway', 4);
  onTestFinished(async () => {
    await context.bus.close();
    await context.store.close();
  });
  onTestFinished(await startGateway({ ...context, log: context.log.child({}, { level: 'silent' }) }));
  const origin = `http://127.0.0.1:${settings.ORDER_MANAGER_PORT}`;
  const ask: Gateway['ask'] = (path, key = OWNERS_KEY, init = {}) =>
    fetch(`${origin}${path}`, {
      ...init,
      headers: { ...init.headers, ...(key === null ? {} : { 'x-api-key': key }) },
    });
  return {
    origin,
    store: context.store,
    ask,
    document: async () =>
      z.record(z.string(), z.unknown()).parse(await (await ask('/openapi.json', null)).json()),
    async givenKey(name, scope) {
      const key = await addKey(context.store, name, scope);
      if (key === undefined) throw new Error(`there is a key ${name} already`);
      return key;
    },
  };
}

const Paths = z.record(z.string(), z.record(z.string(), z.unknown()));

test('the document passes a strict linter', async () => {
  const gateway = await aGateway();
  const config = await createConfig({ extends: ['recommended-strict'] });
  const source = JSON.stringify(await gateway.document());
  const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
  expect(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
  ).toEqual([]);
});

/** The schema of AsyncAPI 3.0 as its makers publish it; references inside the document are followed as well. */
const asyncApiSchema: unknown = JSON.parse(
  readFileSync(
    createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'),
    'utf8',
  ),
);

test('the document for agents is valid by the schema of its standard, and none of its references leads nowhere', async () => {
  const gateway = await aGateway();
  const text = await (await gateway.ask('/asyncapi.json', null)).text();
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(asyncApiSchema));
  const described: unknown = JSON.parse(text);
  expect(validate(described) ? [] : validate.errors?.slice(0, 5)).toEqual([]);
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  expect(references.length).toBeGreaterThan(60);
  const lost = references.filter(
    (path) => path.split('/').reduce<unknown>((at, part) => Object(at)[part], described) === undefined,
  );
  expect(lost).toEqual([]);
});

test('every described route is served', async () => {
  const gateway = await aGateway();
  const paths = Paths.parse((await gateway.document()).paths);
  const served = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(
      (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  );
  expect(served.sort()).toEqual(Object.keys(ROUTE_DOCS).sort());
});

test('answers are checked by the document: a wrong status, type or field is found', async () => {
  const gateway = await aGateway();
  const check = createAnswerCheck(await gateway.document());
  expect(await check('GET', '/orders', await gateway.ask('/orders'))).toBeUndefined();
  expect(await check('GET', '/orders/ord_none', await gateway.ask('/orders/ord_none'))).toBeUndefined();
  expect(await check('GET', '/orders', new Response('', { status: 202 }))).toMatch('in no document');
  expect(await check('GET', '/orders', new Response('a'))).toMatch('undescribed type');
  expect(await check('GET', '/orders', Response.json({ items: [{}], nextCursor: null }))).toMatch('required');
});

/** The parts of a generated client that are used here, whatever else it holds. */
const Generated = z.object({
  OpenAPI: z.object({ BASE: z.string(), HEADERS: z.unknown() }),
  OrdersService: z.custom<Record<'getOrders' | 'getOrdersOrderId', (...path: unknown[]) => Promise<unknown>>>(
    (service) => typeof service === 'function',
  ),
});

test('a client made from the document by a public generator works against the gateway', async () => {
  const gateway = await aGateway();
  const folder = mkdtempSync(fileURLToPath(new URL('../../.cache/client-', import.meta.url)));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await generate({ input: await gateway.document(), output: folder, httpClient: 'fetch' });
  const made: unknown = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'index.ts')).href);
  const { OpenAPI, OrdersService } = Generated.parse(made);
  Object.assign(Object(made).OpenAPI, { BASE: gateway.origin, HEADERS: { 'x-api-key': OWNERS_KEY } });
  expect(OpenAPI).toBeDefined();
  expect(await OrdersService.getOrders(5)).toEqual({ items: [], nextCursor: null });
  await expect(OrdersService.getOrdersOrderId('ord_none')).rejects.toMatchObject({
    status: 404,
    body: { code: 'order_not_found' },
  });
});

test('the page of the documents loads nothing from elsewhere', async () => {
  const gateway = await aGateway();
  const page = await gateway.ask('/docs', null);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toMatch("default-src 'none'");
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(?<file>[^"]+)"/g)].map(({ groups }) => groups?.file ?? '');
  expect(files.filter((file) => file.startsWith('/docs/'))).toHaveLength(4);
  expect(files.every((file) => file.startsWith('/docs/') || file === 'data:,')).toBe(true);
  for (const file of files.filter((each) => each.startsWith('/')))
    expect((await gateway.ask(file, null)).status).toBe(200);
  for (const file of ['package.json', 'constructor', '__proto__'])
    expect((await gateway.ask(`/docs/${file}`, null)).status).toBe(404);
});

test('the page for agents names every subject, and shows no markup of its data', async () => {
  const gateway = await aGateway();
  const html = await (await gateway.ask('/docs/agents', null)).text();
  const { channels } = z
    .object({ channels: z.record(z.string(), z.object({ address: z.string().nullable() })) })
    .parse(await (await gateway.ask('/asyncapi.json', null)).json());
  for (const { address } of Object.values(channels))
    if (address !== null) expect(html).toContain(`>${address}<`);
  // The one fact that is about no order: its data has numbers of the shop.
  expect(html).toContain(`>${factSubject(GAP_REPORTED)}<`);
  expect(html).toContain('onlyBySweep');
  for (const [, name] of html.matchAll(/components&#x2F;schemas&#x2F;(\w+)/g))
    expect(html).toContain(`>${name}<`);
  expect(html).not.toContain('{{');
});

test('a key may do what its scope says and no more', async () => {
  const gateway = await aGateway();
  const [reader, writer] = [
    await gateway.givenKey('reader', 'read'),
    await gateway.givenKey('writer', 'write'),
  ];
  const put = { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } };
  expect((await gateway.ask('/orders', reader)).status).toBe(200);
  const refused = await gateway.ask('/product-mappings/1', reader, put);
  expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'forbidden' }]);
  expect((await gateway.ask('/product-mappings/1', writer, put)).status).toBe(422);
});

test('whatever buys and changes nothing is open to a key that may only read', async () => {
  const gateway = await aGateway();
  const reader = await gateway.givenKey('pricing-agent', 'read');
  const post = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
  for (const path of ['/search', '/sourcing-preview'])
    expect([path, (await gateway.ask(path, reader, post)).status]).toEqual([path, 422]);
  const { channels } = z
    .object({ channels: z.record(z.string(), z.object({ address: z.string().nullable() })) })
    .parse(await (await gateway.ask('/asyncapi.json', null)).json());
  expect(channels.products_search?.address).toBe('svc.oms.read.products.search');
});

test('a made-up, cut or revoked key opens nothing, and keys are kept as digests only', async () => {
  const gateway = await aGateway();
  const key = await gateway.givenKey('short-lived', 'admin');
  expect((await gateway.ask('/orders', `${key.slice(0, -1)}!`)).status).toBe(401);
  expect((await gateway.ask('/orders', 'omk_000000000000_'.padEnd(60, 'a'))).status).toBe(401);
  expect(JSON.stringify(await listKeys(gateway.store))).not.toContain(key.slice(-20));
  expect(await revokeKey(gateway.store, 'short-lived')).toBe(true);
  expect(await revokeKey(gateway.store, 'short-lived')).toBe(false);
  expect((await gateway.ask('/orders', key)).status).toBe(401);
});

test('a key that was revoked opens nothing seconds later, also when the clock was set back meanwhile', async () => {
  const gateway = await aGateway();
  const key = await gateway.givenKey('short-lived', 'read');
  expect((await gateway.ask('/orders', key)).status).toBe(200);
  await revokeKey(gateway.store, 'short-lived');
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  vi.advanceTimersByTime(86_400_000);
  vi.setSystemTime(Date.now() - 2 * 86_400_000);
  expect((await gateway.ask('/orders', key)).status).toBe(401);
});

test('a living name is not given twice, and a revoked one is free again', async () => {
  const gateway = await aGateway();
  await gateway.givenKey('agent', 'read');
  expect(await addKey(gateway.store, 'agent', 'admin')).toBeUndefined();
  await revokeKey(gateway.store, 'agent');
  await gateway.givenKey('agent', 'write');
});

test('a busy key is told when to come back, and others go on', async () => {
  const gateway = await aGateway(40);
  const busy = await gateway.givenKey('busy', 'read');
  const statuses = await Promise.all(
    Array.from({ length: 45 }, async () => (await gateway.ask('/orders?limit=1', busy)).status),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(40);
  const refused = await gateway.ask('/orders', busy);
  expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'too_many_requests' }]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await gateway.ask('/orders', await gateway.givenKey('calm', 'read'))).status).toBe(200);
});
