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

const isBlank = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0);

/** An object that may be absent, or be nothing of another kind: a wrong question is answered with an empty result. */
const maybe = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (isBlank(value) ? null : value), schema.nullish());

const MaybeFlag = z.union([z.boolean(), z.stringbool()]).nullish().catch(null);

const Money = z.object({ amount: MaybeAmount, currency_code: MaybeText });

const SearchRow = z.object({
  itemId: MaybeText,
  title: MaybeText,
  itemMainPic: MaybeText,
  targetSalePrice: MaybeAmount,
  targetOriginalPriceCurrency: MaybeText,
  salePrice: MaybeAmount,
  salePriceCurrency: MaybeText,
});
export type SearchRow = z.infer<typeof SearchRow>;

export const SearchBody = z.object({
  data: maybe(z.object({ totalCount: MaybeAmount, products: listOf(SearchRow) })),
});

const SkuProperty = z.object({
  sku_property_id: MaybeText,
  sku_property_name: MaybeText,
  sku_property_value: MaybeText,
  property_value_id: MaybeText,
  property_value_definition_name: MaybeText,
  sku_image: MaybeText,
});

export const SkuRow = z.object({
  sku_id: MaybeText,
  sku_attr: MaybeVerbatim,
  id: MaybeVerbatim,
  sku_price: MaybeAmount,
  offer_sale_price: MaybeAmount,
  currency_code: MaybeText,
  sku_available_stock: MaybeAmount,
  s_k_u_available_stock: MaybeAmount,
  ipm_sku_stock: MaybeAmount,
  price_include_tax: MaybeFlag,
  tax_amount: MaybeAmount,
  ae_sku_property_dtos: listOf(SkuProperty),
});
export type SkuRow = z.infer<typeof SkuRow>;

export const ProductRow = z.object({
  ae_item_base_info_dto: maybe(
    z.object({
      product_id: MaybeText,
      subject: MaybeText,
      detail: MaybeText,
      product_status_type: MaybeText,
    }),
  ),
  ae_item_sku_info_dtos: listOf(SkuRow),
  ae_multimedia_info_dto: maybe(z.object({ image_urls: MaybeText })),
  ae_store_info: maybe(z.object({ store_id: MaybeText })),
});
export type ProductRow = z.infer<typeof ProductRow>;

export const ProductBody = z.object({ result: maybe(ProductRow) });

const FreightRow = z.object({
  code: MaybeVerbatim,
  shipping_fee_cent: MaybeAmount,
  shipping_fee_currency: MaybeText,
  free_shipping: MaybeFlag,
  mayHavePFS: MaybeFlag,
  free_shipping_threshold: MaybeAmount,
  min_delivery_days: MaybeAmount,
  max_delivery_days: MaybeAmount,
  guaranteed_delivery_days: MaybeAmount,
  tracking: MaybeFlag,
  ship_from_country: MaybeText,
});
export type FreightRow = z.infer<typeof FreightRow>;

export const FreightBody = z.object({
  result: maybe(z.object({ delivery_options: listOf(FreightRow) })),
});

/** An order that was created, paid or not: `error_msg` then says why it could not be paid. */
export const CreatedBody = z.object({
  result: z.object({
    order_list: listOf(MaybeText.catch(null)).transform((ids) => [...new Set(ids.filter(isIdText))]),
    error_msg: MaybeText,
  }),
});

const ChildOrder = z.object({
  product_id: MaybeText,
  sku_id: MaybeText,
  product_count: MaybeAmount,
  end_reason: MaybeText,
  end_reason_desc: MaybeText,
});

export const OrderRow = z.object({
  gmt_create: MaybeText,
  order_status: MaybeText,
  logistics_status: MaybeText,
  order_amount: maybe(Money),
  pay_timeout_second: MaybeAmount,
  child_order_list: listOf(ChildOrder),
  logistics_info_list: listOf(z.object({ logistics_no: MaybeText, logistics_service: MaybeText })),
});
export type OrderRow = z.infer<typeof OrderRow>;

export const OrderBody = z.object({ result: maybe(OrderRow) });

const TrackingNode = z.object({
  time_stamp: MaybeAmount,
  tracking_name: MaybeText,
  tracking_detail_desc: MaybeText,
});
export type TrackingNode = z.infer<typeof TrackingNode>;

const PackageItem = z.object({ sku_id: MaybeText, quantity: MaybeAmount });
export type PackageItem = z.infer<typeof PackageItem>;

const TrackingDetail = z.object({
  mail_no: MaybeText,
  carrier_name: MaybeText,
  cp_name: MaybeText,
  cp_website_url: MaybeText,
  package_item_list: listOf(PackageItem),
  detail_node_list: listOf(TrackingNode),
});
export type TrackingDetail = z.infer<typeof TrackingDetail>;

export const TrackingBody = z.object({
  result: maybe(z.object({ data: maybe(z.object({ tracking_detail_line_list: listOf(TrackingDetail) })) })),
});
