import type { Settings } from '../../../contracts/settings.ts';

/** `cj`: CJ's own number; `none`: the buyer pays the tax at the door; else the merchant's number. */
export type Ioss = Settings['CJ_DROPSHIPPING_IOSS'];

const NO_IOSS = 1;
const OWN_IOSS = 2;
const IOSS_OF_CJ = 3;

/** Members of the Union: orders there that say nothing about IOSS are refused. */
const EU = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

/** What an order says about the import number that its goods travel under; nothing outside the Union. */
export function iossFields(ioss: Ioss, countryCode: string): object {
  if (!EU.has(countryCode)) return {};
  if (ioss === 'none') return { iossType: NO_IOSS };
  return ioss === 'cj'
    ? { iossType: IOSS_OF_CJ, iossNumber: 'CJ-IOSS' }
    : { iossType: OWN_IOSS, iossNumber: ioss };
}

/** For a quote: the merchant's own number, by which CJ may reckon the tax. */
export const iossNumberOf = (ioss: Ioss, countryCode: string): { readonly iossNumber?: string } =>
  ioss !== 'cj' && ioss !== 'none' && EU.has(countryCode) ? { iossNumber: ioss } : {};
