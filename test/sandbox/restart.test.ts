import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTransport } from 'nodemailer';
import { expect, onTestFinished, test } from 'vitest';
import { startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { at, create, LAMP, orderOf, placed, rest, sync, turn } from './aliexpress-client.ts';
import { anOrder, buy, fields, login, vid } from './cj-client.ts';
import { ask, fulfillmentOrdersOf, givenShopOrder, ship } from './shop-client.ts';
import { CREDENTIALS, control, eventually, givenFaults, givenWorld, ledgerOf } from './world.ts';

function givenFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const start = (dataDir: string, deliverMs = 20) =>
  startSandbox({
    dataDir,
    credentials: CREDENTIALS,
    timing: { processMs: 20, shipMs: 20, transitMs: 20, deliverMs },
  });

test('a restart loses nothing, and time has passed in between', async () => {
  const dataDir = givenFolder();
  const first = await start(dataDir, 300);
  const call = await login(first);
  await call('POST', '/shopping/order/createOrderV2', anOrder('N-1'));
  await buy(call, 'N-2');
  const balance = (await call('GET', '/shopping/pay/getBalance')).data;
  const orderId = await givenShopOrder(first);
  const own = (await fulfillmentOrdersOf(first, orderId)).fulfillmentOrders.nodes[0]!;
  const one = [{ fulfillmentOrderId: own.id, lines: [{ id: own.lineItems.nodes[0]!.id, quantity: 1 }] }];
  await ship(first, one);
  await createTransport({ host: '127.0.0.1', port: first.smtpPort, ignoreTLS: true }).sendMail({
    from: 'a@b.example',
    to: 'c@d.example',
    subject: 'Hello',
    text: 'Hi',
  });
  await control(first, 'PUT', '/settings', { dupMode: 'B', timing: { processMs: 7 } });
  await control(first, 'PUT', `/articles/${vid(1)}`, { stock: 3 });
  await givenFaults(first, { operation: 'cj.setting', kind: 'rate_limit', times: 2 });
  await call('GET', '/setting/get');
  const before = await ledgerOf(first);
  await first.stop();

  const second = await start(dataDir, 60_000);
  onTestFinished(() => second.stop());
  const after = await ledgerOf(second);
  expect(after.fulfillments).toEqual(before.fulfillments);
  expect(after.mails).toEqual(before.mails);
  const article = await control(second, 'PUT', `/articles/${vid(1)}`, {});
  expect(await article.json()).toEqual({ stock: 3 });
  expect(after.purchases.map(({ orderNumber }) => orderNumber)).toEqual(['N-1', 'N-2']);
  await eventually(
    async () => (await ledgerOf(second)).purchases[1]!.orders[0]!.status,
    (status) => status === 'DELIVERED',
  );

  const again = await login(second);
  expect((await again('GET', '/shopping/pay/getBalance')).data).toEqual(balance);
  expect((await again('GET', '/setting/get')).code).toBe(1600200);
  expect((await again('GET', '/setting/get')).code).toBe(200);
  const settings = fields(await (await control(second, 'GET', '/settings')).json());
  expect(settings).toMatchObject({ dupMode: 'B', timing: { processMs: 7, deliverMs: 60_000 } });

  expect((await again('POST', '/shopping/order/createOrderV2', anOrder('N-1'))).code).toBe(200);
  const codes = (await ledgerOf(second)).purchases.flatMap(({ orders }) =>
    orders.map(({ sdCode }) => sdCode),
  );
  expect(new Set(codes).size).toBe(3);
  const shipped = await ship(second, one, 'CJP2');
  expect(before.fulfillments.map(({ fulfillmentId }) => fulfillmentId)).not.toContain(
    shipped.fulfillment?.id,
  );
  expect(
    (await fulfillmentOrdersOf(second, orderId)).fulfillmentOrders.nodes[0]!.lineItems.nodes[0],
  ).toMatchObject({
    remainingQuantity: 1,
  });
});

test('a token that was handed out before the restart still opens', async () => {
  const dataDir = givenFolder();
  const first = await start(dataDir);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CREDENTIALS.shopifyClientId,
    client_secret: CREDENTIALS.shopifyClientSecret,
  });
  const grant = await fetch(`${first.origin}/admin/oauth/access_token`, { method: 'POST', body: form });
  const token = String(fields(await grant.json()).access_token);
  await first.stop();
  const second = await start(dataDir);
  onTestFinished(() => second.stop());
  const answer = await fetch(`${second.origin}/admin/api/2026-10/graphql.json`, {
    method: 'POST',
    headers: { 'x-shopify-access-token': token },
    body: JSON.stringify({ query: '{ shop { name } }' }),
  });
  expect(answer.status).toBe(200);
});

test('AliExpress finds its orders, tokens, prices, switches and waiting pushes again', async () => {
  const dataDir = givenFolder();
  const first = await start(dataDir);
  await turn(first, { parcels: 2 });
  await control(first, 'PUT', `/articles/${LAMP!.sku.skuId}`, { priceMinor: 777 });
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: CREDENTIALS.aliexpressAppKey,
    redirect_uri: 'https://shop.example/',
  });
  const consent = await fetch(`${first.origin}/oauth/authorize?${query}`, { redirect: 'manual' });
  const code = new URL(consent.headers.get('location')!).searchParams.get('code')!;
  const session = String((await rest(first, '/auth/token/create', { code })).access_token);
  await control(first, 'PUT', '/aliexpress/push', { url: 'http://127.0.0.1:9/nobody' });
  await turn(first, { pushDelayMs: 60_000 });
  const orderId = await placed(first, { triesToPay: true });
  await first.stop();

  const second = await start(dataDir);
  onTestFinished(() => second.stop());
  expect(await create(second)).toMatchObject({ error_code: 'REPEATED_ORDER_ERROR' });
  const finished = await eventually(
    () => orderOf(second, orderId),
    (order) => at(order, 'order_status') === 'FINISH',
  );
  expect(at(finished, 'logistics_info_list', 'aeop_order_logistics_info')).toHaveLength(2);
  expect(await rest(second, '/auth/token/create', { code })).toMatchObject({ code: 'InvalidCode' });
  const product = await sync(second, 'aliexpress.ds.product.get', {
    session,
    product_id: LAMP!.productId,
    ship_to_country: 'US',
  });
  expect(JSON.stringify(product)).toContain('"offer_sale_price":"7.77"');
  expect(await (await control(second, 'GET', '/aliexpress/pushes')).json()).toMatchObject(
    Array.from({ length: 5 }, () => ({ state: 'waiting' })),
  );
  expect(await placed(second, { outOrderId: 'N-2' })).not.toBe(orderId);
});

test('a line that a kill cut in half is dropped and the journal goes on behind it', async () => {
  const dataDir = givenFolder();
  const file = join(dataDir, 'journal.jsonl');
  const first = await start(dataDir);
  await (await login(first))('POST', '/shopping/order/createOrderV2', anOrder('N-1'));
  await first.stop();
  appendFileSync(file, '["cj_order","SD1",{"sdCo');
  const second = await start(dataDir);
  await (await login(second))('POST', '/shopping/order/createOrderV2', anOrder('N-2'));
  await second.stop();
  const third = await start(dataDir);
  onTestFinished(() => third.stop());
  expect((await ledgerOf(third)).purchases.map(({ orderNumber }) => orderNumber)).toEqual(['N-1', 'N-2']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('what waits for an answer is cut when the world stops', async () => {
  const world = await start(givenFolder());
  await givenFaults(world, { operation: 'shopify.shop', kind: 'slow', delayMs: 60_000 });
  const waiting = ask(world, '{ shop { name } }').catch((error: unknown) => error);
  await eventually(
    async () => (await ledgerOf(world)).calls['shopify.shop'],
    (calls) => calls === 1,
  );
  await world.stop();
  expect(await waiting).toBeInstanceOf(Error);
});

const MAIN = new URL('../../deploy/sandbox/main.ts', import.meta.url).pathname;
const ENVIRONMENT = {
  SANDBOX_CJ_API_KEY: CREDENTIALS.cjApiKey,
  SANDBOX_SHOP: CREDENTIALS.shop,
  SANDBOX_SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
  SANDBOX_SHOPIFY_CLIENT_ID: CREDENTIALS.shopifyClientId,
  SANDBOX_SHOPIFY_CLIENT_SECRET: CREDENTIALS.shopifyClientSecret,
  SANDBOX_ALIEXPRESS_APP_KEY: CREDENTIALS.aliexpressAppKey,
  SANDBOX_ALIEXPRESS_APP_SECRET: CREDENTIALS.aliexpressAppSecret,
  SANDBOX_ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
};

function run(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return String(line);
}

test('the process says where it listens, survives SIGKILL by its journal and ends cleanly on SIGTERM', async () => {
  const dataDir = givenFolder();
  const environment = { ...ENVIRONMENT, SANDBOX_DATA_DIR: dataDir };
  const killed = run(environment);
  const [, origin, smtpPort] =
    /^sandbox listening on (http:\/\/127\.0\.0\.1:\d+), smtp (\d+)$/.exec(await firstLine(killed)) ?? [];
  for (const port of [new URL(origin!).port, smtpPort]) expect(Number(port)).toBeLessThan(32_768);
  const world = {
    origin: origin!,
    cjBaseUrl: `${origin}/api2.0/v1`,
    smtpPort: Number(smtpPort),
    stop: async () => {},
  };
  await buy(await login(world), 'N-1');
  killed.kill('SIGKILL');
  await once(killed, 'exit');

  const again = run({ ...environment, SANDBOX_PORT: new URL(origin!).port });
  expect(await firstLine(again)).toContain(`sandbox listening on ${origin},`);
  expect((await ledgerOf(world)).purchases).toMatchObject([
    { orderNumber: 'N-1', orders: [{ paidCount: 1 }] },
  ]);
  again.kill('SIGTERM');
  expect(await once(again, 'exit')).toEqual([0, null]);
});

test('a missing setting stops the start with its name', async () => {
  const { SANDBOX_SHOP: _, ...incomplete } = ENVIRONMENT;
  const child = run(incomplete);
  const chunks: string[] = [];
  child.stderr!.on('data', (chunk) => chunks.push(String(chunk)));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(chunks.join('')).toContain('SANDBOX_SHOP');
});

test('a port that is taken is told by the system’s error', async () => {
  const world = await givenWorld();
  const port = Number(new URL(world.origin).port);
  await expect(startSandbox({ credentials: CREDENTIALS, port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});
