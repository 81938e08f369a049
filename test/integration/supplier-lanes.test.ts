import { expect, onTestFinished, test } from 'vitest';
import { BUY, type PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SOURCE_ORDER } from '../../contracts/commands/source-order.ts';
import { envelope } from '../../contracts/envelope.ts';
import { commandSubject, type Lane } from '../../contracts/subjects.ts';
import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aNarrowRoad, type NarrowRoad } from '../fixtures/narrow-road.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { article, boughtUnder, givenCustomer, givenPurchase, intentOf } from '../fixtures/purchase-desk.ts';
import { anEmptyNats, aServiceContext, type TestContext } from '../fixtures/service-context.ts';
import { CREDENTIALS, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

interface Buyer {
  readonly context: TestContext;
  readonly world: Sandbox;
  /** Starts the service; before that, whatever is said waits in its lane. */
  readonly start: () => Promise<void>;
}

/**
 * A suppliers service that buys at both, CJ as slowly as an account of the free level may.
 * @param toCj the only way to CJ; absent: a straight one.
 */
async function aBuyer(
  more: NodeJS.ProcessEnv = {},
  toCj: (origin: string) => Promise<{ readonly origin: string }> = async (origin) => ({ origin }),
): Promise<Buyer> {
  const world = await givenWorld();
  const { origin: cjOrigin } = await toCj(world.origin);
  const context = await aServiceContext(nats.url, {
    CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
    CJ_DROPSHIPPING_BASE_URL: world.cjBaseUrl.replace(world.origin, cjOrigin),
    CJ_DROPSHIPPING_MODE: 'live',
    CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '1',
    ALIEXPRESS_API_KEY: CREDENTIALS.aliexpressAppKey,
    ALIEXPRESS_SECRET: CREDENTIALS.aliexpressAppSecret,
    ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
    ALIEXPRESS_BASE_URL: world.origin,
    ALIEXPRESS_MODE: 'live',
    ALIEXPRESS_REQUESTS_PER_SECOND: '100',
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '3',
    ...more,
  });
  const start = async (): Promise<void> => {
    const stop = await startSuppliers(context);
    onTestFinished(stop);
  };
  return { context, world, start };
}

const say = ({ context }: Buyer, lane: Lane, verb: string, id: string, data: { orderId: string }) => {
  const messageId = `${verb}:${id}`;
  const time = new Date().toISOString();
  const message = envelope({
    id: messageId,
    source: '/orders',
    type: `suppliers.${verb}`,
    subject: data.orderId,
    time,
    data,
  });
  const subject = commandSubject(lane, verb, id);
  return context.bus.publish([{ messageId, subject, payload: JSON.stringify(message) }]);
};

const sayBuy = (buyer: Buyer, lane: Lane, purchase: PurchaseCommand) =>
  say(buyer, lane, BUY, purchase.supplierOrderId, purchase);

const [MUG = { productId: '', skus: [] }] = ALIEXPRESS_PRODUCTS;
const mugSku = MUG.skus[0]?.skuId ?? '';

const aMug = ({ context }: Buyer, number: number, countryCode = 'US'): Promise<PurchaseCommand> =>
  givenPurchase(context.store, {
    number,
    countryCode,
    supplier: 'aliexpress',
    supplierProductId: MUG.productId,
    supplierVariantId: mugSku,
    shippingMethod: 'CAINIAO_STANDARD',
  });

const { supplierProductId, supplierVariantId } = article(1);
const ARTICLES = {
  aliexpress: { supplierProductId: MUG.productId, supplierVariantId: mugSku },
  cj_dropshipping: { supplierProductId, supplierVariantId },
};

/** An order in sourcing with a line for each of these suppliers. */
async function anOrder({ context }: Buyer, number: number, ...suppliers: (keyof typeof ARTICLES)[]) {
  const orderId = `ord_${number}`;
  const line = { ordered: 1, outside: 0, unallocated: 1, held: 0, cancelled: 0 };
  const lines = Object.fromEntries(suppliers.map((_, index) => [String(index + 1), line]));
  const inShop = Object.fromEntries(suppliers.map((_, index) => [String(index + 1), { units: 1, ours: 1 }]));
  await givenCustomer(context.store, orderId, 'US');
  await context.store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'sandbox-shop.myshopify.com', $1, '#1', 'USD', 9000, '2026-11-20T10:00:00.000Z', 'sourcing', $2::json)`,
    [orderId, JSON.stringify({ round: 1, lines, inShop })],
  );
  for (const [index, supplier] of suppliers.entries()) {
    const candidate = {
      supplier,
      ...ARTICLES[supplier],
      unitsPerItem: 1,
      bundledWith: [],
      countries: [],
      shipsFrom: 'CN',
      priority: 1,
    };
    await context.store.run(
      `insert into order_lines (order_id, line_id, position, variant_id, sku, title, unit_price_minor)
       values ($1, $3, $4, $2, 'SKU', 'Article', 9000)`,
      [orderId, supplier, String(index + 1), index],
    );
    await context.store.run(
      `insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())
       on conflict do nothing`,
      [supplier, JSON.stringify([candidate])],
    );
  }
  return { orderId, round: 1, lines: Object.keys(lines).map((lineId) => ({ lineId, units: 1 })) };
}

const sourced = async ({ context }: Buyer): Promise<string[]> =>
  (
    await context.store.query<{ id: string }>(
      "select substring(subject from '[^.]*$') as id from outbox where subject like '%.order.sourced.%' order by 1",
    )
  ).map(({ id }) => id);

test('a supplier that hangs keeps no purchase at another back', async () => {
  const buyer = await aBuyer();
  const { context, world, start } = buyer;
  await givenFaults(world, { operation: 'cj.createOrderV2', kind: 'slow', delayMs: 60_000 });
  for (let number = 1; number <= 8; number += 1)
    await sayBuy(buyer, 'cj_dropshipping', await givenPurchase(context.store, { number }));
  const mug = await aMug(buyer, 9);
  await sayBuy(buyer, 'aliexpress', mug);
  await start();
  await eventually(async () => expect(await intentOf(context.store, mug)).toMatchObject({ state: 'done' }));
  // Two at once are all that one call a second bears: they hang, and six wait behind them, or behind the next two.
  const open = await context.store.query(
    "select from purchase_intents where supplier = 'cj_dropshipping' and state = 'calling'",
  );
  expect(open.length).toBeLessThanOrEqual(2);
});

test.each([
  ['1', 2],
  ['4', 8],
])(
  'at a rate of %s a second all %i purchases at once are made although no answer is waited for as long as they take',
  async (requestsPerSecond, purchases) => {
    const buyer = await aBuyer({
      ALIEXPRESS_REQUESTS_PER_SECOND: requestsPerSecond,
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: requestsPerSecond,
    });
    const mugs: PurchaseCommand[] = [];
    // What is asked for the same country is asked once for all of them.
    const countries = ['US', 'DE', 'FR', 'ES', 'IT', 'NL', 'BE', 'AT'];
    for (const [index, countryCode] of countries.slice(0, purchases).entries())
      mugs.push(await aMug(buyer, index + 1, countryCode));
    for (const mug of mugs) await sayBuy(buyer, 'aliexpress', mug);
    await buyer.start();
    for (const mug of mugs) {
      await eventually(async () =>
        expect(await intentOf(buyer.context.store, mug)).toMatchObject({ state: 'done', attempt: 1 }),
      );
      expect(await boughtUnder(buyer.world, mug)).toHaveLength(1);
    }
  },
);

test('while a supplier wants no calls its commands stay in their lane instead of coming and going', async () => {
  const buyer = await aBuyer();
  const { store } = buyer.context;
  await store.run(
    `insert into supplier_accounts (supplier, call_interval_ms, paused_until)
     values ('cj_dropshipping', 1000, now() + interval '2500 milliseconds')`,
  );
  const COMMANDS = 30;
  for (let number = 1; number <= COMMANDS; number += 1)
    await sayBuy(buyer, 'cj_dropshipping', await givenPurchase(store, { number }));
  await buyer.start();
  const { manager } = await aProbe(nats.url);
  const lane = () => manager.consumers.info('CMD', 'oms-cj_dropshipping');
  await eventually(async () => expect((await lane()).num_redelivered).toBeGreaterThan(0));
  expect((await lane()).delivered.consumer_seq).toBeLessThan(COMMANDS / 2);
});

test('an order is sourced at one supplier while many others wait for the calls of a slower one', async () => {
  const buyer = await aBuyer();
  for (let number = 1; number <= 8; number += 1) {
    const command = await anOrder(buyer, number, 'cj_dropshipping');
    await say(buyer, 'suppliers', SOURCE_ORDER, command.orderId, command);
  }
  const command = await anOrder(buyer, 9, 'aliexpress');
  await say(buyer, 'suppliers', SOURCE_ORDER, command.orderId, command);
  await buyer.start();
  await eventually(async () => expect(await sourced(buyer)).toContain('ord_9'));
  expect((await sourced(buyer)).length).toBeLessThan(9);
});

test('a supplier that is asked by too many at once to answer in time is asked by fewer, and the orders go on', async () => {
  let road: NarrowRoad | undefined;
  const buyer = await aBuyer(
    { CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '40', ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '1' },
    async (origin) => {
      road = await aNarrowRoad(origin, { width: 1, serviceMs: 100 });
      return road;
    },
  );
  const ORDERS = 40;
  const commands = [];
  for (let number = 1; number <= ORDERS; number += 1)
    commands.push(await anOrder(buyer, number, 'cj_dropshipping'));
  // What is asked for the same place is asked once for all of them.
  await buyer.context.store.run(
    `update customer_details
        set shipping_address = shipping_address || jsonb_build_object('zip', '97' || lpad(substr(order_id, 5), 3, '0'))`,
  );
  for (const command of commands) await say(buyer, 'suppliers', SOURCE_ORDER, command.orderId, command);
  await buyer.start();
  // No deadline asks again here.
  await eventually(async () => expect((await sourced(buyer)).length).toBeGreaterThan(ORDERS * 0.75), 90_000);
  expect(road?.wasted()).toBeGreaterThan(0);
});

test('orders that need a supplier whose breaker is open wait in its lane, and the others go on', async () => {
  const buyer = await aBuyer({
    CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '100',
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '5',
  });
  const { bus } = buyer.context;
  await givenFaults(buyer.world, { operation: 'aliexpress*', kind: 'error_before' });
  const BOTH = 12;
  for (let number = 1; number <= BOTH; number += 1) {
    const command = await anOrder(buyer, number, 'cj_dropshipping', 'aliexpress');
    await say(buyer, 'cj_dropshipping', SOURCE_ORDER, command.orderId, command);
  }
  await buyer.start();
  const { manager } = await aProbe(nats.url);
  const inLane = async (lane: Lane): Promise<number> => {
    const { num_pending, num_ack_pending } = await manager.consumers.info('CMD', `oms-${lane}`);
    return num_pending + num_ack_pending;
  };
  await eventually(async () =>
    expect([await inLane('cj_dropshipping'), await inLane('aliexpress')]).toEqual([0, BOTH]),
  );
  const command = await anOrder(buyer, 99, 'cj_dropshipping');
  await say(buyer, 'suppliers', SOURCE_ORDER, command.orderId, command);
  await eventually(async () => expect(await sourced(buyer)).toEqual(['ord_99']));
  await givenFaults(buyer.world);
  // No deadline asks again here.
  await eventually(async () => expect((await bus.streamState('CMD')).messages).toBe(0));
  expect(await sourced(buyer)).toHaveLength(BOTH + 1);
});

test('what the release before said to all suppliers is bought at the one that it is for, once', async () => {
  const buyer = await aBuyer();
  const [lamp, mug] = [await givenPurchase(buyer.context.store), await aMug(buyer, 2)];
  for (const purchase of [lamp, mug]) {
    await sayBuy(buyer, 'suppliers', purchase);
    await sayBuy(buyer, purchase === lamp ? 'cj_dropshipping' : 'aliexpress', purchase);
  }
  await buyer.start();
  for (const purchase of [lamp, mug]) {
    await eventually(async () =>
      expect(await intentOf(buyer.context.store, purchase)).toMatchObject({ state: 'done', attempt: 1 }),
    );
    expect(await boughtUnder(buyer.world, purchase)).toHaveLength(1);
  }
  await eventually(async () => expect((await buyer.context.bus.streamState('CMD')).messages).toBe(0));
  const { calls } = await ledgerOf(buyer.world);
  expect([calls['cj.createOrderV2'], calls['aliexpress.createOrder']]).toEqual([1, 1]);
});
