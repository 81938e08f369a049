import { roundToMinor } from '../../../contracts/money.ts';
import type { Quote, QuoteRequest, ShippingOption } from '../adapter.ts';
import { sharedQuestion } from '../shared-question.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { readGoods } from './goods.ts';
import { type Ioss, iossNumberOf } from './ioss.ts';
import { FreightRow, rowsOf } from './responses.ts';

const FreightRows = rowsOf(FreightRow);
const NOT_RECKONED = 1607004;

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

interface Box {
  readonly shipsFrom: string;
  readonly destination: { readonly countryCode: string; readonly zip?: string };
  readonly products: readonly { readonly vid: string; readonly quantity: number }[];
  readonly ioss?: Ioss;
}

/** CJ could not reckon what it costs: once more may help, and each time costs points. */
const isUnreckoned = (error: unknown): boolean =>
  error instanceof SupplierError && error.evidence.code === NOT_RECKONED;

async function askForFreight(client: CjClient, box: Box, signal: AbortSignal): Promise<ShippingOption[]> {
  const { countryCode, zip } = box.destination;
  const { ioss = 'none' } = box;
  const body = {
    startCountryCode: box.shipsFrom,
    endCountryCode: countryCode,
    ...(zip === undefined || zip === '' ? {} : { zip }),
    products: box.products,
    ...iossNumberOf(ioss, countryCode),
  };
  const request = { method: 'POST', path: '/logistic/freightCalculate', body, kind: 'read' } as const;
  const ask = () => client.call({ ...request, priority: 'query' }, FreightRows, signal);
  const rows = await ask().catch((error: unknown) => {
    if (isUnreckoned(error)) return ask();
    throw error;
  });
  return rows.flatMap(toOption).sort((a, b) => a.costMinor - b.costMinor);
}

/** What CJ offers to carry that box, cheapest in total first; none where it carries none. */
export const readFreight = sharedQuestion(askForFreight);

/**
 * Freight options and the goods as they are now, in US cents. Where nothing carries them, the goods are not asked for:
 * every answer costs points. Throws SupplierError as SupplierAdapter.quote says.
 */
export async function quoteFreight(
  client: CjClient,
  ioss: Ioss,
  { shipsFrom, destination, articles: wanted }: QuoteRequest,
  signal: AbortSignal,
): Promise<Quote> {
  const products = wanted.map(({ supplierVariantId, units }) => ({
    vid: supplierVariantId,
    quantity: units,
  }));
  const options = await readFreight(client, { shipsFrom, destination, products, ioss }, signal);
  if (options.length === 0) return { currency: CURRENCY, goodsMinor: 0, options, articles: new Map() };
  const articles = await readGoods(client, wanted, shipsFrom, signal);
  let goodsMinor = 0;
  for (const { supplierVariantId, units } of wanted) {
    const now = articles.get(supplierVariantId);
    if (now === undefined) throw new RangeError(`variant ${supplierVariantId} was not read`);
    goodsMinor += now.unitPriceMinor * units;
  }
  return { currency: CURRENCY, goodsMinor, options, articles };
}
