import { expect, onTestFinished, test } from 'vitest';
import { Explanation } from '../../contracts/resources/explanation.ts';
import { OrderView } from '../../contracts/resources/order.ts';
import { OrderReceipt } from '../../contracts/resources/order-requests.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { SupplierOrderReceipt } from '../../contracts/resources/supplier-order-requests.ts';
import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import { audit } from '../../services/audit.ts';
import { startOrders } from '../../services/orders/service.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { aGateway } from '../fixtures/a-gateway.ts';
import { anEmptyNats } from '../fixtures/service-context.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const VARIANT = '44550000000001';
const [LAMP, MUG] = ALIEXPRESS_PRODUCTS;
const toCandidate = (product: typeof LAMP) => ({
  supplier: 'aliexpress',
  supplierProductId: product?.productId,
  supplierVariantId: product?.skus[0]?.skuId,
});
const NOTE = { note: 'looked through the list of orders on the site' };
const ORDER = {
  currency: 'EUR',
  payment: 'paid',
  items: [{ variant_id: VARIANT, title: 'Lamp', quantity: 1, unit_price_minor: 9_900 }],
  shipping_address: {
    first_name: 'Robin',
    last_name: 'Probe',
    address1: '12 Test Lane',
    city: 'Testville',
    state: 'Oregon',
    zip: '97201',
    country: 'US',
    phone: '+15035550100',
    email: 'robin@probe.example',
  },
};

/** The whole order manager at AliExpress, whose pushes do not arrive. */
async function aHouse(environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld({ timing: { processMs: 600_000 } });
  const { context, call, send } = await aGateway(nats.url, {
    ORDER_MANAGER_GRACE_SECONDS: '0',
    ORDER_MANAGER_RETRY_SECONDS: '0.5',
    ORDER_MANAGER_POLL_SECONDS: '0.2',
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '5',
    ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0.1',
    ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0',
    ALIEXPRESS_API_KEY: CREDENTIALS.aliexpressAppKey,
    ALIEXPRESS_SECRET: CREDENTIALS.aliexpressAppSecret,
    ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
    ALIEXPRESS_BASE_URL: world.origin,
    ALIEXPRESS_MODE: 'live',
    ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
    ...environment,
  });
  const { store } = context;
  onTestFinished(await startOrders(context));
  onTestFinished(await startSuppliers(context));
  await send('PUT', `/product-mappings/${VARIANT}`, { candidates: [toCandidate(LAMP)] });

  const until = (what: () => unknown) => expect.poll(what, { interval: 50 });
  const orderAt = async (id: string) => OrderView.parse(await (await call(`/orders/${id}`)).json());
  const purchaseAt = async (id: string) =>
    SupplierOrderView.parse(await (await call(`/supplier-orders/${id}`)).json());
  const purchasesOf = async (orderId: string) =>
    (
      await store.query<{ id: string }>(
        'select id from supplier_orders where order_id = $1 order by created_at',
        [orderId],
      )
    ).map(({ id }) => id);
  /** Orders at the supplier under the number of a purchase. */
  const bought = async (id: string) =>
    (await ledgerOf(world)).purchases.find(({ orderNumber }) => orderNumber === id)?.orders ?? [];
  return {
    world,
    store,
    call,
    send,
    until,
    orderAt,
    purchaseAt,
    purchasesOf,
    bought,
    say: (id: string, what: 'adopt' | 'not-bought', body: object) =>
      send('POST', `/supplier-orders/${id}/${what}`, body),
    /** An order whose purchase is in doubt and held for this reason; its last call is over. */
    async anOrderInDoubt(reason: string) {
      const receipt = OrderReceipt.parse(await (await send('POST', '/orders', ORDER)).json());
      await until(async () => (await orderAt(receipt.id)).holdReasons).toEqual([reason]);
      const [id = ''] = await purchasesOf(receipt.id);
      expect(await purchaseAt(id)).toMatchObject({ status: 'outcome_unknown' });
      await store.run(
        "update purchase_intents set call_deadline = now() - interval '1 second' where supplier_order_id = $1",
        [id],
      );
      return { orderId: receipt.id, id };
    },
    async soundIn() {
      expect((await audit(store, () => {})).violations).toBe(0);
    },
  };
}

const LOST_ANSWER = { operation: 'aliexpress.createOrder', kind: 'no_answer_after', times: 1 };
const NEVER_ARRIVES = { operation: 'aliexpress.createOrder', kind: 'no_answer_before', times: 2 };

const problemOf = async (response: Response): Promise<Problem> => {
  expect(response.status).toBe(409);
  return Problem.parse(await response.json());
};

test('a purchase whose number the supplier knows and does not say is adopted by the number that a person found', async () => {
  const house = await aHouse();
  await givenFaults(house.world, LOST_ANSWER);
  const { orderId, id } = await house.anOrderInDoubt('duplicate_suspected');
  const [made] = await house.bought(id);
  const explained = Explanation.parse(await (await house.call(`/orders/${orderId}/explain`)).json());
  expect(explained.can.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([`POST /supplier-orders/${id}/adopt`, `POST /supplier-orders/${id}/not-bought`]),
  );

  const said = await house.say(id, 'adopt', { supplier_reference: made?.orderId });
  expect(said.status).toBe(202);
  await house
    .until(() => house.purchaseAt(id))
    .toMatchObject({
      status: 'awaiting_payment',
      supplierReference: made?.orderId,
    });
  // It waits for its payment by hand, as any other, and no longer in doubt.
  await house.until(async () => (await house.orderAt(orderId)).holdReasons).toEqual(['payment_pending']);
  expect((await house.say(id, 'adopt', { supplier_reference: made?.orderId })).status).toBe(202);
  await control(house.world, 'POST', `/aliexpress/orders/${made?.orderId}/pay`);
  await house.until(() => house.purchaseAt(id)).toMatchObject({ status: 'processing' });
  await house.until(async () => (await house.orderAt(orderId)).holdReasons).toEqual([]);
  expect(await house.bought(id)).toHaveLength(1);
  await house.soundIn();
});

test('a purchase whose article the mapping names by its attributes is adopted by its number as well', async () => {
  const house = await aHouse();
  const blue = MUG?.skus[1];
  const candidate = { ...toCandidate(MUG), supplierVariantId: blue?.skuAttr };
  await house.send('PUT', `/product-mappings/${VARIANT}`, { candidates: [candidate] });
  await givenFaults(house.world, LOST_ANSWER);
  const { id } = await house.anOrderInDoubt('duplicate_suspected');
  expect((await house.purchaseAt(id)).lines).toMatchObject([{ supplierVariantId: blue?.skuId }]);
  const [made] = await house.bought(id);
  expect((await house.say(id, 'adopt', { supplier_reference: made?.orderId })).status).toBe(202);
  await house.until(() => house.purchaseAt(id)).toMatchObject({ supplierReference: made?.orderId });
  expect(await house.bought(id)).toHaveLength(1);
});

test('a purchase by hand may name its article by the attributes', async () => {
  const house = await aHouse();
  const blue = MUG?.skus[1];
  const item = { sku: 'MUG-BLUE', quantity: 2, supplier_product_id: MUG?.productId };
  const asked = await house.send('POST', '/supplier-orders', {
    order_id: 'ord_by_words',
    supplier: 'aliexpress',
    shipping_address: ORDER.shipping_address,
    items: [{ ...item, supplier_variant_id: blue?.skuAttr }],
  });
  const { id } = SupplierOrderReceipt.parse(await asked.json());
  await house
    .until(() => house.purchaseAt(id))
    .toMatchObject({
      status: 'awaiting_payment',
      lines: [{ supplierVariantId: blue?.skuId }],
    });
  expect(await house.bought(id)).toHaveLength(1);
});

test('a purchase that was never made is bought anew on a person’s word, under the same number', async () => {
  const house = await aHouse();
  await givenFaults(house.world, NEVER_ARRIVES);
  const { orderId, id } = await house.anOrderInDoubt('outcome_unknown');
  expect((await house.say(id, 'not-bought', NOTE)).status).toBe(202);
  await house
    .until(() => house.purchaseAt(id))
    .toMatchObject({
      status: 'awaiting_payment',
      attempt: 2,
      note: NOTE.note,
    });
  await house.until(async () => (await house.orderAt(orderId)).holdReasons).toEqual(['payment_pending']);
  expect(await house.bought(id)).toHaveLength(1);
  expect(await problemOf(await house.say(id, 'not-bought', NOTE))).toMatchObject({ code: 'conflict' });
  await house.soundIn();
});

test('where the supplier refuses its number again, what was not bought is bought anew under another', async () => {
  const house = await aHouse();
  await givenFaults(house.world, LOST_ANSWER);
  const { orderId, id } = await house.anOrderInDoubt('duplicate_suspected');
  const [made] = await house.bought(id);
  await control(house.world, 'POST', `/aliexpress/orders/${made?.orderId}/close`, {});
  // What is closed there is no purchase any more.
  expect(await problemOf(await house.say(id, 'adopt', { supplier_reference: made?.orderId }))).toMatchObject({
    errors: [{ path: 'status' }],
  });

  expect((await house.say(id, 'not-bought', NOTE)).status).toBe(202);
  await house.until(() => house.purchaseAt(id)).toMatchObject({ status: 'rejected', note: NOTE.note });
  await house.until(async () => (await house.purchasesOf(orderId)).length).toBe(2);
  const [, second = ''] = await house.purchasesOf(orderId);
  await house.until(() => house.purchaseAt(second)).toMatchObject({ status: 'awaiting_payment', attempt: 1 });
  await house.until(async () => (await house.orderAt(orderId)).holdReasons).toEqual(['payment_pending']);
  expect(await house.bought(second)).toHaveLength(1);
  await house.soundIn();
});

test.each([
  ['was never made', [NEVER_ARRIVES], 'outcome_unknown'],
  ['has a number that the supplier refuses', [LOST_ANSWER], 'duplicate_suspected'],
])(
  'a purchase that nobody wants and that %s is given up on a person’s word',
  async (_what, faults, reason) => {
    const house = await aHouse();
    await givenFaults(house.world, ...faults);
    const { orderId, id } = await house.anOrderInDoubt(reason);
    await house.call(`/orders/${orderId}`, { method: 'DELETE' });
    await house.until(() => house.purchaseAt(id)).toMatchObject({ compensation: 'await_verdict' });
    expect((await house.say(id, 'not-bought', NOTE)).status).toBe(202);
    await house.until(() => house.orderAt(orderId)).toMatchObject({ status: 'cancelled' });
    expect(await house.purchasesOf(orderId)).toEqual([id]);
    await house.soundIn();
  },
);

test('while its last call may still come to be an order, nobody can say that it was not bought', async () => {
  const house = await aHouse({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '600' });
  await givenFaults(house.world, NEVER_ARRIVES);
  const { id } = await house.anOrderInDoubt('outcome_unknown');
  const { detail } = await problemOf(await house.say(id, 'not-bought', NOTE));
  expect(detail).toMatch(/^its last call may still come to be an order at the supplier: .+ 20\d\d-/);
  expect(await house.purchaseAt(id)).toMatchObject({ status: 'outcome_unknown', attempt: 1, note: null });
});

test('an order that is not the purchase is refused with what differs, and nothing changes', async () => {
  const house = await aHouse();
  await givenFaults(house.world, LOST_ANSWER);
  const first = await house.anOrderInDoubt('duplicate_suspected');
  const [made] = await house.bought(first.id);
  await house.say(first.id, 'adopt', { supplier_reference: made?.orderId });
  await house.until(() => house.purchaseAt(first.id)).toMatchObject({ status: 'awaiting_payment' });

  await house.send('PUT', `/product-mappings/${VARIANT}`, { candidates: [toCandidate(MUG)] });
  await givenFaults(house.world, LOST_ANSWER);
  const second = await house.anOrderInDoubt('duplicate_suspected');
  const refused = await problemOf(await house.say(second.id, 'adopt', { supplier_reference: made?.orderId }));
  expect(refused).toMatchObject({
    code: 'conflict',
    errors: [
      { path: 'articles', message: expect.stringContaining(`1 of ${LAMP?.skus[0]?.skuId}`) },
      { path: 'owner', message: expect.stringContaining(first.id) },
    ],
  });
  const unknown = await problemOf(await house.say(second.id, 'adopt', { supplier_reference: '8199999' }));
  expect(unknown.detail).toContain('8199999');
  expect(await house.purchaseAt(second.id)).toMatchObject({
    status: 'outcome_unknown',
    supplierReference: null,
  });
  expect((await house.orderAt(second.orderId)).holdReasons).toEqual(['duplicate_suspected']);
});

test('a word that is no word is refused with its place, and so is one about nothing', async () => {
  const house = await aHouse();
  const status = async (id: string, what: 'adopt' | 'not-bought', body: object) =>
    (await house.say(id, what, body)).status;
  for (const supplier_reference of ['', 'a b', '1,1', '1,', "1';--"])
    expect(await status('sup_ord_1', 'adopt', { supplier_reference })).toBe(422);
  expect(await status('sup_ord_1', 'not-bought', {})).toBe(422);
  expect(await status('sup_ord_1', 'not-bought', NOTE)).toBe(404);
  expect(await status('sup_ord_1', 'adopt', { supplier_reference: '1' })).toBe(404);
});
