import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { CATALOGUE, MAPPED_ARTICLES } from '../../deploy/sandbox/catalogue.ts';
import { hasRealBodies, REAL_BODIES, whySkipped } from '../fixtures/real-bodies.ts';

const WEBHOOKS = new URL('../../deploy/sandbox/webhooks/', import.meta.url);

/** Turns every number into the digits that stood in the text, because ids of others exceed 2^53. */
const exact = (_key: string, value: unknown, context?: { source: string }): unknown =>
  typeof value === 'number' && context !== undefined ? context.source : value;
const parseExact = (text: string): unknown => JSON.parse(text, exact);

const Money = z.object({ amount: z.string(), currency_code: z.string() });
const MoneySet = z.object({ shop_money: Money, presentment_money: Money });
const TaxLine = z.object({ title: z.string(), rate: z.string(), price_set: MoneySet });
const Address = z.object({
  address1: z.string(),
  city: z.string(),
  province_code: z.string().nullable(),
  country_code: z.string().length(2),
  company: z.string().nullable(),
  phone: z.string().min(10),
});
const Line = z.object({
  id: z.string(),
  variant_id: z.string().nullable(),
  product_id: z.string().nullable(),
  product_exists: z.boolean(),
  sku: z.string().nullable(),
  title: z.string(),
  grams: z.string(),
  quantity: z.string(),
  fulfillment_service: z.string(),
  requires_shipping: z.boolean(),
  gift_card: z.boolean(),
  price_set: MoneySet,
  properties: z.array(z.object({ name: z.string(), value: z.string() })),
  tax_lines: z.array(TaxLine),
  discount_allocations: z.array(z.object({ amount_set: MoneySet, discount_application_index: z.string() })),
});
const Order = z.object({
  id: z.string(),
  name: z.string(),
  number: z.string(),
  order_number: z.string(),
  test: z.boolean(),
  closed_at: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  currency: z.string(),
  presentment_currency: z.string(),
  customer_locale: z.string().nullable(),
  email: z.string(),
  financial_status: z.string(),
  fulfillment_status: z.string().nullable(),
  note: z.string().nullable(),
  note_attributes: z.array(z.object({ name: z.string(), value: z.string() })),
  order_status_url: z.string(),
  taxes_included: z.boolean(),
  discount_applications: z.array(z.object({ code: z.string().optional() })),
  discount_codes: z.array(z.object({ code: z.string(), amount: z.string() })),
  tax_lines: z.array(TaxLine),
  total_price: z.string(),
  total_outstanding: z.string(),
  total_weight: z.string(),
  total_line_items_price_set: MoneySet,
  total_discounts_set: MoneySet,
  subtotal_price_set: MoneySet,
  total_shipping_price_set: MoneySet,
  total_tax_set: MoneySet,
  total_price_set: MoneySet,
  current_total_price_set: MoneySet,
  customer: z.object({ id: z.string() }).nullable(),
  shipping_address: Address.nullable(),
  shipping_lines: z.array(
    z.object({ price_set: MoneySet, discounted_price_set: MoneySet, tax_lines: z.array(TaxLine) }),
  ),
  fulfillments: z.array(z.object({ service: z.string() })),
  line_items: z.array(Line).min(1),
});
type Order = z.infer<typeof Order>;
type Side = keyof z.infer<typeof MoneySet>;

const files = readdirSync(WEBHOOKS).sort();
const wireOf = (file: string): string => readFileSync(new URL(file, WEBHOOKS), 'utf8');
const orderOf = (file: string): Order => Order.parse(parseExact(wireOf(file)));

const decimalsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

function minor(amount: string, currency: string): bigint {
  const decimals = decimalsOf(currency);
  expect(amount).toMatch(decimals === 0 ? /^\d+$/ : new RegExp(`^\\d+\\.\\d{${decimals}}$`));
  return BigInt(amount.replace('.', ''));
}
const side = (set: z.infer<typeof MoneySet>, of: Side): bigint =>
  minor(set[of].amount, set[of].currency_code);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** Half a cent goes up; an included tax is taken out of the amount, another one comes on top of it. */
function taxOn(net: bigint, rate: string, included: boolean): bigint {
  const scale = 10n ** BigInt(rate.split('.')[1]?.length ?? 0);
  const share = BigInt(rate.replace('.', ''));
  const divisor = included ? scale + share : scale;
  return (2n * net * share + divisor) / (2n * divisor);
}

type Visit = (key: string, value: unknown, owner: Readonly<Record<string, unknown>>) => void;
function walk(node: unknown, visit: Visit): void {
  if (typeof node !== 'object' || node === null) return;
  const owner: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(node));
  for (const [key, value] of Object.entries(owner)) {
    visit(key, value, owner);
    walk(value, visit);
  }
}

const netOf = (line: Order['line_items'][number], of: Side): bigint =>
  side(line.price_set, of) * BigInt(line.quantity) -
  sum(line.discount_allocations.map((allocation) => side(allocation.amount_set, of)));

const mapped = new Set<string | null>(MAPPED_ARTICLES.map((article) => article.shopVariantId));
const articles = new Map(CATALOGUE.map((article) => [article.shopVariantId, article]));
const ours = (line: Order['line_items'][number]): boolean =>
  line.requires_shipping && !line.gift_card && line.fulfillment_service === 'manual';

function canReachDelivered(order: Order): boolean {
  const lines = order.line_items.filter(ours);
  const isReady = !order.test && order.financial_status === 'paid' && order.shipping_address !== null;
  return isReady && lines.length > 0 && lines.every((line) => mapped.has(line.variant_id));
}

const warehousesOf = (order: Order) =>
  order.line_items.map((line) => articles.get(line.variant_id ?? '')?.shipsFrom[0]);

const TRAPS: Record<string, (order: Order, wire: string) => void> = {
  '01-us-single-line': (order) => {
    expect(order.line_items.map((line) => line.quantity)).toEqual(['1']);
    expect([order.shipping_address?.country_code, order.financial_status]).toEqual(['US', 'paid']);
  },
  '02-us-several-lines-discounts-split': (order) => {
    expect(new Set(warehousesOf(order))).toEqual(new Set(['DE', 'US', 'CN']));
    expect(order.line_items.some((line) => line.quantity === '2')).toBe(true);
    expect(order.line_items.some((line) => line.discount_allocations.length === 2)).toBe(true);
    expect(order.shipping_lines).toHaveLength(1);
  },
  '03-jp-yen-no-decimals': (order) => {
    expect([order.currency, order.financial_status, order.note]).toEqual(['JPY', 'paid', '']);
    expect(order.total_price).not.toContain('.');
    expect(order.shipping_address).toMatchObject({ province_code: 'JP-04', city: '仙台市' });
  },
  '04-ca-buyer-pays-other-currency': (order) => {
    expect([order.currency, order.presentment_currency]).toEqual(['USD', 'CAD']);
    const { shop_money, presentment_money } = order.total_price_set;
    expect(shop_money.amount).not.toBe(presentment_money.amount);
  },
  '05-br-cpf-in-company-and-note': (order) => {
    const attribute = order.note_attributes.find(({ name }) => name === 'CPF')?.value;
    expect(attribute).toMatch(/^\d{11}$/);
    expect(order.shipping_address?.company?.replaceAll(/\D/g, '')).toBe(attribute);
  },
  '06-fr-accents-emoji-newline': (order) => {
    expect([order.customer_locale, order.shipping_address?.province_code]).toEqual(['fr', null]);
    expect(order.shipping_address?.address1).toMatch(/\u2019.*[ÎŒœ]/);
    expect(order.note).toMatch(/\p{Extended_Pictographic}/u);
    const title = order.line_items[0]!.title;
    expect(title).not.toBe(title.normalize('NFC'));
    expect(order.line_items[0]!.properties.some(({ value }) => value.includes('\n'))).toBe(true);
  },
  '07-de-eu-buyer-escaped-slashes': (order, wire) => {
    expect(order.shipping_address).toMatchObject({ country_code: 'DE', province_code: null });
    expect(wire).toContain('gid:\\/\\/shopify\\/Order\\/');
    expect(wire.replaceAll('\\/', '')).not.toContain('/');
    expect(JSON.stringify(JSON.parse(wire))).not.toContain('\\/');
  },
  '08-digital-only-fulfilled-at-birth': (order) => {
    expect(order.line_items.every((line) => !line.requires_shipping)).toBe(true);
    expect([order.shipping_address, order.shipping_lines]).toEqual([null, []]);
    expect([order.fulfillment_status, order.closed_at]).toEqual(['fulfilled', expect.any(String)]);
  },
  '09-us-gift-card-with-goods': (order) => {
    expect(order.line_items.map((line) => line.gift_card).sort()).toEqual([false, true]);
    expect([order.fulfillment_status, order.fulfillments[0]?.service]).toEqual(['partial', 'gift_card']);
  },
  '10-draft-goods-without-address': (order) => {
    expect(order).toMatchObject({
      email: '',
      customer: null,
      shipping_address: null,
      financial_status: 'paid',
    });
    expect(order.line_items.every(ours)).toBe(true);
  },
  '11-us-custom-line-null-variant': (order) => {
    const custom = {
      variant_id: null,
      product_id: null,
      sku: null,
      product_exists: false,
      requires_shipping: true,
    };
    expect(order.line_items).toContainEqual(expect.objectContaining(custom));
    expect(order.line_items.some((line) => mapped.has(line.variant_id))).toBe(true);
  },
  '12-us-test-order': (order) => expect(order.test).toBe(true),
  '13-us-ids-beyond-2-53': (order, wire) => {
    const lineIds = ['518273640591827367', '518273640591827371'];
    expect([order.id, order.customer?.id]).toEqual(['904512377198264013', '735190264418830571']);
    expect(order.line_items.map((line) => line.id)).toEqual(lineIds);
    for (const id of [order.id, '735190264418830571', ...lineIds]) {
      expect(wire).toContain(`"id": ${id},`);
      expect(BigInt(Number(id))).not.toBe(BigInt(id));
    }
  },
  '14-jp-payment-pending-konbini': (order) => {
    expect([order.financial_status, order.currency]).toEqual(['pending', 'JPY']);
    expect(order.total_outstanding).toBe(order.total_price);
  },
  '15-us-unmapped-article': (order) => {
    const ids = order.line_items.map((line) => line.variant_id);
    expect(ids).toEqual([CATALOGUE[8]!.shopVariantId]);
    expect(mapped.has(ids[0]!)).toBe(false);
  },
  '16-us-third-party-service-line': (order) => {
    const foreign = order.line_items.filter((line) => line.fulfillment_service !== 'manual');
    expect(foreign.map((line) => mapped.has(line.variant_id))).toEqual([true]);
    expect(order.line_items.some(ours)).toBe(true);
  },
};

test('every webhook body has its named trap and every named trap its body', () => {
  expect(files.map((file) => file.replace('.json', ''))).toEqual(Object.keys(TRAPS));
});

test.each(Object.entries(TRAPS))('%s carries the trap of its name', (name, hasTrap) => {
  hasTrap(orderOf(`${name}.json`), wireOf(`${name}.json`));
});

test.each(files)('%s keeps every id exact and equal to its global id', (file) => {
  let seen = 0;
  walk(parseExact(wireOf(file)), (key, value, owner) => {
    if (key !== 'admin_graphql_api_id') return;
    expect(value).toBe(`gid://shopify/${String(value).split('/')[3]}/${owner.id}`);
    seen += 1;
  });
  expect(seen).toBeGreaterThan(1);
  walk(JSON.parse(wireOf(file)), (key, value) => {
    if (key === 'id' || key === 'variant_id') expect(['number', 'object']).toContain(typeof value);
  });
});

test.each(files)('%s adds up in minor units, for the shop and for the buyer', (file) => {
  const order = orderOf(file);
  for (const of of ['shop_money', 'presentment_money'] as const) {
    const allocations = order.line_items.flatMap((line) => line.discount_allocations);
    const taxed = [
      ...order.line_items.map((line) => ({ net: netOf(line, of), taxes: line.tax_lines })),
      ...order.shipping_lines.map((line) => ({
        net: side(line.discounted_price_set, of),
        taxes: line.tax_lines,
      })),
    ];
    for (const { net, taxes } of taxed) {
      for (const tax of taxes)
        expect(side(tax.price_set, of)).toBe(taxOn(net, tax.rate, order.taxes_included));
    }
    const gross = sum(order.line_items.map((line) => side(line.price_set, of) * BigInt(line.quantity)));
    const discounts = sum(allocations.map((allocation) => side(allocation.amount_set, of)));
    const shipping = sum(order.shipping_lines.map((line) => side(line.discounted_price_set, of)));
    const tax = sum(taxed.flatMap(({ taxes }) => taxes.map((line) => side(line.price_set, of))));
    expect(side(order.total_line_items_price_set, of)).toBe(gross);
    expect(side(order.total_discounts_set, of)).toBe(discounts);
    expect(side(order.subtotal_price_set, of)).toBe(gross - discounts);
    expect(side(order.total_shipping_price_set, of)).toBe(shipping);
    expect(side(order.total_tax_set, of)).toBe(tax);
    expect(sum(order.tax_lines.map((line) => side(line.price_set, of)))).toBe(tax);
    const total = gross - discounts + shipping + (order.taxes_included ? 0n : tax);
    expect(side(order.total_price_set, of)).toBe(total);
    expect(side(order.current_total_price_set, of)).toBe(total);
  }
  for (const { code, amount } of order.discount_codes) {
    const index = String(order.discount_applications.findIndex((application) => application.code === code));
    const allocated = order.line_items
      .flatMap((line) => line.discount_allocations)
      .filter((allocation) => allocation.discount_application_index === index);
    expect(minor(amount, order.currency)).toBe(
      sum(allocated.map((one) => side(one.amount_set, 'shop_money'))),
    );
  }
  const due = order.financial_status === 'paid' ? 0n : minor(order.total_price, order.currency);
  expect(minor(order.total_outstanding, order.currency)).toBe(due);
  expect(BigInt(order.total_weight)).toBe(
    sum(order.line_items.map((line) => BigInt(line.grams) * BigInt(line.quantity))),
  );
});

test.each(files)(
  '%s says each amount alike wherever it stands, in the currencies of shop and buyer',
  (file) => {
    const order = orderOf(file);
    walk(parseExact(wireOf(file)), (key, value, owner) => {
      if (!key.endsWith('_set') || value === null) return;
      const { shop_money, presentment_money } = MoneySet.parse(value);
      expect(shop_money.currency_code).toBe(order.currency);
      expect(presentment_money.currency_code).toBe(order.presentment_currency);
      const plain = owner[key.slice(0, -'_set'.length)];
      if (plain !== undefined) expect(plain).toBe(shop_money.amount);
    });
    walk(parseExact(wireOf(file)), (key, value, owner) => {
      if (!key.startsWith('current_')) return;
      const original = key.slice('current_'.length);
      expect(value).toEqual(owner[original] ?? owner[`total_${original}`] ?? null);
    });
  },
);

test.each(files)('%s sells goods of the catalogue, in November 2026, to somebody at .example', (file) => {
  const order = orderOf(file);
  for (const line of order.line_items.filter(({ variant_id }) => articles.has(variant_id ?? ''))) {
    const article = articles.get(line.variant_id ?? '')!;
    expect([line.product_id, line.sku]).toEqual([article.shopProductId, article.sku]);
    expect(line.grams).toBe(String(article.weightGrams));
    if (file !== '06-fr-accents-emoji-newline.json') expect(line.title).toBe(article.title);
  }
  expect(order.name).toBe(`#${order.order_number}`);
  expect(Number(order.number)).toBe(Number(order.order_number) - 1000);
  expect(order.order_status_url).toMatch(/^https:\/\/sandbox-shop\.myshopify\.com\//);
  walk(parseExact(wireOf(file)), (key, value) => {
    if (/_at$/.test(key) && value !== null) expect(value).toMatch(/^2026-11-\d\dT[\d:]{8}[+-]\d\d:\d\d$/);
    if (/^(contact_)?email$/.test(key) && value) expect(value).toMatch(/^[^@\s]+@[^@\s]+\.example$/);
  });
  expect(Date.parse(order.updated_at)).toBeGreaterThanOrEqual(Date.parse(order.created_at));
});

test('no order id, order name or line id is used twice', () => {
  const orders = files.map(orderOf);
  const ids = orders.flatMap((order) => [order.id, order.name, ...order.line_items.map((line) => line.id)]);
  expect(new Set(ids).size).toBe(ids.length);
});

test('about two thirds of the orders can go all the way to delivered', () => {
  const stopped = files.filter((file) => !canReachDelivered(orderOf(file))).map((file) => file.slice(0, 2));
  expect(stopped).toEqual(['08', '10', '11', '12', '14', '15']);
});

const OF_A_PERSON = /^(first_name|last_name|company|address[12]|city|zip|phone|email|contact_email|note)$/;
const OF_A_THING = /^(id|.+_id|.*token|confirmation_number|order_status_url|reference|source_identifier)$/;
function identifying(text: string): Set<string> {
  const found = new Set<string>();
  walk(parseExact(text), (key, value, owner) => {
    const isName = key === 'name' && ('id' in owner || 'zip' in owner);
    if (!isName && !OF_A_PERSON.test(key) && !OF_A_THING.test(key)) return;
    if (typeof value === 'string' && value !== '') found.add(value.normalize('NFC').toLowerCase());
  });
  return found;
}

test.skipIf(!hasRealBodies)(
  `nothing that names a person or a thing is taken from a real body${whySkipped}`,
  () => {
    const bodies = readdirSync(REAL_BODIES, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.json') && !file.startsWith('tracking-companies'))
      .map((file) => readFileSync(new URL(file, REAL_BODIES), 'utf8'));
    const theirs = new Set(bodies.flatMap((body) => [...identifying(body)]));
    expect(theirs.size).toBeGreaterThan(200);
    for (const file of files) {
      const text = JSON.stringify(parseExact(wireOf(file)))
        .normalize('NFC')
        .toLowerCase();
      const same = [...identifying(wireOf(file))].filter((value) => theirs.has(value));
      const within = [...theirs].filter((value) => value.length >= 10 && text.includes(value));
      expect({ file, same, within }).toEqual({ file, same: [], within: [] });
    }
  },
);

test.skipIf(!hasRealBodies)(`each body has every top-level key of the newest real shape${whySkipped}`, () => {
  const newest = new URL('orders-create.sample-2026-07-all-fields.json', REAL_BODIES);
  const keys = Object.keys(z.looseObject({}).parse(JSON.parse(readFileSync(newest, 'utf8'))));
  for (const file of files) {
    const present = new Set(Object.keys(z.looseObject({}).parse(JSON.parse(wireOf(file)))));
    expect({ file, missing: keys.filter((key) => !present.has(key)) }).toEqual({ file, missing: [] });
  }
});
