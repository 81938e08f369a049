import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';

const country = z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code');

/** Body of `POST /search`. `country` is where the goods shall go: prices and stock depend on it. */
export const SearchProducts = z.strictObject({
  supplier: SupplierName,
  query: z.string().trim().min(1).max(200),
  page: z.int().min(1).max(1_000).default(1),
  limit: z.int().min(1).max(100).default(20),
  country: country.default('US'),
});
export type SearchProducts = z.infer<typeof SearchProducts>;

/** Query of `GET /product/{supplier}/{product_id}`. */
export const ProductQuery = z.strictObject({ country: country.default('US') });
export type ProductQuery = z.infer<typeof ProductQuery>;

/** From the cheapest to the dearest variant, for one piece, in minor units of the currency. */
export const PriceRange = z.object({
  minMinor: z.int().nonnegative(),
  maxMinor: z.int().nonnegative(),
  currency: z.string().length(3),
});
export type PriceRange = z.infer<typeof PriceRange>;

export const DeliveryDays = z.object({ min: z.int().nonnegative(), max: z.int().nonnegative() });
export type DeliveryDays = z.infer<typeof DeliveryDays>;

/** One row of a search, in the normal form of all suppliers. Null: the supplier does not say. */
export const ProductSummary = z.object({
  supplier: SupplierName,
  id: z.string(),
  title: z.string(),
  price: PriceRange.nullable(),
  imageUrl: z.string().nullable(),
  stock: z.int().nullable(),
});
export type ProductSummary = z.infer<typeof ProductSummary>;

export const ProductPage = z.object({
  items: z.array(ProductSummary),
  page: z.int(),
  limit: z.int(),
  /** Products that match, as far as the supplier counts them. */
  total: z.int().nullable(),
});
export type ProductPage = z.infer<typeof ProductPage>;

export const ProductVariant = z.object({
  /** What a product mapping names as `supplierVariantId`. */
  id: z.string(),
  sku: z.string().nullable(),
  title: z.string(),
  /** As `{ name: "Color", value: "Black" }`, in the supplier's order. */
  options: z.array(z.object({ name: z.string(), value: z.string() })),
  priceMinor: z.int().nonnegative().nullable(),
  currency: z.string().length(3),
  imageUrl: z.string().nullable(),
  /** Pieces by the country that they ship from; empty: the supplier does not say. */
  stock: z.array(z.object({ country, units: z.int().nonnegative() })),
});
export type ProductVariant = z.infer<typeof ProductVariant>;

export const ProductShippingOption = z.object({
  /** The supplier's own name, as a mapping's `shippingMethod`. */
  method: z.string(),
  costMinor: z.int().nonnegative(),
  currency: z.string().length(3),
  deliveryDays: DeliveryDays.nullable(),
  shipsFrom: country,
});
export type ProductShippingOption = z.infer<typeof ProductShippingOption>;

/** One product in the normal form of all suppliers. Shipping options are for one piece of its first variant in stock. */
export const SupplierProduct = z.object({
  supplier: SupplierName,
  id: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  url: z.string().nullable(),
  price: PriceRange.nullable(),
  imageUrls: z.array(z.string()),
  variants: z.array(ProductVariant),
  /** Pieces of all variants together. */
  stock: z.int().nullable(),
  shipsFrom: z.array(country),
  country,
  /** Over all shipping options to `country`. */
  deliveryDays: DeliveryDays.nullable(),
  shippingOptions: z.array(ProductShippingOption),
});
export type SupplierProduct = z.infer<typeof SupplierProduct>;
