import { roundToMinor } from '../../../contracts/money.ts';
import type {
  DeliveryDays,
  ProductShippingOption,
  ProductVariant,
  SupplierProduct,
} from '../../../contracts/resources/supplier-product.ts';
import type { ProductRequest } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { CURRENCY, toPriceRange } from './currency.ts';
import { deliveryDaysOf, readFreight } from './freight.ts';
import type { ProductData, VariantData } from './product-responses.ts';
import { readProduct } from './products.ts';
import { byCountry, readProductStock, type StockByCountry, sumOf } from './stock.ts';
import { optionsOf } from './variant-options.ts';

type StockOf = (variant: VariantData) => StockByCountry | null;

const toRows = (stock: StockByCountry | null): ProductVariant['stock'] =>
  [...(stock ?? [])].map(([country, units]) => ({ country, units }));

function toVariant(
  product: ProductData,
  variant: VariantData,
  stock: StockByCountry | null,
): ProductVariant[] {
  if (variant.vid === null) return [];
  const price = variant.variantSellPrice;
  return [
    {
      id: variant.vid,
      sku: variant.variantSku,
      title: variant.variantNameEn ?? product.productNameEn ?? '',
      options: optionsOf(product.productKeyEn, variant.variantKey),
      priceMinor: price === null ? null : roundToMinor(price, CURRENCY),
      currency: CURRENCY,
      imageUrl: variant.variantImage,
      stock: toRows(stock),
    },
  ];
}

function priceOf({ sellPrice }: ProductData, variants: readonly ProductVariant[]): SupplierProduct['price'] {
  const prices = variants.flatMap(({ priceMinor }) => priceMinor ?? []);
  if (prices.length > 0)
    return { minMinor: Math.min(...prices), maxMinor: Math.max(...prices), currency: CURRENCY };
  return sellPrice === null ? null : toPriceRange(sellPrice);
}

const imagesOf = ({ productImageSet, productImage, bigImage }: ProductData): string[] => {
  const images = productImageSet.length > 0 ? productImageSet : productImage;
  return [...new Set(images.length === 0 && bigImage !== null ? [bigImage] : images)];
};

/** Days until it leaves come before the carrier's; without the carrier's nothing can be said. */
const withDispatch = (carriage: DeliveryDays | null, dispatch: DeliveryDays | null): DeliveryDays | null =>
  carriage && { min: carriage.min + (dispatch?.min ?? 0), max: carriage.max + (dispatch?.max ?? 0) };

const spanOf = (options: readonly ProductShippingOption[]): DeliveryDays | null => {
  const days = options.flatMap(({ deliveryDays }) => deliveryDays ?? []);
  if (days.length === 0) return null;
  return { min: Math.min(...days.map(({ min }) => min)), max: Math.max(...days.map(({ max }) => max)) };
};

/** For one piece of the first variant in stock, out of each country that has it: a local warehouse has its own carriers. */
async function readShippingOptions(
  client: CjClient,
  product: ProductData,
  { stockOf, countryCode }: { stockOf: StockOf; countryCode: string },
  signal: AbortSignal,
): Promise<ProductShippingOption[]> {
  const inStock = product.variants.find((variant) => sumOf(stockOf(variant) ?? new Map()) > 0);
  if (inStock === undefined || inStock.vid === null) return [];
  const products = [{ vid: inStock.vid, quantity: 1 }];
  const dispatch = deliveryDaysOf(product.deliveryCycle);
  const options: ProductShippingOption[] = [];
  for (const [shipsFrom, units] of stockOf(inStock) ?? []) {
    if (units === 0) continue;
    const found = await readFreight(
      client,
      { shipsFrom, destination: { countryCode }, products },
      signal,
    ).catch((error: unknown) => {
      // A country that CJ does not deliver to from there has no options; the product is there all the same.
      if (error instanceof SupplierError && error.failureClass === 'not_shippable') return [];
      throw error;
    });
    options.push(
      ...found.map(({ shippingMethod, costMinor, deliveryDays }) => ({
        method: shippingMethod,
        costMinor,
        currency: CURRENCY,
        deliveryDays: withDispatch(deliveryDays, dispatch),
        shipsFrom,
      })),
    );
  }
  return options;
}

/**
 * One product by its id or SKU. Delivery days are the carrier's, after the days until dispatch where CJ names them.
 * Throws SupplierError, `not_found` when there is none.
 */
export async function readSupplierProduct(
  client: CjClient,
  { supplierProductId, countryCode }: ProductRequest,
  signal: AbortSignal,
): Promise<SupplierProduct> {
  const product = await readProduct(client, supplierProductId, signal);
  if (product === null) throw new SupplierError('not_found', 'no such product', { supplierProductId });
  const stock = await readProductStock(client, product.pid ?? supplierProductId, signal);
  const ofProduct = stock.ofProduct();
  const stockOf: StockOf = ({ vid, inventories }) => {
    const own = (vid === null ? null : stock.ofVariant(vid)) ?? byCountry(inventories);
    return own ?? (product.variants.length === 1 ? ofProduct : null);
  };
  const variants = product.variants.flatMap((variant) => toVariant(product, variant, stockOf(variant)));
  const counted = variants.flatMap((variant) => variant.stock);
  const perCountry = counted.length > 0 ? counted : toRows(ofProduct);
  const shippingOptions = await readShippingOptions(client, product, { stockOf, countryCode }, signal);
  return {
    supplier: 'cj_dropshipping',
    id: product.pid ?? supplierProductId,
    title: product.productNameEn ?? '',
    description: product.description,
    url: null,
    price: priceOf(product, variants),
    imageUrls: imagesOf(product),
    variants,
    stock: perCountry.length === 0 ? null : perCountry.reduce((sum, { units }) => sum + units, 0),
    shipsFrom: [...new Set(perCountry.flatMap(({ country, units }) => (units > 0 ? [country] : [])))],
    country: countryCode,
    deliveryDays: spanOf(shippingOptions),
    shippingOptions,
  };
}
