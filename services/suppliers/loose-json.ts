import { z } from 'zod';
import { toStorable } from '../store/storable.ts';

/** A number that may be beyond 2^53, which is 9007199254740992, by what stands before numbers: text is exact already. */
const MAY_BE_ROUNDED = /(?:^|[-:,[\s])(?:9\d{15}|\d{17})/;

/** How a text that no database takes is written: with a NUL, or half of a surrogate pair. */
const MAY_BE_UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

const keepExact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
  if (typeof value === 'string') return toStorable(value);
  const source = context?.source;
  const isRounded = typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(source) ? source : value;
};

/**
 * JSON in which integers beyond 2^53 stay exact: they come back as text. Suppliers' ids have up to 19 digits and are
 * numbers in one call, text in the next. What no database takes of a text is replaced: an answer must not be lost for it.
 * Throws SyntaxError like JSON.parse.
 */
export const parseExactJson = (text: string): unknown =>
  // Looking at each value costs several times the parsing: only where one may need it.
  MAY_BE_ROUNDED.test(text) || MAY_BE_UNSTORABLE.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text);

const Loose = z.union([z.string(), z.number()]).nullish();

/** Text as it stands, or a number as text; null for null, absent and blank. For names that are sent back. */
export const MaybeVerbatim = Loose.transform((value) => {
  const text = value == null ? '' : String(value);
  return text.trim() === '' ? null : text;
});

/** As `MaybeVerbatim`, without the blanks around it. */
export const MaybeText = MaybeVerbatim.transform((text) => text?.trim() ?? null);

const BETWEEN_BOUNDS = /(?<=\d)\s*(?:-+|~|–)\s*(?=\d)/;

/** A number, also out of text, or a range ("15.16 -- 15.17") by its bounds. Null for everything else. */
export const MaybeRange = Loose.transform((value) => {
  if (value == null || String(value).trim() === '') return null;
  const numbers = String(value).split(BETWEEN_BOUNDS).map(Number);
  return numbers.every(Number.isFinite) ? { min: Math.min(...numbers), max: Math.max(...numbers) } : null;
});

/** A number, also out of text; of a range the upper end. Null for everything else. */
export const MaybeAmount = MaybeRange.transform((range) => range?.max ?? null);
