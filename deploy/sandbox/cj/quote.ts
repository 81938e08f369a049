import { z } from 'zod';
import { isCountry } from './countries.ts';
import { CJ, CjRefusal, usd } from './envelope.ts';
import { type FreightOption, freightOptions } from './freight.ts';
import type { CjGoods } from './goods.ts';

const CENTS_PER_YUAN_CENT = 7.19;

const Inquiry = z.object({
  startCountryCode: z.string().min(1),
  endCountryCode: z.string().min(1),
  products: z
    .array(
      z.object({
        vid: z.union([z.string(), z.number()]).transform(String),
        quantity: z.coerce.number().int().positive(),
      }),
    )
    .min(1),
});

/**
 * Options for goods out of one warehouse country; none when that country does not stock all of them.
 * Throws CjRefusal 1602000 (variant) or 1605002 (country).
 */
export function optionsFor(
  catalogue: CjGoods,
  { from, to }: { from: string; to: string },
  products: readonly { vid: string; quantity: number }[],
): FreightOption[] {
  if (!isCountry(from) || !isCountry(to)) throw new CjRefusal(CJ.countryNotFound, 'Country code not found');
  const goods = products.map(({ vid, quantity }) => ({ article: catalogue.byId(vid), quantity }));
  if (goods.some(({ article }) => !article.shipsFrom.includes(from))) return [];
  const grams = goods.reduce((sum, { article, quantity }) => sum + article.weightGrams * quantity, 0);
  return freightOptions({ from, to, grams });
}

/** Data of freightCalculate. Throws CjRefusal 1600300, 1602000, 1605002. */
export function quote(catalogue: CjGoods, body: unknown): object[] {
  const inquiry = Inquiry.safeParse(body);
  if (!inquiry.success)
    throw new CjRefusal(CJ.parameterError, `Param error: ${z.prettifyError(inquiry.error)}`);
  const { startCountryCode, endCountryCode, products } = inquiry.data;
  const way = { from: startCountryCode, to: endCountryCode };
  return optionsFor(catalogue, way, products).map((option) => ({
    logisticName: option.logisticName,
    logisticPrice: usd(option.priceMinor),
    logisticPriceCn: usd(Math.round(option.priceMinor * CENTS_PER_YUAN_CENT)),
    logisticAging: option.aging,
    taxesFee: usd(option.taxesMinor),
    clearanceOperationFee: usd(option.clearanceMinor),
    totalPostageFee: usd(option.totalMinor),
  }));
}
