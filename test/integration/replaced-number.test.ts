import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrderView } from '../../contracts/resources/order.ts';
import { SupplierOrderReceipt } from '../../contracts/resources/supplier-order-requests.ts';
import { audit } from '../../services/audit.ts';
import { readPurchase } from '../../services/suppliers/purchase-row.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { article } from '../fixtures/purchase-desk.ts';
import { type CjCaller, login } from '../sandbox/cj-client.ts';
import { control } from '../sandbox/world.ts';

/* CJ's own test orders: they move by its sandbox calls only, and are watched by the real adapter. */
let world: OrdersWorld;
let cj: CjCaller;
beforeAll(async () => {
  world = await startOrdersWorld({ CJ_DROPSHIPPING_SANDBOX_ORDERS: 'true' });
  cj = await login(world.sandbox);
});
afterAll(() => world.stop());

const LAMP = article(1);
const [SHIPPED, COMPLETED] = [500, 600];

/** Two lamps, bought and paid for. */
async function aPurchase(orderId: string) {
  const response = await world.call('POST', '/supplier-orders', {
    order_id: orderId,
    supplier: 'cj_dropshipping',
    items: [
      {
        sku: LAMP.sku,
        quantity: 2,
        supplier_product_id: LAMP.supplierProductId,
        supplier_variant_id: LAMP.supplierVariantId,
      },
    ],
    shipping_address: {
      first_name: 'Robin',
      address1: '12 Test Lane',
      city: 'Testville',
      country: 'US',
      email: 'robin@buyer.example',
    },
  });
  const { id } = SupplierOrderReceipt.parse(await response.json());
  const view = async () => OrderView.parse(await (await world.call('GET', `/orders/${orderId}`)).json());
  const until = (what: () => unknown) => expect.poll(what, { interval: 25 });
  const is = (status: string) => until(async () => (await view()).status).toBe(status);
  await is('awaiting_shipment');
  const sdCode = (await readPurchase(world.store, id))?.supplierReference ?? '';
  const tell = async (path: string, body: object): Promise<void> =>
    expect(await cj('POST', `/shopping/sandbox/${path}`, body)).toMatchObject({ code: 200 });
  return {
    id,
    sdCode,
    is,
    view,
    rename: (trackNumber: string) => tell('updateTrackNumber', { orderId: sdCode, trackNumber }),
    step: (targetStatus: number, code = sdCode) => tell('updateStatus', { orderId: code, targetStatus }),
    parcels: () =>
      until(async () =>
        (await view()).supplierOrders[0]?.parcels.map(({ trackingNumber }) => trackingNumber),
      ),
    units: () =>
      world.store.query<{ units: Record<string, number> }>(
        'select units from parcels where order_id = $1 order by created_at, tracking_number',
        [orderId],
      ),
    mails: async () =>
      (
        await world.store.query<{ kind: string }>('select kind from notifications where order_id = $1', [
          orderId,
        ])
      )
        .map(({ kind }) => kind)
        .filter((kind) => kind.startsWith('parcel')),
  };
}

const violations = async (orderId: string): Promise<number> =>
  (await audit(world.store, () => {}, { orderId })).violations;

test('a number that CJ replaces on the label and again on the way leads to a delivered order and one mail of each kind', async () => {
  const orderId = 'ord_renamed_1';
  const purchase = await aPurchase(orderId);
  await purchase.rename('OLD-1');
  await purchase.parcels().toEqual(['OLD-1']);
  const [parcelId] = await world.store.query('select id from parcels where order_id = $1', [orderId]);
  await purchase.rename('NEW-2');
  await purchase.parcels().toEqual(['NEW-2']);
  await purchase.step(SHIPPED);
  await purchase.is('shipped');
  await purchase.rename('NEW-3');
  await purchase.parcels().toEqual(['NEW-3']);
  await purchase.step(COMPLETED);
  await purchase.is('delivered');
  const rows = 'select id, earlier_numbers as earlier, units from parcels where order_id = $1';
  expect(await world.store.query(rows, [orderId])).toMatchObject([
    { ...parcelId, earlier: ['OLD-1', 'NEW-2'] },
  ]);
  expect((await purchase.view()).holds).toEqual([]);
  expect((await purchase.mails()).sort()).toEqual(['parcel_delivered', 'parcel_shipped']);
  expect(await violations(orderId)).toBe(0);
});

test('what a person says of a parcel is there with the next look, though CJ has nothing new to tell', async () => {
  const orderId = 'ord_said_1';
  const purchase = await aPurchase(orderId);
  await purchase.rename('BOX-1');
  await purchase.step(SHIPPED);
  await purchase.is('shipped');
  const units = async () => (await purchase.units()).map((parcel) => Object.values(parcel.units));
  expect(await units()).toEqual([[2]]);
  const [line] = (await purchase.view()).lines;
  const said = { tracking_number: 'box-1', items: [{ line_id: line?.lineId, quantity: 1 }] };
  const path = `/supplier-orders/${purchase.id}/parcel-contents`;
  expect((await world.call('POST', path, said)).status).toBe(202);
  await expect.poll(units).toEqual([[1]]);
  expect(await violations(orderId)).toBe(0);
});

test('a labelled order that CJ packs into two boxes is delivered when the second box is', async () => {
  const orderId = 'ord_packed_1';
  const purchase = await aPurchase(orderId);
  await purchase.rename('LABEL-1');
  await purchase.parcels().toEqual(['LABEL-1']);
  await control(world.sandbox, 'POST', `/cj/orders/${purchase.id}/pack`);
  await purchase.parcels().toHaveLength(2);
  expect((await purchase.units()).map(({ units }) => Object.values(units))).toEqual([[1], [1]]);
  await purchase.step(SHIPPED, `${purchase.sdCode}-1`);
  await purchase.is('partially_shipped');
  await purchase.step(COMPLETED, `${purchase.sdCode}-1`);
  await expect.poll(purchase.mails).toContain('parcel_delivered');
  expect((await purchase.view()).status).toBe('partially_delivered');
  await purchase.step(SHIPPED, `${purchase.sdCode}-2`);
  await expect.poll(async () => (await purchase.view()).supplierOrders[0]?.status).toBe('shipped');
  expect((await purchase.view()).status).toBe('partially_delivered');
  await purchase.step(COMPLETED, `${purchase.sdCode}-2`);
  await purchase.is('delivered');
  expect((await purchase.view()).holds).toEqual([]);
  expect(await violations(orderId)).toBe(0);
});
