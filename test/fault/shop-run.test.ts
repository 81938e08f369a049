import { Client } from 'pg';
import { test as always, beforeAll, expect } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { SANDBOX_SHOP } from '../../deploy/local/sandbox-process.ts';
import { SERVICES } from '../../deploy/local/stack.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type KilledService, startKilledService } from '../fixtures/killed-service.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { aRunningStack, outsideOf, type RunningStack } from '../fixtures/running-stack.ts';
import { seeded } from '../fixtures/seeded.ts';
import { aShopOrder } from '../fixtures/shop-orders.ts';

const { SHOP_RUN_ORDERS, SHOP_RUN_KILLS } = process.env;
const ORDERS = Number(SHOP_RUN_ORDERS);
const KILLS = Number(SHOP_RUN_KILLS);
/** Too long for every run: the fault run and the catch-up tests meet the same roads, one by one. */
const test = always.skipIf(SHOP_RUN_ORDERS === undefined);
const PATIENCE_MS = 90_000 + ORDERS * 1_000;

/** Small, but the grace of a doubt stays above the time that a call may take. */
const WAITS = {
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2',
  ORDER_MANAGER_DOUBT_GRACE_SECONDS: '1',
  ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '2',
};

let stack: RunningStack;
beforeAll(async () => {
  const { shopify: _, ...others } = SERVICES;
  stack = await aRunningStack(WAITS, others);
  return () => stack.stop();
});

const shopEnvironment = (): Record<string, string | undefined> => ({
  ...NODE_ENVIRONMENT,
  ...WAITS,
  ORDER_MANAGER_RETRY_SECONDS: '2',
  ORDER_MANAGER_SWEEP_SECONDS: '3',
  DB_CONNECTION_STRING: stack.connectionString,
  NATS_URL: stack.natsUrl,
  SHOPIFY_SHOP_URL: SANDBOX_SHOP,
  SHOPIFY_API_KEY: 'sandbox-client',
  SHOPIFY_API_SECRET: stack.sandbox?.apiSecret,
  SHOPIFY_ADMIN_BASE_URL: stack.sandboxOrigin,
  SHOPIFY_WEBHOOK_BASE_URL: stack.url,
});

/** The service that this is about: it logs in by itself, has its webhooks made, and lives as long as it is let. */
const startShopService = (lifeMs: () => number): KilledService =>
  startKilledService('services/shopify/main.ts', shopEnvironment(), () => ({ lifeMs: lifeMs() }));
const FOR_EVER = () => 2 ** 30;

async function control(method: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${stack.sandboxOrigin}/control${path}`, {
    method,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function rowsOf<Row extends object>(statement: string, ids: readonly string[]): Promise<Row[]> {
  const client = new Client({ connectionString: stack.connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(statement, [ids])).rows;
  } finally {
    await client.end();
  }
}

/** Orders come to be in the shop, and whoever hears of them hears it from the shop alone. */
async function placeOrders(round: number): Promise<string[]> {
  const numbers = Array.from({ length: ORDERS }, (_, index) => 10_000 * round + index);
  for (const number of numbers) {
    const articles =
      number % 3 === 0
        ? [
            { article: 2, units: 2 },
            { article: 6, units: 1 },
          ]
        : [{ article: 1, units: 1 + (number % 2) }];
    const order = JSON.parse(aShopOrder(number, articles).body);
    await control('POST', '/shop/orders', { ...order, updated_at: new Date().toISOString() });
  }
  return numbers.map((number) => orderIdOf(SANDBOX_SHOP, aShopOrder(number, []).id));
}

const ends = (ids: readonly string[], state: string): Promise<void> =>
  eventually(async () => {
    const rows = await rowsOf<{ state: string }>('select state from orders where id = any($1)', ids);
    expect(rows.map((row) => row.state)).toEqual(ids.map(() => state));
  }, PATIENCE_MS);

interface Bought {
  readonly id: string;
}
interface Shipped {
  readonly trackingNumber: string;
  readonly shopFulfillmentId: string | null;
  readonly shownState: string | null;
}

/** Each purchase, each parcel's number and each mail exists once in the world; the shop shows how each parcel ended. */
async function assertOnce(ids: readonly string[]): Promise<void> {
  const bought = await rowsOf<Bought>('select id from supplier_orders where order_id = any($1)', ids);
  const parcels = await eventually(async () => {
    const rows = await rowsOf<Shipped>(
      `select tracking_number as "trackingNumber", shop_fulfillment_id as "shopFulfillmentId",
              shown_state as "shownState" from parcels where order_id = any($1)`,
      ids,
    );
    expect(rows.length).toBeGreaterThanOrEqual(ids.length);
    expect(rows.filter(({ shownState }) => shownState !== 'delivered')).toEqual([]);
    return rows;
  }, PATIENCE_MS);
  const { purchases, fulfillments, mails } = await outsideOf(stack);
  for (const { id } of bought) {
    const paid = purchases
      .filter(({ orderNumber }) => orderNumber === id)
      .flatMap(({ orders }) => orders)
      .filter(({ status }) => status !== 'CANCELLED');
    expect(paid.map(({ paidCount }) => paidCount)).toEqual([1]);
  }
  for (const { trackingNumber } of parcels) {
    const showing = fulfillments.filter(({ trackingNumbers }) => trackingNumbers.includes(trackingNumber));
    expect(showing).toHaveLength(1);
    const events = showing[0]?.events ?? [];
    expect([events.at(-1), new Set(events).size]).toEqual(['DELIVERED', events.length]);
  }
  const messageIds = mails.map(({ messageId }) => messageId);
  expect(new Set(messageIds).size).toBe(messageIds.length);
  const units = await rowsOf<{ lineItemId: string; ordered: number }>(
    `select key as "lineItemId", (value ->> 'ordered')::int as ordered
       from orders, json_each(context -> 'lines') where id = any($1)`,
    ids,
  );
  for (const { lineItemId, ordered } of units) {
    const lines = fulfillments.flatMap((fulfillment) =>
      fulfillment.status === 'SUCCESS' ? fulfillment.lines : [],
    );
    const shown = lines.filter((line) => line.lineItemId === `gid://shopify/LineItem/${lineItemId}`);
    expect(shown.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(ordered);
  }
}

const webhooksOf = (ids: readonly string[]) =>
  rowsOf<{ topic: string; count: number }>(
    `select topic, count(*)::int as count from webhooks where order_id = any($1) group by topic order by topic`,
    ids,
  );

test(
  'with every webhook dropped the sweep finds all orders, and they end right',
  async () => {
    startShopService(FOR_EVER);
    await control('PUT', '/settings', { webhookDropShare: 1 });
    const ids = await placeOrders(1);
    await ends(ids, 'delivered');
    await assertOnce(ids);
    expect(await webhooksOf(ids)).toEqual([]);
  },
  PATIENCE_MS * 2,
);

test(
  'with every webhook three times in random order nothing is bought, fulfilled or mailed twice',
  async () => {
    startShopService(FOR_EVER);
    await control('PUT', '/settings', { webhookDropShare: 0, webhookCopies: 3, webhookMaxDelayMs: 700 });
    const ids = await placeOrders(2);
    await ends(ids, 'delivered');
    await assertOnce(ids);
    const webhooks = await webhooksOf(ids);
    expect(webhooks).toContainEqual({ topic: 'orders/create', count: ORDERS });
    expect(webhooks.map(({ topic }) => topic)).toEqual(
      expect.arrayContaining(['fulfillments/create', 'orders/updated']),
    );
  },
  PATIENCE_MS * 2,
);

test(
  'while one write in four loses its answer and the service is killed again and again, each parcel is shown once',
  async () => {
    await control('PUT', '/settings', { webhookCopies: 1, webhookMaxDelayMs: 0 });
    const operations = ['fulfillmentCreate', 'fulfillmentTrackingInfoUpdate', 'fulfillmentEventCreate'];
    const kinds = ['no_answer_after', 'error_after'];
    await control(
      'PUT',
      '/faults',
      operations.flatMap((operation) =>
        kinds.map((kind, seed) => ({ operation: `shopify.${operation}`, kind, share: 0.125, seed })),
      ),
    );
    const random = seeded(KILLS);
    const service = startShopService(() => 300 + 900 * random());
    const ids = await placeOrders(3);
    await eventually(() => expect(service.kills()).toBeGreaterThanOrEqual(KILLS), PATIENCE_MS);
    service.spare();
    await ends(ids, 'delivered');
    await assertOnce(ids);
  },
  PATIENCE_MS * 2,
);
