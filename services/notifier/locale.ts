import { DAY_MS } from '../../contracts/durations.ts';
import { AppError } from '../../contracts/errors.ts';
import { currencyExponent } from '../../contracts/money.ts';

/** Formats are dear to make and cheap to use. Locales are few, but they come from customers; zones come from the shop. */
const MOST_KEPT = 200;
function keptByName<Format>(make: (name: string) => Format): (name: string) => Format {
  const kept = new Map<string, Format>();
  return (name) => {
    const known = kept.get(name);
    if (known !== undefined) return known;
    const format = make(name);
    if (kept.size < MOST_KEPT) kept.set(name, format);
    return format;
  };
}

/** The tag as Intl understands it, without extensions; null for what no reader of languages knows. */
const baseName = keptByName((locale): string | null => {
  try {
    return new Intl.Locale(locale.trim().replaceAll('_', '-')).baseName;
  } catch {
    return null;
  }
});
const wellFormed = (locale: string | null): string | null => baseName(locale ?? '');

/**
 * The language to write to a customer in: the one of `languages` that their locale names, cut from the right until
 * one fits (`pt-BR`, then `pt`), otherwise `fallback`. Case and `_` for `-` do not matter, and the answer is spelled
 * as in `languages`. Takes anything a shop sends, null and garbage too, and never throws.
 */
export function languageOf(
  customerLocale: string | null,
  languages: readonly string[],
  fallback: string,
): string {
  let tag = wellFormed(customerLocale)?.toLowerCase() ?? '';
  while (tag !== '') {
    const found = languages.find((language) => language.toLowerCase() === tag);
    if (found !== undefined) return found;
    tag = tag.slice(0, Math.max(tag.lastIndexOf('-'), 0));
  }
  return fallback;
}

/**
 * An amount as the customer is used to reading it: `formatMoney(123450, 'EUR', 'fr-FR')` is "1 234,50 €" (with
 * narrow and no-break spaces). Exact for every safe integer: the digits reach Intl as text and never become a float, and
 * where the habits of speakers would round a part of the minor unit away (forints, rupiahs) it is written out.
 * A locale that is null or garbage is read as `en`.
 * @throws AppError `message_invalid` when the amount is not a safe integer or the currency is not three letters.
 */
export function formatMoney(amountMinor: number, currency: string, locale: string | null): string {
  if (!Number.isSafeInteger(amountMinor) || !/^[A-Z]{3}$/i.test(currency)) {
    throw new AppError('message_invalid', `${amountMinor} ${currency} is not an amount in minor units`, {
      retryable: false,
    });
  }
  const exponent = currencyExponent(currency);
  const options = { style: 'currency', currency } as const;
  const tag = wellFormed(locale) ?? 'en';
  const usual = new Intl.NumberFormat(tag, options);
  const { maximumFractionDigits: shown = exponent } = usual.resolvedOptions();
  const isWhole = amountMinor % 10 ** Math.max(0, exponent - shown) === 0;
  const format = isWhole
    ? usual
    : new Intl.NumberFormat(tag, { ...options, minimumFractionDigits: exponent });
  const amount: Intl.StringNumericLiteral = `${amountMinor}E${-exponent}` as `${number}`;
  return format.format(amount);
}

/**
 * The locale to write numbers and dates in: the customer's own as far as it is a kind of the mail's language
 * (`de-AT` in a German mail), otherwise the language: a locale that we do not write may bring foreign digits.
 */
export function formattingLocale(customerLocale: string | null, language: string): string {
  const own = wellFormed(customerLocale);
  return own?.toLowerCase().startsWith(`${language.toLowerCase()}-`) ? own : language;
}

const dateFormat = keptByName(
  (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }),
);
const countFormat = keptByName((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));

const DATE = /^\d{4}-\d{2}-\d{2}/;
/** Writes days as ISO does; null for a zone that nobody here knows. */
const dayFormat = keptByName((timeZone) => {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone });
  } catch {
    return null;
  }
});

/**
 * "26 November 2026" as the reader writes it. An ISO text with an offset is read as the day that it names: the shop wrote
 * it in its own zone. A `Date`, or a text in UTC, is an instant: its day is that of `timeZone`, by default UTC's.
 * @param later so many days of the calendar, whose length is not always 24 hours there.
 */
export function formatDate(
  date: string | Date,
  locale: string,
  timeZone: string | null = null,
  later = 0,
): string {
  const text = typeof date === 'string' ? date : date.toISOString();
  const instant = text.endsWith('Z') ? Date.parse(text) : Number.NaN;
  const isPlaced = timeZone !== null && !Number.isNaN(instant);
  const day = DATE.exec((isPlaced && dayFormat(timeZone)?.format(instant)) || text)?.[0];
  if (day === undefined) return '';
  return dateFormat(locale).format(Date.parse(`${day}T00:00:00Z`) + later * DAY_MS);
}

/** A whole number with the reader's own signs between its thousands. */
export const formatCount = (count: number, locale: string): string => countFormat(locale).format(count);
