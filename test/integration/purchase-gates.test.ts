import { expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { holdIdOf, supplierOrderIdOf } from '../../contracts/ids.ts';
import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import { DONE } from '../../services/serve-commands.ts';
import { forgetQuotes } from '../../services/store/forget-quotes.ts';
import type { Store } from '../../services/store/store.ts';
import type { ObservedStatus } from '../../services/suppliers/adapter.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import {
  aDesk,
  article,
  boughtUnder,
  type Copy,
  givenPurchase,
  LAMP_COST_MINOR,
  rowOf,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

/** The hold that the host opened for what was said, and that a person released with "go on with this". */
async function givenAcceptance(
  store: Store,
  { orderId, supplierOrderId }: PurchaseCommand,
  reason: HoldReason,
  evidence: Evidence,
): Promise<void> {
  const holdId = holdIdOf(orderId, reason, supplierOrderId);
  await store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence, released_at)
     values ($1, $2, $3, $4, $5::json, now())`,
    [holdId, orderId, reason, supplierOrderId, JSON.stringify(evidence)],
  );
  await givenOrder(store, orderId, { accepted: [holdId] });
}

const givenOrder = (store: Store, orderId: string, context: object): Promise<number> =>
  store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', $1, '#1', 'USD', 2000, '2026-11-20T10:00:00.000Z', 'purchasing', $2::json)`,
    [orderId, JSON.stringify(context)],
  );

/** What becomes of a purchase of 14.34 US dollars, whose hold was accepted for what it cost then. */
async function boughtAfter(
  reason: HoldReason,
  acceptedMinor: number | null,
  environment: Record<string, string>,
): Promise<string[]> {
  const desk = await aDesk(environment);
  const purchase = await givenPurchase(desk.store);
  if (acceptedMinor !== null)
    await givenAcceptance(desk.store, purchase, reason, { costMinor: acceptedMinor, currency: 'USD' });
  expect(await buy(desk.ports, purchase, 'command-1')).toEqual(DONE);
  return verdicts(desk.store, purchase);
}

const CAPS = [
  ['cost_above_cap', { ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '10' }],
  ['daily_cap_reached', { ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: '10' }],
] as const;

test.each(CAPS)(
  '%s holds until somebody accepts it, and again when it costs more than that',
  async (reason, caps) => {
    expect(await boughtAfter(reason, null, caps)).toEqual([`withheld ${reason}`]);
    expect(await boughtAfter(reason, LAMP_COST_MINOR, caps)).toEqual(['placing', 'placed']);
    expect(await boughtAfter(reason, LAMP_COST_MINOR - 1, caps)).toEqual([`withheld ${reason}`]);
  },
);

/** The same for one that costs 14.34 euros, after as many purchases in euros as the day has had already. */
async function boughtInEuros(environment: Record<string, string>, before = 0): Promise<string[]> {
  const desk = await aDesk(environment);
  for (let number = 1; number <= before + 1; number += 1) {
    const purchase = await givenPurchase(desk.store, { number });
    await desk.store.run("update supplier_orders set currency = 'EUR' where id = $1", [
      purchase.supplierOrderId,
    ]);
    await buy(desk.ports, purchase, `command-${number}`);
    if (number > before) return verdicts(desk.store, purchase);
  }
  return [];
}

test('what is bought in another currency is compared with the caps by its rate', async () => {
  const rates = { ORDER_MANAGER_EXCHANGE_RATES: 'EUR=1.10' };
  const perOrder = (cap: string) => ({ ...rates, ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: cap });
  const perDay = (cap: string) => ({ ...rates, ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: cap });
  expect(await boughtInEuros(perOrder('15.76'))).toEqual(['withheld cost_above_cap']);
  expect(await boughtInEuros(perOrder('15.77'))).toEqual(['placing', 'placed']);
  expect(await boughtInEuros(perDay('31.53'), 1)).toEqual(['withheld daily_cap_reached']);
  expect(await boughtInEuros(perDay('31.54'), 1)).toEqual(['placing', 'placed']);
});

test.each(CAPS)('%s holds what has no rate: it cannot be compared with a cap in dollars', async (reason) => {
  const high = {
    cost_above_cap: { ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '10000' },
    daily_cap_reached: { ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: '10000' },
  };
  expect(await boughtInEuros(high[reason])).toEqual([`withheld ${reason}`]);
});

const other = 'sup_ord_of_another_part';
const OWN = supplierOrderIdOf('ord_1', 'cj_dropshipping', 'CN', 1);
const HOLDS: readonly [string, { lineId?: string; supplierOrderId?: string }, isStopped: boolean][] = [
  ['the whole order', {}, true],
  ['another line', { lineId: '2' }, false],
  ['another supplier order', { supplierOrderId: other }, false],
  ['the supplier order itself', { supplierOrderId: OWN }, true],
];

type Scope = (typeof HOLDS)[number][1];

/** What becomes of a draft in an order with such a hold, by the rules under which the order was taken. */
async function stateUnder({ store, ports }: Copy, hold: Scope, partialPurchase: boolean) {
  const purchase = await givenPurchase(store);
  await givenOrder(store, purchase.orderId, { rules: { partialPurchase, riskHold: 'high' } });
  await store.run(
    `insert into holds (id, order_id, reason, line_id, supplier_order_id, evidence)
     values ('hld_1', $1, 'operator', $2, $3, '{}')`,
    [purchase.orderId, hold.lineId ?? null, hold.supplierOrderId ?? null],
  );
  await buy(ports, purchase, 'command-1');
  return (await rowOf(store, purchase))?.state;
}

test.each(HOLDS)('a hold on %s', async (_name, hold, isStopped) => {
  expect(await stateUnder(await aDesk(), hold, true)).toBe(isStopped ? 'draft' : 'placing');
  expect(await stateUnder(await aDesk(), hold, false)).toBe('draft');
});

test('a bundle is one line of several articles, and all of them are bought', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  const { supplierProductId, supplierVariantId } = article(2);
  await desk.store.run('insert into supplier_order_lines values ($1, $2, 0, $3, $4, 3)', [
    purchase.supplierOrderId,
    '1',
    supplierProductId,
    supplierVariantId,
  ]);
  await buy(desk.ports, purchase, 'command-1');
  expect(await boughtUnder(desk.world, purchase)).toMatchObject([
    {
      products: [
        { vid: article(1).supplierVariantId, quantity: 1 },
        { vid: supplierVariantId, quantity: 3 },
      ],
    },
  ]);
});

test('a bundle that goes to another address is quoted anew as what it is', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  const { supplierOrderId } = purchase;
  const { supplierProductId, supplierVariantId } = article(2);
  await desk.store.run('insert into supplier_order_lines values ($1, $2, 0, $3, $4, 3)', [
    supplierOrderId,
    '1',
    supplierProductId,
    supplierVariantId,
  ]);
  await forgetQuotes(desk.store, [purchase.orderId]);
  await buy(desk.ports, purchase, 'command-1');
  const { supplierProductId: lampProduct, supplierVariantId: lamp } = article(1);
  expect(await saidTo(desk.store, purchase)).toMatchObject([
    {
      type: 'prepared',
      part: {
        shippingMethod: 'CJPacket Ordinary',
        lines: [
          {
            lineId: '1',
            units: 1,
            supplierProductId: lampProduct,
            supplierVariantId: lamp,
            supplierUnits: 1,
          },
          { lineId: '1', units: 0, supplierProductId, supplierVariantId, supplierUnits: 3 },
        ],
      },
    },
  ]);
});

/** A draft that takes the place of a purchase which its supplier had cancelled. */
async function aSecondPurchase(desk: Copy, lineId = '1'): Promise<PurchaseCommand> {
  const { orderId } = await givenPurchase(desk.store, { state: 'cancelled', reference: 'SD1' });
  const supplierOrderId = supplierOrderIdOf(orderId, 'cj_dropshipping', 'CN', 2);
  const columns = 'supplier, context, shipping_method, ships_from, expected_cost_minor, currency';
  await desk.store.run(
    `insert into supplier_orders (id, order_id, state, ${columns})
     select $1, order_id, 'draft', ${columns} from supplier_orders`,
    [supplierOrderId],
  );
  await desk.store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id, supplier_units)
     select $1, $2, units, supplier_product_id, supplier_variant_id, supplier_units from supplier_order_lines`,
    [supplierOrderId, lineId],
  );
  return { orderId, supplierOrderId };
}

/** As the order host keeps the hold that was just said, and a person releases it. */
const releaseWithheld = (desk: Copy, { orderId, supplierOrderId }: PurchaseCommand): Promise<number> =>
  desk.store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence, released_at)
     select 'hld_1', $1, payload::json #>> '{data,reason}', $2, payload::json #> '{data,evidence}', now()
       from outbox where payload like '%aliveAgain%' limit 1`,
    [orderId, supplierOrderId],
  );

test.each([
  ['processing', ['withheld duplicate_suspected']],
  ['shipped', ['withheld duplicate_suspected']],
  [null, ['withheld duplicate_suspected']],
  ['cancelled', ['placing', 'placed']],
  [undefined, ['placing', 'placed']],
] as const)('what a supplier had cancelled and shows as %s is bought anew: %j', async (status, expected) => {
  const desk = await aDesk();
  const purchase = await aSecondPurchase(desk);
  const seen = new Map<string, ObservedStatus>();
  if (status !== undefined) seen.set('SD1', { status, parcels: [], evidence: {} });
  const ports = withAdapter(desk.ports, { status: async () => seen });
  expect(await buy(ports, purchase, 'command-1')).toEqual(DONE);
  expect(await verdicts(desk.store, purchase)).toEqual(expected);
});

test('units whose cancelled order lives again are bought anew once a person has looked, and not for want of an answer', async () => {
  const desk = await aDesk();
  const purchase = await aSecondPurchase(desk);
  const silent = withAdapter(desk.ports, {
    status: () => Promise.reject(new SupplierError('transient', 'no answer', {})),
  });
  await buy(silent, purchase, 'command-1');
  expect(await verdicts(desk.store, purchase)).toEqual([]);

  const alive = withAdapter(desk.ports, {
    status: async () => new Map([['SD1', { status: 'processing' as const, parcels: [], evidence: {} }]]),
  });
  await buy(alive, purchase, 'command-2');
  const [said] = await saidTo(desk.store, purchase);
  expect(said).toMatchObject({ evidence: { aliveAgain: 'SD1', shownAs: 'processing' } });
  await releaseWithheld(desk, purchase);
  await buy(alive, purchase, 'command-3');
  expect(await boughtUnder(desk.world, purchase)).toHaveLength(1);
});

test.each([
  ['auth', ['withheld credentials_expired'], ['placing', 'placed']],
  ['permanent', ['withheld duplicate_suspected'], ['placing', 'placed']],
  ['not_found', ['placing', 'placed'], []],
] as const)(
  'a supplier that answers %s when it is asked for what it cancelled is for a person, who may let go on',
  async (failureClass, expected, afterwards) => {
    const desk = await aDesk();
    const purchase = await aSecondPurchase(desk);
    const ports = withAdapter(desk.ports, {
      status: () => Promise.reject(new SupplierError(failureClass, 'no', { code: 1 })),
    });
    await buy(ports, purchase, 'command-1');
    expect(await verdicts(desk.store, purchase)).toEqual(expected);
    if (afterwards.length === 0) return;
    await releaseWithheld(desk, purchase);
    await buy(ports, purchase, 'command-2');
    expect((await verdicts(desk.store, purchase)).slice(1)).toEqual(afterwards);
  },
);

test('a cancelled purchase of other lines keeps nothing from being bought', async () => {
  const desk = await aDesk();
  const purchase = await aSecondPurchase(desk, '2');
  const ports = withAdapter(desk.ports, { status: () => Promise.reject(new Error('not asked')) });
  await buy(ports, purchase, 'command-1');
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'placed']);
});
