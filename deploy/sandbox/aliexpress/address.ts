import { z } from 'zod';
import { isCountry, isEmbargoed } from '../cj/countries.ts';
import { AliExpressRefusal } from './refusal.ts';

const INVALID = 'B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL';
const REQUIRED = ['address', 'city', 'province', 'country', 'contact_person', 'mobile_no', 'phone_country'];

/** Every field that an order's address may have; the rest is dropped without a word. */
const optional = z.string().optional();
export const Address = z.object({
  address: optional,
  address2: optional,
  city: optional,
  province: optional,
  country: optional,
  zip: optional,
  full_name: optional,
  contact_person: optional,
  mobile_no: optional,
  phone_country: optional,
  cpf: optional,
  passport_no: optional,
  passport_no_date: optional,
  passport_organization: optional,
  rut_no: optional,
  is_foreigner: optional,
  foreigner_passport_no: optional,
  vat_no: optional,
  tax_company: optional,
  tax_number: optional,
  location_tree_address_id: optional,
  locale: optional,
});
export type Address = z.infer<typeof Address>;

/** What stands beside the address; the rest is dropped here as well. */
export const TradeExtra = z.object({ birthday: optional, nat_addr: optional });
export type TradeExtra = z.infer<typeof TradeExtra>;

/** What customs of some countries want, and where it has to stand. */
const OF_CUSTOMS: readonly (readonly [country: string, field: keyof Address | keyof TradeExtra, RegExp])[] = [
  ['BR', 'birthday', /^(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])(19|20)\d\d$/],
  ['CL', 'rut_no', /^\d{7,8}-?[\dK]$/],
  ['KR', 'foreigner_passport_no', /./],
  ['MX', 'passport_no', /./],
  ['SA', 'nat_addr', /./],
];

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

function problemOf(address: Address, extra: TradeExtra): { code: string; text: string } | null {
  const values = new Map(Object.entries({ ...address, ...extra }));
  const missing = REQUIRED.find((name) => !values.get(name)?.trim());
  if (missing !== undefined) return { code: INVALID, text: `${missing} is required` };
  const foreign = [...values].find(([, value]) => value !== undefined && !isAscii(value));
  if (foreign !== undefined) return { code: INVALID, text: `${foreign[0]} must be in English` };
  const { country = '', zip = '', mobile_no = '', phone_country = '', cpf = '' } = address;
  if (!isCountry(country)) return { code: 'A005_INVALID_COUNTRIES', text: `unknown country ${country}` };
  if (isEmbargoed(country)) return { code: 'A002_INVALID_ZONE', text: `nothing is sent to ${country}` };
  if (!/^[1-9]\d{4,14}$/.test(mobile_no)) return { code: INVALID, text: 'mobile_no must be digits only' };
  if (!/^\+\d{1,4}$/.test(phone_country)) return { code: INVALID, text: 'phone_country must be like +49' };
  if (!/^[\dA-Za-z/-]*$/.test(zip)) return { code: INVALID, text: 'zip has characters that are not allowed' };
  if (country === 'BR' && !/^\d{11}$/.test(cpf)) return { code: `${INVALID}_CPF_CN_INVALID`, text: 'cpf' };
  const wanted = OF_CUSTOMS.find(
    ([where, field, pattern]) => where === country && !pattern.test(values.get(field) ?? ''),
  );
  return wanted === undefined ? null : { code: INVALID, text: `${wanted[1]} is required in ${country}` };
}

/** Throws AliExpressRefusal with one of the address codes, A002 or A005. */
export function checkAddress(address: Address, extra: TradeExtra): void {
  const problem = problemOf(address, extra);
  if (problem !== null) throw new AliExpressRefusal(problem.code, `address check failed: ${problem.text}`);
}
