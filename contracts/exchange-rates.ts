import { currencyExponent } from './money.ts';

/** US dollars for one unit of each currency. */
export type ExchangeRates = Readonly<Record<string, number>>;

/**
 * `EUR=1.08,JPY=0.0067` to rates. The dollar itself is always there.
 * @throws RangeError that names the part that is none.
 */
export function parseExchangeRates(text: string): ExchangeRates {
  const rates: Record<string, number> = { USD: 1 };
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    const [, currency = '', amount = ''] = /^([A-Z]{3})\s*=\s*(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    const rate = Number(amount);
    if (currency === '' || !(rate > 0)) throw new RangeError(`"${part}" is no rate like EUR=1.08`);
    if (currency === 'USD' && rate !== 1) throw new RangeError('a US dollar is one US dollar');
    if ((rates[currency] ?? rate) !== rate) throw new RangeError(`${currency} has two rates`);
    rates[currency] = rate;
  }
  return rates;
}

/** An amount in another currency's minor units, rounded half up; null where a rate is missing. */
export function convertMinor(
  amountMinor: number,
  from: string,
  to: string,
  rates: ExchangeRates,
): number | null {
  if (from === to) return amountMinor;
  const [source, target] = [rates[from], rates[to]];
  if (source === undefined || target === undefined) return null;
  const major = (amountMinor / 10 ** currencyExponent(from)) * (source / target);
  return Math.round(major * 10 ** currencyExponent(to));
}
