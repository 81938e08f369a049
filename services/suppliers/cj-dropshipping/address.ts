import { type Recipient, SupplierError } from '../adapter.ts';

/** Longest texts that createOrderV2 takes. Older documents say 200 for the address, newer ones 500. */
const LIMITS = {
  shippingCountry: 50,
  shippingProvince: 50,
  shippingCity: 50,
  shippingCustomerName: 50,
  shippingAddress: 200,
  shippingAddress2: 200,
  shippingZip: 20,
  shippingPhone: 20,
  email: 50,
  taxId: 20,
  remark: 500,
} as const;

const REQUIRED = ['shippingProvince', 'shippingCity', 'shippingCustomerName', 'shippingAddress'] as const;
/** Half an address line still guides a postman; half of one of these is a different, wrong thing. */
const CUTTABLE = [
  'shippingProvince',
  'shippingCity',
  'shippingCustomerName',
  'shippingAddress',
  'shippingAddress2',
] as const;

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
 * Digits, blanks, `-`, `(`, `)` and a leading `+`, 20 at most: what carriers behind CJ accept. Words before the
 * number and extensions behind it are dropped. Empty when there is no digit.
 */
export function cleanPhone(phone: string): string {
  const number = /[+(]*\d[\d\s().+/-]*/.exec(phone.normalize('NFKC'))?.[0] ?? '';
  const plus = number.includes('+') && !/\d.*\+/.test(number) ? '+' : '';
  // Behind a country code the bracketed zero is what callers from abroad leave out.
  const dialled = plus === '' ? number : number.replace(/\(0\)/, ' ');
  const readable = plus + oneLine(dialled.replace(/[./]/g, ' ').replaceAll('+', ''));
  if (readable.length <= LIMITS.shippingPhone) return readable;
  return (plus + readable.replace(/\D/g, '')).slice(0, LIMITS.shippingPhone);
}

const refuse = (field: string, problem: string): never => {
  throw new SupplierError('invalid_input', `${field} ${problem}`, { field, problem, sent: false });
};

function fullTexts({ name, company, address1, address2, city, province, zip, email, taxId }: Recipient) {
  const [street, extra, firm] = [oneLine(address1), oneLine(address2), oneLine(company)];
  const person = oneLine(name);
  const rest = [person === '' ? '' : firm, street === '' ? '' : extra].filter((part) => part !== '');
  return {
    // Required for every country, and many have none.
    shippingProvince: oneLine(province) || oneLine(city),
    shippingCity: oneLine(city) || oneLine(province),
    shippingCustomerName: person || firm,
    shippingAddress: street || extra,
    shippingAddress2: rest.join(', '),
    shippingZip: oneLine(zip),
    email: email.trim(),
    taxId: oneLine(taxId),
  };
}

/**
 * The recipient in CJ's fields. What had to be cut stands in full in `remark`.
 * @throws SupplierError `invalid_input` with evidence `field` for what is missing or cannot be cut; nothing was sent.
 */
export function toCjAddress(recipient: Recipient): CjAddress {
  const full = fullTexts(recipient);
  const shippingCountry = countryName(recipient.countryCode) ?? refuse('countryCode', 'is no country');
  for (const field of REQUIRED) if (full[field] === '') refuse(field, 'is missing');
  if (full.shippingZip.length > LIMITS.shippingZip) refuse('shippingZip', 'is too long');
  const plainTaxId = full.taxId.length > LIMITS.taxId ? full.taxId.replace(/[^\p{L}\d]/gu, '') : full.taxId;
  if (plainTaxId.length > LIMITS.taxId) refuse('taxId', 'is too long');

  const isCut = (field: (typeof CUTTABLE)[number]): boolean => full[field].length > LIMITS[field];
  const cut = (field: (typeof CUTTABLE)[number]): string => cutTo(LIMITS[field], full[field]);
  const optional = <K extends string>(field: K, text: string): Partial<Record<K, string>> => {
    const record: Partial<Record<K, string>> = {};
    if (text !== '') record[field] = text;
    return record;
  };
  const remark = CUTTABLE.filter(isCut).map((field) => full[field]);
  return {
    shippingCountryCode: recipient.countryCode,
    shippingCountry: cutTo(LIMITS.shippingCountry, shippingCountry),
    shippingProvince: cut('shippingProvince'),
    shippingCity: cut('shippingCity'),
    shippingCustomerName: cut('shippingCustomerName'),
    shippingAddress: cut('shippingAddress'),
    ...optional('shippingAddress2', cut('shippingAddress2')),
    ...optional('shippingZip', full.shippingZip),
    ...optional('shippingPhone', cleanPhone(recipient.phone)),
    ...optional('email', full.email.length > LIMITS.email ? '' : full.email),
    // Which of the two a country's customs reads is not documented.
    ...optional('taxId', plainTaxId),
    ...optional('consigneeID', plainTaxId),
    ...optional('remark', cutTo(LIMITS.remark, remark.join(' | '))),
  };
}
