const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** By code: `names` asks ICU each time. Never more than there are pairs of letters. */
const known = new Map<string, boolean>();

/** Whether the ISO 3166-1 alpha-2 code stands for a place. */
export function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code)) return false;
  const answer = known.get(code) ?? names.of(code) !== undefined;
  known.set(code, answer);
  return answer;
}

const EU = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

export const isEuCountry = (code: string): boolean => EU.has(code);

const EMBARGOED = new Set(['CU', 'IR', 'KP', 'SY']);

/** Places that no warehouse of this world sends anything to. */
export const isEmbargoed = (code: string): boolean => EMBARGOED.has(code);
