import { expect, test } from 'vitest';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import type { PlacedLine } from '../../services/suppliers/adapter.ts';
import type { AliExpressClient } from '../../services/suppliers/aliexpress/client.ts';
import { readStatus } from '../../services/suppliers/aliexpress/status.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const never = new AbortController().signal;

/** What AliExpress answers about one order; an error is thrown in the place of its own state. */
interface Shown {
  readonly order: object;
  /** Its tracking details. */
  readonly parcels?: readonly object[];
}

function aClient(shown: Readonly<Record<string, Shown>>): AliExpressClient {
  return {
    async call({ parameters }, body) {
      const orderId = parameters.ae_order_id ?? /\d+/.exec(parameters.single_order_query ?? '')?.[0] ?? '';
      const { order, parcels = [] } = shown[orderId] ?? { order: {} };
      if (order instanceof Error) throw order;
      const isTracking = parameters.ae_order_id !== undefined;
      const data = { tracking_detail_line_list: parcels };
      return body.parse({ result: isTracking ? { data } : order });
    },
    askForTokens: () => () => Promise.reject(new Error('no token is needed here')),
  };
}

const MUGS: PlacedLine = { lineId: 'mugs', supplierVariantId: '1' };

const aParcel = (mail_no: string, quantity?: number, tracking_name = 'Departed') => ({
  mail_no,
  detail_node_list: [{ tracking_name, time_stamp: 1 }],
  package_item_list: quantity === undefined ? [] : [{ sku_id: '1', quantity }],
});

/** What is observed of the one order of a purchase of mugs. */
async function seen(shown: Shown, lines: readonly PlacedLine[] = [MUGS]) {
  const key = { supplierReference: '71', callerRef: 'sup_ord_1', lines };
  return (await readStatus(aClient({ 71: shown }), [key], never)).get('71');
}

test.each(['SELLER_PART_SEND_GOODS', 'WAIT_SELLER_SEND_GOODS', 'IN_ISSUE', 'IN_FROZEN', 'IN_CANCEL'])(
  'of an order in %s that its logistics call sent in part, only a parcel that says what it holds is told',
  async (order_status) => {
    const order = {
      order_status,
      logistics_status: 'SELLER_SEND_PART_GOODS',
      logistics_info_list: [{ logistics_no: 'AP1' }],
    };
    expect(await seen({ order })).toMatchObject({ status: 'processing', parcels: [] });
    expect(await seen({ order, parcels: [aParcel('AP1')] })).toMatchObject({ parcels: [] });
    expect(await seen({ order, parcels: [aParcel('AP1', 2)] })).toMatchObject({
      parcels: [{ trackingNumber: 'AP1', state: 'in_transit', units: { mugs: 2 } }],
    });
  },
);

test.each([
  ['WAIT_BUYER_ACCEPT_GOODS', 'shipped'],
  ['FINISH', null],
])(
  'also an order in %s is not told as sent whole while its logistics say in part',
  async (order_status, status) => {
    const order = { order_status, logistics_status: 'SELLER_SEND_PART_GOODS' };
    const parcels = [aParcel('AP1')];
    expect((await seen({ order, parcels }))?.parcels ?? []).toEqual([]);
    expect((await seen({ order, parcels }))?.status ?? null).toBe(status);
  },
);

test('an order that was received is there whole, whatever its logistics say', async () => {
  const order = {
    order_status: 'FINISH',
    logistics_status: 'SELLER_SEND_PART_GOODS',
    child_order_list: [{ end_reason: 'buyer_accept_goods' }],
  };
  expect(await seen({ order, parcels: [aParcel('AP1')] })).toMatchObject({
    status: 'delivered',
    parcels: [{ state: 'delivered' }],
  });
});

test.each([
  ['one parcel', [aParcel('AP1', 1)], { AP1: 3 }],
  ['two parcels', [aParcel('AP2', 1), aParcel('AP1', 1)], { AP1: 1, AP2: 2 }],
])('what %s of a received order do not name was in the last of them', async (_, parcels, contents) => {
  const lines = [{ ...MUGS, supplierUnits: 3 }];
  const order = (order_status: string, end_reason: string | null = null) => ({
    order_status,
    logistics_status: order_status === 'FINISH' ? 'BUYER_ACCEPT_GOODS' : 'SELLER_SEND_GOODS',
    child_order_list: [
      { sku_id: '1', product_count: 2, end_reason: null },
      { sku_id: '1', product_count: 1, end_reason },
    ],
  });
  const piecesIn = async (shown: object) =>
    Object.fromEntries(
      (await seen({ order: shown, parcels }, lines))?.parcels.map((parcel) => [
        parcel.trackingNumber,
        parcel.units?.mugs,
      ]) ?? [],
    );
  expect(await piecesIn(order('FINISH'))).toEqual(contents);
  // Another parcel may be to come, and a part that was paid back did not arrive.
  const named = Object.fromEntries(Object.keys(contents).map((number) => [number, 1]));
  expect(await piecesIn(order('WAIT_BUYER_ACCEPT_GOODS'))).toEqual(named);
  expect(await piecesIn(order('FINISH', 'refund_part'))).toEqual(named);
});

test('an order that was received without a number is for a person, until AliExpress names one', async () => {
  const order = { order_status: 'FINISH', logistics_status: 'BUYER_ACCEPT_GOODS' };
  expect(await seen({ order })).toMatchObject({
    status: 'delivered',
    parcels: [],
    attention: { reason: 'operator', evidence: { cause: expect.stringMatching(/no tracking number/) } },
  });
  const numbered = { ...order, logistics_info_list: [{ logistics_no: 'AP1' }] };
  for (const shown of [{ order: numbered }, { order, parcels: [aParcel('AP1')] }])
    expect(await seen(shown)).not.toHaveProperty('attention');
});

test('an order that was closed without a word why has a person look, unless a parcel tells', async () => {
  const order = { order_status: 'FINISH', child_order_list: [{ sku_id: '1', product_count: 2 }] };
  const attention = {
    reason: 'operator',
    evidence: { supplierReference: '71', orderStatus: 'FINISH', cause: expect.stringMatching(/why/) },
  };
  expect(await seen({ order })).toMatchObject({ status: null, parcels: [], attention });
  const arrived = await seen({ order, parcels: [aParcel('AP1', 2, 'Delivered')] });
  expect(arrived).toMatchObject({ status: 'delivered', parcels: [{ state: 'delivered' }] });
  expect(arrived).not.toHaveProperty('attention');
});

test('money that is settled before a parcel is shown is nothing for a person', async () => {
  expect(await seen({ order: { order_status: 'FUND_PROCESSING' } })).toBeUndefined();
});

const SENT = { order_status: 'WAIT_BUYER_ACCEPT_GOODS', logistics_status: 'SELLER_SEND_GOODS' };
const CUPS: PlacedLine = { lineId: 'cups', supplierVariantId: '2' };
const inTwo = (first: string, second: string) => [
  aParcel('AP2', undefined, second),
  aParcel('AP1', undefined, first),
];

test('several parcels of a line that do not say what they hold are told as one, once carriers have them all', async () => {
  const parcelsSeen = async (first: string, second: string) =>
    (await seen({ order: SENT, parcels: inTwo(first, second) }))?.parcels.map(
      ({ trackingNumber, state, units }) => [trackingNumber, state, units],
    );
  expect(await parcelsSeen('Departed', 'Accepted by carrier')).toEqual([['AP1', 'in_transit', undefined]]);
  // It is not there before the last of them is.
  expect(await parcelsSeen('Delivered', 'Departed')).toEqual([['AP1', 'in_transit', undefined]]);
  expect(await parcelsSeen('Delivered', 'Package lost')).toEqual([['AP1', 'lost', undefined]]);
  expect(await parcelsSeen('Delivered', 'Delivered')).toEqual([
    ['AP1', 'delivered', undefined],
    ['AP2', 'delivered', undefined],
  ]);
});

const TWINS = ['one', 'two'].map((lineId) => ({ lineId, supplierVariantId: '1', supplierUnits: 1 }));

test('parcels that together hold all of an article of two lines are told apart, the same at every look', async () => {
  const parcels = [aParcel('AP2', 1), aParcel('AP1', 1)];
  const apart = [
    { trackingNumber: 'AP1', units: { one: 1 } },
    { trackingNumber: 'AP2', units: { two: 1 } },
  ];
  for (const shown of [parcels, parcels.toReversed()]) {
    const told = (await seen({ order: SENT, parcels: shown }, TWINS))?.parcels ?? [];
    expect(told.toSorted((a, b) => (a.trackingNumber < b.trackingNumber ? -1 : 1))).toMatchObject(apart);
  }
});

test('two lines of one article do not wait for the arrival of parcels that do not say what they hold', async () => {
  const parcels = inTwo('Departed', 'Departed');
  const told = (await seen({ order: SENT, parcels }, TWINS))?.parcels;
  expect(told).toMatchObject([{ trackingNumber: 'AP1', state: 'in_transit' }]);
  expect(told?.[0]).not.toHaveProperty('units');
});

test('the only parcel that does not say what it holds comes last: it has what is in none of the others', async () => {
  const parcels = [aParcel('AP1'), aParcel('AP2', 1)];
  expect((await seen({ order: SENT, parcels }))?.parcels).toMatchObject([
    { trackingNumber: 'AP2', units: { mugs: 1 } },
    { trackingNumber: 'AP1' },
  ]);
});

test('a parcel that says what it holds stands beside those that do not', async () => {
  const parcels = [aParcel('AP3', 1, 'Delivered'), ...inTwo('Departed', 'Departed')];
  expect((await seen({ order: SENT, parcels }))?.parcels).toMatchObject([
    { trackingNumber: 'AP3', state: 'delivered', units: { mugs: 1 } },
    { trackingNumber: 'AP1', state: 'in_transit' },
  ]);
});

test.each([
  ['that no carrier has yet', [MUGS], { ...SENT, logistics_info_list: [{ logistics_no: 'AP0' }] }],
  ['of several lines', [MUGS, CUPS], SENT],
  ['of lines that are not known', [], SENT],
  ['of an order that is not sent whole', [MUGS], { ...SENT, order_status: 'SELLER_PART_SEND_GOODS' }],
  ['of an order that is not sent', [MUGS], { order_status: 'WAIT_SELLER_SEND_GOODS' }],
])('of several parcels %s none is told that does not say what it holds', async (_, lines, order) => {
  const logistics_info_list = [{ logistics_no: 'AP1' }, { logistics_no: 'AP2' }];
  const parcels = inTwo('Departed', 'Departed');
  expect(await seen({ order: { logistics_info_list, ...order }, parcels }, lines)).toMatchObject({
    parcels: [],
  });
});

const UNPAID = { order: { order_status: 'PLACE_ORDER_SUCCESS' } };
const failing = (failureClass: FailureClass): Shown => ({
  order: new SupplierError(failureClass, failureClass, {}),
});

/** Which of these orders, in their order, can be told; else why none. */
async function told(shown: readonly Shown[], signal = never): Promise<readonly string[] | FailureClass> {
  const orders = Object.fromEntries(shown.map((each, index) => [String(index + 1), each]));
  const keys = Object.keys(orders).map((id) => ({ supplierReference: id, callerRef: `sup_ord_${id}` }));
  return readStatus(aClient(orders), keys, signal).then(
    (seenOnes) => [...seenOnes.keys()],
    (error: unknown) => {
      if (error instanceof SupplierError) return error.failureClass;
      throw error;
    },
  );
}

test.each<[string, readonly Shown[], readonly string[]]>([
  ['its first order', [failing('transient'), UNPAID, UNPAID], ['2', '3']],
  ['orders apart', [failing('transient'), UNPAID, failing('transient'), UNPAID], ['2', '4']],
  ['an order between refused ones', [failing('transient'), failing('permanent'), UNPAID], ['3']],
])('a batch is told of although the reading of %s fails', async (_, shown, seenOnes) => {
  expect(await told(shown)).toEqual(seenOnes);
});

test.each<[string, readonly Shown[], readonly string[] | FailureClass]>([
  ['two failures in a row', [UNPAID, failing('transient'), failing('transient'), UNPAID], ['1']],
  ['two failures at once', [failing('transient'), failing('transient'), UNPAID], 'transient'],
  ['too many calls', [failing('throttled'), UNPAID], 'throttled'],
  ['a refused token', [failing('auth'), UNPAID], 'auth'],
  [
    'a failure that passes, which is not hidden by a refusal',
    [failing('transient'), failing('permanent')],
    'transient',
  ],
])('a batch ends with %s', async (_, shown, outcome) => {
  expect(await told(shown)).toEqual(outcome);
});

test('whoever is told to stop asks for no other order', async () => {
  expect(await told([failing('transient'), UNPAID], AbortSignal.abort())).toBe('transient');
});
