import { expect, test } from 'vitest';
import { formatDate, formatMoney, languageOf } from '../../services/notifier/locale.ts';

test.each([
  ['fr', 'fr'],
  ['fr-CA', 'fr'],
  ['FR_ca', 'fr'],
  [' fr-FR-u-ca-gregory ', 'fr'],
  ['pt-BR', 'pt-BR'],
  ['pt-br', 'pt-BR'],
  ['pt-PT', 'en'],
  ['zh-Hant-TW', 'zh-Hant'],
  ['de', 'en'],
  ['french', 'en'],
  ['', 'en'],
  ['f', 'en'],
  ['fr-', 'en'],
  ['../fr', 'en'],
  [null, 'en'],
])('a customer whose locale is %j is written to in %s', (locale, language) => {
  expect(languageOf(locale, ['en', 'fr', 'pt-BR', 'zh-Hant'], 'en')).toBe(language);
});

const withPlainSpaces = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');

test.each([
  [123450, 'EUR', 'fr-FR', '1 234,50 €'],
  [1990, 'USD', 'en-US', '$19.90'],
  [1990, 'USD', 'fr-CA', '19,90 $ US'],
  [19800, 'JPY', 'ja-JP', '¥19,800'],
  [12345, 'KWD', 'en', 'KWD 12.345'],
  [123450, 'HUF', 'en', 'HUF 1,234.50'],
  [123400, 'HUF', 'en', 'HUF 1,234'],
  [1500075, 'IDR', 'id', 'Rp 15.000,75'],
  [1234567, 'IQD', 'en', 'IQD 1,234.567'],
  [5, 'EUR', 'de', '0,05 €'],
  [0, 'GBP', 'en-GB', '£0.00'],
  [-1990, 'USD', 'en-US', '-$19.90'],
  [Number.MAX_SAFE_INTEGER, 'USD', 'en', '$90,071,992,547,409.91'],
  [1990, 'USD', null, '$19.90'],
  [1990, 'USD', 'no such locale', '$19.90'],
])('%d minor units of %s read in %s as %s', (amountMinor, currency, locale, text) => {
  expect(withPlainSpaces(formatMoney(amountMinor, currency, locale)).replace('￥', '¥')).toBe(text);
});

test.each([
  [19.9, 'USD'],
  [Number.NaN, 'USD'],
  [2 ** 53, 'USD'],
  [1990, 'dollars'],
  [1990, ''],
])('%d of %j is refused instead of written wrongly', (amountMinor, currency) => {
  expect(() => formatMoney(amountMinor, currency, 'en')).toThrow(
    expect.objectContaining({ code: 'message_invalid' }),
  );
});

test.each([
  ['summer time ends on the way', '2026-10-19T22:30:00Z', 10, 'October 30, 2026'],
  ['summer time begins on the way', '2026-03-25T22:30:00Z', 10, 'April 4, 2026'],
  ['no clock is changed', '2026-11-02T22:30:00Z', 10, 'November 12, 2026'],
])('a day so many days later is the shop’s calendar’s, also where %s', (_, from, days, text) => {
  expect(formatDate(new Date(from), 'en-US', 'Europe/Paris', days)).toBe(text);
});
