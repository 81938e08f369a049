import { isEmbargoed, isEuCountry } from './countries.ts';

/** One way to send a box. All amounts in US cents; `totalMinor` is what the order will be charged. */
export interface FreightOption {
  readonly logisticName: string;
  readonly priceMinor: number;
  readonly taxesMinor: number;
  readonly clearanceMinor: number;
  readonly totalMinor: number;
  /** Days, as a range in text. */
  readonly aging: string;
}

const option = (
  logisticName: string,
  aging: string,
  priceMinor: number,
  { taxesMinor = 0, clearanceMinor = 0 }: { taxesMinor?: number; clearanceMinor?: number } = {},
): FreightOption => ({
  logisticName,
  aging,
  priceMinor,
  taxesMinor,
  clearanceMinor,
  totalMinor: priceMinor + taxesMinor + clearanceMinor,
});

const byWeight = (baseMinor: number, perKilogramMinor: number, grams: number): number =>
  baseMinor + Math.ceil((perKilogramMinor * grams) / 1_000);

/** Far places cost more from China; everything not named is reckoned as far. */
const CHINA_SURCHARGE_MINOR: Record<string, number> = {
  CN: 0,
  HK: 20,
  JP: 60,
  KR: 60,
  US: 100,
  CA: 120,
  BR: 190,
};

/** Beats another option by its price and loses by its total, because clearance comes on top. */
const bait = (logisticName: string, aging: string, rival: FreightOption): FreightOption =>
  option(logisticName, aging, Math.floor(rival.priceMinor * 0.85), {
    clearanceMinor: Math.ceil(rival.priceMinor * 0.3) + rival.totalMinor - rival.priceMinor,
  });

function fromChina(to: string, grams: number): FreightOption[] {
  const surcharge = CHINA_SURCHARGE_MINOR[to] ?? (isEuCountry(to) ? 120 : 150);
  const priceMinor = byWeight(260 + surcharge, 700, grams);
  const ordinary = option('CJPacket Ordinary', '7-12', priceMinor, { taxesMinor: 40, clearanceMinor: 50 });
  return [
    bait('CJPacket Postal', '12-25', ordinary),
    ordinary,
    option('YunExpress Special Line', '6-10', Math.ceil(priceMinor * 1.25), { clearanceMinor: 50 }),
    option('DHL Official', '3-5', byWeight(1_900 + surcharge, 1_500, grams), { taxesMinor: 300 }),
  ];
}

function fromGermany(to: string, grams: number): FreightOption[] {
  if (to === 'DE') {
    const parcel = option('DHL Paket', '1-3', byWeight(330, 60, grams));
    return [bait('DHL Warenpost', '3-5', parcel), parcel];
  }
  if (!isEuCountry(to) && to !== 'CH' && to !== 'GB') return [];
  const parcel = option('DHL Paket International', '3-6', byWeight(620, 120, grams));
  return [bait('GLS Euro Economy', '5-9', parcel), parcel];
}

function fromUnitedStates(to: string, grams: number): FreightOption[] {
  if (to !== 'US' && to !== 'CA') return [];
  const surcharge = to === 'CA' ? 480 : 0;
  const ground = option('USPS Ground Advantage', '3-6', byWeight(390 + surcharge, 140, grams));
  return [bait('USPS Library Saver', '6-11', ground), ground];
}

/** What the warehouse country `from` offers for a box of that weight; empty where nothing ships. */
export function freightOptions({
  from,
  to,
  grams,
}: {
  from: string;
  to: string;
  grams: number;
}): FreightOption[] {
  if (isEmbargoed(to)) return [];
  if (from === 'CN') return fromChina(to, grams);
  if (from === 'DE') return fromGermany(to, grams);
  return from === 'US' ? fromUnitedStates(to, grams) : [];
}
