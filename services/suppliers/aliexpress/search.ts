import { roundToMinor } from '../../../contracts/money.ts';
import type {
  PriceRange,
  ProductPage,
  ProductSummary,
} from '../../../contracts/resources/supplier-product.ts';
import type { SearchRequest } from '../adapter.ts';
import type { AliExpressClient } from './client.ts';
import { CURRENCY } from './products.ts';
import { SearchBody, type SearchRow } from './responses.ts';

/** How many AliExpress gives at most is nowhere said; more than this nobody was seen to ask for. */
const MAX_PAGE = 50;

/** Addresses come without their scheme. */
const withScheme = (url: string | null): string | null => (url?.startsWith('//') ? `https:${url}` : url);

/** In the wanted currency, else in the seller's. */
function priceOf(row: SearchRow): PriceRange | null {
  const isTarget = row.targetSalePrice !== null;
  const price = row.targetSalePrice ?? row.salePrice;
  const currency = (isTarget ? row.targetOriginalPriceCurrency : row.salePriceCurrency) ?? CURRENCY;
  if (price === null || currency.length !== 3) return null;
  const minor = roundToMinor(price, currency);
  return { minMinor: minor, maxMinor: minor, currency };
}

function toSummary(row: SearchRow): ProductSummary[] {
  if (row.itemId === null) return [];
  return [
    {
      supplier: 'aliexpress',
      id: row.itemId,
      title: row.title ?? '',
      price: priceOf(row),
      imageUrl: withScheme(row.itemMainPic),
      stock: null,
    },
  ];
}

/** One page in AliExpress's own order; of more than 50 rows it gives the first 50 and says so in `limit`. */
export async function searchProducts(
  client: AliExpressClient,
  { query, page, limit, countryCode }: SearchRequest,
  signal: AbortSignal,
): Promise<ProductPage> {
  const pageSize = Math.min(limit, MAX_PAGE);
  const parameters = {
    keyWord: query,
    local: 'en_US',
    countryCode,
    currency: CURRENCY,
    pageSize: String(pageSize),
    pageIndex: String(page),
  };
  const { data } = await client.call(
    { method: 'aliexpress.ds.text.search', parameters, kind: 'read', priority: 'query' },
    SearchBody,
    signal,
  );
  return {
    items: (data?.products ?? []).flatMap(toSummary),
    page,
    limit: pageSize,
    total: data?.totalCount ?? null,
  };
}
