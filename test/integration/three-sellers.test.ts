import { expect, onTestFinished, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { ORDER_SOURCED } from '../../contracts/events/order-sourced.ts';
import { SUPPLIER_ORDER_ACCEPTED, SUPPLIER_ORDER_PLACING } from '../../contracts/events/purchase-outcome.ts';
import {
  type ObservedParcel,
  SUPPLIER_ORDER_OBSERVED,
} from '../../contracts/events/supplier-order-observed.ts';
import { orderIdOf, supplierOrderIdOf } from '../../contracts/ids.ts';
import { startOrders } from '../../services/orders/service.ts';
import { startShopify } from '../../services/shopify/service.ts';
import { aMessage, received } from '../fixtures/order-events.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { aLine, anOrderBody, fulfillmentOrdersOf, givenShopOrder } from '../sandbox/shop-client.ts';
import { CREDENTIALS, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const SHOP = CREDENTIALS.shop;
const SHOP_ORDER_ID = '5500000000099';
const ORDER_ID = orderIdOf(SHOP, SHOP_ORDER_ID);
/** Seller by seller: where it ships from, its line, and the units of that line in each of its two parcels. */
const SELLERS = [
  { from: 'CN', lineId: '1', units: [2, 1] },
  { from: 'US', lineId: '2', units: [1, 1] },
  { from: 'DE', lineId: '3', units: [1, 3] },
] as const;
const totalOf = ({ units }: (typeof SELLERS)[number]): number => units[0] + units[1];
const supplierOrderOf = ({ from }: (typeof SELLERS)[number]): string =>
  supplierOrderIdOf(ORDER_ID, 'cj_dropshipping', from, 1);

const lines = SELLERS.map((seller) => ({
  lineId: seller.lineId,
  variantId: `10${seller.lineId}`,
  productId: '10',
  sku: 'MUG',
  title: 'Mug',
  unitPriceMinor: 1_000,
  units: totalOf(seller),
  openUnits: totalOf(seller),
  deliveredBy: 'us' as const,
}));

const sourced: OrderEvent = {
  type: ORDER_SOURCED,
  data: {
    orderId: ORDER_ID,
    round: 1,
    refused: [],
    parts: SELLERS.map((seller) => ({
      supplier: 'cj_dropshipping',
      part: seller.from,
      shippingMethod: 'Ordinary',
      shipsFrom: seller.from,
      expectedCostMinor: 500,
      currency: 'USD',
      lines: [
        {
          lineId: seller.lineId,
          units: totalOf(seller),
          supplierProductId: 'p',
          supplierVariantId: 'v',
          supplierUnits: totalOf(seller),
        },
      ],
    })),
  },
};

/** Both parcels of a seller in this state, with what the one or other has of its own. */
const seen = (
  seller: (typeof SELLERS)[number],
  state: ObservedParcel['state'],
  own: Readonly<Record<number, Partial<ObservedParcel>>> = {},
): OrderEvent => ({
  type: SUPPLIER_ORDER_OBSERVED,
  data: {
    orderId: ORDER_ID,
    supplierOrderId: supplierOrderOf(seller),
    status: 'shipped',
    evidence: {},
    parcels: seller.units.map((units, index) => ({
      trackingNumber: `${seller.from}-${index}`,
      lastMileTrackingNumber: null,
      carrier: 'Yanwen',
      trackingUrl: null,
      state,
      units: { [seller.lineId]: units },
      ...own[index],
    })),
  },
});

test('three sellers, two parcels each, one number replaced, one parcel lost: shop, mails and our units agree', async () => {
  const world = await givenWorld();
  const gid = await givenShopOrder(
    world,
    anOrderBody({
      id: Number(SHOP_ORDER_ID),
      line_items: SELLERS.map((seller) =>
        aLine({
          id: Number(seller.lineId),
          quantity: totalOf(seller),
          fulfillable_quantity: totalOf(seller),
        }),
      ),
    }),
  );
  const context = await aServiceContext(nats.url, {
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '2',
    ORDER_MANAGER_GRACE_SECONDS: '0',
    ORDER_MANAGER_RETRY_SECONDS: '0.5',
    SHOPIFY_SHOP_URL: SHOP,
    SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
    SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
    SHOPIFY_ADMIN_BASE_URL: world.origin,
  });
  const { store, bus } = context;
  onTestFinished(await startOrders(context));
  onTestFinished(await startShopify(context));
  const until = (what: () => unknown) => expect.poll(what, { interval: 50 });
  let told = 0;
  const say = (event: OrderEvent) => {
    told += 1;
    return bus.publish([aMessage(event, `event-${told}`)]);
  };
  const orderIs = (state: string) =>
    until(() => store.query('select state from orders where id = $1', [ORDER_ID])).toEqual([{ state }]);

  await say(received(SHOP_ORDER_ID, { orderId: ORDER_ID, shop: SHOP, canBeReread: true, lines }));
  await orderIs('sourcing');
  await say(sourced);
  for (const seller of SELLERS) {
    const attempt = { orderId: ORDER_ID, supplierOrderId: supplierOrderOf(seller), attempt: 1 };
    await say({ type: SUPPLIER_ORDER_PLACING, data: attempt });
    const reference = { supplierReference: `ref-${seller.from}`, amountMinor: 500 };
    await say({ type: SUPPLIER_ORDER_ACCEPTED, data: { ...attempt, ...reference } });
  }
  await orderIs('awaiting_shipment');
  const [china, america, germany] = SELLERS;
  for (const seller of SELLERS) await say(seen(seller, 'in_transit'));
  await orderIs('shipped');
  const shownIn = (states: Readonly<Record<string, string>>) =>
    until(async () =>
      Object.fromEntries(
        (
          await store.query<{ number: string; state: string | null }>(
            'select tracking_number as number, shown_state as state from parcels',
          )
        ).map(({ number, state }) => [number, state]),
      ),
    ).toEqual(states);
  const all = (state: string) =>
    Object.fromEntries(SELLERS.flatMap(({ from }) => [0, 1].map((index) => [`${from}-${index}`, state])));
  await shownIn(all('in_transit'));

  await say(seen(china, 'delivered', { 0: { lastMileTrackingNumber: 'LAST-MILE' } }));
  await say(seen(america, 'delivered', { 1: { state: 'lost' } }));
  await say(seen(germany, 'delivered'));
  await shownIn({ ...all('delivered'), 'US-1': 'lost' });

  const { fulfillments } = await ledgerOf(world);
  const shown = fulfillments.map(({ trackingNumbers, lines: units, events }) => [
    trackingNumbers.join(' + '),
    units.map(({ lineItemId, quantity }) => `${quantity} of ${lineItemId.replace(/.*\//, '')}`).join(),
    events.join(),
  ]);
  expect(shown.sort()).toEqual([
    ['CN-0 + LAST-MILE', '2 of 1', 'IN_TRANSIT,DELIVERED'],
    ['CN-1', '1 of 1', 'IN_TRANSIT,DELIVERED'],
    ['DE-0', '1 of 3', 'IN_TRANSIT,DELIVERED'],
    ['DE-1', '3 of 3', 'IN_TRANSIT,DELIVERED'],
    ['US-0', '1 of 2', 'IN_TRANSIT,DELIVERED'],
    ['US-1', '1 of 2', 'IN_TRANSIT,FAILURE'],
  ]);
  const { fulfillmentOrders } = await fulfillmentOrdersOf(world, gid);
  expect(fulfillmentOrders.nodes.flatMap(({ lineItems }) => lineItems.nodes)).toMatchObject(
    SELLERS.map(() => ({ remainingQuantity: 0 })),
  );

  const mails = await store.query<{ kind: string; count: number }>(
    'select kind, count(*)::int as count from notifications group by kind order by kind',
  );
  expect(mails).toEqual([
    { kind: 'order_confirmed', count: 1 },
    { kind: 'parcel_delivered', count: 5 },
    { kind: 'parcel_in_transit', count: 6 },
    { kind: 'parcel_shipped', count: 6 },
  ]);
  const [order] = await store.query<{ lines: Record<string, { ordered: number }> }>(
    "select context -> 'lines' as lines from orders",
  );
  const bought = await store.query<{ units: Record<string, number> }>(
    "select context -> 'units' as units from supplier_orders order by id",
  );
  const parcels = await store.query<{ units: Record<string, number> }>('select units from parcels');
  for (const seller of SELLERS) {
    const sum = (rows: readonly { units: Record<string, number> }[]): number =>
      rows.reduce((total, { units }) => total + (units[seller.lineId] ?? 0), 0);
    expect([order?.lines[seller.lineId]?.ordered, sum(bought), sum(parcels)]).toEqual(
      Array(3).fill(totalOf(seller)),
    );
  }
  // A person hears of the parcel that is lost.
  expect(await store.query('select reason from holds where released_at is null')).toEqual([
    { reason: 'operator' },
  ]);
});
