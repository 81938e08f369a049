import { type DeadlineName, deadlineDelays } from './deadlines.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './durations.ts';
import type { Settings } from './settings.ts';
import type {
  ENDED_ORDERS,
  ENDED_PARCELS,
  ENDED_SUPPLIER_ORDERS,
  OrderStateName,
  ParcelStateName,
  SupplierOrderStateName,
} from './vocabulary.ts';

/** One state in which something waits. */
export interface Wait {
  /**
   * Timers of the machines that end or repeat the wait; one of them is always set, of a parcel until it was late once.
   * Empty: nothing wakes it by itself.
   */
  readonly timers: readonly DeadlineName[];
  /** The longest that it may last, in milliseconds, before somebody has to look. */
  readonly withinMs: (settings: Settings) => number;
  /** What to do then. */
  readonly next: string;
}

const wait = (
  timers: readonly DeadlineName[],
  within: number | ((settings: Settings) => number),
  next: string,
): Wait => ({ timers, withinMs: typeof within === 'number' ? () => within : within, next });

/** The time of a deadline, and some more for whatever has to happen after it. */
const after =
  (deadline: DeadlineName, moreMs: number) =>
  (settings: Settings): number =>
    deadlineDelays(settings)[deadline] + moreMs;

const ASK_SUPPLIER = 'ask the supplier; POST /supplier-orders/{id}/refresh reads its state anew';
const RETRY =
  'POST /supplier-orders/{id}/retry does now what the deadline would do; see the supplier at GET /suppliers';
const ASK_CARRIER = 'ask the carrier or the supplier where the parcel is, and tell the customer';

const ORDER_WAITS: Readonly<Record<Exclude<OrderStateName, (typeof ENDED_ORDERS)[number]>, Wait>> = {
  received: wait(
    [],
    HOUR_MS,
    'read its timeline: an order passes this state at once; cancel it or report a bug',
  ),
  awaiting_payment: wait(
    ['payment'],
    after('payment', DAY_MS),
    'ask the customer for the payment, or cancel the order',
  ),
  grace: wait(
    ['grace', 'verify'],
    after('grace', HOUR_MS),
    'see whether the shop answers (GET /readyz, the log of the shopify service)',
  ),
  sourcing: wait(
    ['sourcing', 'verify'],
    HOUR_MS,
    'see whether the suppliers service runs and its suppliers answer: GET /suppliers',
  ),
  purchasing: wait(
    [],
    2 * DAY_MS,
    'look at its purchases: GET /orders/{id}/explain says which waits for what',
  ),
  awaiting_shipment: wait([], after('ship', 2 * DAY_MS), ASK_SUPPLIER),
  partially_shipped: wait([], after('ship', 10 * DAY_MS), ASK_SUPPLIER),
  shipped: wait([], after('deliver', 2 * DAY_MS), ASK_CARRIER),
  partially_delivered: wait([], after('deliver', 2 * DAY_MS), ASK_CARRIER),
  cancelling: wait(
    ['cancelling'],
    after('cancelling', DAY_MS),
    'ask the supplier whether it gives the purchase up, then release or cancel',
  ),
};

const SUPPLIER_ORDER_WAITS: Readonly<
  Record<Exclude<SupplierOrderStateName, (typeof ENDED_SUPPLIER_ORDERS)[number]>, Wait>
> = {
  draft: wait(['buy'], DAY_MS, RETRY),
  placing: wait(
    ['placing', 'buy'],
    after('placing', HOUR_MS),
    'look for the order at the supplier by its reference',
  ),
  outcome_unknown: wait(
    ['look_up'],
    (settings) => settings.ORDER_MANAGER_DOUBT_WINDOW_SECONDS * 1_000 + 6 * HOUR_MS,
    'look for the order at the supplier by its reference, then POST /supplier-orders/{id}/adopt or …/not-bought; never buy it again by hand before',
  ),
  awaiting_payment: wait(['pay'], DAY_MS, RETRY),
  accepted: wait(['ship'], after('ship', DAY_MS), ASK_SUPPLIER),
  processing: wait(['ship'], after('ship', DAY_MS), ASK_SUPPLIER),
  partially_shipped: wait(['ship'], after('ship', DAY_MS), ASK_SUPPLIER),
  shipped: wait(['deliver'], after('deliver', DAY_MS), ASK_CARRIER),
  cancelling: wait(
    ['cancel', 'cancelling'],
    after('cancelling', HOUR_MS),
    'ask the supplier whether it gives the purchase up',
  ),
};

/** A label alone is no journey: its supplier order waits for the shipment. */
const PARCEL_WAITS: Readonly<Record<Exclude<ParcelStateName, (typeof ENDED_PARCELS)[number]>, Wait>> = {
  announced: wait([], after('ship', DAY_MS), ASK_SUPPLIER),
  first_scan: wait(['transit'], after('transit', DAY_MS), ASK_CARRIER),
  in_transit: wait(['transit'], after('transit', DAY_MS), ASK_CARRIER),
  out_for_delivery: wait(['transit'], after('transit', DAY_MS), ASK_CARRIER),
  available_for_pickup: wait([], 10 * DAY_MS, 'remind the customer to fetch it before it goes back'),
  attempt_failed: wait([], 5 * DAY_MS, 'ask the customer and the carrier for a new attempt'),
  exception: wait(['transit'], 5 * DAY_MS, ASK_CARRIER),
  delayed: wait([], 15 * DAY_MS, ASK_CARRIER),
};

/**
 * Everything that waits for somebody or something, by what it is and in which state: how long it may, what wakes it,
 * and what to do when that did not help. The one table of deadlines: the watchdog, the guide and the tests read it.
 */
export const WAITS = {
  order: ORDER_WAITS,
  supplier_order: SUPPLIER_ORDER_WAITS,
  parcel: PARCEL_WAITS,
  fulfillment: {
    asked: wait(['fulfill'], DAY_MS, 'see whether the shop answers, and its fulfilment orders of this order'),
  },
  hold: {
    open: wait([], 3 * DAY_MS, 'do what GET /holds suggests, then POST /holds/{id}/release'),
  },
  mail: {
    pending: wait([], HOUR_MS, 'see whether the notifier runs and its mail server takes mails'),
    sending: wait([], HOUR_MS, 'see whether the notifier runs: it ends what a dead process left behind'),
    failed: wait(
      [],
      0,
      'put the right address with PUT /orders/{id} (contact.email) and send it with POST /orders/{id}/mails/send-again, or tell the customer yourself',
    ),
    doubt: wait(
      [],
      0,
      'look into the log of the mail server: it may have been delivered, and is sent again by POST /orders/{id}/mails/send-again only',
    ),
  },
  message: {
    unpublished: wait(
      [],
      MINUTE_MS,
      'see whether NATS runs and has room: the order host publishes what is left',
    ),
  },
  dead_letter: {
    event: wait([], HOUR_MS, 'POST /dead-letters/{id}/replay, skip or edit'),
    command: wait([], HOUR_MS, 'POST /dead-letters/{id}/replay or skip'),
    webhook: wait([], HOUR_MS, 'POST /dead-letters/{id}/replay, skip or edit'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Wait>>>>;

export const WAITING_KINDS = Object.keys(WAITS) as [keyof typeof WAITS];
export type WaitingKind = keyof typeof WAITS;

/** For whatever is on its way just when somebody looks. */
export const TOLERANCE_SECONDS = 600;

/** The states of a kind with their waits. */
export const waitsOf = (kind: WaitingKind): [string, Wait][] => Object.entries(WAITS[kind]);
