import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { OrderSourced } from '../../contracts/events/order-sourced.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import { createAdapters } from '../../services/suppliers/registry.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { sourceOrder } from '../../services/suppliers/source-order.ts';
import { aGateway } from '../fixtures/a-gateway.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { article, givenCustomer, LAMP_COST_MINOR, saidTo } from '../fixtures/purchase-desk.ts';
import { aServiceContext, emptyStreams } from '../fixtures/service-context.ts';
import { aCandidate } from '../fixtures/shelves.ts';
import { CREDENTIALS, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());

const ORDER = { orderId: 'ord_1' };
const lampCandidate = () =>
  aCandidate(article(1).supplierVariantId, { supplierProductId: article(1).supplierProductId });

/** Gateway and suppliers service on one database, each with its own connection to the bus. */
async function givenServices(environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld();
  await emptyStreams(nats.url);
  const gateway = await aGateway(nats.url, environment);
  const suppliers = await aServiceContext(
    nats.url,
    {
      CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
      CJ_DROPSHIPPING_BASE_URL: world.cjBaseUrl,
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '1000',
      ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2',
      ...environment,
    },
    gateway.context.connectionString,
  );
  onTestFinished(await startSuppliers(suppliers));
  const { store } = gateway.context;
  /** Two lamps in one line for 25.00 each, and an article that nobody has mapped. */
  const givenOrder = async () => {
    const units = (ordered: number) => ({ ordered, outside: 0, unallocated: ordered, held: 0, cancelled: 0 });
    const inShop = { L1: { units: 2, ours: 2 }, L2: { units: 1, ours: 1 } };
    const context = { round: 1, lines: { L1: units(2), L2: units(1) }, inShop };
    await givenCustomer(store, ORDER.orderId, 'US');
    await store.run(
      `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
       values ($1, 'sandbox-shop.myshopify.com', '1', '#1', 'USD', 6000, '2026-11-20T10:00:00.000Z', 'sourcing', $2::json)`,
      [ORDER.orderId, JSON.stringify(context)],
    );
    for (const [index, price] of [2_500, 1_000].entries())
      await store.run(
        `insert into order_lines (order_id, line_id, position, variant_id, sku, title, unit_price_minor)
         values ($1, $2, $3, $4, 'SKU', 'Article', $5)`,
        [ORDER.orderId, `L${index + 1}`, index, `50${index + 1}`, price],
      );
    await gateway.send('PUT', '/product-mappings/501', { sku: 'LAMP', candidates: [lampCandidate()] });
  };
  /** The service is there once its subscription has reached the server. */
  const previewed = async (path: string, body: unknown): Promise<Response> => {
    let response = await gateway.send('POST', path, body);
    await eventually(async () => {
      if (response.status === 503) response = await gateway.send('POST', path, body);
      expect(response.status).not.toBe(503);
    });
    return response;
  };
  return { world, suppliers, store, givenOrder, previewed };
}

test('the preview of an order is what the live run then says, and buys nothing', async () => {
  const { world, suppliers, store, givenOrder, previewed } = await givenServices();
  await givenOrder();
  const response = await previewed(`/orders/${ORDER.orderId}/sourcing-preview`, {});
  expect(response.status).toBe(200);
  const preview = SourcingPreview.parse(await response.json());
  expect(preview).toMatchObject({
    strategy: 'preferred',
    wouldBuy: false,
    parts: [{ supplier: 'cj_dropshipping', currency: 'USD', lines: [{ lineId: 'L1', units: 2 }] }],
    refused: [{ lineId: 'L2', reason: 'unmapped_line' }],
    stops: [],
    currency: 'USD',
    revenueMinor: 5_000,
    missingRate: null,
  });
  expect(preview.marginMinor).toBe(5_000 - (preview.costMinor ?? 0));
  expect(preview.deliveryDays?.max).toBeGreaterThan(0);
  expect((await ledgerOf(world)).purchases).toEqual([]);
  expect(await store.query('select 1 from outbox where subject like $1', ['%order.sourced%'])).toEqual([]);

  const adapters = await createAdapters(suppliers);
  const ports = {
    ...suppliers,
    adapterOf: (supplier: 'aliexpress' | 'cj_dropshipping') => adapters.get(supplier),
  };
  await sourceOrder(ports, {
    ...ORDER,
    round: 1,
    lines: [
      { lineId: 'L1', units: 2 },
      { lineId: 'L2', units: 1 },
    ],
  });
  const [said] = (await saidTo(store, ORDER)).filter(({ type }) => type === 'order.sourced');
  const live = OrderSourced.parse(said);
  expect(live.refused).toEqual(preview.refused);
  expect(live.parts.map(({ part: _, quotedFor: _q, ...part }) => part)).toEqual(
    preview.parts.map(({ goodsMinor: _, shippingMinor: _s, deliveryDays, ...part }) => ({
      ...part,
      deliveryDays: deliveryDays?.max,
    })),
  );
});

test('an invented order is previewed by variant and by SKU, with its margin when it has prices', async () => {
  const { givenOrder, previewed } = await givenServices({ ORDER_MANAGER_MARGIN_FLOOR_PERCENT: '90' });
  await givenOrder();
  const ask = async (body: object) => {
    const response = await previewed('/sourcing-preview', { country: 'US', zip: '97201', ...body });
    expect(response.status).toBe(200);
    return SourcingPreview.parse(await response.json());
  };
  expect(await ask({ lines: [{ sku: 'LAMP', units: 1 }] })).toMatchObject({
    wouldBuy: true,
    costMinor: LAMP_COST_MINOR,
    marginPercent: null,
    stops: [],
  });
  expect(await ask({ lines: [{ variantId: '501', units: 1, unitPriceMinor: 2_868 }] })).toMatchObject({
    wouldBuy: false,
    marginPercent: 50,
    stops: [{ reason: 'margin_below_floor' }],
  });
  expect(await ask({ lines: [{ sku: 'NOTHING', units: 1 }] })).toMatchObject({
    parts: [],
    refused: [{ lineId: '1', reason: 'unmapped_line', evidence: { sku: 'NOTHING' } }],
  });
});

test('an order that is not there, a wrong body and a supplier that is away are told apart', async () => {
  const { world, givenOrder, previewed } = await givenServices();
  await givenOrder();
  const problem = async (path: string, body: unknown = {}) => {
    const response = await previewed(path, body);
    const { code } = Problem.parse(await response.json());
    return [response.status, code];
  };
  expect(await problem('/orders/ord_2/sourcing-preview')).toEqual([404, 'order_not_found']);
  expect(await problem('/orders/%00/sourcing-preview')).toEqual([404, 'order_not_found']);
  const both = { lines: [{ sku: 'LAMP', variantId: '501', units: 1 }], country: 'US' };
  expect(await problem('/sourcing-preview', both)).toEqual([422, 'body_invalid']);
  const dear = {
    lines: [{ sku: 'SKU', units: 10_000, unitPriceMinor: Number.MAX_SAFE_INTEGER }],
    country: 'US',
  };
  expect(await problem('/sourcing-preview', dear)).toEqual([422, 'body_invalid']);
  await givenFaults(world, { operation: 'cj.freightCalculate', kind: 'error_before' });
  expect(await problem('/orders/ord_1/sourcing-preview')).toEqual([502, 'supplier_unreachable']);
});
