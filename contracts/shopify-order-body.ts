import { z } from 'zod';

/** Characters that PostgreSQL and UTF-8 refuse (NUL, half a surrogate pair) say nothing to anybody. */
const clean = (text: string): string => text.toWellFormed().replaceAll('\u0000', '').trim();

/** Text, or null when the key is absent, null, blank or holds something that is no text. */
const text = z.preprocess(
  (value) =>
    typeof value === 'string' ? clean(value) || null : typeof value === 'number' ? String(value) : null,
  z.string().nullable(),
);

/** Ids are text here, whether they came as a number or, beyond 2^53, as text from the exact parser. */
const requiredId = z.preprocess(
  (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value),
  z.string({ error: 'must be an id' }).regex(/^[1-9]\d{0,19}$/, 'must be an id'),
);

/** Null where the key is absent, null or blank. */
const orNull = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' && value.trim() === '' ? null : (value ?? null)),
    schema.nullable(),
  );

/** Null where the key is absent, null, blank or holds no id. */
const id = orNull(requiredId).catch(null);

/** Decimal text as Shopify writes money; a JSON number of older bodies becomes its shortest decimal text. */
const amount = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  z.string({ error: 'must be an amount' }).regex(/^-?\d{1,15}(\.\d{1,10})?$/, 'must be an amount'),
);

/** Any ISO 8601 instant with an offset: the shop's own, whose day it names. */
const localInstant = z.iso.datetime({
  offset: true,
  error: 'must be an instant like 2026-11-02T09:15:00-05:00',
});

/**
 * Comes out in UTC with milliseconds, of which there are none: the shop's clock has seconds, and whoever writes it finer
 * in one place and not in the other would let the same version look older there.
 */
const instant = localInstant.transform((iso) =>
  new Date(Math.floor(Date.parse(iso) / 1_000) * 1_000).toISOString(),
);

const flag = (absent: boolean) =>
  z.preprocess(
    (value) => (value === 'true' || value === 'false' ? value === 'true' : value),
    z.boolean().catch(absent),
  );

const units = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,7}$/.test(value) ? Number(value) : value),
  z.int('must be a whole number of units').min(0, 'must not be negative').max(1_000_000),
);
const optionalUnits = z.preprocess(
  (value) => (typeof value === 'number' && value < 0 ? 0 : value),
  orNull(units),
);

const address = z.object({
  first_name: text,
  last_name: text,
  name: text,
  company: text,
  address1: text,
  address2: text,
  city: text,
  province: text,
  province_code: text,
  zip: text,
  country: text,
  country_code: text,
  phone: text,
});
export type ShopifyAddress = z.infer<typeof address>;

/** An object that may be absent, null or something else altogether. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? null, schema.nullable()).catch(null);

/** An amount in the buyer's own currency. */
const presented = optional(z.object({ presentment_money: z.object({ amount, currency_code: z.string() }) }));

const line = z.object({
  id: requiredId,
  variant_id: id,
  product_id: id,
  sku: text,
  title: text,
  name: text,
  price: amount,
  quantity: units,
  /** Less what edits and refunds took away; null before the API knew it. */
  current_quantity: optionalUnits,
  /** Not yet shipped by anybody. */
  fulfillable_quantity: optionalUnits,
  // A line that does not say it needs no shipping is taken for goods: goods that wait are seen, goods forgotten are not.
  requires_shipping: flag(true),
  gift_card: flag(false),
  fulfillment_service: text,
});
export type ShopifyLine = z.infer<typeof line>;

const refund = z.object({
  refund_line_items: z.array(z.object({ line_item_id: requiredId, quantity: units })).catch([]),
});

const noteAttribute = z.object({ name: text, value: text });

/**
 * The body of `orders/create`, `orders/updated`, `orders/paid` and `orders/cancelled`, as far as it is used. Everything
 * but identity, version, money and units may be absent, null or "" (all three are null here); unknown keys are dropped
 * and unknown statuses kept as they are. Parse the JSON with exact ids first.
 */
export const ShopifyOrderBody = z.object({
  id: requiredId,
  name: text,
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code'),
  created_at: localInstant,
  processed_at: orNull(localInstant),
  updated_at: instant,
  cancelled_at: text,
  total_price: amount,
  current_total_price: orNull(amount),
  total_price_set: presented,
  current_total_price_set: presented,
  financial_status: text,
  test: flag(false),
  email: text,
  contact_email: text,
  phone: text,
  customer_locale: text,
  customer: optional(z.object({ id, email: text, phone: text })),
  shipping_address: optional(address),
  billing_address: optional(address),
  note_attributes: z.array(noteAttribute).catch([]),
  line_items: z.array(line).max(1_000),
  refunds: z.array(refund).catch([]),
});
export type ShopifyOrderBody = z.infer<typeof ShopifyOrderBody>;
