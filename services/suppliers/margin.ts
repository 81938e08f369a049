import type { OrderRefusal } from '../../contracts/events/order-sourced.ts';
import { convertMinor, type ExchangeRates } from '../../contracts/exchange-rates.ts';
import type { Evidence } from '../../contracts/vocabulary.ts';
import { type Acceptance, isAccepted } from './acceptances.ts';

/** What the customer pays for the whole order, and the list price of all its units, to share it out by. */
export interface Sale {
  readonly currency: string;
  readonly totalMinor: number;
  readonly listMinor: number;
}

interface Cost {
  readonly amountMinor: number;
  readonly currency: string;
}

/** In the currency of the sale, US dollars where there is none. Null: unknown, for want of a rate or of a sale. */
export interface Margin {
  readonly currency: string;
  readonly costMinor: number | null;
  readonly revenueMinor: number | null;
  readonly marginMinor: number | null;
  /** Of the revenue, rounded down to a tenth. */
  readonly marginPercent: number | null;
  /** A currency of costs that no rate leads from, with what it amounts to in it. */
  readonly unconverted: Cost | null;
}

/**
 * What is left of the customer's money when these units are bought. Revenue is the units' share, by list price, of what
 * the order came to: discounts, shipping and the shop's taxes are in it.
 * @param listMinor list price of the units that are bought.
 */
export function marginOf(
  sale: Sale | null,
  listMinor: number,
  costs: readonly Cost[],
  rates: ExchangeRates,
): Margin {
  const currency = sale?.currency ?? 'USD';
  let costMinor: number | null = 0;
  let unconverted: Cost | null = null;
  for (const [from, same] of Map.groupBy(costs, (cost) => cost.currency)) {
    const amountMinor = same.reduce((sum, cost) => sum + cost.amountMinor, 0);
    const converted = convertMinor(amountMinor, from, currency, rates);
    if (converted === null) unconverted ??= { amountMinor, currency: from };
    costMinor = costMinor === null || converted === null ? null : costMinor + converted;
  }
  const revenueMinor = sale === null ? null : shareOf(sale, listMinor);
  const marginMinor = revenueMinor === null || costMinor === null ? null : revenueMinor - costMinor;
  const marginPercent =
    marginMinor === null || revenueMinor === null || revenueMinor <= 0
      ? null
      : Math.floor((marginMinor / revenueMinor) * 1_000) / 10;
  return { currency, costMinor, revenueMinor, marginMinor, marginPercent, unconverted };
}

/** Goods that were given away earn nothing. */
const shareOf = (sale: Sale, listMinor: number): number =>
  sale.listMinor === 0 ? 0 : Math.round((sale.totalMinor * listMinor) / sale.listMinor);

/** The hold of an order that would earn too little, or nobody can say how much; null when it may be bought. */
export function marginStop(
  { currency, costMinor, revenueMinor, marginPercent, unconverted }: Margin,
  floorPercent: number | undefined,
  acceptances: readonly Acceptance[],
): OrderRefusal | null {
  if (floorPercent === undefined || revenueMinor === null) return null;
  if (marginPercent !== null && marginPercent >= floorPercent) return null;
  const evidence: Evidence =
    unconverted === null
      ? { costMinor, revenueMinor, currency, marginPercent, floorPercent }
      : {
          costMinor: unconverted.amountMinor,
          costCurrency: unconverted.currency,
          revenueMinor,
          currency,
          floorPercent,
          cause: `no exchange rate from ${unconverted.currency} to ${currency} in ORDER_MANAGER_EXCHANGE_RATES`,
        };
  const reason = 'margin_below_floor' as const;
  return isAccepted(acceptances, { reason }, evidence) ? null : { reason, evidence };
}
