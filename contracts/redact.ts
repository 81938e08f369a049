import type { Evidence } from './vocabulary.ts';

const MAIL = /[\p{L}\p{M}\p{N}_.+-]+@[\p{L}\p{M}\p{N}_-]+\.[\p{L}\p{M}\p{N}_.-]+/gu;
/**
 * Written as telephone numbers are: with a plus, or in groups. Ids and codes of suppliers stay readable, and days of our
 * time, on which nobody who buys was born.
 */
const PHONE =
  /\+\d[\d\s().-]{6,}\d|\(?(?<!\b20[2-9]\d-)\b(?!20[2-9]\d-[01]\d-[0-3]\d(?!\d))\d{2,4}\)?(?:[\s.-]\d{2,4}){2,}\b/g;

const redactText = (text: string): string => text.replaceAll(MAIL, '(mail)').replaceAll(PHONE, '(phone)');

const inTexts = (evidence: Evidence, change: (text: string) => string): Evidence =>
  Object.fromEntries(
    Object.entries(evidence).map(([name, value]) => [
      name,
      typeof value === 'string' ? change(value) : value,
    ]),
  );

/** Evidence holds no personal data by contract; a supplier's own text may quote some all the same. */
export const redact = (evidence: Evidence): Evidence => inTexts(evidence, redactText);

export const LEAST_CHARACTERS = 3;

/** Scripts that set no space between words: a name stands there in the middle of other letters. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/u;

/** Shorter values are in every other word, but in those scripts two characters may be a whole name. */
export const isTelling = (value: string): boolean =>
  [...value.trim()].length >= (UNSPACED.test(value) ? 2 : LEAST_CHARACTERS);

const withoutAccents = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '');

/** The words of a name as well: whoever quotes it may quote one of them. */
const wordsOf = (value: string): string[] => (/[\d@]/.test(value) ? [value] : [value, ...value.split(/\s+/)]);

/** Found as a whole word, where its script has words. */
function patternOf(value: string): string {
  const pattern = value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return UNSPACED.test(value) ? pattern : `(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`;
}

/**
 * Takes known values (names, streets, numbers of a person) and the words of names out of a text, whole words in any case
 * and also without their accents, and then whatever looks like a mail address or a telephone number.
 */
export function withoutValues(text: string, values: readonly string[]): string {
  const known = [
    ...new Set(values.flatMap(wordsOf).flatMap((value) => [value.trim(), withoutAccents(value.trim())])),
  ]
    .filter(isTelling)
    // A name before its parts.
    .sort((a, b) => b.length - a.length)
    .map(patternOf);
  if (known.length === 0) return redactText(text);
  return redactText(text.replaceAll(new RegExp(known.join('|'), 'giu'), '(erased)'));
}

/** `withoutValues` for all texts of an evidence. */
export const evidenceWithout = (evidence: Evidence, values: readonly string[]): Evidence =>
  inTexts(evidence, (text) => withoutValues(text, values));
