import { expect, test } from 'vitest';
import type { Recipient } from '../../services/suppliers/adapter.ts';
import { checkRecipient, toAddress } from '../../services/suppliers/aliexpress/address.ts';
import { isLatin, toLatin } from '../../services/suppliers/aliexpress/latin.ts';
import { readTaxId } from '../../services/suppliers/aliexpress/tax-ids.ts';
import { readTradeExtra } from '../../services/suppliers/aliexpress/trade-extra.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const aRecipient = (changes: Partial<Recipient> = {}): Recipient => ({
  name: 'Max Muster',
  company: '',
  address1: 'Musterstr. 5',
  address2: '',
  city: 'Berlin',
  province: '',
  zip: '10115',
  countryCode: 'DE',
  phone: '+49 170 1234567',
  email: 'max@shop.example',
  taxId: '',
  ...changes,
});

test('an ordinary address is sent in AliExpress’s fields, with the city for a province that is not known', () => {
  expect(toAddress(aRecipient())).toEqual({
    contact_person: 'Max Muster',
    full_name: 'Max Muster',
    address: 'Musterstr. 5',
    city: 'Berlin',
    province: 'Berlin',
    zip: '10115',
    country: 'DE',
    mobile_no: '1701234567',
    phone_country: '+49',
  });
});

test.each([
  ['Zoé Lefèvre-Çelik', 'Zoe Lefevre-Celik'],
  ['Große Straße 5', 'Grosse Strasse 5'],
  ['Åsa Sjöö Ærø', 'Asa Sjoo AEro'],
  ['Łódź, Đorđe, Þór, İstanbul ılgın', 'Lodz, Dorde, Thor, Istanbul ilgin'],
  ['Nguyễn Thị Hà', 'Nguyen Thi Ha'],
  ['12 rue\n de l’Été – 3º', "12 rue de l'Ete - 3o"],
  ['n° 5½', 'no 51/2'],
  ['Ａｐｔ　７', 'Apt 7'],
  ['🏠 Home 👨‍👩‍👧 sweet 🇫🇷', 'Home sweet'],
  ['«Chez Zoé»…', '"Chez Zoe"...'],
])('"%s" becomes "%s"', (text, latin) => {
  expect(toLatin(text)).toBe(latin);
  expect(isLatin(latin)).toBe(true);
});

test.each(['東京都', 'Москва', 'Αθήνα', 'שלום', 'ул. Main'])('"%s" is left to a person', (text) => {
  expect(isLatin(toLatin(text))).toBe(false);
  expect(checkRecipient(aRecipient({ city: text }))).toEqual({
    problems: [{ field: 'city', reason: 'address_invalid', problem: 'has letters that are not Latin' }],
    repairs: [{ field: 'phone', from: '+49 170 1234567', to: '+49 1701234567' }],
  });
});

test('what is sent instead stands in the repairs, and nothing else does', () => {
  const recipient = aRecipient({ name: 'Zoé', zip: 'sw1a 1aa', countryCode: 'GB', phone: '020 7946 0000' });
  expect(checkRecipient(recipient)).toEqual({
    problems: [],
    repairs: [
      { field: 'name', from: 'Zoé', to: 'Zoe' },
      { field: 'zip', from: 'sw1a 1aa', to: 'SW1A1AA' },
      { field: 'phone', from: '020 7946 0000', to: '+44 2079460000' },
    ],
  });
  expect(toAddress(recipient)).toMatchObject({
    contact_person: 'Zoe',
    zip: 'SW1A1AA',
    mobile_no: '2079460000',
  });
});

test.each([
  ['DE', '0170 1234567', '+49', '1701234567'],
  ['DE', '0049 170 1234567', '+49', '1701234567'],
  ['DE', '+33 6 12 34 56 78', '+33', '612345678'],
  ['FR', '06.12.34.56.78', '+33', '612345678'],
  ['US', '(310) 555-0100 ext. 12', '+1', '3105550100'],
  ['GB', '+44 (0)20 7946 0000', '+44', '2079460000'],
  ['BR', '+55 11 91234-5678', '+55', '11912345678'],
  ['IT', '+39 347 123 4567', '+39', '3471234567'],
])('in %s the phone "%s" is sent as %s %s', (countryCode, phone, phone_country, mobile_no) => {
  const provinces = { US: 'California', BR: 'São Paulo' } as const;
  const province = countryCode === 'US' || countryCode === 'BR' ? provinces[countryCode] : '';
  const taxId = countryCode === 'BR' ? '529.982.247-25' : '';
  expect(toAddress(aRecipient({ countryCode, phone, province, taxId }))).toMatchObject({
    phone_country,
    mobile_no,
  });
});

const problemsOf = (changes: Partial<Recipient>) =>
  checkRecipient(aRecipient(changes)).problems.map(({ field, reason }) => [field, reason]);

test.each([
  ['phone', 'phone_invalid', { phone: '' }],
  ['phone', 'phone_invalid', { phone: 'none' }],
  ['phone', 'phone_invalid', { phone: '12' }],
  ['phone', 'phone_invalid', { phone: '+39 06 1234 5678', countryCode: 'IT' }],
  ['name', 'address_invalid', { name: ' ' }],
  ['address1', 'address_invalid', { address1: '' }],
  ['city', 'address_invalid', { city: '' }],
  ['province', 'address_invalid', { countryCode: 'US', phone: '+1 310 555 0100' }],
  ['countryCode', 'address_invalid', { countryCode: 'de' }],
  ['zip', 'address_invalid', { zip: '1011?' }],
  ['company', 'address_invalid', { company: '株式会社' }],
] as const)('a %s that cannot be sent is %s', (field, reason, changes) => {
  expect(problemsOf(changes)).toEqual([[field, reason]]);
  expect(() => toAddress(aRecipient(changes))).toThrow(SupplierError);
});

test.each([
  ['none', { countryCode: 'CL' }],
  ['a wrong one', { countryCode: 'KR', taxId: '123' }],
] as const)(
  'where customs want a tax number and there is %s it is asked for; who goes on all the same sends none',
  (_, changes) => {
    expect(problemsOf(changes)).toEqual([['taxId', 'tax_id_missing']]);
    const sent = Object.keys(toAddress(aRecipient(changes)));
    expect(sent).not.toEqual(expect.arrayContaining(['rut_no']));
    expect(sent).not.toEqual(expect.arrayContaining(['passport_no']));
  },
);

test.each([
  ['BR', 'birthday', { province: 'São Paulo', taxId: '529.982.247-25' }],
  ['SA', 'nationalAddress', {}],
] as const)(
  'in %s a missing %s is asked for, and a person may go on without it',
  (countryCode, field, more) => {
    const recipient = aRecipient({ countryCode, ...more });
    expect(checkRecipient(recipient).problems).toEqual([
      { field, reason: 'tax_id_missing', problem: expect.stringContaining('is missing') },
    ]);
    expect(toAddress(recipient)).toMatchObject({ country: countryCode });
  },
);

test('what Brazil and Saudi Arabia want beside the address is sent where it is known', () => {
  const brazil = aRecipient({ countryCode: 'BR', birthday: '1990-02-01' });
  expect(readTradeExtra(brazil)).toEqual({ fields: { birthday: '01021990' }, problems: [] });
  const riyadh = aRecipient({ countryCode: 'SA', nationalAddress: 'RRRD2929' });
  expect(readTradeExtra(riyadh)).toEqual({ fields: { nat_addr: 'RRRD2929' }, problems: [] });
  expect(readTradeExtra(aRecipient({ birthday: '1990-02-01' }))).toEqual({ fields: {}, problems: [] });
});

test('a refusal names the field, repeats nothing of the recipient and says that nothing was sent', () => {
  try {
    toAddress(aRecipient({ city: '東京都' }));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ failureClass: 'invalid_input', evidence: { field: 'city', sent: false } });
    expect(JSON.stringify(error)).not.toContain('東京都');
  }
});

test('the company goes into the second line, or stands for the name; a lone second line is the street', () => {
  const both = aRecipient({ company: 'Atelier', address2: 'Bât. B' });
  expect(toAddress(both)).toMatchObject({ address: 'Musterstr. 5', address2: 'Atelier, Bat. B' });
  const firm = aRecipient({ name: '', company: 'Atelier', address1: '', address2: 'Hof 2' });
  expect(toAddress(firm)).toMatchObject({ contact_person: 'Atelier', address: 'Hof 2' });
  expect(toAddress(firm)).not.toHaveProperty('address2');
});

test.each([
  ['BR', '529.982.247-25', { cpf: '52998224725' }],
  ['CL', '12.345.678-5', { rut_no: '12345678-5' }],
  ['CL', '10000013k', { rut_no: '10000013-K' }],
  [
    'KR',
    'p123456789012',
    { is_foreigner: 'false', passport_no: 'P123456789012', foreigner_passport_no: 'P123456789012' },
  ],
  ['MX', 'GODE561231GR8', { passport_no: 'GODE561231GR8' }],
  ['MX', 'BOXW310820HNERXN09', { passport_no: 'BOXW310820HNERXN09' }],
  ['TR', '10000000146', { vat_no: '10000000146' }],
  ['TR', '1234567890', { vat_no: '1234567890' }],
  ['IT', 'RSSMRA85T10A562S', { vat_no: 'RSSMRA85T10A562S' }],
  ['IT', 'IT12345678901', { vat_no: '12345678901' }],
  ['ES', 'ES-B12345678', { vat_no: 'B12345678' }],
  ['DE', 'whatever', {}],
  ['TR', '', {}],
])('in %s the tax id "%s" is sent as %j', (country, given, fields) => {
  expect(readTaxId(country, given)).toMatchObject({ fields });
});

test.each([
  ['BR', ''],
  ['BR', '52998224726'],
  ['BR', '11111111111'],
  ['BR', '12.345.678/0001-95'],
  ['CL', '12345678-4'],
  ['KR', ''],
  ['KR', 'P12345678901'],
  ['MX', ''],
  ['MX', '123'],
  ['TR', '10000000147'],
  ['ES', 'B1'],
])('in %s the tax id "%s" is a problem, which does not repeat it', (country, given) => {
  const answer = readTaxId(country, given);
  expect(answer).toHaveProperty('problem');
  if (given !== '') expect(JSON.stringify(answer)).not.toContain(given);
});
