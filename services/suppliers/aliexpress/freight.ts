import { roundToMinor } from '../../../contracts/money.ts';
import type { ShippingOption } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { sharedQuestion } from '../shared-question.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { CURRENCY } from './products.ts';
import { FreightBody, type FreightRow } from './responses.ts';

interface FreightQuestion {
  readonly productId: string;
  /** The number, never the attributes: freight takes the one, orders the other. */
  readonly skuId: string;
  readonly units: number;
  readonly countryCode: string;
  /** Of all that is bought together: some options are free from an amount on. */
  readonly goodsMinor: number;
  readonly priority: CallPriority;
}

export interface FreightOption extends ShippingOption {
  readonly shipsFrom: string | null;
}

/** "Cent" is AliExpress's word: the fee is in major units. Null when nothing says what it costs. */
export function feeMinorOf(row: FreightRow, goodsMinor: number): number | null {
  const threshold = row.free_shipping_threshold;
  const isReached = threshold !== null && goodsMinor >= roundToMinor(threshold, CURRENCY);
  if (row.free_shipping === true && (row.mayHavePFS !== true || isReached)) return 0;
  if (row.shipping_fee_cent !== null) return roundToMinor(row.shipping_fee_cent, CURRENCY);
  // A fee is left out where there is none.
  return row.free_shipping == null ? 0 : null;
}

function daysOf(row: FreightRow): ShippingOption['deliveryDays'] {
  const max = row.max_delivery_days ?? row.guaranteed_delivery_days;
  const min = row.min_delivery_days ?? max;
  return max === null || min === null ? null : { min: Math.min(min, max), max: Math.max(min, max) };
}

function toOption(row: FreightRow, goodsMinor: number): FreightOption[] {
  const costMinor = feeMinorOf(row, goodsMinor);
  const isForeign = row.shipping_fee_currency !== null && row.shipping_fee_currency !== CURRENCY;
  if (row.code === null || costMinor === null || (isForeign && costMinor > 0)) return [];
  return [
    {
      shippingMethod: row.code,
      costMinor,
      deliveryDays: daysOf(row),
      ...(row.tracking === false ? { isUntracked: true } : {}),
      shipsFrom: row.ship_from_country,
    },
  ];
}

async function askForFreight(
  client: AliExpressClient,
  { productId, skuId, units, countryCode, goodsMinor, priority }: FreightQuestion,
  signal: AbortSignal,
): Promise<FreightOption[]> {
  const query = {
    quantity: String(units),
    shipToCountry: countryCode,
    productId,
    selectedSkuId: skuId,
    language: 'en_US',
    locale: 'en_US',
    currency: CURRENCY,
  };
  try {
    const { result } = await client.call(
      {
        method: 'aliexpress.ds.freight.query',
        parameters: { queryDeliveryReq: JSON.stringify(query) },
        kind: 'read',
        priority,
      },
      FreightBody,
      signal,
    );
    const rows = result?.delivery_options ?? [];
    return rows.flatMap((row) => toOption(row, goodsMinor)).sort((a, b) => a.costMinor - b.costMinor);
  } catch (error) {
    if (error instanceof SupplierError && error.failureClass === 'not_shippable') return [];
    throw error;
  }
}

/** Ways to send one article there, cheapest first; none when AliExpress does not send it there. Throws SupplierError. */
export const readFreight = sharedQuestion(askForFreight);
