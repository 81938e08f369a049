import { expect, test } from 'vitest';
import type { Recipient } from '../../services/suppliers/adapter.ts';
import {
  cleanPhone,
  countryName,
  cutTo,
  toCjAddress,
} from '../../services/suppliers/cj-dropshipping/address.ts';
import { checkRecipient } from '../../services/suppliers/cj-dropshipping/check-recipient.ts';
import { toLatinLetters } from '../../services/suppliers/latin-letters.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const aRecipient = (changes: Partial<Recipient> = {}): Recipient => ({
  name: 'Ann Doe',
  company: '',
  address1: '1 Main St',
  address2: '',
  city: 'Los Angeles',
  province: 'California',
  zip: '90001',
  countryCode: 'US',
  phone: '+1 310 555 0100',
  email: 'ann@shop.example',
  taxId: '',
  ...changes,
});

test('an ordinary address needs no change and gets the country’s English name', () => {
  expect(toCjAddress(aRecipient())).toEqual({
    shippingCountryCode: 'US',
    shippingCountry: 'United States',
    shippingProvince: 'California',
    shippingCity: 'Los Angeles',
    shippingCustomerName: 'Ann Doe',
    shippingAddress: '1 Main St',
    shippingZip: '90001',
    shippingPhone: '+1 310 555 0100',
    email: 'ann@shop.example',
  });
});

test('cutting keeps letters whole that are made of several code points', () => {
  const family = '👨‍👩‍👧‍👦';
  expect(cutTo(12, `a${family}${family}`)).toBe(`a${family}`);
  expect(cutTo(11, `a${family}`)).toBe('a');
  expect(cutTo(3, 'abe\u0301')).toBe('ab');
  expect(cutTo(3, 'ab cd')).toBe('ab');
  expect(cutTo(5, 'abcde')).toBe('abcde');
});

test('every field keeps to its limit and what was cut stands in full in the remark', () => {
  const street = `Rue de la Très Longue Énumération ${'é'.repeat(300)}`;
  const address = toCjAddress(
    aRecipient({
      name: 'N'.repeat(80),
      address1: street,
      city: 'V'.repeat(60),
      province: 'P'.repeat(50),
      taxId: '1234567890',
    }),
  );
  expect(address.shippingCustomerName).toHaveLength(50);
  expect(address.shippingAddress).toHaveLength(200);
  expect(address.shippingCity).toHaveLength(50);
  expect(address.shippingProvince).toHaveLength(50);
  expect(address.remark).toBe(['V'.repeat(60), 'N'.repeat(80), street].join(' | '));
  expect(address).toMatchObject({ taxId: '1234567890', consigneeID: '1234567890' });
  expect(toCjAddress(aRecipient({ address1: street })).remark).toBe(street);
});

test('line breaks become blanks and the company goes into the second line', () => {
  const address = toCjAddress(
    aRecipient({ address1: '12 rue\n des Lilas', address2: 'Bât. B', company: ' Atelier ' }),
  );
  expect(address).toMatchObject({ shippingAddress: '12 rue des Lilas', shippingAddress2: 'Atelier, Bât. B' });
});

test('the province falls back to the city, the name to the company, the street to the second line', () => {
  const address = toCjAddress(
    aRecipient({ province: '', name: '', company: 'Atelier', address1: '', address2: 'Chez Zoé' }),
  );
  expect(address).toMatchObject({
    shippingProvince: 'Los Angeles',
    shippingCustomerName: 'Atelier',
    shippingAddress: 'Chez Zoé',
  });
  expect(address).not.toHaveProperty('shippingAddress2');
});

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

test.each([
  ['countryCode', { countryCode: 'QQ' }],
  ['countryCode', { countryCode: 'usa' }],
  ['province', { city: '', province: '' }],
  ['name', { name: ' ' }],
  ['address1', { address1: '' }],
  ['zip', { zip: '9'.repeat(21) }],
  ['phone', { phone: '+123456789012345678901234' }],
  ['taxId', { taxId: '1'.repeat(21) }],
] as const)('a recipient without a usable %s is refused before anything is sent', (field, changes) => {
  const error = thrownBy(() => toCjAddress(aRecipient(changes)));
  expect(error).toBeInstanceOf(SupplierError);
  expect(error).toMatchObject({ failureClass: 'invalid_input', evidence: { field, sent: false } });
});

test('a tax id loses its punctuation rather than its end, and an endless mail address is not sent', () => {
  const address = toCjAddress(
    aRecipient({ taxId: '12.345.678/0001-95 (BR)', email: `${'a'.repeat(60)}@shop.example` }),
  );
  expect(address.taxId).toBe('12345678000195BR');
  expect(address).not.toHaveProperty('email');
});

test.each([
  ['+1 310 555 0100', '+1 310 555 0100'],
  ['(310) 555-0100', '(310) 555-0100'],
  ['+972.3.555.0100', '+972 3 555 0100'],
  ['Tel: +33 6/12/34/56/78', '+33 6 12 34 56 78'],
  ['+1 310 555 0100 ext. 12', '+1 310 555 0100'],
  ['310-555-0100x12', '310-555-0100'],
  ['(+49) 170 5550100', '+(49) 170 5550100'],
  ['+49 170 - 555 - 01 - 00 99', '+49170555010099'],
  ['+44 (0)20 7946 0000', '+44 20 7946 0000'],
  ['(020) 7946 0000', '(020) 7946 0000'],
  ['+１２３４５６７', '+1234567'],
  ['+12 345 678 901 234 567 890 1234', '+123456789012345678901234'],
  ['none', ''],
  ['', ''],
])('the phone "%s" is sent as "%s"', (given, sent) => {
  expect(cleanPhone(given)).toBe(sent);
});

test('countries are named in English and unknown codes have no name', () => {
  expect(['FR', 'DE', 'GB', 'CI'].map(countryName)).toEqual([
    'France',
    'Germany',
    'United Kingdom',
    'Côte d’Ivoire',
  ]);
  expect(['QQ', 'F', '', 'fr', '12'].map(countryName)).toEqual([null, null, null, null, null]);
});

test('a check shows every problem at once, in words that repeat nothing of the recipient', () => {
  const { problems } = checkRecipient(
    aRecipient({
      countryCode: 'BR',
      name: '',
      address1: '',
      zip: '9'.repeat(21),
      phone: 'none',
    }),
  );
  expect(problems.map(({ field, reason }) => [field, reason])).toEqual([
    ['name', 'address_invalid'],
    ['address1', 'address_invalid'],
    ['zip', 'address_invalid'],
    ['phone', 'phone_invalid'],
    ['taxId', 'tax_id_missing'],
  ]);
  expect(JSON.stringify(problems)).not.toMatch(/999|none/);
});

test('an order that a person lets go without a tax number is sent without one', () => {
  const recipient = aRecipient({ countryCode: 'BR' });
  expect(checkRecipient(recipient).problems).toHaveLength(1);
  expect(toCjAddress(recipient)).not.toHaveProperty('taxId');
});

test.each([
  ['an ordinary recipient', {}],
  ['one without a phone', { phone: '' }],
  ['one without a postcode', { zip: '' }],
  ['a Japanese', { name: '山田 花子', address1: '千代田区1-1', city: '東京' }],
  ['one with accents', { name: 'Zoë Ångström-Łukasz', city: 'Đà Nẵng' }],
  ['a Brazilian with a tax number', { countryCode: 'BR', taxId: '123.456.789-09' }],
])('nothing is to be said about %s', (_, changes) => {
  expect(checkRecipient(aRecipient(changes))).toEqual({ problems: [], repairs: [] });
});

test('what is sent in another form is shown as a repair', () => {
  const long = `${'a'.repeat(60)}@shop.example`;
  const { problems, repairs } = checkRecipient(
    aRecipient({
      name: 'Анна Иванова',
      address1: 'Οδός Ερμού 5',
      address2: 'B'.repeat(210),
      province: '',
      phone: 'Tel +1.310.555.0100',
      email: long,
    }),
  );
  expect(problems).toEqual([]);
  expect(repairs).toEqual([
    { field: 'name', from: 'Анна Иванова', to: 'Anna Ivanova' },
    { field: 'address1', from: 'Οδός Ερμού 5', to: 'Odos Ermou 5' },
    { field: 'province', from: '', to: 'Los Angeles' },
    { field: 'phone', from: 'Tel +1.310.555.0100', to: '+1 310 555 0100' },
    { field: 'email', from: long, to: '' },
    { field: 'address2', from: 'B'.repeat(210), to: 'B'.repeat(200) },
  ]);
});

test('what would not even fit into the remark stops the order', () => {
  const { problems } = checkRecipient(aRecipient({ address1: 'A'.repeat(400), address2: 'B'.repeat(400) }));
  expect(problems.map(({ field }) => field)).toEqual(['address1', 'address2']);
});

test.each([
  ['Щёлково', 'Shchyolkovo'],
  ['ул. Грибоедова, д. 7', 'ul. Griboedova, d. 7'],
  ['Чернігів', 'Chernigiv'],
  ['Θεσσαλονίκη', 'Thessaloniki'],
  ['ＡＢＣ１２', 'ABC12'],
  ['Zoë 1½', 'Zoë 1½'],
  ['東京', '東京'],
])('"%s" is written "%s"', (text, latin) => {
  expect(toLatinLetters(text)).toBe(latin);
});
