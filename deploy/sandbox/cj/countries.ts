const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** Whether the ISO 3166-1 alpha-2 code stands for a place. */
export const isCountry = (code: string): boolean => /^[A-Z]{2}$/.test(code) && names.of(code) !== undefined;

const EU = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

export const isEuCountry = (code: string): boolean => EU.has(code);

const EMBARGOED = new Set(['CU', 'IR', 'KP', 'SY']);

/** Places that no warehouse of this world sends anything to. */
export const isEmbargoed = (code: string): boolean => EMBARGOED.has(code);
