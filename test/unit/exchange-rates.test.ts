import { expect, test } from 'vitest';
import { convertMinor, parseExchangeRates } from '../../contracts/exchange-rates.ts';
import { readSettings } from '../../contracts/settings.ts';

test('rates are US dollars for one unit, and the dollar is always there', () => {
  expect(parseExchangeRates(' EUR=1.08, JPY = 0.0067 ,')).toEqual({ USD: 1, EUR: 1.08, JPY: 0.0067 });
  expect(readSettings({}).ORDER_MANAGER_EXCHANGE_RATES).toEqual({ USD: 1 });
  expect(readSettings({ ORDER_MANAGER_EXCHANGE_RATES: 'EUR=1.1' }).ORDER_MANAGER_EXCHANGE_RATES).toEqual({
    USD: 1,
    EUR: 1.1,
  });
});

test.each([
  'EUR',
  'EUR=',
  'EUR=0',
  'eur=1',
  'EUR=-1',
  'EUR=1e3',
  'EURO=1',
  'USD=2',
  'EUR:1',
  'EUR=1.1,EUR=1.2',
])('%j is no rate', (text) => {
  expect(() => parseExchangeRates(text)).toThrow(RangeError);
  expect(() => readSettings({ ORDER_MANAGER_EXCHANGE_RATES: text })).toThrow(
    'ORDER_MANAGER_EXCHANGE_RATES: must be US dollars for one unit of each currency, like EUR=1.08,JPY=0.0067',
  );
});

const RATES = parseExchangeRates('EUR=1.25,JPY=0.0067,KWD=3.25');
const CONVERSIONS = [
  [1_000, 'EUR', 'USD', 1_250],
  [1_250, 'USD', 'EUR', 1_000],
  [19_800, 'JPY', 'USD', 13_266],
  [13_266, 'USD', 'JPY', 19_800],
  [1_000, 'KWD', 'USD', 325],
  [125, 'EUR', 'JPY', 233],
  [700, 'CHF', 'CHF', 700],
  [700, 'CHF', 'USD', null],
  [700, 'USD', 'CHF', null],
] as const;

test.each(CONVERSIONS)('%i minor units of %s are in %s: %s', (amountMinor, from, to, converted) => {
  expect(convertMinor(amountMinor, from, to, RATES)).toBe(converted);
});
