import type { CustomerMail, NotificationKind, OperatorMail } from '../../contracts/vocabulary.ts';

/** What a template may name: texts to write, flags to ask, and lists to go through, whose items have fields of their own. */
export interface Shape {
  readonly [name: string]: 'text' | 'flag' | Shape;
}

/** What a mail of that shape needs. What is not known is an empty text, so that nothing is ever missing. */
export type ViewOf<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends 'text'
    ? string
    : S[K] extends 'flag'
      ? boolean
      : S[K] extends Shape
        ? readonly ViewOf<S[K]>[]
        : never;
};

/** The same for every mail of the shop. */
export const BRAND = {
  brandName: 'text',
  /** https, or empty: then the name stands there. */
  logoUrl: 'text',
  buttonColor: 'text',
  buttonTextColor: 'text',
  linkColor: 'text',
  backgroundColor: 'text',
  supportEmail: 'text',
  footer: 'text',
} as const satisfies Shape;

/** Known to every template, from the mail itself; the subject only to the HTML part. */
export const MAIL = { language: 'text', subject: 'text' } as const satisfies Shape;

const LINE = { title: 'text', units: 'text' } as const satisfies Shape;

const PARCEL = {
  lines: LINE,
  carrier: 'text',
  trackingNumber: 'text',
  trackingUrl: 'text',
  shippedOn: 'text',
  /** By the supplier's quote; empty when it is past already, and in the mail about a delay. */
  expectedBy: 'text',
} as const satisfies Shape;

const ORDER = {
  /** As the customer knows it: "#1042". */
  orderName: 'text',
  customerName: 'text',
} as const satisfies Shape;

const ORDER_CONFIRMED = {
  ...ORDER,
  lines: LINE,
  total: 'text',
  placedOn: 'text',
  /** We have something of it to send. */
  hasParcels: 'flag',
} as const satisfies Shape;

const PARCELS = {
  ...ORDER,
  /** More than one only where several that shipped share a mail. */
  parcels: PARCEL,
  isSeveral: 'flag',
  /** There are units of the order in none of these parcels. */
  isPartial: 'flag',
  /** Of those, the ones that have not left yet. */
  rest: LINE,
  /** Of those, some have left and are not there yet. */
  areOthersUnderWay: 'flag',
} as const satisfies Shape;

const OPERATOR = {
  count: 'text',
  /** How many the list leaves out; empty when none. */
  more: 'text',
} as const satisfies Shape;
const CONCERNED = { orderName: 'text', orderUrl: 'text', since: 'text', details: 'text' } as const;
/** The call that tells all of the order; empty without one. */
const EXPLAINED = { ...CONCERNED, explain: 'text' } as const;

export const SHAPES = {
  order_confirmed: ORDER_CONFIRMED,
  parcel_shipped: PARCELS,
  parcel_in_transit: PARCELS,
  parcel_delayed: PARCELS,
  parcel_delivered: PARCELS,
  order_held: { ...OPERATOR, items: { ...EXPLAINED, reason: 'text', meaning: 'text' } },
  dead_letter: { ...OPERATOR, items: { ...EXPLAINED, message: 'text', waiting: 'text', settle: 'text' } },
  supplier_trouble: {
    ...OPERATOR,
    items: {
      supplier: 'text',
      reason: 'text',
      meaning: 'text',
      orders: 'text',
      since: 'text',
      details: 'text',
    },
  },
  mail_failed: { ...OPERATOR, items: { ...CONCERNED, mail: 'text', isDoubt: 'flag', sendAgain: 'text' } },
  privacy_request: {
    ...OPERATOR,
    items: { number: 'text', shop: 'text', orders: 'text', since: 'text', due: 'text' },
  },
} as const satisfies Record<NotificationKind, Shape>;

export type BrandView = ViewOf<typeof BRAND>;
export type MailView<K extends NotificationKind> = ViewOf<(typeof SHAPES)[K]>;
export type CustomerView = { [K in CustomerMail]: { kind: K; view: MailView<K> } }[CustomerMail];
export type OperatorView = { [K in OperatorMail]: { kind: K; view: MailView<K> } }[OperatorMail];
/** A kind together with what its template says. */
export type AnyMailView = CustomerView | OperatorView;
