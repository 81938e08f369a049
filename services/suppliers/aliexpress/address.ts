import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';
import type { Recipient, RecipientCheck, RecipientField } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import { isLatin, toLatin } from './latin.ts';
import { readTaxId, type TaxFields } from './tax-ids.ts';
import { readTradeExtra } from './trade-extra.ts';

/** Names as AliExpress wants them: in any other spelling it silently reads nothing. */
export type AliExpressAddress = TaxFields & {
  readonly contact_person: string;
  readonly full_name: string;
  readonly address: string;
  readonly address2?: string;
  readonly city: string;
  readonly province: string;
  readonly zip?: string;
  readonly country: string;
  readonly mobile_no: string;
  readonly phone_country: string;
};

type Problem = RecipientCheck['problems'][number];
type Repair = RecipientCheck['repairs'][number];

interface Reading extends RecipientCheck {
  readonly address: AliExpressAddress;
}

/** Federations whose addresses name the state: elsewhere the city stands in for a province that is not known. */
const NEED_PROVINCE = ['US', 'CA', 'AU', 'BR', 'MX'];

const WRITTEN = ['name', 'company', 'address1', 'address2', 'city', 'province'] as const;
type Written = Record<(typeof WRITTEN)[number], string>;

interface Phone {
  readonly country: string;
  readonly number: string;
}

/** National number without the zero that is dialled at home; a text says what is wrong. */
function readPhone(phone: string, countryCode: string): Phone | string {
  if (phone.trim() === '') return 'is missing';
  const home = isSupportedCountry(countryCode) ? countryCode : undefined;
  const parsed = parsePhoneNumberFromString(phone.normalize('NFKC'), home);
  if (parsed === undefined || !parsed.isPossible()) return 'can be no phone number there';
  // In a few countries the zero belongs to the number, and AliExpress takes none.
  if (parsed.nationalNumber.startsWith('0'))
    return 'begins with a zero even from abroad: a mobile number is needed';
  return { country: `+${parsed.countryCallingCode}`, number: parsed.nationalNumber };
}

/** Letters, digits, `-` and `/` without blanks. */
const cleanZip = (zip: string): string => toLatin(zip).toUpperCase().replace(/[\s.]/g, '');

/** Reads the recipient as AliExpress would; the address counts only when there are no problems. */
function readRecipient(recipient: Recipient): Reading {
  const problems: Problem[] = [];
  const repairs: Repair[] = [];
  const complain = (
    field: RecipientField,
    problem: string,
    reason: Problem['reason'] = 'address_invalid',
  ): void => {
    problems.push({ field, reason, problem });
  };
  const repair = (field: keyof Written | 'zip' | 'phone' | 'taxId', to: string): void => {
    if (recipient[field] !== to && to !== '') repairs.push({ field, from: recipient[field], to });
  };
  const write = (field: keyof Written): string => {
    const latin = toLatin(recipient[field]);
    if (isLatin(latin)) repair(field, latin);
    else complain(field, 'has letters that are not Latin');
    return latin;
  };

  const { countryCode } = recipient;
  const texts: Written = {
    name: write('name'),
    company: write('company'),
    address1: write('address1'),
    address2: write('address2'),
    city: write('city'),
    province: write('province'),
  };
  if (!/^[A-Z]{2}$/.test(countryCode)) complain('countryCode', 'is no country');
  if ((texts.name || texts.company) === '') complain('name', 'is missing');
  if ((texts.address1 || texts.address2) === '') complain('address1', 'is missing');
  if (texts.city === '') complain('city', 'is missing');
  if (texts.province === '' && NEED_PROVINCE.includes(countryCode)) complain('province', 'is missing');

  const zip = cleanZip(recipient.zip);
  if (/^[A-Z\d/-]*$/.test(zip)) repair('zip', zip);
  else complain('zip', 'has signs that belong to no postal code');

  const phone = readPhone(recipient.phone, countryCode);
  if (typeof phone === 'string') complain('phone', phone, 'phone_invalid');
  else repair('phone', `${phone.country} ${phone.number}`);

  const tax = readTaxId(countryCode, recipient.taxId);
  if ('problem' in tax) complain('taxId', tax.problem, 'tax_id_missing');
  else repair('taxId', tax.taxId);

  const street = texts.address1 || texts.address2;
  const firm = texts.name === '' ? '' : texts.company;
  const rest = [firm, texts.address1 === '' ? '' : texts.address2].filter((text) => text !== '').join(', ');
  const person = texts.name || texts.company;
  return {
    problems,
    repairs,
    address: {
      contact_person: person,
      full_name: person,
      address: street,
      ...(rest === '' ? {} : { address2: rest }),
      city: texts.city,
      province: texts.province || texts.city,
      ...(zip === '' ? {} : { zip }),
      country: countryCode,
      mobile_no: typeof phone === 'string' ? '' : phone.number,
      phone_country: typeof phone === 'string' ? '' : phone.country,
      ...('problem' in tax ? {} : tax.fields),
    },
  };
}

/** What AliExpress would make of the recipient. */
export function checkRecipient(recipient: Recipient): RecipientCheck {
  const { problems, repairs } = readRecipient(recipient);
  return { problems: [...problems, ...readTradeExtra(recipient).problems], repairs };
}

/**
 * The recipient in AliExpress's fields.
 * @throws SupplierError `invalid_input` with evidence `field` and `problem` for the first problem that is none of customs;
 * nothing was sent.
 */
export function toAddress(recipient: Recipient): AliExpressAddress {
  const { problems, address } = readRecipient(recipient);
  const first = problems.find(({ reason }) => reason !== 'tax_id_missing');
  if (first === undefined) return address;
  const { field, problem } = first;
  throw new SupplierError('invalid_input', `${field} ${problem}`, { field, problem, sent: false });
}
