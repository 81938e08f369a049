import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { OrderView } from '../../contracts/resources/order.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { type LocalService, SANDBOX_SHOP, SERVICES } from '../../deploy/local/stack.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aRunningStack, outsideOf, type RunningStack } from '../fixtures/running-stack.ts';
import { aShopOrder, placeInShop } from '../fixtures/shop-orders.ts';

let stack: RunningStack;
beforeAll(async () => {
  // Small waits, but the grace of a doubt stays above the time that a call may take.
  stack = await aRunningStack({
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2',
    ORDER_MANAGER_DOUBT_GRACE_SECONDS: '1',
    ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '2',
  });
}, 120_000);
afterAll(() => stack.stop());

const ORDERS = 6;

const viewOf = async (id: string): Promise<OrderView> => {
  const response = await fetch(`${stack.url}/orders/${id}`, { headers: { 'x-api-key': stack.apiKey } });
  return OrderView.parse(await response.json());
};

const notificationStates = async (orderIds: readonly string[]): Promise<string[]> => {
  const client = new Client({ connectionString: stack.connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ state: string }>(
      'select state from notifications where order_id = any($1::text[])',
      [orderIds],
    );
    return rows.map(({ state }) => state);
  } finally {
    await client.end();
  }
};

/** A gateway that is killed is called again by the shop, until it says 200. */
const placeUntilTaken = (number: number): Promise<void> =>
  eventually(async () => {
    const articles =
      number % 2 === 0
        ? [{ article: 1, units: 1 }]
        : [
            { article: 2, units: 2 },
            { article: 6, units: 1 },
          ];
    const response = await placeInShop(stack, aShopOrder(number, articles));
    expect(response.status).toBe(200);
  });

const killSoonAfter = async (service: LocalService, status: string): Promise<void> => {
  await eventually(async () => {
    const orders = await readOrders(stack).catch(() => []);
    expect(orders.some((order) => order.status === status)).toBe(true);
  }).catch(() => {});
  const supervised = stack.services[service];
  const before = supervised?.restarts() ?? 0;
  supervised?.kill('SIGKILL');
  await eventually(() => expect(supervised?.restarts()).toBeGreaterThan(before));
};

test.each(Object.keys(SERVICES) as LocalService[])(
  'killing %s twice during the run changes nothing in the outcome',
  async (service) => {
    const round = Object.keys(SERVICES).indexOf(service);
    const numbers = Array.from({ length: ORDERS }, (_, index) => 100 * (round + 1) + index);
    const before = await outsideOf(stack);
    const placing = Promise.all(numbers.map(placeUntilTaken));
    await killSoonAfter(service, 'purchasing');
    await killSoonAfter(service, 'shipped');
    await placing;

    const ids = numbers.map((number) => orderIdOf(SANDBOX_SHOP, aShopOrder(number, []).id));
    const views = await eventually(async () => {
      const found = await Promise.all(ids.map(viewOf));
      expect(found.map(({ status }) => status)).toEqual(found.map(() => 'delivered'));
      expect(
        found
          .flatMap(({ supplierOrders }) => supplierOrders.flatMap(({ parcels }) => parcels))
          .every(({ shopFulfillmentId }) => shopFulfillmentId !== null),
      ).toBe(true);
      return found;
    }, 60_000);

    const bought = views.flatMap(({ supplierOrders }) => supplierOrders);
    const after = await outsideOf(stack);
    for (const { id } of bought) {
      const atSupplier = after.purchases.find(({ orderNumber }) => orderNumber === id)?.orders ?? [];
      expect(
        atSupplier.filter(({ status }) => status !== 'CANCELLED').map(({ paidCount }) => paidCount),
      ).toEqual([1]);
    }
    expect(after.purchases.length - before.purchases.length).toBe(bought.length);
    const tracking = bought.flatMap(({ parcels }) => parcels.map(({ trackingNumber }) => trackingNumber));
    const shown = after.fulfillments.flatMap(({ trackingNumbers }) => trackingNumbers);
    for (const number of tracking) expect(shown.filter((other) => other === number)).toHaveLength(1);
    // Nobody is mailed twice; a mail that was on the wire when its sender died may be missing, and is on record as a doubt.
    const mails = after.mails.map(({ messageId }) => messageId);
    expect(new Set(mails).size).toBe(mails.length);
    const states = await eventually(async () => {
      const rows = await notificationStates(ids);
      expect(rows.filter((state) => state !== 'sent' && state !== 'doubt')).toEqual([]);
      return rows;
    });
    expect(states.length).toBeGreaterThanOrEqual(ids.length * 3);
    if (service !== 'notifier') expect(states).not.toContain('doubt');
  },
  120_000,
);

test('no service asked NATS for more than its role allows', () => {
  const log = readFileSync(join(stack.logDir, 'nats.log'), 'utf8');
  expect(log).toContain('Server is ready');
  expect(log.split('\n').filter((line) => line.includes('Violation'))).toEqual([]);
});
