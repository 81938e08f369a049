import type { Evidence } from './vocabulary.ts';

const MAIL = /[\w.+-]+@[\w-]+\.[\w.-]+/g;
/** Written as telephone numbers are: with a plus, or in groups. Ids and codes of suppliers stay readable. */
const PHONE = /\+\d[\d\s().-]{6,}\d|\(?\b\d{2,4}\)?(?:[\s.-]\d{2,4}){2,}\b/g;

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

/** Shorter values are in every other word. */
export const LEAST_CHARACTERS = 3;

const withoutAccents = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '');

/** The words of a name as well: whoever quotes it may quote one of them. */
const wordsOf = (value: string): string[] => (/[\d@]/.test(value) ? [value] : [value, ...value.split(/\s+/)]);

/**
 * Takes known values (names, streets, numbers of a person) and the words of names out of a text, whole words in any case
 * and also without their accents, and then whatever looks like a mail address or a telephone number.
 */
export function withoutValues(text: string, values: readonly string[]): string {
  const known = [
    ...new Set(values.flatMap(wordsOf).flatMap((value) => [value.trim(), withoutAccents(value.trim())])),
  ]
    .filter((value) => value.length >= LEAST_CHARACTERS)
    // A name before its parts.
    .sort((a, b) => b.length - a.length)
    .map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  if (known.length === 0) return redactText(text);
  const words = new RegExp(`(?<![\\p{L}\\p{N}])(?:${known.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  return redactText(text.replaceAll(words, '(erased)'));
}

/** `withoutValues` for all texts of an evidence. */
export const evidenceWithout = (evidence: Evidence, values: readonly string[]): Evidence =>
  inTexts(evidence, (text) => withoutValues(text, values));
