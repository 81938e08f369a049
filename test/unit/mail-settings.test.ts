import { expect, test } from 'vitest';
import { mailedBy } from '../../contracts/mail-settings.ts';
import { readSettings } from '../../contracts/settings.ts';
import { CUSTOMER_MAILS, NOTIFICATION_KINDS } from '../../contracts/vocabulary.ts';

test('every mail is sent, and by us, unless somebody says otherwise', () => {
  const settings = readSettings({});
  expect(settings.ORDER_MANAGER_MAILS).toEqual(NOTIFICATION_KINDS);
  expect(CUSTOMER_MAILS.map((fact) => mailedBy(settings, fact))).toEqual(CUSTOMER_MAILS.map(() => 'us'));
});

test('a fact that the shop mails is not ours, and one that is switched off is nobody’s', () => {
  const settings = readSettings({
    ORDER_MANAGER_MAILS: 'parcel_shipped , order_confirmed, order_held',
    ORDER_MANAGER_MAILS_BY: 'order_confirmed=shop, parcel_delivered = shop, parcel_shipped=us',
  });
  expect(mailedBy(settings, 'order_confirmed')).toBe('shop');
  expect(mailedBy(settings, 'parcel_shipped')).toBe('us');
  expect(mailedBy(settings, 'parcel_delivered')).toBe('nobody');
  expect(mailedBy(settings, 'parcel_delayed')).toBe('nobody');
  expect(settings.ORDER_MANAGER_MAILS).toEqual(['order_confirmed', 'parcel_shipped', 'order_held']);
});

test.each(['us', 'shop'] as const)('one word says it for every fact: %s', (teller) => {
  const settings = readSettings({ ORDER_MANAGER_MAILS_BY: ` ${teller} ` });
  expect(CUSTOMER_MAILS.map((fact) => mailedBy(settings, fact))).toEqual(CUSTOMER_MAILS.map(() => teller));
});

test.each([
  ['all', NOTIFICATION_KINDS],
  ['none', []],
  ['dead_letter,dead_letter', ['dead_letter']],
])('the list "%s" is understood', (list, kinds) => {
  expect(readSettings({ ORDER_MANAGER_MAILS: list }).ORDER_MANAGER_MAILS).toEqual(kinds);
});

test.each([
  ['ORDER_MANAGER_MAILS', 'parcel_shiped', 'order_confirmed, parcel_shipped'],
  ['ORDER_MANAGER_MAILS', 'all,none', 'must be all, none'],
  ['ORDER_MANAGER_MAILS_BY', 'parcel_shipped', 'parcel_shipped=shop'],
  ['ORDER_MANAGER_MAILS_BY', 'parcel_shipped=shopify', 'parcel_shipped=shop'],
  ['ORDER_MANAGER_MAILS_BY', 'parcel_shipped=shop=us', 'parcel_shipped=shop'],
  ['ORDER_MANAGER_MAILS_BY', 'order_held=shop', 'the facts are order_confirmed'],
])('%s=%s is refused with what could stand there', (name, value, advice) => {
  expect(() => readSettings({ [name]: value })).toThrow(advice);
});
