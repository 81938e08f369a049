import type { Recipient, RecipientCheck, RecipientField } from '../adapter.ts';
import { toLatinLetters } from '../latin-letters.ts';
import { SupplierError } from '../supplier-error.ts';

/** Longest texts that createOrderV2 takes. Older documents say 200 for the address, newer ones 500. */
const LIMITS = {
  name: 50,
  address1: 200,
  address2: 200,
  city: 50,
  province: 50,
  zip: 20,
  phone: 20,
  email: 50,
  taxId: 20,
} as const;
const MAX_COUNTRY_NAME = 50;
const MAX_REMARK = 500;
/** Carriers behind CJ refuse less. */
const MIN_PHONE = 6;

/** Half an address line still guides a postman, with all of it in the remark; half of the other fields is a wrong one. */
const CUTTABLE = ['province', 'city', 'name', 'address1', 'address2'] as const;
const REQUIRED = ['province', 'city', 'name', 'address1'] as const;

/** CJ names these among others as asking for the receiver's tax or customs number. */
const WITH_TAX_ID = ['BR', 'KR', 'CL', 'MX', 'TR'];

export interface CjAddress {
  readonly shippingCountryCode: string;
  readonly shippingCountry: string;
  readonly shippingProvince: string;
  readonly shippingCity: string;
  readonly shippingCustomerName: string;
  readonly shippingAddress: string;
  readonly shippingAddress2?: string;
  readonly shippingZip?: string;
  readonly shippingPhone?: string;
  readonly email?: string;
  readonly taxId?: string;
  readonly consigneeID?: string;
  readonly remark?: string;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const countries = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** The longest beginning that fits `limit` UTF-16 units, the strictest way to count, without splitting a letter. */
export function cutTo(limit: number, text: string): string {
  if (text.length <= limit) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text)) {
    if (index + segment.length > limit) break;
    end = index + segment.length;
  }
  return text.slice(0, end).trimEnd();
}

const oneLine = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();

/** Name of an ISO 3166-1 alpha-2 code in English, null for what is no country. */
export function countryName(code: string): string | null {
  return /^[A-Z]{2}$/.test(code) ? (countries.of(code) ?? null) : null;
}

/**
 * Digits, blanks, `-`, `(`, `)` and a leading `+`: what carriers behind CJ accept. Words before the number and
 * extensions behind it are dropped, and all signs between digits when there are more than 20 characters. Empty when
 * there is no digit.
 */
export function cleanPhone(phone: string): string {
  const number = /[+(]*\d[\d\s().+/-]*/.exec(phone.normalize('NFKC'))?.[0] ?? '';
  const plus = number.includes('+') && !/\d.*\+/.test(number) ? '+' : '';
  // Behind a country code the bracketed zero is what callers from abroad leave out.
  const dialled = plus === '' ? number : number.replace(/\(0\)/, ' ');
  const readable = plus + oneLine(dialled.replace(/[./]/g, ' ').replaceAll('+', ''));
  return readable.length <= LIMITS.phone ? readable : plus + readable.replace(/\D/g, '');
}

type SentField = keyof typeof LIMITS;
type Texts = Readonly<Record<SentField, string>>;

/** CJ may stop an order in other letters for a look; what cannot be rewritten is sent as it is, for that is not sure. */
const latinLine = (text: string): string => oneLine(toLatinLetters(text));

/** What stands in each field when nothing is too long. */
function fullTexts(recipient: Recipient): Texts {
  const { name, company, address1, address2, city, province, zip, phone, email, taxId } = recipient;
  const [street, extra, firm] = [latinLine(address1), latinLine(address2), latinLine(company)];
  const person = latinLine(name);
  const rest = [person === '' ? '' : firm, street === '' ? '' : extra].filter((part) => part !== '');
  const [town, region, tax] = [latinLine(city), latinLine(province), oneLine(taxId)];
  return {
    // Required for every country, and many have none.
    province: region || town,
    city: town || region,
    name: person || firm,
    address1: street || extra,
    address2: rest.join(', '),
    zip: oneLine(zip),
    phone: cleanPhone(phone),
    email: email.trim(),
    taxId: tax.length > LIMITS.taxId ? tax.replace(/[^\p{L}\d]/gu, '') : tax,
  };
}

type Problem = RecipientCheck['problems'][number];

const invalid = (field: RecipientField, problem: string): Problem => ({
  field,
  reason: field === 'phone' ? 'phone_invalid' : 'address_invalid',
  problem,
});

function problemsOf(recipient: Recipient, full: Texts, remark: string): Problem[] {
  const tooLong = (field: SentField): Problem => invalid(field, `has more than ${LIMITS[field]} characters`);
  const problems: Problem[] = [];
  if (countryName(recipient.countryCode) === null) problems.push(invalid('countryCode', 'is no country'));
  for (const field of REQUIRED) if (full[field] === '') problems.push(invalid(field, 'is missing'));
  for (const field of CUTTABLE) {
    if (full[field].length > LIMITS[field] && remark.length > MAX_REMARK) problems.push(tooLong(field));
  }
  for (const field of ['zip', 'phone', 'taxId'] as const)
    if (full[field].length > LIMITS[field]) problems.push(tooLong(field));
  if (recipient.phone.trim() !== '' && full.phone.length < MIN_PHONE)
    problems.push(invalid('phone', `has less than ${MIN_PHONE} digits`));
  if (full.taxId === '' && WITH_TAX_ID.includes(recipient.countryCode)) {
    const problem = 'is missing: customs of the country ask for it';
    problems.push({ field: 'taxId', reason: 'tax_id_missing', problem });
  }
  return problems;
}

function repairsOf(recipient: Recipient, sent: Texts): RecipientCheck['repairs'] {
  const fields: readonly SentField[] = [
    'name',
    'address1',
    'city',
    'province',
    'zip',
    'phone',
    'email',
    'taxId',
  ];
  // The company goes before the second line, which is no change of either.
  const lines = [recipient.name.trim() === '' ? '' : recipient.company, recipient.address2];
  const line2 = lines
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(', ');
  return [
    ...fields.map((field) => ({ field, from: recipient[field], to: sent[field] })),
    { field: 'address2' as const, from: line2, to: sent.address2 },
  ].filter(({ from, to }) => from.trim() !== to);
}

/**
 * The recipient in CJ's fields, with what stands against sending it and what was changed. What had to be cut stands in
 * full in `remark`; a mail address that is too long is left out.
 */
export function prepareAddress(recipient: Recipient): RecipientCheck & { readonly address: CjAddress } {
  const full = fullTexts(recipient);
  const remark = CUTTABLE.filter((field) => full[field].length > LIMITS[field])
    .map((field) => full[field])
    .join(' | ');
  const cut = Object.fromEntries(CUTTABLE.map((field) => [field, cutTo(LIMITS[field], full[field])]));
  const sent: Texts = { ...full, ...cut, email: full.email.length > LIMITS.email ? '' : full.email };
  const optional = <K extends string>(field: K, text: string): Partial<Record<K, string>> => {
    const record: Partial<Record<K, string>> = {};
    if (text !== '') record[field] = text;
    return record;
  };
  const address: CjAddress = {
    shippingCountryCode: recipient.countryCode,
    shippingCountry: cutTo(MAX_COUNTRY_NAME, countryName(recipient.countryCode) ?? ''),
    shippingProvince: sent.province,
    shippingCity: sent.city,
    shippingCustomerName: sent.name,
    shippingAddress: sent.address1,
    ...optional('shippingAddress2', sent.address2),
    ...optional('shippingZip', sent.zip),
    ...optional('shippingPhone', sent.phone),
    ...optional('email', sent.email),
    // Which of the two a country's customs reads is not documented.
    ...optional('taxId', sent.taxId),
    ...optional('consigneeID', sent.taxId),
    ...optional('remark', remark),
  };
  return { address, problems: problemsOf(recipient, full, remark), repairs: repairsOf(recipient, sent) };
}

/**
 * The recipient in CJ's fields.
 * @throws SupplierError `invalid_input` with evidence `field` for the first problem that is none of customs; nothing was
 * sent.
 */
export function toCjAddress(recipient: Recipient): CjAddress {
  const { address, problems } = prepareAddress(recipient);
  const first = problems.find(({ reason }) => reason !== 'tax_id_missing');
  if (first === undefined) return address;
  const { field, problem } = first;
  throw new SupplierError('invalid_input', `${field} ${problem}`, { field, problem, sent: false });
}
