import { z } from 'zod';

const Id = z.union([z.string().regex(/^\d+$/), z.int()]).transform(String);
const Text = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
/** The shop's bodies say `""` where its GraphQL says null. */
const Contact = z
  .string()
  .nullish()
  .transform((value) => value || null);
const Decimal = z.union([z.string(), z.number()]).transform(String);
const Coordinate = z
  .number()
  .nullish()
  .transform((value) => value ?? null);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const RestMoney = z.object({ amount: Decimal, currency_code: z.string() });
export const RestMoneySet = z.object({ shop_money: RestMoney, presentment_money: RestMoney }).nullish();
export type RestMoneySet = z.infer<typeof RestMoneySet>;

export const RestAddress = z.object({
  first_name: Text,
  last_name: Text,
  name: Text,
  company: Text,
  address1: Text,
  address2: Text,
  city: Text,
  province: Text,
  province_code: Text,
  zip: Text,
  country: Text,
  country_code: Text,
  phone: Text,
  latitude: Coordinate,
  longitude: Coordinate,
});

export const NameValue = z.object({
  name: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).nullish(),
});

export const RestLine = z.object({
  id: Id,
  variant_id: Id.nullish(),
  product_id: Id.nullish(),
  title: z.string(),
  name: Text,
  variant_title: Text,
  sku: Contact,
  vendor: Text,
  quantity: z.int(),
  current_quantity: z.int().nullish(),
  fulfillable_quantity: z.int().nullish(),
  fulfillment_service: z.string().nullish(),
  requires_shipping: z.boolean().nullish(),
  gift_card: z.boolean().nullish(),
  // Old bodies have an object here.
  properties: z.union([z.array(NameValue), z.record(z.string(), z.unknown())]).nullish(),
  price: Decimal,
  price_set: RestMoneySet,
});

export const RestFulfillment = z.object({
  id: Id,
  name: Text,
  status: z.string(),
  created_at: z.string(),
  updated_at: z.string().nullish(),
  tracking_company: Text,
  tracking_numbers: list(z.string()),
  tracking_urls: list(z.string()),
  line_items: list(z.object({ id: Id, quantity: z.int() })),
});

/** The order body of the shop's webhooks, as far as this world needs it. Absent, null and "" are all usual. */
export const RestOrder = z.object({
  id: Id,
  name: z.string(),
  email: Contact,
  phone: Contact,
  note: Contact,
  tags: Text,
  test: z.boolean().nullish(),
  confirmed: z.boolean().nullish(),
  source_name: Text,
  customer_locale: Text,
  created_at: z.string(),
  processed_at: Text,
  updated_at: Text,
  closed_at: Text,
  cancelled_at: Text,
  cancel_reason: Text,
  currency: z.string(),
  presentment_currency: Text,
  financial_status: Text,
  total_price: Decimal,
  total_price_set: RestMoneySet,
  current_total_price_set: RestMoneySet,
  subtotal_price_set: RestMoneySet,
  note_attributes: list(NameValue),
  shipping_address: RestAddress.nullish(),
  billing_address: RestAddress.nullish(),
  line_items: z.array(RestLine),
  shipping_lines: list(
    z.object({
      id: Id,
      title: Text,
      code: Text,
      source: Text,
      carrier_identifier: Text,
      is_removed: z.boolean().nullish(),
    }),
  ),
  fulfillments: list(RestFulfillment),
});
export type RestOrder = z.infer<typeof RestOrder>;
