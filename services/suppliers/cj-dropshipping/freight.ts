import { roundToMinor } from '../../../contracts/money.ts';
import {
  type Article,
  type Quote,
  type QuoteRequest,
  type ShippingOption,
  SupplierError,
} from '../adapter.ts';
import type { CjClient } from './client.ts';
import { FreightRow, ProductData, rowsOf, VariantData } from './responses.ts';

/** CJ prices, charges and is paid in US dollars. */
export const CURRENCY = 'USD';

const FreightRows = rowsOf(FreightRow);

/** "7-12" or "7"; null for anything else. */
export function deliveryDaysOf(aging: string | null): ShippingOption['deliveryDays'] {
  const days = /^(\d+)(?:\s*[-~]\s*(\d+))?/.exec(aging ?? '');
  if (days === null) return null;
  const min = Number(days[1]);
  return { min, max: Math.max(min, Number(days[2] ?? min)) };
}

/**
 * The total that CJ names, or the sum of the parts where it names none: the option with the lowest `logisticPrice`
 * can be the dearest with tax and clearance. Null without any price.
 */
function costOf({
  totalPostageFee,
  logisticPrice,
  taxesFee,
  clearanceOperationFee,
}: FreightRow): number | null {
  if (totalPostageFee !== null && (totalPostageFee > 0 || logisticPrice === null)) return totalPostageFee;
  return logisticPrice === null ? null : logisticPrice + (taxesFee ?? 0) + (clearanceOperationFee ?? 0);
}

function toOption(row: FreightRow): ShippingOption[] {
  const cost = costOf(row);
  if (row.logisticName === null || cost === null) return [];
  return [
    {
      shippingMethod: row.logisticName,
      costMinor: roundToMinor(cost, CURRENCY),
      deliveryDays: deliveryDaysOf(row.logisticAging),
    },
  ];
}

/** What one piece costs, in dollars. Throws SupplierError. */
type AskPrice = (article: Article) => Promise<number>;

function priceOf(variant: VariantData | null | undefined, path: string, vid: string): number {
  if (variant == null) throw new SupplierError('not_found', `variant ${vid} is unknown`, { path, vid });
  if (variant.variantSellPrice === null) {
    throw new SupplierError('unavailable', `variant ${vid} has no price`, { path, vid });
  }
  return variant.variantSellPrice;
}

const askVariant =
  (client: CjClient, signal: AbortSignal): AskPrice =>
  async ({ supplierVariantId: vid }) => {
    const path = '/product/variant/queryByVid';
    const query = [['vid', vid]] as const;
    const request = { method: 'GET', path, query, kind: 'read', priority: 'query' } as const;
    return priceOf(await client.call(request, VariantData.nullish(), signal), path, vid);
  };

const askProduct =
  (client: CjClient, signal: AbortSignal): AskPrice =>
  async ({ supplierProductId, supplierVariantId }) => {
    const path = '/product/query';
    const query = [['pid', supplierProductId]] as const;
    const request = { method: 'GET', path, query, kind: 'read', priority: 'query' } as const;
    const product = await client.call(request, ProductData.nullish(), signal);
    const variant = product?.variants.find(({ vid }) => vid === supplierVariantId);
    return priceOf(variant, path, supplierVariantId);
  };

/** The variant is asked for its price, and its product from the first time on that CJ does not serve that question. */
function askEither(client: CjClient, signal: AbortSignal): AskPrice {
  let ask = askVariant(client, signal);
  return async (article) => {
    try {
      return await ask(article);
    } catch (error) {
      const isUnserved = error instanceof SupplierError && error.failureClass === 'permanent';
      if (!isUnserved) throw error;
      ask = askProduct(client, signal);
      return ask(article);
    }
  };
}

async function goodsMinor(client: CjClient, request: QuoteRequest, signal: AbortSignal): Promise<number> {
  const wanted = new Map<string, Article>();
  for (const article of request.articles) {
    const units = (wanted.get(article.supplierVariantId)?.units ?? 0) + article.units;
    wanted.set(article.supplierVariantId, { ...article, units });
  }
  const ask = askEither(client, signal);
  let total = 0;
  for (const article of wanted.values()) {
    total += roundToMinor((await ask(article)) * article.units, CURRENCY);
  }
  return total;
}

/** Freight options and the price of the goods, in US cents. Stock is not part of it. Throws SupplierError. */
export async function quoteFreight(
  client: CjClient,
  request: QuoteRequest,
  signal: AbortSignal,
): Promise<Quote> {
  const body = {
    startCountryCode: request.shipsFrom,
    endCountryCode: request.destination.countryCode,
    zip: request.destination.zip,
    products: request.articles.map(({ supplierVariantId, units }) => ({
      vid: supplierVariantId,
      quantity: units,
    })),
  };
  const rows = await client.call(
    { method: 'POST', path: '/logistic/freightCalculate', body, kind: 'read', priority: 'query' },
    FreightRows,
    signal,
  );
  const options = rows.flatMap(toOption).sort((a, b) => a.costMinor - b.costMinor);
  return {
    currency: CURRENCY,
    goodsMinor: await goodsMinor(client, request, signal),
    options,
    articles: new Map(),
  };
}
