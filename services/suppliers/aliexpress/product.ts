import type {
  PriceRange,
  ProductVariant,
  SupplierProduct,
} from '../../../contracts/resources/supplier-product.ts';
import type { ProductRequest } from '../adapter.ts';
import { webUrl } from '../parcel-words.ts';
import type { AliExpressClient } from './client.ts';
import { type FreightOption, readFreight } from './freight.ts';
import {
  attributesOf,
  CURRENCY,
  currencyOf,
  isOnSale,
  optionsOf,
  type ProductNow,
  readProduct,
  shipsFromTextOf,
  stockOf,
  unitPriceMinorOf,
} from './products.ts';
import type { SkuRow } from './responses.ts';

/** Whence AliExpress sends where nothing says otherwise. */
const HOME = 'CN';

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** The code in force for an older or wrong one, as GB for UK. */
const inForce = (code: string): string => Intl.getCanonicalLocales(`und-${code}`)[0]?.slice(4) ?? code;

/** ISO codes by English names in small letters: SKUs name the country that they are sent from in words. */
const CODES = new Map(
  LETTERS.flatMap((a) =>
    LETTERS.flatMap((b): [string, string][] => {
      const name = regions.of(a + b);
      return name === undefined ? [] : [[name.toLowerCase(), inForce(a + b)]];
    }),
  ),
);

/** Null for a name that is none of a country. */
export function countryCodeOf(text: string | null): string | null {
  if (text === null) return null;
  return /^[A-Z]{2}$/.test(text) ? inForce(text) : (CODES.get(text.toLowerCase()) ?? null);
}

const titleOf = ({ row }: ProductNow): string => row.ae_item_base_info_dto?.subject ?? '';

/** Pieces that can be had; what is no longer sold has none, whatever its SKUs say. */
const unitsOf = (product: ProductNow, sku: SkuRow): number | null => (isOnSale(product) ? stockOf(sku) : 0);

function toVariant(product: ProductNow, sku: SkuRow, shipsFrom: string): ProductVariant[] {
  const attributes = attributesOf(sku);
  const id = sku.sku_id ?? attributes;
  if (id === '') return [];
  const options = optionsOf(sku);
  const country = countryCodeOf(shipsFromTextOf(sku)) ?? shipsFrom;
  const units = unitsOf(product, sku);
  return [
    {
      id,
      sku: attributes === '' ? null : attributes,
      title: options.map(({ value }) => value).join(', ') || titleOf(product),
      options: options.map(({ name, value }) => ({ name, value })),
      priceMinor: unitPriceMinorOf(sku),
      currency: currencyOf(sku),
      imageUrl: options.find(({ imageUrl }) => imageUrl !== null)?.imageUrl ?? null,
      stock: units === null ? [] : [{ country, units }],
    },
  ];
}

function rangeOf(variants: readonly ProductVariant[]): PriceRange | null {
  const currency = variants.find(({ priceMinor }) => priceMinor !== null)?.currency;
  const prices = variants.flatMap((each) =>
    each.priceMinor === null || each.currency !== currency ? [] : [each.priceMinor],
  );
  if (currency === undefined) return null;
  return { minMinor: Math.min(...prices), maxMinor: Math.max(...prices), currency };
}

const firstInStock = ({ skus }: ProductNow): SkuRow | undefined =>
  skus.find((sku) => sku.sku_id !== null && stockOf(sku) !== 0);

async function optionsFor(
  client: AliExpressClient,
  product: ProductNow,
  countryCode: string,
  signal: AbortSignal,
): Promise<FreightOption[]> {
  const sku = firstInStock(product);
  if (sku?.sku_id == null) return [];
  const goodsMinor = unitPriceMinorOf(sku) ?? 0;
  const about = { productId: product.id, skuId: sku.sku_id, units: 1, countryCode, goodsMinor };
  return readFreight(client, { ...about, priority: 'query' }, signal);
}

function daysOver(options: readonly FreightOption[]): SupplierProduct['deliveryDays'] {
  const days = options.flatMap(({ deliveryDays }) => (deliveryDays === null ? [] : [deliveryDays]));
  if (days.length === 0) return null;
  return {
    min: Math.min(...days.map(({ min }) => min)),
    max: Math.max(...days.map(({ max }) => max)),
  };
}

/** One product in the normal form. Throws SupplierError as SupplierAdapter.product says. */
export async function readSupplierProduct(
  client: AliExpressClient,
  { supplierProductId, countryCode }: ProductRequest,
  signal: AbortSignal,
): Promise<SupplierProduct> {
  const asked = { productId: supplierProductId, countryCode, priority: 'query' } as const;
  const product = await readProduct(client, asked, signal);
  const freight = await optionsFor(client, product, countryCode, signal);
  const base = product.row.ae_item_base_info_dto;
  const sentFrom = freight.map(({ shipsFrom }) => countryCodeOf(shipsFrom)).find((code) => code !== null);
  const shipsFrom = sentFrom ?? HOME;
  const variants = product.skus.flatMap((sku) => toVariant(product, sku, shipsFrom));
  const stocks = product.skus.map((sku) => unitsOf(product, sku)).filter((units) => units !== null);
  return {
    supplier: 'aliexpress',
    id: base?.product_id ?? supplierProductId,
    title: titleOf(product),
    description: base?.detail ?? null,
    url: `https://www.aliexpress.com/item/${supplierProductId}.html`,
    price: rangeOf(variants),
    imageUrls: (product.row.ae_multimedia_info_dto?.image_urls ?? '')
      .split(';')
      .flatMap((url) => webUrl(url.trim()) ?? []),
    variants,
    stock: stocks.length === 0 ? null : stocks.reduce((sum, stock) => sum + stock, 0),
    shipsFrom: [...new Set(product.skus.map((sku) => countryCodeOf(shipsFromTextOf(sku)) ?? shipsFrom))],
    country: countryCode,
    deliveryDays: daysOver(freight),
    shippingOptions: freight.map((option) => ({
      method: option.shippingMethod,
      costMinor: option.costMinor,
      currency: CURRENCY,
      deliveryDays: option.deliveryDays,
      shipsFrom: countryCodeOf(option.shipsFrom) ?? shipsFrom,
    })),
  };
}
