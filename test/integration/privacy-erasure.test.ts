import { expect, test } from 'vitest';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { saveCustomers } from '../../services/store/customers.ts';
import { eraseOrders } from '../../services/store/erase-orders.ts';
import { type Holding, PERSONAL_DATA } from '../../services/store/personal-data.ts';
import {
  askErasure,
  emptyOldBodies,
  eraseOld,
  eraseRound,
  listRequests,
  recordRequest,
} from '../../services/store/privacy.ts';
import { searchPersonalData, textColumns } from '../../services/store/search-personal-data.ts';
import { applyShopNews } from '../../services/store/shop-news.ts';
import type { Sql, Store } from '../../services/store/store.ts';
import { cancel } from '../../services/suppliers/cancel.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { pay } from '../../services/suppliers/payment.ts';
import type { PatientAdapter } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { boughtFor, SHOP } from '../fixtures/order-events.ts';
import { aDesk, givenPurchase, moveTo, withAdapter } from '../fixtures/purchase-desk.ts';

const open = async (): Promise<Store> => aStore(await aDatabase());

const ADA = {
  email: 'Ada.Example@mail.example',
  phone: '+1 503-555-0100',
  name: 'Ada Exämple',
  address1: '1 Sample "Old" Street',
  billing: 'Byron Payer',
  taxId: '12345678909',
  birthday: '1815-12-10',
  nationalAddress: 'ADAX1815',
};
const KNOWN = [...Object.values(ADA), '15035550100'];

/** An order of the order host's making, with its customer in every place that may hold one. */
async function givenOrder(
  sql: Sql,
  orderId: string,
  { state = 'delivered', changedDaysAgo = 0 } = {},
): Promise<void> {
  await sql.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context, created_at, updated_at)
     values ($1, $2, $1, '#1042', 'EUR', 1990, '2026-11-20T10:00:00Z', $3, '{"lines": {}}',
             now() - interval '200 days', now() - $4::float8 * interval '1 day')`,
    [orderId, SHOP, state, changedDaysAgo],
  );
  await sql.run(
    `insert into customer_details (order_id, source_updated_at, customer_id, email, phone, locale, tax_id,
                                   shipping_address, note, birthday, national_address, name)
     values ($1, '2026-11-20T10:00:00Z', '501', $2, $3, 'de-DE', $4, $5::jsonb, $6, $7, $8, $9)`,
    [
      orderId,
      ADA.email,
      ADA.phone,
      ADA.taxId,
      JSON.stringify({ name: ADA.name, address1: ADA.address1, city: 'Town' }),
      `${ADA.name} called`,
      ADA.birthday,
      ADA.nationalAddress,
      ADA.billing,
    ],
  );
  const quote = { code: '1603', text: `no such street: ${ADA.address1}, ${ADA.name}`, attempt: 2 };
  const supplierOrderId = boughtFor(orderId);
  await sql.run('insert into holds (id, order_id, reason, evidence) values ($1, $2, $3, $4::json)', [
    `hld_${orderId}`,
    orderId,
    'supplier_rejected',
    JSON.stringify(quote),
  ]);
  await sql.run('insert into hold_notes (hold_id, order_id, note) values ($1, $2, $3)', [
    'hld_of_no_hold',
    orderId,
    `ask ${ADA.name}`,
  ]);
  await sql.run(
    `insert into timeline (order_id, message_id, type, accepted, data) values ($1, $2, 'supplier_order.rejected', true, $3::json)`,
    [orderId, `m-${orderId}`, JSON.stringify({ orderId, supplierOrderId, attempt: 1, evidence: quote })],
  );
  await sql.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency, note)
     values ($1, $2, 'cj_dropshipping', 'rejected', '{}', 'Post', 'CN', 100, 'USD', $3)`,
    [supplierOrderId, orderId, `for ${ADA.name}`],
  );
  await sql.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state, request_hash,
                                   expected_cost_minor, currency, call_deadline, evidence)
     values ($1, 'create', $2, 'cj_dropshipping', $1, 1, 'refused', 'x', 100, 'USD', now(), $3::json)`,
    [supplierOrderId, orderId, JSON.stringify(quote)],
  );
  await sql.run(
    `insert into notifications (id, order_id, kind, state, evidence) values ($1, $2, 'order_confirmed', 'failed', $3::json)`,
    [`ntf_${orderId}`, orderId, JSON.stringify({ answer: `550 <${ADA.email}> unknown` })],
  );
  const body = {
    id: 1,
    name: '#1042',
    customer: { first_name: 'Ada', default_address: { phone: ADA.phone } },
    billing_address: { name: ADA.billing },
    line_items: [{ name: 'Moon lamp' }],
  };
  await sql.run(
    `insert into webhooks (source, delivery_id, topic, api_version, order_id, body) values ($1, $2, 'orders/create', '2026-10', $3, $4)`,
    [`shopify:${SHOP}`, orderId, orderId, JSON.stringify(body)],
  );
  await sql.run(
    `insert into dead_letters (order_id, message_id, subject, seq, payload, state, failure)
     values ($1, 'd1', 's', 1, $2, 'skipped', $3), ($1, 'd2', 's', 2, $4, 'skipped', null)`,
    [
      orderId,
      JSON.stringify({ time: '2026-11-20', data: { evidence: quote } }),
      `cannot read ${ADA.email}`,
      `{"data": broken, "evidence" by ${ADA.name}`,
    ],
  );
  await sql.run(
    `insert into dead_letter_requests (id, letter_id, action, by, note, data)
     select $1 || ':edit', id, 'edit', 'owner', $2, $3::json from dead_letters where order_id = $1 and message_id = 'd1'`,
    [orderId, `as ${ADA.name} said`, JSON.stringify({ note: ADA.email })],
  );
}

const erase = (store: Store, ...orderIds: string[]): Promise<unknown> =>
  store.transaction((sql) => eraseOrders(sql, orderIds));

const isErased = async (store: Store, orderId: string): Promise<boolean> => {
  const [row] = await store.query(
    `select 1 from orders o join customer_details c on c.order_id = o.id
      where o.id = $1 and o.erased_at is not null and c.redacted_at is not null and c.email is null`,
    [orderId],
  );
  return row !== undefined;
};

test('every column that can hold text says what of a person may stand in it', async () => {
  const store = await open();
  const present = (await textColumns(store)).flatMap(({ table, columns }) =>
    columns.map((column) => `${table}.${column}`),
  );
  const described = Object.entries(PERSONAL_DATA).flatMap(([table, { columns }]) =>
    Object.keys(columns).map((column) => `${table}.${column}`),
  );
  expect(described.toSorted()).toEqual(present.toSorted());
});

test('every place that may name a person does so in these tests, and none afterwards', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await givenOrder(store, 'ord_2');
  const places = Object.entries(PERSONAL_DATA).flatMap(([table, { columns }]) =>
    Object.entries<Holding>(columns).flatMap(([column, holding]) =>
      typeof holding === 'object' ? [`${table}.${column}`] : [],
    ),
  );
  // Neither says who somebody is by itself, and both go all the same.
  const pseudonyms = ['customer_details.customer_id', 'customer_details.locale'];
  const found = (await searchPersonalData(store, [...KNOWN, 'de-DE', '501'], ['ord_1'])).map(
    ({ column }) => column,
  );
  expect(found.toSorted()).toEqual(places.toSorted());
  expect(places).toEqual(expect.arrayContaining(pseudonyms));

  await erase(store, 'ord_1');
  expect(await searchPersonalData(store, [...KNOWN, 'Exämple', 'de-DE'], ['ord_1'])).toEqual([]);
  expect((await searchPersonalData(store, KNOWN)).every(({ rows }) => rows > 0)).toBe(true);
  await erase(store, 'ord_2');
  expect(await searchPersonalData(store, KNOWN)).toEqual([]);
});

test('the books and the facts stay as they were', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await erase(store, 'ord_1');
  expect(await store.query('select name, total_minor::int as total, state from orders')).toEqual([
    { name: '#1042', total: 1990, state: 'delivered' },
  ]);
  const [entry] = await store.query<{ data: object }>('select data from timeline');
  expect(entry?.data).toEqual({
    orderId: 'ord_1',
    supplierOrderId: boughtFor('ord_1'),
    attempt: 1,
    evidence: { code: '1603', text: 'no such street: (erased), (erased)', attempt: 2 },
  });
  const letters = await store.query<{ payload: string }>('select payload from dead_letters order by id');
  expect(letters.map(({ payload }) => payload)).toEqual([
    expect.stringContaining('"time":"2026-11-20"'),
    '{"data": broken, "evidence" by (erased)',
  ]);
});

test('an erasure repeated, or by two copies at once, changes nothing more', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await Promise.all([erase(store, 'ord_1'), erase(store, 'ord_1')]);
  const rows = (): Promise<object[]> =>
    store.query('select redacted_at, erased_at from customer_details c join orders o on o.id = c.order_id');
  const before = await rows();
  await erase(store, 'ord_1');
  expect(await rows()).toEqual(before);
});

test('an order on its way keeps its address until it has ended and its last mail is out', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1', { state: 'shipped' });
  const id = await store.transaction((sql) => askErasure(sql, SHOP, ['ord_1']));
  await eraseRound(store);
  expect(await isErased(store, 'ord_1')).toBe(false);
  expect(await listRequests(store, { id, limit: 1 })).toMatchObject([
    { closedAt: null, orderIds: ['ord_1'], waiting: [{ orderId: 'ord_1', status: 'shipped' }] },
  ]);
  await store.run("update orders set state = 'delivered'");
  await store.run("update notifications set state = 'pending'");
  await eraseRound(store);
  expect(await isErased(store, 'ord_1')).toBe(false);
  await store.run("update notifications set state = 'sent'");
  await eraseRound(store);
  expect(await isErased(store, 'ord_1')).toBe(true);
  expect(await listRequests(store, { id, limit: 1 })).toMatchObject([{ closedBy: 'erased', waiting: [] }]);
});

test('when the request is due the customer is erased however the order stands', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1', { state: 'shipped' });
  await store.transaction((sql) => askErasure(sql, SHOP, ['ord_1']));
  await store.run("update privacy_requests set due_at = now() - interval '1 second'");
  await eraseRound(store);
  expect(await isErased(store, 'ord_1')).toBe(true);
});

test('a second request for an order that waits stays open until the first one is done', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1', { state: 'shipped' });
  await store.transaction((sql) => askErasure(sql, SHOP, ['ord_1']));
  const second = await store.transaction((sql) => askErasure(sql, SHOP, ['ord_1']));
  await eraseRound(store);
  expect(await listRequests(store, { id: second, limit: 1 })).toMatchObject([
    { closedAt: null, waiting: [{ orderId: 'ord_1' }] },
  ]);
});

test('a customer whom the shop names by number alone is erased from all their orders', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await givenOrder(store, 'ord_2');
  await store.run(
    "update customer_details set customer_id = '502', email = 'other@mail.example' where order_id = 'ord_2'",
  );
  await store.transaction((sql) =>
    applyShopNews(sql, SHOP, { kind: 'customer_redacted', orderIds: [], customerId: '501' }),
  );
  await eraseRound(store);
  expect([await isErased(store, 'ord_1'), await isErased(store, 'ord_2')]).toEqual([true, false]);
});

test('a whole shop is erased, what has ended at once and the rest later', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await givenOrder(store, 'ord_2', { state: 'shipped' });
  await recordRequest(store, SHOP, 'shop_redacted', []);
  await eraseRound(store);
  expect([await isErased(store, 'ord_1'), await isErased(store, 'ord_2')]).toEqual([true, false]);
  expect(await listRequests(store, { open: true, limit: 5 })).toMatchObject([
    { waiting: [{ orderId: 'ord_2' }] },
  ]);
  await store.run("update orders set state = 'cancelled' where id = 'ord_2'");
  await eraseRound(store);
  expect(await isErased(store, 'ord_2')).toBe(true);
  expect(await listRequests(store, { open: true, limit: 5 })).toEqual([]);
});

test('what comes in late about a redacted order is not kept', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await erase(store, 'ord_1');
  await saveCustomers(store, [
    {
      order_id: 'ord_1',
      customer_id: '501',
      name: ADA.billing,
      total_minor: 1_990,
      total_currency: 'USD',
      source_updated_at: '2027-11-20T10:00:00Z',
      email: ADA.email,
      phone: null,
      locale: null,
      tax_id: null,
      birthday: null,
      national_address: null,
      shipping_address: null,
    },
  ]);
  expect(await searchPersonalData(store, KNOWN)).toEqual([]);
});

test('ended orders are erased the set time after their last change, and webhooks emptied before', async () => {
  const store = await open();
  await givenOrder(store, 'ord_old', { changedDaysAgo: 181 });
  await givenOrder(store, 'ord_new', { changedDaysAgo: 179 });
  await givenOrder(store, 'ord_open', { state: 'shipped', changedDaysAgo: 181 });
  expect(await emptyOldBodies(store, 30)).toBe(0);
  await store.run("update webhooks set received_at = now() - interval '31 days' where order_id = 'ord_open'");
  expect(await emptyOldBodies(store, 30)).toBe(1);
  expect(await eraseOld(store, 180)).toBe(1);
  expect(await eraseOld(store, 180)).toBe(0);
  expect([
    await isErased(store, 'ord_old'),
    await isErased(store, 'ord_new'),
    await isErased(store, 'ord_open'),
  ]).toEqual([true, false, false]);
});

const QUOTING = 'Mr PROBE, 12 Test Lane, robin@probe.example, +1 503 555 0100: no such house';

test('the customer of an order that never came to be, as its event was skipped, is erased the set time after', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await store.run('delete from orders');
  await store.run("update dead_letters set settled_at = now() - interval '179 days'");
  expect(await eraseOld(store, 180)).toBe(0);
  await store.run("update dead_letters set settled_at = now() - interval '181 days'");
  expect(await eraseOld(store, 180)).toBe(1);
  expect(await eraseOld(store, 180)).toBe(0);
  expect(await searchPersonalData(store, KNOWN)).toEqual([]);
});

test('what a supplier quotes of its recipient reaches neither bus nor ledger nor log', async () => {
  const { store, ports, logLines } = await aDesk();
  const purchase = await givenPurchase(store);
  const refusing = withAdapter(ports, {
    place: () =>
      Promise.reject(new SupplierError('invalid_input', 'refused', { code: '1603', text: QUOTING })),
  });
  await buy(refusing, purchase, 'c1');
  const [intent] = await store.query('select state, evidence from purchase_intents');
  const left = 'Mr (erased), (erased), (erased), (phone): no such house';
  expect(intent).toMatchObject({ state: 'refused', evidence: { code: '1603', text: left } });
  const said = await store.query('select payload from outbox');
  expect(JSON.stringify(said)).toContain(left);
  expect(JSON.stringify([said, logLines])).not.toMatch(/probe\.example|Test Lane|PROBE/);
});

const REFUSING: readonly (readonly [keyof PatientAdapter, typeof pay, SupplierOrderStateName])[] = [
  ['preparePayment', pay, 'awaiting_payment'],
  ['pay', pay, 'awaiting_payment'],
  ['cancel', cancel, 'cancelling'],
  ['lookUp', lookUp, 'outcome_unknown'],
];

test.each(REFUSING)('nor what it quotes when %s is refused', async (call, ask, state) => {
  const { store, ports, logLines } = await aDesk({}, { timing: { processMs: 60_000 } });
  const purchase = await givenPurchase(store);
  await buy(ports, purchase, 'b1');
  await moveTo(store, purchase, state);
  if (state === 'outcome_unknown') await store.run("update purchase_intents set state = 'unknown'");
  const refuse = () => Promise.reject(new SupplierError('auth', 'refused', { text: QUOTING }));
  await ask(withAdapter(ports, { [call]: refuse }), purchase, 'c1');
  const kept = [await store.query('select payload from outbox'), logLines];
  expect(JSON.stringify(kept)).toContain('Mr (erased), (erased), (erased), (phone): no such house');
  expect(JSON.stringify([kept, await store.query('select evidence from purchase_intents')])).not.toMatch(
    /probe\.example|Test Lane|PROBE/,
  );
});

test('nor what it quotes when it is asked whether a refused purchase stands, or was made before a restoration', async () => {
  const { store, ports, logLines } = await aDesk();
  const purchase = await givenPurchase(store);
  const quote = () => Promise.reject(new SupplierError('auth', 'refused', { text: QUOTING }));
  const quoting = withAdapter(ports, { place: quote, lookUp: quote });
  await buy(quoting, purchase, 'c1');
  const another = await givenPurchase(store, { number: 2 });
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', '2', '#2', 'USD', 1, now() - interval '2 hours', 'purchasing', '{"round": 1}')`,
    [another.orderId],
  );
  await store.run(
    "insert into restorations (backup_of, restored_at) values (now() - interval '1 day', now() - interval '1 hour')",
  );
  await buy(quoting, another, 'c2');
  const kept = JSON.stringify([await store.query('select payload from outbox'), logLines]);
  expect(kept).toContain('a refused purchase could not be looked for');
  expect(kept).toContain('a purchase could not be looked for');
  expect(kept).not.toMatch(/probe\.example|Test Lane|PROBE/);
});

test('a name of two characters is erased where it is quoted, and found where it is not', async () => {
  const store = await open();
  await givenOrder(store, 'ord_1');
  await store.run(`update customer_details set shipping_address = '{"name": "张伟"}'`);
  await store.run(`update holds set evidence = '{"text": "收件人张伟的地址不存在"}'`);
  expect(await searchPersonalData(store, ['张伟'])).toContainEqual({ column: 'holds.evidence', rows: 1 });
  await erase(store, 'ord_1');
  expect(await store.query('select evidence from holds')).toEqual([
    { evidence: { text: '收件人(erased)的地址不存在' } },
  ]);
  expect(await searchPersonalData(store, ['张伟'])).toEqual([]);
});
