import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { Article, SupplierAdapter } from '../../services/suppliers/adapter.ts';
import type { QuotaReport } from '../../services/suppliers/adapter-parts.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import {
  aCjOrder,
  answering,
  cjAdapter,
  ledgerOf,
  NOT_SERVED,
  never,
  PLAIN_SETTINGS,
  put,
  startCjWorld,
} from '../fixtures/cj-world.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const [LAMP, MUG, , , TENT] = CATALOGUE;
const SHIRT = '2601010000000000050';
const SHIRTS = ['2602020000000000051', '2602020000000000052', '2602020000000000053', '2602020000000000054'];
const IN_STOCK = { priceMinor: 690, stock: 50_000, isOnSale: true };

let sandbox: Sandbox;
const reports: QuotaReport[] = [];
const anAdapter = (fetching: typeof fetch = fetch): SupplierAdapter =>
  cjAdapter(sandbox, memoryTokens(), {
    report: async (report) => {
      reports.push(report);
    },
    send: byFetch(fetching),
  });
let cj: SupplierAdapter;

beforeAll(async () => {
  sandbox = await startCjWorld();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  cj = anAdapter();
  reports.length = 0;
  await put(sandbox, 'faults', []);
  await put(sandbox, 'settings', PLAIN_SETTINGS);
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, IN_STOCK);
});

/** Several of these for one path; the last part of the path names it. */
const notServing = (...paths: string[]): typeof fetch =>
  paths.reduce<typeof fetch>(
    (inner, path) => async (input, init) => {
      const isRefused = new URL(String(input)).pathname.endsWith(path);
      return isRefused ? Response.json(NOT_SERVED) : inner(input, init);
    },
    fetch,
  );

/** How often each call of goods was made. */
async function callsDuring(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = (await ledgerOf(sandbox)).calls;
  await act();
  const names = ['product', 'variant', 'inventory', 'stock', 'freightCalculate'];
  const { calls } = await ledgerOf(sandbox);
  return Object.fromEntries(
    names.flatMap((name) => {
      const made = (calls[`cj.${name}`] ?? 0) - (before[`cj.${name}`] ?? 0);
      return made === 0 ? [] : [[name, made]];
    }),
  );
}

const one = (article = LAMP!, units = 1): Article => ({
  supplierProductId: article.supplierProductId,
  supplierVariantId: article.supplierVariantId,
  units,
});
const shirt = (index: number, units = 1): Article => ({
  supplierProductId: SHIRT,
  supplierVariantId: SHIRTS[index]!,
  units,
});

const quoteFor = (countryCode: string, articles: readonly Article[], shipsFrom = 'CN', adapter = cj) =>
  adapter.quote({ destination: { countryCode, zip: '69003' }, shipsFrom, articles }, never);

const search = (query: string, changes = {}, adapter = cj) =>
  adapter.search({ query, page: 1, limit: 10, countryCode: 'FR', ...changes }, never);

test('a search finds products by words, with the price of their variants as a range', async () => {
  await expect(search('cotton')).resolves.toEqual({
    items: [
      {
        supplier: 'cj_dropshipping',
        id: SHIRT,
        title: 'Cotton shirt',
        price: { minMinor: 560, maxMinor: 590, currency: 'USD' },
        imageUrl: expect.stringContaining('https://'),
        stock: 350_000,
      },
    ],
    page: 1,
    limit: 10,
    total: 1,
  });
});

test('a search is answered page by page, and with nothing where nothing matches', async () => {
  const [first, second] = [await search('mug', { limit: 1 }), await search('mug', { limit: 1, page: 2 })];
  expect([first.total, second.total]).toEqual([2, 2]);
  expect([first.items[0]?.id, second.items[0]?.id]).toEqual(
    CATALOGUE.slice(1, 3).map(({ supplierProductId }) => supplierProductId),
  );
  await expect(search('unicorn')).resolves.toMatchObject({ items: [], total: 0 });
});

test('where CJ serves the older list only, the search tells the same', async () => {
  const { items } = await search('cotton', {}, anAdapter(notServing('/listV2')));
  const stock = null; // The older list does not count.
  expect(items).toEqual((await search('cotton')).items.map((item) => ({ ...item, stock })));
});

test('a product shows variants, options, stock and carriers of each country that has it', async () => {
  const product = await cj.product({ supplierProductId: SHIRT, countryCode: 'DE' }, never);
  expect(product).toMatchObject({
    supplier: 'cj_dropshipping',
    id: SHIRT,
    title: 'Cotton shirt',
    price: { minMinor: 560, maxMinor: 590, currency: 'USD' },
    stock: 350_000,
    shipsFrom: ['CN', 'DE'],
    country: 'DE',
    deliveryDays: { min: 1, max: 25 },
  });
  expect(product.imageUrls).toHaveLength(4);
  expect(product.variants.map(({ options }) => options.map(({ value }) => value))).toEqual([
    ['Red', 'S'],
    ['Red', 'L'],
    ['Blue', 'S'],
    ['Blue', 'L'],
  ]);
  expect(product.variants[3]).toEqual({
    id: SHIRTS[3],
    sku: 'CJSHIRT401AZ',
    title: 'Cotton shirt Blue L',
    options: [
      { name: 'Color', value: 'Blue' },
      { name: 'Size', value: 'L' },
    ],
    priceMinor: 590,
    currency: 'USD',
    imageUrl: expect.any(String),
    stock: [{ country: 'CN', units: 50_000 }],
  });
  const methods = (from: string) =>
    product.shippingOptions.filter(({ shipsFrom }) => shipsFrom === from).map(({ method }) => method);
  expect(methods('DE')).toEqual(['DHL Paket', 'DHL Warenpost']);
  expect(methods('CN')[0]).toBe('CJPacket Ordinary');
});

test('the days until dispatch come before those of the carrier where CJ names them', async () => {
  const adapter = anAdapter(
    answering('/product/query', (data) => ({ data: { ...(data as object), deliveryCycle: '3-5' } })),
  );
  const product = await adapter.product(
    { supplierProductId: LAMP!.supplierProductId, countryCode: 'FR' },
    never,
  );
  const ordinary = product.shippingOptions.find(({ method }) => method === 'CJPacket Ordinary');
  expect(ordinary?.deliveryDays).toEqual({ min: 10, max: 17 });
});

test('a product is found by CJ’s SKU too', async () => {
  await expect(cj.product({ supplierProductId: 'CJSHIRT', countryCode: 'US' }, never)).resolves.toMatchObject(
    { id: SHIRT },
  );
});

test('a product that nobody knows is not_found', async () => {
  await expect(cj.product({ supplierProductId: '1', countryCode: 'US' }, never)).rejects.toMatchObject({
    failureClass: 'not_found',
  });
});

test('a product without a word about its stock has no carriers and stock that nobody knows', async () => {
  const adapter = anAdapter(notServing('/getInventoryByPid'));
  await expect(
    adapter.product({ supplierProductId: SHIRT, countryCode: 'DE' }, never),
  ).resolves.toMatchObject({
    stock: null,
    shipsFrom: [],
    deliveryDays: null,
    shippingOptions: [],
    variants: [{ stock: [] }, { stock: [] }, { stock: [] }, { stock: [] }],
  });
});

test('a quote prices the goods and sorts the options by what they cost in all', async () => {
  const quote = await quoteFor('FR', aCjOrder().lines);
  expect(quote).toMatchObject({ currency: 'USD', goodsMinor: 690 + 2 * 410 });
  const [cheapest] = quote.options;
  expect(quote.options.map(({ costMinor }) => costMinor)).toEqual(
    quote.options.map(({ costMinor }) => costMinor).sort((a, b) => a - b),
  );
  // The option with the lowest price before tax and clearance is the bait.
  expect(cheapest).toMatchObject({ shippingMethod: 'CJPacket Ordinary', deliveryDays: { min: 7, max: 12 } });
});

test('quotes of one article at the same moment share its reading, and freight too where it goes the same way', async () => {
  const calls = await callsDuring(async () => {
    const countries = ['FR', 'FR', 'FR', 'DE'];
    const quotes = await Promise.all(countries.map((country) => quoteFor(country, [one()])));
    expect(quotes.map(({ goodsMinor }) => goodsMinor)).toEqual([690, 690, 690, 690]);
  });
  expect(calls.freightCalculate).toBe(2);
  expect(calls.product).toBeLessThanOrEqual(2);
  expect(calls.inventory).toBeLessThanOrEqual(2);
});

test.each([
  ['once is asked for again', 1],
  ['twice is as good as none: it would be asked for until the points are used up', 2],
])('freight that CJ cannot reckon %s', async (_, failures) => {
  let asked = 0;
  const failing: typeof fetch = async (input, init) => {
    if (!new URL(String(input)).pathname.endsWith('freightCalculate')) return fetch(input, init);
    asked += 1;
    if (asked > failures) return fetch(input, init);
    return Response.json({ code: 1607004, result: false, message: 'Freight calculation failed', data: null });
  };
  const patient = withPolicy(anAdapter(failing), { callTimeoutMs: 10_000, halfOpenAfterMs: 1_000 });
  const wanted = { shipsFrom: 'CN', destination: { countryCode: 'FR', zip: '' }, articles: [one()] };
  const quote = patient.quote(wanted, never);
  if (failures === 1) await expect(quote).resolves.toMatchObject({ goodsMinor: 690 });
  else
    await expect(quote).rejects.toMatchObject({ failureClass: 'not_shippable', evidence: { code: 1607004 } });
  expect(asked).toBe(2);
});

test('a quote shows its articles as they are, for one product read and one stock read each product', async () => {
  const articles = [shirt(0), shirt(1, 2), shirt(1), one()];
  const calls = await callsDuring(async () => {
    const quote = await quoteFor('FR', articles);
    expect(quote.goodsMinor).toBe(560 + 3 * 570 + 690);
    expect([...quote.articles]).toEqual([
      [SHIRTS[0], { unitPriceMinor: 560, stock: 50_000, optionLabels: ['Color: Red', 'Size: S'] }],
      [SHIRTS[1], { unitPriceMinor: 570, stock: 50_000, optionLabels: ['Color: Red', 'Size: L'] }],
      [LAMP!.supplierVariantId, { unitPriceMinor: 690, stock: 50_000, optionLabels: ['Style: Default'] }],
    ]);
  });
  expect(calls).toEqual({ product: 2, inventory: 2, freightCalculate: 1 });
});

test('a quote has no option where nothing ships, and then asks no more', async () => {
  const calls = await callsDuring(async () => {
    await expect(quoteFor('KP', [one()])).resolves.toMatchObject({ options: [], articles: new Map() });
  });
  expect(calls).toEqual({ freightCalculate: 1 });
  await expect(quoteFor('US', [one(TENT)], 'DE')).resolves.toMatchObject({ options: [] });
});

test('a quote for a variant that is gone is not_found', async () => {
  const articles = [{ supplierProductId: '1', supplierVariantId: '2602020000000009999', units: 1 }];
  await expect(quoteFor('FR', articles)).rejects.toMatchObject({
    failureClass: 'not_found',
    evidence: { code: 1602000 },
  });
});

test('a new price counts at once', async () => {
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, { priceMinor: 777 });
  await expect(quoteFor('FR', [one(LAMP, 2)])).resolves.toMatchObject({ goodsMinor: 1_554 });
});

test('too few pieces are unavailable, counted over all lines; just enough are not', async () => {
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, { stock: 3 });
  await expect(quoteFor('FR', [one(LAMP, 2), one(LAMP, 2)])).rejects.toMatchObject({
    failureClass: 'unavailable',
    evidence: { stock: 3, units: 4, shipsFrom: 'CN' },
  });
  await expect(quoteFor('FR', [one(LAMP, 3)])).resolves.toMatchObject({ goodsMinor: 3 * 690 });
});

test.each([
  ['CJ says so', fetch],
  ['only its product tells', notServing('/queryByVid')],
])('an article off the shelf is unavailable where %s', async (_, fetching) => {
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, { isOnSale: false });
  await expect(quoteFor('FR', [one()], 'CN', anAdapter(fetching))).rejects.toMatchObject({
    failureClass: 'unavailable',
  });
});

test('a product whose status says so is off the shelf', async () => {
  const adapter = anAdapter(
    answering('/product/query', (data) => ({ data: { ...(data as object), status: 2 } })),
  );
  await expect(quoteFor('FR', [one()], 'CN', adapter)).rejects.toMatchObject({
    failureClass: 'unavailable',
    evidence: { problem: 'is off the shelf' },
  });
});

test.each([
  ['products', ['/product/query'], { variant: 1, stock: 1 }],
  ['the stock of products', ['/getInventoryByPid'], { product: 1, stock: 1 }],
  ['any stock', ['/getInventoryByPid', '/stock/queryByVid'], { product: 1 }],
])('a quote is made although CJ does not serve %s', async (_, paths, calls) => {
  const adapter = anAdapter(notServing(...paths));
  const made = await callsDuring(async () => {
    const quote = await quoteFor('FR', [one()], 'CN', adapter);
    const stock = paths.includes('/stock/queryByVid') ? null : 50_000;
    expect(quote.goodsMinor).toBe(690);
    expect(quote.articles.get(LAMP!.supplierVariantId)).toMatchObject({ unitPriceMinor: 690, stock });
  });
  expect(made).toEqual({ ...calls, freightCalculate: 1 });
});

test('a variant that CJ shows within a list is the one that was asked for', async () => {
  const misplaced = { ...one(), supplierProductId: MUG!.supplierProductId };
  const other = { vid: SHIRTS[0], variantSellPrice: 1 };
  const inList = anAdapter(answering('/variant/queryByVid', (data) => ({ data: [other, data] })));
  await expect(quoteFor('FR', [misplaced], 'CN', inList)).resolves.toMatchObject({ goodsMinor: 690 });
  const absent = anAdapter(answering('/variant/queryByVid', () => ({ data: [other] })));
  await expect(quoteFor('FR', [misplaced], 'CN', absent)).rejects.toMatchObject({
    failureClass: 'not_found',
  });
});

test('a variant whose product CJ does not show has its values without the names of their options', async () => {
  const labels = async (adapter?: SupplierAdapter) =>
    (await quoteFor('FR', [shirt(0)], 'CN', adapter)).articles.get(SHIRTS[0]!)?.optionLabels;
  expect(await labels()).toEqual(['Color: Red', 'Size: S']);
  expect(await labels(anAdapter(notServing('/product/query')))).toEqual(['Red-S']);
});

test('a variant under a foreign product is priced by itself, and is gone where CJ does not serve that', async () => {
  const misplaced = { ...one(), supplierProductId: MUG!.supplierProductId };
  await expect(quoteFor('FR', [misplaced])).resolves.toMatchObject({ goodsMinor: 690 });
  const adapter = anAdapter(notServing('/variant/queryByVid'));
  await expect(quoteFor('FR', [misplaced], 'CN', adapter)).rejects.toMatchObject({
    failureClass: 'not_found',
  });
});

test.each([
  ['http', 60],
  ['body', 70],
])('a budget of points that is used up is throttled and told, when refused by %s', async (refusal, total) => {
  await put(sandbox, 'settings', { cjPointsPerDay: total, cjPointsRefusal: refusal });
  await search('cotton');
  const remaining = total - 50;
  expect(reports.at(-1)).toEqual({ remaining, total });
  const before = Date.now();
  await expect(search('cotton')).rejects.toMatchObject({ failureClass: 'throttled' });
  expect(reports.at(-1)).toMatchObject({ remaining, total });
  expect(reports.at(-1)).not.toHaveProperty('pausedUntil');
  const pausedUntil = Date.parse(reports.at(-1)!.budgetPausedUntil!);
  expect(pausedUntil).toBeGreaterThan(before);
  // The missing points of a day come back in their share of its 1,440 minutes, at the latest at midnight.
  expect(pausedUntil).toBeLessThanOrEqual(Date.now() + ((50 - remaining) / total) * 86_400_000 + 1);
  // What costs no points goes on.
  await expect(cj.lookUp('sup_ord_nobody', never)).resolves.toEqual([]);
});

test('a call that comes too fast is told as a short pause', async () => {
  await search('mug');
  await put(sandbox, 'faults', [{ operation: 'cj.search', kind: 'rate_limit', times: 1 }]);
  const before = Date.now();
  await expect(search('mug')).rejects.toMatchObject({ failureClass: 'throttled' });
  const pause = Date.parse(reports.at(-1)!.pausedUntil!) - before;
  expect(pause).toBeGreaterThanOrEqual(1_000);
  expect(pause).toBeLessThan(30_000);
});
