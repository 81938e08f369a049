import { expect, test } from 'vitest';
import type { PlacedLine } from '../../services/suppliers/adapter.ts';
import type { AliExpressClient } from '../../services/suppliers/aliexpress/client.ts';
import { readStatus } from '../../services/suppliers/aliexpress/status.ts';

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
