import fc from 'fast-check';
import { connect, StringCodec } from 'nats';
import { expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { agentSubject } from '../../contracts/requests/agent-request.ts';
import { readSettings } from '../../contracts/settings.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { OPERATIONS } from '../../gateway/crew/operations.ts';
import { startGateway } from '../../gateway/service.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { openContext } from '../../services/run-service.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase } from '../fixtures/database.ts';
import { aLog } from '../fixtures/order-host.ts';

const KEY = 'the key of the owner';
const SEED = 4711;
const REQUESTS = 4_000;
const MESSAGES = 1_000;
const AT_ONCE = 16;

async function aGateway() {
  const settings = readSettings({
    ORDER_MANAGER_DRAIN_SECONDS: '0',
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: inject('bareNatsUrl'),
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_API_KEY: KEY,
    ORDER_MANAGER_REQUESTS_PER_MINUTE: '1000000',
    SHOPIFY_SHOP_URL: 'fuzz-shop.myshopify.com',
    SHOPIFY_API_SECRET: 'a secret that nobody signs with',
  });
  const context = await openContext(settings, 'gateway', 8);
  onTestFinished(async () => {
    await context.bus.close();
    await context.store.close();
  });
  const { log, lines } = aLog();
  onTestFinished(await startGateway({ ...context, log }));
  return { origin: `http://127.0.0.1:${settings.ORDER_MANAGER_PORT}`, store: context.store, lines };
}

/** Rows of every table of ours. */
async function rowCounts(store: Store): Promise<Record<string, number>> {
  const tables = await store.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await store.query<{ count: number }>(`select count(*)::int as count from "${name}"`);
    counts[name] = row?.count ?? 0;
  }
  return counts;
}

const Paths = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ tags: z.array(z.string()), requestBody: z.unknown().optional() })),
  ),
});
/** They read nothing of the request. */
const DEAF = ['Operation', 'Documents'];

/** Text that people and their tools get wrong: empty, enormous, quoted, control characters, half letters, other paths. */
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '..',
    '%00',
    '%',
    "' or 1=1 --",
    '\u0000',
    '\ud800',
    'x'.repeat(3_000),
    'null',
    '-1',
    '1e999',
  ),
  fc.constantFrom('ord_20wmtjkdkoioc', 'sup_ord_20wmtjkdkoioc', '44', 'aliexpress', 'cj_dropshipping'),
);
const FIELDS = [
  'candidates',
  'supplier',
  'query',
  'limit',
  'lines',
  'reason',
  'items',
  'order_id',
  'note',
  '__proto__',
];
const oddJson = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(fc.jsonValue({ maxDepth: 2 }), oddText), { maxKeys: 6 }),
);
const body = fc.oneof(
  { weight: 5, arbitrary: oddJson.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{', '[[[[[[', '{"a":1e400}', '\ufeff{}').map((text) => Buffer.from(text)),
  },
);
const contentType = fc.constantFrom(
  'application/json',
  'text/plain',
  'application/json; charset=utf-16',
  'x',
  '',
);

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

interface OddRequest {
  readonly method: string;
  readonly wantsBody: boolean;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const oddRequest = (
  routes: readonly { method: string; path: string; wantsBody: boolean }[],
): fc.Arbitrary<OddRequest> =>
  fc
    .record({
      route: fc.constantFrom(...routes),
      words: fc.array(oddText, { minLength: 3, maxLength: 3 }),
      query: fc.dictionary(fc.constantFrom('limit', 'cursor', 'status', 'q', 'country', 'x'), oddText, {
        maxKeys: 3,
      }),
      contentType,
      body,
    })
    .map(({ route, words, query, contentType: type, body: bytes }) => {
      let next = 0;
      const path = route.path.replaceAll(/\{\w+\}/g, () => encoded(words[next++ % 3] ?? 'x') || 'x');
      const search = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`);
      return {
        method: route.method.toUpperCase(),
        wantsBody: route.wantsBody,
        path: `${path}?${search.join('&')}`,
        headers: { 'x-api-key': KEY, ...(type === '' ? {} : { 'content-type': type }) },
        body: bytes,
      };
    });

async function inCrowds<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE)
    await Promise.all(items.slice(from, from + AT_ONCE).map(work));
}

/** The suppliers service is not running here and may be missed; everything else is the client's fault and is said so. */
const isForeseen = (status: number, code: unknown): boolean =>
  status < 500 || (status === 503 && (code === 'bus_unavailable' || code === 'webhook_unverified'));

test('thousands of malformed requests and messages are refused: no failure of ours, no crash, nothing stored', async () => {
  const { origin, store, lines } = await aGateway();
  const { paths } = Paths.parse(await (await fetch(`${origin}/openapi.json`)).json());
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { tags }]) => !tags.some((tag) => DEAF.includes(tag)))
      .map(([method, { requestBody }]) => ({ method, path, wantsBody: requestBody !== undefined })),
  );
  const before = await rowCounts(store);
  const unforeseen: unknown[] = [];

  await inCrowds(fc.sample(oddRequest(routes), { numRuns: REQUESTS, seed: SEED }), async (request) => {
    const hasBody = request.method !== 'GET';
    const response = await fetch(origin + request.path, {
      method: request.method,
      headers: request.headers,
      ...(hasBody ? { body: new Uint8Array(request.body) } : {}),
    });
    const text = await response.text();
    const code =
      response.headers.get('content-type') === 'application/problem+json' ? JSON.parse(text).code : null;
    const isMade = request.wantsBody && response.status < 300;
    if (!isForeseen(response.status, code) || isMade)
      unforeseen.push({
        status: response.status,
        code,
        method: request.method,
        path: request.path,
        body: request.body.toString(),
      });
  });

  const connection = await connect(toConnectOptions(inject('bareNatsUrl')));
  onTestFinished(() => connection.close());
  const operations = [...new Set(Object.values(OPERATIONS))].flatMap((operation) =>
    ['read', 'write'].map((scope) => agentSubject(scope, operation)),
  );
  const subjects = [...operations, 'agents.product.created', 'agents.price.changed'];
  const message = fc.record({ subject: fc.constantFrom(...subjects), payload: body });
  const text = StringCodec();
  await inCrowds(fc.sample(message, { numRuns: MESSAGES, seed: SEED }), async ({ subject, payload }) => {
    const answer = await connection
      .request(subject, new Uint8Array(payload), { timeout: 10_000 })
      .catch(() => null);
    // Nobody listens where the operation has the other scope.
    if (answer === null) return;
    const problem = z
      .object({ status: z.int(), code: z.string() })
      .safeParse(JSON.parse(text.decode(answer.data)));
    if (problem.success && !isForeseen(problem.data.status, problem.data.code))
      unforeseen.push({ subject, payload: payload.toString(), problem: problem.data });
  });

  expect(unforeseen.slice(0, 5)).toEqual([]);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await rowCounts(store)).toEqual(before);
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
});
