import { trackingKeyOf } from '../../contracts/ids.ts';

/**
 * Companies for which Shopify builds the tracking link itself, spelled as in its list for shops of every country: one
 * other letter and the buyer gets a name without a link. Carriers that it lists for some shop countries only
 * (Hermes, Yodel, plain DHL, …) are left out: we do not know the shop's country, so they get a link from us.
 */
export const LINKED_BY_SHOPIFY = [
  '4PX',
  'Amazon',
  'Amazon Logistics UK',
  'An Post',
  'Anjun Logistics',
  'Asendia USA',
  'Australia Post',
  'BPost',
  'BPost International',
  'Canada Post',
  'China Post',
  'Chronopost',
  'Chukou1',
  'Colissimo',
  'Correios',
  'Correos',
  'CTT',
  'CTT Express',
  'Deutsche Post',
  'DHL eCommerce',
  'DHL eCommerce Asia',
  'DHL Express',
  'DPD',
  'DPD Local',
  'DPD UK',
  'Evri',
  'FedEx',
  'GLS',
  'Israel Post',
  'Japan Post (EN)',
  'Japan Post (JA)',
  'La Poste Colissimo',
  'Lasership',
  'Mondial Relay',
  'New Zealand Post',
  'NinjaVan',
  'OnTrac',
  'Packeta',
  'Poste Italiane',
  'PostNL',
  'PostNord DK',
  'PostNord NO',
  'PostNord SE',
  'Purolator',
  'Qyun Express',
  'Royal Mail',
  'Sagawa (EN)',
  'SF Express',
  'SFC Fulfillment',
  'Singapore Post',
  'Swiss Post',
  'Tinghao',
  'UPS',
  'USPS',
  'We Post',
  'WMYC',
  'Yamato (EN)',
  'YiFan Express',
  'YunExpress',
] as const;
type LinkedCompany = (typeof LINKED_BY_SHOPIFY)[number];

/** What suppliers write where Shopify writes something else. */
const OTHER_NAMES: readonly (readonly [string, LinkedCompany])[] = [
  ['Amazon Logistics', 'Amazon'],
  ['AusPost', 'Australia Post'],
  ['ChinaPost EMS', 'China Post'],
  ['EMS China', 'China Post'],
  ['ePacket', 'China Post'],
  ['Federal Express', 'FedEx'],
  ['Japan Post', 'Japan Post (EN)'],
  ['La Poste', 'La Poste Colissimo'],
  ['NZ Post', 'New Zealand Post'],
  ['PostNord Denmark', 'PostNord DK'],
  ['PostNord Norway', 'PostNord NO'],
  ['PostNord Sweden', 'PostNord SE'],
  ['Sagawa', 'Sagawa (EN)'],
  ['SingPost', 'Singapore Post'],
  ['United Parcel Service', 'UPS'],
  ['United States Postal Service', 'USPS'],
  ['Yamato', 'Yamato (EN)'],
  ['Yun Tu', 'YunExpress'],
];

/** Their names begin like a linked company's, but they are other carriers with numbers of their own. */
const NAMESAKES = ['Correos Express', 'Correos Chile', 'Correos de Mexico', 'La Poste Burkina Faso'];

const toWords = (name: string): string[] =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

const toKey = (name: string): string => toWords(name).join('');

const COMPANY_OF: ReadonlyMap<string, LinkedCompany | null> = new Map([
  ...LINKED_BY_SHOPIFY.map((company) => [toKey(company), company] as const),
  ...OTHER_NAMES.map(([name, company]) => [toKey(name), company] as const),
  ...NAMESAKES.map((name) => [toKey(name), null] as const),
]);

/** Longest beginning first: suppliers append their service ("USPS Ground Advantage", "DHL eCommerce Asia Plus"). */
function findLinked(carrier: string): LinkedCompany | null {
  const words = toWords(carrier);
  for (let length = words.length; length > 0; length -= 1) {
    const company = COMPANY_OF.get(words.slice(0, length).join(''));
    if (company !== undefined) return company;
  }
  return null;
}

/** A page that follows parcels of any carrier. */
const anyCarrierUrl = (trackingNumber: string): string =>
  `https://t.17track.net/en#nums=${encodeURIComponent(trackingNumber.trim())}`;

const isHttps = (url: string): boolean => URL.parse(url)?.protocol === 'https:';

/** `company` as Shopify spells it. Without `url` Shopify builds the link from company and number. */
export interface TrackingCompany {
  readonly company: string;
  readonly url?: string;
}

/**
 * A supplier's carrier name in Shopify's words; case, blanks and punctuation of the name do not matter. For a carrier
 * that Shopify does not link, the name stays the supplier's own and `url` is the supplier's page if that is an
 * absolute https URL, else 17TRACK's. No name at all becomes `Other`: without a company Shopify would guess one from
 * the look of the number.
 */
export function toTrackingCompany(
  carrier: string | null,
  trackingNumber: string,
  trackingUrl: string | null = null,
): TrackingCompany {
  const name = carrier?.trim().replace(/\s+/g, ' ') ?? '';
  const linked = findLinked(name);
  if (linked !== null) return { company: linked };
  const ownPage = trackingUrl?.trim() ?? '';
  return {
    company: name === '' ? 'Other' : name,
    url: isHttps(ownPage) ? ownPage : anyCarrierUrl(trackingNumber),
  };
}

/** `FulfillmentTrackingInput`, with one number or with several and a link for each. */
type TrackingInput = TrackingCompany &
  ({ readonly number: string } | { readonly numbers: readonly string[]; readonly urls: readonly string[] });

/** A parcel's tracking. The last mile's number goes beside the first one, if it differs. */
export function toTrackingInfo(parcel: {
  readonly trackingNumber: string;
  readonly lastMileTrackingNumber: string | null;
  readonly carrier: string | null;
  readonly trackingUrl: string | null;
}): TrackingInput {
  const number = parcel.trackingNumber.trim();
  const lastMile = parcel.lastMileTrackingNumber?.trim() ?? '';
  const { company, url } = toTrackingCompany(parcel.carrier, number, parcel.trackingUrl);
  if (lastMile === '' || trackingKeyOf(lastMile) === trackingKeyOf(number)) {
    return { company, number, ...(url === undefined ? {} : { url }) };
  }
  // Left to itself Shopify would put the last carrier's number into the first carrier's link.
  return {
    company,
    numbers: [number, lastMile],
    urls: [url ?? anyCarrierUrl(number), anyCarrierUrl(lastMile)],
  };
}

/** The tracking with the numbers of others in the same fulfilment behind its own: what it is given replaces them all. */
export function withOthers(
  tracking: TrackingInput,
  others: readonly { readonly number: string; readonly url: string | null }[],
): TrackingInput {
  if (others.length === 0) return tracking;
  const { company, url } = tracking;
  const own =
    'numbers' in tracking
      ? tracking
      : { numbers: [tracking.number], urls: [url ?? anyCarrierUrl(tracking.number)] };
  return {
    company,
    numbers: [...own.numbers, ...others.map(({ number }) => number)],
    urls: [
      ...own.urls,
      // Shopify builds some links without https, and takes none such.
      ...others.map(({ number, url: theirs }) =>
        theirs !== null && isHttps(theirs) ? theirs : anyCarrierUrl(number),
      ),
    ],
  };
}
