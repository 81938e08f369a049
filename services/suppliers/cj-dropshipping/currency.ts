import { roundToMinor } from '../../../contracts/money.ts';
import type { PriceRange } from '../../../contracts/resources/supplier-product.ts';

/** CJ prices, charges and is paid in US dollars. */
export const CURRENCY = 'USD';

/** Dollars to US cents. */
export const toPriceRange = ({ min, max }: { readonly min: number; readonly max: number }): PriceRange => ({
  minMinor: roundToMinor(min, CURRENCY),
  maxMinor: roundToMinor(max, CURRENCY),
  currency: CURRENCY,
});
