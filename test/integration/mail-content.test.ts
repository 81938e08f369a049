import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { NotificationKind } from '../../contracts/vocabulary.ts';
import { composeMail, type MailContent } from '../../services/notifier/mail-content.ts';
import { loadTemplates } from '../../services/notifier/templates.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { givenNotificationRow, givenOrderRows, givenParcelRow, ORDER_ID } from '../fixtures/shipped-order.ts';

const templates = await loadTemplates(fileURLToPath(new URL('../../templates', import.meta.url)));
const BRAND = { name: 'Lantern & Larch', supportEmail: 'hello@lantern.example', defaultLanguage: 'en' };

async function mailOf(store: Store, kind: NotificationKind, parcelId: string | null = null) {
  const id = await givenNotificationRow(store, kind, parcelId);
  return composeMail(store, templates, BRAND, { id, orderId: ORDER_ID, kind });
}

async function aStoreWithOrder(customer?: Parameters<typeof givenOrderRows>[1]): Promise<Store> {
  const store = await aStore(await aDatabase());
  await givenOrderRows(store, customer);
  return store;
}

const saidIn = (mail: MailContent | undefined): string => `${mail?.subject}\n${mail?.text}`;

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
  ['pt-BR', 'en'],
  ['not a locale', 'en'],
  [null, 'en'],
])('a customer with the locale %s is written to in %s', async (locale, language) => {
  const mail = await mailOf(await aStoreWithOrder({ locale }), 'order_confirmed');
  expect(mail?.language).toBe(language);
  expect(mail?.text).toContain(language === 'fr' ? 'Bonjour Élodie Dupré' : 'Hello Élodie Dupré');
  expect(mail?.text).toMatch(language === 'fr' ? /1\s234,50\s€/ : /€1,234\.50/);
});

test('a parcel mail lists only what is in the parcel and says that the rest comes separately', async () => {
  const store = await aStoreWithOrder();
  const mail = await mailOf(store, 'parcel_shipped', await givenParcelRow(store, { 101: 2 }));
  expect(mail?.text).toMatch(/2\s×\sMoon lamp/);
  expect(mail?.text).not.toContain('Enamel mug');
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

test.each(['order_confirmed', 'parcel_shipped', 'parcel_in_transit', 'parcel_delivered'] as const)(
  'a customer without a name, a locale and an order without articles still get a readable %s',
  async (kind) => {
    const store = await aStoreWithOrder();
    await store.run('update customer_details set shipping_address = null');
    await store.run('delete from order_lines');
    const parcelId = kind === 'order_confirmed' ? null : await givenParcelRow(store, { 101: 1 });
    const mail = await mailOf(store, kind, parcelId);
    expect(mail?.text).toMatch(/^\s*Hello,/);
    expect(saidIn(mail)).not.toMatch(/undefined|null|NaN|\{\{/);
  },
);

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
