import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { yes } from '../../contracts/requests/request.ts';
import { SUGGEST_CANDIDATES } from '../../contracts/requests/suggest-candidates.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import {
  ImportReport,
  type MappingSuggestions,
  ProductMapping,
  ProductMappingList,
} from '../../contracts/resources/product-mapping.ts';
import { openBus } from '../../services/bus/bus.ts';
import { answering } from '../../services/bus/requests.ts';
import type { Store } from '../../services/store/store.ts';
import { aGateway, type Gateway } from '../fixtures/a-gateway.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { aCandidate } from '../fixtures/shelves.ts';

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());

async function given(gateway: Gateway, variantId: string, body: object): Promise<ProductMapping> {
  const response = await gateway.send('PUT', `/product-mappings/${variantId}`, body);
  expect(response.status).toBe(200);
  return ProductMapping.parse(await response.json());
}

async function listed({ call }: Gateway, query = ''): Promise<ProductMappingList> {
  const response = await call(`/product-mappings${query}`);
  expect(response.status).toBe(200);
  return ProductMappingList.parse(await response.json());
}
const variantsOf = ({ items }: ProductMappingList): string[] => items.map(({ variantId }) => variantId);

const sent = (text: string, type: string): RequestInit => ({
  method: 'POST',
  body: text,
  headers: { 'content-type': type },
});
const CSV = 'text/csv; charset=utf-8';

async function imported({ call }: Gateway, text: string, type: string, query = ''): Promise<ImportReport> {
  const response = await call(`/product-mappings/import${query}`, sent(text, type));
  expect(response.status).toBe(200);
  return ImportReport.parse(await response.json());
}

const BUNDLE = aCandidate('base', {
  bundledWith: [{ supplierProductId: 'p-shade', supplierVariantId: 'shade', unitsPerItem: 2 }],
  seen: { optionLabels: ['Color: Red'], unitPriceMinor: 510, currency: 'USD' },
  countries: ['US'],
  shippingMethod: 'Post',
});

test('a mapping is put, listed by page and by what it names, and deleted', async () => {
  const gateway = await aGateway(nats.url);
  const put = await given(gateway, '502', { sku: 'LAMP', candidates: [BUNDLE] });
  expect(put).toMatchObject({ variantId: '502', sku: 'LAMP', candidates: [BUNDLE] });
  await given(gateway, '501', { candidates: [aCandidate('v1', { supplier: 'aliexpress' })] });
  await given(gateway, '503', { candidates: [aCandidate('v1')] });

  const first = await listed(gateway, '?limit=2');
  expect(variantsOf(first)).toEqual(['501', '502']);
  const second = await listed(gateway, `?limit=2&cursor=${first.nextCursor}`);
  expect([variantsOf(second), second.nextCursor]).toEqual([['503'], null]);
  expect(variantsOf(await listed(gateway, '?supplier=cj_dropshipping'))).toEqual(['502', '503']);
  expect(variantsOf(await listed(gateway, '?supplierProductId=p-shade'))).toEqual(['502']);
  expect(variantsOf(await listed(gateway, '?supplierProductId=p-v1&supplier=aliexpress'))).toEqual(['501']);
  expect(variantsOf(await listed(gateway, '?sku=LAMP'))).toEqual(['502']);
  for (const query of ['?cursor=nonsense', '?supplier=nobody', '?color=red'])
    expect((await gateway.call(`/product-mappings${query}`)).status).toBe(422);

  const path = '/product-mappings/502';
  expect((await gateway.call(path, { method: 'DELETE' })).status).toBe(204);
  for (const method of ['DELETE', 'GET']) expect((await gateway.call(path, { method })).status).toBe(404);
});

test('a mapping put without a SKU keeps the one that it has', async () => {
  const gateway = await aGateway(nats.url);
  await given(gateway, '501', { sku: 'LAMP', candidates: [aCandidate('v1')] });
  expect(await given(gateway, '501', { candidates: [aCandidate('v2')] })).toMatchObject({ sku: 'LAMP' });
});

test('a mapping stored before bundles were known is shown with what it means now', async () => {
  const gateway = await aGateway(nats.url);
  const old = { supplier: 'cj_dropshipping', supplierProductId: 'p-v1', supplierVariantId: 'v1' };
  const stored = { ...old, unitsPerItem: 1, countries: [], shipsFrom: 'CN', priority: 1 };
  await gateway.context.store.run(
    'insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())',
    ['501', JSON.stringify([stored])],
  );
  expect(await (await gateway.call('/product-mappings/501')).json()).toMatchObject({
    sku: null,
    candidates: [aCandidate('v1')],
  });
});

test('a CSV file that the database cannot hold is refused', async () => {
  const gateway = await aGateway(nats.url);
  const body = 'variantId,sku,supplier,supplierProductId,supplierVariantId\n77,a\0b,cj_dropshipping,1,2\n';
  for (const dryRun of [true, false]) {
    const path = `/product-mappings/import?dryRun=${dryRun}`;
    const answer = await gateway.call(path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/csv' },
    });
    expect(answer.status).toBe(422);
  }
});

test.each(['csv', 'json'])('what is exported as %s is imported unchanged', async (format) => {
  const gateway = await aGateway(nats.url);
  await given(gateway, '501', {
    sku: 'LAMP, "moon"',
    candidates: [BUNDLE, aCandidate('v2', { priority: 2 })],
  });
  await given(gateway, '502', { candidates: [aCandidate('14:193#Black;5:1', { supplier: 'aliexpress' })] });
  const response = await gateway.call(`/product-mappings/export?format=${format}`);
  const type = response.headers.get('content-type') ?? '';
  expect(type).toContain(format);
  const text = await response.text();
  const before = (await listed(gateway)).items.map(({ updatedAt: _, ...mapping }) => mapping);

  await gateway.context.store.run('delete from product_mappings');
  expect(await imported(gateway, text, type)).toEqual({
    dryRun: false,
    mappings: 2,
    candidates: 3,
    problems: [],
  });
  expect((await listed(gateway)).items.map(({ updatedAt: _, ...mapping }) => mapping)).toEqual(before);
  const again = await gateway.call('/product-mappings/export', { headers: { accept: type } });
  expect(await again.text()).toBe(text);
});

test('an export without mappings is a file that can be imported', async () => {
  const gateway = await aGateway(nats.url);
  const csv = await (await gateway.call('/product-mappings/export?format=csv')).text();
  expect(csv).toMatch(/^variantId,sku,supplier,/);
  const json = await (await gateway.call('/product-mappings/export')).text();
  for (const [text, type] of [
    [csv, CSV],
    [json, 'application/json'],
  ] as const)
    expect(await imported(gateway, text, type)).toMatchObject({ mappings: 0, problems: [] });
});

const HALF_BROKEN = [
  'variantId,supplier,supplierProductId,supplierVariantId,unitsPerItem',
  '501,cj_dropshipping,p,v,1',
  '502,cj_dropshipping,p,,0',
  'lamp,cj_dropshipping,p,v,1',
].join('\n');

test('a dry run lists the problems of every row and stores nothing', async () => {
  const gateway = await aGateway(nats.url);
  const report = await imported(gateway, HALF_BROKEN, CSV, '?dryRun=true');
  expect(report.problems.map(({ row, field }) => [row, field])).toEqual([
    [3, 'supplierVariantId'],
    [3, 'unitsPerItem'],
    [4, 'variantId'],
  ]);
  expect((await listed(gateway)).items).toEqual([]);
  const fine = HALF_BROKEN.split('\n').slice(0, 2).join('\n');
  expect(await imported(gateway, fine, CSV, '?dryRun=true')).toMatchObject({ mappings: 1, problems: [] });
  expect((await listed(gateway)).items).toEqual([]);
});

test('a file with a problem is refused as a whole, with each row that has one', async () => {
  const gateway = await aGateway(nats.url);
  const response = await gateway.call('/product-mappings/import', sent(HALF_BROKEN, CSV));
  expect(response.status).toBe(422);
  const { code, errors } = Problem.parse(await response.json());
  expect([code, errors?.map(({ path }) => path)]).toEqual([
    'body_invalid',
    ['row 3: supplierVariantId', 'row 3: unitsPerItem', 'row 4: variantId'],
  ]);
  expect((await listed(gateway)).items).toEqual([]);
  const other = await gateway.call('/product-mappings/import', sent(HALF_BROKEN, 'text/plain'));
  expect(other.status).toBe(415);
});

const Said = z.object({
  data: z.object({
    reason: z.string(),
    lineIds: z.array(z.string()).optional(),
    holdId: z.string().optional(),
  }),
});

/** Holds that were asked to be released. */
async function releases(store: Store): Promise<string[]> {
  const rows = await store.query<{ payload: string }>(
    "select payload from outbox where subject like '%order.release_requested%' order by message_id",
  );
  return rows.map(({ payload }) => {
    const { data } = Said.parse(JSON.parse(payload));
    return `${data.reason} ${data.lineIds ?? data.holdId}`;
  });
}

test('an import lets every line go on whose hold a mapping can mend', async () => {
  const gateway = await aGateway(nats.url);
  const { store } = gateway.context;
  const reasons = ['mapping_changed', 'not_shippable', 'out_of_stock', 'phone_invalid', 'unmapped_line'];
  for (const [index, reason] of reasons.entries()) {
    await store.run(
      `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
       values ('ord_1', $1, 0, '501', 'Lamp', 100)`,
      [`L${index}`],
    );
    await store.run(
      `insert into holds (id, order_id, reason, line_id, evidence) values ($1, 'ord_1', $2, $1, '{}')`,
      [`L${index}`, reason],
    );
  }
  await imported(gateway, HALF_BROKEN.split('\n').slice(0, 2).join('\n'), CSV);
  expect((await releases(store)).sort()).toEqual([
    'mapping_changed L0',
    'not_shippable L1',
    'out_of_stock L2',
    'unmapped_line L4',
  ]);
});

test('a mapping lets go on what a supplier refused when it was bought, and no draft, which keeps its articles', async () => {
  const gateway = await aGateway(nats.url);
  const { store } = gateway.context;
  await store.run(
    `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
     values ('ord_1', 'L1', 0, '501', 'Lamp', 100)`,
  );
  for (const state of ['rejected', 'draft']) {
    await store.run(
      `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                    expected_cost_minor, currency)
       values ($1, 'ord_1', 'cj_dropshipping', $1, '{}', '', 'CN', 1, 'USD')`,
      [state],
    );
    for (const article of ['lamp', 'bulb'])
      await store.run(
        `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id,
                                           supplier_units)
         values ($1, 'L1', 1, 'p', $2, 1)`,
        [state, article],
      );
    await store.run(
      `insert into holds (id, order_id, reason, supplier_order_id, evidence)
       values ($1, 'ord_1', 'out_of_stock', $2, '{}')`,
      [`hld_${state}`, state],
    );
  }
  await given(gateway, '501', { candidates: [aCandidate('new')] });
  expect(await releases(store)).toEqual(['out_of_stock hld_rejected']);
});

test('suggestions are the candidates of other mappings of the SKU, and what suppliers sell under it', async () => {
  const gateway = await aGateway(nats.url);
  const found: MappingSuggestions = {
    sku: 'LAMP',
    suggestions: [{ candidate: aCandidate('v9'), fromVariantId: null, title: 'Moon lamp' }],
    unanswered: [{ supplier: 'aliexpress', message: 'aliexpress is not set up here' }],
  };
  const bus = await openBus(nats.url, 'suppliers');
  onTestFinished(() => bus.close());
  const asked: unknown[] = [];
  const server = bus.serveRequests(
    'suppliers',
    [
      answering(SUGGEST_CANDIDATES, async (request) => {
        asked.push(request);
        return yes(found);
      }),
    ],
    () => {},
  );
  onTestFinished(() => server.stop());
  // The server knows of the subscription once it has answered something behind it.
  await bus.setUp(1);
  await given(gateway, '501', { sku: 'LAMP', candidates: [BUNDLE] });
  const response = await gateway.call('/product-mappings/suggestions?sku=LAMP&country=DE');
  expect(await response.json()).toEqual({
    ...found,
    suggestions: [{ candidate: BUNDLE, fromVariantId: '501', title: null }, ...found.suggestions],
  });
  expect(asked).toEqual([{ sku: 'LAMP', country: 'DE' }]);
});
