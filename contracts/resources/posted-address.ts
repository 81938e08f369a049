import { z } from 'zod';
import type { ShippingAddress } from './order.ts';

const text = z.string().trim().max(200);

/** In the letters of any language, as names of hosts are too; what mailers read as a list, a group or a header is none. */
export const MailAddress = z
  .string()
  .max(200)
  .regex(
    /^(?!\.)(?!.*\.\.)[^\s\p{C}@<>()[\]\\,;:"]{1,64}(?<!\.)@([\p{L}\p{M}\p{N}]([\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+\p{L}[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}]$/u,
    'must be one mail address, like jean@example.com',
  );

const countryNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** Regions that Intl knows besides countries: of reckoning, of tests, or without a post of their own. */
const NO_COUNTRY = new Set(['CP', 'CQ', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'UN', 'XA', 'XB', 'ZZ']);

/** The supplier would take the order and the money, and the parcel would go nowhere. */
const country = z
  .string()
  .trim()
  .regex(/^[A-Z]{2}$/, { error: 'must be a two-letter country code, like FR', abort: true })
  .superRefine((code, { addIssue }) => {
    const what = 'must be a country code of ISO 3166-1';
    // One that was withdrawn or never was, but whose successor is known.
    const present = Intl.getCanonicalLocales(`und-${code}`)[0]?.slice('und-'.length);
    if (present !== code) addIssue(`${what}: is ${present} meant?`);
    else if (countryNames.of(code) === undefined || NO_COUNTRY.has(code)) addIssue(what);
  });

/** An address as the API takes it. `country` is the two-letter code, `state` the province by its name. */
export const PostedAddress = z
  .strictObject({
    first_name: text.default(''),
    last_name: text.default(''),
    company: text.default(''),
    address1: text.min(1),
    address2: text.default(''),
    city: text.min(1),
    state: text.default(''),
    zip: text.default(''),
    country,
    phone: text.default(''),
    email: z.union([MailAddress, z.literal('')]).default(''),
  })
  .refine(({ first_name, last_name }) => `${first_name}${last_name}` !== '', {
    error: 'first_name or last_name must be there',
  });
export type PostedAddress = z.infer<typeof PostedAddress>;

export const toShippingAddress = (posted: PostedAddress): ShippingAddress => ({
  name: `${posted.first_name} ${posted.last_name}`.trim(),
  company: posted.company,
  address1: posted.address1,
  address2: posted.address2,
  city: posted.city,
  province: posted.state,
  provinceCode: '',
  zip: posted.zip,
  country: countryNames.of(posted.country) ?? posted.country,
  countryCode: posted.country,
  phone: posted.phone,
});
