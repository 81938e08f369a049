import { z } from 'zod';
import { MaybeAmount, MaybeText, MaybeVerbatim } from '../loose-json.ts';

/** Inner names of the holders that lists come in, as far as they hold one entry that is no list. */
const HOLDERS = new Set([
  'ae_item_sku_info_d_t_o',
  'ae_sku_property_d_t_o',
  'delivery_option_d_t_o',
  'selection_search_product',
  'number',
  'aeop_child_order_info',
  'ae_child_order_info',
  'aeop_order_logistics_info',
  'ae_order_logistics_info',
  'tracking_detail',
  'detail_node',
  'package_item',
]);

/**
 * The entries of a list. They come bare, in a holder with an inner name, as a lone entry without its list, as `{}` or a
 * blank when there are none, or not at all.
 */
export function itemsOf(value: unknown): readonly unknown[] {
  if (value == null || value === '') return [];
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object') return [value];
  const entries = Object.entries(value);
  const [first] = entries;
  if (first === undefined) return [];
  const isHolder = entries.length === 1 && (HOLDERS.has(first[0]) || Array.isArray(first[1]));
  return isHolder ? itemsOf(first[1]) : [value];
}

/** Whether it can be the id of a product or an order. */
export const isIdText = (id: string | null): id is string => id !== null && /^[1-9]\d{0,18}$/.test(id);

/** Nulls among the entries are dropped. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => itemsOf(value).filter((each) => each != null), z.array(item));

const isHollow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const isBlank = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0);

/** An object that may be absent, or be nothing of another kind: a wrong question is answered with an empty result. */
const maybe = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (isBlank(value) ? null : value), schema.nullish());

const MaybeFlag = z.union([z.boolean(), z.stringbool()]).nullish().catch(null);

/** Empty lists are known to come as `{}`; where a text or number does, it says nothing. */
const orNothing = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (isHollow(value) ? null : value), schema);
const Text = orNothing(MaybeText);
const Verbatim = orNothing(MaybeVerbatim);
const Amount = orNothing(MaybeAmount);

const Money = z.object({ amount: Amount, currency_code: Text });

const SearchRow = z.object({
  itemId: Text,
  title: Text,
  itemMainPic: Text,
  targetSalePrice: Amount,
  targetOriginalPriceCurrency: Text,
  salePrice: Amount,
  salePriceCurrency: Text,
});
export type SearchRow = z.infer<typeof SearchRow>;

export const SearchBody = z.object({
  data: maybe(z.object({ totalCount: Amount, products: listOf(SearchRow) })),
});

const SkuProperty = z.object({
  sku_property_id: Text,
  sku_property_name: Text,
  sku_property_value: Text,
  property_value_id: Text,
  property_value_definition_name: Text,
  sku_image: Text,
});

export const SkuRow = z.object({
  sku_id: Text,
  sku_attr: Verbatim,
  id: Verbatim,
  sku_price: Amount,
  offer_sale_price: Amount,
  currency_code: Text,
  sku_available_stock: Amount,
  s_k_u_available_stock: Amount,
  ipm_sku_stock: Amount,
  price_include_tax: MaybeFlag,
  tax_amount: Amount,
  ae_sku_property_dtos: listOf(SkuProperty),
});
export type SkuRow = z.infer<typeof SkuRow>;

export const ProductRow = z.object({
  ae_item_base_info_dto: maybe(
    z.object({
      product_id: Text,
      subject: Text,
      detail: Text,
      product_status_type: Text,
    }),
  ),
  ae_item_sku_info_dtos: listOf(SkuRow),
  ae_multimedia_info_dto: maybe(z.object({ image_urls: Text })),
  ae_store_info: maybe(z.object({ store_id: Text })),
});
export type ProductRow = z.infer<typeof ProductRow>;

export const ProductBody = z.object({ result: maybe(ProductRow) });

const FreightRow = z.object({
  code: Verbatim,
  shipping_fee_cent: Amount,
  shipping_fee_currency: Text,
  free_shipping: MaybeFlag,
  mayHavePFS: MaybeFlag,
  free_shipping_threshold: Amount,
  min_delivery_days: Amount,
  max_delivery_days: Amount,
  guaranteed_delivery_days: Amount,
  tracking: MaybeFlag,
  ship_from_country: Text,
});
export type FreightRow = z.infer<typeof FreightRow>;

export const FreightBody = z.object({
  result: maybe(z.object({ delivery_options: listOf(FreightRow) })),
});

/** An order that was created, paid or not: `error_msg` then says why it could not be paid. */
export const CreatedBody = z.object({
  result: z.object({
    order_list: listOf(MaybeText.catch(null)).transform((ids) => [...new Set(ids.filter(isIdText))]),
    error_msg: Text,
  }),
});

const ChildOrder = z.object({
  product_id: Text,
  sku_id: Text,
  product_count: Amount,
  end_reason: Text,
  end_reason_desc: Text,
});

export const OrderRow = z.object({
  gmt_create: Text,
  order_status: Text,
  logistics_status: Text,
  order_amount: maybe(Money),
  pay_timeout_second: Amount,
  child_order_list: listOf(ChildOrder),
  logistics_info_list: listOf(z.object({ logistics_no: Text, logistics_service: Text })),
});
export type OrderRow = z.infer<typeof OrderRow>;

export const OrderBody = z.object({ result: maybe(OrderRow) });

const TrackingNode = z.object({
  time_stamp: Amount,
  tracking_name: Text,
  tracking_detail_desc: Text,
});
export type TrackingNode = z.infer<typeof TrackingNode>;

const PackageItem = z.object({ sku_id: Text, quantity: Amount });
export type PackageItem = z.infer<typeof PackageItem>;

const TrackingDetail = z.object({
  mail_no: Text,
  carrier_name: Text,
  cp_name: Text,
  cp_website_url: Text,
  package_item_list: listOf(PackageItem),
  detail_node_list: listOf(TrackingNode),
});
export type TrackingDetail = z.infer<typeof TrackingDetail>;

export const TrackingBody = z.object({
  result: maybe(z.object({ data: maybe(z.object({ tracking_detail_line_list: listOf(TrackingDetail) })) })),
});
