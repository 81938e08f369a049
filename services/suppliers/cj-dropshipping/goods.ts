import { roundToMinor } from '../../../contracts/money.ts';
import type { Article, ArticleNow } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import { createUnfinishedWork, type UnfinishedWork } from '../unfinished-work.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import type { ProductData, VariantData } from './product-responses.ts';
import { isOffShelf, readProduct, readVariant } from './products.ts';
import { orIfRefused } from './refusal.ts';
import {
  byCountry,
  type ProductStock,
  readProductStock,
  readVariantStock,
  type StockByCountry,
} from './stock.ts';
import { optionsOf } from './variant-options.ts';

interface Wanted extends Article {
  readonly shipsFrom: string;
}

const unavailable = ({ supplierVariantId: vid, shipsFrom }: Wanted, problem: string, evidence = {}) =>
  new SupplierError('unavailable', `variant ${vid} ${problem}`, { vid, shipsFrom, problem, ...evidence });

/** Pieces in the wanted warehouse; null where no call says. What is counted elsewhere only is none here. */
async function stockOf(
  client: CjClient,
  { supplierVariantId: vid, shipsFrom }: Wanted,
  known: StockByCountry | null,
  signal: AbortSignal,
): Promise<number | null> {
  const stock = known ?? (await readVariantStock(client, vid, signal));
  return stock === null ? null : (stock.get(shipsFrom) ?? 0);
}

/** A variant that its product does not show. Where CJ does not serve it by itself either, it is gone. */
async function readApart(
  client: CjClient,
  { supplierVariantId: vid }: Wanted,
  isProductShown: boolean,
  signal: AbortSignal,
): Promise<VariantData> {
  const asking = readVariant(client, vid, signal);
  const variant = await (isProductShown ? asking.catch(orIfRefused(null)) : asking);
  if (variant !== null) return variant;
  throw new SupplierError('not_found', `variant ${vid} is unknown`, { vid });
}

async function readArticle(
  client: CjClient,
  wanted: Wanted,
  seen: { product: ProductData | null; variant: VariantData | undefined; stock: ProductStock | null },
  signal: AbortSignal,
): Promise<ArticleNow> {
  const { units } = wanted;
  const variant = seen.variant ?? (await readApart(client, wanted, seen.product !== null, signal));
  // A product that does not show the variant may not be its product: nothing of it counts.
  const product = seen.variant === undefined ? null : seen.product;
  if (product !== null && isOffShelf(product)) throw unavailable(wanted, 'is off the shelf');
  if (variant.variantSellPrice === null) throw unavailable(wanted, 'has no price');
  const known = seen.stock?.ofVariant(wanted.supplierVariantId) ?? byCountry(variant.inventories);
  const stock = await stockOf(client, wanted, known, signal);
  if (stock !== null && stock < units) throw unavailable(wanted, 'is short', { stock, units });
  return {
    unitPriceMinor: roundToMinor(variant.variantSellPrice, CURRENCY),
    stock,
    optionLabels: optionsOf(product?.productKeyEn ?? null, variant.variantKey).map(({ name, value }) =>
      product === null ? value : `${name}: ${value}`,
    ),
  };
}

const unfinished = new WeakMap<CjClient, UnfinishedWork<ArticleNow>>();

function unfinishedOf(client: CjClient): UnfinishedWork<ArticleNow> {
  const known = unfinished.get(client) ?? createUnfinishedWork<ArticleNow>();
  unfinished.set(client, known);
  return known;
}

/**
 * What the articles are now, by variant: one product read and one stock read for each product. A variant that its
 * product does not show, or whose product CJ does not show, is asked for by itself. What was read when the patience
 * ended is not read again by the next try. Throws SupplierError: `not_found`, `unavailable` when one is off the shelf,
 * without a price or too few.
 */
export function readGoods(
  client: CjClient,
  articles: readonly Article[],
  shipsFrom: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ArticleNow>> {
  const wanted = [...Map.groupBy(articles, ({ supplierVariantId }) => supplierVariantId).values()].flatMap(
    ([first, ...more]): Wanted[] => {
      if (first === undefined) return [];
      const units = more.reduce((sum, article) => sum + article.units, first.units);
      return [{ ...first, units, shipsFrom }];
    },
  );
  return unfinishedOf(client).goOn(JSON.stringify(wanted), async (now) => {
    for (const [productId, ofProduct] of Map.groupBy(wanted, ({ supplierProductId }) => supplierProductId)) {
      if (ofProduct.every(({ supplierVariantId }) => now.has(supplierVariantId))) continue;
      const product = await readProduct(client, productId, signal).catch(orIfRefused(null));
      const variantOf = ({ supplierVariantId }: Wanted) =>
        product?.variants.find(({ vid }) => vid === supplierVariantId);
      const isShown = ofProduct.some((article) => variantOf(article) !== undefined);
      const stock = isShown ? await readProductStock(client, product?.pid ?? productId, signal) : null;
      for (const article of ofProduct) {
        const variant = variantOf(article);
        const seen = { product, variant, stock };
        now.set(article.supplierVariantId, await readArticle(client, article, seen, signal));
      }
    }
    // Others that want the same may still be writing theirs into it.
    return new Map(now);
  });
}
