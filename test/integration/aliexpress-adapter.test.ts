import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { USUAL_SWITCHES } from '../../deploy/sandbox/aliexpress/switches.ts';
import { type Sandbox, startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { sendOnce } from '../../services/send-once.ts';
import type {
  Article,
  OrderKey,
  PlaceRequest,
  Recipient,
  SupplierAdapter,
} from '../../services/suppliers/adapter.ts';
import type { QuotaReport, TokenStore } from '../../services/suppliers/adapter-parts.ts';
import { createAliExpress } from '../../services/suppliers/aliexpress/aliexpress.ts';
import { codeIn, connect, consentUrl } from '../../services/suppliers/aliexpress/consent.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import { eventually } from '../fixtures/eventually.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';
import { APP, CABLE, LAMP, MUG, TENT } from '../sandbox/aliexpress-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const never = new AbortController().signal;
/** Every step lasts until the test turns it. */
const STILL = { processMs: 60_000, shipMs: 60_000, transitMs: 60_000, deliverMs: 60_000, lookupBlindMs: 0 };
const AT_ONCE = { processMs: 0, shipMs: 0, transitMs: 0, deliverMs: 0, lookupBlindMs: 0 };
const SWITCHES = { ...USUAL_SWITCHES, requestsPerSecond: 10_000 };

let world: Sandbox;
let reports: QuotaReport[];
let adapter: SupplierAdapter;

beforeAll(async () => {
  world = await startSandbox({ credentials: CREDENTIALS });
});
afterAll(() => world.stop());
beforeEach(async () => {
  reports = [];
  adapter = anAdapter();
  await givenFaults(world);
  await turn({});
});

/** Everything else is as usual again. */
async function turn(aliexpress: object, timing: object = STILL): Promise<void> {
  const change = { timing, aliexpress: { ...SWITCHES, ...aliexpress } };
  expect((await control(world, 'PUT', '/settings', change)).status).toBe(200);
}

const options = () => ({
  baseUrl: world.origin,
  ...APP,
  tokens: memoryTokens(),
  reserve: async () => {},
  report: async (report: QuotaReport) => {
    reports.push(report);
  },
});

const anAdapter = (changes: Partial<Parameters<typeof createAliExpress>[0]> = {}): SupplierAdapter =>
  createAliExpress({
    ...options(),
    accessToken: CREDENTIALS.aliexpressAccessToken,
    autoPay: false,
    ...changes,
  });

/** A code as the consent page hands it out, taken from where it leads to. */
async function aCode(origin = world.origin): Promise<string> {
  const page = consentUrl({ baseUrl: origin, appKey: APP.appKey }, 'https://shop.example/back', 's1');
  const { headers } = await fetch(page, { redirect: 'manual' });
  return codeIn(headers.get('location') ?? '', 's1');
}

async function aConnectedStore(origin = world.origin): Promise<TokenStore> {
  const tokens = memoryTokens();
  await connect({ ...options(), baseUrl: origin, tokens }, await aCode(origin), never);
  return tokens;
}

const RECIPIENT: Recipient = {
  name: 'Zoé Lefèvre',
  company: '',
  address1: '12 rue des Lilas\n3e étage',
  address2: '',
  city: 'Lyon',
  province: '',
  zip: '69003',
  countryCode: 'FR',
  phone: '06 12 34 56 78',
  email: 'zoe@shop.example',
  taxId: '',
};

type Goods = typeof LAMP;

const article = (goods: Goods, units = 1, sku = 0): Article => ({
  supplierProductId: goods!.productId,
  supplierVariantId: goods!.skus[sku]!.skuId,
  units,
});

const destination = { countryCode: 'US', zip: '97201' };
const quoted = (...articles: Article[]) => adapter.quote({ destination, shipsFrom: 'CN', articles }, never);

const anOrder = (changes: Partial<PlaceRequest> = {}): PlaceRequest => ({
  callerRef: `sup_ord_${randomUUID().slice(0, 13)}`,
  recipient: RECIPIENT,
  shipsFrom: 'CN',
  shippingMethod: 'CAINIAO_STANDARD',
  lines: [{ ...article(MUG, 2), lineId: 'line-1' }],
  ceilingMinor: 100_000,
  currency: 'USD',
  ...changes,
});

/** Places the order; it stays unpaid unless the adapter pays at once. */
async function givenOrder(request = anOrder(), by = adapter): Promise<OrderKey> {
  const { supplierReference } = await by.place(request, never);
  return { supplierReference, callerRef: request.callerRef };
}

/** What the order is observed as, once it is in that state. */
async function seenAs(status: string, key: OrderKey) {
  const seen = (await adapter.status([key], never)).get(key.supplierReference);
  expect(seen?.status).toBe(status);
  return seen;
}

const bought = async (callerRef: string) =>
  (await ledgerOf(world)).purchases.find(({ orderNumber }) => orderNumber === callerRef)?.orders ?? [];

const callsOf = async (operation: string): Promise<number> =>
  (await ledgerOf(world)).calls[`aliexpress.${operation}`] ?? 0;

const payByHand = (orderId: string) => control(world, 'POST', `/aliexpress/orders/${orderId}/pay`);
const closeByHand = (orderId: string) => control(world, 'POST', `/aliexpress/orders/${orderId}/close`, {});

const showStatus = (orderId: string, status: string | null) =>
  control(world, 'PUT', `/aliexpress/orders/${orderId}/status`, { status });

async function changeArticle(goods: Goods, change: object): Promise<void> {
  const { skuId } = goods!.sku;
  await control(world, 'PUT', `/articles/${skuId}`, change);
  const usual = { priceMinor: goods!.sku.priceMinor, stock: 1_000, isOnSale: true };
  onTestFinished(async () => {
    await control(world, 'PUT', `/articles/${skuId}`, usual);
  });
}

const failure = (failureClass: string, evidence: object = {}) => ({
  failureClass,
  evidence: expect.objectContaining(evidence),
});

test('an order to Brazil and to Saudi Arabia carries what is asked for there; without it the refusal says what is missing', async () => {
  const brazil = {
    ...RECIPIENT,
    countryCode: 'BR',
    province: 'SP',
    phone: '+5511912345678',
    taxId: '52998224725',
  };
  const riyadh = { ...RECIPIENT, countryCode: 'SA', phone: '+966501234567' };
  const complete = [
    { ...brazil, birthday: '1990-12-31' },
    { ...riyadh, nationalAddress: 'RRRD2929' },
  ];
  for (const recipient of complete)
    await expect(adapter.place(anOrder({ recipient }), never)).resolves.toMatchObject({ isPaid: false });
  for (const [recipient, wanted] of [
    [brazil, 'birthday'],
    [riyadh, 'nat_addr'],
  ] as const)
    await expect(adapter.place(anOrder({ recipient }), never)).rejects.toMatchObject(
      failure('invalid_input', { message: expect.stringContaining(`${wanted} is required`) }),
    );
});

test('a search answers one page in the normal form', async () => {
  const page = await adapter.search({ query: 'mug', page: 1, limit: 80, countryCode: 'US' }, never);
  expect(page).toMatchObject({ page: 1, limit: 50, total: 2 });
  expect(page.items[0]).toEqual({
    supplier: 'aliexpress',
    id: MUG!.productId,
    title: 'Enamel mug',
    price: { minMinor: 440, maxMinor: 440, currency: 'USD' },
    imageUrl: `https://img.example/${MUG!.productId}.jpg`,
    stock: null,
  });
  await expect(
    adapter.search({ query: 'zeppelin', page: 1, limit: 20, countryCode: 'US' }, never),
  ).resolves.toMatchObject({ items: [], total: 0 });
});

test('a product comes with its variants, stock by country, images and ways to ship', async () => {
  const request = { supplierProductId: TENT!.productId, countryCode: 'FR' };
  const product = await adapter.product(request, never);
  expect(product).toMatchObject({
    supplier: 'aliexpress',
    id: TENT!.productId,
    title: 'Two-person tent',
    price: { minMinor: 2_990, maxMinor: 3_390, currency: 'USD' },
    stock: 2_000,
    shipsFrom: ['CN', 'DE'],
    country: 'FR',
    deliveryDays: { min: 5, max: 14 },
    imageUrls: [`https://img.example/${TENT!.productId}.jpg`],
  });
  expect(product.variants.map(({ id, options, stock }) => ({ id, options, stock }))).toEqual([
    {
      id: TENT!.skus[0]!.skuId,
      options: [{ name: 'Color', value: 'Green' }],
      stock: [{ country: 'CN', units: 1_000 }],
    },
    {
      id: TENT!.skus[1]!.skuId,
      options: [{ name: 'Color', value: 'Green' }],
      stock: [{ country: 'DE', units: 1_000 }],
    },
  ]);
  expect(product.shippingOptions.map(({ method, shipsFrom }) => [method, shipsFrom])).toEqual([
    ['CAINIAO_STANDARD', 'CN'],
    ['CAINIAO_PREMIUM', 'CN'],
  ]);
});

test('a product that is not there, or may not be sold there, is refused as such', async () => {
  const ask = (supplierProductId: string, countryCode: string) =>
    adapter.product({ supplierProductId, countryCode }, never);
  await expect(ask('1005009999999999', 'US')).rejects.toMatchObject(failure('not_found'));
  await expect(ask('no-number', 'US')).rejects.toMatchObject(failure('not_found', { sent: false }));
  await expect(ask(MUG!.productId, 'KP')).rejects.toMatchObject(failure('not_shippable'));
});

test('quotes of one article at the same moment share its reading', async () => {
  const before = [await callsOf('product'), await callsOf('freight')];
  const quotes = await Promise.all(Array.from({ length: 5 }, () => quoted(article(MUG, 1))));
  expect(new Set(quotes.map(({ goodsMinor }) => goodsMinor)).size).toBe(1);
  expect([await callsOf('product'), await callsOf('freight')]).toEqual(before.map((calls) => calls + 1));
});

test('a quote holds goods, freight and tax, and how each article stands now', async () => {
  const { articles, ...quote } = await quoted(article(MUG, 2, 1));
  expect(quote).toEqual({
    currency: 'USD',
    goodsMinor: 890,
    options: [
      { shippingMethod: 'CAINIAO_STANDARD', costMinor: 0, deliveryDays: { min: 8, max: 14 } },
      { shippingMethod: 'CAINIAO_PREMIUM', costMinor: 1_620, deliveryDays: { min: 5, max: 8 } },
    ],
  });
  expect([...articles]).toEqual([
    [MUG!.skus[1]!.skuId, { unitPriceMinor: 445, stock: 1_000, optionLabels: ['Color: Blue'] }],
  ]);
  const toFrance = { destination: { countryCode: 'FR', zip: '69003' }, shipsFrom: 'CN' };
  const [taxed] = (await adapter.quote({ ...toFrance, articles: [article(TENT)] }, never)).options;
  const [untaxed] = (await quoted(article(TENT))).options;
  expect(taxed!.costMinor - untaxed!.costMinor).toBe(598);
});

test('a variant may be named by its attributes; the answer names it so, and says its own id', async () => {
  const { skuAttr, skuId } = MUG!.skus[1]!;
  const { goodsMinor, articles } = await quoted({ ...article(MUG), supplierVariantId: skuAttr });
  expect(goodsMinor).toBe(445);
  expect([...articles].map(([name, { variantId }]) => [name, variantId])).toEqual([[skuAttr, skuId]]);
  // Named twice, it would stand twice under one id in what is bought.
  const twice = await quoted(article(MUG, 1, 1), { ...article(MUG), supplierVariantId: skuAttr });
  expect(twice.articles.get(skuAttr)).not.toHaveProperty('variantId');
});

test('several articles are quoted together with what serves them all, unless their sellers differ', async () => {
  const [lamp, mug] = [await quoted(article(LAMP)), await quoted(article(MUG))];
  const together = await quoted(article(LAMP), article(MUG));
  expect(together.goodsMinor).toBe(lamp.goodsMinor + mug.goodsMinor);
  expect(together.options.map(({ costMinor }) => costMinor)).toEqual(
    lamp.options.map(({ costMinor }, index) => costMinor + mug.options[index]!.costMinor),
  );
  await expect(quoted(article(LAMP), article(TENT))).rejects.toMatchObject(
    failure('invalid_input', { problem: 'articles of several sellers', sent: false }),
  );
});

test('a place that nothing is sent to has no option', async () => {
  const articles = [article(TENT, 1, 1)];
  await expect(adapter.quote({ destination, shipsFrom: 'DE', articles }, never)).resolves.toMatchObject({
    options: [],
  });
});

test('what is gone or too little is unavailable, an unknown variant is not found', async () => {
  await changeArticle(LAMP, { stock: 1 });
  await expect(quoted(article(LAMP, 2))).rejects.toMatchObject(failure('unavailable'));
  await changeArticle(LAMP, { stock: 5, isOnSale: false });
  await expect(quoted(article(LAMP))).rejects.toMatchObject(failure('unavailable'));
  await expect(quoted({ ...article(MUG), supplierVariantId: '12000031999999999' })).rejects.toMatchObject(
    failure('not_found'),
  );
});

test.each([
  [{ listShape: 'wrapped', ids: 'usual' }],
  [{ listShape: 'array', ids: 'number' }],
  [{ listShape: 'single', ids: 'text', orderAnswerName: 'renamed' }],
  [{ listShape: 'bare', ids: 'number', orderAnswerName: 'renamed' }],
  [{ listShape: 'missing', ids: 'usual' }],
])('an order is found out about, placed, paid by hand and followed to the door with %j', async (switches) => {
  await turn(switches, AT_ONCE);
  const page = await adapter.search({ query: 'lamp', page: 1, limit: 1, countryCode: 'FR' }, never);
  const supplierProductId = page.items[0]?.id ?? '';
  const [variant] = (await adapter.product({ supplierProductId, countryCode: 'FR' }, never)).variants;
  expect(variant?.id).toBe(LAMP!.sku.skuId);
  const lines = [{ lineId: 'l', supplierProductId, supplierVariantId: variant?.id ?? '', units: 1 }];
  const key = await givenOrder(anOrder({ lines }));
  expect(key.supplierReference).toMatch(/^\d{16}$/);

  await expect(adapter.preparePayment(key, never)).resolves.toMatchObject({
    state: 'due',
    currency: 'USD',
    payWithinSeconds: 1_036_800,
  });
  expect((await adapter.status([key], never)).get(key.supplierReference)).toMatchObject({
    status: 'awaiting_payment',
    parcels: [],
    evidence: { payWithinSeconds: 1_036_800 },
  });
  await payByHand(key.supplierReference);
  const paid = await adapter.preparePayment(key, never);
  expect(paid).toMatchObject({ state: 'paid' });
  expect(paid).not.toHaveProperty('payWithinSeconds');
  await expect(adapter.read(key.supplierReference, never)).resolves.toMatchObject({
    supplierReference: key.supplierReference,
    isPaid: true,
    isCancelled: false,
    articles: [{ supplierVariantId: LAMP!.sku.skuId, units: 1 }],
    createdAt: null,
    createdLocally: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
  });
  const arrived = await eventually(() => seenAs('delivered', key));
  expect(arrived?.parcels).toMatchObject([
    { trackingNumber: expect.stringMatching(/^AP/), state: 'delivered', lastMileTrackingNumber: null },
  ]);
});

test('an order is sent as AliExpress wants it: plain letters, our reference, attributes and service', async () => {
  const request = anOrder({ lines: [{ ...article(CABLE, 3), lineId: 'l' }] });
  const { supplierReference, amountMinor, isPaid } = await adapter.place(request, never);
  const orders: unknown = await (await control(world, 'GET', '/aliexpress/orders')).json();
  expect(orders).toContainEqual(
    expect.objectContaining({
      orderId: supplierReference,
      outOrderId: request.callerRef,
      address: {
        contact_person: 'Zoe Lefevre',
        full_name: 'Zoe Lefevre',
        address: '12 rue des Lilas 3e etage',
        city: 'Lyon',
        province: 'Lyon',
        country: 'FR',
        zip: '69003',
        mobile_no: '612345678',
        phone_country: '+33',
      },
      lines: [
        expect.objectContaining({
          skuId: CABLE!.sku.skuId,
          quantity: 3,
          deliveryCode: 'CAINIAO_STANDARD',
          memo: expect.stringContaining('no invoice'),
        }),
      ],
    }),
  );
  const [order] = await bought(request.callerRef);
  expect(order).toMatchObject({ amount: amountMinor, paidCount: 0 });
  expect(isPaid).toBe(false);
});

test('what would cost more than allowed is not ordered', async () => {
  const request = anOrder({ ceilingMinor: 879 });
  await expect(adapter.place(request, never)).rejects.toMatchObject(
    failure('price_changed', { costMinor: 880, ceilingMinor: 879, sent: false }),
  );
  await expect(adapter.place(anOrder({ ceilingMinor: 880 }), never)).resolves.toMatchObject({
    amountMinor: 880,
  });
  expect(await bought(request.callerRef)).toEqual([]);
});

test('an order that stays unpaid is made by the offer of its own quote, once', async () => {
  const { recipient, lines, shipsFrom } = anOrder();
  const { countryCode, zip } = recipient;
  const quoteIt = () =>
    adapter.quote({ destination: { countryCode, zip }, shipsFrom, articles: lines }, never);
  const looksOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = (await callsOf('product')) + (await callsOf('freight'));
    await work();
    return (await callsOf('product')) + (await callsOf('freight')) - before;
  };

  await quoteIt();
  const elsewhere = anOrder({ recipient: { ...recipient, zip: '13001' } });
  expect(await looksOf(() => givenOrder(elsewhere))).toBe(2);
  expect(await looksOf(() => givenOrder(anOrder({ lines: [{ ...lines[0]!, units: 1 }] })))).toBe(2);
  expect(await looksOf(() => givenOrder())).toBe(0);
  expect(await looksOf(() => givenOrder())).toBe(2);

  await quoteIt();
  const tooDear = anOrder({ ceilingMinor: 1 });
  await expect(givenOrder(tooDear)).rejects.toMatchObject(failure('price_changed', { ceilingMinor: 1 }));
  expect(await bought(tooDear.callerRef)).toEqual([]);
});

test('an order that is paid at once is looked at anew, so that a price that rose since its quote stops it', async () => {
  const paying = anAdapter({ autoPay: true });
  const { recipient, lines, shipsFrom } = anOrder();
  const { countryCode, zip } = recipient;
  const { goodsMinor, options: ways } = await paying.quote(
    { destination: { countryCode, zip }, shipsFrom, articles: lines },
    never,
  );
  const ceilingMinor = goodsMinor + ways.find((way) => way.shippingMethod === 'CAINIAO_STANDARD')!.costMinor;
  await changeArticle(MUG, { priceMinor: MUG!.sku.priceMinor + 100 });
  const order = anOrder({ ceilingMinor });
  await expect(givenOrder(order, paying)).rejects.toMatchObject(failure('price_changed', { ceilingMinor }));
  expect(await bought(order.callerRef)).toEqual([]);
});

test('an order without goods, way, address or the right money is refused before it is sent', async () => {
  const before = await callsOf('createOrder');
  await changeArticle(CABLE, { stock: 1 });
  const cables = [{ ...article(CABLE, 2), lineId: 'l' }];
  for (const [changes, failureClass] of [
    [{ lines: cables }, 'unavailable'],
    [{ shippingMethod: 'PIGEON' }, 'not_shippable'],
    [{ recipient: { ...RECIPIENT, city: 'Αθήνα' } }, 'invalid_input'],
    [{ recipient: { ...RECIPIENT, phone: '' } }, 'invalid_input'],
    [{ currency: 'EUR' }, 'invalid_input'],
    [{ callerRef: 'x'.repeat(51) }, 'invalid_input'],
  ] as const)
    await expect(adapter.place(anOrder(changes), never), failureClass).rejects.toMatchObject(
      failure(failureClass, { sent: false }),
    );
  expect(await callsOf('createOrder')).toBe(before);
});

test('paying at once is asked for by setting, and an order that could not be paid is still placed once', async () => {
  const paying = anAdapter({ autoPay: true });
  expect(paying.capabilities.payment).toBe('with_order');
  expect(adapter.capabilities.payment).toBe('by_hand');
  await expect(paying.place(anOrder(), never)).resolves.toMatchObject({ isPaid: true });
  await turn({ isAutoPayAllowed: false });
  const request = anOrder();
  await expect(paying.place(request, never)).resolves.toMatchObject({ isPaid: false, amountMinor: 880 });
  expect(await bought(request.callerRef)).toMatchObject([{ paidCount: 0 }]);
});

test.each([
  ['B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL', 'address1'],
  ['B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL_CPF_NOT_MATCH', 'taxId'],
])('a refusal of the receiver with %s names what of it is to be mended: %s', async (code, field) => {
  await givenFaults(world, {
    operation: 'aliexpress.createOrder',
    kind: 'refusal_before',
    code,
    times: 1,
  });
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(
    failure('invalid_input', { code, field }),
  );
});

test.each([
  ['DELIVERY_METHOD_NOT_EXIST', 'not_shippable'],
  ['PRICE_PAY_CURRENCY_ERROR', 'price_changed'],
])('a refusal with %s says that another quote may be taken', async (code, failureClass) => {
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'refusal_before', code, times: 1 });
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(
    failure(failureClass, { code, quoteAgain: true }),
  );
});

test.each([
  ['REPEATED_ORDER_ERROR', 'duplicate_reference'],
  ['INVENTORY_HOLD_ERROR', 'unavailable'],
  ['A003_SUSPICIOUS_BUYER', 'account_blocked'],
  ['REMOTE_CREATE_ORDER_RESULT_ERROR', 'unknown_outcome'],
  ['ServiceTimeout', 'unknown_outcome'],
  ['isp.remote-service-timeout', 'unknown_outcome'],
  ['SOMETHING_NEW', 'unknown_outcome'],
])('a purchase that is refused with %s is %s', async (code, failureClass) => {
  const [kind] = failureClass === 'unknown_outcome' ? ['refusal_after'] : ['refusal_before'];
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind, code, times: 1 });
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(failure(failureClass, { code }));
});

test.each(['error_after', 'no_answer_after', 'garbage', 'error_before', 'no_answer_before'])(
  'a purchase that ends with %s is doubt, and repeated it never buys twice',
  async (kind) => {
    await givenFaults(world, { operation: 'aliexpress.createOrder', kind, times: 1 });
    const request = anOrder();
    await expect(adapter.place(request, never)).rejects.toMatchObject(failure('unknown_outcome'));
    const isBought = !kind.endsWith('_before');
    const again = adapter.place(request, never);
    if (isBought) await expect(again).rejects.toMatchObject(failure('duplicate_reference'));
    else await expect(again).resolves.toMatchObject({ isPaid: false });
    expect(await bought(request.callerRef)).toHaveLength(1);
  },
);

test('a repetition that is answered with the first order is that order', async () => {
  await turn({ repeatedOrder: 'first' });
  const request = anOrder();
  const [first, second] = [await adapter.place(request, never), await adapter.place(request, never)];
  expect(second.supplierReference).toBe(first.supplierReference);
});

test('a purchase whose caller stops waiting is doubt and is not repeated', async () => {
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'slow', delayMs: 60_000, times: 1 });
  const request = anOrder();
  const before = await callsOf('createOrder');
  const stop = new AbortController();
  const waiting = withPolicy(adapter, { callTimeoutMs: 60_000, halfOpenAfterMs: 1_000 });
  const placed = expect(waiting.place(request, stop.signal)).rejects.toMatchObject(
    failure('unknown_outcome'),
  );
  await eventually(async () => expect(await bought(request.callerRef)).toHaveLength(1));
  stop.abort();
  await placed;
  expect(await callsOf('createOrder')).toBe(before + 1);
});

test('what fails before the purchase is called has bought nothing', async () => {
  await givenFaults(world, { operation: 'aliexpress.freight', kind: 'no_answer_before', times: 1 });
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(failure('transient', { sent: false }));
  await givenFaults(world, { operation: 'aliexpress.product', kind: 'garbage', times: 1 });
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(failure('transient', { sent: false }));
});

test('an order whose details cannot be read yet is placed all the same', async () => {
  await givenFaults(world, { operation: 'aliexpress.getOrder', kind: 'error_before', times: 1 });
  await expect(adapter.place(anOrder(), never)).resolves.toMatchObject({ amountMinor: null, isPaid: false });
});

test('several orders of one purchase are one reference, and the slowest says how far it is', async () => {
  const keys = [await givenOrder(), await givenOrder()];
  const [first, second] = keys.map(({ supplierReference }) => supplierReference);
  const both = { supplierReference: `${first},${second}`, callerRef: 'sup_ord_both' };
  const status = async () => (await adapter.status([both], never)).get(both.supplierReference);

  await expect(adapter.preparePayment(both, never)).resolves.toMatchObject({
    state: 'due',
    amountMinor: 1_760,
  });
  await payByHand(first!);
  await expect(adapter.preparePayment(both, never)).resolves.toMatchObject({ state: 'due' });
  await expect(status()).resolves.toMatchObject({ status: 'awaiting_payment' });
  await closeByHand(second!);
  await expect(adapter.preparePayment(both, never)).resolves.toMatchObject({
    state: 'paid',
    amountMinor: 880,
  });
  await expect(status()).resolves.toMatchObject({
    status: 'processing',
    attention: { reason: 'operator', evidence: { supplierReference: second } },
  });
  await expect(adapter.read(both.supplierReference, never)).resolves.toMatchObject({
    isPaid: true,
    isCancelled: false,
    articles: [{ supplierVariantId: MUG!.sku.skuId, units: 2 }],
  });
  await closeByHand(first!);
  await expect(status()).resolves.toMatchObject({ status: 'cancelled', parcels: [] });
  await expect(adapter.preparePayment(both, never)).resolves.toMatchObject({ state: 'cancelled' });
});

test('a closed order is cancelled or delivered by what ended it', async () => {
  await turn({ payTimeoutMs: 1 });
  const unpaid = await givenOrder();
  const seen = await eventually(() => seenAs('cancelled', unpaid));
  expect(seen?.evidence).toMatchObject({ orderStatus: 'FINISH' });
  await expect(adapter.preparePayment(unpaid, never)).resolves.toMatchObject({ state: 'cancelled' });
  await expect(adapter.read(unpaid.supplierReference, never)).resolves.toMatchObject({ isCancelled: true });
});

test('parts that are sent one after the other are parcels with the pieces that they hold', async () => {
  await turn({ parcels: 2 }, { ...STILL, processMs: 0, shipMs: 0 });
  const request = anOrder({ lines: [{ ...article(MUG, 4), lineId: 'line-1' }] });
  const line = { lineId: 'line-1', supplierVariantId: MUG!.sku.skuId };
  const { supplierReference } = await givenOrder(request);
  const look = async (lines: OrderKey['lines'] = [line]) =>
    (await adapter.status([{ supplierReference, callerRef: request.callerRef, lines }], never)).get(
      supplierReference,
    );
  await payByHand(supplierReference);
  await showStatus(supplierReference, 'SELLER_PART_SEND_GOODS');
  const parcels = [
    { trackingNumber: expect.stringMatching(/^AP/), units: { 'line-1': 2 } },
    { trackingNumber: expect.stringMatching(/^LP/), units: { 'line-1': 2 } },
  ];
  await expect(look()).resolves.toMatchObject({ status: 'processing', parcels });
  // What each holds cannot be told without the lines: then the first would pass for the whole order.
  await expect(look([])).resolves.toMatchObject({ status: 'processing', parcels: [] });
  await showStatus(supplierReference, null);
  await expect(look()).resolves.toMatchObject({ status: 'shipped', parcels });
  // The same where all is sent: nobody is told of a parcel whose contents nobody knows.
  await expect(look([])).resolves.toMatchObject({ status: 'shipped', parcels: [] });
});

test('the only parcel of each of several orders holds what its order does, also without its carrier’s word', async () => {
  await turn({}, { ...AT_ONCE, transitMs: 60_000 });
  const wanted = [
    { ...article(MUG, 2), lineId: 'mugs' },
    { ...article(CABLE, 3), lineId: 'cables' },
  ];
  const orders: string[] = [];
  for (const line of wanted) {
    const { supplierReference } = await givenOrder(anOrder({ lines: [line] }));
    await payByHand(supplierReference);
    orders.push(supplierReference);
  }
  await givenFaults(world, {
    operation: 'aliexpress.tracking',
    kind: 'refusal_before',
    code: '1001',
    times: 2,
  });
  const supplierReference = orders.join(',');
  const key = { supplierReference, callerRef: 'sup_ord_both', lines: wanted };
  expect((await adapter.status([key], never)).get(supplierReference)).toMatchObject({
    status: 'shipped',
    parcels: [{ units: { mugs: 2 } }, { units: { cables: 3 } }],
  });
});

test('several parcels of which nobody knows the contents are told of once all have arrived', async () => {
  await turn({ parcels: 2 }, AT_ONCE);
  const key = await givenOrder(anOrder({ lines: [{ ...article(MUG, 4), lineId: 'line-1' }] }));
  await payByHand(key.supplierReference);
  const arrived = await eventually(() => seenAs('delivered', key));
  expect(arrived?.parcels).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
});

test.each([
  ['IN_ISSUE', 'operator', 'processing', /dispute/],
  ['IN_FROZEN', 'supplier_rejected', 'processing', /frozen/],
  ['IN_CANCEL', 'operator', 'processing', /cancellation/],
  ['SOMETHING_NEW', 'operator', null, /nobody knows/],
])('an order that is %s says what a person has to see to', async (orderStatus, reason, status, cause) => {
  const key = await givenOrder();
  const { supplierReference } = key;
  await payByHand(supplierReference);
  const paid = await seenAs('processing', key);
  expect(paid).not.toHaveProperty('attention');
  await showStatus(supplierReference, orderStatus);
  const look = async () => (await adapter.status([key], never)).get(supplierReference);
  const attention = {
    reason,
    evidence: { supplierReference, orderStatus, cause: expect.stringMatching(cause) },
  };
  expect(await look()).toMatchObject({ status, parcels: [], attention });
  // The facts are the same as long as the state is.
  expect((await look())?.attention).toEqual((await look())?.attention);
});

test('orders that are not there are left out, and a failing one does not hide the others', async () => {
  const nobody = { supplierReference: '8190009999999999', callerRef: 'sup_ord_nobody' };
  const [one, other] = [await givenOrder(), await givenOrder()];
  const wanted = [one.supplierReference, other.supplierReference];
  expect([...(await adapter.status([one, nobody, other], never)).keys()]).toEqual(wanted);
  await expect(adapter.status([nobody], never)).resolves.toEqual(new Map());
  await expect(adapter.status([], never)).resolves.toEqual(new Map());
  await expect(adapter.read(nobody.supplierReference, never)).resolves.toBeNull();
  await expect(adapter.read('no number', never)).resolves.toBeNull();
  await expect(adapter.preparePayment(nobody, never)).rejects.toMatchObject(
    failure('transient', { notYet: 'visible' }),
  );

  const failing: typeof fetch = async (input, init) =>
    String(init?.body).includes(other.supplierReference)
      ? new Response('', { status: 500 })
      : fetch(input, init);
  const half = anAdapter({ send: byFetch(failing) });
  expect([...(await half.status([one, other], never)).keys()]).toEqual([one.supplierReference]);
  await expect(half.status([other], never)).rejects.toMatchObject(failure('transient'));
  const many = Array.from({ length: 9 }, () => one);
  await expect(adapter.status(many, never)).rejects.toMatchObject(failure('invalid_input'));
});

test('a parcel on its way is not told about without its carrier’s word, unless there is none', async () => {
  await turn({}, { ...AT_ONCE, transitMs: 60_000 });
  const key = await givenOrder();
  await payByHand(key.supplierReference);
  const tracking = { operation: 'aliexpress.tracking', times: 1 };
  await givenFaults(world, { ...tracking, kind: 'error_before' });
  await expect(adapter.status([key], never)).rejects.toMatchObject(failure('transient'));
  await givenFaults(world, { ...tracking, kind: 'refusal_before', code: '1001' });
  expect((await adapter.status([key], never)).get(key.supplierReference)).toMatchObject({
    status: 'shipped',
    parcels: [{ state: 'announced', carrier: 'CAINIAO_STANDARD' }],
  });
});

test('what AliExpress has no call for is refused without asking', async () => {
  const { lookUp, pay, cancel, registerPush } = adapter;
  const key = { supplierReference: '8190000000000001', callerRef: 'sup_ord_x' };
  const refusal = failure('permanent', { sent: false });
  await expect(lookUp('sup_ord_x', never)).rejects.toMatchObject(refusal);
  await expect(pay('8190000000000001', never)).rejects.toMatchObject(refusal);
  await expect(cancel(key, never)).rejects.toMatchObject(refusal);
  await expect(registerPush('https://shop.example/push', never)).rejects.toMatchObject(refusal);
  expect(adapter.capabilities).toEqual({
    looksUpByReference: false,
    repeatableForMs: 82_800_000,
    payment: 'by_hand',
    statusBatchSize: 8,
    cancelsBeforePayment: false,
    combinesLines: false,
    pushes: 'by_hand',
    hasWarehouses: false,
  });
});

test('a consent brings a pair that is kept and that calls are made with', async () => {
  const tokens = await aConnectedStore();
  const pair = await tokens.read();
  expect(Date.parse(pair!.accessExpiresAt)).toBeGreaterThan(Date.now());
  expect(Date.parse(pair!.refreshExpiresAt)).toBeGreaterThan(Date.parse(pair!.accessExpiresAt));
  await expect(anAdapter({ accessToken: undefined, tokens }).place(anOrder(), never)).resolves.toBeDefined();
});

test('a code is good once, and a code that is not says how to get another', async () => {
  const code = await aCode();
  const tokens = memoryTokens();
  await connect({ ...options(), tokens }, code, never);
  await expect(connect({ ...options(), tokens }, code, never)).rejects.toMatchObject(
    failure('auth', { code: 'InvalidCode', mend: 'run npm run aliexpress:connect' }),
  );
  expect((await tokens.read())?.refreshToken).toMatch(/^50001/);
});

test.each([true, false])(
  'an expired token is refreshed once by all who share it, whether or not the reply repeats the refresh token: %s',
  async (isRefreshTokenRepeated) => {
    // Ending the tokens ends the ready one of its world too.
    const own = await givenWorld();
    await control(own, 'PUT', '/settings', { aliexpress: { isRefreshTokenRepeated } });
    const tokens = await aConnectedStore(own.origin);
    const first = await tokens.read();
    const copies = [1, 2, 3].map(() => anAdapter({ baseUrl: own.origin, accessToken: undefined, tokens }));
    await copies[0]!.search({ query: 'mug', page: 1, limit: 5, countryCode: 'US' }, never);
    await control(own, 'POST', '/aliexpress/tokens/expire');
    const request = anOrder();
    await Promise.all([
      copies[0]!.place(request, never),
      copies[1]!.search({ query: 'mug', page: 1, limit: 5, countryCode: 'US' }, never),
      copies[2]!.search({ query: 'mug', page: 1, limit: 5, countryCode: 'US' }, never),
    ]);
    const { calls, purchases } = await ledgerOf(own);
    expect(calls['aliexpress.refreshToken']).toBe(1);
    expect(purchases).toMatchObject([{ orderNumber: request.callerRef, orders: [{}] }]);
    const second = await tokens.read();
    expect(second).toMatchObject({
      refreshToken: first!.refreshToken,
      refreshExpiresAt: first!.refreshExpiresAt,
    });
    expect(second!.accessToken).not.toBe(first!.accessToken);
  },
);

test('when the consent has ended, the error names the command, and AliExpress is asked once', async () => {
  const tokens = await aConnectedStore();
  await tokens.renew(async (pair) => ({
    ...pair!,
    accessExpiresAt: '2020-01-01T00:00:00.000Z',
    refreshToken: 'ended',
  }));
  const stranger = anAdapter({ accessToken: undefined, tokens });
  const before = await callsOf('refreshToken');
  const ended = failure('auth', { mend: 'run npm run aliexpress:connect', sent: false });
  await expect(stranger.place(anOrder(), never)).rejects.toMatchObject(ended);
  await expect(stranger.place(anOrder(), never)).rejects.toMatchObject(ended);
  expect(await callsOf('refreshToken')).toBe(before + 1);
  await connect({ ...options(), tokens }, await aCode(), never);
  await expect(stranger.place(anOrder(), never)).resolves.toBeDefined();
});

test('without a consent, with a ready token that is rejected or with a wrong secret, a person is told what to do', async () => {
  const ask = (by: SupplierAdapter) =>
    by.search({ query: 'mug', page: 1, limit: 5, countryCode: 'US' }, never);
  await expect(ask(anAdapter({ accessToken: undefined }))).rejects.toMatchObject(
    failure('auth', { mend: 'run npm run aliexpress:connect', sent: false }),
  );
  await expect(ask(anAdapter({ accessToken: 'dead' }))).rejects.toMatchObject(
    failure('auth', { problem: 'ALIEXPRESS_ACCESS_TOKEN was rejected' }),
  );
  await expect(ask(anAdapter({ appSecret: 'wrong' }))).rejects.toMatchObject(
    failure('auth', { code: 'IncompleteSignature', mend: 'check ALIEXPRESS_API_KEY and ALIEXPRESS_SECRET' }),
  );
});

test.each([26, -9])(
  'a machine whose clock is %i hours ahead is let in by the hour that AliExpress names, and buys once',
  async (hours) => {
    await turn({ clockAheadMs: -hours * 3_600_000 });
    const request = anOrder();
    await expect(adapter.place(request, never)).resolves.toMatchObject({ isPaid: false });
    // Once the clock is set, too.
    await turn({});
    await expect(adapter.place(anOrder(), never)).resolves.toMatchObject({ isPaid: false });
    expect(await bought(request.callerRef)).toHaveLength(1);
  },
);

test('a clock that is too far off is named where no answer tells the right one', async () => {
  await turn({ clockAheadMs: 3 * 3_600_000 });
  const undated = anAdapter({
    send: async (request) => {
      const { headers, ...answer } = await sendOnce(request);
      return { ...answer, headers: { ...headers, date: undefined } };
    },
  });
  const mend = 'set the clock of the machine that the service suppliers runs on';
  await expect(undated.place(anOrder(), never)).rejects.toMatchObject(
    failure('auth', { code: 'IllegalTimestamp', mend }),
  );
});

test('calls of one process go one after another, and leave is asked before each', async () => {
  const strict = await givenWorld();
  await control(strict, 'PUT', '/settings', { aliexpress: { isParallelAllowed: false } });
  const asked: string[] = [];
  const counted = anAdapter({
    baseUrl: strict.origin,
    reserve: async ({ priority }) => {
      asked.push(priority);
    },
  });
  await Promise.all([
    counted.place(anOrder(), never),
    counted.place(anOrder(), never),
    counted.search({ query: 'mug', page: 1, limit: 5, countryCode: 'US' }, never),
  ]);
  // Product and freight, which both buy after, once; each its own order, and its look at it.
  expect(asked.toSorted()).toEqual([...Array.from({ length: 6 }, () => 'purchase'), 'query']);
  expect(reports).toEqual([]);
});

test('who gives up waiting for a turn has sent nothing, and the others go on', async () => {
  await givenFaults(world, { operation: 'aliexpress.search', kind: 'slow', delayMs: 500, times: 1 });
  const search = { query: 'mug', page: 1, limit: 5, countryCode: 'US' };
  const slow = adapter.search(search, never);
  const stop = new AbortController();
  const impatient = adapter.place(anOrder(), stop.signal);
  const patient = adapter.search(search, never);
  stop.abort();
  await expect(impatient).rejects.toMatchObject(failure('transient', { sent: false }));
  await expect(slow).resolves.toMatchObject({ total: 2 });
  await expect(patient).resolves.toMatchObject({ total: 2 });
});

test('a ban is throttled, has bought nothing and is told to all copies with its end', async () => {
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'rate_limit', times: 1 });
  const request = anOrder();
  const before = Date.now();
  await expect(adapter.place(request, never)).rejects.toMatchObject(failure('throttled'));
  expect(await bought(request.callerRef)).toEqual([]);
  expect(reports).toHaveLength(1);
  const until = Date.parse(reports[0]?.pausedUntil ?? '');
  expect(until).toBeGreaterThanOrEqual(before + 1_000);
  expect(until).toBeLessThan(Date.now() + 1_001);
});

test('a ban that names no end is told as well', async () => {
  const refusal = { kind: 'refusal_before', code: 'ApiCallLimit', times: 1 };
  await givenFaults(world, { operation: 'aliexpress.createOrder', ...refusal });
  const before = Date.now();
  await expect(adapter.place(anOrder(), never)).rejects.toMatchObject(failure('throttled'));
  expect(reports).toHaveLength(1);
  expect(Date.parse(reports[0]?.pausedUntil ?? '')).toBeGreaterThanOrEqual(before + 1_000);
});

test('a ban whose report fails is throttled all the same', async () => {
  await givenFaults(world, { operation: 'aliexpress.createOrder', kind: 'rate_limit', times: 1 });
  const silent = anAdapter({ report: () => Promise.reject(new Error('no database')) });
  await expect(silent.place(anOrder(), never)).rejects.toMatchObject(failure('throttled'));
});

test('a server that is not there is passing even for a purchase', async () => {
  const gone = await startSandbox({ credentials: CREDENTIALS });
  await gone.stop();
  await expect(anAdapter({ baseUrl: gone.origin }).place(anOrder(), never)).rejects.toMatchObject(
    failure('transient', { sent: false }),
  );
});

test('pushes of the sandbox are news about the order, a try of the address is answered', async () => {
  const taken = vi.fn<(kind: string, references: readonly string[]) => void>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const headers = { authorization: String(request.headers.authorization) };
    const push = await adapter.readPush({ headers, body });
    taken(push.kind, push.kind === 'news' ? push.references : []);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await control(world, 'PUT', '/aliexpress/push', { url: null });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await control(world, 'PUT', '/aliexpress/push', { url: `http://127.0.0.1:${port}/push` });
  await control(world, 'POST', '/aliexpress/push/probe');
  expect(taken).toHaveBeenCalledWith('probe', []);
  const { supplierReference } = await givenOrder();
  await vi.waitFor(() => expect(taken).toHaveBeenCalledWith('news', [supplierReference]), {
    timeout: 60_000,
  });
});
