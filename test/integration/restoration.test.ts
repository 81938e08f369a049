import { expect, test } from 'vitest';
import { holdIdOf, supplierOrderIdOf } from '../../contracts/ids.ts';
import { lostMails } from '../../services/notifier/after-restore.ts';
import { DONE } from '../../services/serve-commands.ts';
import { sendAgain } from '../../services/store/notifications.ts';
import type { Store } from '../../services/store/store.ts';
import { partKey } from '../../services/suppliers/allocate.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import {
  aDesk,
  article,
  boughtUnder,
  callsOf,
  type Desk,
  givenPurchase,
  intentOf,
  placeRequestOf,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const never = new AbortController().signal;
const CANDIDATE = {
  supplier: 'cj_dropshipping' as const,
  supplierProductId: article(1).supplierProductId,
  supplierVariantId: article(1).supplierVariantId,
  shipsFrom: 'CN',
};

/** The order of the purchase, placed so long ago, with one mapped line. */
async function givenOrder(store: Store, orderId: string, minutesAgo: number): Promise<void> {
  const placedAt = new Date(Date.now() - minutesAgo * 60_000).toISOString();
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', $1, '#1', 'USD', 1, $2, 'purchasing', '{"round": 1}')`,
    [orderId, placedAt],
  );
  await store.run(
    `insert into order_lines (order_id, line_id, position, variant_id, title, unit_price_minor)
     values ($1, '1', 0, 'v1', 'Lamp', 1)`,
    [orderId],
  );
}

const givenMapping = (store: Store, ...candidates: object[]): Promise<number> =>
  store.run(
    'insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())',
    ['v1', JSON.stringify(candidates)],
  );

const givenRestoration = (store: Store, minutesAgo: number): Promise<number> =>
  store.run(
    `insert into restorations (backup_of, restored_at)
     values (now() - interval '1 day', now() - $1::float8 * interval '1 minute')`,
    [minutesAgo],
  );

/** A lamp to buy for an order of two hours ago; the database was restored an hour ago. */
async function aRestoredDesk(environment: Record<string, string> = {}) {
  const desk = await aDesk(environment);
  const purchase = await givenPurchase(desk.store);
  await givenOrder(desk.store, purchase.orderId, 120);
  await givenMapping(desk.store, CANDIDATE);
  await givenRestoration(desk.store, 60);
  return { ...desk, purchase };
}

/** As the lost time did: bought at the supplier under this reference, and nobody here knows. */
async function boughtInLostTime(
  { store, ports, adapter }: Pick<Desk, 'store' | 'ports' | 'adapter'>,
  supplierOrderId: string,
  reference = supplierOrderId,
): Promise<void> {
  const request = await placeRequestOf({ store, ports }, supplierOrderId);
  await adapter.place({ ...request, callerRef: reference }, never);
}

test('a purchase that was made after the backup is adopted under its reference, and not made again', async () => {
  const { world, store, ports, adapter, purchase } = await aRestoredDesk();
  await boughtInLostTime({ store, ports, adapter }, purchase.supplierOrderId);
  expect(await buy(ports, purchase, 'c1')).toEqual(DONE);
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
  expect(await callsOf(world, 'createOrderV2')).toBe(1);
  expect(await intentOf(store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
  expect(await verdicts(store, purchase)).toEqual(['placing', 'placed']);
});

test('an order that has another reference at the supplier is held, and bought once a person has looked', async () => {
  const { world, store, ports, adapter, purchase } = await aRestoredDesk();
  const { orderId, supplierOrderId } = purchase;
  const other = supplierOrderIdOf(orderId, 'cj_dropshipping', partKey(CANDIDATE, ''), 3);
  await boughtInLostTime({ store, ports, adapter }, supplierOrderId, other);
  await buy(ports, purchase, 'c1');
  expect(await boughtUnder(world, purchase)).toEqual([]);
  const [said] = await saidTo(store, purchase);
  expect(said).toMatchObject({
    type: 'withheld',
    reason: 'duplicate_suspected',
    evidence: { reference: other, backupOf: expect.any(String) },
  });

  // As the order host keeps the hold, and a person who has cancelled the other one releases it.
  await store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence, released_at)
     select $1, $2, 'duplicate_suspected', $3, (payload::json #> '{data,evidence}'), now() from outbox limit 1`,
    [holdIdOf(orderId, 'duplicate_suspected', supplierOrderId), orderId, supplierOrderId],
  );
  await buy(ports, purchase, 'c2');
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
});

test.each([
  ['beside a purchase that stands there, all other references are asked for in one call', true, 0],
  ['where no purchase of ours shows, each reference is asked for by itself', false, 5],
])('%s', async (_, isShown, asked) => {
  const { world, store, ports, adapter, purchase } = await aRestoredDesk();
  const witness = await givenPurchase(store, { number: 2, state: 'accepted', reference: 'SD1' });
  if (isShown) await boughtInLostTime({ store, ports, adapter }, witness.supplierOrderId);
  const detailsBefore = await callsOf(world, 'getOrderDetail');
  await buy(ports, purchase, 'c1');
  const ofItsOwn = 1;
  expect((await callsOf(world, 'getOrderDetail')) - detailsBefore).toBe(ofItsOwn + asked);
  expect(await callsOf(world, 'getOrderDetailBatch')).toBe(1);
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
});

test('another reference that stands is found among many that are asked for in one call', async () => {
  const { world, store, ports, adapter, purchase } = await aRestoredDesk();
  const witness = await givenPurchase(store, { number: 2, state: 'accepted', reference: 'SD1' });
  await boughtInLostTime({ store, ports, adapter }, witness.supplierOrderId);
  const other = supplierOrderIdOf(purchase.orderId, 'cj_dropshipping', partKey(CANDIDATE, ''), 2);
  await boughtInLostTime({ store, ports, adapter }, purchase.supplierOrderId, other);
  await buy(ports, purchase, 'c1');
  expect(await boughtUnder(world, purchase)).toEqual([]);
  expect(await saidTo(store, purchase)).toMatchObject([
    { type: 'withheld', reason: 'duplicate_suspected', evidence: { reference: other } },
  ]);
});

const SECOND = { ...CANDIDATE, supplierVariantId: article(2).supplierVariantId };

test.each([
  [
    'of a line that found more in a second candidate of the same purchase',
    `${partKey(CANDIDATE, '')}#1`,
    1,
    false,
  ],
  [
    'of a line of which some units were bought in two such purchases',
    `${partKey(CANDIDATE, '1')}#1`,
    1,
    false,
  ],
  ['of some units of the only line, where the rest was held', partKey(CANDIDATE, '1'), 0, true],
  ['of the only line at a supplier that combines none', partKey(CANDIDATE, '1'), 0, false, false],
] as const)(
  'the reference %s is asked for as well',
  async (_, part, more, isPartly, combinesLines: boolean = true) => {
    const { world, store, ports: live, adapter, purchase } = await aRestoredDesk();
    const adapterOf: typeof live.adapterOf = (supplier) => {
      const found = live.adapterOf(supplier);
      return found && { ...found, capabilities: { ...found.capabilities, combinesLines } };
    };
    const ports = { ...live, adapterOf };
    const { orderId, supplierOrderId } = purchase;
    const candidates = JSON.stringify([CANDIDATE, SECOND].slice(0, 1 + more));
    await store.run('update product_mappings set candidates = $1::jsonb', [candidates]);
    const context = JSON.stringify({ round: 1, rules: { partialPurchase: isPartly } });
    await store.run('update orders set context = $1::json', [context]);
    const other = supplierOrderIdOf(orderId, 'cj_dropshipping', part, 1);
    await boughtInLostTime({ store, ports, adapter }, supplierOrderId, other);
    await buy(ports, purchase, 'c1');
    expect(await boughtUnder(world, purchase)).toEqual([]);
    expect(await saidTo(store, purchase)).toMatchObject([
      { type: 'withheld', reason: 'duplicate_suspected', evidence: { reference: other } },
    ]);
  },
);

test('an order that was bought after the backup from the last of many candidates is found there', async () => {
  const { world, store, ports, adapter, purchase } = await aRestoredDesk();
  const warehouses = ['CN', 'US', 'DE', 'GB'].map((shipsFrom) => ({ ...CANDIDATE, shipsFrom }));
  await store.run('update product_mappings set candidates = $1::jsonb', [JSON.stringify(warehouses)]);
  // Each refused candidate led to a round, before which the shop was asked in a round of its own.
  const last = partKey({ ...CANDIDATE, shipsFrom: 'GB' }, '');
  const other = supplierOrderIdOf(purchase.orderId, 'cj_dropshipping', last, 7);
  await boughtInLostTime({ store, ports, adapter }, purchase.supplierOrderId, other);
  await buy(ports, purchase, 'c1');
  expect(await boughtUnder(world, purchase)).toEqual([]);
  expect(await saidTo(store, purchase)).toMatchObject([
    { type: 'withheld', reason: 'duplicate_suspected', evidence: { reference: other } },
  ]);
});

test('nothing is bought or paid before a new order at the supplier must show, nor at one that cannot be asked', async () => {
  const { world, store, ports, purchase } = await aRestoredDesk({
    ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '7200',
  });
  await buy(ports, purchase, 'c1');
  const unpaid = await givenPurchase(store, { number: 2, state: 'awaiting_payment', reference: 'SD1' });
  await givenOrder(store, unpaid.orderId, 120);
  expect(await pay(ports, unpaid, 'c2')).toEqual(DONE);
  expect([await callsOf(world, 'createOrderV2'), await saidTo(store, purchase)]).toEqual([0, []]);
  expect(await saidTo(store, unpaid)).toEqual([]);

  const blind = { ...ports, settings: { ...ports.settings, ORDER_MANAGER_DOUBT_WINDOW_SECONDS: 1 } };
  const adapterOf: typeof ports.adapterOf = (supplier) => {
    const adapter = ports.adapterOf(supplier);
    return adapter && { ...adapter, capabilities: { ...adapter.capabilities, looksUpByReference: false } };
  };
  await buy({ ...blind, adapterOf }, purchase, 'c3');
  expect(await verdicts(store, purchase)).toEqual(['withheld outcome_unknown']);
  expect(await callsOf(world, 'createOrderV2')).toBe(0);
});

test('a supplier that keeps refusing to say whether it has an order from before calls a person, whose word has it bought', async () => {
  const {
    world,
    store,
    ports: live,
    purchase,
  } = await aRestoredDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '600' });
  const lookUp = () => Promise.reject(new SupplierError('permanent', 'no', { code: 1_609_999 }));
  const ports = withAdapter(live, { lookUp });
  const restored = (minutesAgo: number) =>
    store.run("update restorations set restored_at = now() - $1::float8 * interval '1 minute'", [minutesAgo]);
  await buy(ports, purchase, 'c1');
  expect(await saidTo(store, purchase)).toEqual([]);
  await restored(71);
  await buy(ports, purchase, 'c2');
  const [said] = await saidTo(store, purchase);
  expect(said).toMatchObject({
    reason: 'outcome_unknown',
    evidence: { supplier: 'cj_dropshipping', code: 1_609_999, backupOf: expect.any(String) },
  });
  expect(await boughtUnder(world, purchase)).toEqual([]);

  await store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence, released_at)
     select 'h1', $1, 'outcome_unknown', $2, (payload::json #> '{data,evidence}'), now() from outbox limit 1`,
    [purchase.orderId, purchase.supplierOrderId],
  );
  await buy(ports, purchase, 'c3');
  expect(await boughtUnder(world, purchase)).toHaveLength(1);
});

test('an order that came after the restoration is bought as ever', async () => {
  const { world, store, ports } = await aRestoredDesk({ ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '7200' });
  const fresh = await givenPurchase(store, { number: 3 });
  await givenOrder(store, fresh.orderId, 5);
  await buy(ports, fresh, 'c1');
  expect(await boughtUnder(world, fresh)).toHaveLength(1);
});

test('mails are in doubt until the first look at their purchase after the restoration is over', async () => {
  const store = await aStore(await aDatabase());
  await givenOrder(store, 'ord_1', 120);
  await givenRestoration(store, 60);
  await store.run(
    `insert into parcels (id, order_id, supplier_order_id, state, tracking_number, units)
     values ('pcl_1', 'ord_1', 'sup_1', 'announced', 'T1', '{}')`,
  );
  const observed = (minutesAgo: number): Promise<number> =>
    store.run(
      `insert into timeline (order_id, at, message_id, type, accepted, supplier_order_id)
       values ('ord_1', now() - $1::float8 * interval '1 minute', $1::text, 'supplier_order.observed', false, 'sup_1')`,
      [minutesAgo],
    );
  const mail = async (kind: 'order_confirmed' | 'parcel_shipped', minutesAgo: number) => {
    const id = `${kind}:${minutesAgo}`;
    const parcelId = kind === 'order_confirmed' ? null : 'pcl_1';
    await store.run(
      `insert into notifications (id, order_id, kind, parcel_id, state, created_at)
       values ($1, 'ord_1', $2, $3, 'pending', now() - $4::float8 * interval '1 minute')`,
      [id, kind, parcelId, minutesAgo],
    );
    const row = { id, orderId: 'ord_1', kind, parcelId, about: null, bundle: null, attempt: 1 };
    return (await lostMails(store, [row])).has(id);
  };
  // Before the restoration a look says nothing.
  await observed(70);
  expect(await mail('parcel_shipped', 65)).toBe(true);
  expect(await mail('parcel_shipped', 50)).toBe(true);
  await observed(40);
  expect(await mail('parcel_shipped', 45)).toBe(true);
  expect(await mail('parcel_shipped', 30)).toBe(false);
  expect(await mail('order_confirmed', 30)).toBe(true);
  await store.run("update notifications set state = 'doubt'");
  await sendAgain(store, 'ord_1');
  const wanted = { orderId: 'ord_1', parcelId: null, about: null, bundle: null, attempt: 2 };
  const again = [{ ...wanted, id: 'order_confirmed:30', kind: 'order_confirmed' as const }];
  expect(await lostMails(store, again)).toEqual(new Map());
});
