const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** One place at which two JSON values differ; `undefined`: it is missing there. */
export interface Difference {
  /** Dotted, as `order.context.lines.77.held`. */
  readonly field: string;
  readonly stored: unknown;
  readonly told: unknown;
}

/** Every place at which what is stored and what is told differ, down to single values. Both are plain JSON. */
export function differencesOf(stored: unknown, told: unknown, field = ''): Difference[] {
  if (!isObject(stored) || !isObject(told) || Array.isArray(stored) !== Array.isArray(told))
    return Object.is(stored, told) ? [] : [{ field, stored, told }];
  return [...new Set([...Object.keys(stored), ...Object.keys(told)])].flatMap((key) =>
    differencesOf(stored[key], told[key], field === '' ? key : `${field}.${key}`),
  );
}

const LONGEST = 200;
const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value).slice(0, LONGEST);

export const describeDifference = ({ field, stored, told }: Difference): string =>
  `${field}: stored ${shown(stored)}, told ${shown(told)}`;
