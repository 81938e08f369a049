import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../deploy/sandbox/exact-json.ts';
import { fields, rows } from './cj-client.ts';
import {
  aLine,
  anOrderBody,
  ask,
  fulfillmentOrdersOf,
  givenShopOrder,
  post,
  SHIP,
  ship,
} from './shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from './world.ts';

const SHOP = 'query { shop { name } }';

describe('the front door', () => {
  test('an unknown token is 401', async () => {
    expect((await post(await givenWorld(), { query: SHOP }, { token: 'other' })).status).toBe(401);
  });

  test.each([
    ['2026-10', 200, '2026-10'],
    ['2026-07', 200, '2026-07'],
    ['2024-01', 200, '2026-01'],
    ['2031-01', 404, null],
    ['latest', 404, null],
  ])('version %s answers %i and names the version that served', async (version, status, served) => {
    const answer = await post(await givenWorld(), { query: SHOP }, { version });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-shopify-api-version')).toBe(served);
  });

  test.each(['application/json', 'application/x-www-form-urlencoded'])(
    'the client credentials grant takes %s and gives a token that works',
    async (contentType) => {
      const world = await givenWorld();
      const grant = async (client_secret: string) => {
        const form = {
          grant_type: 'client_credentials',
          client_id: CREDENTIALS.shopifyClientId,
          client_secret,
        };
        const body = contentType.endsWith('json') ? JSON.stringify(form) : String(new URLSearchParams(form));
        const headers = { 'content-type': contentType };
        return fetch(`${world.origin}/admin/oauth/access_token`, { method: 'POST', headers, body });
      };
      const good = fields(await (await grant(CREDENTIALS.shopifyClientSecret)).json());
      expect(good).toMatchObject({ expires_in: 86399, scope: expect.stringContaining('read_orders,') });
      expect((await post(world, { query: SHOP }, { token: String(good.access_token) })).status).toBe(200);
      const bad = await grant('wrong');
      expect(bad.status).toBe(400);
      expect(await bad.json()).toMatchObject({ error: 'invalid_client' });
    },
  );

  test('the self-check sees shop and scopes', async () => {
    const query =
      'query { shop { name myshopifyDomain currencyCode ianaTimezone } currentAppInstallation { accessScopes { handle } } }';
    const { data } = await ask(await givenWorld(), query);
    expect(data).toMatchObject({ shop: { myshopifyDomain: CREDENTIALS.shop, currencyCode: 'USD' } });
    expect(JSON.stringify(data)).toContain('write_merchant_managed_fulfillment_orders');
  });
});

describe('GraphQL', () => {
  test('aliases, fragments, variables and __typename work on any selection', async () => {
    const world = await givenWorld();
    const id = await givenShopOrder(world);
    const { data, errors } = await ask(
      world,
      `query Any($id: ID!, $n: Int!) { mine: order(id: $id) { ...Head lineItems(first: $n) { edges { cursor node { __typename id } } pageInfo { hasNextPage } } }
         none: order(id: "gid://shopify/Order/1") { id } }
       fragment Head on Order { legacyResourceId tags ... on Order { email phone } }`,
      { id, n: 2 },
    );
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      none: null,
      mine: {
        legacyResourceId: '5500000000001',
        tags: ['vip', 'fragile'],
        email: 'pat@buyer.example',
        phone: null,
        lineItems: { edges: [{ node: { __typename: 'LineItem' } }, {}], pageInfo: { hasNextPage: true } },
      },
    });
  });

  test.each([
    [
      'an unknown field',
      'query { order(id: "gid://shopify/Order/1") { colour } }',
      "Field 'colour' doesn't exist on type 'Order'",
    ],
    ['an unknown argument', 'query { shop(id: 1) { name } }', 'Unknown argument "id"'],
    ['a syntax error', 'query { shop {', 'Syntax Error'],
    [
      'a connection without a size',
      'query { orders { nodes { id } } }',
      'you must provide one of first or last',
    ],
    [
      'the protected customer',
      'query { orders(first: 1) { nodes { customer { id } } } }',
      'Access denied for customer field',
    ],
  ])('%s is an error in HTTP 200', async (_, query, message) => {
    const world = await givenWorld();
    await givenShopOrder(world);
    const { errors } = await ask(world, query);
    expect(errors?.[0]?.message).toContain(message);
  });

  test('an unknown field names itself in the extensions', async () => {
    const { errors } = await ask(await givenWorld(), 'query { shop { colour } }');
    expect(errors?.[0]?.extensions).toEqual({
      code: 'undefinedField',
      typeName: 'Shop',
      fieldName: 'colour',
    });
  });

  test('answers tell their cost, and a query above a thousand points does not run', async () => {
    const world = await givenWorld();
    await givenShopOrder(world);
    const { extensions } = await ask(world, 'query { orders(first: 100) { nodes { id } } }');
    expect(extensions?.cost).toMatchObject({
      requestedQueryCost: 100,
      actualQueryCost: 1,
      throttleStatus: { maximumAvailable: 40_000, restoreRate: 2_000 },
    });
    const dear = await ask(
      world,
      'query { orders(first: 100) { nodes { id lineItems(first: 100) { nodes { id } } } } }',
    );
    expect(dear.errors?.[0]?.extensions).toMatchObject({ code: 'MAX_COST_EXCEEDED', cost: 10_100 });
  });

  test('an empty bucket throttles and runs nothing', async () => {
    const world = await givenWorld({ shopifyPointsPerSecond: 1 });
    const id = await givenShopOrder(world);
    const tag = () =>
      ask(
        world,
        'mutation T($id: ID!) { tagsAdd(id: $id, tags: ["seen"]) { node { id } userErrors { message } } }',
        { id },
      );
    expect((await tag()).errors).toBeUndefined();
    const second = await tag();
    expect(second.errors?.[0]?.extensions).toEqual({ code: 'THROTTLED' });
    expect(second.extensions?.cost).toMatchObject({ actualQueryCost: null });
  });
});

describe('orders', () => {
  test('ids beyond 2^53 stay exact, and a repeat replaces nothing', async () => {
    const world = await givenWorld();
    const raw = JSON.stringify(anOrderBody({ id: 'BIG', line_items: [aLine({ id: 'LINE' })] }))
      .replace('"BIG"', '820982911946154508')
      .replace('"LINE"', '866550311766439020');
    const id = await givenShopOrder(world, raw);
    expect(id).toBe('gid://shopify/Order/820982911946154508');
    const changed = raw.replace('pat@buyer.example', 'other@buyer.example');
    const again = await control(world, 'POST', '/shop/orders', changed);
    expect(again.status).toBe(200);
    const { data } = await ask(
      world,
      'query($id: ID!) { order(id: $id) { email lineItems(first: 1) { nodes { id } } } }',
      { id },
    );
    expect(data).toMatchObject({
      order: {
        email: 'pat@buyer.example',
        lineItems: { nodes: [{ id: 'gid://shopify/LineItem/866550311766439020' }] },
      },
    });
  });

  test('a sweep by updated_at pages through all orders in their order', async () => {
    const world = await givenWorld();
    for (let n = 0; n < 5; n += 1) {
      await givenShopOrder(
        world,
        anOrderBody({ id: 900 - n, name: `#${n}`, updated_at: `2026-11-2${n}T00:00:00Z` }),
      );
    }
    const seen: unknown[] = [];
    let after: unknown = null;
    do {
      const { data } = await ask(
        world,
        `query($q: String!, $after: String) { orders(first: 2, after: $after, query: $q, sortKey: UPDATED_AT) {
           pageInfo { hasNextPage endCursor } nodes { name } } }`,
        { q: "updated_at:>='2026-11-21T00:00:00Z'", after },
      );
      const page = fields(fields(data).orders);
      seen.push(...rows(page.nodes).map(({ name }) => name));
      const info = fields(page.pageInfo);
      after = info.hasNextPage === true ? info.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(['#1', '#2', '#3', '#4']);
  });

  test.each([
    ["name:'#1042'", 1],
    ["name:'#104'", 0],
    ['test:true', 0],
    ['financial_status:paid tag:vip', 1],
    ['-tag:vip', 0],
    ['id:5500000000001', 1],
  ])('the search %s finds %i', async (q, count) => {
    const world = await givenWorld();
    await givenShopOrder(world);
    const { data } = await ask(world, 'query($q: String) { orders(first: 5, query: $q) { nodes { id } } }', {
      q,
    });
    expect(rows(fields(fields(data).orders).nodes)).toHaveLength(count);
  });

  test('an unknown search term matches everything and only warns', async () => {
    const world = await givenWorld();
    await givenShopOrder(world);
    const { data, extensions } = await ask(
      world,
      'query { orders(first: 5, query: "colour:red") { nodes { id } } }',
    );
    expect(rows(fields(fields(data).orders).nodes)).toHaveLength(1);
    expect(extensions?.search).toMatchObject([{ warnings: [{ field: 'colour' }] }]);
  });

  test('tags are added once and a note is overwritten, and both move updatedAt', async () => {
    const world = await givenWorld();
    const id = await givenShopOrder(world);
    const tag =
      'mutation($id: ID!) { tagsAdd(id: $id, tags: ["vip", "bought"]) { node { id ... on Order { tags } } userErrors { message } } }';
    await ask(world, tag, { id });
    const { data } = await ask(world, tag, { id });
    expect(data).toMatchObject({
      tagsAdd: { node: { id, tags: ['vip', 'fragile', 'bought'] }, userErrors: [] },
    });
    const note =
      'mutation($in: OrderInput!) { orderUpdate(input: $in) { order { note updatedAt } userErrors { message } } }';
    const changed = await ask(world, note, { in: { id, note: 'hello' } });
    const order = fields(fields(fields(changed.data).orderUpdate).order);
    expect(order.note).toBe('hello');
    expect(Date.now() - Date.parse(String(order.updatedAt))).toBeLessThan(5_000);
  });
});

describe('fulfilment orders', () => {
  test('hold what is to be shipped, and foreign services get one that we may not ship', async () => {
    const world = await givenWorld();
    const { fulfillmentOrders } = await fulfillmentOrdersOf(world, await givenShopOrder(world));
    const [own, foreign, ...more] = fulfillmentOrders.nodes;
    expect(more).toEqual([]);
    expect(own!.status).toBe('OPEN');
    expect(
      own!.lineItems.nodes.map(({ lineItem, remainingQuantity }) => [lineItem.id, remainingQuantity]),
    ).toEqual([
      ['gid://shopify/LineItem/101', 3],
      ['gid://shopify/LineItem/102', 1],
    ]);
    expect(own!.supportedActions).toContainEqual({ action: 'CREATE_FULFILLMENT' });
    expect(foreign!.supportedActions).not.toContainEqual({ action: 'CREATE_FULFILLMENT' });
    expect(foreign!.supportedActions).toContainEqual({ action: 'REQUEST_FULFILLMENT' });
    const refused = await ship(world, [{ fulfillmentOrderId: foreign!.id }]);
    expect(refused.fulfillment).toBeNull();
  });

  test('an order with nothing to ship has none', async () => {
    const world = await givenWorld();
    const line_items = [aLine({ id: 1, requires_shipping: false, fulfillable_quantity: 0 })];
    const order = await fulfillmentOrdersOf(world, await givenShopOrder(world, anOrderBody({ line_items })));
    expect(order).toMatchObject({ displayFulfillmentStatus: 'FULFILLED', fulfillmentOrders: { nodes: [] } });
  });
});

describe('shipping', () => {
  test('takes a repeated partial quantity, and stops at what remains and at the closed order', async () => {
    const world = await givenWorld();
    const id = await givenShopOrder(world);
    const own = (await fulfillmentOrdersOf(world, id)).fulfillmentOrders.nodes[0]!;
    const lamp = own.lineItems.nodes[0]!.id;
    const one = [{ fulfillmentOrderId: own.id, lines: [{ id: lamp, quantity: 1 }] }];

    expect(await ship(world, one)).toMatchObject({
      fulfillment: { name: '#1042.1', status: 'SUCCESS' },
      userErrors: [],
    });
    expect((await ship(world, one)).userErrors).toEqual([]);
    const between = await fulfillmentOrdersOf(world, id);
    expect(between.displayFulfillmentStatus).toBe('PARTIALLY_FULFILLED');
    expect(between.fulfillmentOrders.nodes[0]).toMatchObject({
      status: 'IN_PROGRESS',
      lineItems: { nodes: [{ remainingQuantity: 1 }, { remainingQuantity: 1 }] },
    });

    const tooMany = [{ fulfillmentOrderId: own.id, lines: [{ id: lamp, quantity: 2 }] }];
    expect((await ship(world, tooMany)).userErrors[0]?.message).toContain(
      'Invalid fulfillment order line item quantity requested',
    );
    const twice = [
      { id: lamp, quantity: 1 },
      { id: lamp, quantity: 1 },
    ];
    expect((await ship(world, [{ fulfillmentOrderId: own.id, lines: twice }])).fulfillment).toBeNull();

    expect((await ship(world, [{ fulfillmentOrderId: own.id }], 'CJP2')).userErrors).toEqual([]);
    const closed = (await fulfillmentOrdersOf(world, id)).fulfillmentOrders.nodes[0]!;
    expect(closed).toMatchObject({ status: 'CLOSED', supportedActions: [] });
    expect((await ship(world, one)).userErrors[0]?.message).toContain('unfulfillable status');

    const units = (await ledgerOf(world)).fulfillments.flatMap(({ lines }) => lines);
    expect(
      units.filter(({ lineItemId }) => lineItemId.endsWith('/101')).map(({ quantity }) => quantity),
    ).toEqual([1, 1, 1]);
  });

  test('refuses fulfilment orders of two locations in one call', async () => {
    const world = await givenWorld();
    const id = await givenShopOrder(world);
    const [own] = (await fulfillmentOrdersOf(world, id)).fulfillmentOrders.nodes;
    const path = `/shop/fulfillment-orders/${own!.id.replace(/.*\//, '')}/split`;
    await control(world, 'POST', path, { location: 'Second house', units: { 101: 1 } });
    const { nodes } = (await fulfillmentOrdersOf(world, id)).fulfillmentOrders;
    const ours = nodes.filter(({ supportedActions }) =>
      supportedActions.some(({ action }) => action === 'CREATE_FULFILLMENT'),
    );
    const both = await ship(
      world,
      ours.map((one) => ({ fulfillmentOrderId: one.id })),
    );
    expect(ours).toHaveLength(2);
    expect(both).toMatchObject({
      fulfillment: null,
      userErrors: [{ message: expect.stringContaining('same location') }],
    });
  });

  test('refuses fulfilment orders of two orders in one call, and unknown ones', async () => {
    const world = await givenWorld();
    const first = (await fulfillmentOrdersOf(world, await givenShopOrder(world))).fulfillmentOrders.nodes[0]!;
    const other = await givenShopOrder(world, anOrderBody({ id: 2, name: '#2' }));
    const second = (await fulfillmentOrdersOf(world, other)).fulfillmentOrders.nodes[0]!;
    const both = await ship(world, [{ fulfillmentOrderId: first.id }, { fulfillmentOrderId: second.id }]);
    expect(both).toMatchObject({
      fulfillment: null,
      userErrors: [{ message: expect.stringContaining('same order') }],
    });
    const none = await ship(world, [{ fulfillmentOrderId: 'gid://shopify/FulfillmentOrder/1' }]);
    expect(none.userErrors).toHaveLength(1);
    expect((await ledgerOf(world)).fulfillments).toEqual([]);
  });

  test('tracking is replaced, checkpoints move the display status, repeats are kept', async () => {
    const world = await givenWorld();
    const orderId = await givenShopOrder(world);
    const own = (await fulfillmentOrdersOf(world, orderId)).fulfillmentOrders.nodes[0]!;
    const id = (await ship(world, [{ fulfillmentOrderId: own.id }])).fulfillment!.id;
    await ask(
      world,
      'mutation($id: ID!, $t: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t) { fulfillment { id } userErrors { message } } }',
      {
        id,
        t: {
          company: 'CJPacket',
          numbers: ['A', 'B'],
          urls: ['https://track.example/A', 'https://track.example/B'],
        },
      },
    );
    const checkpoint =
      'mutation($e: FulfillmentEventInput!) { fulfillmentEventCreate(fulfillmentEvent: $e) { fulfillmentEvent { id status happenedAt } userErrors { message } } }';
    const delivered = { fulfillmentId: id, status: 'DELIVERED', happenedAt: '2026-11-22T12:00:00Z' };
    await ask(world, checkpoint, { e: delivered });
    await ask(world, checkpoint, { e: delivered });
    await ask(world, checkpoint, {
      e: { ...delivered, status: 'IN_TRANSIT', happenedAt: '2026-11-21T12:00:00Z' },
    });
    const { data, errors } = await ask(
      world,
      `query($id: ID!) { order(id: $id) { fulfillments(first: 15) { id status displayStatus totalQuantity trackingInfo(first: 5) { company number url }
         fulfillmentLineItems(first: 20) { nodes { id quantity lineItem { id } } } events(first: 9) { nodes { status } } } } }`,
      { id: orderId },
    );
    expect(errors).toBeUndefined();
    expect(fields(fields(data).order).fulfillments).toMatchObject([
      {
        id,
        displayStatus: 'DELIVERED',
        totalQuantity: 4,
        trackingInfo: [{ number: 'A', url: 'https://track.example/A' }, { number: 'B' }],
        fulfillmentLineItems: { nodes: [{ quantity: 3 }, { quantity: 1 }] },
        events: { nodes: [{}, {}, {}] },
      },
    ]);
  });

  test.each([
    ['error_before', 0],
    ['no_answer_before', 0],
    ['error_after', 1],
    ['no_answer_after', 1],
    ['garbage', 1],
  ])('under the fault %s the caller knows nothing and %i fulfilments exist', async (kind, count) => {
    const world = await givenWorld();
    const own = (await fulfillmentOrdersOf(world, await givenShopOrder(world))).fulfillmentOrders.nodes[0]!;
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind, times: 1 });
    await expect(ship(world, [{ fulfillmentOrderId: own.id }])).rejects.toThrow();
    expect((await ledgerOf(world)).fulfillments).toHaveLength(count);
  });

  test('the rate_limit fault is THROTTLED in HTTP 200 with its cost', async () => {
    const world = await givenWorld();
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'rate_limit', times: 1 });
    const { errors, extensions } = await ask(world, SHIP, { f: { lineItemsByFulfillmentOrder: [] } });
    expect(errors).toMatchObject([{ message: 'Throttled', extensions: { code: 'THROTTLED' } }]);
    expect(extensions?.cost).toMatchObject({ actualQueryCost: null, throttleStatus: {} });
  });
});

test('shipments that came in with the order are shown but are none of the ledger', async () => {
  const world = await givenWorld();
  const fulfillments = [
    {
      id: 71,
      name: '#1042.1',
      status: 'success',
      created_at: '2026-11-20T10:00:01-05:00',
      tracking_numbers: [],
      line_items: [{ id: 103, quantity: 1 }],
    },
  ];
  const id = await givenShopOrder(world, anOrderBody({ fulfillments, fulfillment_status: 'partial' }));
  const { data } = await ask(
    world,
    'query($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillments(first: 5) { id status trackingInfo { number } } } }',
    { id },
  );
  expect(fields(data).order).toMatchObject({
    displayFulfillmentStatus: 'PARTIALLY_FULFILLED',
    fulfillments: [{ id: 'gid://shopify/Fulfillment/71', status: 'SUCCESS', trackingInfo: [] }],
  });
  expect((await ledgerOf(world)).fulfillments).toEqual([]);
});

test('every webhook body of the sandbox can be taken in, with its own id', async () => {
  const folder = new URL('../../deploy/sandbox/webhooks/', import.meta.url);
  const world = await givenWorld();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const raw = readFileSync(new URL(file, folder), 'utf8');
    const id = await givenShopOrder(world, raw);
    expect(id, file).toBe(`gid://shopify/Order/${fields(parseExactJson(raw)).id}`);
    const { data, errors } = await ask(
      world,
      `query($id: ID!) { order(id: $id) { id legacyResourceId name email note tags test totalPriceSet { shopMoney { amount currencyCode } }
         shippingAddress { name address1 countryCodeV2 latitude } lineItems(first: 50) { nodes { id quantity unfulfilledQuantity variant { id } } }
         fulfillments(first: 5) { id status } fulfillmentOrders(first: 5) { nodes { id status } } } }`,
      { id },
    );
    expect(errors, file).toBeUndefined();
    expect(data, file).toMatchObject({ order: { id } });
  }
});

test('a body that is no order is refused with the reason', async () => {
  const world = await givenWorld();
  for (const body of ['{', JSON.stringify({ id: 1 })]) {
    const answer = await control(world, 'POST', '/shop/orders', body);
    expect(answer.status).toBe(400);
    expect(fields(await answer.json()).error).toBeTypeOf('string');
  }
});
