import { expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SupplierOrderPrepared } from '../../contracts/events/supplier-order-prepared.ts';
import type { HoldReason } from '../../contracts/vocabulary.ts';
import { forgetQuotes } from '../../services/store/forget-quotes.ts';
import type { Store } from '../../services/store/store.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { readFacts } from '../../services/suppliers/purchase-facts.ts';
import {
  aDesk,
  article,
  boughtUnder,
  type Environment,
  givenPurchase,
  holdOf,
  LAMP_COST_MINOR,
  releaseHolds,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

/* A purchase that sourcing planned is still a draft when the customer moves. */

const FLOOR = { ORDER_MANAGER_MARGIN_FLOOR_PERCENT: '50' };

async function givenOrder(store: Store, { orderId }: PurchaseCommand): Promise<void> {
  const lines = { ordered: 1, outside: 0, unallocated: 0, held: 0, cancelled: 0 };
  const context = { lines: { 1: lines }, inShop: { 1: { units: 1, ours: 1 } } };
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', $1, '#1', 'USD', 2000, '2026-11-20T10:00:00.000Z', 'purchasing', $2::json)`,
    [orderId, JSON.stringify(context)],
  );
  await store.run(
    `insert into order_lines (order_id, line_id, position, title, unit_price_minor) values ($1, '1', 0, 'Lamp', 2000)`,
    [orderId],
  );
}

async function movedTo(countryCode: string, environment: Environment = {}) {
  const desk = await aDesk(environment);
  const purchase = await givenPurchase(desk.store, { countryCode });
  await givenOrder(desk.store, purchase);
  await forgetQuotes(desk.store, [purchase.orderId]);
  return { ...desk, purchase };
}

/** Whoever releases the hold of the purchase says "go on with this". */
async function accept(store: Store, purchase: PurchaseCommand, reason: HoldReason): Promise<void> {
  const held = (await saidTo(store, purchase)).find((said) => 'reason' in said && said.reason === reason);
  const holdId = holdOf(purchase, reason);
  await store.run(
    'insert into holds (id, order_id, supplier_order_id, reason, evidence) values ($1, $2, $3, $4, $5)',
    [
      holdId,
      purchase.orderId,
      purchase.supplierOrderId,
      reason,
      JSON.stringify(held !== undefined && 'evidence' in held ? held.evidence : {}),
    ],
  );
  await releaseHolds(store, purchase);
  await store.run('update orders set context = (context::jsonb || $1::jsonb)::json', [
    JSON.stringify({ accepted: [holdId] }),
  ]);
}

test('a quote for another address that leaves too little waits for a person, and is taken once it is accepted', async () => {
  const { ports, store, purchase } = await movedTo('US', FLOOR);
  await buy(ports, purchase, 'b1');
  expect(await saidTo(store, purchase)).toMatchObject([
    {
      type: 'withheld',
      reason: 'margin_below_floor',
      evidence: { costMinor: LAMP_COST_MINOR, revenueMinor: 2_000 },
    },
  ]);
  await accept(store, purchase, 'margin_below_floor');
  await buy(ports, purchase, 'b2');
  expect((await verdicts(store, purchase)).slice(1)).toEqual(['prepared']);
});

test.each([
  ['with what the customer pays for it', 1, 12_000, ['prepared']],
  ['but for what the shop has given back', 0, 2_000, ['withheld margin_below_floor']],
])(
  'the margin of such a quote is that of all that is bought for the order, %s',
  async (_, units, totalMinor, expected) => {
    const { ports, store, purchase } = await movedTo('US', FLOOR);
    await store.run('update orders set total_minor = $1', [totalMinor]);
    await store.run(
      `insert into order_lines (order_id, line_id, position, title, unit_price_minor) values ($1, '2', 1, 'Tent', 10000)`,
      [purchase.orderId],
    );
    await store.run('update orders set context = (context::jsonb || $1::jsonb)::json', [
      JSON.stringify({ inShop: { 1: { units: 1, ours: 1 }, 2: { units, ours: units } } }),
    ]);
    await store.run(
      `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from, expected_cost_minor, currency)
     values ('sup_ord_tent', $1, 'cj_dropshipping', 'accepted', '{}', '', 'CN', 3000, 'USD')`,
      [purchase.orderId],
    );
    await store.run(`insert into supplier_order_lines values ('sup_ord_tent', '2', 1, 'p2', 'v2', 1)`);
    await buy(ports, purchase, 'b1');
    expect(await verdicts(store, purchase)).toEqual(expected);
  },
);

test('an address in a country whose customs want a number of the receiver waits for it', async () => {
  const { ports, store, purchase } = await movedTo('BR');
  await buy(ports, purchase, 'b1');
  expect(await verdicts(store, purchase)).toEqual(['withheld tax_id_missing']);
  await accept(store, purchase, 'tax_id_missing');
  await buy(ports, purchase, 'b2');
  expect((await verdicts(store, purchase)).slice(1)).toEqual(['prepared']);
});

test('who asked for the purchase by hand has looked at its price', async () => {
  const { ports, store, purchase } = await movedTo('US', FLOOR);
  await store.run(`update supplier_order_lines set properties = '{}'`);
  await buy(ports, purchase, 'b1');
  expect(await verdicts(store, purchase)).toEqual(['prepared']);
});

test('who named another shipping method has looked at its price', async () => {
  const { ports, store, purchase } = await movedTo('US', FLOOR);
  await store.run(`update supplier_orders set shipping_method = 'CJPacket Ordinary'`);
  await buy(ports, purchase, 'b1');
  expect(await verdicts(store, purchase)).toEqual(['prepared']);
});

test.each([
  ['a country that its mapping does not send it to waits for a person', ['US'], ['withheld not_shippable']],
  ['another country that its mapping sends it to is quoted', ['US', 'DE'], ['prepared']],
])('what goes to %s', async (_, countries, expected) => {
  const { ports, store, purchase } = await movedTo('DE');
  await store.run(`update order_lines set variant_id = 'v1'`);
  const { supplierProductId, supplierVariantId } = article(1);
  const lamp = { supplier: 'cj_dropshipping', supplierProductId, supplierVariantId, countries };
  await store.run(
    'insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())',
    ['v1', JSON.stringify([lamp])],
  );
  await buy(ports, purchase, 'b1');
  expect(await verdicts(store, purchase)).toEqual(expected);
});

test('what was planned for another address than the order has when it is bought is quoted for that one, and bought then', async () => {
  const { ports, store, world } = await aDesk();
  const purchase = await givenPurchase(store, { countryCode: 'US' });
  await givenOrder(store, purchase);
  await store.run("update supplier_orders set quoted_for = 'the address before'");
  await buy(ports, purchase, 'b1');
  const [said] = await saidTo(store, purchase);
  const { part } = SupplierOrderPrepared.parse(said);
  expect(await boughtUnder(world, purchase)).toEqual([]);
  await store.run('update supplier_orders set is_quoted = true, shipping_method = $1, quoted_for = $2', [
    part.shippingMethod,
    part.quotedFor,
  ]);
  await buy(ports, purchase, 'b2');
  expect(await verdicts(store, purchase)).toEqual(['prepared', 'placing', 'placed']);
});

test('an address that comes while a purchase for the one before is made ready has it quoted anew, though nobody forgot its quote', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenPurchase(store, { countryCode: 'US' });
  await givenOrder(store, purchase);
  const [facts] = [...(await readFacts(store, [purchase.supplierOrderId])).values()];
  await store.run('update supplier_orders set quoted_for = $1', [facts?.shipToMark]);
  const slow = withAdapter(ports, {
    beforePlace: async () => {
      await store.run(
        'update customer_details set shipping_address = (shipping_address::jsonb || \'{"city":"Elsewhere"}\')::json',
      );
    },
  });
  await buy(slow, purchase, 'b1');
  expect(await verdicts(store, purchase)).toEqual([]);
  await buy(ports, purchase, 'b2');
  expect(await verdicts(store, purchase)).toEqual(['prepared']);
});
