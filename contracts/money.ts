import { AppError } from './errors.ts';

const exponents = new Map<string, number>();

/** Decimals of a currency's minor unit as ISO 4217 has them (JPY 0, USD 2, KWD 3). */
export function currencyExponent(currency: string): number {
  const known = exponents.get(currency);
  if (known !== undefined) return known;
  const exponent =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  exponents.set(currency, exponent);
  return exponent;
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Exact decimal text to integer minor units: `toMinor('19.90', 'USD')` is 1990, `toMinor('19800', 'JPY')` is 19800.
 * Zeros beyond the currency's exponent are dropped ("19800.00" yen); any other digit there is refused.
 * @throws AppError `message_invalid` for anything that is not an exact amount of that currency.
 */
export function toMinor(amount: string, currency: string): number {
  const match = DECIMAL.exec(amount.trim());
  const exponent = currencyExponent(currency);
  const fraction = match?.[3] ?? '';
  const minor = Number(`${match?.[1]}${match?.[2]}${fraction.slice(0, exponent).padEnd(exponent, '0')}`);
  if (match === null || /[1-9]/.test(fraction.slice(exponent)) || !Number.isSafeInteger(minor)) {
    throw new AppError('message_invalid', `"${amount}" is not an exact amount in ${currency}`, {
      retryable: false,
    });
  }
  return minor === 0 ? 0 : minor;
}

/**
 * A supplier's JSON number, or text, in major units to minor units, rounded half up: suppliers send computed
 * prices such as 5.1999 that have no exact minor amount.
 */
export function roundToMinor(amount: number | string, currency: string): number {
  return Math.round(Number(amount) * 10 ** currencyExponent(currency) + 1e-6);
}
