import { expect, test } from 'vitest';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { CUSTOMER_MAILS, type CustomerMail } from '../../contracts/vocabulary.ts';
import {
  type ComposedMail,
  composeCustomerMail,
  ordersToTell,
} from '../../services/notifier/customer-mail.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { aWriter } from '../fixtures/post-office.ts';
import { givenOrderRows, givenParcelRow, ORDER_ID } from '../fixtures/shipped-order.ts';

const WRITER = await aWriter();

const mailOf = async (store: Store, kind: CustomerMail, ...parcelIds: readonly string[]) =>
  composeCustomerMail(WRITER, (await ordersToTell(store, [ORDER_ID])).get(ORDER_ID), { kind, parcelIds });

async function aStoreWithOrder(customer?: Parameters<typeof givenOrderRows>[1]): Promise<Store> {
  const store = await aStore(await aDatabase());
  await givenOrderRows(store, customer);
  return store;
}

const saidIn = (mail: ComposedMail | undefined): string => `${mail?.subject}\n${mail?.text}`;

test('the confirmation names every line with its units and the total', async () => {
  const mail = await mailOf(await aStoreWithOrder(), 'order_confirmed');
  expect(mail).toMatchObject({ to: 'elodie@buyer.example', language: 'en' });
  expect(mail?.subject).toContain('#1042');
  expect(mail?.text).toContain('Élodie Dupré');
  expect(mail?.text).toMatch(/3\s×\sMoon lamp/);
  expect(mail?.text).toMatch(/1\s×\sEnamel mug, red/);
  expect(mail?.text).toContain('€1,234.50');
  expect(mail?.text).toContain('hello@lantern.example');
  expect(mail?.text).not.toMatch(/YT2600001|Tracking/);
});

test('whoever bought is greeted, not the one who gets the parcel', async () => {
  const store = await aStoreWithOrder();
  await store.run("update customer_details set name = 'Paul Payer'");
  expect(saidIn(await mailOf(store, 'order_confirmed'))).toContain('Hello Paul Payer,');
});

test('the total is what the customer was asked for, in their own currency', async () => {
  const store = await aStoreWithOrder({ locale: 'en-CA' });
  await store.run("update customer_details set total_minor = 171050, total_currency = 'CAD'");
  const mail = await mailOf(store, 'order_confirmed');
  expect(mail?.text).toContain('Total: $1,710.50');
  expect(mail?.text).not.toContain('€');
});

test.each([
  ['an order of our own for which nobody named a price', NO_SHOP, false],
  ['what a shop gives away', 'lantern-shop.myshopify.com', true],
])('%s is confirmed with a total only where there is one', async (_, shop, isTold) => {
  const store = await aStoreWithOrder();
  await store.run('update orders set shop = $1, total_minor = 0', [shop]);
  const mail = await mailOf(store, 'order_confirmed');
  expect(mail?.text.includes('Total: €0.00')).toBe(isTold);
  expect(`${mail?.text} ${mail?.html}`.includes('Total')).toBe(isTold);
});

test('units that were cancelled are not confirmed', async () => {
  const store = await aStoreWithOrder();
  await store.run(
    `update orders set context = jsonb_set(jsonb_set(context::jsonb, '{lines,101,cancelled}', '1'),
       '{lines,102,cancelled}', '1')::json`,
  );
  const mail = await mailOf(store, 'order_confirmed');
  expect(mail?.text).toMatch(/2\s×\sMoon lamp/);
  expect(mail?.text).not.toContain('Enamel mug');
});

test.each([
  ['fr', 'fr'],
  ['fr-CA', 'fr'],
  ['FR_be', 'fr'],
  ['en-GB', 'en'],
  ['es-MX', 'es'],
  ['de-AT', 'de'],
  ['pt-BR', 'en'],
  ['not a locale', 'en'],
  [null, 'en'],
])('a customer with the locale %s is written to in %s', async (locale, language) => {
  const mail = await mailOf(await aStoreWithOrder({ locale }), 'order_confirmed');
  expect(mail?.language).toBe(language);
  const words: Readonly<Record<string, readonly [hello: string, total: RegExp]>> = {
    fr: ['Bonjour', /1\s234,50\s€/],
    en: ['Hello', /€1,234\.50/],
    es: ['Hola', /EUR\s?1,234\.50/],
    de: ['Guten Tag', /€\s1\.234,50/],
  };
  const [hello, total] = words[language] ?? ['', /^$/];
  expect(mail?.text).toContain(`${hello} Élodie Dupré`);
  expect(mail?.text).toMatch(total);
});

test('a parcel mail lists only what is in the parcel and says that the rest comes separately', async () => {
  const store = await aStoreWithOrder();
  const mail = await mailOf(store, 'parcel_shipped', await givenParcelRow(store, { 101: 2 }));
  expect(mail?.text).toMatch(/2\s×\sMoon lamp/);
  const [inParcel, comesLater] = mail?.text.split('Still to come, separately:') ?? [];
  expect(inParcel).not.toContain('Enamel mug');
  expect(comesLater).toMatch(/^\n- 1 × Moon lamp\n- 1 × Enamel mug, red\n/);
  expect(mail?.subject).toBe('Part of your order #1042 is on its way');
  expect(mail?.text).toContain('YT2600001');
  expect(mail?.text).toContain('YunExpress');
  expect(mail?.text).toContain('https://track.example/YT2600001');
  expect(mail?.html).toContain('https:&#x2F;&#x2F;track.example&#x2F;YT2600001');
});

test('a parcel with all that is left to ship is no part: what others deliver or was cancelled is not waited for', async () => {
  const store = await aStoreWithOrder();
  await store.run(
    `update orders set context = jsonb_set(jsonb_set(context::jsonb, '{lines,101,cancelled}', '1'),
       '{lines,102,outside}', '1')::json`,
  );
  const mail = await mailOf(store, 'parcel_shipped', await givenParcelRow(store, { 101: 2 }));
  expect(mail?.subject).toBe('Your order #1042 is on its way');
});

test('the number of the last mile takes the place of the first one', async () => {
  const store = await aStoreWithOrder();
  const parcelId = await givenParcelRow(store, { 101: 3, 102: 1 });
  await store.run("update parcels set last_mile_tracking_number = 'LM77'");
  const mail = await mailOf(store, 'parcel_in_transit', parcelId);
  expect(saidIn(mail)).toContain('LM77');
  expect(mail?.text).not.toContain('Tracking number: YT2600001');
});

test.each([...CUSTOMER_MAILS])(
  'a customer without a name, a locale and an order without articles still get a readable %s',
  async (kind) => {
    const store = await aStoreWithOrder();
    await store.run('update customer_details set shipping_address = null');
    await store.run('delete from order_lines');
    const parcelIds = kind === 'order_confirmed' ? [] : [await givenParcelRow(store, { 101: 1 })];
    const mail = await mailOf(store, kind, ...parcelIds);
    expect(mail?.text).toMatch(/^\s*Hello,/);
    expect(saidIn(mail)).not.toMatch(/undefined|null|NaN|\{\{/);
  },
);

test('dates are written as in the customer’s own country, the order’s as its shop has it', async () => {
  const store = await aStoreWithOrder({ locale: 'en-GB' });
  await store.run("update orders set placed_at = '2026-11-20T23:30:00-05:00'");
  expect((await mailOf(store, 'order_confirmed'))?.text).toContain('#1042 of 20 November 2026');
});

test('where only the instant is known, the day is that of the shop’s own zone, and UTC’s until the shop has told it', async () => {
  const store = await aStoreWithOrder({ locale: 'en-GB' });
  const parcelId = await givenParcelRow(store, { 101: 1 });
  await store.run("update orders set placed_at = '2026-11-21T04:30:00Z'");
  await store.run("update parcels set left_at = '2026-11-25T01:00:00Z'");
  const dates = async () => [
    /of (\d+ November)/.exec((await mailOf(store, 'order_confirmed'))?.text ?? '')?.[1],
    /since: (\d+ November)/.exec((await mailOf(store, 'parcel_shipped', parcelId))?.text ?? '')?.[1],
  ];
  expect(await dates()).toEqual(['21 November', '25 November']);
  await store.run("insert into shop_status (shop, time_zone) select shop, 'America/New_York' from orders");
  expect(await dates()).toEqual(['20 November', '24 November']);
  await store.run("update shop_status set time_zone = 'Atlantis/Poseidonis'");
  expect(await dates()).toEqual(['21 November', '25 November']);
});

test('a parcel is expected when its lane promised it, until that day is over or a carrier says that it is late', async () => {
  const store = await aStoreWithOrder();
  const parcelId = await givenParcelRow(store, { 101: 3, 102: 1 });
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency, delivery_days)
     select supplier_order_id, order_id, 'cj_dropshipping', 'shipped', '{}', 'CJPacket', 'CN', 1, 'USD', 12 from parcels`,
  );
  const textAfter = async (days: number, kind: CustomerMail = 'parcel_shipped') => {
    await store.run("update parcels set left_at = now() - $1::int * interval '1 day'", [days]);
    return (await mailOf(store, kind, parcelId))?.text;
  };
  expect(await textAfter(2)).toMatch(/On its way since: .*\nExpected by: \w+ \d+, 20\d\d\n/);
  expect(await textAfter(2, 'parcel_delayed')).not.toContain('Expected by');
  expect(await textAfter(20)).not.toContain('Expected by');
});

test('several parcels of a mail are listed one by one, and what has left before is not still to come', async () => {
  const store = await aStoreWithOrder();
  const first = await givenParcelRow(store, { 101: 1 });
  // Two of one millisecond are listed by their ids.
  await store.run("update parcels set created_at = created_at - interval '1 second' where id = $1", [first]);
  const second = await givenParcelRow(store, { 102: 1 }, 'YT2600002');
  const earlier = await givenParcelRow(store, { 101: 1 }, 'YT2600003');
  await store.run('update parcels set left_at = now() where id = $1', [earlier]);
  const mail = await mailOf(store, 'parcel_shipped', first, second);
  expect(mail?.text).toMatch(/In this parcel:\n- 1 × Moon lamp.*In this parcel:\n- 1 × Enamel mug, red/s);
  expect(mail?.text).toContain('Still to come, separately:\n- 1 × Moon lamp');
  expect(mail?.text).not.toContain('YT2600003');
});

test('what has arrived before is not said to be under way still', async () => {
  const store = await aStoreWithOrder();
  const last = await givenParcelRow(store, { 101: 3 });
  const earlier = await givenParcelRow(store, { 102: 1 }, 'YT2600002');
  await store.run('update parcels set left_at = now()');
  const others = 'travel in parcels of their own';
  for (const part of ['text', 'html'] as const) {
    await store.run("update parcels set state = 'in_transit' where id = $1", [earlier]);
    expect((await mailOf(store, 'parcel_delivered', last))?.[part]).toContain(others);
    for (const state of ['delivered', 'returned', 'lost']) {
      await store.run('update parcels set state = $2 where id = $1', [earlier, state]);
      expect((await mailOf(store, 'parcel_delivered', last))?.[part]).not.toContain(others);
    }
  }
});

test('there is nobody to write to without an address or a customer', async () => {
  const store = await aStoreWithOrder({ email: null });
  expect(await mailOf(store, 'order_confirmed')).toBeUndefined();
  await store.run('delete from customer_details');
  expect(await mailOf(store, 'parcel_delivered')).toBeUndefined();
});

test('nothing but the wanted order’s own rows is told', async () => {
  const store = await aStoreWithOrder();
  await store.run(
    `insert into order_lines (order_id, line_id, position, title, unit_price_minor)
     values ('ord_other', '101', 0, 'Foreign thing', 1)`,
  );
  await store.run(
    `insert into customer_details (order_id, source_updated_at, email) values ('ord_other', now(), 'other@buyer.example')`,
  );
  const mail = await mailOf(store, 'order_confirmed');
  expect(mail?.to).toBe('elodie@buyer.example');
  expect(mail?.text).not.toContain('Foreign thing');
});
