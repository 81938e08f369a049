import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrderView } from '../../contracts/resources/order.ts';
import { ProductMapping } from '../../contracts/resources/product-mapping.ts';
import { SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { ONE_PROCESS } from '../../deploy/local/stack.ts';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aRunningStack, outsideOf, type RunningStack } from '../fixtures/running-stack.ts';
import { aShopOrder, placeInShop } from '../fixtures/shop-orders.ts';

let stack: RunningStack;
beforeAll(async () => {
  stack = await aRunningStack({ ORDER_MANAGER_PARTIAL_PURCHASE: 'true' }, ONE_PROCESS);
});
afterAll(() => stack.stop());

const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${stack.url}${path}`, {
    ...init,
    headers: { 'x-api-key': stack.apiKey, 'content-type': 'application/json' },
  });

const viewOf = async (id: string): Promise<OrderView> =>
  OrderView.parse(await (await call(`/orders/${id}`)).json());

const LAMP = 1;
/** Mapped to AliExpress first, and to CJ then. */
const BLUE_MUG = 3;
/** Sold by the shop, mapped to nothing. */
const POSTER = 9;

test('what can be had of an order is bought while the rest waits, and the rest when its mapping comes', async () => {
  const articles = [LAMP, POSTER].map((article) => ({ article, units: 2 }));
  expect((await placeInShop(stack, aShopOrder(1, articles))).status).toBe(200);
  const id = await eventually(async () => {
    const [order] = await readOrders(stack);
    expect(order?.holdReasons).toEqual(['unmapped_line']);
    return order?.id ?? '';
  });
  const partly = await eventually(async () => {
    const view = await viewOf(id);
    expect(view.supplierOrders.map(({ status }) => status)).toEqual(['delivered']);
    return view;
  });
  expect(partly.status).toBe('partially_delivered');
  expect(partly.lines.map(({ units }) => [units.held, units.onSupplierOrders])).toEqual([
    [0, 2],
    [2, 0],
  ]);

  const poster = CATALOGUE[POSTER - 1];
  const candidate = {
    supplier: 'cj_dropshipping',
    supplierProductId: poster?.supplierProductId,
    supplierVariantId: poster?.supplierVariantId,
  };
  const mapping = JSON.stringify({ candidates: [candidate] });
  const path = `/product-mappings/${poster?.shopVariantId}`;
  expect((await call(path, { method: 'PUT', body: mapping })).status).toBe(200);
  const whole = await eventually(async () => {
    const view = await viewOf(id);
    expect(view.status).toBe('delivered');
    return view;
  });
  expect(whole.lines.map(({ units }) => [units.held, units.onSupplierOrders])).toEqual([
    [0, 2],
    [0, 2],
  ]);
  const { purchases } = await outsideOf(stack);
  expect(purchases.flatMap(({ orders }) => orders.map(({ paidCount }) => paidCount))).toEqual([1, 1]);
  const pieces = purchases.flatMap(({ orders }) => orders.flatMap(({ products }) => products));
  expect(pieces.map(({ quantity }) => quantity)).toEqual([2, 2]);
});

/** The mug as the local stack maps it, its article at AliExpress named by this. */
async function mapBlueMug(supplierVariantId: string): Promise<void> {
  const path = `/product-mappings/${CATALOGUE[BLUE_MUG - 1]?.shopVariantId}`;
  const { candidates } = ProductMapping.parse(await (await call(path)).json());
  const body = JSON.stringify({
    candidates: candidates.map(({ seen: _, ...candidate }) =>
      candidate.supplier === 'aliexpress' ? { ...candidate, supplierVariantId } : candidate,
    ),
  });
  expect((await call(path, { method: 'PUT', body })).status).toBe(200);
}

async function control(path: string, wanted: object): Promise<void> {
  const init = { method: 'PUT', body: JSON.stringify(wanted) };
  expect((await fetch(`${stack.sandboxOrigin}/control/${path}`, init)).status).toBe(200);
}

const givenFaults = (rules: readonly object[]): Promise<void> => control('faults', rules);

test.each([
  ['its number', 2, '12000031000000005'],
  ['its attributes', 3, '14:173'],
])(
  'what its supplier refuses to sell, mapped by %s, is bought from the next candidate, and nobody is asked',
  async (_, number, variantId) => {
    await mapBlueMug(variantId);
    const refusal = {
      operation: 'aliexpress.createOrder',
      kind: 'refusal_before',
      code: 'INVENTORY_HOLD_ERROR',
    };
    await givenFaults([refusal]);
    expect((await placeInShop(stack, aShopOrder(number, [{ article: BLUE_MUG, units: 2 }]))).status).toBe(
      200,
    );
    const order = await eventually(async () => {
      const view = (await readOrders(stack)).find(({ name }) => name === `#T${number}`);
      expect(view?.status).toBe('delivered');
      return await viewOf(view?.id ?? '');
    });
    await givenFaults([]);
    expect(order.supplierOrders.map(({ supplier, status }) => [supplier, status]).sort()).toEqual([
      ['aliexpress', 'rejected'],
      ['cj_dropshipping', 'delivered'],
    ]);
    const { purchases } = await outsideOf(stack);
    const ours = purchases.filter(({ orderNumber }) =>
      order.supplierOrders.some(({ id }) => orderNumber === id),
    );
    expect(ours.flatMap(({ supplier, orders }) => orders.map((one) => [supplier, one.paidCount]))).toEqual([
      ['cj_dropshipping', 1],
    ]);
  },
);

test('a shipping method that its supplier takes no more is quoted anew and bought, and nobody is asked', async () => {
  const path = `/product-mappings/${CATALOGUE[BLUE_MUG - 1]?.shopVariantId}`;
  const { candidates } = ProductMapping.parse(await (await call(path)).json());
  const mapTo = async (some: typeof candidates): Promise<void> => {
    const body = JSON.stringify({ candidates: some });
    expect((await call(path, { method: 'PUT', body })).status).toBe(200);
  };
  await mapTo(candidates.filter(({ supplier }) => supplier === 'aliexpress'));
  const code = 'DELIVERY_METHOD_NOT_EXIST';
  await givenFaults([{ operation: 'aliexpress.createOrder', kind: 'refusal_before', code, times: 1 }]);
  expect((await placeInShop(stack, aShopOrder(5, [{ article: BLUE_MUG, units: 1 }]))).status).toBe(200);
  const { supplierOrders } = await eventually(async () => {
    const view = (await readOrders(stack)).find(({ name }) => name === '#T5');
    expect(view?.status).toBe('delivered');
    return await viewOf(view?.id ?? '');
  });
  await givenFaults([]);
  await mapTo(candidates);
  const methods = new Map(supplierOrders.map(({ status, shippingMethod }) => [status, shippingMethod]));
  expect([...methods.keys()].sort()).toEqual(['delivered', 'rejected']);
  expect(methods.get('delivered')).not.toBe(methods.get('rejected'));
  const { purchases } = await outsideOf(stack);
  const ours = purchases.filter(({ orderNumber }) => supplierOrders.some(({ id }) => orderNumber === id));
  expect(ours.flatMap(({ orders }) => orders.map(({ paidCount }) => paidCount))).toEqual([1]);
});

test('a preview asks the same suppliers and buys nothing', async () => {
  // What was bought before goes on its way meanwhile.
  const bought = async () =>
    (await outsideOf(stack)).purchases.map(({ orderNumber, orders }) => [orderNumber, orders.length]);
  const before = await bought();
  const lines = [{ sku: 'LAMP-MOON', units: 1, unitPriceMinor: 2_000 }];
  const response = await call('/sourcing-preview', {
    method: 'POST',
    body: JSON.stringify({ lines, country: 'US', zip: '97201' }),
  });
  const preview = SourcingPreview.parse(await response.json());
  expect(preview).toMatchObject({ wouldBuy: true, parts: [{ supplier: 'cj_dropshipping' }] });
  expect(preview.marginMinor).toBe(2_000 - (preview.costMinor ?? 0));
  expect(await bought()).toEqual(before);
});

test('what its supplier refused and made all the same is told to a person, whatever was bought in its place', async () => {
  await control('aliexpress/push', { url: `${stack.url}/webhooks/aliexpress` });
  const refusal = {
    operation: 'aliexpress.createOrder',
    kind: 'refusal_after',
    code: 'INVENTORY_HOLD_ERROR',
  };
  await givenFaults([refusal]);
  expect((await placeInShop(stack, aShopOrder(4, [{ article: BLUE_MUG, units: 1 }]))).status).toBe(200);
  await eventually(async () => {
    const view = (await readOrders(stack)).find(({ name }) => name === '#T4');
    expect(view?.holdReasons).toEqual(['duplicate_suspected']);
    const { supplierOrders, holds } = await viewOf(view?.id ?? '');
    const refused = supplierOrders.find(({ status }) => status === 'rejected');
    const { purchases } = await outsideOf(stack);
    const made = purchases.find(({ orderNumber }) => orderNumber === refused?.id);
    expect(holds).toMatchObject([
      { supplierOrderId: refused?.id, evidence: { references: made?.orders[0]?.orderId } },
    ]);
  });
  await givenFaults([]);
});
