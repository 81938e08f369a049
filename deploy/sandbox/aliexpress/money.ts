/** Units of each currency for one US dollar. */
const RATES: Readonly<Record<string, number>> = { USD: 1, EUR: 0.92, GBP: 0.79, CAD: 1.36, AUD: 1.5 };

/** The wanted currency, or US dollars where this world does not reckon in it. */
export const servedCurrency = (wanted: string | undefined): string =>
  wanted !== undefined && wanted in RATES ? wanted : 'USD';

/** US cents as a decimal text in major units of a served currency. */
export const priceIn = (currency: string, usdMinor: number): string =>
  (Math.round(usdMinor * (RATES[currency] ?? 1)) / 100).toFixed(2);
