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
});
afterAll(() => world.stop());

const LAMP = article(1);
const MUG = article(2);
const SHOP_ORDER = aShopOrder(1, [{ article: 1, units: 2 }]);
const SECOND = aShopOrder(2, [{ article: 1, units: 2 }]);
const orderId = orderIdOf(CREDENTIALS.shop, SHOP_ORDER.id);
const at = (minute: number) => `2026-11-20T11:${minute}:00-05:00`;

const livesIn = (city: string, minute: number, of = SHOP_ORDER) => {
  const body = JSON.parse(of.body);
  const shipping_address = { ...body.shipping_address, city };
  return world.hear('orders/updated', { ...body, shipping_address, updated_at: at(minute) });
};
const until = async (fits: object, id = orderId): Promise<void> => {
  await expect.poll(async () => (await world.call('GET', `/orders/${id}`)).json()).toMatchObject(fits);
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

test('a bundle that is not bought yet goes to the new address as the articles that it is', async () => {
  const secondId = orderIdOf(CREDENTIALS.shop, SECOND.id);
  await world.hear('orders/create', JSON.parse(SECOND.body));
  await until({ status: 'grace' }, secondId);
  const answer = await world.call('POST', '/supplier-orders', {
    order_id: secondId,
    supplier: 'cj_dropshipping',
    items: [
      {
        sku: LAMP.sku,
        quantity: 2,
        supplier_product_id: LAMP.supplierProductId,
        supplier_variant_id: LAMP.supplierVariantId,
      },
    ],
  });
  const { id: supplierOrderId } = SupplierOrderReceipt.parse(await answer.json());
  const purchase = { orderId: secondId, supplierOrderId };
  await until({ supplierOrders: [{ status: 'draft' }] }, secondId);
  await buy(world.ports, purchase, 'prepare-1');
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: true });
  // As sourcing writes a mapping's bundle down.
  await world.store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id, supplier_units)
     select supplier_order_id, line_id, 0, $2, $3, 6 from supplier_order_lines where supplier_order_id = $1`,
    [supplierOrderId, MUG.supplierProductId, MUG.supplierVariantId],
  );

  await livesIn('Elsewhere', 10, SECOND);
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: false });
  await buy(world.ports, purchase, 'prepare-2');
  await expect.poll(() => isQuoted(purchase)).toEqual({ is_quoted: true });
  const lines = await world.store.query(
    `select supplier_variant_id as vid, units, supplier_units as pieces from supplier_order_lines
      where supplier_order_id = $1 order by units desc`,
    [supplierOrderId],
  );
  expect(lines).toEqual([
    { vid: LAMP.supplierVariantId, units: 2, pieces: 2 },
    { vid: MUG.supplierVariantId, units: 0, pieces: 6 },
  ]);
});
