import { AppError } from './errors.ts';

const WITHOUT_DECIMALS = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ');
const WITH_THREE = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');
const WITH_FOUR = ['CLF', 'UYW'];

/**
 * Decimals of a currency's minor unit by ISO 4217 (JPY 0, USD 2, KWD 3). Written down here because Intl follows the
 * habits of speakers instead, and those change with its data: stored amounts must not.
 */
export function currencyExponent(currency: string): number {
  if (WITHOUT_DECIMALS.includes(currency)) return 0;
  if (WITH_THREE.includes(currency)) return 3;
  return WITH_FOUR.includes(currency) ? 4 : 2;
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
  if (
    match === null ||
    !/^[A-Z]{3}$/.test(currency) ||
    /[1-9]/.test(fraction.slice(exponent)) ||
    !Number.isSafeInteger(minor)
  ) {
    throw new AppError('message_invalid', `"${amount}" is not an exact amount in ${currency}`, {
      retryable: false,
    });
  }
  return minor === 0 ? 0 : minor;
}

/**
 * A supplier's JSON number, or text, in major units to minor units, rounded half up: suppliers send computed
 * prices such as 5.1999 that have no exact minor amount.
 * @throws AppError `message_invalid` for what is no number: a missing price must not pass as free.
 */
export function roundToMinor(amount: number | string, currency: string): number {
  const major = typeof amount === 'string' && amount.trim() === '' ? Number.NaN : Number(amount);
  const minor = Math.round(major * 10 ** currencyExponent(currency) + 1e-6);
  if (Number.isSafeInteger(minor)) return minor === 0 ? 0 : minor;
  throw new AppError('message_invalid', `"${amount}" is not an amount`, { retryable: false });
}
