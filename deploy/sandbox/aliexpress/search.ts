import type { Shelf } from '../shelf.ts';
import { ALIEXPRESS_PRODUCTS, type AliExpressProduct } from './goods.ts';
import { priceIn, servedCurrency } from './money.ts';
import { imageOf } from './product.ts';
import { offersOf } from './stock.ts';
import { WireList } from './wire.ts';

const MAX_PAGE_SIZE = 50;

const cheapestOf = (product: AliExpressProduct, shelf: Shelf): number =>
  Math.min(...offersOf(product, shelf).map(({ priceMinor }) => priceMinor));

const schemeless = (url: string): string => url.replace('https:', '');

const hitBody = (
  product: AliExpressProduct,
  type: string,
  price: { minor: number; currency: string },
): object => ({
  itemId: product.productId,
  title: product.title,
  itemMainPic: schemeless(imageOf(product)),
  itemUrl: `//www.aliexpress.com/item/${product.productId}.html`,
  salePrice: priceIn('USD', price.minor),
  salePriceCurrency: 'USD',
  targetSalePrice: priceIn(price.currency, price.minor),
  targetOriginalPrice: priceIn(price.currency, price.minor * 2),
  targetOriginalPriceCurrency: price.currency,
  discount: '50%',
  orders: '5,000+',
  score: '4.7',
  evaluateRate: '94.0%',
  cateId: '13,100',
  type,
});

const natural = (text: string | undefined, fallback: number): number => {
  const number = Number(text ?? fallback);
  return Number.isInteger(number) && number > 0 ? number : fallback;
};

/**
 * The answer to a text search: what has a word of the key in its title, then one filler of type `recommend`.
 * A key that hits nothing gets nothing.
 */
export function searchBody(parameters: Readonly<Record<string, string>>, shelf: Shelf): object {
  const words = (parameters.keyWord ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const currency = servedCurrency(parameters.currency);
  const isHit = ({ title }: AliExpressProduct): boolean =>
    words.some((word) => title.toLowerCase().includes(word));
  const hits = ALIEXPRESS_PRODUCTS.filter(isHit).map((product) => ({ product, type: 'search' }));
  const filler = ALIEXPRESS_PRODUCTS.find((product) => !isHit(product));
  if (hits.length > 0 && filler !== undefined) hits.push({ product: filler, type: 'recommend' });
  const priced = hits.map((hit) => ({ ...hit, minor: cheapestOf(hit.product, shelf) }));
  if (parameters.sortBy === 'min_price,asc') priced.sort((a, b) => a.minor - b.minor);
  if (parameters.sortBy === 'min_price,desc') priced.sort((a, b) => b.minor - a.minor);
  const pageSize = Math.min(natural(parameters.pageSize, 20), MAX_PAGE_SIZE);
  const pageIndex = natural(parameters.pageIndex, 1);
  const page = priced.slice((pageIndex - 1) * pageSize, pageIndex * pageSize);
  return {
    code: '00',
    msg: 'success',
    data: {
      totalCount: priced.length,
      pageIndex,
      pageSize,
      products: new WireList(
        'selection_search_product',
        page.map(({ product, type, minor }) => hitBody(product, type, { minor, currency })),
      ),
    },
  };
}
