import { expect, test } from 'vitest';
import { trackingKeyOf } from '../../contracts/ids.ts';
import { observeFamily } from '../../services/suppliers/cj-dropshipping/family.ts';
import {
  isCancelled,
  isPaidIn,
  needsConfirmation,
  observedStatusOf,
} from '../../services/suppliers/cj-dropshipping/order-status.ts';
import { OrderRow, TrackRow } from '../../services/suppliers/cj-dropshipping/responses.ts';
import { movingParcelState, toParcels } from '../../services/suppliers/cj-dropshipping/tracking.ts';

test.each([
  ['CREATED', 'awaiting_payment', false],
  ['IN_CART', 'awaiting_payment', false],
  ['UNPAID', 'awaiting_payment', false],
  ['UNSHIPPED', 'processing', true],
  ['PENDING', 'processing', true],
  ['PROCESSING', 'processing', true],
  ['SHIPPED', 'shipped', true],
  ['DELIVERED', 'delivered', true],
  ['COMPLETED', 'delivered', true],
  ['CANCELLED', 'cancelled', false],
  ['CANCELED', 'cancelled', false],
  ['CLOSED', 'cancelled', false],
  ['REFUND_COMPLETE', 'cancelled', false],
  ['shipped', 'shipped', true],
  ['OTHER', null, null],
  ['SOMETHING_NEW', null, null],
  [null, null, false],
] as const)('order state %s is seen as %s and is paid: %s', (orderStatus, observed, paid) => {
  expect(observedStatusOf(orderStatus)).toBe(observed);
  expect(isPaidIn(orderStatus)).toBe(paid);
  expect(isCancelled(orderStatus)).toBe(observed === 'cancelled');
  expect(needsConfirmation(orderStatus)).toBe(orderStatus === 'CREATED' || orderStatus === 'IN_CART');
});

test.each([
  [null, 'announced'],
  ['No tracking information yet', 'announced'],
  ['Shipment information received', 'announced'],
  ['Left the warehouse', 'first_scan'],
  ['Something never heard of', 'first_scan'],
  ['In transit', 'in_transit'],
  ['Departed from facility', 'in_transit'],
  ['Customs clearance completed', 'in_transit'],
  ['Picked up by the local carrier', 'in_transit'],
  ['Delivered to the local courier', 'in_transit'],
  ['Package will be delivered soon', 'in_transit'],
  ['Out for delivery', 'out_for_delivery'],
  ['OUT_FOR_DELIVERY', 'out_for_delivery'],
  ['OutForDelivery', 'out_for_delivery'],
  ['UnDelivered', 'attempt_failed'],
  ['Delivered to the WareHouse', 'in_transit'],
  ['CUSTOMS_CLEARED', 'in_transit'],
  ['International leg', 'in_transit'],
  ['International shipment label created', 'announced'],
  ['Ready for pickup', 'available_for_pickup'],
  ['Ready for pickup at the carrier’s shop', 'available_for_pickup'],
  ['Ready for pick-up by the recipient', 'available_for_pickup'],
  ['AVAILABLE_FOR_PICKUP_BY_CUSTOMER', 'available_for_pickup'],
  ['Ready to be picked up by the customer', 'available_for_pickup'],
  ['Waiting to be picked up by you', 'available_for_pickup'],
  ['Awaiting carrier pickup', 'announced'],
  ['Ready to be picked up by the courier', 'announced'],
  ['Arrived at pick-up point', 'available_for_pickup'],
  ['Delivered', 'delivered'],
  ['Delivered, in mailbox', 'delivered'],
  ['Signed by neighbour', 'delivered'],
  ['Delivery failed', 'attempt_failed'],
  ['Undelivered', 'attempt_failed'],
  ['Not delivered, attempt 1', 'attempt_failed'],
  ['Exception: package damaged', 'exception'],
  ['Delayed by weather', 'delayed'],
  ['Lost', 'lost'],
  ['Return to sender', 'returned'],
  ['Forwarder returned the parcel', 'exception'],
  ['0', 'announced'],
  ['1', 'first_scan'],
  ['3', 'exception'],
  ['4', 'first_scan'],
  ['8', 'in_transit'],
  ['9', 'in_transit'],
  ['10', 'out_for_delivery'],
  ['11', 'available_for_pickup'],
  ['12', 'delivered'],
  ['13', 'exception'],
  ['14', 'returned'],
  ['99', 'first_scan'],
] as const)('a shipped parcel whose carrier says "%s" is %s', (text, state) => {
  expect(movingParcelState(text)).toBe(state);
});

const row = OrderRow.parse({
  trackNumber: 'CJPA1, CJPA2',
  logisticName: 'CJPacket Ordinary',
  trackingUrl: 'https://track.example/?n=CJPA1',
});
const tracking = new Map([
  [
    'CJPA1',
    TrackRow.parse({ trackingNumber: 'CJPA1', trackingStatus: 'In transit', lastTrackNumber: 'LM1' }),
  ],
]);

test('a number is announced until the order is shipped', () => {
  expect(toParcels(row, 'processing', new Map()).map(({ state }) => state)).toEqual([
    'announced',
    'announced',
  ]);
});

test('each number of a shipped order is a parcel of its own that has left, and only its carrier can have scanned it', () => {
  expect(toParcels(row, 'shipped', tracking)).toEqual([
    {
      trackingNumber: 'CJPA1',
      lastMileTrackingNumber: 'LM1',
      carrier: 'CJPacket Ordinary',
      trackingUrl: 'https://track.example/?n=CJPA1',
      state: 'in_transit',
      hasLeft: true,
    },
    {
      trackingNumber: 'CJPA2',
      lastMileTrackingNumber: null,
      carrier: 'CJPacket Ordinary',
      trackingUrl: null,
      state: 'announced',
      hasLeft: true,
    },
  ]);
});

test('the parcels of a delivered order are delivered, and an order without a number has none', () => {
  expect(toParcels(row, 'delivered', new Map()).map(({ state }) => state)).toEqual([
    'delivered',
    'delivered',
  ]);
  expect(toParcels(OrderRow.parse({}), 'shipped', new Map())).toEqual([]);
});

test('an order that is delivered without a number is for a person, until CJ names one', () => {
  const bare = aRow('SD1', 'DELIVERED', { trackNumber: null });
  expect(observeFamily([bare], new Map())).toMatchObject({
    parcels: [],
    attention: { reason: 'operator', evidence: { orders: 'SD1' } },
  });
  for (const row of [aRow('SD1', 'DELIVERED'), aRow('SD1', 'SHIPPED', { trackNumber: null })])
    expect(observeFamily([row], new Map())).not.toHaveProperty('attention');
});

test('a tracking address that is none of the web’s is dropped', () => {
  const odd = OrderRow.parse({ trackNumber: 'CJPA1', trackingUrl: 'javascript:alert(1)' });
  expect(toParcels(odd, 'shipped', new Map())[0]?.trackingUrl).toBeNull();
});

const aRow = (code: string, orderStatus: string | null, more: object = {}) =>
  OrderRow.parse({
    orderNum: 'sup_ord_1',
    cjOrderId: code,
    orderStatus,
    trackNumber: `T${code.slice(2)}`,
    ...more,
  });
const holding = (line: string, quantity: number) => ({
  productList: [{ vid: '1', quantity, storeLineItemId: line }],
});

test.each([
  [['UNSHIPPED', 'UNSHIPPED'], 'processing'],
  [['SHIPPED', 'UNSHIPPED'], 'processing'],
  [['SHIPPED', 'DELIVERED'], 'shipped'],
  [['DELIVERED', 'DELIVERED'], 'delivered'],
  [['DELIVERED', 'CANCELLED'], 'delivered'],
  [['CANCELLED', 'CANCELED'], 'cancelled'],
])('an order whose parts are %j is %s', (states, status) => {
  const parts = states.map((state, index) => aRow(`SD1-${index + 1}`, state));
  expect(observeFamily([aRow('SD1', 'UNSHIPPED'), ...parts], new Map())?.status).toBe(status);
});

test('a part in a state that nobody knows leaves the whole order as it was, and is for a person', () => {
  const family = [aRow('SD1-1', 'SHIPPED', holding('line-1', 1)), aRow('SD1-2', 'ODD')];
  expect(observeFamily(family, new Map())).toMatchObject({
    status: null,
    parcels: [{ trackingNumber: 'T1-1', units: { 'line-1': 1 } }],
    attention: { reason: 'operator', evidence: { states: 'SD1-2: ODD' } },
  });
  // It cannot be told what of the order is in the one parcel.
  expect(observeFamily([aRow('SD1-1', 'SHIPPED'), aRow('SD1-2', 'ODD')], new Map())?.parcels).toMatchObject([
    { units: {} },
  ]);
  expect(observeFamily([aRow('SD1-1', 'SHIPPED'), aRow('SD1-2', null)], new Map())).toBeNull();
});

test('each part shows its parcel with what is in it, the whole order and what was cancelled none', () => {
  const family = [
    aRow('SD1', 'SHIPPED'),
    aRow('SD1-1', 'SHIPPED', holding('line-1', 2)),
    aRow('SD1-2', 'UNSHIPPED', holding('line-1', 1)),
    aRow('SD1-3', 'CANCELLED', holding('line-1', 1)),
  ];
  expect(observeFamily(family, new Map())).toMatchObject({
    parcels: [
      { trackingNumber: 'T1-1', state: 'announced', hasLeft: true, units: { 'line-1': 2 } },
      { trackingNumber: 'T1-2', state: 'announced', units: { 'line-1': 1 } },
    ],
    evidence: { orderStatus: 'SHIPPED, UNSHIPPED', parts: 2 },
  });
});

test('a part that names articles of which it holds none holds the others', () => {
  const [one, other] = ['line-1', 'line-2'].map((storeLineItemId, index) => ({
    vid: `${index}`,
    storeLineItemId,
  }));
  const family = [
    aRow('SD1-1', 'SHIPPED', {
      productList: [
        { ...one, quantity: 2 },
        { ...other, quantity: 0 },
      ],
    }),
    aRow('SD1-2', 'SHIPPED', {
      productList: [
        { ...one, quantity: '0' },
        { ...other, quantity: 1 },
      ],
    }),
  ];
  expect(observeFamily(family, new Map())?.parcels.map(({ units }) => units)).toEqual([
    { 'line-1': 2 },
    { 'line-2': 1 },
  ]);
});

test('a part that was cancelled among living ones is for a person, with its code and pieces', () => {
  const [living, gone] = [
    aRow('SD1-1', 'SHIPPED', holding('line-1', 2)),
    aRow('SD1-2', 'CANCELLED', holding('line-2', 1)),
  ];
  expect(observeFamily([living, gone], new Map())?.attention).toEqual({
    reason: 'operator',
    evidence: {
      cause: expect.stringContaining('a part of the split order was cancelled'),
      cancelledParts: 'SD1-2 (1 of line-2)',
    },
  });
  expect(observeFamily([living], new Map())).not.toHaveProperty('attention');
  expect(observeFamily([gone], new Map())).not.toHaveProperty('attention');
});

const nameless = (code: string, orderStatus: string, vid: string) =>
  aRow(code, orderStatus, { productList: [{ vid, quantity: 1 }] });

test('a parcel never gets the pieces of a cancelled part, though CJ names no lines', () => {
  const family = [nameless('SD1-1', 'SHIPPED', '1'), nameless('SD1-2', 'CANCELLED', '2')];
  const seen = observeFamily(family, new Map());
  expect(seen?.parcels).toMatchObject([{ trackingNumber: 'T1-1', units: {} }]);
  expect(seen?.attention?.evidence).toMatchObject({ cancelledParts: 'SD1-2 (1 of article 2)' });
  const lines = [
    { lineId: 'line-1', supplierVariantId: '1' },
    { lineId: 'line-2', supplierVariantId: '2' },
  ];
  const known = observeFamily(family, new Map(), lines);
  expect(known?.parcels).toMatchObject([{ trackingNumber: 'T1-1', units: { 'line-1': 1 } }]);
  expect(known?.attention?.evidence).toMatchObject({ cancelledParts: 'SD1-2 (1 of line-2)' });
  const twice = lines.map(({ lineId }) => ({ lineId, supplierVariantId: '1' }));
  expect(observeFamily(family, new Map(), twice)?.parcels).toMatchObject([{ units: {} }]);
});

test('a line id that is none of the order’s says nothing, and the article tells the line', () => {
  const lines = [
    { lineId: 'line-1', supplierVariantId: '1' },
    { lineId: 'line-2', supplierVariantId: '2' },
  ];
  const family = [
    aRow('SD1-1', 'SHIPPED', holding('a-foreign-id', 2)),
    aRow('SD1-2', 'SHIPPED', holding('line-2', 1)),
  ];
  expect(observeFamily(family, new Map(), lines)?.parcels).toMatchObject([
    { trackingNumber: 'T1-1', units: { 'line-1': 2 } },
    { trackingNumber: 'T1-2', units: { 'line-2': 1 } },
  ]);
  const [first] = family.map((row) => observeFamily([row], new Map(), lines.slice(1)));
  expect(first?.parcels[0]).not.toHaveProperty('units');
});

test('pieces beyond those of the line that CJ names them by are of the other lines of that article', () => {
  const lines = [
    { lineId: 'a', supplierVariantId: '1', supplierUnits: 3 },
    { lineId: 'b', supplierVariantId: '2', supplierUnits: 9 },
    { lineId: 'c', supplierVariantId: '1', supplierUnits: 2 },
  ];
  const shipped = (code: string, quantity: number, trackNumber: string) =>
    aRow(code, 'SHIPPED', { ...holding('c', quantity), trackNumber });
  const parts = [shipped('SD1-10', 2, 'T10'), shipped('SD1-2', 2, 'T2'), shipped('SD1-1', 1, 'T1')];
  const contents = observeFamily(parts, new Map(), lines)?.parcels.map((parcel) => [
    parcel.trackingNumber,
    parcel.units,
  ]);
  expect(Object.fromEntries(contents ?? [])).toEqual({ T1: { c: 1 }, T2: { c: 1, a: 1 }, T10: { a: 2 } });
});

test('of several numbers of one part the first has all its pieces, and none those of other parts', () => {
  const family = [
    aRow('SD1-1', 'SHIPPED', { ...holding('line-1', 2), trackNumber: 'TA,TB' }),
    aRow('SD1-2', 'SHIPPED', holding('line-1', 1)),
  ];
  expect(
    observeFamily(family, new Map())?.parcels.map(({ trackingNumber, units }) => [trackingNumber, units]),
  ).toEqual([
    ['TA', { 'line-1': 2 }],
    ['TB', {}],
    ['T1-2', { 'line-1': 1 }],
  ]);
});

test('several numbers of an order that is whole are told as one, which is where the last of them is', () => {
  const numbered = (orderStatus: string) =>
    aRow('SD1', orderStatus, { ...holding('line-1', 2), trackNumber: 'TB,TA' });
  const seen = (states: readonly [string, string]) => {
    const tracking = new Map(
      ['TA', 'TB'].map((number, index) => [
        trackingKeyOf(number),
        { trackingNumber: number, trackingStatus: states[index] ?? null, lastTrackNumber: null },
      ]),
    );
    return observeFamily([numbered('SHIPPED')], tracking)?.parcels.map((parcel) => [
      parcel.trackingNumber,
      parcel.state,
      parcel.units,
    ]);
  };
  expect(seen(['Delivered', 'In transit'])).toEqual([
    ['TA', 'in_transit', undefined],
    ['TB', 'in_transit', {}],
  ]);
  expect(seen(['Delivered', 'Delivered'])).toEqual([
    ['TA', 'delivered', undefined],
    ['TB', 'delivered', {}],
  ]);
});

test('a parcel of an order that is whole names no units, nor does one of a part whose lines are not named', () => {
  const whole = observeFamily([aRow('SD1', 'SHIPPED', holding('line-1', 2))], new Map());
  expect(whole?.parcels[0]).not.toHaveProperty('units');
  expect(observeFamily([nameless('SD1-1', 'SHIPPED', '1')], new Map())?.parcels[0]).not.toHaveProperty(
    'units',
  );
});
