import { sharedQuestion } from '../shared-question.ts';
import type { CjClient } from './client.ts';
import { ProductData, type VariantData, VariantRows } from './product-responses.ts';

/** What a product that was taken off the shelf has as `status`. */
const OFF_SHELF = '2';

export const isOffShelf = ({ status }: ProductData): boolean => status === OFF_SHELF;

async function askForProduct(
  client: CjClient,
  productId: string,
  signal: AbortSignal,
): Promise<ProductData | null> {
  const key = /^CJ/i.test(productId) ? 'productSku' : 'pid';
  const request = {
    method: 'GET',
    path: '/product/query',
    query: [[key, productId]],
    kind: 'read',
    priority: 'query',
    isLookUp: true,
  } as const;
  return (await client.call(request, ProductData.nullish(), signal)) ?? null;
}

/** By product id, or by CJ's own SKU, which people copy from its pages. Null when CJ says nothing of it. */
export const readProduct = sharedQuestion(askForProduct);

/** One variant without its product. Throws SupplierError `not_found` and what else CJ says. */
export async function readVariant(
  client: CjClient,
  vid: string,
  signal: AbortSignal,
): Promise<VariantData | null> {
  const path = '/product/variant/queryByVid';
  const query = [['vid', vid]] as const;
  const request = { method: 'GET', path, query, kind: 'read', priority: 'query', isLookUp: true } as const;
  const rows = await client.call(request, VariantRows, signal);
  return rows.find((variant) => (variant.vid ?? vid) === vid) ?? null;
}
