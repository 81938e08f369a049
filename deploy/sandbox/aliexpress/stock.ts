import type { Shelf } from '../shelf.ts';
import { type AliExpressProduct, type AliExpressSku, productById } from './goods.ts';

const USUAL_STOCK = 1_000;

/** A SKU with the price and the stock that hold just now. */
export interface Offer extends AliExpressSku {
  readonly stock: number;
  readonly isOnSale: boolean;
}

const offerOf = (sku: AliExpressSku, shelf: Shelf): Offer => {
  const { priceMinor = sku.priceMinor, stock = USUAL_STOCK, isOnSale = true } = shelf.changesOf(sku.skuId);
  return { ...sku, priceMinor, stock, isOnSale };
};

export const offersOf = (product: AliExpressProduct, shelf: Shelf): Offer[] =>
  product.skus.map((sku) => offerOf(sku, shelf));

/** Null when there is no such product or no such SKU of it. */
export function offerBy(
  productId: string,
  isMeant: (sku: AliExpressSku) => boolean,
  shelf: Shelf,
): { product: AliExpressProduct; offer: Offer } | null {
  const product = productById(productId);
  const sku = product?.skus.find(isMeant);
  return product === undefined || sku === undefined ? null : { product, offer: offerOf(sku, shelf) };
}
