import { expect, test } from 'vitest';
import { packedInEach, packedPieces } from '../../services/suppliers/aliexpress/packed-pieces.ts';
import { OrderBody, TrackingBody } from '../../services/suppliers/aliexpress/responses.ts';
import { stateOfNodes, toParcels } from '../../services/suppliers/aliexpress/tracking.ts';
import { toOrderUnits } from '../../services/suppliers/parcel-units.ts';

const nodes = (...names: readonly string[]) =>
  TrackingBody.parse({
    result: {
      data: {
        tracking_detail_line_list: {
          mail_no: 'AP1',
          detail_node_list: names.map((tracking_name, index) => ({
            tracking_name,
            time_stamp: 1_769_500_000_000 - index,
          })),
        },
      },
    },
  }).result!.data!.tracking_detail_line_list[0]!.detail_node_list;

test.each([
  [['Package accepted', 'Order created'], 'first_scan'],
  [['Accepted by carrier'], 'first_scan'],
  [['Accepted by airline'], 'in_transit'],
  [['Departed from origin', 'Package accepted'], 'in_transit'],
  [['Customs clearance started'], 'in_transit'],
  [['Arrived at destination hub'], 'in_transit'],
  [['Out for delivery'], 'out_for_delivery'],
  [['Delivered', 'Out for delivery'], 'delivered'],
  [['Signed by the recipient'], 'delivered'],
  [['Package returned to sender', 'Out for delivery'], 'returned'],
  [['Delivery failed'], 'attempt_failed'],
  [['Item could not be delivered', 'Out for delivery'], 'attempt_failed'],
  [['The parcel cannot be delivered'], 'attempt_failed'],
  [['Unable to deliver'], 'attempt_failed'],
  [['Assigned to a delivery driver', 'Departed from origin'], 'in_transit'],
  [['Delivered to sender', 'Out for delivery'], 'returned'],
  [['Refused by the recipient', 'Out for delivery'], 'exception'],
  [['Customs inspection failed'], 'exception'],
  [['Picked up by the recipient', 'Out for delivery'], 'delivered'],
  [['Collected by customer'], 'delivered'],
  [['Parcel received by the customer', 'Out for delivery'], 'delivered'],
  [['Not received by the customer yet', 'Out for delivery'], 'out_for_delivery'],
  [['Not accepted by the recipient', 'Out for delivery'], 'exception'],
  [['Waiting for the customer', 'Out for delivery'], 'out_for_delivery'],
  [['Delivered to the post office'], 'available_for_pickup'],
  [['Delivered to the airport'], 'in_transit'],
  [['Delivered to overseas warehouse'], 'in_transit'],
  [['Package delivered to local delivery center'], 'in_transit'],
  [['Delivered to the distribution centre'], 'in_transit'],
  [['Handed over to local delivery company'], 'in_transit'],
  [['Delivered to the destination country'], 'in_transit'],
  [['Delivered to the destination city'], 'in_transit'],
  [['Delivered to parcel locker'], 'delivered'],
  [['Delivered to neighbour'], 'delivered'],
  [['Delivered, Front Door/Porch'], 'delivered'],
  [['Delivered to reception of the company'], 'delivered'],
  [['Exception at the border'], 'exception'],
  [['Local news', 'Departed from origin'], 'in_transit'],
  [['Local news'], 'first_scan'],
  [[], 'announced'],
])('a parcel with the nodes %j is %s', (names, state) => {
  expect(stateOfNodes(nodes(...names))).toBe(state);
});

test('the newest node decides also where the nodes come in another order', () => {
  expect(stateOfNodes(nodes('Delivered', 'Out for delivery').toReversed())).toBe('delivered');
});

test('every number is a parcel once, with the carrier’s word where there is one', () => {
  const order = OrderBody.parse({
    result: {
      order_status: 'WAIT_BUYER_ACCEPT_GOODS',
      logistics_info_list: [
        { logistics_no: 'AP00000000000001', logistics_service: 'CAINIAO_STANDARD' },
        { logistics_no: 'ZZ2', logistics_service: 'CAINIAO_STANDARD' },
      ],
    },
  }).result!;
  const details = TrackingBody.parse({
    result: {
      data: {
        tracking_detail_line_list: {
          tracking_detail: [
            {
              mail_no: 'ZZ2',
              carrier_name: 'Some Post',
              cp_website_url: 'https://post.example/?n=ZZ2',
              detail_node_list: { detail_node: { tracking_name: 'Departed' } },
            },
            { mail_no: 'ZZ3', cp_website_url: 'https://post.example/' },
          ],
        },
      },
    },
  }).result!.data!.tracking_detail_line_list;
  expect(toParcels(order, details, [])).toMatchObject([
    {
      trackingNumber: 'AP00000000000001',
      carrier: 'CAINIAO_STANDARD',
      trackingUrl: 'https://global.cainiao.com/newDetail.htm?mailNoList=AP00000000000001',
      state: 'announced',
    },
    {
      trackingNumber: 'ZZ2',
      carrier: 'Some Post',
      trackingUrl: 'https://post.example/?n=ZZ2',
      state: 'in_transit',
    },
    { trackingNumber: 'ZZ3', carrier: null, trackingUrl: null, state: 'announced' },
  ]);
});

test('a number that stands there once for each article is one parcel with all of them, where its newest node says', () => {
  const { result } = OrderBody.parse({
    result: { order_status: 'WAIT_BUYER_ACCEPT_GOODS', logistics_info_list: { logistics_no: 'lp1' } },
  });
  const { tracking_detail_line_list: details } = TrackingBody.parse({
    result: {
      data: {
        tracking_detail_line_list: [
          {
            mail_no: 'LP1',
            package_item_list: [{ sku_id: 1, quantity: 2 }],
            detail_node_list: [{ tracking_name: 'Delivered', time_stamp: 2 }],
          },
          {
            mail_no: 'LP1',
            carrier_name: 'Post',
            package_item_list: [{ sku_id: 2, quantity: 1 }],
            detail_node_list: [{ tracking_name: 'Departed', time_stamp: 1 }],
          },
          { mail_no: 'LP1', package_item_list: [{ sku_id: 1, quantity: 2 }] },
        ],
      },
    },
  }).result!.data!;
  expect(toParcels(result!, details, [line('a', '1'), line('b', '2')])).toMatchObject([
    { trackingNumber: 'LP1', carrier: 'Post', state: 'delivered', units: { a: 2, b: 1 } },
  ]);
});

const line = (lineId: string, supplierVariantId: string) => ({ lineId, supplierVariantId });
const packed = (...items: readonly (readonly [sku_id: string | null, quantity: number])[]) =>
  items.map(([sku_id, quantity]) => ({ sku_id, quantity }));
const BUNDLE = [line('a', '1'), line('a', '2')];

test.each([
  ['pieces of the only line', packed(['1', 2]), [line('a', '1')], { a: 2 }],
  ['the only line, however it is named', packed(['1', 2]), [line('a', '14:193')], { a: 2 }],
  ['several lines', packed(['1', 1], ['2', 3]), [line('a', '1'), line('b', '2')], { a: 1, b: 3 }],
  ['one of several lines', packed(['2', 3]), [line('a', '1'), line('b', '2')], { b: 3 }],
  ['a bundle, which is one line of several articles', packed(['1', 1], ['2', 3]), BUNDLE, { a: 4 }],
  ['half of a bundle', packed(['2', 3]), BUNDLE, { a: 3 }],
  ['a bundle beside another line', packed(['1', 1], ['2', 3]), [...BUNDLE, line('b', '9')], { a: 4 }],
  ['nobody knows what: a stranger', packed(['1', 1], ['9', 1]), [line('a', '1'), line('b', '2')], null],
  ['nobody knows what: nothing is named', [], [line('a', '1')], null],
  ['nobody knows what: no line is known', packed(['1', 2]), [], null],
])('a parcel holds %s', (_, items, lines, pieces) => {
  expect(packedPieces(items, lines)).toEqual(pieces);
});

const A_PARCEL = {
  trackingNumber: 'AP1',
  lastMileTrackingNumber: null,
  carrier: null,
  trackingUrl: null,
  state: 'in_transit',
} as const;

const TWINS = [
  { ...line('a', '1'), supplierUnits: 1 },
  { ...line('b', '1'), supplierUnits: 4 },
];

test.each([
  ['all of an article holds what each of its lines has of it', packed(['1', 5]), TWINS, { a: 1, b: 4 }],
  ['all of an article under another name', packed(['14:193', 5]), TWINS, { a: 1, b: 4 }],
  ['a part of it may be of either line', packed(['1', 1]), TWINS, null],
  ['more of it than was ordered', packed(['1', 6]), TWINS, null],
  [
    'all of it beside another line',
    packed(['1', 5], ['2', 1]),
    [...TWINS, line('c', '2')],
    { a: 1, b: 4, c: 1 },
  ],
  ['none of it', packed(['2', 1]), [...TWINS, line('c', '2')], { c: 1 }],
])('where two lines are of one article, a parcel with %s', (_, items, lines, pieces) => {
  expect(packedPieces(items, lines)).toEqual(pieces);
});

test.each([
  ['pieces of each, line by line', [packed(['1', 2]), packed(['1', 3])], [{ a: 1, b: 1 }, { b: 3 }]],
  [
    'pieces of it beside another line',
    [packed(['1', 1], ['2', 1]), packed(['1', 4])],
    [{ a: 1, c: 1 }, { b: 4 }],
  ],
  ['a part of it only', [packed(['1', 2]), packed(['2', 1])], [null, { c: 1 }]],
  ['more of it than was ordered', [packed(['1', 2]), packed(['1', 4])], [null, null]],
  ['a stranger', [packed(['1', 2]), packed(['1', 3]), packed(['9', 1])], [null, null, null]],
  ['a parcel that says nothing', [packed(['1', 2]), [], packed(['1', 3])], [{ a: 1, b: 1 }, null, { b: 3 }]],
])('where two lines are of one article, parcels with %s', (_, parcels, pieces) => {
  expect(packedInEach(parcels, [...TWINS, line('c', '2')])).toEqual(pieces);
});

test('a bundle that lies in one parcel as a whole is one unit of its line', () => {
  const units = packedPieces(packed(['1', 1], ['2', 1]), BUNDLE) ?? {};
  const bundled = [
    { lineId: 'a', units: 1, supplierUnits: 1 },
    { lineId: 'a', units: 0, supplierUnits: 1 },
  ];
  const [parcel] = toOrderUnits([{ ...A_PARCEL, units }], bundled);
  expect(parcel?.units).toEqual({ a: 1 });
});

test.each([
  ['holds all that was ordered', 2, ['RR2']],
  ['holds a part of it', 1, ['LP1', 'RR2']],
])('a number of the order is no parcel beside one that %s', (_, quantity, numbers) => {
  const order = OrderBody.parse({
    result: {
      child_order_list: [{ sku_id: '7', product_count: 2 }],
      logistics_info_list: [{ logistics_no: 'LP1' }],
    },
  }).result!;
  const packed = { mail_no: 'RR2', package_item_list: [{ sku_id: '7', quantity }] };
  const details = TrackingBody.parse({ result: { data: { tracking_detail_line_list: [packed] } } }).result!
    .data!.tracking_detail_line_list;
  const lines = [{ lineId: 'L1', supplierVariantId: '7' }];
  expect(toParcels(order, details, lines).map(({ trackingNumber }) => trackingNumber)).toEqual(numbers);
});
