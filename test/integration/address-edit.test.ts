import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { HoldList } from '../../contracts/resources/hold.ts';
import { SupplierOrderReceipt } from '../../contracts/resources/supplier-order-requests.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { article } from '../fixtures/purchase-desk.ts';
import { aShopOrder } from '../fixtures/shop-orders.ts';
import { CREDENTIALS } from '../sandbox/world.ts';

/* The customer's address changes in the shop at each moment of a purchase, whose commands are carried out here. */
let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld({}, { isByHand: true });
}, 60_000);
afterAll(() => world.stop());

const LAMP = article(1);
const SHOP_ORDER = aShopOrder(1, [{ article: 1, units: 2 }]);
const orderId = orderIdOf(CREDENTIALS.shop, SHOP_ORDER.id);
const at = (minute: number) => `2026-11-20T11:${minute}:00-05:00`;

const livesIn = (city: string, minute: number) => {
  const body = JSON.parse(SHOP_ORDER.body);
  const shipping_address = { ...body.shipping_address, city };
  return world.hear('orders/updated', { ...body, shipping_address, updated_at: at(minute) });
};
const until = async (fits: object): Promise<void> => {
  await expect
    .poll(async () => (await world.call('GET', `/orders/${orderId}`)).json(), { timeout: 15_000 })
    .toMatchObject(fits);
};
const isQuoted = async ({ supplierOrderId }: PurchaseCommand) =>
  (await world.store.query('select is_quoted from supplier_orders where id = $1', [supplierOrderId]))[0];

test('what is not bought goes to the new address, what is bought waits for a word before it is paid', async () => {
  await world.hear('orders/create', JSON.parse(SHOP_ORDER.body));
  await until({ status: 'grace' });
  const article = {
    supplier_product_id: LAMP.supplierProductId,
    supplier_variant_id: LAMP.supplierVariantId,
  };
  const answer = await world.call('POST', '/supplier-orders', {
    order_id: orderId,
    supplier: 'cj_dropshipping',
    items: [{ sku: LAMP.sku, quantity: 2, ...article }],
  });
  const { id: supplierOrderId } = SupplierOrderReceipt.parse(await answer.json());
  const purchase = { orderId, supplierOrderId };
  await until({ supplierOrders: [{ status: 'draft' }] });
  await buy(world.ports, purchase, 'prepare-1');
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: true });

  await livesIn('Elsewhere', 10);
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: false });
  await buy(world.ports, purchase, 'prepare-2');
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: true });
  await buy(world.ports, purchase, 'buy-1');
  await until({ supplierOrders: [{ status: 'awaiting_payment' }], holdReasons: [] });

  await livesIn('Nowhere', 20);
  await until({ holdReasons: ['customer_edit_pending'] });
  await pay(world.ports, purchase, 'pay-1');
  expect(await world.boughtUnder(supplierOrderId)).toMatchObject([{ paidCount: 0 }]);

  const holds = await world.call('GET', `/holds?orderId=${orderId}`);
  const [hold] = HoldList.parse(await holds.json()).items;
  expect(hold).toMatchObject({ supplierOrderId, evidence: { cause: expect.stringContaining('address') } });
  await world.call('POST', `/holds/${hold?.id}/release`);
  await until({ holdReasons: [] });
  await livesIn('Nowhere', 30);
  await world.settled(orderId);
  await until({ holdReasons: [] });
  await pay(world.ports, purchase, 'pay-2');
  expect(await world.boughtUnder(supplierOrderId)).toMatchObject([{ paidCount: 1 }]);
});
