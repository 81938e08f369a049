import { roundToMinor } from '../../../contracts/money.ts';
import type { Article } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { sharedQuestion } from '../shared-question.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { isIdText, ProductBody, type ProductRow, type SkuRow } from './responses.ts';

/** Orders are paid in US dollars, so everything is asked for in them. */
export const CURRENCY = 'USD';

const SHIPS_FROM = '200007763';

export interface ProductNow {
  readonly id: string;
  readonly row: ProductRow;
  readonly skus: readonly SkuRow[];
  /** Whose it is; products without a named store are taken for different sellers'. */
  readonly seller: string;
}

const noSuchProduct = (productId: string): SupplierError =>
  new SupplierError('not_found', `product ${productId} is unknown`, { productId, sent: false });

interface ProductQuestion {
  readonly productId: string;
  readonly countryCode: string;
  readonly priority: CallPriority;
}

async function askForProduct(
  client: AliExpressClient,
  { productId, countryCode, priority }: ProductQuestion,
  signal: AbortSignal,
): Promise<ProductNow> {
  if (!isIdText(productId)) throw noSuchProduct(productId);
  const parameters = {
    product_id: productId,
    ship_to_country: countryCode,
    target_currency: CURRENCY,
    target_language: 'en',
  };
  const { result } = await client.call(
    { method: 'aliexpress.ds.product.get', parameters, kind: 'read', priority },
    ProductBody,
    signal,
  );
  const skus = result?.ae_item_sku_info_dtos ?? [];
  // What AliExpress does not know is now and then answered with nothing at all.
  if (result == null || (result.ae_item_base_info_dto == null && skus.length === 0))
    throw noSuchProduct(productId);
  return {
    id: productId,
    row: result,
    skus,
    seller: result.ae_store_info?.store_id ?? `of ${productId}`,
  };
}

/**
 * The product as it is now for buyers in that country. Throws SupplierError: `not_found` when there is none,
 * `not_shippable` when the country may not buy it.
 */
export const readProduct = sharedQuestion(askForProduct);

/** Absent: AliExpress does not say, and the order will show it. */
export const isOnSale = ({ row }: ProductNow): boolean => {
  const status = row.ae_item_base_info_dto?.product_status_type ?? null;
  return status === null || status.toLowerCase() === 'onselling';
};

/** Pieces; null when AliExpress does not say. The older names still occur. */
export const stockOf = (sku: SkuRow): number | null => {
  const stock = sku.sku_available_stock ?? sku.s_k_u_available_stock ?? sku.ipm_sku_stock;
  return stock === null ? null : Math.max(0, Math.trunc(stock));
};

export const currencyOf = (sku: SkuRow): string => sku.currency_code ?? CURRENCY;

/** What one piece costs in the SKU's own currency; the product's currency means nothing. Null without a price. */
export const unitPriceMinorOf = (sku: SkuRow): number | null => {
  const price = sku.offer_sale_price ?? sku.sku_price;
  return price === null ? null : roundToMinor(price, currencyOf(sku));
};

/** Chosen values without the one that only says where the SKU is sent from. */
export const optionsOf = (sku: SkuRow): { name: string; value: string; imageUrl: string | null }[] =>
  sku.ae_sku_property_dtos.flatMap((property) => {
    const value = property.property_value_definition_name ?? property.sku_property_value;
    if (property.sku_property_id === SHIPS_FROM || value === null) return [];
    return [{ name: property.sku_property_name ?? '', value, imageUrl: property.sku_image }];
  });

/** Text by which the SKU says where it is sent from; null when it says nothing. */
export const shipsFromTextOf = (sku: SkuRow): string | null =>
  sku.ae_sku_property_dtos.find(({ sku_property_id: id }) => id === SHIPS_FROM)?.sku_property_value ?? null;

/** `14:193#Black;5:100014064` without the names, which sellers change. */
const withoutNames = (skuAttr: string): string => skuAttr.replace(/#[^;]*/g, '');

/** How an order names the SKU; empty for the only one of its product. */
export const attributesOf = ({ sku_attr, id }: SkuRow): string =>
  sku_attr ?? (id !== null && /^\d+:\d+/.test(id) ? id : '');

/** The SKU that is meant: by its number, or by its attributes as an order names it. */
export function skuOf({ id, skus }: ProductNow, { supplierVariantId }: Article): SkuRow {
  const sku =
    skus.find(({ sku_id }) => sku_id === supplierVariantId) ??
    skus.find((each) => attributesOf(each) === supplierVariantId) ??
    skus.find((each) => withoutNames(attributesOf(each)) === withoutNames(supplierVariantId));
  if (sku !== undefined) return sku;
  const evidence = { productId: id, variantId: supplierVariantId, sent: false };
  throw new SupplierError('not_found', `product ${id} has no variant ${supplierVariantId}`, evidence);
}
