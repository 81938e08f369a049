import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { z } from 'zod';
import type { Attention } from '../../contracts/events/supplier-order-observed.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { Explanation } from '../../contracts/resources/explanation.ts';
import { HoldList } from '../../contracts/resources/hold.ts';
import { OrderList, OrderView } from '../../contracts/resources/order.ts';
import { OrderReceipt } from '../../contracts/resources/order-requests.ts';
import { PostedAddress, toShippingAddress } from '../../contracts/resources/posted-address.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { SupplierOrderList, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { SupplierOrderReceipt } from '../../contracts/resources/supplier-order-requests.ts';
import { Timeline } from '../../contracts/resources/timeline.ts';
import { audit } from '../../services/audit.ts';
import { saveCustomers } from '../../services/store/customers.ts';
import { NO_ADDRESS } from '../../services/store/notifications.ts';
import { type CustomerRow, customerOf, toRecipient } from '../../services/suppliers/recipient.ts';
import { tellObserved } from '../../services/suppliers/tell-observed.ts';
import { aGateway } from '../fixtures/a-gateway.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { article } from '../fixtures/purchase-desk.ts';
import { aShopOrder } from '../fixtures/shop-orders.ts';
import { CREDENTIALS } from '../sandbox/world.ts';

/** Gateway, order host and suppliers in this process, against a real database, bus and supplier world. */
let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld();
});
afterAll(() => world.stop());

const LAMP = article(1);
const ADDRESS = {
  first_name: 'Jean',
  last_name: 'Dupont',
  address1: '123 Rue Exemple',
  city: 'Paris',
  state: 'Île-de-France',
  zip: '75001',
  country: 'FR',
  phone: '+33123456789',
  email: 'jean.dupont@example.com',
};
/** As the user's guide has it. */
const GUIDE = {
  order_id: 'ord_12345',
  supplier: 'cj_dropshipping',
  items: [
    {
      sku: 'SKU001',
      quantity: 1,
      supplier_product_id: 'CJ123456',
      properties: { color: 'blue', size: 'M' },
    },
  ],
  shipping_address: ADDRESS,
};

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  world.call('POST', path, body, headers);
const read = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> =>
  schema.parse(await (await world.call('GET', path)).json());
const problem = async (response: Response, status: number): Promise<Problem> => {
  expect(response.status).toBe(status);
  return Problem.parse(await response.json());
};
const orderAt = (id: string) => read(`/orders/${id}`, OrderView);
const purchaseAt = (id: string) => read(`/supplier-orders/${id}`, SupplierOrderView);

/** Waits until the order is there and fits. */
const until = async (id: string, fits: Partial<OrderView>): Promise<OrderView> => {
  await expect
    .poll(async () => (await world.call('GET', `/orders/${id}`)).json(), { interval: 50 })
    .toMatchObject(fits);
  return orderAt(id);
};
const untilPurchase = async (id: string, fits: object): Promise<SupplierOrderView> => {
  await expect
    .poll(async () => (await world.call('GET', `/supplier-orders/${id}`)).json(), {
      timeout: 60_000,
      interval: 50,
    })
    .toMatchObject(fits);
  return purchaseAt(id);
};

const anOrder = (over: object = {}) => ({
  currency: 'EUR',
  payment: 'paid',
  items: [
    { sku: LAMP.sku, variant_id: LAMP.shopVariantId, title: 'Lamp', quantity: 2, unit_price_minor: 1_990 },
  ],
  shipping_address: ADDRESS,
  ...over,
});
const created = async (over: object = {}): Promise<string> => {
  const response = await post('/orders', anOrder(over));
  expect(response.status).toBe(201);
  const { id } = OrderReceipt.parse(await response.json());
  expect(response.headers.get('location')).toBe(`/orders/${id}`);
  return id;
};

test('the example of the guide works when it is pasted: the purchase is there, under an order of that very id', async () => {
  const response = await post('/supplier-orders', GUIDE);
  expect(response.status).toBe(201);
  const receipt = SupplierOrderReceipt.parse(await response.json());
  expect(receipt).toMatchObject({ orderId: 'ord_12345', status: 'draft' });
  // The article does not exist: nothing is bought in its place, and the hold says so.
  const order = await until('ord_12345', { holdReasons: ['mapping_changed'] });
  expect(order).toMatchObject({ status: 'purchasing', shop: 'api', customer: { email: ADDRESS.email } });
  expect(order.lines[0]).toMatchObject({
    sku: 'SKU001',
    units: { ordered: 1, onSupplierOrders: 1, unallocated: 0, held: 0 },
    cancellable: { free: 1, mustAsk: 0, tooLate: 0 },
    allocations: [{ supplierOrderId: receipt.id, units: 1 }],
  });
  expect(await purchaseAt(receipt.id)).toMatchObject({
    status: 'draft',
    shippingMethod: null,
    expectedCostMinor: null,
    lines: [
      { supplierProductId: 'CJ123456', supplierVariantId: null, properties: { color: 'blue', size: 'M' } },
    ],
  });
  const [hold] = (await read('/holds?orderId=ord_12345', HoldList)).items;
  expect(hold).toMatchObject({ supplierOrderId: receipt.id, reason: 'mapping_changed' });
  expect(hold?.suggestedMend).not.toBe('');
  // Pasted again, its unit is on that purchase already: it is not bought twice.
  const again = await problem(await post('/supplier-orders', GUIDE), 409);
  expect(again).toMatchObject({ code: 'conflict', errors: [{ path: 'items.0' }] });

  // A person names the article, and the purchase goes on by itself.
  await world.call('PUT', `/supplier-orders/${receipt.id}`, {
    note: 'the lamp is meant',
    items: [
      {
        line_id: '1',
        supplier_product_id: LAMP.supplierProductId,
        supplier_variant_id: LAMP.supplierVariantId,
      },
    ],
  });
  expect((await post(`/holds/${hold?.id}/release`, undefined)).status).toBe(202);
  const bought = await untilPurchase(receipt.id, { status: 'delivered' });
  expect(bought).toMatchObject({
    note: 'the lamp is meant',
    shippingMethod: expect.any(String),
    amountMinor: expect.any(Number),
    lines: [{ supplierVariantId: LAMP.supplierVariantId }],
    parcels: [{ state: 'delivered', shopFulfillmentId: null }],
  });
  expect(await world.boughtUnder(receipt.id)).toEqual([{ paidCount: 1, status: 'DELIVERED' }]);
  await until('ord_12345', { status: 'delivered', held: false });
});

test('properties that name one variant buy it; those that name two are a choice for a person', async () => {
  const ask = (properties: object, order_id: string) =>
    post('/supplier-orders', {
      ...GUIDE,
      order_id,
      items: [{ sku: 'S', quantity: 1, supplier_product_id: world.twoColours, properties }],
    });
  const one = SupplierOrderReceipt.parse(await (await ask({ Color: 'blue' }, 'ord_blue')).json());
  expect((await untilPurchase(one.id, { status: 'delivered' })).lines).toMatchObject([
    { supplierVariantId: LAMP.supplierVariantId },
  ]);
  await ask({}, 'ord_any');
  const { holds } = await until('ord_any', { holdReasons: ['mapping_changed'] });
  expect(holds[0]?.evidence).toMatchObject({
    cause: 'several variants have these properties',
    choices: expect.stringContaining('Color: Blue'),
  });
});

test('the same key brings the same answer and one order; with another body it is refused', async () => {
  const headers = { 'idempotency-key': 'key-1' };
  const answers = await Promise.all([1, 2, 3].map(() => post('/orders', anOrder(), headers)));
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  const other = await post('/orders', anOrder({ payment: 'pending' }), headers);
  expect(await problem(other, 409)).toMatchObject({
    code: 'idempotency_key_reused',
    title: 'Order creation failed',
  });
  const { id } = OrderReceipt.parse(bodies[0]);
  await until(id, { status: 'grace' });
  const rows = await world.store.query("select body_hash, answer from api_requests where key = 'key-1'");
  expect(JSON.stringify(rows)).not.toContain('Dupont');
});

test('a request that is not as it must be is refused with its fields', async () => {
  const answer = await problem(
    await post(
      '/orders',
      anOrder({ items: [{ quantity: 0 }], colour: 'red', shipping_address: { city: 1 } }),
    ),
    422,
  );
  expect(answer).toMatchObject({ code: 'body_invalid', title: 'Order creation failed' });
  const paths = answer.errors?.map(({ path }) => path) ?? [];
  expect(paths).toEqual(expect.arrayContaining(['items.0.quantity', 'shipping_address.address1']));
  const nothing = await problem(await world.call('PUT', '/orders/ord_12345', { contact: {} }), 422);
  expect(nothing.errors).toEqual([{ path: 'contact', message: 'says nothing' }]);
});

test.each([
  ['a note', 'PUT', '/orders/ord_12345', { note: 'a\u0000b' }],
  ['half a letter', 'POST', '/orders/ord_12345/holds', { note: '\ud800' }],
  [
    'a name of a property',
    'PUT',
    '/supplier-orders/sup_ord_1',
    { items: [{ line_id: '\u0000', supplier_variant_id: 'v' }] },
  ],
  ['a query', 'GET', '/orders?text=ab%00', undefined],
])('%s that no database takes is refused', async (_, method, path, body) => {
  expect(await problem(await world.call(method, path, body), 422)).toMatchObject({ code: 'body_invalid' });
});

test.each([
  ['POST', '/holds/%00/release'],
  ['POST', '/holds/hld_nobody/release'],
  ['DELETE', '/orders/%00'],
  ['DELETE', '/supplier-orders/%00'],
])('%s %s names nothing of ours', async (method, path) => {
  expect((await world.call(method, path)).status).toBe(404);
});

test('address, contact, note and units are changed while nothing is bought', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const change = {
    shipping_address: { ...ADDRESS, city: 'Lyon' },
    contact: { email: 'autre@example.com' },
    customs: { tax_id: '123.456.789-09', birthday: '1990-12-31' },
    note: 'ring twice',
    items: [{ line_id: '1', quantity: 1 }],
  };
  expect((await world.call('PUT', `/orders/${id}`, change)).status).toBe(202);
  const order = await until(id, {
    lines: [
      expect.objectContaining({
        units: expect.objectContaining({ ordered: 2, unallocated: 1, cancelled: 1 }),
      }),
    ],
  });
  expect(order.customer).toMatchObject({
    email: 'autre@example.com',
    note: 'ring twice',
    shippingAddress: { city: 'Lyon', country: 'France' },
  });
  expect(
    await world.store.query(
      `select tax_id, birthday, national_address, is_customs_ours from customer_details where order_id = $1`,
      [id],
    ),
  ).toEqual([
    { tax_id: '12345678909', birthday: '1990-12-31', national_address: null, is_customs_ours: true },
  ]);
  expect(order.lines[0]?.changes).toMatchObject([{ cause: 'edit_here', ordered: 0, cancelled: 1 }]);
  const more = await world.call('PUT', `/orders/${id}`, { items: [{ line_id: '1', quantity: 3 }] });
  expect(await problem(more, 409)).toMatchObject({
    code: 'too_late',
    errors: [{ path: 'items.1', message: expect.stringContaining('1 units can be taken back freely') }],
  });
});

test('a line that the order has not, or that is named twice, is the fault of the request, and nothing is changed', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const change = (...items: object[]) => world.call('PUT', `/orders/${id}`, { note: 'fewer', items });
  const known = { line_id: '1', quantity: 1 };
  for (const line_id of ['2', 'constructor'])
    expect(await problem(await change(known, { line_id, quantity: 0 }), 422)).toMatchObject({
      code: 'body_invalid',
      errors: [{ path: 'items.1.line_id', message: 'the order has no such line' }],
    });
  expect(await problem(await change(known, { line_id: '1', quantity: 2 }), 422)).toMatchObject({
    code: 'body_invalid',
    errors: [{ path: 'items.1.line_id', message: 'is named twice' }],
  });
  const order = await orderAt(id);
  expect(order.customer?.note ?? '').toBe('');
  expect(order.lines[0]?.units).toMatchObject({ ordered: 2, cancelled: 0 });
});

test('a mail that was skipped for want of an address is sent once a person names one', async () => {
  const { email: _, ...withoutEmail } = ADDRESS;
  const id = await created({ shipping_address: withoutEmail });
  await until(id, { status: 'grace' });
  const evidence = JSON.stringify({ cause: NO_ADDRESS });
  await world.store.run(
    "update notifications set state = 'skipped', evidence = $2::json where order_id = $1",
    [id, evidence],
  );
  await world.call('PUT', `/orders/${id}`, { contact: { email: 'neu@example.com' } });
  expect(
    await world.store.query('select kind from notifications where order_id = $1 and state = $2', [
      id,
      'pending',
    ]),
  ).toEqual([{ kind: 'order_confirmed' }]);
});

test('the telephone number of the contact is the one for the parcel, until an address comes with its own', async () => {
  const id = await created({ shipping_address: { ...ADDRESS, phone: '12' } });
  await until(id, { status: 'grace' });
  const forParcel = async (change: object): Promise<string | undefined> => {
    expect((await world.call('PUT', `/orders/${id}`, change)).status).toBe(202);
    const [row] = await world.store.query<{ customer: CustomerRow }>(
      `select ${customerOf('o.id')} as customer from orders o where id = $1`,
      [id],
    );
    return row === undefined ? undefined : toRecipient(row.customer)?.phone;
  };
  expect(await forParcel({ note: 'ring' })).toBe('12');
  expect(await forParcel({ contact: { email: 'autre@example.com' } })).toBe('12');
  expect(await forParcel({ contact: { phone: '+33612345678' } })).toBe('+33612345678');
  expect(await forParcel({ note: 'ring twice' })).toBe('+33612345678');
  expect(await forParcel({ shipping_address: ADDRESS })).toBe(ADDRESS.phone);
});

test('what customs want goes with the country that it was for, whatever the shop says of it later', async () => {
  const brazil = { ...ADDRESS, city: 'Recife', country: 'BR' };
  const id = await created({ shipping_address: brazil, customs: { tax_id: '123.456.789-09' } });
  await until(id, { status: 'grace' });
  const afterPut = async (change: object): Promise<string | null | undefined> => {
    expect((await world.call('PUT', `/orders/${id}`, change)).status).toBe(202);
    return taxId();
  };
  const taxId = async (): Promise<string | null | undefined> =>
    (
      await world.store.query<{ tax_id: string | null }>(
        'select tax_id from customer_details where order_id = $1',
        [id],
      )
    )[0]?.tax_id;
  expect(await afterPut({ shipping_address: { ...brazil, city: 'Olinda' } })).toBe('12345678909');
  expect(await afterPut({ shipping_address: ADDRESS })).toBe(null);
  await saveCustomers(world.store, [
    {
      order_id: id,
      customer_id: null,
      name: null,
      total_minor: null,
      total_currency: null,
      source_updated_at: new Date(Date.now() + 1_000).toISOString(),
      email: null,
      phone: null,
      locale: null,
      tax_id: '12345678909',
      birthday: null,
      national_address: null,
      shipping_address: toShippingAddress(PostedAddress.parse(brazil)),
    },
  ]);
  expect(await taxId()).toBe(null);
  const mexico = { shipping_address: { ...ADDRESS, country: 'MX' }, customs: { tax_id: 'ABCD800101XYZ' } };
  expect(await afterPut(mexico)).toBe('ABCD800101XYZ');
});

test('what is bought is not changed any more, and the refusal says what is still possible', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const receipt = SupplierOrderReceipt.parse(
    await (
      await post('/supplier-orders', {
        order_id: id,
        supplier: 'cj_dropshipping',
        items: [
          {
            sku: LAMP.sku.toLowerCase(),
            quantity: 2,
            supplier_product_id: LAMP.supplierProductId,
            supplier_variant_id: LAMP.supplierVariantId,
          },
        ],
      })
    ).json(),
  );
  await untilPurchase(receipt.id, { status: 'delivered' });
  const late = await world.call('PUT', `/orders/${id}`, { shipping_address: ADDRESS });
  expect(await problem(late, 409)).toMatchObject({
    code: 'too_late',
    detail: expect.stringContaining('Still possible: the note'),
  });
  expect((await world.call('PUT', `/orders/${id}`, { note: 'thank you' })).status).toBe(202);
  // For mails that were refused: no supplier is told of it.
  const email = 'jean@right.example';
  expect((await world.call('PUT', `/orders/${id}`, { contact: { email } })).status).toBe(202);
  expect((await orderAt(id)).customer).toMatchObject({ note: 'thank you', email });
  const phone = { contact: { email, phone: '+33612345678' } };
  expect(await problem(await world.call('PUT', `/orders/${id}`, phone), 409)).toMatchObject({
    code: 'too_late',
  });
  const other = await world.call('PUT', `/supplier-orders/${receipt.id}`, { shipping_method: 'CJPacket' });
  expect(await problem(other, 409)).toMatchObject({ code: 'too_late' });
  const gone = await world.call('DELETE', `/supplier-orders/${receipt.id}`);
  expect(await problem(gone, 409)).toMatchObject({ code: 'too_late' });
});

test('an order held by a person stays where it is until the last hold is released', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const hold = (body: object) => post(`/orders/${id}/holds`, body);
  expect((await hold({ note: 'Mme Dupont called' })).status).toBe(202);
  expect((await hold({ note: 'stock is counted', line_id: '1' })).status).toBe(202);
  for (const line_id of ['2', 'toString'])
    expect((await problem(await hold({ note: 'no such line', line_id }), 422)).errors?.[0]?.path).toBe(
      'line_id',
    );
  const { holds } = await until(id, { holds: [expect.anything(), expect.anything()] });
  expect(holds.flatMap(({ notes }) => notes).sort()).toEqual(['Mme Dupont called', 'stock is counted']);
  await world.passTime(id, 'grace');
  await expect
    .poll(() => world.store.query("select 1 from timers where order_id = $1 and key = 'grace'", [id]))
    .toEqual([]);
  await post(`/holds/${holds[0]?.id}/release`, undefined);
  expect((await until(id, { holds: [expect.anything()] })).status).toBe('grace');
  await post(`/holds/${holds[1]?.id}/release`, undefined);
  await until(id, { holdReasons: [], status: 'delivered' });
  // Notes may name people: they are in no event.
  const events = await world.store.query('select data from timeline where order_id = $1', [id]);
  expect(JSON.stringify(events)).not.toContain('Dupont');
});

test('a line without a SKU is bought by hand under its own id', async () => {
  const id = await created({ items: [{ variant_id: '999', title: 'Name tag', quantity: 2 }] });
  await until(id, { status: 'grace' });
  await world.passTime(id, 'grace');
  await until(id, { holdReasons: ['unmapped_line'] });
  const buy = (item: object, order_id = id) =>
    post('/supplier-orders', {
      order_id,
      supplier: 'cj_dropshipping',
      items: [
        {
          quantity: 2,
          supplier_product_id: LAMP.supplierProductId,
          supplier_variant_id: LAMP.supplierVariantId,
          ...item,
        },
      ],
      shipping_address: ADDRESS,
    });
  for (const [item, status, order, path] of [
    [{}, 422, id, 'items.0'],
    [{ line_id: '2' }, 409, id, 'items.0'],
    [{ line_id: '1', sku: 'OTHER' }, 409, id, 'items.0'],
    [{ line_id: '1' }, 422, 'ord_of_nobody', 'items.0.sku'],
  ] as const)
    expect((await problem(await buy(item, order), status)).errors?.[0]?.path).toBe(path);
  const receipt = SupplierOrderReceipt.parse(await (await buy({ line_id: '1' })).json());
  await untilPurchase(receipt.id, { status: 'delivered', lines: [{ lineId: '1', units: 2 }] });
  await until(id, { status: 'delivered', held: false });
});

test('the note of a purchase by hand is kept with its order, beside what is noted there', async () => {
  const id = await created({ note: 'ring twice' });
  await until(id, { status: 'grace' });
  const buy = async (note: string) =>
    (
      await post('/supplier-orders', {
        order_id: id,
        supplier: 'cj_dropshipping',
        items: [{ sku: LAMP.sku, quantity: 1, supplier_product_id: world.twoColours }],
        note,
      })
    ).status;
  expect(await buy('the blue one')).toBe(201);
  expect((await orderAt(id)).customer.note).toBe('ring twice\nthe blue one');
});

test('holds of one reason are released all together', async () => {
  const items = [{ sku: 'NOWHERE', title: 'Unknown', quantity: 1 }];
  const ids = [await created({ items }), await created({ items })];
  for (const id of ids) await until(id, { status: 'grace' });
  for (const id of ids) await world.passTime(id, 'grace');
  for (const id of ids) await until(id, { holdReasons: ['unmapped_line'] });
  const open = await read('/holds?reason=unmapped_line&limit=1', HoldList);
  expect(open.nextCursor).not.toBeNull();
  const release = await post('/holds/release', { reason: 'unmapped_line' });
  expect(await release.json()).toEqual({ requested: 2, more: false });
  for (const id of ids)
    await expect
      .poll(async () => (await read(`/orders/${id}/timeline`, Timeline)).items.map(({ event }) => event))
      .toContain('order.release_requested');
});

test('a deleted order is cancelled and put away, and its timeline stays', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const gone = await world.call('DELETE', `/orders/${id}`);
  expect([gone.status, await gone.json()]).toEqual([202, { id, status: 'cancelled' }]);
  await until(id, { status: 'cancelled', archivedAt: expect.any(String) });
  const listed = async (query: string) =>
    (await read(`/orders?${query}`, OrderList)).items.map((order) => order.id);
  expect(await listed('status=cancelled')).not.toContain(id);
  expect(await listed('archived=true')).toContain(id);
  const { items } = await read(`/orders/${id}/timeline`, Timeline);
  expect(items.map(({ event, actor, before, after }) => [event, actor, before, after])).toEqual([
    ['order.received', 'operator', null, 'grace'],
    ['order.cancel_requested', 'operator', 'grace', 'cancelled'],
  ]);
});

test('lists are filtered, and a cursor goes on exactly where the last page ended', async () => {
  const name = 'Filter-';
  const ids: string[] = [];
  for (const number of [1, 2, 3]) {
    const id = await created({ name: `${name}${number}` });
    // Orders of one batch are as old as each other, and would stand by their ids.
    await until(id, { status: 'grace' });
    ids.push(id);
  }
  const first = await read(`/orders?text=filter-&limit=2`, OrderList);
  const second = await read(`/orders?text=filter-&limit=2&cursor=${first.nextCursor}`, OrderList);
  expect([...first.items, ...second.items].map((order) => order.id)).toEqual([...ids].reverse());
  expect(second.nextCursor).toBeNull();
  const count = async (query: string) => (await read(`/orders?${query}`, OrderList)).items.length;
  expect(await count(`text=${ids[0]}`)).toBe(1);
  expect(await count('text=filter-&status=delivered')).toBe(0);
  expect(await count('text=filter-&supplier=aliexpress')).toBe(0);
  expect(await count('text=filter-&to=2026-01-01T00:00:00Z')).toBe(0);
  expect(await count(`text=${LAMP.sku.toLowerCase()}&status=grace`)).toBeGreaterThan(2);
  for (const odd of ['status=lost', 'status=grace&status=delivered'])
    expect(await problem(await world.call('GET', `/orders?${odd}`), 422)).toMatchObject({
      errors: [{ path: 'status' }],
    });
});

/** An order as the shop tells it, and what it says later. */
const aShopBody = (number: number) => JSON.parse(aShopOrder(number, [{ article: 1, units: 3 }]).body);

test('an order that was put away and goes on again is listed again, and can be put away once more', async () => {
  const body = aShopBody(7);
  const id = orderIdOf(CREDENTIALS.shop, String(body.id));
  const listed = async () => (await read(`/orders?text=${id}`, OrderList)).items.length === 1;
  const putAway = async () => {
    await world.call('DELETE', `/orders/${id}`);
    await until(id, { status: 'delivered', archivedAt: expect.any(String) });
    expect(await listed()).toBe(false);
  };
  await world.hear('orders/create', body);
  await until(id, { status: 'grace' });
  await world.passTime(id, 'grace');
  await until(id, { status: 'delivered' });
  await putAway();

  await world.hear('orders/updated', {
    ...body,
    updated_at: '2026-11-20T11:00:00-05:00',
    line_items: [{ ...body.line_items[0], current_quantity: 4 }],
  });
  const { holds } = await until(id, { holdReasons: ['customer_edit_pending'] });
  await post(`/holds/${holds[0]?.id}/release`, {});
  await until(id, { held: false, archivedAt: null });
  expect(await listed()).toBe(true);
  await until(id, { status: 'delivered', archivedAt: null });
  await putAway();
});

test('an order that the release before left put away while it goes on is cancelled when that is asked for', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  await world.store.run('update orders set archived_at = now() where id = $1', [id]);
  expect((await world.call('DELETE', `/orders/${id}`)).status).toBe(202);
  await until(id, { status: 'cancelled', archivedAt: expect.any(String) });
});

test('edits and refunds in the shop are recorded unit by unit, and an address put in here outlives them', async () => {
  const body = aShopBody(1);
  const id = orderIdOf(CREDENTIALS.shop, String(body.id));
  await world.hear('orders/create', body);
  const [line] = (await until(id, { status: 'grace' })).lines;
  await world.call('PUT', `/orders/${id}`, { shipping_address: { ...ADDRESS, country: 'US' } });
  const lineAfter = (current_quantity: number) => [{ ...body.line_items[0], current_quantity }];
  await world.hear('orders/updated', {
    ...body,
    updated_at: '2026-11-20T11:00:00-05:00',
    line_items: lineAfter(2),
  });
  await world.hear('orders/updated', {
    ...body,
    updated_at: '2026-11-20T12:00:00-05:00',
    line_items: lineAfter(1),
    refunds: [{ refund_line_items: [{ line_item_id: Number(line?.lineId), quantity: 1 }] }],
  });
  const order = await until(id, {
    lines: [expect.objectContaining({ units: expect.objectContaining({ ordered: 1, unallocated: 1 }) })],
  });
  expect(order.lines[0]?.changes.map(({ cause, ordered, cancelled }) => [cause, ordered, cancelled])).toEqual(
    [
      ['edit', -1, 0],
      ['refund', -1, 0],
    ],
  );
  expect(order.customer.shippingAddress?.city).toBe('Paris');
  // What the shop says of the customer is taken where nothing was put in here.
  expect(order.customer.locale).toBe('en');
});

test('a customer who cancels in the shop after buying: the supplier keeps what is paid, and its units stay bought', async () => {
  const body = aShopBody(2);
  const id = orderIdOf(CREDENTIALS.shop, String(body.id));
  await world.hear('orders/create', body);
  await until(id, { status: 'grace' });
  await world.passTime(id, 'grace');
  const { supplierOrders } = await until(id, {
    supplierOrders: [
      expect.objectContaining({ status: expect.stringMatching(/accepted|processing|shipped|delivered/) }),
    ],
  });
  await world.hear('orders/cancelled', {
    ...body,
    updated_at: '2026-11-20T12:00:00-05:00',
    cancelled_at: '2026-11-20T12:00:00-05:00',
  });
  const purchase = supplierOrders[0]?.id ?? '';
  await expect
    .poll(async () => (await purchaseAt(purchase)).compensation)
    .toMatch(/^(ask_supplier|too_late)$/);
  const order = await orderAt(id);
  expect(order.lines[0]?.units).toMatchObject({ ordered: 3, onSupplierOrders: 3, cancelled: 0 });
  expect(await world.boughtUnder(purchase)).toMatchObject([{ paidCount: 1 }]);
});

test('a purchase is found by state, supplier, order and reference; retry and refresh say when there is nothing to do', async () => {
  const purchases = (query: string) =>
    read(`/supplier-orders?${query}`, SupplierOrderList).then(({ items }) => items);
  const [any] = await purchases('status=delivered&supplier=cj_dropshipping&limit=1');
  expect(any).toMatchObject({ status: 'delivered', supplier: 'cj_dropshipping' });
  const { id = '', orderId, supplierReference } = any ?? {};
  for (const query of [`text=${id}`, `text=${supplierReference}`, `text=${orderId}`, `orderId=${orderId}`])
    expect((await purchases(query)).map((purchase) => purchase.id)).toContain(id);
  expect(await purchases('supplier=aliexpress')).toEqual([]);
  for (const deed of ['retry', 'refresh']) {
    const refused = await problem(await post(`/supplier-orders/${id}/${deed}`, undefined), 409);
    expect(refused.detail).toContain('it is delivered');
  }
  const held = (await purchases('text=ord_any'))[0]?.id ?? '';
  expect(await problem(await post(`/supplier-orders/${held}/retry`, undefined), 409)).toMatchObject({
    detail: expect.stringContaining('held'),
    errors: [{ path: expect.stringMatching(/^hld_/) }],
  });
  expect((await post('/supplier-orders/sup_ord_nobody/retry', undefined)).status).toBe(404);
  expect(await (await world.call('DELETE', `/supplier-orders/${held}`)).json()).toMatchObject({
    status: 'cancelling',
  });
  expect((await untilPurchase(held, { status: 'cancelled' })).compensation).toBe('given_up');
});

test('where orders may be bought in part, the hold of another line keeps no purchase from being tried again', async () => {
  const { context, send } = await aGateway(inject('bareNatsUrl'));
  const held = (partialPurchase: boolean, hold: object) =>
    context.store.run(
      `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
       values ('ord_1', 'api', '1', '#1', 'USD', 1, '2026-11-01', 'purchasing', $1::json)
       on conflict (id) do update set context = excluded.context`,
      [JSON.stringify({ rules: { partialPurchase, riskHold: 'high' }, holds: { hld_1: hold } })],
    );
  await held(true, { reason: 'out_of_stock', lineId: '2' });
  await context.store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency)
     values ('sup_ord_1', 'ord_1', 'cj_dropshipping', 'draft', '{}', 'm', 'CN', 1, 'USD')`,
  );
  await context.store.run(
    `insert into holds (id, order_id, reason, line_id, evidence) values ('hld_1', 'ord_1', 'out_of_stock', '2', '{}')`,
  );
  const retry = async () => (await send('POST', '/supplier-orders/sup_ord_1/retry', undefined)).status;
  expect(await retry()).toBe(202);
  await held(true, { reason: 'operator' });
  expect(await retry()).toBe(409);
  await held(true, { reason: 'operator', supplierOrderId: 'sup_ord_1' });
  expect(await retry()).toBe(409);
  await held(false, { reason: 'out_of_stock', lineId: '2' });
  expect(await retry()).toBe(409);
});

test('a purchase that has become several orders at the supplier is found by each of their references', async () => {
  const { items } = await read('/supplier-orders?status=delivered&limit=1', SupplierOrderList);
  const id = items[0]?.id ?? '';
  const before = items[0]?.supplierReference;
  const refer = (reference: unknown) =>
    world.store.run('update supplier_orders set supplier_reference = $2 where id = $1', [id, reference]);
  await refer('8190,8191');
  for (const text of ['8190', '8191', '8190,8191']) {
    const found = await read(`/supplier-orders?text=${text}`, SupplierOrderList);
    expect([text, found.items.map((purchase) => purchase.id)]).toEqual([text, [id]]);
  }
  expect(await read('/supplier-orders?text=819', SupplierOrderList)).toMatchObject({ items: [] });
  await refer(before);
});

test('what a supplier shows for a person is explained and told in the timeline, and is over with its cause', async () => {
  const { items } = await read('/supplier-orders?status=delivered&limit=1', SupplierOrderList);
  const { id = '', orderId = '' } = items[0] ?? {};
  const evidence = { orderStatus: 'IN_ISSUE', cause: 'a dispute is open' };
  const see = (attention?: Attention) =>
    tellObserved(world.ports, {
      id,
      orderId,
      state: 'delivered',
      seen: {
        status: 'delivered',
        parcels: [],
        evidence: {},
        isAttentive: true,
        ...(attention === undefined ? {} : { attention }),
      },
      fingerprint: attention?.reason ?? 'nothing',
    });
  const held = async () => (await read(`/orders/${orderId}/explain`, Explanation)).why;
  await see({ reason: 'operator', evidence });
  await expect
    .poll(held)
    .toContainEqual(expect.objectContaining({ reason: 'operator', supplierOrderId: id, evidence }));
  expect((await read(`/orders/${orderId}/timeline`, Timeline)).items.at(-1)).toMatchObject({
    actor: 'supplier',
    evidence: { ...evidence, attention: 'operator' },
  });
  await see();
  await expect.poll(held).not.toContainEqual(expect.objectContaining({ reason: 'operator' }));
});

test('a timeline is read page by page, oldest first', async () => {
  const whole = await read('/orders/ord_12345/timeline', Timeline);
  const pages: string[] = [];
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page: Timeline = await read(`/orders/ord_12345/timeline?limit=2&cursor=${cursor}`, Timeline);
    pages.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(pages).toEqual(whole.items.map(({ id }) => id));
  expect(whole.items.find(({ event }) => event === 'supplier_order.withheld')).toMatchObject({
    actor: 'supplier',
    supplierOrder: { before: 'draft', after: 'draft' },
    evidence: { reason: 'mapping_changed', supplierProductId: 'CJ123456' },
  });
  expect(JSON.stringify(whole)).not.toMatch(/Dupont|Rue Exemple|example\.com|\+33123456789/);
  expect((await world.call('GET', '/orders/ord_nobody/timeline')).status).toBe(404);
});

test('an order explains itself, with the time of what comes next, and names nobody', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  const explanation = await read(`/orders/${id}/explain`, Explanation);
  expect(explanation.where.status).toBe('grace');
  expect(explanation.next).toContainEqual({
    what: 'the customer had time to change their mind: sourcing starts',
    at: expect.any(String),
    supplierOrderId: null,
  });
  expect(explanation.can.map(({ method, path }) => `${method} ${path}`)).toContain(`DELETE /orders/${id}`);
  expect(JSON.stringify(explanation)).not.toMatch(/Dupont|Rue Exemple|example\.com/);
});

test('an order that waits for a supplier, or because the log of events is stopped, says so', async () => {
  const body = aShopBody(1);
  const id = orderIdOf(CREDENTIALS.shop, String(body.id));
  await world.hear('orders/create', body);
  await until(id, { status: 'grace' });
  // A purchase by hand of an article that needs a choice: it stays a draft.
  const items = [{ sku: LAMP.sku, quantity: 1, supplier_product_id: world.twoColours }];
  await post('/supplier-orders', { order_id: id, supplier: 'cj_dropshipping', items });
  await until(id, { holdReasons: ['mapping_changed'] });
  const told = async () => (await read(`/orders/${id}/explain`, Explanation)).next.map(({ what }) => what);
  for (const [column, words] of [
    ['paused_until', 'cj_dropshipping takes calls again'],
    ['budget_paused_until', 'cj_dropshipping gives quotes again'],
  ] as const) {
    expect(await told()).not.toContain(words);
    await world.store.run(
      `insert into supplier_accounts (supplier, ${column}) values ('cj_dropshipping', now() + interval '4 hours')
       on conflict (supplier) do update set ${column} = excluded.${column}`,
    );
    try {
      expect(await told()).toContain(words);
    } finally {
      await world.store.run(`update supplier_accounts set ${column} = null`);
    }
  }
  await world.store.run(`update event_partitions set halted = 'the stream lost its tail' where part = 7`);
  try {
    expect(await told()).toContain(
      'Nothing goes on until the log of events is mended: the stream lost its tail',
    );
  } finally {
    await world.store.run('update event_partitions set halted = null');
  }
});

test('a draft that waits is quoted anew for another address, and bought for that one', async () => {
  const body = aShopBody(3);
  const id = orderIdOf(CREDENTIALS.shop, String(body.id));
  await world.hear('orders/create', body);
  await until(id, { status: 'grace' });
  await world.call('PUT', `/orders/${id}`, { note: 'first' });
  // A purchase by hand of an article that needs a choice: it stays a draft.
  const items = [{ sku: LAMP.sku, quantity: 3, supplier_product_id: world.twoColours }];
  const order = { order_id: id, supplier: 'cj_dropshipping', items };
  const receipt = SupplierOrderReceipt.parse(await (await post('/supplier-orders', order)).json());
  const { holds } = await until(id, { holdReasons: ['mapping_changed'] });
  const elsewhere = await post('/supplier-orders', { ...order, shipping_address: ADDRESS });
  expect(await problem(elsewhere, 409)).toMatchObject({ detail: expect.stringContaining('another address') });
  expect((await world.call('PUT', `/orders/${id}`, { shipping_address: ADDRESS })).status).toBe(202);
  await world.call('PUT', `/supplier-orders/${receipt.id}`, {
    items: [
      {
        line_id: (await orderAt(id)).lines[0]?.lineId,
        supplier_product_id: LAMP.supplierProductId,
        supplier_variant_id: LAMP.supplierVariantId,
      },
    ],
  });
  await untilPurchase(receipt.id, { expectedCostMinor: expect.any(Number) });
  await post(`/holds/${holds[0]?.id}/release`, undefined);
  await untilPurchase(receipt.id, { status: 'delivered' });
  expect(await world.boughtUnder(receipt.id)).toMatchObject([{ paidCount: 1 }]);
});

test('the audit finds all that happened here in order, and a unit that is missing', async () => {
  const lines: string[] = [];
  const { checked, violations } = await audit(world.store, (text) => lines.push(text));
  expect(lines.filter((line) => line.startsWith('ord_'))).toEqual([]);
  expect(violations).toBe(0);
  expect(checked.replayed).toBe(checked.orders);
  expect(checked.orders).toBeGreaterThan(5);

  const id = await created();
  await until(id, { status: 'grace' });
  await world.store.run(
    `update orders set context = jsonb_set(context::jsonb, '{lines,1,unallocated}', '1')::json where id = $1`,
    [id],
  );
  lines.length = 0;
  expect((await audit(world.store, (text) => lines.push(text))).violations).toBe(2);
  expect(lines.filter((line) => line.startsWith(id))).toEqual([
    expect.stringContaining('2 ordered, but 1 unallocated'),
    `${id}: order.context.lines.1.unallocated: stored 1, told 2`,
  ]);
});

test('an order that the release before went on with, in an upgrade or on the way back, is not told again by other machines', async () => {
  const id = await created();
  await until(id, { status: 'grace' });
  await world.call('POST', `/orders/${id}/holds`, { note: 'wait' });
  await until(id, { holds: [expect.objectContaining({ reason: 'operator' })] });
  expect((await audit(world.store, () => {}, { orderId: id })).checked.replayed).toBe(1);
  // It names no machines, and its own may take what they hear otherwise.
  await world.store.run(
    `update timeline set machine_version = null where id = (select max(id) from timeline where order_id = $1)`,
    [id],
  );
  await world.store.run(
    `update orders set context = jsonb_set(context::jsonb, '{heard}', '"otherwise"')::json where id = $1`,
    [id],
  );
  const lines: string[] = [];
  const { checked, violations } = await audit(world.store, (text) => lines.push(text), { orderId: id });
  expect([checked.replayed, violations, lines.filter((line) => line.startsWith(id))]).toEqual([0, 0, []]);
  await world.store.run("update orders set context = (context::jsonb - 'heard')::json where id = $1", [id]);
});

test('the audit names the table in which something is missing or other than the states say', async () => {
  const [bought] = await world.store.query<{ id: string; orderId: string }>(
    `select s.id, s.order_id as "orderId" from supplier_orders s
      where s.state = 'delivered' and exists (select 1 from parcels p where p.supplier_order_id = s.id) limit 1`,
  );
  if (bought === undefined) throw new Error('nothing was delivered');
  const { id, orderId } = bought;
  const said = async (statement: string, parameters: readonly string[]): Promise<string[]> => {
    await world.store.run(statement, parameters);
    const lines: string[] = [];
    await audit(world.store, (text) => lines.push(text));
    return lines.filter((line) => line.startsWith(orderId));
  };
  expect(
    await said("delete from purchase_intents where supplier_order_id = $1 and kind = 'create'", [id]),
  ).toEqual([expect.stringContaining(`${id} was called 1 times`)]);
  expect((await said('delete from parcels where supplier_order_id = $1', [id])).join('\n')).toContain(
    'has no row in parcels',
  );
  expect((await said('delete from order_lines where order_id = $1', [orderId])).join('\n')).toContain(
    'has no row in order_lines',
  );
  const held = `insert into holds (id, order_id, reason, evidence) values ('hld_stray', $1, 'operator', '{}')`;
  expect(await said(held, [orderId])).toContain(
    `${orderId}: hold hld_stray: "operator" is open in holds, none in its state`,
  );
  expect(
    (
      await said(`delete from timeline where order_id = $1 and type = 'supplier_order.placed'`, [orderId])
    ).join('\n'),
  ).toContain('an entry before it is missing or changed');
  expect(await said('delete from orders where id = $1', [orderId])).toEqual([
    `${orderId}: there is no such order, but rows of it in holds, purchase_intents, supplier_orders`,
  ]);
});
