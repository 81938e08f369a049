import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { Explanation } from '../../contracts/resources/explanation.ts';
import { CustomerData, ErasureReceipt, PrivacyRequestList } from '../../contracts/resources/privacy.ts';
import { STREAMS } from '../../contracts/subjects.ts';
import { audit } from '../../services/audit.ts';
import { eraseRound } from '../../services/store/privacy.ts';
import { searchPersonalData } from '../../services/store/search-personal-data.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { aShopOrder } from '../fixtures/shop-orders.ts';
import { CREDENTIALS } from '../sandbox/world.ts';

let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld();
});
afterAll(() => world.stop());

interface Person {
  readonly id: number;
  readonly name: string;
  readonly street: string;
  readonly email: string;
  readonly phone: string;
}
const valuesOf = ({ name, street, email, phone }: Person): string[] => [name, street, email, phone];

/** An order of this person as the shop's webhook tells it. */
const anOrderOf = ({ id, name, street, email, phone }: Person, number: number) => {
  const { id: shopOrderId, body } = aShopOrder(number, [{ article: 1, units: 1 }]);
  const order = JSON.parse(body);
  const address = { ...order.shipping_address, name, first_name: name, address1: street, phone };
  return {
    orderId: orderIdOf(CREDENTIALS.shop, shopOrderId),
    shopOrderId,
    body: {
      ...order,
      email,
      customer: { id, email, phone },
      shipping_address: address,
      billing_address: address,
    },
  };
};

const untilStatus = (orderId: string, status: string): Promise<void> =>
  expect.poll(async () => (await world.call('GET', `/orders/${orderId}`)).json()).toMatchObject({ status });

const requests = async (): Promise<PrivacyRequestList['items']> =>
  PrivacyRequestList.parse(await (await world.call('GET', '/privacy-requests?open=true')).json()).items;

test('a customer is erased from what has ended at once, from the rest at its end, and nothing brings them back', async () => {
  const quirin: Person = {
    id: 777001,
    name: 'Quirin Zweifel',
    street: '7 Nowhere Alley',
    email: 'quirin@nowhere.example',
    phone: '+15035550177',
  };
  const [done, waiting] = [anOrderOf(quirin, 7001), anOrderOf(quirin, 7002)];
  for (const { body } of [done, waiting]) expect((await world.hear('orders/create', body)).status).toBe(200);
  await untilStatus(done.orderId, 'grace');
  await world.passTime(done.orderId, 'grace');
  await untilStatus(waiting.orderId, 'grace');
  const note = { note: `ask ${quirin.name}` };
  expect((await world.call('POST', `/orders/${waiting.orderId}/holds`, note)).status).toBe(202);
  await untilStatus(done.orderId, 'delivered');

  const all = CustomerData.parse(await (await world.call('GET', '/customers/777001/data')).json());
  expect(all.orderIds.toSorted()).toEqual([done.orderId, waiting.orderId].toSorted());
  expect(all.data.customer_details).toHaveLength(2);
  expect(JSON.stringify(all.data.hold_notes)).toContain(quirin.name);

  // Nobody mails in this world; a customer is told the end of it before they are forgotten.
  await world.store.run("update notifications set state = 'sent'");
  const answer = await world.call(
    'DELETE',
    `/customers/${encodeURIComponent('QUIRIN@nowhere.example')}/data`,
  );
  expect(answer.status).toBe(202);
  expect(ErasureReceipt.parse(await answer.json())).toMatchObject({
    erased: [done.orderId],
    waiting: [{ orderId: waiting.orderId, status: 'grace' }],
    found: [],
  });
  expect(await requests()).toMatchObject([
    { kind: 'customer_redacted', waiting: [{ orderId: waiting.orderId }] },
  ]);

  expect((await world.call('DELETE', `/orders/${waiting.orderId}`)).status).toBe(202);
  await untilStatus(waiting.orderId, 'cancelled');
  await world.store.run("update notifications set state = 'sent'");
  await eraseRound(world.store);
  expect(await requests()).toEqual([]);
  expect(await searchPersonalData(world.store, valuesOf(quirin))).toEqual([]);

  const late = { ...done.body, updated_at: '2026-12-20T10:00:05-05:00' };
  expect((await world.hear('orders/updated', late)).status).toBe(200);
  await world.settled(done.orderId);
  const address = { shipping_address: { ...ADDRESS, first_name: quirin.name } };
  expect((await world.call('PUT', `/orders/${done.orderId}`, address)).status).toBe(409);
  expect((await world.call('PUT', `/orders/${done.orderId}`, note)).status).toBe(409);
  const [purchase] = await world.store.query<{ id: string }>(
    'select id from supplier_orders where order_id = $1',
    [done.orderId],
  );
  expect((await world.call('PUT', `/supplier-orders/${purchase?.id}`, note)).status).toBe(409);
  expect(await searchPersonalData(world.store, valuesOf(quirin))).toEqual([]);

  expect((await world.call('GET', '/customers/777001/data')).status).toBe(404);
  expect((await world.call('DELETE', `/customers/${done.orderId}/data`)).status).toBe(202);
  const books = await (await world.call('GET', `/orders/${done.orderId}`)).json();
  expect(books).toMatchObject({
    status: 'delivered',
    name: '#T7001',
    customer: { email: null },
    totalMinor: 2000,
  });

  const probe = await aProbe(world.ports.settings.NATS_URL ?? '');
  // Commands that were carried out are gone from theirs; their words are in the outbox, which was searched.
  for (const stream of [STREAMS.events, STREAMS.crew]) {
    const messages = JSON.stringify(await probe.messagesIn(stream));
    for (const value of valuesOf(quirin)) expect(messages).not.toContain(value);
  }
  expect(await audit(world.store, () => {})).toMatchObject({ violations: 0 });
});

const ADDRESS = {
  last_name: '',
  address1: '1 Road',
  city: 'Paris',
  state: '',
  zip: '75001',
  country: 'FR',
  phone: '',
  email: '',
};

test('of an order whose customer was erased before its end the units can still be called off, and nothing else is offered', async () => {
  const greta: Person = {
    id: 777009,
    name: 'Greta Zander',
    street: '9 Nowhere Alley',
    email: 'greta@nowhere.example',
    phone: '+15035550179',
  };
  const { orderId, body } = anOrderOf(greta, 7009);
  await world.hear('orders/create', body);
  await untilStatus(orderId, 'grace');
  await world.call('DELETE', '/customers/777009/data');
  await world.store.run(
    "update privacy_requests set due_at = now() - interval '1 second' where closed_at is null",
  );
  await eraseRound(world.store);

  const { sentences, can } = Explanation.parse(
    await (await world.call('GET', `/orders/${orderId}/explain`)).json(),
  );
  expect(sentences).toContain('Its customer was erased: what is not bought yet has no address to go to.');
  expect(can.filter(({ method }) => method === 'PUT').map(({ what }) => what)).toEqual([
    'make units not bought yet fewer',
  ]);
  const address = { shipping_address: { ...ADDRESS, first_name: greta.name } };
  expect((await world.call('PUT', `/orders/${orderId}`, address)).status).toBe(409);
  const fewer = { items: [{ line_id: String(body.line_items[0].id), quantity: 0 }] };
  expect((await world.call('PUT', `/orders/${orderId}`, fewer)).status).toBe(202);
  await untilStatus(orderId, 'cancelled');
});

test('a note on a purchase that is put while its customer is being erased is not taken', async () => {
  const hugo: Person = {
    id: 777010,
    name: 'Hugo Zacharias',
    street: '10 Nowhere Alley',
    email: 'hugo@nowhere.example',
    phone: '+15035550180',
  };
  const { orderId, body } = anOrderOf(hugo, 7010);
  await world.hear('orders/create', body);
  await untilStatus(orderId, 'grace');
  await world.passTime(orderId, 'grace');
  await untilStatus(orderId, 'delivered');
  const [purchase] = await world.store.query<{ id: string }>(
    'select id from supplier_orders where order_id = $1',
    [orderId],
  );
  const putting = await world.store.transaction(async (sql) => {
    await sql.query('select 1 from orders where id = $1 for update', [orderId]);
    await sql.run('update customer_details set redacted_at = now() where order_id = $1', [orderId]);
    const answer = world.call('PUT', `/supplier-orders/${purchase?.id}`, { note: `ask ${hugo.name}` });
    await expect
      .poll(() => world.store.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
      .toHaveLength(1);
    return { answer };
  });
  expect((await putting.answer).status).toBe(409);
});

test('who asks for their data is listed with the day it is due, and the export closes the request', async () => {
  const vera: Person = {
    id: 777002,
    name: 'Vera Vorbild',
    street: '8 Nowhere Alley',
    email: 'vera@nowhere.example',
    phone: '+15035550178',
  };
  const order = anOrderOf(vera, 7003);
  await world.hear('orders/create', order.body);
  const request = {
    shop_domain: CREDENTIALS.shop,
    customer: { id: vera.id, email: vera.email, phone: vera.phone },
    orders_requested: [Number(order.shopOrderId)],
    data_request: { id: 9 },
  };
  expect((await world.hear('customers/data_request', request)).status).toBe(200);
  expect(
    (await world.hear('customers/data_request', { ...request, orders_requested: [], customer: { id: 5 } }))
      .status,
  ).toBe(200);
  const [first, second] = await requests();
  expect(first).toMatchObject({ kind: 'data_requested', orderIds: [order.orderId], waiting: [] });
  expect(Date.parse(first!.dueAt) - Date.parse(first!.receivedAt)).toBe(30 * 86_400_000);
  expect(second).toMatchObject({ orderIds: [] });

  // Nothing is handed over by it.
  expect((await world.call('HEAD', `/customers/${order.orderId}/data`)).status).toBe(200);
  expect(await requests()).toHaveLength(2);
  const data = CustomerData.parse(await (await world.call('GET', `/customers/${order.orderId}/data`)).json());
  expect(JSON.stringify(data.data.customer_details)).toContain(vera.street);
  expect(await requests()).toMatchObject([{ id: second!.id }]);
  const closed = await world.call('POST', `/privacy-requests/${second!.id}/close`);
  expect(await closed.json()).toMatchObject({ closedBy: 'operator' });
  expect(await requests()).toEqual([]);
});

test('nobody is found under another name, and a request to be forgotten cannot be closed by hand', async () => {
  for (const person of ['nobody@nowhere.example', '1', 'ord_0'])
    for (const method of ['GET', 'DELETE'])
      expect((await world.call(method, `/customers/${person}/data`)).status).toBe(404);
  expect((await world.call('POST', '/privacy-requests/x/close')).status).toBe(404);
  const [row] = await world.store.query<{ id: number }>(
    `insert into privacy_requests (shop, kind, order_ids, due_at) values ('s', 'shop_redacted', '[]', now())
     returning id::float8 as id`,
  );
  expect((await world.call('POST', `/privacy-requests/${row?.id}/close`)).status).toBe(409);
});

test('the search is a command: it takes values by standard input and its exit code is the verdict', async () => {
  const zoe: Person = {
    id: 777003,
    name: 'Zoe Zeuge',
    street: '9 Nowhere Alley',
    email: 'zoe@nowhere.example',
    phone: '+15035550179',
  };
  await world.hear('orders/create', anOrderOf(zoe, 7004).body);
  const database = world.ports.settings.DB_CONNECTION_STRING ?? '';
  const search = async (input: string, url = database): Promise<{ code: number | null; output: string }> => {
    const child = spawn(process.execPath, ['deploy/privacy-search.ts'], {
      env: { ...process.env, DB_CONNECTION_STRING: url },
    });
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const output = (await text(child.stdout)) + (await text(child.stderr));
    return { code: await ended, output };
  };
  const found = await search(`${zoe.email}\n${zoe.street}\n`);
  expect(found.output).toContain('customer_details.email: 1 rows');
  expect(found.output).toContain('webhooks.body: 1 rows');
  expect(found.code).toBe(1);
  expect(await search('zo\n')).toMatchObject({ code: 2 });
  const half = await search('nobody@nowhere.example\n\nzo\n');
  expect(half).toMatchObject({ code: 2, output: expect.stringContaining('line 3') });
  expect(half.output).not.toContain('zo\n');
  const nothing = await search('nobody@nowhere.example\n\n');
  expect(nothing).toEqual({
    code: 0,
    output: 'searched every column of text for 1 values: nothing found\n',
  });
  const failed = await world.store.transaction(async (sql) => {
    await sql.run('lock table customer_details in access exclusive mode');
    return search(`${zoe.email}\n`, `${database}?lock_timeout=100`);
  });
  expect(failed).toEqual({ code: 2, output: expect.stringMatching(/^cannot search: .*lock timeout\n$/) });
  const elsewhere = await search(`${zoe.email}\n`, `${database}?options=-c%20search_path%3Dnowhere`);
  expect(elsewhere).toEqual({ code: 2, output: 'cannot search: this database has no tables\n' });
});
