import { isEmbargoed, isEuCountry } from '../cj/countries.ts';
import type { AliExpressProduct } from './goods.ts';
import type { Offer } from './stock.ts';

/** One way to send some pieces of a SKU. Amounts in US cents. */
export interface Delivery {
  /** What an order names it by. */
  readonly code: string;
  readonly company: string;
  /** What it costs when it is not free for this quantity. */
  readonly feeMinor: number;
  readonly isFree: boolean;
  /** Free from this price of the goods on; null when that plays no part. */
  readonly freeFromMinor: number | null;
  readonly minDays: number;
  readonly maxDays: number;
}

const EU_TAX_PERCENT = 20;

/** Tax on one piece, in US cents: only the EU asks for any in this world. */
export const taxMinorOf = ({ priceMinor }: Offer, country: string): number =>
  isEuCountry(country) ? Math.round((priceMinor * EU_TAX_PERCENT) / 100) : 0;

const byWeight = (baseMinor: number, perKilogramMinor: number, grams: number): number =>
  baseMinor + Math.ceil((perKilogramMinor * grams) / 1_000);

/** Every way to that country, the cheapest first; none where nothing is sent. */
export function deliveriesFor(
  { product, offer, quantity }: { product: AliExpressProduct; offer: Offer; quantity: number },
  country: string,
): Delivery[] {
  if (isEmbargoed(country)) return [];
  const grams = product.weightGrams * quantity;
  const paid = { isFree: false, freeFromMinor: null };
  if (offer.shipsFrom === 'DE') {
    if (!isEuCountry(country)) return [];
    const feeMinor = byWeight(450, 90, grams);
    return [{ ...paid, code: 'DHL_DE', company: 'DHL', feeMinor, minDays: 2, maxDays: 5 }];
  }
  const { freeFromMinor } = product;
  return [
    {
      code: 'CAINIAO_STANDARD',
      company: 'AliExpress Standard Shipping',
      feeMinor: byWeight(149, 380, grams),
      isFree: freeFromMinor !== null && offer.priceMinor * quantity >= freeFromMinor,
      freeFromMinor,
      minDays: 8,
      maxDays: 14,
    },
    {
      ...paid,
      code: 'CAINIAO_PREMIUM',
      company: 'AliExpress Premium Shipping',
      feeMinor: byWeight(990, 900, grams),
      minDays: 5,
      maxDays: 8,
    },
  ];
}

export const feeOf = ({ isFree, feeMinor }: Delivery): number => (isFree ? 0 : feeMinor);
