import { expect, onTestFinished, test, vi } from 'vitest';
import { SCOPES } from '../../deploy/sandbox/shopify/access-scopes.ts';
import { catchUp } from '../../services/shopify/catch-up.ts';
import { checkShop } from '../../services/shopify/check-shop.ts';
import { ShopError } from '../../services/shopify/shop-error.ts';
import { applyShopNews } from '../../services/store/shop-news.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { eventsIn } from '../fixtures/shipped-order.ts';
import { shopPorts } from '../fixtures/shop-ports.ts';
import { CREDENTIALS, control, givenWorld } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const REFUSED = { refusedBy: 'shop', failureClass: 'account_blocked', operation: 'OrderNow' };

async function aHeldShop() {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, { SHOPIFY_SHOP_URL: CREDENTIALS.shop });
  const ports = shopPorts(context, world);
  const hold = (id: string, reason: string, evidence: object) =>
    context.store.run(
      `with held as (
         insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
         values ('ord_' || $1, $4, $1, '#1', 'USD', 1, '2026-11-20T10:00:00Z', 'grace', '{}'))
       insert into holds (id, order_id, reason, evidence) values ('hld_' || $1, 'ord_' || $1, $2, $3::json)`,
      [id, reason, JSON.stringify(evidence), CREDENTIALS.shop],
    );
  const released = async () =>
    (await eventsIn(context.store))
      .filter(({ type }) => type === 'order.release_requested')
      .map(({ data }) => data);
  /** As the gateway keeps what the shop told. */
  const scopesAre = async (scopes: readonly string[]): Promise<void> => {
    await context.store.run(
      `insert into webhooks (source, delivery_id, topic, api_version, body)
       values ('shopify:' || $1, gen_random_uuid()::text, 'app/scopes_update', '2026-10', '{}')`,
      [CREDENTIALS.shop],
    );
    await context.store.transaction((sql) =>
      applyShopNews(sql, CREDENTIALS.shop, { kind: 'scopes_changed', scopes }),
    );
  };
  return { world, ports, hold, released, scopesAre };
}

test('what was held while the shop was locked goes on by itself once the shop answers again', async () => {
  const { ports, hold, released } = await aHeldShop();
  await hold('1', 'account_risk', { ...REFUSED, status: 423 });
  await hold('2', 'credentials_expired', { ...REFUSED, failureClass: 'auth', status: 401 });
  await hold('3', 'credentials_expired', {
    ...REFUSED,
    failureClass: 'auth',
    status: 400,
    during: 'login',
  });
  await hold('4', 'account_risk', { ...REFUSED, status: 404 });
  await hold('5', 'account_risk', { ...REFUSED, status: 301 });
  const locked = new ShopError('account_blocked', 'the shop is locked', { status: 423 });
  const shut = { ...ports, admin: { ...ports.admin!, request: () => Promise.reject(locked) } };
  await expect(catchUp(shut)).rejects.toBe(locked);
  expect(await released()).toEqual([]);
  await catchUp(ports);
  await catchUp(ports);
  expect(await released()).toEqual([
    { orderId: 'ord_1', reason: 'account_risk', holdId: 'hld_1' },
    { orderId: 'ord_2', reason: 'credentials_expired', holdId: 'hld_2' },
    { orderId: 'ord_3', reason: 'credentials_expired', holdId: 'hld_3' },
    { orderId: 'ord_4', reason: 'account_risk', holdId: 'hld_4' },
    { orderId: 'ord_5', reason: 'account_risk', holdId: 'hld_5' },
  ]);
});

test('on a machine whose clock is behind, what the shop had refused goes on at once all the same', async () => {
  const { ports, hold, released } = await aHeldShop();
  await hold('1', 'account_risk', { ...REFUSED, status: 423 });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 26 * 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  await catchUp(ports);
  expect(await released()).toEqual([{ orderId: 'ord_1', reason: 'account_risk', holdId: 'hld_1' }]);
});

test('what the shop refuses for want of a scope, and what a supplier refuses, waits for a person', async () => {
  const { ports, hold, released } = await aHeldShop();
  await hold('1', 'credentials_expired', { ...REFUSED, failureClass: 'auth', status: 403 });
  await hold('2', 'credentials_expired', { ...REFUSED, failureClass: 'auth', codes: 'ACCESS_DENIED' });
  await hold('3', 'account_risk', { httpStatus: 423 });
  await catchUp(ports);
  expect(await released()).toEqual([]);
});

test('what was refused for want of a scope goes on by itself, once, when the shop tells that the app has all of them', async () => {
  const { ports, hold, released, scopesAre } = await aHeldShop();
  const denied = { ...REFUSED, failureClass: 'auth', codes: 'ACCESS_DENIED' };
  await hold('1', 'credentials_expired', denied);
  await scopesAre(SCOPES.filter((scope) => !scope.startsWith('write_')));
  await catchUp(ports);
  expect(await released()).toEqual([]);
  await scopesAre(SCOPES);
  await hold('2', 'credentials_expired', denied);
  await catchUp(ports);
  expect(await released()).toEqual([{ orderId: 'ord_1', reason: 'credentials_expired', holdId: 'hld_1' }]);
});

test('what was refused for want of a scope goes on, once, when the shop is seen to give it although no webhook told', async () => {
  const { world, ports, hold, released } = await aHeldShop();
  await control(world, 'PUT', '/settings', {
    shopifyScopes: SCOPES.filter((scope) => !scope.startsWith('write_')),
  });
  await checkShop(ports);
  await hold('1', 'credentials_expired', { ...REFUSED, failureClass: 'auth', codes: 'ACCESS_DENIED' });
  await checkShop(ports);
  expect(await released()).toEqual([]);
  await control(world, 'PUT', '/settings', { shopifyScopes: SCOPES });
  await checkShop(ports);
  await hold('2', 'credentials_expired', { ...REFUSED, failureClass: 'auth', codes: 'ACCESS_DENIED' });
  await checkShop(ports);
  expect(await released()).toEqual([{ orderId: 'ord_1', reason: 'credentials_expired', holdId: 'hld_1' }]);
});
