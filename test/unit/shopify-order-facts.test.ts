import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { OrderReceived } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { parseOrderJson } from '../../gateway/webhooks/order-json.ts';
import { toOrderFacts } from '../../services/order-facts.ts';
import { OrderAnswer } from '../../services/shopify/order-operations.ts';
import { toOrderBody } from '../../services/shopify/read-order.ts';
import { hasRealBodies, REAL_BODIES, whySkipped } from '../fixtures/real-bodies.ts';

const SHOP = 'unit-shop.myshopify.com';

const aLine = (changes: object = {}) => ({
  id: 71,
  variant_id: 72,
  product_id: 73,
  sku: 'SKU-1',
  title: 'Lamp',
  price: '10.00',
  quantity: 3,
  current_quantity: 3,
  fulfillable_quantity: 3,
  requires_shipping: true,
  gift_card: false,
  fulfillment_service: 'manual',
  ...changes,
});

const anAddress = (changes: object = {}) => ({
  name: 'Ada Example',
  address1: '1 Sample Street',
  city: 'Sampletown',
  country_code: 'US',
  ...changes,
});

const aBody = (changes: object = {}) => ({
  id: 61,
  name: '#1001',
  currency: 'USD',
  created_at: '2026-11-02T09:15:00-05:00',
  updated_at: '2026-11-02T09:15:03-05:00',
  total_price: '30.00',
  financial_status: 'paid',
  email: 'ada@mail.example',
  shipping_address: anAddress(),
  line_items: [aLine()],
  ...changes,
});

const factsOf = (body: object | string) => {
  const json = parseOrderJson(typeof body === 'string' ? body : JSON.stringify(body));
  const facts = toOrderFacts(ShopifyOrderBody.parse(json), SHOP);
  expect(OrderReceived.parse(facts.received)).toEqual(facts.received);
  return facts;
};
const received = (changes: object) => factsOf(aBody(changes)).received;
const customer = (changes: object) => factsOf(aBody(changes)).customer;
const line = (changes: object) => received({ line_items: [aLine(changes)] }).lines[0]!;

test('an ordinary order becomes facts without a person and a row with one', () => {
  const facts = factsOf(aBody());
  expect(facts.received).toEqual({
    orderId: orderIdOf(SHOP, '61'),
    shop: SHOP,
    shopOrderId: '61',
    name: '#1001',
    currency: 'USD',
    totalMinor: 3_000,
    // The day as the shop and its customer know it: late in the evening it is another one than in UTC.
    placedAt: '2026-11-02T09:15:00-05:00',
    sourceUpdatedAt: '2026-11-02T14:15:03.000Z',
    test: false,
    cancelled: false,
    payment: 'paid',
    hasAddress: true,
    shipToMark: expect.stringMatching(/^[0-9a-z]{2}$/),
    lines: [
      {
        lineId: '71',
        variantId: '72',
        productId: '73',
        sku: 'SKU-1',
        title: 'Lamp',
        unitPriceMinor: 1_000,
        units: 3,
        openUnits: 3,
        deliveredBy: 'us',
      },
    ],
  });
  expect(JSON.stringify(facts.received)).not.toMatch(/Ada|mail\.example|Sample/);
  expect(facts.customer).toMatchObject({
    order_id: facts.received.orderId,
    source_updated_at: '2026-11-02T14:15:03.000Z',
    name: null,
    email: 'ada@mail.example',
    tax_id: null,
    birthday: null,
    national_address: null,
    shipping_address: { name: 'Ada Example', city: 'Sampletown', company: '', phone: '' },
  });
});

const inCad = (amount: string) => ({ presentment_money: { amount, currency_code: 'CAD' } });

test.each([
  [
    {
      current_total_price: '20.00',
      current_total_price_set: inCad('27.50'),
      total_price_set: inCad('41.25'),
    },
    2_750,
  ],
  [{ total_price_set: inCad('41.25') }, 4_125],
  [{ current_total_price: '20.00', total_price_set: inCad('41.25') }, null],
  [{ total_price_set: inCad('41.255') }, null],
  [{ total_price_set: 'soon' }, null],
])('the buyer is asked for a total in their own currency: %j', (changes, minor) => {
  expect(customer(changes)).toMatchObject({
    total_minor: minor,
    total_currency: minor === null ? null : 'CAD',
  });
});

test.each([
  [{ name: 'Paul Payer' }, 'Paul Payer'],
  [{ name: null, first_name: 'Paul', last_name: 'Payer' }, 'Paul Payer'],
  [{ name: '' }, null],
])('whoever the bill names has bought: %j', (bill, name) => {
  expect(customer({ billing_address: bill }).name).toBe(name);
});

test.each([
  ['paid', 'paid'],
  ['partially_refunded', 'paid'],
  ['refunded', 'refunded'],
  ['voided', 'voided'],
  ['pending', 'pending'],
  ['authorized', 'pending'],
  ['partially_paid', 'pending'],
  ['expired', 'pending'],
  ['something_new', 'pending'],
  ['constructor', 'pending'],
  [null, 'pending'],
  [undefined, 'pending'],
])('financial status %s is payment %s', (financial_status, payment) => {
  expect(received({ financial_status }).payment).toBe(payment);
});

test('authorised money counts as paid in a shop that buys for it, and nothing else does', () => {
  const paymentOf = (financial_status: string) =>
    toOrderFacts(ShopifyOrderBody.parse(aBody({ financial_status })), SHOP, true).received.payment;
  expect(['authorized', 'pending', 'partially_paid', 'voided'].map(paymentOf)).toEqual([
    'paid',
    'pending',
    'pending',
    'voided',
  ]);
});

test.each([
  ['an untouched line', {}, [3, 3, 'us']],
  [
    'a body older than current_quantity',
    { current_quantity: undefined, fulfillable_quantity: undefined },
    [3, 3, 'us'],
  ],
  ['an edited line', { current_quantity: 1, fulfillable_quantity: 1 }, [1, 1, 'us']],
  ['a removed line', { current_quantity: 0, fulfillable_quantity: 0 }, [0, 0, 'us']],
  ['a line partly shipped elsewhere', { fulfillable_quantity: 1 }, [3, 1, 'us']],
  [
    'a fulfillable quantity above what is left',
    { current_quantity: 1, fulfillable_quantity: 3 },
    [1, 1, 'us'],
  ],
  ['a negative fulfillable quantity', { fulfillable_quantity: -1 }, [3, 0, 'us']],
  ['digital goods', { requires_shipping: false }, [3, 3, 'nobody']],
  ['a gift card', { gift_card: true, fulfillment_service: 'gift_card' }, [3, 3, 'nobody']],
  ['a gift card of another service', { gift_card: true, fulfillment_service: 'cards-inc' }, [3, 3, 'nobody']],
  ['a line of another service', { fulfillment_service: 'snow-city' }, [3, 3, 'other_service']],
  ['a line without a service', { fulfillment_service: null }, [3, 3, 'us']],
  ['a line with an empty service', { fulfillment_service: '' }, [3, 3, 'us']],
  ['a line that does not say whether it ships', { requires_shipping: null, gift_card: null }, [3, 3, 'us']],
])('%s', (_name, changes, [units, openUnits, deliveredBy]) => {
  expect(line(changes)).toMatchObject({ units, openUnits, deliveredBy });
});

test.each([
  ['Lamp - Red / L', 'Lamp - Red / L'],
  ['Lamp - Default Title', 'Lamp'],
  ['Lamp', 'Lamp'],
  [null, 'Lamp'],
  ['', 'Lamp'],
])('a line is called by what tells its variant from the others: %s', (name, title) => {
  expect(line({ name }).title).toBe(title);
});

test('a custom line has no ids, and a line without a title is called by what it has', () => {
  const custom = { variant_id: null, product_id: null, sku: '', title: '' };
  expect(line({ ...custom, name: 'Bag' })).toMatchObject({
    variantId: null,
    productId: null,
    sku: null,
    title: 'Bag',
  });
  expect(line({ ...custom, sku: null }).title).toBe('Article');
});

test.each([
  ['complete', anAddress(), true],
  ['name only in its parts', anAddress({ name: null, first_name: 'Ada', last_name: '' }), true],
  ['no name', anAddress({ name: ' ' }), false],
  ['no street', anAddress({ address1: '' }), false],
  ['no city', anAddress({ city: null }), false],
  ['no country code', anAddress({ country_code: undefined, country: 'United States' }), false],
  ['null', null, false],
  ['absent', undefined, false],
  ['not an object', 'nowhere', false],
])('address %s', (_name, shipping_address, hasAddress) => {
  const facts = factsOf(aBody({ shipping_address }));
  expect(facts.received.hasAddress).toBe(hasAddress);
  if (typeof shipping_address !== 'object' || shipping_address === null)
    expect(facts.customer.shipping_address).toBeNull();
});

const markOf = (changes: object) => received({ shipping_address: anAddress(changes) }).shipToMark;

test.each([
  ['name', { name: 'Grace Hopper' }],
  ['street', { address1: '2 Other Street' }],
  ['zip', { zip: '99999' }],
  ['country', { country_code: 'CA' }],
])('an address with another %s has another mark', (_, changes) => {
  expect(markOf(changes)).not.toBe(markOf({}));
});

test('the mark is of what suppliers refuse an address for, however it is written; without a whole address there is none', () => {
  expect(markOf({ phone: '+1 555 0100', country: 'Vereinigte Staaten', city: ' SAMPLETOWN ' })).toBe(
    markOf({}),
  );
  expect(markOf({ city: null })).toBeUndefined();
});

test.each([
  ['the order', { email: 'a@x.example', contact_email: 'b@x.example' }, 'a@x.example'],
  ['the contact', { email: '', contact_email: 'b@x.example' }, 'b@x.example'],
  ['the customer', { email: null, contact_email: null, customer: { email: 'c@x.example' } }, 'c@x.example'],
  ['nowhere', { email: '', customer: null }, null],
  ['absent keys', { email: undefined }, null],
])('the e-mail comes from %s', (_name, changes, email) => {
  const facts = factsOf(aBody(changes));
  expect(facts.customer.email).toBe(email);
});

test.each([
  ['the order', { phone: '+1' }, '+1'],
  ['the address', { shipping_address: anAddress({ phone: '+2' }), customer: { phone: '+3' } }, '+2'],
  ['the customer', { customer: { phone: '+3' } }, '+3'],
  ['the bill', { phone: '', billing_address: { phone: '+4' } }, '+4'],
  ['nowhere', {}, null],
])('the phone comes from %s', (_name, changes, phone) => {
  expect(customer(changes).phone).toBe(phone);
});

const brazil = (changes: object = {}) => anAddress({ country_code: 'BR', ...changes });
test.each([
  [
    'attribute CPF',
    { shipping_address: brazil(), note_attributes: [{ name: 'CPF', value: '123.456.789-09' }] },
    '12345678909',
  ],
  [
    'attribute cpf_cnpj',
    { shipping_address: brazil(), note_attributes: [{ name: 'cpf_cnpj', value: '12345678909' }] },
    '12345678909',
  ],
  [
    'CNPJ with letters',
    { shipping_address: brazil(), note_attributes: [{ name: 'Cnpj', value: '12.ABC.345/01DE-35' }] },
    '12ABC34501DE35',
  ],
  ['company is a CPF', { shipping_address: brazil({ company: '123.456.789-09' }) }, '12345678909'],
  [
    'company with a CNPJ in it',
    { shipping_address: brazil({ company: 'Loja (11.222.333/0001-81)' }) },
    '11222333000181',
  ],
  ['company is a firm', { shipping_address: brazil({ company: 'ACMECOMERCIO12' }) }, null],
  [
    'attribute is something else',
    { shipping_address: brazil(), note_attributes: [{ name: 'CPF', value: 'none' }] },
    null,
  ],
  [
    'attributes of an older shape',
    { shipping_address: brazil(), note_attributes: { CPF: '12345678909' } },
    null,
  ],
  [
    'billed to Brazil, nothing shipped',
    { shipping_address: null, billing_address: brazil({ company: '12345678909' }) },
    '12345678909',
  ],
  ['another country', { note_attributes: [{ name: 'CPF', value: '12345678909' }] }, null],
])('tax id: %s', (_name, changes, taxId) => {
  expect(customer(changes).tax_id).toBe(taxId);
});

const shippedTo = (country_code: string, name: string, value: string, changes: object = {}) => ({
  shipping_address: anAddress({ country_code, ...changes }),
  note_attributes: [{ name, value }],
});

test.each([
  ['CL', 'RUT', '12.345.678-5', '123456785'],
  ['CL', 'R.U.T.', '12.345.678-5', null],
  ['CL', 'truth', '12.345.678-5', null],
  ['KR', 'PCCC', 'p123456789012', 'P123456789012'],
  ['KR', '개인통관고유부호', 'P123456789012', 'P123456789012'],
  ['KR', 'Customs clearance code', 'none', null],
  ['MX', 'rfc', 'GODE561231GR8', 'GODE561231GR8'],
  ['MX', 'CURP', 'BOXW310820HNERXN09', 'BOXW310820HNERXN09'],
  ['TR', 'T.C. Kimlik No', '10000000146', '10000000146'],
  ['IT', 'Codice Fiscale', 'RSSMRA85T10A562S', 'RSSMRA85T10A562S'],
  ['IT', 'p.iva', 'IT12345678901', 'IT12345678901'],
  ['ES', 'NIF/NIE', '12345678-Z', '12345678Z'],
  ['AR', 'CUIT', '20-12345678-6', '20123456786'],
  ['PE', 'tax_id', '12345678', '12345678'],
  ['ES', 'VAT number', 'ESB12345678', 'ESB12345678'],
  ['ES', 'Tax exempt', '12345678Z', null],
  ['BR', 'TAX_CREDENTIAL_BR', '123.456.789-09', '12345678909'],
  ['TW', 'SHIPPING_CREDENTIAL_TW', 'A123456789', 'A123456789'],
  ['KR', 'SHIPPING_CREDENTIAL_BR', '12345678909', null],
  ['CO', 'TAX_CREDENTIAL_TYPE_CO', 'NIT', null],
  ['DE', 'VAT number', 'DE123456789', null],
])('a tax number for %s out of "%s": "%s"', (country, name, value, taxId) => {
  expect(customer(shippedTo(country, name, value)).tax_id).toBe(taxId);
});

test('buyers write their number into the company of the address, in the way of their country', () => {
  const written = (country: string, company: string) =>
    customer({ shipping_address: anAddress({ country_code: country, company }) }).tax_id;
  expect(written('KR', 'Kim P123456789012')).toBe('P123456789012');
  expect(written('CL', '12.345.678-5')).toBe('123456785');
  expect(written('CL', 'Tienda 12345678')).toBeNull();
  expect(written('MX', 'GODE561231GR8')).toBeNull();
});

test.each([
  ['BR', 'Data de nascimento', '31/12/1990', '1990-12-31'],
  ['BR', 'birthday', '1990-12-31', '1990-12-31'],
  ['BR', 'DOB', '31121990', '1990-12-31'],
  ['BR', 'birthday', '12/31/1990', null],
  ['BR', 'birthday', '31/02/1990', null],
  ['US', 'birthday', '1990-12-31', null],
])('a day of birth for %s out of "%s": "%s"', (country, name, value, birthday) => {
  expect(customer(shippedTo(country, name, value)).birthday).toBe(birthday);
});

test('the code of a National Address is taken for Saudi Arabia only, from an attribute or an address line', () => {
  const codeOf = (body: object) => customer(body).national_address;
  expect(codeOf(shippedTo('SA', 'National Address', 'rrrd 2929'))).toBe('RRRD2929');
  expect(codeOf(shippedTo('SA', 'gift', 'no', { address2: 'Villa 3, RRRD2929' }))).toBe('RRRD2929');
  expect(codeOf(shippedTo('SA', 'gift', 'no', { address2: 'Street12345' }))).toBeNull();
  expect(codeOf(shippedTo('AE', 'National Address', 'RRRD2929'))).toBeNull();
});

test('money is exact by the currency, in the shop’s own, and as it stands after edits', () => {
  expect(received({ total_price: '45.00', current_total_price: '21.00' }).totalMinor).toBe(2_100);
  expect(received({ currency: 'JPY', total_price: '19800', line_items: [] }).totalMinor).toBe(19_800);
  expect(received({ currency: 'JPY', total_price: '19800.00', line_items: [] }).totalMinor).toBe(19_800);
  expect(received({ currency: 'KWD', total_price: '1.234', line_items: [] }).totalMinor).toBe(1_234);
  expect(received({ total_price: 1806.38 }).totalMinor).toBe(180_638);
  const foreign = { presentment_money: { amount: '9.00', currency_code: 'EUR' } };
  expect(line({ price: '10.00', price_set: foreign }).unitPriceMinor).toBe(1_000);
});

test('an amount that the currency cannot hold is refused with its path', () => {
  const refused = () =>
    received({ currency: 'JPY', total_price: '1', line_items: [aLine({ price: '1.50' })] });
  expect(refused).toThrow(AppError);
  expect(refused).toThrow(
    expect.objectContaining({
      code: 'body_invalid',
      fields: [{ path: 'line_items.0.price', message: 'must be an exact amount in JPY' }],
    }),
  );
});

test('instants with any offset compare as text', () => {
  const early = received({ updated_at: '2026-11-02T23:00:00+09:00' }).sourceUpdatedAt;
  const late = received({ updated_at: '2026-11-02T10:00:00-05:00' }).sourceUpdatedAt;
  expect([early, late]).toEqual(['2026-11-02T14:00:00.000Z', '2026-11-02T15:00:00.000Z']);
});

test('a version is the same whether its instant is written with fractions of the second or without', () => {
  for (const updated_at of ['2026-11-02T15:00:00.987Z', '2026-11-02T10:00:00-05:00'])
    expect(received({ updated_at }).sourceUpdatedAt).toBe('2026-11-02T15:00:00.000Z');
});

test('flags and dates that are absent, null or empty mean no', () => {
  for (const nothing of [undefined, null, ''])
    expect(received({ test: nothing, cancelled_at: nothing, customer_locale: nothing })).toMatchObject({
      test: false,
      cancelled: false,
    });
  expect(received({ test: true, cancelled_at: '2026-11-02T10:00:00-05:00' })).toMatchObject({
    test: true,
    cancelled: true,
  });
});

test('counts and flags that come as text are read, and an id that is none is an absent one', () => {
  const counted = { quantity: '3', current_quantity: '2', fulfillable_quantity: '1', variant_id: 0 };
  const { test: isTest, lines } = received({
    test: 'true',
    line_items: [aLine(counted), aLine({ id: 74, requires_shipping: 'false', product_id: 'gid' })],
  });
  expect(isTest).toBe(true);
  expect(lines).toMatchObject([
    { units: 2, openUnits: 1, variantId: null },
    { deliveredBy: 'nobody', productId: null },
  ]);
});

test('a blank where an id, an instant or an amount may be absent is an absent one', () => {
  const { placedAt, totalMinor, lines } = received({
    processed_at: '',
    current_total_price: '',
    line_items: [aLine({ variant_id: '', product_id: ' ', current_quantity: '', fulfillable_quantity: '' })],
  });
  expect({ placedAt, totalMinor }).toEqual({ placedAt: '2026-11-02T09:15:00-05:00', totalMinor: 3_000 });
  expect(lines).toMatchObject([{ variantId: null, productId: null, units: 3, openUnits: 3 }]);
});

test('an order that the API shows without its personal data is read, and has no address', () => {
  const amount = { shopMoney: { amount: '30.0' } };
  const { order } = OrderAnswer.parse({
    order: {
      id: 'gid://shopify/Order/61',
      name: '#1001',
      test: false,
      createdAt: '2026-11-02T14:15:00Z',
      processedAt: '2026-11-02T14:15:00Z',
      updatedAt: '2026-11-02T14:15:03Z',
      cancelledAt: null,
      currencyCode: 'USD',
      displayFinancialStatus: 'PAID',
      totalPriceSet: amount,
      currentTotalPriceSet: amount,
      customAttributes: [],
      shippingAddress: { country: 'France', countryCodeV2: 'FR', province: null },
      lineItems: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [] },
      fulfillmentOrders: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [] },
    },
  });
  expect(order).toMatchObject({ risk: { assessments: [] }, localizedFields: { nodes: [] } });
  const { customer, received } = toOrderFacts(toOrderBody(order!, [], []), SHOP);
  expect(received).toMatchObject({ payment: 'paid', totalMinor: 3_000, hasAddress: false });
  expect(customer).toMatchObject({ email: null, phone: null, shipping_address: { countryCode: 'FR' } });
});

test('an answer that leaves its nulls out is read as one that has them', () => {
  const money = { shopMoney: { amount: '30.0' } };
  const { order } = OrderAnswer.parse({
    order: {
      id: 'gid://shopify/Order/61',
      name: '#1001',
      test: false,
      createdAt: '2026-11-02T14:15:00Z',
      processedAt: '2026-11-02T14:15:00Z',
      updatedAt: '2026-11-02T14:15:03Z',
      currencyCode: 'USD',
      totalPriceSet: money,
      currentTotalPriceSet: money,
      customAttributes: [{ key: 'gift' }],
      lineItems: {
        pageInfo: { hasNextPage: false },
        nodes: [
          {
            id: 'gid://shopify/LineItem/71',
            title: 'Lamp',
            name: 'Lamp',
            quantity: 1,
            currentQuantity: 1,
            unfulfilledQuantity: 1,
            requiresShipping: true,
            isGiftCard: false,
            originalUnitPriceSet: money,
          },
        ],
      },
      fulfillmentOrders: { pageInfo: { hasNextPage: false }, nodes: [] },
    },
  });
  const { received } = toOrderFacts(toOrderBody(order!, order!.lineItems.nodes, []), SHOP);
  expect(received).toMatchObject({ payment: 'pending', cancelled: false, hasAddress: false });
  expect(received.lines).toMatchObject([{ variantId: null, sku: null, units: 1 }]);
});

test('an answer that writes amounts and a postcode as numbers is read to the same facts', () => {
  const set = (amount: unknown) => ({
    shopMoney: { amount },
    presentmentMoney: { amount, currencyCode: 'EUR' },
  });
  const answerOf = (amount: unknown) =>
    OrderAnswer.parse({
      order: {
        id: 'gid://shopify/Order/61',
        name: '#1001',
        test: false,
        createdAt: '2026-11-02T14:15:00Z',
        updatedAt: '2026-11-02T14:15:03Z',
        currencyCode: 'USD',
        totalPriceSet: set(amount),
        currentTotalPriceSet: set(amount),
        shippingAddress: { city: 'Columbus', zip: typeof amount === 'number' ? 43_004 : '43004' },
        lineItems: { pageInfo: { hasNextPage: false }, nodes: [] },
        fulfillmentOrders: { pageInfo: { hasNextPage: false }, nodes: [] },
      },
    }).order!;
  const factsWith = (amount: unknown) => toOrderFacts(toOrderBody(answerOf(amount), [], []), SHOP);
  expect(factsWith(19.9)).toEqual(factsWith('19.90'));
  expect(factsWith(19.9)).toMatchObject({
    received: { totalMinor: 1_990, placedAt: '2026-11-02T14:15:00Z' },
    customer: { total_minor: 1_990, total_currency: 'EUR' },
  });
});

test('ids beyond 2^53 stay exact', () => {
  const text = JSON.stringify(aBody())
    .replace('"id":61', '"id":820982911946154508')
    .replace('"id":71', '"id":866550311766439021')
    .replace('"variant_id":72', '"variant_id":9007199254740993');
  expect(factsOf(text).received).toMatchObject({
    shopOrderId: '820982911946154508',
    lines: [{ lineId: '866550311766439021', variantId: '9007199254740993' }],
  });
});

test('characters that no column takes are left out', () => {
  const text = JSON.stringify(aBody())
    .replaceAll('Ada', '\\u0000A\\ud83dda')
    .replaceAll('Lamp', 'L\\u0000amp');
  const facts = factsOf(text);
  expect(facts.customer.shipping_address?.name).toBe('A\ufffdda Example');
  expect(facts.received.lines[0]?.title).toBe('Lamp');
});

test('the buyer’s page secrets are dropped wherever they stand', () => {
  const secrets = {
    token: 's1',
    order_status_url: 's2',
    client_details: { browser_ip: 's3' },
    landing_site: 's4',
  };
  const json = parseOrderJson(
    JSON.stringify({ ...aBody(secrets), fulfillments: [{ receipt: { token: 's5' } }] }),
  );
  expect(JSON.stringify(json)).not.toMatch(/"s\d"/);
  expect(json).toMatchObject({ id: 61, fulfillments: [{ receipt: {} }] });
});

test.each([
  ['no id', { id: undefined }, 'id'],
  ['a rounded id', { id: 1.5 }, 'id'],
  ['id zero', { id: 0 }, 'id'],
  ['an id in words', { id: 'gid://shopify/Order/61' }, 'id'],
  ['no currency', { currency: null }, 'currency'],
  ['no version', { updated_at: undefined }, 'updated_at'],
  ['a version without offset', { updated_at: '2026-11-02T09:15:00' }, 'updated_at'],
  ['no total', { total_price: '' }, 'total_price'],
  ['no lines', { line_items: undefined }, 'line_items'],
  ['a line without id', { line_items: [aLine(), aLine({ id: null })] }, 'line_items.1.id'],
  ['a line without quantity', { line_items: [aLine({ quantity: undefined })] }, 'line_items.0.quantity'],
  ['a line without price', { line_items: [aLine({ price: null })] }, 'line_items.0.price'],
])('%s is refused by name', (_name, changes, path) => {
  const result = ShopifyOrderBody.safeParse(aBody(changes));
  expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

/** total, payment, [test, cancelled, hasAddress, hasEmail], units/open/by of each line. */
type Expected = readonly [number, string, readonly [boolean, boolean, boolean, boolean], readonly string[]];
const REAL: Readonly<Record<string, Expected>> = {
  'orders-cancelled.refunded-no-restock.json': [
    0,
    'refunded',
    [false, true, true, true],
    ['1/0/us', '2/0/us'],
  ],
  'orders-create.aud-shop-usd-buyer-test.json': [6_033, 'paid', [true, false, true, true], ['1/1/us']],
  'orders-create.hkd-draft-no-contact-no-address.json': [
    30_400,
    'paid',
    [false, false, false, false],
    ['1/1/us', '1/1/us', '1/1/us'],
  ],
  'orders-create.hkd-multiline-discounts.json': [
    39_400,
    'paid',
    [false, false, false, true],
    ['1/1/us', '1/1/us', '1/1/us', '1/1/us'],
  ],
  'orders-create.inr-custom-line-null-variant.raw.json': [
    259_600,
    'paid',
    [false, false, false, false],
    ['11/11/nobody'],
  ],
  'orders-create.jpy-konbini-pending.json': [19_800, 'pending', [false, false, true, true], ['1/1/us']],
  'orders-create.sample-2026-07-all-fields.json': [
    41_495,
    'voided',
    [true, true, true, true],
    ['1/1/us', '1/1/us', '1/1/us', '1/1/us', '1/1/us'],
  ],
  'orders-create.send-test-notification-64bit-ids.json': [
    40_300,
    'voided',
    [true, true, true, true],
    ['1/1/us', '1/1/us'],
  ],
  'orders-paid.draft-no-customer-keys-absent.json': [
    262_995,
    'paid',
    [false, false, false, false],
    ['1/1/other_service'],
  ],
  'orders-updated.eur-buyer-digital-autofulfilled.json': [
    12_436,
    'paid',
    [true, false, false, true],
    ['1/0/nobody', '1/0/nobody'],
  ],
  'orders-updated.partially-refunded-2026-07-docs.json': [
    19_965,
    'paid',
    [false, false, true, true],
    ['0/0/us', '1/1/us', '0/0/us'],
  ],
  'orders-updated.pln-paid-fulfilled.json': [
    214_758,
    'paid',
    [false, false, true, true],
    ['2/0/us', '3/0/us'],
  ],
  'derived/orders-create.br-cpf-in-company.json': [5_970, 'paid', [false, false, true, true], ['2/2/us']],
  'derived/orders-create.fr-unicode-emoji-note.json': [
    4_739,
    'paid',
    [false, false, true, true],
    ['1/1/us', '3/3/us'],
  ],
  'derived/orders-create.pii-redacted-no-street.json': [
    1_400,
    'paid',
    [false, false, false, false],
    ['1/1/us'],
  ],
  'derived/orders-create.pos-walk-in-null-email.json': [
    1_296,
    'paid',
    [false, false, false, false],
    ['1/0/us'],
  ],
  'derived/orders-create.us-mixed-gift-card-and-goods.json': [
    10_438,
    'paid',
    [false, false, true, true],
    ['2/2/us', '1/0/nobody'],
  ],
  'derived/orders-updated.edited-current-quantity.json': [
    2_100,
    'pending',
    [false, false, true, true],
    ['1/1/us', '0/0/us', '1/1/us'],
  ],
};

test.skipIf(!hasRealBodies)(`every real order body has its expectation${whySkipped}`, () => {
  const files = readdirSync(REAL_BODIES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(^|\/)orders-.*\.json$/.test(file),
  );
  expect(files.sort()).toEqual(Object.keys(REAL).sort());
});

test.skipIf(!hasRealBodies).each(Object.entries(REAL))(
  `real body %s is understood${whySkipped}`,
  (file, expected) => {
    const raw = readFileSync(new URL(file, REAL_BODIES), 'utf8');
    const { received: order, customer: person } = factsOf(raw);
    const [total, payment, flags, lines] = expected;
    expect([order.totalMinor, order.payment]).toEqual([total, payment]);
    expect([order.test, order.cancelled, order.hasAddress, person.email !== null]).toEqual(flags);
    expect(order.lines.map((one) => `${one.units}/${one.openUnits}/${one.deliveredBy}`)).toEqual(lines);
    for (const id of [order.shopOrderId, ...order.lines.map(({ lineId }) => lineId)])
      expect(raw).toMatch(new RegExp(`"id"\\s*:\\s*${id}\\b`));
    expect(person.tax_id).toBe(file.includes('br-cpf') ? '12345678909' : null);
  },
);

test.each([
  ['the same day', '2026-11-02T10:15:03-05:00', undefined],
  ['a week later', '2026-11-09T09:15:00-05:00', undefined],
  ['more than a week later', '2026-11-09T09:15:01-05:00', true],
])('a body of %s tells of the past: %s', (_when, updated_at, expected) => {
  expect(received({ updated_at }).history).toBe(expected);
});

test('units that refunds name are told with their line, summed over all refunds', () => {
  const refund = (quantity: number) => ({ refund_line_items: [{ line_item_id: 71, quantity }] });
  const { received } = factsOf(aBody({ refunds: [refund(1), refund(1), { refund_line_items: null }] }));
  expect(received.lines[0]?.refundedUnits).toBe(2);
  expect(factsOf(aBody({ refunds: 'none' })).received.lines[0]?.refundedUnits).toBeUndefined();
});

test('what a customer typed into a line is of no concern, as the README says: the line is its variant, and the text is kept nowhere', () => {
  const properties = [{ name: 'Engraving', value: 'For Zora, always' }];
  const engraved = factsOf(aBody({ line_items: [aLine({ properties })] }));
  expect(engraved).toEqual(factsOf(aBody()));
  expect(readFileSync('README.md', 'utf8')).toContain('`properties`) is not read');
});
