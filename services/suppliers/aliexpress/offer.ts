import { roundToMinor } from '../../../contracts/money.ts';
import type { Article, ArticleNow, Quote, QuoteRequest, ShippingOption } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { readFreight } from './freight.ts';
import {
  CURRENCY,
  currencyOf,
  isOnSale,
  optionsOf,
  type ProductNow,
  readProduct,
  skuOf,
  stockOf,
  unitPriceMinorOf,
} from './products.ts';
import type { SkuRow } from './responses.ts';

/** One article of an order with the SKU that stands behind it. */
export interface OfferedArticle {
  readonly article: Article;
  readonly sku: SkuRow;
  readonly unitPriceMinor: number;
  /** Of all its units; none where the price is said to hold it. */
  readonly taxMinor: number;
}

export interface Offer extends Quote {
  readonly offered: readonly OfferedArticle[];
}

/** The same SKU twice is one article of more units. */
function merged(articles: readonly Article[]): Article[] {
  const byVariant = new Map<string, Article>();
  for (const article of articles) {
    const key = `${article.supplierProductId}/${article.supplierVariantId}`;
    const units = (byVariant.get(key)?.units ?? 0) + article.units;
    byVariant.set(key, { ...article, units });
  }
  return [...byVariant.values()];
}

function offered(product: ProductNow, article: Article): OfferedArticle {
  const sku = skuOf(product, article);
  const { supplierProductId: productId, supplierVariantId: variantId, units } = article;
  const refuse = (problem: string): never => {
    const evidence = { productId, variantId, problem, sent: false };
    throw new SupplierError('unavailable', `variant ${variantId} of ${productId}: ${problem}`, evidence);
  };
  if (!isOnSale(product)) refuse('is no longer sold');
  const stock = stockOf(sku);
  if (stock !== null && stock < units) refuse(`only ${stock} of ${units} pieces are left`);
  const unitPriceMinor = unitPriceMinorOf(sku) ?? refuse('has no price');
  const currency = currencyOf(sku);
  if (currency !== CURRENCY) {
    const evidence = { productId, variantId, currency, sent: false };
    throw new SupplierError('permanent', `priced in ${currency}, paid in ${CURRENCY}`, evidence);
  }
  // Unless the price is said to hold it, it may become due on top.
  const tax = sku.price_include_tax === true ? 0 : (sku.tax_amount ?? 0);
  return { article, sku, unitPriceMinor, taxMinor: roundToMinor(tax * units, CURRENCY) };
}

/** What serves both: one parcel after the other is paid for, and the slower one counts. */
const joined = (a: ShippingOption, b: ShippingOption): ShippingOption => ({
  shippingMethod: a.shippingMethod,
  costMinor: a.costMinor + b.costMinor,
  deliveryDays:
    a.deliveryDays === null || b.deliveryDays === null
      ? null
      : {
          min: Math.max(a.deliveryDays.min, b.deliveryDays.min),
          max: Math.max(a.deliveryDays.max, b.deliveryDays.max),
        },
  ...(a.isUntracked || b.isUntracked ? { isUntracked: true } : {}),
});

/** Options that serve all articles. */
const inCommon = (each: readonly (readonly ShippingOption[])[]): readonly ShippingOption[] =>
  each.reduce((all, next) =>
    all.flatMap((option) => {
      const other = next.find(({ shippingMethod }) => shippingMethod === option.shippingMethod);
      return other === undefined ? [] : [joined(option, other)];
    }),
  );

/** What orders show of an article that was named by its attributes; a purchase cannot list one number twice. */
function ownIdOf({ article, sku }: OfferedArticle, all: readonly OfferedArticle[]): { variantId?: string } {
  const { sku_id: id } = sku;
  const isOnly = all.filter((other) => other.sku.sku_id === id).length === 1;
  return id === null || id === article.supplierVariantId || !isOnly ? {} : { variantId: id };
}

const toArticleNow = (each: OfferedArticle, all: readonly OfferedArticle[]): ArticleNow => ({
  unitPriceMinor: each.unitPriceMinor,
  stock: stockOf(each.sku),
  optionLabels: optionsOf(each.sku).map(({ name, value }) => (name === '' ? value : `${name}: ${value}`)),
  ...ownIdOf(each, all),
});

async function readArticles(
  client: AliExpressClient,
  { articles, destination }: QuoteRequest,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<OfferedArticle[]> {
  const products = new Map<string, ProductNow>();
  const { countryCode } = destination;
  for (const productId of new Set(articles.map(({ supplierProductId }) => supplierProductId)))
    products.set(productId, await readProduct(client, { productId, countryCode, priority }, signal));
  const sellers = new Set([...products.values()].map(({ seller }) => seller));
  if (sellers.size > 1) {
    // One order goes to one seller: for two, AliExpress would make several orders of one call.
    const evidence = { problem: 'articles of several sellers', sellers: sellers.size, sent: false };
    throw new SupplierError('invalid_input', 'articles of several sellers in one order', evidence);
  }
  return merged(articles).flatMap((article) => {
    const product = products.get(article.supplierProductId);
    return product === undefined ? [] : [offered(product, article)];
  });
}

/**
 * Price, stock and shipping options as they are now; what the SKU is sent from is part of the SKU. Options cost freight
 * and, unless the price is said to hold it, tax. Throws SupplierError as SupplierAdapter.quote says.
 */
export async function readOffer(
  client: AliExpressClient,
  request: QuoteRequest,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<Offer> {
  if (request.articles.length === 0)
    throw new SupplierError('invalid_input', 'nothing to quote', { problem: 'no article', sent: false });
  const all = await readArticles(client, request, priority, signal);
  const goodsMinor = all.reduce(
    (sum, { unitPriceMinor, article }) => sum + unitPriceMinor * article.units,
    0,
  );
  const taxMinor = all.reduce((sum, each) => sum + each.taxMinor, 0);
  const { countryCode } = request.destination;
  const freights: ShippingOption[][] = [];
  for (const { article, sku } of all) {
    const { supplierProductId: productId, supplierVariantId, units } = article;
    const skuId = sku.sku_id ?? supplierVariantId;
    const asked = { productId, skuId, units, countryCode, goodsMinor, priority };
    freights.push(await readFreight(client, asked, signal));
  }
  const options = inCommon(freights).map(({ shippingMethod, costMinor, deliveryDays, isUntracked }) => ({
    shippingMethod,
    costMinor: costMinor + taxMinor,
    deliveryDays,
    ...(isUntracked === undefined ? {} : { isUntracked }),
  }));
  return {
    currency: CURRENCY,
    goodsMinor,
    options: options.sort((a, b) => a.costMinor - b.costMinor),
    articles: new Map(all.map((each) => [each.article.supplierVariantId, toArticleNow(each, all)])),
    offered: all,
  };
}
