import type { ParcelStateName } from '../../contracts/vocabulary.ts';

const RECIPIENT = '(the )?(recipient|receiver|addressee|consignee|customer|buyer)';

/** Where parcels go on from: whoever names one of them as reached has not been to the customer. */
const STAGE = [
  'warehouse',
  'airport',
  'seaport',
  'terminal',
  'depot',
  'facility',
  'line-?haul',
  '(delivery|sorting|distribution|transit|transfer|processing|logistics|exchange) cent(er|re)',
  '(delivery|logistics|shipping|express) (company|partner|provider)',
  '(transit|destination) (country|region|city)',
].join('|');

/** Free text, so the order counts: what only sounds like an arrival comes before the arrivals. */
const WORDS: readonly (readonly [RegExp, ParcelStateName])[] = [
  [/forwarder.*return|return.*forwarder/i, 'exception'],
  [/return|delivered (back )?to (the )?(sender|shipper|seller)/i, 'returned'],
  [/\blost\b/i, 'lost'],
  [/customs.*fail|fail.*customs/i, 'exception'],
  [
    new RegExp(`(refused|rejected|declined|not accepted) by ${RECIPIENT}|${RECIPIENT} (has )?refused`, 'i'),
    'exception',
  ],
  [
    /fail|unsuccessful|undeliver|\bun deliver|(not|n['’]t)( yet)?( be| been)? deliver|unable to (be )?deliver|attempt/i,
    'attempt_failed',
  ],
  [/exception|abnormal|damage|alert|detained|seized|\bheld\b/i, 'exception'],
  [/delay/i, 'delayed'],
  [
    new RegExp(
      `(ready|available|waiting|awaiting)( for| to be)? pick(ed)?[- ]?up by (you\\b|${RECIPIENT})`,
      'i',
    ),
    'available_for_pickup',
  ],
  [
    /(ready|available|waiting|awaiting)( for| to be)?( the)?( (carrier|courier|airline|driver)\b| pick(ed)?[- ]?up by)/i,
    'announced',
  ],
  [
    /(delivered|handed over|pick[- ]?up by|picked up by) (to )?(the )?[\w -]*(carrier|courier|airline|hub|sorting|agent)/i,
    'in_transit',
  ],
  [new RegExp(`(delivered|handed over) to [\\w -]*\\b(${STAGE})\\b`, 'i'), 'in_transit'],
  [/(to|will|shall) be delivered/i, 'in_transit'],
  [/out for delivery|being delivered|delivering/i, 'out_for_delivery'],
  [
    /(ready|available|waiting|awaiting|arrived).*(pick[- ]?up|collect)|pick[- ]?up point/i,
    'available_for_pickup',
  ],
  [/delivered to (the |your )?(local )?(post office|parcel shop|service point)/i, 'available_for_pickup'],
  [new RegExp(`(?<!\\bnot )(picked[- ]?up|collected|received|accepted) by ${RECIPIENT}`, 'i'), 'delivered'],
  [/deliver(ed|y (complete|success))|\bsigned/i, 'delivered'],
  [
    /no (tracking )?info|not found|pending|label|pre-?advice|(shipment|shipping|parcel|order) (information|info|data) /i,
    'announced',
  ],
  [/left (the |cj )?warehouse|outbound|forwarder/i, 'first_scan'],
  [
    /transit|international (leg|transport)|depart|arriv|customs?\b|flight|airport|airline|hub|sorting|carrier|picked up/i,
    'in_transit',
  ],
];

/** What a carrier's own words say about a parcel that has left; null when they say nothing that we know. */
export function parcelStateOfWords(text: string): ParcelStateName | null {
  // Some write a state by its name, as OUT_FOR_DELIVERY or OutForDelivery; in a sentence such letters are one word.
  const words = text.replace(/\s/.test(text.trim()) ? /_/g : /_|(?<=[a-z])(?=[A-Z])/g, ' ');
  return WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? null;
}

/** The address when it is one of the web, else null. */
export const webUrl = (url: string | null): string | null =>
  url !== null && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : null;
