import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { orderIdOf } from '../../contracts/ids.ts';
import { PARCEL_STATES } from '../../contracts/vocabulary.ts';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import { declareRestored } from '../../services/restored.ts';
import type { AdminClient } from '../../services/shopify/admin-client.ts';
import { fulfillParcel } from '../../services/shopify/fulfill-parcel.ts';
import { mirrorHolds } from '../../services/shopify/mirror-holds.ts';
import { rereadOrder } from '../../services/shopify/reread-order.ts';
import {
  CREATE_FULFILLMENT,
  CREATE_FULFILLMENT_EVENT,
  FULFILLMENT_EVENTS,
  UPDATE_TRACKING,
} from '../../services/shopify/shipment-operations.ts';
import { ShopError } from '../../services/shopify/shop-error.ts';
import { showProgress } from '../../services/shopify/show-progress.ts';
import { PLACE_HOLD } from '../../services/shopify/work-operations.ts';
import { noWrites } from '../../services/store/batch-writes.ts';
import { writeBatch } from '../../services/store/write-batch.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import {
  eventsIn,
  givenOrderRows,
  givenParcelRow,
  ORDER_ID,
  SUPPLIER_ORDER_ID,
} from '../fixtures/shipped-order.ts';
import { clientOf, shopPorts, withoutOperations } from '../fixtures/shop-ports.ts';
import { ask, fulfillmentOrdersOf, givenShopOrder, SHIP } from '../sandbox/shop-client.ts';
import { CREDENTIALS, control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const DONE = { verdict: 'done' };
const RETRACK = `mutation Retrack($id: ID!, $number: String!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: { company: "USPS", number: $number }) {
    userErrors { field message }
  }
}`;

/** A parcel with two of three lamps, and a shop that knows its order. */
async function aShop(environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld();
  const gid = await givenShopOrder(world);
  const context = await aServiceContext(nats.url, {
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2',
    SHOPIFY_SHOP_URL: CREDENTIALS.shop,
    ...environment,
  });
  await givenOrderRows(context.store);
  await context.store.run('update orders set shop = $1', [CREDENTIALS.shop]);
  const ports = shopPorts(context, world);
  const parcelId = await givenParcelRow(context.store, { 101: 2 });
  const command = { orderId: ORDER_ID, supplierOrderId: SUPPLIER_ORDER_ID, parcelId };
  const { store } = context;
  return {
    world,
    gid,
    context,
    ports,
    parcelId,
    fulfil: () => fulfillParcel(ports, command, 'command-1'),
    fulfilBy: (admin: AdminClient) => fulfillParcel({ ...ports, admin }, command, 'command-1'),
    /** As the order service writes what a status query saw. */
    parcelIs: (state: string, lastMile: string | null = null) =>
      store.run(
        `update parcels set state = $1, last_mile_tracking_number = $2, updated_at = now(),
                entered_at = case when state = $1 then entered_at else now() end`,
        [state, lastMile],
      ),
    /** As the order service saves a parcel whose number was replaced. */
    numberIs: async (trackingNumber: string) => {
      const writes = noWrites();
      writes.parcels.push({
        id: parcelId,
        order_id: ORDER_ID,
        supplier_order_id: SUPPLIER_ORDER_ID,
        state: 'in_transit',
        tracking_number: trackingNumber,
        earlier_numbers: ['YT2600001'],
        last_mile_tracking_number: null,
        carrier: 'YunExpress',
        tracking_url: null,
        units: { 101: 2 },
        left_at: null,
      });
      await store.transaction((sql) => writeBatch(sql, writes));
    },
    shown: async () => (await ledgerOf(world)).fulfillments,
    /** What is put off waits no longer. */
    timePasses: () =>
      store.run(
        "update parcels set show_after = now() - interval '1 second', updated_at = updated_at - interval '6 seconds'",
      ),
  };
}

const callsOf = async (world: Parameters<typeof ledgerOf>[0], operation: string): Promise<number> =>
  (await ledgerOf(world)).calls[`shopify.${operation}`] ?? 0;

test('each state of a shipped parcel is one event in the shop, in their order, and a round without news asks nothing', async () => {
  const { world, ports, fulfil, parcelIs, shown } = await aShop();
  expect(await showProgress(ports)).toBe('idle');
  expect(await fulfil()).toEqual(DONE);
  for (const state of [
    'first_scan',
    'in_transit',
    'delayed',
    'out_for_delivery',
    'attempt_failed',
    'delivered',
  ]) {
    await parcelIs(state);
    await showProgress(ports);
  }
  expect(await shown()).toMatchObject([
    {
      trackingNumbers: ['YT2600001'],
      notifications: 0,
      events: [
        'CARRIER_PICKED_UP',
        'IN_TRANSIT',
        'DELAYED',
        'OUT_FOR_DELIVERY',
        'ATTEMPTED_DELIVERY',
        'DELIVERED',
      ],
    },
  ]);
  const { calls } = await ledgerOf(world);
  await showProgress(ports);
  expect((await ledgerOf(world)).calls).toEqual(calls);
});

test('a checkpoint bears the time at which it was seen, also where its parcel was shown much later', async () => {
  const { world, context, ports, fulfil, parcelIs } = await aShop();
  await parcelIs('delivered');
  await context.store.run("update parcels set entered_at = '2026-11-20T10:00:00Z', updated_at = entered_at");
  await fulfil();
  const real = clientOf(world.origin);
  const told: unknown[] = [];
  const admin: AdminClient = {
    ...real,
    request: (operation, variables, ...rest) => {
      if (operation === CREATE_FULFILLMENT_EVENT) told.push(variables.event);
      return real.request(operation, variables, ...rest);
    },
  };
  await showProgress({ ...ports, admin });
  expect(told).toMatchObject([{ status: 'DELIVERED', happenedAt: '2026-11-20T10:00:00Z' }]);
});

test('a shop that cannot be asked for the events of a fulfilment is told each state all the same, also after a lost answer once', async () => {
  const { world, ports, fulfil, parcelIs, shown, timePasses } = await aShop();
  await fulfil();
  const admin = withoutOperations(clientOf(world.origin), FULFILLMENT_EVENTS);
  for (const state of ['first_scan', 'in_transit', 'delivered']) {
    const fault = { operation: 'shopify.fulfillmentEventCreate', kind: 'no_answer_after', times: 1 };
    if (state === 'in_transit') await givenFaults(world, fault);
    await parcelIs(state);
    await showProgress({ ...ports, admin });
    await timePasses();
    await showProgress({ ...ports, admin });
  }
  expect((await shown())[0]?.events).toEqual(['CARRIER_PICKED_UP', 'IN_TRANSIT', 'DELIVERED']);
});

test.each([
  ['delayed', 'DELAYED'],
  ['exception', 'FAILURE'],
])('a parcel that goes on after it was %s is shown to go on, once', async (trouble, shownAs) => {
  const { context, ports, fulfil, parcelIs, shown } = await aShop();
  const { store } = context;
  await fulfil();
  for (const [index, state] of ['in_transit', trouble, 'in_transit'].entries()) {
    await parcelIs(state);
    await store.run("update parcels set entered_at = now() - $1::int * interval '1 hour'", [3 - index]);
    await showProgress(ports);
  }
  // A copy that died before it could remember comes again.
  await store.run("update parcels set shown_state = 'delayed'");
  await showProgress(ports);
  expect((await shown())[0]?.events).toEqual(['IN_TRANSIT', shownAs, 'IN_TRANSIT']);
});

test('every state of a parcel after the first scan has its event', async () => {
  const { ports, fulfil, parcelIs, shown } = await aShop();
  await fulfil();
  for (const state of PARCEL_STATES) {
    await parcelIs(state);
    await showProgress(ports);
  }
  expect(new Set((await shown())[0]?.events)).toEqual(
    new Set([
      'CARRIER_PICKED_UP',
      'IN_TRANSIT',
      'OUT_FOR_DELIVERY',
      'DELIVERED',
      'READY_FOR_PICKUP',
      'ATTEMPTED_DELIVERY',
      'FAILURE',
      'DELAYED',
    ]),
  );
});

test.each([
  ['us', 0],
  ['shop', 2],
])(
  'the number of the last mile joins the first one, and with mails by %s the shop mails %i times',
  async (by, notifications) => {
    const { ports, fulfil, parcelIs, shown } = await aShop({ ORDER_MANAGER_MAILS_BY: by });
    await fulfil();
    await parcelIs('in_transit', '9400-LAST');
    await showProgress(ports);
    expect(await shown()).toMatchObject([
      { trackingNumbers: ['YT2600001', '9400-LAST'], notifications, events: ['IN_TRANSIT'] },
    ]);
    await showProgress(ports);
    expect(await shown()).toMatchObject([{ notifications }]);
  },
);

test('numbers that somebody else put into the same fulfilment stay there when the last mile’s joins ours, and when that is replaced', async () => {
  const { world, gid, ports, fulfil, parcelIs, shown } = await aShop();
  const { fulfillmentOrders } = await fulfillmentOrdersOf(world, gid);
  const ours = fulfillmentOrders.nodes.flatMap(({ id, lineItems }) =>
    lineItems.nodes.flatMap((line) =>
      line.lineItem.id.endsWith('/101') ? [{ fulfillmentOrderId: id, id: line.id }] : [],
    ),
  );
  const url = 'https://carrier.example/BY-HAND-1';
  await ask(world, SHIP, {
    f: {
      trackingInfo: { company: 'YunExpress', numbers: ['YT2600001', 'BY-HAND-1'], urls: [url, url] },
      lineItemsByFulfillmentOrder: ours.map(({ fulfillmentOrderId, id }) => ({
        fulfillmentOrderId,
        fulfillmentOrderLineItems: [{ id, quantity: 2 }],
      })),
    },
  });
  expect(await fulfil()).toEqual(DONE);
  await parcelIs('in_transit', '9400-LAST');
  await showProgress(ports);
  expect(await shown()).toMatchObject([{ trackingNumbers: ['YT2600001', '9400-LAST', 'BY-HAND-1'] }]);
  await parcelIs('out_for_delivery', '9400-NEXT');
  await showProgress(ports);
  expect(await shown()).toMatchObject([
    {
      trackingNumbers: ['YT2600001', '9400-NEXT', 'BY-HAND-1'],
      events: ['IN_TRANSIT', 'OUT_FOR_DELIVERY'],
    },
  ]);
  const { data } = await ask(
    world,
    'query Urls($id: ID!) { order(id: $id) { fulfillments(first: 1) { trackingInfo(first: 5) { url } } } }',
    { id: gid },
  );
  expect(JSON.stringify(data)).toContain(url);
});

test.each([
  ['us', 0],
  ['shop', 2],
])(
  'a number that was replaced is shown in the place of the dead one, and with mails by %s the shop mails %i times',
  async (by, notifications) => {
    const { world, ports, fulfil, parcelIs, numberIs, shown } = await aShop({ ORDER_MANAGER_MAILS_BY: by });
    await fulfil();
    await parcelIs('in_transit');
    await showProgress(ports);
    await numberIs('NEW-2');
    await showProgress(ports);
    const now = [{ trackingNumbers: ['NEW-2'], notifications, events: ['IN_TRANSIT'] }];
    expect(await shown()).toMatchObject(now);
    const { calls } = await ledgerOf(world);
    await showProgress(ports);
    expect((await ledgerOf(world)).calls).toEqual(calls);
    await parcelIs('delivered');
    await showProgress(ports);
    expect((await shown())[0]?.events).toEqual(['IN_TRANSIT', 'DELIVERED']);
  },
);

test.each(['fulfilled', 'shown'])(
  'a number that is replaced while the parcel is being %s is shown afterwards',
  async (moment) => {
    const { ports, fulfil, fulfilBy, parcelIs, numberIs, shown, timePasses } = await aShop();
    const admin = ports.admin!;
    let isReplaced = false;
    const replacing: AdminClient = {
      ...admin,
      request: async (operation, variables, schema, options) => {
        const answer = await admin.request(operation, variables, schema, options);
        if (!isReplaced && (operation === CREATE_FULFILLMENT || operation === CREATE_FULFILLMENT_EVENT)) {
          isReplaced = true;
          await numberIs('NEW-2');
        }
        return answer;
      },
    };
    if (moment === 'fulfilled') await fulfilBy(replacing);
    else {
      await fulfil();
      await parcelIs('in_transit');
      await showProgress({ ...ports, admin: replacing });
      expect(await shown()).toMatchObject([{ trackingNumbers: ['YT2600001'] }]);
    }
    expect(isReplaced).toBe(true);
    await timePasses();
    await showProgress(ports);
    expect(await shown()).toMatchObject([{ trackingNumbers: ['NEW-2'], events: ['IN_TRANSIT'] }]);
  },
);

test.each(['error_after', 'no_answer_after', 'error_before', 'no_answer_before'])(
  'writes that end without a verdict (%s) are read again, and each fact stands once',
  async (kind) => {
    const { world, ports, fulfil, parcelIs, shown, timePasses } = await aShop();
    await fulfil();
    await givenFaults(
      world,
      { operation: 'shopify.fulfillmentTrackingInfoUpdate', kind, times: 1 },
      { operation: 'shopify.fulfillmentEventCreate', kind, times: 1 },
    );
    await parcelIs('in_transit', '9400-LAST');
    for (let round = 1; round <= 4; round += 1) {
      await showProgress(ports);
      await timePasses();
    }
    expect(await shown()).toMatchObject([
      { trackingNumbers: ['YT2600001', '9400-LAST'], events: ['IN_TRANSIT'] },
    ]);
    const tries = kind.endsWith('after') ? 1 : 2;
    expect(await callsOf(world, 'fulfillmentEventCreate')).toBe(tries);
    expect(await callsOf(world, 'fulfillmentTrackingInfoUpdate')).toBe(tries);
  },
);

test.each(['error_after', 'no_answer_after'])(
  'the first event of a parcel is sent without a look, and after a lost answer (%s) it is looked for',
  async (kind) => {
    const { world, ports, fulfil, shown, timePasses } = await aShop();
    await fulfil();
    const looks = await callsOf(world, 'order');
    await givenFaults(world, { operation: 'shopify.fulfillmentEventCreate', kind, times: 1 });
    await showProgress(ports);
    expect(await callsOf(world, 'order')).toBe(looks);
    expect(await callsOf(world, 'fulfillment')).toBe(0);
    await timePasses();
    await showProgress(ports);
    expect(await callsOf(world, 'fulfillment')).toBe(1);
    expect(await callsOf(world, 'fulfillmentEventCreate')).toBe(1);
    expect((await shown())[0]?.events).toEqual(['CARRIER_PICKED_UP']);
  },
);

test('after a restored backup the shop is read before an event is told there: what was told in the lost time is not told again', async () => {
  const { world, context, ports, fulfil, shown } = await aShop();
  await fulfil();
  await showProgress(ports);
  const { store, bus } = context;
  const before =
    "update parcels set shown_state = null, showing = null, show_after = now() - interval '1 second'";
  await store.run(before);
  await declareRestored(store, bus);
  const reads = await callsOf(world, 'fulfillment');
  await showProgress(ports);
  expect(await callsOf(world, 'fulfillment')).toBe(reads + 1);
  expect(await callsOf(world, 'fulfillmentEventCreate')).toBe(1);
  expect((await shown())[0]?.events).toEqual(['CARRIER_PICKED_UP']);
  expect(await store.query('select shown_state as shown from parcels')).toEqual([{ shown: 'first_scan' }]);
});

test('what the shop refuses for good is not sent for ever, and the next state is told again', async () => {
  const { ports, context, fulfil, parcelIs, shown, timePasses } = await aShop();
  await fulfil();
  const admin = ports.admin!;
  let isRefusing = true;
  const refusing: AdminClient = {
    ...admin,
    request: (operation, variables, schema, options) =>
      isRefusing && operation === CREATE_FULFILLMENT_EVENT
        ? Promise.resolve(
            schema.parse({ fulfillmentEventCreate: { userErrors: [{ field: null, message: 'Not now' }] } }),
          )
        : admin.request(operation, variables, schema, options),
  };
  await showProgress({ ...ports, admin: refusing });
  expect(context.lines).toContainEqual(expect.objectContaining({ evidence: { userErrors: 'Not now' } }));
  const lines = context.lines.length;
  await timePasses();
  await showProgress({ ...ports, admin: refusing });
  expect(context.lines).toHaveLength(lines);
  isRefusing = false;
  await parcelIs('delivered');
  await showProgress({ ...ports, admin: refusing });
  expect((await shown())[0]?.events).toEqual(['DELIVERED']);
});

test.each([404, 400, 408])(
  'what a shop that answers %i to everything could not be shown is shown once it answers',
  async (status) => {
    const { ports, fulfil, parcelIs, shown, timePasses } = await aShop();
    await fulfil();
    await parcelIs('delivered');
    const door = createServer((_, response) => response.writeHead(status).end('<html>no</html>'));
    onTestFinished(() => void door.close());
    const admin = clientOf(`http://127.0.0.1:${await listenOn(door, '127.0.0.1', 0)}`);
    await showProgress({ ...ports, admin });
    expect((await shown())[0]?.events).toEqual([]);
    await timePasses();
    await showProgress(ports);
    expect((await shown())[0]?.events).toEqual(['DELIVERED']);
  },
);

test('a new number that the shop refuses keeps no state of the parcel from it, and is tried again with the next one', async () => {
  const { ports, context, fulfil, parcelIs, numberIs, shown, timePasses } = await aShop();
  await fulfil();
  await showProgress(ports);
  const admin = ports.admin!;
  let isRefusing = true;
  const refusing: AdminClient = {
    ...admin,
    request: (operation, variables, schema, options) =>
      isRefusing && operation === UPDATE_TRACKING
        ? Promise.resolve(
            schema.parse({
              fulfillmentTrackingInfoUpdate: { userErrors: [{ field: null, message: 'Not that number' }] },
            }),
          )
        : admin.request(operation, variables, schema, options),
  };
  await numberIs('YT2600002');
  await timePasses();
  await showProgress({ ...ports, admin: refusing });
  expect((await shown())[0]?.events).toEqual(['CARRIER_PICKED_UP', 'IN_TRANSIT']);
  expect(context.lines).toContainEqual(
    expect.objectContaining({ evidence: { userErrors: 'Not that number' } }),
  );
  isRefusing = false;
  await parcelIs('delivered');
  await timePasses();
  await showProgress({ ...ports, admin: refusing });
  expect((await shown())[0]).toMatchObject({
    trackingNumbers: ['YT2600002'],
    events: ['CARRIER_PICKED_UP', 'IN_TRANSIT', 'DELIVERED'],
  });
});

test('a parcel whose units the shop has at two places is two fulfilments, and both follow it', async () => {
  const { world, gid, ports, fulfil, parcelIs, shown } = await aShop();
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const place = { location: 'Second warehouse', units: { 101: 2 } };
  await control(world, 'POST', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/split`, place);
  expect(await fulfil()).toEqual(DONE);
  await parcelIs('in_transit', '9400-LAST');
  await showProgress(ports);
  const both = await shown();
  expect(both.map(({ lines }) => lines.map(({ quantity }) => quantity))).toEqual([[1], [1]]);
  for (const { trackingNumbers, events } of both)
    expect([trackingNumbers, events]).toEqual([['YT2600001', '9400-LAST'], ['IN_TRANSIT']]);
});

test('a new number of a parcel that is two fulfilments is mailed by the shop once, though the second one hears of it later', async () => {
  const { world, gid, ports, fulfil, parcelIs, shown, timePasses } = await aShop({
    ORDER_MANAGER_MAILS_BY: 'shop',
  });
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const place = { location: 'Second warehouse', units: { 101: 2 } };
  await control(world, 'POST', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/split`, place);
  await fulfil();
  const mails = async () => (await shown()).reduce((sum, { notifications }) => sum + notifications, 0);
  expect(await mails()).toBe(1);
  const admin = ports.admin!;
  let updates = 0;
  const failing: AdminClient = {
    ...admin,
    request: (operation, variables, schema, options) => {
      if (operation !== UPDATE_TRACKING) return admin.request(operation, variables, schema, options);
      updates += 1;
      if (updates === 2) throw new ShopError('transient', 'no answer', {});
      return admin.request(operation, variables, schema, options);
    },
  };
  await parcelIs('in_transit', '9400-LAST');
  for (const _ of [1, 2]) {
    await showProgress({ ...ports, admin: failing });
    await timePasses();
  }
  expect((await shown()).map(({ trackingNumbers }) => trackingNumbers)).toEqual([
    ['YT2600001', '9400-LAST'],
    ['YT2600001', '9400-LAST'],
  ]);
  expect(await mails()).toBe(2);
});

test('two copies at once show a fact once, and a busy order a moment later', async () => {
  const { world, context, ports, fulfil, parcelIs, shown, timePasses } = await aShop();
  await fulfil();
  const other = shopPorts(context, world);
  await parcelIs('in_transit');
  await context.store.run("insert into shop_leases values ($1, 'third copy', now() + interval '1 minute')", [
    ORDER_ID,
  ]);
  await showProgress(ports);
  expect((await shown())[0]?.events).toEqual([]);
  await context.store.run('delete from shop_leases');
  await timePasses();
  await Promise.all([showProgress(ports), showProgress(other)]);
  expect((await shown())[0]?.events).toEqual(['IN_TRANSIT']);
});

test('a fulfilment that is cancelled in the shop is told at once, and its parcel is shown again when a person releases it', async () => {
  const { world, gid, context, ports, parcelId, fulfil, shown, timePasses } = await aShop();
  const { store } = context;
  await fulfil();
  await showProgress(ports);
  const cancel = (id: string) =>
    control(world, 'POST', `/shop/fulfillments/${id.replace(/.*\//, '')}/cancel`, {});
  const [first] = await shown();
  await cancel(first!.fulfillmentId);
  const told = async () =>
    (await eventsIn(store)).flatMap(({ type, data }) => (type === 'fulfillment.withheld' ? [data] : []));

  const shopOrderId = gid.replace(/.*\//, '');
  const hint = { shop: CREDENTIALS.shop, shopOrderId };
  await rereadOrder(ports, hint, 'hint-1');
  await showProgress(ports);
  expect(await told()).toEqual([]);
  const orderId = orderIdOf(CREDENTIALS.shop, shopOrderId);
  await store.run('update orders set id = $1', [orderId]);
  await store.run('update parcels set order_id = $1', [orderId]);
  await rereadOrder(ports, { ...hint, fulfillmentCancelled: true }, 'hint-2');
  await showProgress(ports);
  expect(await told()).toMatchObject([
    {
      parcelId,
      reason: 'fulfillment_not_ours',
      evidence: { trackingNumber: 'YT2600001', fulfillmentId: first!.fulfillmentId },
      undoneFulfillmentId: first!.fulfillmentId,
    },
  ]);

  await fulfil();
  await timePasses();
  await showProgress(ports);
  const [, again] = await shown();
  expect([again?.trackingNumbers, again?.events]).toEqual([['YT2600001'], ['CARRIER_PICKED_UP']]);
  expect((await eventsIn(store)).map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ how: 'created', shopFulfillmentId: again!.fulfillmentId }),
  );
});

test('a fulfilment in which staff put another number in the place of ours keeps it, and follows its parcel still', async () => {
  const { world, ports, fulfil, parcelIs, shown } = await aShop();
  await fulfil();
  await parcelIs('first_scan');
  await showProgress(ports);
  const [first] = await shown();
  await ask(world, RETRACK, { id: first!.fulfillmentId, number: 'BY-STAFF-1' });
  await parcelIs('in_transit', '9400-LAST');
  await showProgress(ports);
  await parcelIs('delivered', '9400-LAST');
  await showProgress(ports);
  expect(await shown()).toMatchObject([
    { trackingNumbers: ['BY-STAFF-1'], events: ['CARRIER_PICKED_UP', 'IN_TRANSIT', 'DELIVERED'] },
  ]);
});

test('a fulfilment that is cancelled after staff put another number in is told as well, and shown again without a second mail of the shop', async () => {
  const { world, context, ports, fulfil, parcelIs, shown, timePasses } = await aShop({
    ORDER_MANAGER_MAILS_BY: 'parcel_shipped=shop',
  });
  await fulfil();
  await showProgress(ports);
  const [first] = await shown();
  await ask(world, RETRACK, { id: first!.fulfillmentId, number: 'BY-STAFF-1' });
  await control(world, 'POST', `/shop/fulfillments/${first!.fulfillmentId.replace(/.*\//, '')}/cancel`, {});
  await parcelIs('in_transit');
  await showProgress(ports);
  const told = (await eventsIn(context.store)).filter(({ type }) => type === 'fulfillment.withheld');
  expect(told).toMatchObject([{ data: { undoneFulfillmentId: first!.fulfillmentId } }]);

  await fulfil();
  await timePasses();
  await showProgress(ports);
  expect(await shown()).toMatchObject([
    { status: 'CANCELLED', notifications: 1 },
    { trackingNumbers: ['YT2600001'], notifications: 0, events: ['IN_TRANSIT'] },
  ]);
});

test('of a parcel that is two fulfilments the one that is cancelled in the shop is told, once, and shown again beside the other', async () => {
  const { world, gid, context, ports, fulfil, parcelIs, shown, timePasses } = await aShop();
  const { store } = context;
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const place = { location: 'Second warehouse', units: { 101: 2 } };
  await control(world, 'POST', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/split`, place);
  await fulfil();
  await showProgress(ports);
  const [, second] = await shown();
  await control(world, 'POST', `/shop/fulfillments/${second!.fulfillmentId.replace(/.*\//, '')}/cancel`, {});
  await parcelIs('in_transit');
  await showProgress(ports);
  const told = async () =>
    (await eventsIn(store)).flatMap(({ type, data }) => (type === 'fulfillment.withheld' ? [data] : []));
  const undone = { undoneFulfillmentId: second!.fulfillmentId };
  expect(await told()).toMatchObject([undone]);
  const [word] = await told();
  await store.run(
    `insert into holds (id, order_id, supplier_order_id, reason, evidence, opened_at, released_at)
     values ('hld_1', $1, $2, 'fulfillment_not_ours', $3::jsonb, now(), now())`,
    [ORDER_ID, SUPPLIER_ORDER_ID, JSON.stringify(z.object({ evidence: z.unknown() }).parse(word).evidence)],
  );

  await fulfil();
  await timePasses();
  await showProgress(ports);
  await parcelIs('out_for_delivery');
  await timePasses();
  await showProgress(ports);
  expect(await told()).toHaveLength(1);
  expect((await shown()).map(({ status, lines, events }) => [status, lines.length, events.at(-1)])).toEqual([
    ['SUCCESS', 1, 'OUT_FOR_DELIVERY'],
    ['CANCELLED', 1, 'CARRIER_PICKED_UP'],
    ['SUCCESS', 1, 'OUT_FOR_DELIVERY'],
  ]);
});

test('a cancelled fulfilment is looked for also where the shop lets nobody in when it is told', async () => {
  const { world, gid, context, ports, fulfil } = await aShop();
  const { store } = context;
  await fulfil();
  await showProgress(ports);
  const shopOrderId = gid.replace(/.*\//, '');
  const orderId = orderIdOf(CREDENTIALS.shop, shopOrderId);
  await store.run('update orders set id = $1', [orderId]);
  await store.run('update parcels set order_id = $1', [orderId]);
  const stranger = shopPorts(context, world, { accessToken: 'revoked' });
  const hint = { shop: CREDENTIALS.shop, shopOrderId, fulfillmentCancelled: true } as const;
  expect(await rereadOrder(stranger, hint, 'hint-1')).toEqual(DONE);
  expect(await store.query('select 1 from parcels where shown_state is null')).toHaveLength(1);
});

test('a cancelled fulfilment is looked for also where its parcel was being shown when it was told', async () => {
  const { world, gid, context, ports, fulfil, shown, parcelIs } = await aShop();
  const { store } = context;
  await fulfil();
  await showProgress(ports);
  await parcelIs('in_transit');
  const shopOrderId = gid.replace(/.*\//, '');
  const orderId = orderIdOf(CREDENTIALS.shop, shopOrderId);
  await store.run('update orders set id = $1', [orderId]);
  await store.run('update parcels set order_id = $1', [orderId]);
  const [first] = await shown();
  const hint = { shop: CREDENTIALS.shop, shopOrderId, fulfillmentCancelled: true } as const;
  const client = clientOf(world.origin);
  const meanwhile: AdminClient = {
    ...client,
    request: async (operation, ...rest) => {
      const answer = await client.request(operation, ...rest);
      if (operation === CREATE_FULFILLMENT_EVENT) {
        await control(
          world,
          'POST',
          `/shop/fulfillments/${first!.fulfillmentId.replace(/.*\//, '')}/cancel`,
          {},
        );
        await rereadOrder(ports, hint, 'hint-1');
      }
      return answer;
    },
  };
  await showProgress({ ...ports, admin: meanwhile });
  await showProgress(ports);
  const told = (await eventsIn(store)).filter(({ type }) => type === 'fulfillment.withheld');
  expect(told).toHaveLength(1);
});

test.each(['in_transit', 'delivered', 'in_transit of an order that is cancelled as well'])(
  'a cancelled fulfilment of which no webhook told is found with the next news of its parcel, unless that is its end: %s',
  async (state) => {
    const { world, gid, context, fulfil, ports, parcelIs, shown } = await aShop();
    await fulfil();
    await showProgress(ports);
    const [first] = await shown();
    await control(world, 'POST', `/shop/fulfillments/${first!.fulfillmentId.replace(/.*\//, '')}/cancel`, {});
    const [place = '', ...cancelled] = state.split(' ');
    if (cancelled.length > 0)
      await control(world, 'PUT', `/shop/orders/${gid.replace(/.*\//, '')}`, { cancelled: true });
    await parcelIs(place);
    await showProgress(ports);
    const told = (await eventsIn(context.store)).filter(({ type }) => type === 'fulfillment.withheld');
    expect(told).toHaveLength(state === 'in_transit' ? 1 : 0);
  },
);

test('a fulfilment that is cancelled before its first checkpoint is found where the shop refuses that one', async () => {
  const { world, context, fulfil, ports, shown } = await aShop();
  await fulfil();
  const [first] = await shown();
  await control(world, 'POST', `/shop/fulfillments/${first!.fulfillmentId.replace(/.*\//, '')}/cancel`, {});
  await showProgress(ports);
  const told = (await eventsIn(context.store)).filter(({ type }) => type === 'fulfillment.withheld');
  expect(told).toMatchObject([{ data: { undoneFulfillmentId: first!.fulfillmentId } }]);
});

const NOTE = `query Note($id: ID!) { order(id: $id) { note tags } }`;

test('with the settings tags and a note say what we did, once, beside what people wrote', async () => {
  const { world, gid, ports, context, fulfil, parcelIs, timePasses } = await aShop({
    SHOPIFY_ORDER_TAGS: 'true',
    SHOPIFY_ORDER_NOTES: 'true',
  });
  await ask(world, 'mutation N($in: OrderInput!) { orderUpdate(input: $in) { order { id } } }', {
    in: { id: gid, note: 'ring twice' },
  });
  await fulfil();
  await showProgress(ports);
  // A copy that died before it could remember comes again.
  await context.store.run('update parcels set shown_state = null');
  await timePasses();
  await parcelIs('in_transit');
  await showProgress(ports);
  const { data } = await ask(world, NOTE, { id: gid });
  expect(data).toEqual({
    order: {
      note: 'ring twice\nOrder Manager: parcel YT2600001 by YunExpress',
      tags: ['vip', 'fragile', 'order-manager'],
    },
  });
});

test('without the settings the order is left as it is', async () => {
  const { world, gid, ports, fulfil } = await aShop();
  await fulfil();
  await showProgress(ports);
  const { data } = await ask(world, NOTE, { id: gid });
  expect(data).toEqual({ order: { note: null, tags: ['vip', 'fragile'] } });
});

const HOLDS = `query Holds($id: ID!) { order(id: $id) { fulfillmentOrders(first: 8) { nodes { id status
  assignedLocation { name } fulfillmentHolds { handle reason reasonNotes } } } } }`;

async function holdsIn(world: Parameters<typeof ask>[0], id: string): Promise<string[]> {
  const { data } = (await ask(world, HOLDS, { id })) as {
    data: {
      order: {
        fulfillmentOrders: {
          nodes: { status: string; fulfillmentHolds: { handle: string; reason: string }[] }[];
        };
      };
    };
  };
  return data.order.fulfillmentOrders.nodes.map(({ status, fulfillmentHolds }) =>
    [status, ...fulfillmentHolds.map(({ handle, reason }) => `${handle}/${reason}`)].join(' '),
  );
}

const THEIRS = 'their-app/OTHER';
const OURS = 'order-manager/INCORRECT_ADDRESS';

async function aHeldOrder() {
  const shop = await aShop();
  const { world, gid, context, ports } = shop;
  await context.store.run('delete from parcels');
  const open = () =>
    context.store.run(
      `insert into holds (id, order_id, reason, evidence) values ('h1', $1, 'address_invalid', '{}')
       on conflict (id) do update set released_at = null`,
      [ORDER_ID],
    );
  const [mine] = (await fulfillmentOrdersOf(world, gid)).fulfillmentOrders.nodes;
  const theirHolds = (holds: object[]) =>
    control(world, 'PUT', `/shop/fulfillment-orders/${mine!.id.replace(/.*\//, '')}/holds`, holds);
  const mirror = async () => {
    await context.store.run("update shop_holds set check_after = now() - interval '1 second'");
    await mirrorHolds(ports);
    return holdsIn(world, gid);
  };
  const showParcel = async (units: Record<string, number>): Promise<void> => {
    const parcelId = await givenParcelRow(context.store, units);
    const command = { orderId: ORDER_ID, supplierOrderId: SUPPLIER_ORDER_ID, parcelId };
    expect(await fulfillParcel(ports, command, 'command-1')).toEqual(DONE);
  };
  return { ...shop, open, mirror, showParcel, theirHolds, mine: mine!.id };
}

test('an order that is held here is held in the shop under our handle, and only ours is lifted', async () => {
  const { world, context, open, mirror, theirHolds } = await aHeldOrder();
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
  await theirHolds([{ reason: 'OTHER', handle: 'their-app' }]);
  await open();
  // The second fulfilment order belongs to another service.
  expect(await mirror()).toEqual([`ON_HOLD ${THEIRS} ${OURS}`, 'OPEN']);
  const { calls } = await ledgerOf(world);
  await mirror();
  expect((await ledgerOf(world)).calls['shopify.fulfillmentOrderHold']).toBe(
    calls['shopify.fulfillmentOrderHold'],
  );
  await context.store.run('update holds set released_at = now()');
  expect(await mirror()).toEqual([`ON_HOLD ${THEIRS}`, 'OPEN']);
  await open();
  expect(await mirror()).toEqual([`ON_HOLD ${THEIRS} ${OURS}`, 'OPEN']);
});

test('a hold of ours that the shop does not name as ours is taken back at once: nobody would lift it any more', async () => {
  const { world, gid, ports, open } = await aHeldOrder();
  const client = clientOf(world.origin);
  const forgetful: AdminClient = {
    ...client,
    request: async (operation, variables, schema, options) => {
      const answer: unknown = await client.request(operation, variables, z.unknown(), options);
      const text = JSON.stringify(answer).replaceAll(/"(handle|heldByRequestingApp)":[^,}]*/g, '"$1":null');
      return schema.parse(JSON.parse(text));
    },
  };
  await open();
  await mirrorHolds({ ...ports, admin: forgetful });
  expect(await holdsIn(world, gid)).toEqual(['OPEN', 'OPEN']);
  expect((await ledgerOf(world)).calls).toMatchObject({ 'shopify.fulfillmentOrderHold': 1 });
});

test('a shop that refuses our holds for good is asked again much later, and not all the time', async () => {
  const { ports, context, open } = await aHeldOrder();
  const admin = ports.admin!;
  let asked = 0;
  const refusing: AdminClient = {
    ...admin,
    request: (operation, variables, schema, options) => {
      if (operation !== PLACE_HOLD) return admin.request(operation, variables, schema, options);
      asked += 1;
      throw new ShopError('permanent', 'Shopify PlaceHold: permanent', { codes: 'undefinedField' });
    },
  };
  const mirrorAfter = async (minutes: number): Promise<void> => {
    await context.store.run(
      "update shop_holds set check_after = check_after - $1::float8 * interval '1 minute'",
      [minutes],
    );
    await mirrorHolds({ ...ports, admin: refusing });
  };
  await open();
  await mirrorAfter(0);
  await mirrorAfter(5);
  expect(asked).toBe(1);
  await mirrorAfter(60);
  expect(asked).toBe(2);
});

test('a hold that may stand in the shop is lifted soon, also where the shop refused to be read meanwhile', async () => {
  const { world, gid, ports, context, open } = await aHeldOrder();
  const unread: AdminClient = {
    ...ports.admin!,
    request: () => {
      throw new ShopError('permanent', 'Shopify: permanent', { codes: 'undefinedField' });
    },
  };
  const mirrorAfter = async (minutes: number, admin = ports.admin): Promise<void> => {
    await context.store.run(
      "update shop_holds set check_after = check_after - $1::float8 * interval '1 minute'",
      [minutes],
    );
    await mirrorHolds({ ...ports, admin });
  };
  await givenFaults(world, {
    operation: 'shopify.fulfillmentOrderHold',
    kind: 'no_answer_after',
    times: 1,
  });
  await open();
  await mirrorAfter(0);
  await mirrorAfter(10, unread);
  await context.store.run('update holds set released_at = now()');
  await mirrorAfter(10);
  expect(await holdsIn(world, gid)).toEqual(['OPEN', 'OPEN']);
});

test.each(['error_after', 'no_answer_after', 'error_before'])(
  'a hold whose answer was lost (%s) is placed once, and lifted',
  async (kind) => {
    const { world, context, open, mirror } = await aHeldOrder();
    await givenFaults(
      world,
      { operation: 'shopify.fulfillmentOrderHold', kind, times: 1 },
      { operation: 'shopify.fulfillmentOrderReleaseHold', kind, times: 1 },
    );
    await open();
    await mirror();
    expect(await mirror()).toEqual([`ON_HOLD ${OURS}`, 'OPEN']);
    await context.store.run('update holds set released_at = now()');
    await mirror();
    expect(await mirror()).toEqual(['OPEN', 'OPEN']);
  },
);

test.each(['error_after', 'no_answer_after'])(
  'a hold that is over here before the lost answer of its placing (%s) was asked for again is lifted all the same',
  async (kind) => {
    const { world, context, open, mirror } = await aHeldOrder();
    await givenFaults(world, { operation: 'shopify.fulfillmentOrderHold', kind, times: 1 });
    await open();
    expect(await mirror()).toEqual([`ON_HOLD ${OURS}`, 'OPEN']);
    await context.store.run('update holds set released_at = now()');
    expect(await mirror()).toEqual(['OPEN', 'OPEN']);
  },
);

test('a hold that is over by the time its order comes to its turn is not placed: nobody would lift it any more', async () => {
  const { world, gid, context, ports, open, mirror } = await aHeldOrder();
  const claimed = Promise.withResolvers<void>();
  const turn = Promise.withResolvers<void>();
  const { store } = context;
  const query: typeof store.query = async <Row extends object>(
    ...statement: Parameters<typeof store.query>
  ) => {
    const rows = await store.query<Row>(...statement);
    claimed.resolve();
    await turn.promise;
    return rows;
  };
  await open();
  const late = mirrorHolds({ ...ports, store: { ...store, query } });
  await claimed.promise;
  await store.run('update holds set released_at = now()');
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
  turn.resolve();
  await late;
  expect(await holdsIn(world, gid)).toEqual(['OPEN', 'OPEN']);
});

test('our own hold of which no answer told does not stop our own parcel', async () => {
  const { world, context, open, mirror, showParcel } = await aHeldOrder();
  const fault = { operation: 'shopify.fulfillmentOrderHold', kind: 'no_answer_after', times: 1 };
  await givenFaults(world, fault);
  await open();
  expect(await mirror()).toEqual([`ON_HOLD ${OURS}`, 'OPEN']);
  await showParcel({ 101: 2 });
  expect(await eventsIn(context.store)).toMatchObject([{ type: 'fulfillment.synced' }]);
});

test('our own hold of which we know nothing any more, as after a restored backup, does not stop our own parcel', async () => {
  const { world, context, showParcel, mine } = await aHeldOrder();
  const hold = { reason: 'AWAITING_PAYMENT', handle: 'order-manager' };
  await ask(world, PLACE_HOLD, { fulfillmentOrderId: mine, hold });
  await showParcel({ 101: 2 });
  expect(await eventsIn(context.store)).toMatchObject([{ type: 'fulfillment.synced' }]);
});

test('a hold of others stops our parcel, also where one of ours stands beside it', async () => {
  const { world, context, showParcel, theirHolds, mine } = await aHeldOrder();
  await theirHolds([{ reason: 'OTHER', handle: 'their-app' }]);
  const hold = { reason: 'AWAITING_PAYMENT', handle: 'order-manager' };
  await ask(world, PLACE_HOLD, { fulfillmentOrderId: mine, hold });
  await showParcel({ 101: 2 });
  expect(await eventsIn(context.store)).toMatchObject([
    { type: 'fulfillment.withheld', data: { reason: 'operator', evidence: { heldInShop: 'OTHER' } } },
  ]);
});

test('a hold of ours that lands in the shop after a parcel looked for it is lifted', async () => {
  const { world, gid, context, open, mirror, showParcel, mine } = await aHeldOrder();
  const fault = { operation: 'shopify.fulfillmentOrderHold', kind: 'no_answer_before', times: 1 };
  await givenFaults(world, fault);
  await open();
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
  await context.store.run('update holds set released_at = now()');
  await showParcel({ 999: 1 });
  const hold = { reason: 'INCORRECT_ADDRESS', handle: 'order-manager' };
  await ask(world, PLACE_HOLD, { fulfillmentOrderId: mine, hold });
  expect(await holdsIn(world, gid)).toEqual([`ON_HOLD ${OURS}`, 'OPEN']);
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
});

test('our own hold does not stop our own parcel; afterwards what is left is held no more than the shop allows', async () => {
  const { world, context, open, mirror, showParcel, gid } = await aHeldOrder();
  await open();
  expect(await mirror()).toEqual([`ON_HOLD ${OURS}`, 'OPEN']);
  await showParcel({ 101: 2 });
  expect(await eventsIn(context.store)).toMatchObject([{ type: 'fulfillment.synced' }]);
  expect(await holdsIn(world, gid)).toEqual(['IN_PROGRESS', 'OPEN']);
});

test('while a parcel that has left waits to be shown nothing is held, whether or not a carrier has scanned it', async () => {
  const { context, open, mirror } = await aHeldOrder();
  const parcelId = await givenParcelRow(context.store, { 101: 2 });
  await context.store.run("update parcels set state = 'announced' where id = $1", [parcelId]);
  await open();
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
});

test('an order of another shop is nobody’s business here', async () => {
  const { context, open, mirror } = await aHeldOrder();
  await context.store.run("update orders set shop = 'other.myshopify.com'");
  await open();
  expect(await mirror()).toEqual(['OPEN', 'OPEN']);
});

test('what is due later is not held by us: our hold would hide that', async () => {
  const { world, open, mirror, mine } = await aHeldOrder();
  await control(world, 'PUT', `/shop/fulfillment-orders/${mine.replace(/.*\//, '')}/schedule`, {
    scheduled: true,
  });
  await open();
  expect(await mirror()).toEqual(['SCHEDULED', 'OPEN']);
});

test('what is held here only because the shop holds it is not held there by us as well', async () => {
  const { context, open, mirror, theirHolds } = await aHeldOrder();
  await theirHolds([{ reason: 'OTHER', handle: 'their-app' }]);
  await open();
  await context.store.run(`update holds set evidence = '{"heldInShop":"OTHER"}'`);
  expect(await mirror()).toEqual([`ON_HOLD ${THEIRS}`, 'OPEN']);
});

test('a shop that does not answer keeps nobody at an order for longer than its lease: another copy would tell the same beside it', async () => {
  const timeoutMs = 500;
  const { world, context, ports, fulfil, parcelIs } = await aShop({
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: String(timeoutMs / 1_000),
  });
  expect(await fulfil()).toEqual(DONE);
  await parcelIs('in_transit');
  await context.store.run('update parcels set is_sole_fulfillment = false');
  await givenFaults(world, { operation: 'shopify.*', kind: 'slow', delayMs: 5_000 });
  const begun = performance.now();
  await showProgress({ ...ports, admin: clientOf(world.origin, { timeoutMs }) });
  expect(performance.now() - begun).toBeLessThan(4 * timeoutMs);
});
