import { expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import type { Evidence } from '../../contracts/vocabulary.ts';
import { changeSupplierOrder } from '../../gateway/supplier-order-requests.ts';
import type { Store } from '../../services/store/store.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import {
  aDesk,
  article,
  boughtUnder,
  givenPurchase,
  moveTo,
  saidTo,
  verdicts,
  type WantedPurchase,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const LAMP = article(1);
const candidate = (over: object = {}) => ({
  supplier: 'cj_dropshipping',
  supplierProductId: LAMP.supplierProductId,
  supplierVariantId: LAMP.supplierVariantId,
  ...over,
});
const AT_ALIEXPRESS = candidate({ supplier: 'aliexpress', supplierProductId: '1', supplierVariantId: '2' });

/** Its order line is mapped to these. */
async function givenMapped(store: Store, candidates: readonly object[], wanted: WantedPurchase = {}) {
  const purchase = await givenPurchase(store, wanted);
  const { orderId } = purchase;
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'sandbox-shop.myshopify.com', $1, '#1', 'USD', 2000, now(), 'purchasing', '{}')`,
    [orderId],
  );
  await store.run(
    `insert into order_lines (order_id, line_id, position, variant_id, sku, title, unit_price_minor)
     values ($1, '1', 0, 'variant-1', 'SKU', 'Article', 2000)`,
    [orderId],
  );
  await store.run(
    `insert into product_mappings (variant_id, candidates, updated_at) values ('variant-1', $1::jsonb, now())
     on conflict (variant_id) do nothing`,
    [JSON.stringify(candidates)],
  );
  return purchase;
}

/** A purchase of the same articles, planned after the first one was refused. */
async function givenAgain(store: Store, first: PurchaseCommand): Promise<PurchaseCommand> {
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency)
     select 'sup_again', order_id, supplier, 'draft', context, shipping_method, ships_from, expected_cost_minor, currency
       from supplier_orders where id = $1`,
    [first.supplierOrderId],
  );
  await store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id,
                                       supplier_units)
     select 'sup_again', line_id, units, supplier_product_id, supplier_variant_id, supplier_units
       from supplier_order_lines where supplier_order_id = $1`,
    [first.supplierOrderId],
  );
  return { ...first, supplierOrderId: 'sup_again' };
}

type FailureClass = ConstructorParameters<typeof SupplierError>[0];
const refusing = (failureClass: FailureClass, evidence: Evidence = {}) => ({
  place: () => Promise.reject(new SupplierError(failureClass, 'no', evidence)),
});

async function refused(
  candidates: readonly object[],
  failureClass: FailureClass = 'unavailable',
  evidence: Evidence = {},
) {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, candidates);
  await buy(withAdapter(ports, refusing(failureClass, evidence)), purchase, 'c1');
  return (await saidTo(store, purchase)).at(-1);
}

test.each(['unavailable', 'not_shippable', 'not_found'] as const)(
  'what is refused as %s is replaceable where its line has another candidate',
  async (failureClass) => {
    const said = await refused([candidate(), AT_ALIEXPRESS], failureClass);
    expect(said).toMatchObject({ type: 'rejected', failureClass, isReplaceable: true });
  },
);

test.each([
  ['has no other candidate', [candidate()]],
  ['has none that delivers there', [candidate(), { ...AT_ALIEXPRESS, countries: ['DE'] }]],
])('a refused article whose line %s is held by name', async (_, candidates) => {
  expect(await refused(candidates)).not.toHaveProperty('isReplaceable');
});

test.each(['price_changed', 'funds', 'auth', 'account_blocked', 'invalid_input', 'permanent'] as const)(
  'a refusal of class %s is not about the article, and goes to nobody else',
  async (failureClass) => {
    expect(await refused([candidate(), AT_ALIEXPRESS], failureClass)).not.toHaveProperty('isReplaceable');
  },
);

test.each(['not_shippable', 'price_changed'] as const)(
  'what is refused as %s because its quote holds no more is quoted once more, also where nobody else sells it',
  async (failureClass) => {
    const said = await refused([candidate()], failureClass, { quoteAgain: true });
    expect(said).toMatchObject({ type: 'rejected', failureClass, isReplaceable: true });
  },
);

test('what is refused after it was quoted once more is held by name', async () => {
  const { ports, store } = await aDesk();
  const first = await givenMapped(store, [candidate()]);
  const stale = withAdapter(ports, refusing('price_changed', { quoteAgain: true }));
  await buy(stale, first, 'c1');
  await moveTo(store, first, 'rejected');
  await buy(stale, await givenAgain(store, first), 'c2');
  const said = (await saidTo(store, first)).filter(({ type }) => type === 'rejected');
  expect(said).toHaveLength(2);
  expect(said[1]).not.toHaveProperty('isReplaceable');
});

test.each(['unavailable', 'invalid_input'] as const)(
  'what is refused as %s and made all the same is found before it is bought anew, and adopted',
  async (failureClass) => {
    const { world, ports, store, adapter } = await aDesk();
    const purchase = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
    const lying = withAdapter(ports, {
      async place(request, signal) {
        await adapter.place(request, signal);
        throw new SupplierError(failureClass, 'no', {});
      },
    });
    await buy(lying, purchase, 'c1');
    expect(await verdicts(store, purchase)).toEqual(['placing', 'outcome_unknown']);

    await moveTo(store, purchase, 'outcome_unknown');
    await lookUp(ports, purchase, 'l1');
    const [order, ...others] = await boughtUnder(world, purchase);
    expect(others).toEqual([]);
    expect((await saidTo(store, purchase)).at(2)).toMatchObject({
      type: 'placed',
      supplierReference: order?.sdCode,
    });
  },
);

test('a refusal is believed where the supplier cannot be asked about it', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  const silent = {
    ...refusing('unavailable'),
    lookUp: () => Promise.reject(new SupplierError('transient', 'busy', {})),
  };
  await buy(withAdapter(ports, silent), purchase, 'c1');
  expect((await saidTo(store, purchase)).at(-1)).toMatchObject({ type: 'rejected', isReplaceable: true });
});

test('what was refused before in the same order is held, whatever candidate is left', async () => {
  const { ports, store } = await aDesk();
  const first = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  const unavailable = withAdapter(ports, refusing('unavailable'));
  await buy(unavailable, first, 'c1');
  await moveTo(store, first, 'rejected');
  // The candidate in between had nothing to sell, and sourcing has come back to the first.
  const again = await givenAgain(store, first);
  await buy(unavailable, again, 'c2');
  const said = (await saidTo(store, first)).filter(({ type }) => type === 'rejected');
  expect(said).toHaveLength(2);
  expect(said[0]).toHaveProperty('isReplaceable', true);
  expect(said[1]).not.toHaveProperty('isReplaceable');
});

test('a refusal that is said again, since the first word of it was lost, leads to the next candidate as well', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  await buy(withAdapter(ports, refusing('unavailable')), purchase, 'c1');
  await moveTo(store, purchase, 'outcome_unknown');
  await lookUp(ports, purchase, 'c2');
  const said = (await saidTo(store, purchase)).filter(({ type }) => type === 'rejected');
  expect(said).toHaveLength(2);
  expect(said[1]).toHaveProperty('isReplaceable', true);
});

test('what was refused a moment ago, and is not over yet, counts as tried', async () => {
  const { ports, store } = await aDesk();
  const first = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency)
     select 'sup_other', order_id, 'aliexpress', 'draft', context, shipping_method, ships_from, expected_cost_minor, currency
       from supplier_orders where id = $1`,
    [first.supplierOrderId],
  );
  await store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id,
                                       supplier_units)
     values ('sup_other', '1', 1, '1', '2', 1)`,
  );
  const live = { ...ports, settings: { ...ports.settings, ALIEXPRESS_MODE: 'live' as const } };
  const unavailable = withAdapter(live, refusing('unavailable'));
  await buy(unavailable, first, 'c1');
  await buy(unavailable, { ...first, supplierOrderId: 'sup_other' }, 'c2');
  const said = (await saidTo(store, first)).filter(({ type }) => type === 'rejected');
  expect(said).toHaveLength(2);
  expect(said[0]).toHaveProperty('isReplaceable', true);
  expect(said[1]).not.toHaveProperty('isReplaceable');
});

test('what a person chose to buy is refused to that person', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  await store.run(`update supplier_order_lines set properties = '{}' where supplier_order_id = $1`, [
    purchase.supplierOrderId,
  ]);
  await buy(withAdapter(ports, refusing('unavailable')), purchase, 'c1');
  expect((await saidTo(store, purchase)).at(-1)).not.toHaveProperty('isReplaceable');
});

test('what a person named for a planned purchase is refused to that person', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, [candidate(), AT_ALIEXPRESS]);
  const items = [{ line_id: '1', supplier_variant_id: LAMP.supplierVariantId }];
  await store.transaction((sql) => changeSupplierOrder(sql, () => {}, purchase.supplierOrderId, { items }));
  await store.run('update supplier_orders set is_quoted = true');
  await buy(withAdapter(ports, refusing('unavailable')), purchase, 'c1');
  expect((await saidTo(store, purchase)).at(-1)).not.toHaveProperty('isReplaceable');
});

test('an article counts as tried under the name that its mapping has for it', async () => {
  const { ports, store } = await aDesk();
  const purchase = await givenMapped(store, [candidate({ supplierVariantId: '14:173#Blue' })]);
  await store.run("update supplier_order_lines set mapped_variant_id = '14:173#Blue'");
  await buy(withAdapter(ports, refusing('unavailable')), purchase, 'c1');
  expect((await saidTo(store, purchase)).at(-1)).not.toHaveProperty('isReplaceable');
});

test('after a call in doubt a refusal is for a person, after one that was put off it is not', async () => {
  const { ports, store } = await aDesk();
  const candidates = [candidate(), AT_ALIEXPRESS];
  const unavailable = withAdapter(ports, refusing('unavailable'));
  const putOff = await givenMapped(store, candidates, { number: 1 });
  await buy(withAdapter(ports, refusing('throttled')), putOff, 'c1');
  await moveTo(store, putOff, 'draft');
  await buy(unavailable, putOff, 'c2');
  expect((await saidTo(store, putOff)).at(-1)).toMatchObject({ attempt: 2, isReplaceable: true });

  const doubted = await givenMapped(store, candidates, { number: 2 });
  await buy(withAdapter(ports, refusing('unknown_outcome')), doubted, 'c3');
  await moveTo(store, doubted, 'draft');
  await store.run("update purchase_intents set state = 'absent' where supplier_order_id = $1", [
    doubted.supplierOrderId,
  ]);
  await buy(unavailable, doubted, 'c4');
  const said = (await saidTo(store, doubted)).at(-1);
  expect(said).toMatchObject({ type: 'rejected', attempt: 2 });
  expect(said).not.toHaveProperty('isReplaceable');
});
