import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import { type Sandbox, startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { type ShipmentRequest, shipParcel } from '../../services/shopify/ship-parcel.ts';
import { SHIPMENT_LINES } from '../../services/shopify/shipment-operations.ts';
import { clientOf, withoutOperations } from '../fixtures/shop-ports.ts';
import { aLine, anOrderBody, givenShopOrder } from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, eventually, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const aRequest = (
  orderGid: string,
  parcel: Partial<ShipmentRequest['parcel']> = {},
  changes: Partial<ShipmentRequest> = {},
): ShipmentRequest => ({
  orderGid,
  notifyCustomer: true,
  ...changes,
  parcel: {
    trackingNumber: 'YT2600001',
    earlierNumbers: [],
    lastMileTrackingNumber: null,
    carrier: 'YunExpress',
    trackingUrl: null,
    lines: [{ lineItemId: '101', units: 2 }],
    ...parcel,
  },
});

async function givenOrder(body: object = anOrderBody()) {
  const world = await givenWorld();
  return { world, client: clientOf(world.origin), orderGid: await givenShopOrder(world, body) };
}

const Mailed = z.object({ fulfillments: z.array(z.object({ notifications: z.int() })) });
const mailsOf = async (world: Sandbox): Promise<number[]> => {
  const ledger = Mailed.parse(await (await control(world, 'GET', '/ledger')).json());
  return ledger.fulfillments.map(({ notifications }) => notifications);
};

const sentLines = async (world: Sandbox): Promise<string[]> =>
  (await ledgerOf(world)).fulfillments.flatMap(({ lines }) =>
    lines.map(({ lineItemId, quantity }) => `${quantity} of ${lineItemId.replace(/.*\//, '')}`),
  );

test('a parcel is created once, with its number, its units and one mail of the shop', async () => {
  const { world, client, orderGid } = await givenOrder();
  const result = await shipParcel(client, aRequest(orderGid));
  const { fulfillments } = await ledgerOf(world);
  const fulfillmentId = fulfillments[0]?.fulfillmentId;
  expect(result).toEqual({ how: 'created', fulfillmentId, isSole: true, missingUnits: 0 });
  expect(fulfillments).toHaveLength(1);
  expect(fulfillments[0]?.trackingNumbers).toEqual(['YT2600001']);
  expect(await sentLines(world)).toEqual(['2 of 101']);
  expect(await mailsOf(world)).toEqual([1]);
});

test('a repeated call adopts what stands there, however the number is spelled', async () => {
  const { world, client, orderGid } = await givenOrder();
  const first = await shipParcel(client, aRequest(orderGid));
  const spellings = [
    { trackingNumber: 'YT2600001' },
    { trackingNumber: ' yt 2600001' },
    { trackingNumber: 'CJP1', lastMileTrackingNumber: 'YT2600001' },
    { trackingNumber: 'NEW-2', earlierNumbers: ['YT2600001'] },
  ];
  for (const spelling of spellings) {
    expect(await shipParcel(client, aRequest(orderGid, spelling))).toEqual({
      ...first,
      how: 'adopted',
      isSole: false,
    });
  }
  expect(await sentLines(world)).toEqual(['2 of 101']);
});

test.each(['slow', 'error_after', 'no_answer_after', 'garbage'])(
  'a creation that took effect and ended in doubt (%s) is adopted by the next call',
  async (kind) => {
    const { world, orderGid } = await givenOrder();
    const client = clientOf(world.origin, { timeoutMs: 400 });
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind, times: 1, delayMs: 700 });
    const doubt = await shipParcel(client, aRequest(orderGid));
    expect(doubt).toMatchObject({ how: 'unknown', seenUnits: { 101: 3, 102: 1 } });
    expect(await shipParcel(client, aRequest(orderGid))).toMatchObject({ how: 'adopted' });
    expect(await sentLines(world)).toEqual(['2 of 101']);
  },
);

test('in a shop that shows no fulfilment by itself a parcel of some units of a line is adopted, and another under its number shown', async () => {
  const { world, client, orderGid } = await givenOrder();
  const shop = withoutOperations(client, SHIPMENT_LINES);
  await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'no_answer_after', times: 1 });
  expect(await shipParcel(shop, aRequest(orderGid))).toMatchObject({ how: 'unknown' });
  expect(await shipParcel(shop, aRequest(orderGid))).toMatchObject({ how: 'adopted', missingUnits: 0 });
  const other = aRequest(orderGid, { lines: [{ lineItemId: '102', units: 1 }] });
  expect(await shipParcel(shop, other)).toMatchObject({ how: 'created' });
  expect(await sentLines(world)).toEqual(['2 of 101', '1 of 102']);
});

test('a creation in doubt of which the shop wanted fewer units than the parcel holds is adopted', async () => {
  const { world, client, orderGid } = await givenOrder();
  const lines = [{ lineItemId: '101', units: 5 }];
  await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind: 'no_answer_after', times: 1 });
  const doubt = await shipParcel(client, aRequest(orderGid, { lines }));
  if (doubt.how !== 'unknown') throw new Error(`unexpected ${doubt.how}`);
  const request = aRequest(orderGid, { lines }, { doubt: doubt.seenUnits });
  expect(await shipParcel(client, request)).toMatchObject({ how: 'adopted', missingUnits: 2 });
  expect(await sentLines(world)).toEqual(['3 of 101']);
});

test.each(['error_before', 'no_answer_before'])(
  'a creation that came to nothing (%s) is sent again when as much remains as before',
  async (kind) => {
    const { world, client, orderGid } = await givenOrder();
    await givenFaults(world, { operation: 'shopify.fulfillmentCreate', kind, times: 1 });
    const doubt = await shipParcel(client, aRequest(orderGid));
    if (doubt.how !== 'unknown') throw new Error(`unexpected ${doubt.how}`);
    const request = aRequest(orderGid, {}, { doubt: doubt.seenUnits });
    expect(await shipParcel(client, request)).toMatchObject({ how: 'created' });
    expect(await sentLines(world)).toEqual(['2 of 101']);
  },
);

test('after a doubt less remains under another number: a person looks, nothing is created', async () => {
  const { world, client, orderGid } = await givenOrder();
  await shipParcel(
    client,
    aRequest(orderGid, { trackingNumber: 'BY-HAND', lines: [{ lineItemId: '101', units: 1 }] }),
  );
  const result = await shipParcel(client, aRequest(orderGid, {}, { doubt: { 101: 3, 102: 1 } }));
  expect(result).toEqual({
    how: 'withheld',
    reason: 'duplicate_suspected',
    evidence: { lineItemId: '101', before: 3, now: 2 },
  });
  expect(await sentLines(world)).toEqual(['1 of 101']);
});

test('a throttled creation and failing reads are waited out', async () => {
  const { world, client, orderGid } = await givenOrder();
  await givenFaults(
    world,
    { operation: 'shopify.fulfillmentCreate', kind: 'rate_limit', times: 2 },
    { operation: 'shopify.order', kind: 'error_before', times: 1 },
  );
  expect(await shipParcel(client, aRequest(orderGid))).toMatchObject({ how: 'created' });
  expect((await ledgerOf(world)).calls).toMatchObject({ 'shopify.fulfillmentCreate': 3, 'shopify.order': 2 });
  expect(await sentLines(world)).toEqual(['2 of 101']);
});

test('parcels of one line never send more than remains, and the last one finds nothing left', async () => {
  const { world, client, orderGid } = await givenOrder();
  const ship = (trackingNumber: string, units: number) =>
    shipParcel(client, aRequest(orderGid, { trackingNumber, lines: [{ lineItemId: '101', units }] }));
  expect(await ship('A1', 1)).toMatchObject({ how: 'created', missingUnits: 0 });
  expect(await ship('A2', 5)).toMatchObject({ how: 'created', missingUnits: 3 });
  expect(await ship('A3', 1)).toEqual({
    how: 'withheld',
    reason: 'fulfillment_not_ours',
    evidence: { trackingNumber: 'A3', wantedUnits: 1, remainingUnits: 0, orderCancelled: false },
    isNothingLeft: true,
  });
  expect(await ship('A2', 5)).toMatchObject({ how: 'adopted', missingUnits: 3 });
  expect(await sentLines(world)).toEqual(['1 of 101', '2 of 101']);
});

test('two parcels of other lines that share a number are both shown', async () => {
  const { world, client, orderGid } = await givenOrder();
  await shipParcel(client, aRequest(orderGid));
  const other = aRequest(orderGid, { lines: [{ lineItemId: '102', units: 1 }] });
  expect(await shipParcel(client, other)).toMatchObject({ how: 'created' });
  expect(await shipParcel(client, other)).toMatchObject({ how: 'adopted' });
  expect(await sentLines(world)).toEqual(['2 of 101', '1 of 102']);
  expect(await mailsOf(world)).toEqual([1, 0]);
});

test('the line of another service is withheld, the rest of the parcel is shown', async () => {
  const { world, client, orderGid } = await givenOrder();
  const foreign = { lineItemId: '104', units: 1 };
  const alone = await shipParcel(client, aRequest(orderGid, { lines: [foreign] }));
  expect(alone).toMatchObject({
    how: 'withheld',
    reason: 'fulfillment_not_ours',
    evidence: { status: 'OPEN', supportedActions: 'REQUEST_FULFILLMENT MOVE', location: 'other-house' },
  });
  expect(await sentLines(world)).toEqual([]);

  const mixed = aRequest(orderGid, { lines: [foreign, { lineItemId: '101', units: 2 }] });
  for (let times = 1; times <= 2; times += 1) {
    const { fulfillments } = await ledgerOf(world);
    const result = await shipParcel(client, mixed);
    expect(result).toMatchObject({ how: 'withheld', reason: 'fulfillment_not_ours' });
    const fulfillmentId = fulfillments[0]?.fulfillmentId;
    if (fulfillmentId !== undefined) expect(result).toMatchObject({ evidence: { fulfillmentId } });
  }
  expect(await sentLines(world)).toEqual(['2 of 101']);
});

test('an order without fulfilment orders is not yet to be shipped, an invisible one needs a person', async () => {
  const giftCard = aLine({ id: 101, requires_shipping: false, gift_card: true });
  const { client, orderGid } = await givenOrder(anOrderBody({ line_items: [giftCard] }));
  expect(await shipParcel(client, aRequest(orderGid))).toEqual({ how: 'not_yet' });
  expect(await shipParcel(client, aRequest('gid://shopify/Order/404'))).toMatchObject({
    how: 'withheld',
    evidence: { order: 'not visible to this app' },
  });
});

test('line ids beyond 2^53 and lines on the second page are found', async () => {
  const line_items = Array.from({ length: 60 }, (_, index) =>
    aLine({ id: `8665503117664390${100 + index}` }),
  );
  const { world, client, orderGid } = await givenOrder(anOrderBody({ id: '820982911946154508', line_items }));
  const lines = [
    { lineItemId: '8665503117664390100', units: 1 },
    { lineItemId: '8665503117664390155', units: 1 },
  ];
  const all = aRequest(orderGid, { lines });
  expect(await shipParcel(client, all)).toMatchObject({ how: 'created', missingUnits: 0 });
  expect(await sentLines(world)).toEqual(['1 of 8665503117664390100', '1 of 8665503117664390155']);
  expect(await shipParcel(client, all)).toMatchObject({ how: 'adopted' });
});

test('a parcel of more lines than the shop takes at once is shown in parts under one number, with one mail', async () => {
  const line_items = Array.from({ length: 300 }, (_, index) => aLine({ id: 70_000 + index }));
  const { world, client, orderGid } = await givenOrder(anOrderBody({ line_items }));
  const lines = line_items.map((_, index) => ({ lineItemId: String(70_000 + index), units: 1 }));
  const all = aRequest(orderGid, { lines });
  expect(await shipParcel(client, all)).toMatchObject({ how: 'created', isSole: false, missingUnits: 0 });
  const { fulfillments } = await ledgerOf(world);
  expect(fulfillments.map((one) => [one.trackingNumbers, one.lines.length])).toEqual([
    [['YT2600001'], 250],
    [['YT2600001'], 50],
  ]);
  expect(await mailsOf(world)).toEqual([1, 0]);
  expect(await shipParcel(client, all)).toMatchObject({ how: 'adopted' });
});

test('a login by client credentials survives a lost answer, is kept, and is renewed when the token is refused', async () => {
  const login = { accessToken: undefined, apiKey: CREDENTIALS.shopifyClientId };
  const first = await startSandbox({ credentials: CREDENTIALS });
  const client = clientOf(first.origin, login);
  const orderGid = await givenShopOrder(first);
  await givenFaults(first, { operation: 'shopify.accessToken', kind: 'no_answer_before', times: 1 });
  expect(await shipParcel(client, aRequest(orderGid))).toMatchObject({ how: 'created' });
  expect((await ledgerOf(first)).calls['shopify.accessToken']).toBe(2);
  await first.stop();

  // A new world on the same port knows the app, but none of the tokens given before.
  const world = await givenWorld({ port: Number(new URL(first.origin).port) });
  const isReached = () => ledgerOf(world).then(Boolean, () => false);
  await eventually(isReached, (reached) => reached); // kept connections of the old world die at first use
  await givenShopOrder(world);
  expect(await shipParcel(client, aRequest(orderGid))).toMatchObject({ how: 'created' });
  expect((await ledgerOf(world)).calls['shopify.accessToken']).toBe(1);

  const stranger = clientOf(world.origin, { ...login, apiSecret: 'wrong' });
  await expect(shipParcel(stranger, aRequest(orderGid))).rejects.toMatchObject({
    code: 'shop_failed',
    failureClass: 'auth',
    evidence: { during: 'login' },
  });
});

interface Work {
  readonly id: string;
  readonly location: string;
  /** What the shop knows it by, where its name is another's as well. */
  readonly locationId?: string;
  readonly status?: string;
  readonly actions?: string[];
  readonly hold?: string;
  readonly methodType?: string;
  readonly lineItemId: string;
  remaining: number;
}

const CreateVariables = z.object({
  fulfillment: z.object({
    notifyCustomer: z.boolean(),
    trackingInfo: z.object({ number: z.string() }),
    lineItemsByFulfillmentOrder: z.array(
      z.object({
        fulfillmentOrderId: z.string(),
        fulfillmentOrderLineItems: z.array(z.object({ id: z.string(), quantity: z.int() })),
      }),
    ),
  }),
});

/** A shop with several locations and holds, which the sandbox does not play. Answers our operations by their names. */
async function givenWarehouses(
  asked: Work[],
  fail: (creation: number) => 'refuse' | 'crash' | null = () => null,
) {
  const works = asked.map((work) => ({ ...work, total: work.remaining }));
  let isBlind = false;
  const made: { work: string[]; number: string; mailed: boolean; lines: { quantity: number }[] }[] = [];
  let creations = 0;
  const pageInfo = { hasNextPage: false, endCursor: null };
  const create = (variables: unknown): object | null => {
    const { fulfillment } = CreateVariables.parse(variables);
    creations += 1;
    const failure = fail(creations);
    if (failure === 'crash') return null;
    if (failure === 'refuse')
      return {
        fulfillment: null,
        userErrors: [{ field: null, message: 'has an unfulfillable status= closed.' }],
      };
    const places = fulfillment.lineItemsByFulfillmentOrder.map(({ fulfillmentOrderId }) => {
      const work = works.find(({ id }) => id === fulfillmentOrderId);
      return work?.locationId ?? work?.location;
    });
    if (new Set(places).size !== 1)
      return {
        fulfillment: null,
        userErrors: [{ field: null, message: 'All fulfillment orders must be at the same location.' }],
      };
    const parts = fulfillment.lineItemsByFulfillmentOrder.map(
      ({ fulfillmentOrderId, fulfillmentOrderLineItems }) => {
        const work = works.find(({ id }) => id === fulfillmentOrderId);
        const quantity = fulfillmentOrderLineItems[0]?.quantity ?? 0;
        if (work === undefined || work.remaining < quantity) throw new Error('impossible creation');
        work.remaining -= quantity;
        return { work, line: { quantity, lineItem: { id: `gid://shopify/LineItem/${work.lineItemId}` } } };
      },
    );
    made.push({
      work: parts.map(({ work }) => work.id),
      number: fulfillment.trackingInfo.number,
      mailed: fulfillment.notifyCustomer,
      lines: parts.map(({ line }) => line),
    });
    return {
      fulfillment: { id: `gid://shopify/Fulfillment/${made.length}`, status: 'SUCCESS' },
      userErrors: [],
    };
  };
  const shipments = () =>
    made.map(({ number, lines }, index) => ({
      id: `gid://shopify/Fulfillment/${index + 1}`,
      status: 'SUCCESS',
      totalQuantity: lines.reduce((units, { quantity }) => units + quantity, 0),
      trackingInfo: [{ number }],
    }));
  const answers: Record<string, (variables: unknown) => object | null> = {
    WorkAndShipments: () => ({
      order: {
        id: 'gid://shopify/Order/1',
        cancelledAt: null,
        fulfillmentOrders: {
          pageInfo,
          nodes: works.map((work) => ({
            id: work.id,
            status: work.status ?? (work.remaining === 0 ? 'CLOSED' : 'OPEN'),
            requestStatus: 'UNSUBMITTED',
            assignedLocation: { name: work.location, countryCode: 'US', city: null },
            deliveryMethod: { methodType: work.methodType ?? 'SHIPPING' },
            supportedActions: (work.actions ?? ['CREATE_FULFILLMENT']).map((action) => ({ action })),
            fulfillmentHolds:
              work.hold === undefined
                ? []
                : [
                    {
                      id: 'gid://shopify/FulfillmentHold/1',
                      reason: work.hold,
                      handle: null,
                      heldByRequestingApp: false,
                    },
                  ],
            lineItems: {
              pageInfo,
              nodes: [
                {
                  id: `line of ${work.id}`,
                  remainingQuantity: work.remaining,
                  totalQuantity: work.total,
                  lineItem: { id: `gid://shopify/LineItem/${work.lineItemId}` },
                },
              ],
            },
          })),
        },
        fulfillments: isBlind ? [] : shipments(),
      },
    }),
    Shipments: () => ({ order: { id: 'gid://shopify/Order/1', fulfillments: shipments() } }),
    ShipmentLines: (variables) => {
      const { fulfillmentId } = z.object({ fulfillmentId: z.string() }).parse(variables);
      const nodes = made[Number(fulfillmentId.replace(/.*\//, '')) - 1]?.lines ?? [];
      return { fulfillment: { id: fulfillmentId, fulfillmentLineItems: { pageInfo, nodes } } };
    },
    CreateFulfillment: (variables) => {
      const fulfillmentCreate = create(variables);
      return fulfillmentCreate && { fulfillmentCreate };
    },
  };
  const Body = z.object({ query: z.string(), variables: z.unknown() });
  const server = createServer(async (request, response) => {
    const { query, variables } = Body.parse(await json(request));
    const data = answers[/(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '']?.(variables) ?? null;
    response.writeHead(data === null ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data }));
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    client: clientOf(`http://127.0.0.1:${port}`),
    made,
    creationsOf: () => creations,
    /** The one look has read the fulfilments before the work: what was shipped between is gone, and not shown. */
    looksTooEarly: () => {
      isBlind = true;
    },
  };
}

const twoPlaces = (): Work[] => [
  { id: 'fo-1', location: 'North', lineItemId: '101', remaining: 1 },
  { id: 'fo-2', location: 'South', lineItemId: '101', remaining: 2 },
  { id: 'fo-3', location: 'North', lineItemId: '102', remaining: 4 },
];
const fromTwoPlaces = (changes: Partial<ShipmentRequest> = {}) =>
  aRequest(
    'gid://shopify/Order/1',
    {
      lines: [
        { lineItemId: '101', units: 2 },
        { lineItemId: '102', units: 1 },
      ],
    },
    changes,
  );

test('units at two locations become one fulfilment each under one number, with one mail', async () => {
  const { client, made } = await givenWarehouses(twoPlaces());
  const first = await shipParcel(client, fromTwoPlaces());
  const fulfillmentId = 'gid://shopify/Fulfillment/1';
  expect(first).toEqual({ how: 'created', fulfillmentId, isSole: false, missingUnits: 0 });
  expect(made.map(({ work, mailed }) => ({ work, mailed }))).toEqual([
    { work: ['fo-1', 'fo-3'], mailed: true },
    { work: ['fo-2'], mailed: false },
  ]);
  expect(await shipParcel(client, fromTwoPlaces())).toEqual({ ...first, how: 'adopted' });
  expect(made).toHaveLength(2);
});

test('units at two locations of one name become one fulfilment each once the shop refuses them together', async () => {
  const works = twoPlaces().map((work) => ({ ...work, location: 'Warehouse', locationId: work.location }));
  const { client, made } = await givenWarehouses(works.slice(1));
  expect(await shipParcel(client, fromTwoPlaces())).toMatchObject({ how: 'created', missingUnits: 0 });
  expect(made.map(({ work, mailed }) => ({ work, mailed }))).toEqual([
    { work: ['fo-2'], mailed: true },
    { work: ['fo-3'], mailed: false },
  ]);
});

test('who ships the same parcel while the shop is read is seen, and nothing is sent twice', async () => {
  const { client, made, looksTooEarly } = await givenWarehouses(twoPlaces());
  const byHand = aRequest('gid://shopify/Order/1', { lines: [{ lineItemId: '101', units: 1 }] });
  await shipParcel(client, byHand);
  looksTooEarly();
  expect(await shipParcel(client, byHand)).toMatchObject({ how: 'adopted' });
  expect(made).toHaveLength(1);
});

test('a call that fell into doubt at the second location is completed by the next one', async () => {
  const { client, made } = await givenWarehouses(twoPlaces(), (creation) =>
    creation === 2 ? 'crash' : null,
  );
  const doubt = await shipParcel(client, fromTwoPlaces());
  if (doubt.how !== 'unknown') throw new Error(`unexpected ${doubt.how}`);
  expect(doubt.seenUnits).toEqual({ 101: 3, 102: 4 });
  expect(await shipParcel(client, fromTwoPlaces({ doubt: doubt.seenUnits }))).toMatchObject({
    how: 'created',
  });
  expect(made.map(({ work, mailed }) => ({ work, mailed }))).toEqual([
    { work: ['fo-1', 'fo-3'], mailed: true },
    { work: ['fo-2'], mailed: false },
  ]);
});

test('a refusal is read over and tried once more, then a person looks', async () => {
  const passing = await givenWarehouses(twoPlaces(), (creation) => (creation === 1 ? 'refuse' : null));
  expect(await shipParcel(passing.client, fromTwoPlaces())).toMatchObject({ how: 'created' });

  const lasting = await givenWarehouses(twoPlaces(), () => 'refuse');
  expect(await shipParcel(lasting.client, fromTwoPlaces())).toEqual({
    how: 'withheld',
    reason: 'fulfillment_not_ours',
    evidence: { userErrors: 'has an unfulfillable status= closed.' },
  });
  // The last time each fulfilment order by itself.
  expect(lasting.creationsOf()).toBe(3);

  const single = await givenWarehouses(twoPlaces().slice(1, 2), () => 'refuse');
  expect(await shipParcel(single.client, fromTwoPlaces())).toMatchObject({ how: 'withheld' });
  expect(single.creationsOf()).toBe(2);
});

test.each([
  ['HIGH_RISK_OF_FRAUD', 'fraud_review'],
  ['AWAITING_PAYMENT', 'payment_pending'],
  ['INCORRECT_ADDRESS', 'address_invalid'],
  ['SOMETHING_NEW', 'operator'],
])('the shop’s hold %s withholds the parcel as %s', async (hold, reason) => {
  const work = {
    id: 'fo-1',
    location: 'North',
    status: 'ON_HOLD',
    actions: ['RELEASE_HOLD'],
    hold,
    lineItemId: '101',
    remaining: 2,
  };
  const { client, creationsOf } = await givenWarehouses([work]);
  const result = await shipParcel(client, aRequest('gid://shopify/Order/1'));
  expect(result).toMatchObject({
    how: 'withheld',
    reason,
    evidence: { heldInShop: hold, status: 'ON_HOLD' },
  });
  expect(creationsOf()).toBe(0);
});

test.each(['SCHEDULED', 'INCOMPLETE'])(
  'what the shop lets nobody ship now (%s) waits for the shop, as before buying',
  async (status) => {
    const work = {
      id: 'fo-1',
      location: 'North',
      status,
      actions: ['MOVE'],
      lineItemId: '101',
      remaining: 2,
    };
    const { client, creationsOf } = await givenWarehouses([work]);
    expect(await shipParcel(client, aRequest('gid://shopify/Order/1'))).toMatchObject({
      how: 'withheld',
      reason: 'fulfillment_not_ours',
      evidence: { heldInShop: status, status },
    });
    expect(creationsOf()).toBe(0);
  },
);

test('what the buyer picks up is no parcel of ours', async () => {
  const work = { id: 'fo-1', location: 'North', methodType: 'PICK_UP', lineItemId: '101', remaining: 2 };
  const { client, creationsOf } = await givenWarehouses([work]);
  const result = await shipParcel(client, aRequest('gid://shopify/Order/1'));
  expect(result).toMatchObject({
    how: 'withheld',
    reason: 'fulfillment_not_ours',
    evidence: { deliveryMethod: 'PICK_UP' },
  });
  expect(creationsOf()).toBe(0);
});
