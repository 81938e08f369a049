import { expect, test } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { currencyExponent, roundToMinor, toMinor } from '../../contracts/money.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof AppError ? error.code : `${error}`;
  }
  return 'nothing thrown';
};

const EXACT: readonly [string, string, number][] = [
  ['19.90', 'USD', 1_990],
  ['19.9', 'USD', 1_990],
  ['19', 'USD', 1_900],
  ['0.00', 'EUR', 0],
  ['0.01', 'EUR', 1],
  ['0019.90', 'EUR', 1_990],
  [' 19.90 ', 'EUR', 1_990],
  ['-5.25', 'EUR', -525],
  ['19.9000', 'EUR', 1_990],
  ['19800', 'JPY', 19_800],
  ['19800.00', 'JPY', 19_800],
  ['1.234', 'KWD', 1_234],
  ['1.2', 'KWD', 1_200],
  // The amounts that binary fractions get wrong.
  ['1.15', 'USD', 115],
  ['8.41', 'USD', 841],
  ['1.005', 'TND', 1_005],
  ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
];

test.each(EXACT)('"%s" in %s is %i minor units', (amount, currency, minor) => {
  expect(toMinor(amount, currency)).toBe(minor);
});

test('a negative nothing is nothing', () => {
  expect(Object.is(toMinor('-0.00', 'EUR'), 0)).toBe(true);
});

const INEXACT: readonly [string, string][] = [
  ['19.905', 'USD'],
  ['19800.50', 'JPY'],
  ['1.2345', 'KWD'],
  ['', 'USD'],
  [' ', 'USD'],
  ['.5', 'USD'],
  ['5.', 'USD'],
  ['1,50', 'EUR'],
  ['1 000.00', 'EUR'],
  ['1e3', 'USD'],
  ['0x10', 'USD'],
  ['+5', 'USD'],
  ['--5', 'USD'],
  ['5.0.0', 'USD'],
  ['NaN', 'USD'],
  ['Infinity', 'USD'],
  ['€5', 'EUR'],
  ['٥', 'EUR'],
  ['90071992547409.92', 'USD'],
];

test.each(INEXACT)('"%s" in %s is refused as message_invalid', (amount, currency) => {
  expect(codeOf(() => toMinor(amount, currency))).toBe('message_invalid');
});

test.each(['', 'EU', '12$', 'usd', 'EURO'])(
  'an amount in the currency "%s" is refused as message_invalid',
  (currency) => {
    expect(codeOf(() => toMinor('1.00', currency))).toBe('message_invalid');
  },
);

test.each([
  ['USD', 2],
  ['EUR', 2],
  ['GBP', 2],
  ['BRL', 2],
  ['CNY', 2],
  ['JPY', 0],
  ['KRW', 0],
  ['CLP', 0],
  ['VND', 0],
  ['ISK', 0],
  ['XOF', 0],
  ['KWD', 3],
  ['BHD', 3],
  ['TND', 3],
  ['JOD', 3],
  ['CLF', 4],
  // Where the habits of speakers differ from the standard.
  ['HUF', 2],
  ['COP', 2],
  ['IDR', 2],
  ['PKR', 2],
  ['ALL', 2],
  ['TWD', 2],
  ['IQD', 3],
])('%s has the %i decimals of ISO 4217', (currency, exponent) => {
  expect(currencyExponent(currency)).toBe(exponent);
});

const ROUNDED: readonly [number | string, string, number][] = [
  [5.1999, 'USD', 520],
  ['5.1999', 'USD', 520],
  [5.194, 'USD', 519],
  [5.195, 'USD', 520],
  [1.005, 'USD', 101],
  [8.41, 'USD', 841],
  [0, 'USD', 0],
  [-0.001, 'USD', 0],
  [0.1 + 0.2, 'USD', 30],
  [1234.5, 'JPY', 1_235],
  [1.0005, 'KWD', 1_001],
];

test.each(ROUNDED)("a supplier's %s in %s is rounded to %i minor units", (amount, currency, minor) => {
  expect(roundToMinor(amount, currency)).toBe(minor);
});

test.each(['', ' ', 'abc', '5.10-7.90', 'Infinity', Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  'a supplier\'s price "%s" is refused',
  (amount) => {
    expect(codeOf(() => roundToMinor(amount, 'USD'))).toBe('message_invalid');
  },
);
