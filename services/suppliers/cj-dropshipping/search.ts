import type { ProductPage, ProductSummary } from '../../../contracts/resources/supplier-product.ts';
import type { SearchRequest } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { toPriceRange } from './currency.ts';
import { SearchData, type SearchItem } from './product-responses.ts';

function toSummary({ id, title, price, imageUrl, stock }: SearchItem): ProductSummary[] {
  if (id === null) return [];
  return [
    {
      supplier: 'cj_dropshipping',
      id,
      title,
      price: price === null ? null : toPriceRange(price),
      imageUrl,
      stock: stock === null ? null : Math.max(0, Math.floor(stock)),
    },
  ];
}

/**
 * One page of products. CJ's search can be narrowed by the country that goods lie in, not by the one that they go to,
 * so the wanted country is no part of the question. The older list answers where CJ does not serve the newer one.
 * Throws SupplierError.
 */
export async function searchProducts(
  client: CjClient,
  { query, page, limit }: SearchRequest,
  signal: AbortSignal,
): Promise<ProductPage> {
  const ask = (path: string, parameters: Readonly<Record<string, string>>) =>
    client.call(
      { method: 'GET', path, query: Object.entries(parameters), kind: 'read', priority: 'query' },
      SearchData,
      signal,
    );
  const [number, size] = [String(page), String(limit)];
  const found = await ask('/product/listV2', { keyWord: query, page: number, size }).catch(
    (error: unknown) => {
      if (!(error instanceof SupplierError) || error.failureClass !== 'permanent') throw error;
      return ask('/product/list', { productNameEn: query, pageNum: number, pageSize: size });
    },
  );
  return { items: found.items.flatMap(toSummary), page, limit, total: found.total };
}
