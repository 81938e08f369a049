import { roundToMinor } from '../../../contracts/money.ts';
import { type Quote, type QuoteRequest, type ShippingOption, SupplierError } from '../adapter.ts';
import type { CjClient } from './client.ts';
import { FreightRow, rowsOf, VariantData } from './responses.ts';

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

async function goodsMinor(client: CjClient, request: QuoteRequest, signal: AbortSignal): Promise<number> {
  const unitsOf = new Map<string, number>();
  for (const { supplierVariantId, units } of request.articles) {
    unitsOf.set(supplierVariantId, (unitsOf.get(supplierVariantId) ?? 0) + units);
  }
  let total = 0;
  for (const [vid, units] of unitsOf) {
    const path = '/product/variant/queryByVid';
    const variant = await client.call(
      { method: 'GET', path, query: [['vid', vid]], kind: 'read', priority: 'query' },
      VariantData.nullish(),
      signal,
    );
    if (variant == null) throw new SupplierError('not_found', `variant ${vid} is unknown`, { path, vid });
    if (variant.variantSellPrice === null) {
      throw new SupplierError('unavailable', `variant ${vid} has no price`, { path, vid });
    }
    total += roundToMinor(variant.variantSellPrice * units, CURRENCY);
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
  return { currency: CURRENCY, goodsMinor: await goodsMinor(client, request, signal), options };
}
