import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { SupplierOrderReceipt } from '../../contracts/resources/supplier-order-requests.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { article } from '../fixtures/purchase-desk.ts';
import { aShopOrder, type ShopOrder } from '../fixtures/shop-orders.ts';
import { CREDENTIALS } from '../sandbox/world.ts';

/* A draft is changed in the very moment in which its supplier is asked what it costs; commands are carried out here. */
let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld({}, { isByHand: true });
});
afterAll(() => world.stop());

const LAMP = article(1);
const MUG = article(2);

async function aDraft(order: ShopOrder): Promise<PurchaseCommand> {
  const orderId = orderIdOf(CREDENTIALS.shop, order.id);
  await world.hear('orders/create', JSON.parse(order.body));
  const known = async () => (await world.call('GET', `/orders/${orderId}`)).json();
  await expect.poll(known).toMatchObject({ status: 'grace' });
  const { sku, supplierProductId, supplierVariantId } = LAMP;
  const answer = await world.call('POST', '/supplier-orders', {
    order_id: orderId,
    supplier: 'cj_dropshipping',
    items: [
      { sku, quantity: 2, supplier_product_id: supplierProductId, supplier_variant_id: supplierVariantId },
    ],
  });
  const { id: supplierOrderId } = SupplierOrderReceipt.parse(await answer.json());
  await expect.poll(known).toMatchObject({ supplierOrders: [{ status: 'draft' }] });
  return { orderId, supplierOrderId };
}

/**
 * The world in which that happens after the supplier has answered and before anybody hears of it.
 * @param refusal is the answer.
 */
function whileQuoted(happens: () => Promise<unknown>, refusal?: SupplierError): PurchasePorts {
  const real = world.ports.adapterOf('cj_dropshipping');
  if (real === undefined) throw new Error('the world has no adapter');
  const adapter: typeof real = {
    ...real,
    quote: async (request, signal) => {
      const answer = await real.quote(request, signal);
      await happens();
      if (refusal !== undefined) throw refusal;
      return answer;
    },
  };
  return { ...world.ports, adapterOf: () => adapter };
}

const draftOf = async ({ supplierOrderId }: PurchaseCommand) =>
  (
    await world.store.query(
      `select o.is_quoted as "isQuoted", l.supplier_variant_id as "variantId"
         from supplier_orders o join supplier_order_lines l on l.supplier_order_id = o.id where o.id = $1`,
      [supplierOrderId],
    )
  )[0];

/** A person names the mug for the only line. */
async function nameMug({ supplierOrderId }: PurchaseCommand, lineId: string): Promise<void> {
  const { supplierProductId, supplierVariantId } = MUG;
  const item = {
    line_id: lineId,
    supplier_product_id: supplierProductId,
    supplier_variant_id: supplierVariantId,
  };
  const answer = await world.call('PUT', `/supplier-orders/${supplierOrderId}`, { items: [item] });
  expect(answer.ok).toBe(true);
}

test('an article that a person put in while another one was quoted is what is bought', async () => {
  const purchase = await aDraft(aShopOrder(1, [{ article: 1, units: 2 }]));
  const ports = whileQuoted(() => nameMug(purchase, '15000000000011'));
  await buy(ports, purchase, 'prepare-1');
  await world.settled(purchase.orderId);
  expect(await draftOf(purchase)).toEqual({ isQuoted: false, variantId: MUG.supplierVariantId });

  await buy(world.ports, purchase, 'prepare-2');
  await world.settled(purchase.orderId);
  expect(await draftOf(purchase)).toEqual({ isQuoted: true, variantId: MUG.supplierVariantId });
});

test('an article that a person put in while another one was refused is not held for that refusal', async () => {
  const purchase = await aDraft(aShopOrder(3, [{ article: 1, units: 2 }]));
  const gone = new SupplierError('unavailable', 'sold out', { stock: 0 });
  const ports = whileQuoted(() => nameMug(purchase, '15000000000031'), gone);
  await buy(ports, purchase, 'prepare-1');
  await world.settled(purchase.orderId);
  const order = await (await world.call('GET', `/orders/${purchase.orderId}`)).json();
  expect(order).toMatchObject({ holdReasons: [] });

  await buy(
    whileQuoted(async () => {}, gone),
    purchase,
    'prepare-2',
  );
  await world.settled(purchase.orderId);
  const held = await (await world.call('GET', `/orders/${purchase.orderId}`)).json();
  expect(held).toMatchObject({ holdReasons: ['out_of_stock'] });
});

test('a draft whose address changed while it was quoted for the old one is quoted anew', async () => {
  const order = aShopOrder(2, [{ article: 1, units: 2 }]);
  const purchase = await aDraft(order);
  const moves = async () => {
    const body = JSON.parse(order.body);
    const shipping_address = { ...body.shipping_address, city: 'Elsewhere' };
    await world.hear('orders/updated', {
      ...body,
      shipping_address,
      updated_at: '2026-11-20T11:10:00-05:00',
    });
    await world.settled(purchase.orderId);
  };
  await buy(whileQuoted(moves), purchase, 'prepare-1');
  await world.settled(purchase.orderId);
  expect(await draftOf(purchase)).toMatchObject({ isQuoted: false });

  await buy(world.ports, purchase, 'prepare-2');
  await world.settled(purchase.orderId);
  expect(await draftOf(purchase)).toMatchObject({ isQuoted: true });
});
