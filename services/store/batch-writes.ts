import type {
  Evidence,
  HoldReason,
  ParcelStateName,
  SupplierName,
  UnitChangeCause,
} from '../../contracts/vocabulary.ts';
import type { DeadLetterRow, LetterChange } from './dead-letters.ts';
import type { NewNotification } from './notifications.ts';
import type { OutboxRow } from './outbox.ts';

export interface NewOrder {
  id: string;
  shop: string;
  shop_order_id: string;
  name: string;
  currency: string;
  total_minor: number;
  placed_at: string;
  created_at: string;
  state: string;
  context: object;
  version: number;
  machine_version: number;
}

export interface OrderLineRow {
  readonly order_id: string;
  readonly line_id: string;
  readonly position: number;
  readonly variant_id: string | null;
  readonly product_id: string | null;
  readonly sku: string | null;
  readonly title: string;
  readonly unit_price_minor: number;
}

export interface NewSupplierOrder {
  id: string;
  order_id: string;
  supplier: SupplierName;
  shipping_method: string;
  ships_from: string;
  expected_cost_minor: number;
  currency: string;
  /** False: asked for by hand; articles, method and cost are still to be found. */
  is_quoted: boolean;
  /** Mark of the address that it was quoted for. */
  quoted_for: string | null;
  /** The lists of orders by supplier run along it. */
  order_created_at: string;
  /** As quoted, from the supplier's door. */
  delivery_days: number | null;
}

/** What an accepted event did; `data` is what a replay needs, null where nothing changed. */
export interface TimelineRow {
  readonly order_id: string;
  readonly message_id: string;
  readonly type: string;
  readonly accepted: boolean;
  readonly from_state: string | null;
  readonly to_state: string | null;
  readonly supplier_order_id: string | null;
  readonly supplier_from: string | null;
  readonly supplier_to: string | null;
  /** Who said it: the path of a service, as its messages name their source. */
  readonly actor: string;
  /** Message that led to this one. */
  readonly cause: string | null;
  readonly data: object | null;
  /** Of the host's machines. */
  readonly machine_version: number;
}

export interface UnitChangeRow {
  readonly order_id: string;
  readonly line_id: string;
  readonly message_id: string;
  readonly cause: UnitChangeCause;
  /** Differences. */
  readonly ordered: number;
  readonly cancelled: number;
}

export interface QuoteRow {
  readonly id: string;
  readonly shipping_method: string;
  readonly ships_from: string;
  readonly expected_cost_minor: number;
  readonly currency: string;
  readonly quoted_for: string | null;
  /** Of the draft that was quoted; null: not known. */
  readonly edits: number | null;
}

export interface ParcelRow {
  readonly id: string;
  readonly order_id: string;
  readonly supplier_order_id: string;
  readonly state: string;
  readonly tracking_number: string;
  /** Those that it replaced; null for none. */
  readonly earlier_numbers: readonly string[] | null;
  readonly last_mile_tracking_number: string | null;
  readonly carrier: string | null;
  readonly tracking_url: string | null;
  readonly units: Readonly<Record<string, number>>;
  /** ISO instant; a later one than what is stored does not count. */
  readonly left_at: string | null;
}

export interface TimerRow {
  readonly order_id: string;
  readonly key: string;
  readonly deadline: string;
  readonly supplier_order_id: string | null;
  readonly parcel_id: string | null;
  readonly delay_ms: number | null;
  /** W3C Trace Context of the event that sets it. */
  readonly traceparent?: string | undefined;
}

/** Everything that one batch writes besides its position, in rows as the tables have them. */
export interface BatchWrites {
  readonly newOrders: NewOrder[];
  readonly orderLines: OrderLineRow[];
  readonly changedOrders: {
    id: string;
    version: number;
    changes: number;
    /** Null: as it was. */
    total_minor: number | null;
    state: string;
    context: object;
  }[];
  /** `state` and `context` are filled in when the batch is through. */
  readonly newSupplierOrders: NewSupplierOrder[];
  readonly supplierOrderLines: object[];
  /** Quotes of purchases that were asked for by hand, with what was found for their lines. */
  readonly quotes: QuoteRow[];
  readonly quotedLines: object[];
  readonly changedSupplierOrders: {
    id: string;
    version: number;
    state: string;
    context: object;
    watched: boolean;
  }[];
  readonly parcels: ParcelRow[];
  /** New states of parcels of which nothing else is known anew. */
  readonly movedParcels: Map<string, ParcelStateName>;
  /** Labels that were replaced before they left. */
  readonly forgottenParcels: Set<string>;
  readonly openedHolds: {
    id: string;
    order_id: string;
    reason: HoldReason;
    line_id: string | null;
    supplier_order_id: string | null;
    evidence: Evidence;
    /** Of the order: the lists of orders by hold reason run along it. */
    order_created_at: string;
  }[];
  readonly closedHolds: string[];
  readonly notifications: NewNotification[];
  /** By order and key: the last word of the batch counts. A null delay cancels. */
  readonly timers: Map<string, TimerRow>;
  readonly timeline: TimelineRow[];
  readonly unitChanges: UnitChangeRow[];
  /** Orders that are to be sent to another address. */
  readonly movedAway: string[];
  /** Orders that are put away. */
  readonly archived: string[];
  readonly deadLetters: DeadLetterRow[];
  readonly changedLetters: LetterChange[];
  readonly outbox: OutboxRow[];
}

export const noWrites = (): BatchWrites => ({
  newOrders: [],
  orderLines: [],
  changedOrders: [],
  newSupplierOrders: [],
  supplierOrderLines: [],
  quotes: [],
  quotedLines: [],
  changedSupplierOrders: [],
  parcels: [],
  movedParcels: new Map(),
  forgottenParcels: new Set(),
  openedHolds: [],
  closedHolds: [],
  notifications: [],
  timers: new Map(),
  timeline: [],
  unitChanges: [],
  movedAway: [],
  archived: [],
  deadLetters: [],
  changedLetters: [],
  outbox: [],
});
