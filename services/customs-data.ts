import type { ShopifyOrderBody } from '../contracts/shopify-order-body.ts';

/** What customs of a destination want to know of the receiver; null where the order does not say it. */
export interface CustomsData {
  /** Tax, customs or identity number, in capitals without punctuation. */
  readonly taxId: string | null;
  /** ISO date. */
  readonly birthday: string | null;
  /** Code of a Saudi National Address. */
  readonly nationalAddress: string | null;
}

interface TaxRule {
  /** Words by which a cart attribute is known to be the number, in the letters of the country. */
  readonly named: RegExp;
  /** Of a value in capitals without punctuation; absent: any that looks like a number. */
  readonly isId?: RegExp;
  /** Finds it in the company of an address. In free text a number must be written as one: a firm's name is none. */
  readonly inCompany?: RegExp;
}

/** A word of its own, or an abbreviation between other signs than letters. */
const word = (...words: readonly string[]): RegExp =>
  new RegExp(`(?<!\\p{L})(${words.join('|')})(?!\\p{L})`, 'iu');

const RULES: Readonly<Record<string, TaxRule>> = {
  AR: { named: word('cuit', 'cuil', 'dni') },
  BR: {
    named: word('cpf', 'cnpj'),
    // CPF: 11 digits. CNPJ: 14 places, of which the first twelve may be letters since July 2026.
    isId: /^(\d{11}|[A-Z\d]{12}\d{2})$/,
    inCompany:
      /(?<![A-Z\d])(\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{14}|[A-Z\d]{2}\.[A-Z\d]{3}\.[A-Z\d]{3}\/[A-Z\d]{4}-\d{2})(?![A-Z\d])/i,
  },
  CL: {
    named: word('rut', 'run'),
    isId: /^\d{7,8}[\dK]$/,
    inCompany: /(?<![A-Z\d])(\d{1,2}\.\d{3}\.\d{3}-[\dK])(?![A-Z\d])/i,
  },
  CO: { named: word('nit', 'c[eé]dula') },
  EC: { named: word('ruc', 'c[eé]dula') },
  ES: { named: word('nif', 'nie', 'dni', 'cif') },
  IT: { named: word('codice[ _-]?fiscale', 'partita[ _-]?iva', 'p\\.? ?iva') },
  KR: {
    named: /pccc|customs[ _-]?(clearance)?[ _-]?(code|number|no|id)|통관/i,
    isId: /^P\d{12}$/,
    inCompany: /(?<![A-Z\d])(P\d{12})(?!\d)/i,
  },
  MX: { named: word('rfc', 'curp') },
  PE: { named: word('ruc', 'dni') },
  TR: { named: word('t\\.?c\\.?( ?kimlik)?', 'tckn', 'kimlik', 'vkn', 'vergi') },
};

/** How themes call it in shops that sell to many countries. */
const TAX_NAME = /(?<!\p{L})(tax|vat)[ _-]?(id|no|nr|num(ber)?|code)(?!\p{L})/iu;
const ANY_ID = /^(?=(.*\d){4})[A-ZÑ&\d]{5,20}$/;
/** The shop's own field for it, whose name ends with the country: `SHIPPING_CREDENTIAL_KR`. */
const OWN_FIELDS = ['SHIPPING_CREDENTIAL_', 'TAX_CREDENTIAL_'] as const;

const plain = (text: string): string => text.replace(/[\s./_-]/g, '').toUpperCase();

type Attribute = ShopifyOrderBody['note_attributes'][number];

const valuesNamed = (attributes: readonly Attribute[], isMeant: (name: string) => boolean): string[] =>
  attributes.flatMap(({ name, value }) => (name !== null && value !== null && isMeant(name) ? [value] : []));

function taxIdOf({ note_attributes: attributes, ...body }: ShopifyOrderBody, country: string): string | null {
  const rule = RULES[country];
  const own = OWN_FIELDS.flatMap((field) => valuesNamed(attributes, (name) => name === `${field}${country}`));
  if (rule === undefined) return own.map(plain).find((id) => ANY_ID.test(id)) ?? null;
  const named = valuesNamed(attributes, (name) => rule.named.test(name));
  const general = valuesNamed(attributes, (name) => TAX_NAME.test(name));
  const companies = [body.shipping_address?.company, body.billing_address?.company].map(
    (company) => rule.inCompany?.exec(company ?? '')?.[1] ?? '',
  );
  const isId = rule.isId ?? ANY_ID;
  return [...own, ...named, ...general, ...companies].map(plain).find((id) => isId.test(id)) ?? null;
}

const BIRTHDAY_NAME = /birth|nascimento|anivers[aá]rio|(?<!\p{L})dob(?!\p{L})/iu;

/** Year, month and day, or as in Brazil the day first; null for what is no date. */
function dateOf(text: string): string | null {
  const iso = /^(\d{4})-(\d\d)-(\d\d)/.exec(text.trim());
  const local = /^(\d{1,2})[./ -]?(\d{1,2})[./ -]?(\d{4})$/.exec(text.trim());
  const [year, month, day] = iso === null ? [local?.[3], local?.[2], local?.[1]] : iso.slice(1);
  const date = `${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}`;
  const at = new Date(`${date}T00:00:00Z`);
  const isDate = !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date);
  return isDate && date >= '1900' ? date : null;
}

const ADDRESS_CODE_NAME = /national[ _-]?address|nat[ _-]?addr|short[ _-]?address|العنوان/i;
const ADDRESS_CODE = /(?<![A-Z\d])([A-Z]{4}) ?(\d{4})(?![A-Z\d])/i;

const addressCodeIn = (text: string | null | undefined): string[] => {
  const code = ADDRESS_CODE.exec(text ?? '');
  return code === null ? [] : [`${code[1]}${code[2]}`.toUpperCase()];
};

/**
 * The receiver's data for customs, as far as the destination is known to ask for them: out of the shop's own fields,
 * which come as attributes named by their keys, out of cart attributes, and out of address lines where buyers put them.
 */
export function customsDataOf(body: ShopifyOrderBody): CustomsData {
  const { note_attributes: attributes, shipping_address: ship, billing_address: bill } = body;
  const country = (ship ?? bill)?.country_code?.toUpperCase() ?? '';
  const birthdays = country === 'BR' ? valuesNamed(attributes, (name) => BIRTHDAY_NAME.test(name)) : [];
  const codes =
    country === 'SA'
      ? [
          ...valuesNamed(attributes, (name) => ADDRESS_CODE_NAME.test(name)),
          ...[ship?.address2, ship?.address1, ship?.company],
        ].flatMap(addressCodeIn)
      : [];
  return {
    taxId: taxIdOf(body, country),
    birthday: birthdays.map(dateOf).find((date) => date !== null) ?? null,
    nationalAddress: codes[0] ?? null,
  };
}
