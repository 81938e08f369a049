import { expect, test } from 'vitest';
import { SUBSCRIBED_TOPICS, topicEnumOf } from '../../contracts/webhook-topics.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { checkShop, hourlyCheck } from '../../services/shopify/check-shop.ts';
import { ShopError } from '../../services/shopify/shop-error.ts';
import { adminOf } from '../../services/shopify/shop-login.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { shopPorts } from '../fixtures/shop-ports.ts';
import { ask } from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const BASE = 'https://orders.lantern.example';

async function aShop(environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: CREDENTIALS.shop, ...environment });
  const status = async () =>
    (
      await context.store.query<{
        scopes: string[] | null;
        problems: { path: string }[];
        zone: string | null;
        gone: boolean;
      }>('select scopes, problems, time_zone as zone, uninstalled_at is not null as gone from shop_status')
    )[0];
  const warnings = () => context.lines.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  return { world, context, ports: shopPorts(context, world), status, warnings };
}

const SUBSCRIPTIONS = 'query { webhookSubscriptions(first: 100) { nodes { topic uri } } }';
async function subscriptionsIn(world: Sandbox): Promise<string[]> {
  const { data } = await ask(world, SUBSCRIPTIONS);
  const { nodes } = (data as { webhookSubscriptions: { nodes: { topic: string; uri: string }[] } })
    .webhookSubscriptions;
  return nodes.map(({ topic, uri }) => `${topic} ${uri}`).sort();
}

const SUBSCRIBE = `mutation S($t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) { userErrors { message } } }`;

test('missing subscriptions are made once, at our address; those of others are left alone', async () => {
  const { world, ports, status } = await aShop({ SHOPIFY_WEBHOOK_BASE_URL: `${BASE}/` });
  const theirs = 'https://somebody.example/webhooks/shopify/orders/create';
  await ask(world, SUBSCRIBE, { t: 'ORDERS_CREATE', w: { uri: theirs, format: 'JSON' } });
  await checkShop(ports);
  const expected = [
    `ORDERS_CREATE ${theirs}`,
    ...SUBSCRIBED_TOPICS.map((topic) => `${topicEnumOf(topic)} ${BASE}/webhooks/shopify/${topic}`),
  ].sort();
  expect(await subscriptionsIn(world)).toEqual(expected);
  expect(await status()).toMatchObject({ problems: [], gone: false });
  const made = (await ledgerOf(world)).calls['shopify.webhookSubscriptionCreate'];
  await checkShop(ports);
  expect(await subscriptionsIn(world)).toEqual(expected);
  expect((await ledgerOf(world)).calls['shopify.webhookSubscriptionCreate']).toBe(made);
});

test('copies that check at once, and a creation whose answer was lost, make nothing twice', async () => {
  const { world, context, ports } = await aShop({ SHOPIFY_WEBHOOK_BASE_URL: BASE });
  await givenFaults(world, { operation: 'shopify.webhookSubscriptionCreate', kind: 'error_after', times: 1 });
  await Promise.allSettled([checkShop(ports), checkShop(shopPorts(context, world))]);
  await checkShop(ports);
  expect(await subscriptionsIn(world)).toHaveLength(SUBSCRIBED_TOPICS.length);
});

test('a lost answer keeps no other topic from being subscribed', async () => {
  const { world, ports, status } = await aShop({ SHOPIFY_WEBHOOK_BASE_URL: BASE });
  await givenFaults(world, { operation: 'shopify.webhookSubscriptionCreate', kind: 'error_after', times: 1 });
  await checkShop(ports);
  expect(await subscriptionsIn(world)).toHaveLength(SUBSCRIBED_TOPICS.length);
  expect(await status()).toMatchObject({ problems: [] });
});

test('a topic whose making gets no answer again is said, and keeps no other from being subscribed', async () => {
  const { world, ports, status } = await aShop({ SHOPIFY_WEBHOOK_BASE_URL: BASE });
  await givenFaults(world, {
    operation: 'shopify.webhookSubscriptionCreate',
    kind: 'error_before',
    times: 2,
  });
  await checkShop(ports);
  expect(await subscriptionsIn(world)).toHaveLength(SUBSCRIBED_TOPICS.length - 1);
  expect(await status()).toMatchObject({ problems: [{ path: SUBSCRIBED_TOPICS[0] }] });
});

test('a topic that the shop does not know is said, and keeps no other from being subscribed', async () => {
  const { world, ports, status } = await aShop({ SHOPIFY_WEBHOOK_BASE_URL: BASE });
  const admin = ports.admin!;
  const request: typeof admin.request = (operation, variables, ...more) =>
    variables.topic === 'ORDERS_PAID'
      ? Promise.reject(new ShopError('permanent', 'refused', { codes: 'none', message: 'no such value' }))
      : admin.request(operation, variables, ...more);
  await checkShop({ ...ports, admin: { ...admin, request } });
  expect(await subscriptionsIn(world)).toHaveLength(SUBSCRIBED_TOPICS.length - 1);
  expect(await status()).toMatchObject({ problems: [{ path: 'orders/paid' }] });
});

test('without a public address none is made', async () => {
  const { world, ports } = await aShop();
  await checkShop(ports);
  expect(await subscriptionsIn(world)).toEqual([]);
});

test('each missing scope is named with what does not work', async () => {
  const { world, ports, status, warnings } = await aShop();
  const scopes = ['read_orders', 'write_orders', 'read_fulfillments', 'write_fulfillments', 'read_products'];
  await control(world, 'PUT', '/settings', { shopifyScopes: scopes });
  await checkShop(ports);
  expect(warnings()).toEqual([
    expect.stringMatching(/^scope read_merchant_managed_fulfillment_orders is missing: nothing can be ful/),
    expect.stringMatching(/^scope write_merchant_managed_fulfillment_orders is missing: /),
  ]);
  expect(await status()).toMatchObject({ scopes, problems: [], gone: false });
});

test('a login of another shop and a version that Shopify serves no more are told', async () => {
  const { ports, status, warnings } = await aShop({
    SHOPIFY_SHOP_URL: 'another-shop.myshopify.com',
    SHOPIFY_API_VERSION: '2026-07',
  });
  await checkShop(ports);
  expect((await status())?.problems.map(({ path }) => path)).toEqual([
    'SHOPIFY_SHOP_URL',
    'SHOPIFY_API_VERSION',
  ]);
  expect(warnings()).toContainEqual('2026-07 is answered by 2026-10: set a version that Shopify serves');
});

test('in the place of a retired version the newest is called, and told', async () => {
  const { world, context, ports, warnings } = await aShop({
    SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
    SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
    SHOPIFY_API_VERSION: '2024-01',
  });
  const settings = { ...context.settings, SHOPIFY_ADMIN_BASE_URL: world.origin };
  await checkShop({ ...ports, admin: adminOf(settings, context.log) });
  expect(warnings()).toEqual(['2024-01 is answered by 2026-10: set a version that Shopify serves']);
});

test('a refused login is told and forgets neither scope nor time zone; a good one ends an uninstall', async () => {
  const { world, context, ports, status } = await aShop();
  await checkShop(ports);
  await context.store.run('update shop_status set uninstalled_at = now()');
  await checkShop(shopPorts(context, world, { accessToken: 'revoked' }));
  expect(await status()).toMatchObject({
    gone: true,
    problems: [{ path: 'shopify' }],
    zone: 'America/New_York',
  });
  expect((await status())?.scopes).toContain('read_orders');
  await checkShop(ports);
  expect(await status()).toMatchObject({ gone: false, problems: [] });
});

test('it looks at the start and every hour, and without a login not at all', async () => {
  const { world, context, ports } = await aShop();
  const looks = async () => (await ledgerOf(world)).calls['shopify.currentAppInstallation'] ?? 0;
  const round = hourlyCheck(ports);
  await round();
  await round();
  expect(await looks()).toBe(1);
  await hourlyCheck(shopPorts(context, world))();
  expect(await looks()).toBe(2);
  await context.store.run("update shop_status set checked_at = now() - interval '61 minutes'");
  await round();
  expect(await looks()).toBe(3);
  await checkShop({ ...ports, admin: undefined });
  expect(await looks()).toBe(3);
});

test.each([
  ['the app is uninstalled', 'uninstalled_at = now()'],
  ['the shop refuses to be asked', `problems = '[{"path":"shopify","message":"no"}]'`],
])('while %s it looks every few minutes: installed again, the app has no webhook', async (_, change) => {
  const { world, context, ports, status } = await aShop();
  const looks = async () => (await ledgerOf(world)).calls['shopify.currentAppInstallation'] ?? 0;
  const lookedAgo = (minutes: number) =>
    context.store.run("update shop_status set checked_at = now() - interval '1 minute' * $1::float8", [
      minutes,
    ]);
  const round = hourlyCheck(ports);
  await round();
  await lookedAgo(6);
  await round();
  expect(await looks()).toBe(1);
  await context.store.run(`update shop_status set ${change}`);
  await lookedAgo(4);
  await round();
  expect(await looks()).toBe(1);
  await lookedAgo(6);
  await round();
  expect(await looks()).toBe(2);
  expect(await status()).toMatchObject({ gone: false, problems: [] });
});
