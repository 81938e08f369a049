import type { CustomerMail, HoldReason } from '../contracts/vocabulary.ts';
import { customerView, type OrderFacts, type ParcelFacts } from '../services/notifier/customer-view.ts';
import { formatCount, formatDate } from '../services/notifier/locale.ts';
import type { AnyMailView, OperatorView } from '../services/notifier/mail-shape.ts';
import type { Templates } from '../services/notifier/templates.ts';

/** The instant that the samples are written at. */
const NOW = new Date('2026-11-26T12:00:00Z');
const DAY_MS = 86_400_000;

const parcel = (
  number: string,
  units: ParcelFacts['units'],
  daysAgo: number,
  deliveryDays: number | null,
): ParcelFacts => ({
  id: `pcl_${number}`,
  carrier: 'La Poste',
  trackingNumber: number,
  trackingUrl: `https://track.example/find?number=${number}&lang=en`,
  units,
  leftAtMs: NOW.getTime() - daysAgo * DAY_MS,
  hasEnded: false,
  isAstray: false,
  deliveryDays,
});

const FIRST = parcel('LX123456789FR', { 1: 2 }, 3, 12);
const SECOND = parcel('YT2600000000000000000042', { 2: 1, 3: 1 }, 2, null);
const LATE = parcel('LX123456789FR', { 1: 2 }, 33, 12);
const BARE: ParcelFacts = { ...SECOND, carrier: null, trackingUrl: null };

/** Several lines and parcels, and everything that a careless template would trip over. */
const ORDER: OrderFacts = {
  orderName: '#1042',
  customerName: 'Zoé O’Malley & <Söhne>',
  locale: null,
  totalMinor: 123_450,
  currency: 'EUR',
  placedAt: '2026-11-20T23:30:00-05:00',
  timeZone: 'America/New_York',
  lines: [
    { lineId: '1', title: 'Enamel mug “Été”, <b>red</b> & white', ordered: 2, cancelled: 0, outside: 0 },
    {
      lineId: '2',
      title: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen-Sammlerausgabe',
      ordered: 1,
      cancelled: 0,
      outside: 0,
    },
    { lineId: '3', title: 'Tent pegs', ordered: 1_200, cancelled: 0, outside: 0 },
  ],
  parcels: [FIRST],
};

/** As little as an order can have: no name, one article. */
const SPARSE: OrderFacts = {
  ...ORDER,
  customerName: null,
  lines: [{ lineId: '1', title: 'Moon lamp', ordered: 1, cancelled: 0, outside: 0 }],
  parcels: [{ ...BARE, units: { 1: 1 } }],
};

/** A gift card, say. */
const SENT_BY_OTHERS: OrderFacts = {
  ...SPARSE,
  lines: [{ lineId: '1', title: 'Gift card', ordered: 1, cancelled: 0, outside: 1 }],
};

/** What stands in the operator's mails, in the words of the language. */
function operatorSamples({ reasonsIn }: Templates, language: string): OperatorView[] {
  const reasons = reasonsIn(language);
  const because = (reason: HoldReason) => ({ reason, meaning: reasons[reason] });
  const concerned = {
    orderName: '#1042',
    orderUrl: 'https://my-shop.myshopify.com/admin/orders/5500000000001',
    since: formatDate(NOW, language),
    details: 'code: 1600200, message: <Insufficient> "stock" & more',
  };
  const explain = 'GET /orders/ord_20wmtjkdkoioc/explain';
  const sendAgain = 'POST /orders/ord_20wmtjkdkoioc/mails/send-again';
  const two = { count: formatCount(2, language), more: '' };
  return [
    {
      kind: 'order_held',
      view: {
        count: formatCount(1_234, language),
        more: formatCount(1_232, language),
        items: [
          { ...concerned, explain, ...because('out_of_stock') },
          { ...concerned, explain, ...because('unmapped_line'), orderName: '#1043', details: '' },
        ],
      },
    },
    {
      kind: 'dead_letter',
      view: {
        ...two,
        items: [
          {
            ...concerned,
            explain,
            message: 'oms.evt.17.order.updated.ord_20wmtjkdkoioc',
            waiting: '3',
            settle: 'POST /dead-letters/17/replay, skip, edit',
          },
          {
            ...concerned,
            orderName: '',
            orderUrl: '',
            explain: '',
            message: 'oms.cmd.suppliers.buy.sup_ord_1',
            waiting: '',
            settle: 'POST /dead-letters/18/replay, skip',
          },
        ],
      },
    },
    {
      kind: 'supplier_trouble',
      view: {
        count: '1',
        more: '',
        items: [
          {
            ...because('insufficient_funds'),
            supplier: 'cj_dropshipping',
            orders: '37',
            since: concerned.since,
            details: '',
          },
        ],
      },
    },
    {
      kind: 'mail_failed',
      view: {
        ...two,
        items: [
          {
            ...concerned,
            mail: 'parcel_shipped',
            sendAgain,
            isDoubt: false,
            details: 'reply: 550, status: 5.1.1',
          },
          {
            ...concerned,
            orderName: '#1043',
            mail: 'order_confirmed',
            sendAgain,
            isDoubt: true,
            details: 'code: ETIMEDOUT',
          },
        ],
      },
    },
    {
      kind: 'privacy_request',
      view: {
        count: formatCount(1, language),
        more: '',
        items: [
          {
            number: '7',
            shop: 'sandbox-shop.myshopify.com',
            orders: formatCount(2, language),
            since: concerned.since,
            due: concerned.since,
          },
        ],
      },
    },
  ];
}

interface Sample {
  /** Kind, and what is special about it. */
  readonly name: string;
  readonly mail: AnyMailView;
}

/** Every mail from sample orders, in the words of one language; some kinds in several variants. */
export function sampleMails(templates: Templates, language: string): Sample[] {
  const sample = (
    variant: string,
    kind: CustomerMail,
    parcels: readonly ParcelFacts[] = [],
    order: OrderFacts = { ...ORDER, parcels },
  ): Sample => ({
    name: `${kind}${variant}`,
    mail: customerView(
      kind,
      order,
      parcels.map(({ id }) => id),
      { language, now: NOW },
    ),
  });
  const whole = { ...FIRST, units: { 1: 2, 2: 1, 3: 1_200 } };
  return [
    sample('', 'order_confirmed'),
    sample('-sparse', 'order_confirmed', [], SPARSE),
    sample('-nothing-to-send', 'order_confirmed', [], SENT_BY_OTHERS),
    sample('', 'parcel_shipped', [FIRST]),
    sample('-digest', 'parcel_shipped', [FIRST, SECOND]),
    sample('-whole', 'parcel_shipped', [whole]),
    sample('-sparse', 'parcel_shipped', SPARSE.parcels, SPARSE),
    sample('', 'parcel_in_transit', [FIRST]),
    sample('', 'parcel_delayed', [LATE]),
    sample('', 'parcel_delivered', [FIRST], { ...ORDER, parcels: [FIRST, SECOND] }),
    sample('-last', 'parcel_delivered', [FIRST], {
      ...ORDER,
      parcels: [{ ...SECOND, units: { 2: 1, 3: 1_200 }, hasEnded: true }, FIRST],
    }),
    sample('-sparse', 'parcel_delivered', SPARSE.parcels, SPARSE),
    ...operatorSamples(templates, language).map((mail) => ({ name: mail.kind, mail })),
  ];
}
