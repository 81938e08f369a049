import type { TimerElapsed } from '../contracts/deadlines.ts';
import type { ReceivedLine } from '../contracts/events/order-received.ts';
import type { SourcedLine, SourcedPart } from '../contracts/events/order-sourced.ts';
import type { FactData, FactType } from '../contracts/facts.ts';
import type { ServiceName } from '../contracts/subjects.ts';
import type {
  CustomerMail,
  Evidence,
  HoldReason,
  ParcelStateName,
  SupplierOrderStateName,
} from '../contracts/vocabulary.ts';

export type Timer = Omit<TimerElapsed, 'orderId'>;

/** What a hold hangs on; neither field: the whole order. */
export interface HoldScope {
  readonly lineId?: string | undefined;
  readonly supplierOrderId?: string | undefined;
}

export interface ParcelRecord {
  readonly parcelId: string;
  readonly supplierOrderId: string;
  readonly state: ParcelStateName;
  readonly trackingNumber: string;
  /** Numbers that this one replaced. */
  readonly earlierNumbers: readonly string[];
  readonly lastMileTrackingNumber: string | null;
  readonly carrier: string | null;
  readonly trackingUrl: string | null;
  readonly units: Readonly<Record<string, number>>;
  readonly hasLeft: boolean;
}

/** A purchase to be made. `isQuoted` false: asked for by hand, its variants, method and cost are still to be found. */
export interface PlannedPart extends Omit<SourcedPart, 'lines'> {
  readonly isQuoted: boolean;
  readonly lines: readonly (SourcedLine & {
    readonly properties?: Readonly<Record<string, string>>;
  })[];
}

/** What the supplier order's machine tells its order; both are stepped in one transaction. */
export type ToOrder =
  | {
      type: 'supplier_order.moved';
      data: {
        supplierOrderId: string;
        state: SupplierOrderStateName;
        /** Mark of the address that its supplier was told. */
        sentTo?: string | undefined;
      };
    }
  /** Heard late: the mark of the address that its supplier was told. */
  | { type: 'supplier_order.sent'; data: { supplierOrderId: string; sentTo: string } }
  /** The first of its parcels was delivered, while the rest of it is still to come. */
  | { type: 'supplier_order.arrived'; data: { supplierOrderId: string } }
  /** It came to nothing because it was no longer wanted; `by` the order as a whole, or a person who meant it alone. */
  | { type: 'supplier_order.given_up'; data: { supplierOrderId: string; by: 'order' | 'operator' } }
  | {
      type: 'supplier_order.failed';
      data: {
        supplierOrderId: string;
        /** Said here as well, because an order that this ends listens no more. */
        state: 'rejected' | 'cancelled' | 'lapsed';
        reason: HoldReason;
        evidence: Evidence;
        /** Its units are looked for elsewhere at once; absent: they wait under a hold. */
        isReplaceable?: true;
      };
    }
  /** The supplier cancelled what had not left; what has left stays. */
  | {
      type: 'supplier_order.torn';
      data: {
        supplierOrderId: string;
        rest: Readonly<Record<string, number>>;
        left: Readonly<Record<string, number>>;
        evidence: Evidence;
      };
    }
  /**
   * `isObserved`: its supplier says so of a purchase, as long as no `hold.passed` takes it back. `isShort`: the shop shows
   * less of its parcel than is in it, which is no news where the shop took units away.
   */
  | {
      type: 'hold.raised';
      data: { reason: HoldReason; evidence: Evidence; isObserved?: true; isShort?: true } & HoldScope;
    }
  /**
   * The supplier says no more that anybody has to see to its purchase; or, with `isShown`, the shop shows all of it by its
   * own parcels.
   */
  | { type: 'hold.passed'; data: { supplierOrderId: string; isShown?: true } };

/** What the order's machine tells a supplier order. */
export type ToSupplierOrder = { type: 'order.resumed' } | { type: 'order.cancelled' };

/** Everything a machine can ask for. Data only: the host stores, queues and publishes it. */
export type Effect =
  | { kind: 'command'; service: ServiceName; verb: string; id: string; data: unknown }
  | { kind: 'fact'; type: FactType; data: Omit<FactData, 'orderId' | 'version'> }
  /** `quotedDays` of the lane take the place of the host's own guess. */
  | { kind: 'set_timer'; timer: Timer; quotedDays?: number }
  | { kind: 'cancel_timer'; timer: Timer }
  | { kind: 'open_hold'; holdId: string; reason: HoldReason; scope: HoldScope; evidence: Evidence }
  | { kind: 'close_hold'; holdId: string }
  | { kind: 'save_lines'; lines: readonly ReceivedLine[] }
  | { kind: 'create_supplier_order'; supplierOrderId: string; part: PlannedPart }
  /** `edits` of the draft that was quoted: changed since, it is not the one. */
  | { kind: 'save_quote'; supplierOrderId: string; part: SourcedPart; edits?: number | undefined }
  /** Of the order's drafts: the parcels are to go somewhere else. */
  | { kind: 'forget_quotes' }
  | { kind: 'archive_order' }
  | { kind: 'save_parcel'; parcel: ParcelRecord }
  /** Never left, and what was to be in it is in others: it was a label only. */
  | { kind: 'forget_parcel'; parcelId: string }
  | { kind: 'move_parcel'; parcelId: string; state: ParcelStateName }
  /** A parcel's shipped mail is asked for twice, and the host's setting says which of the two moments counts. */
  | { kind: 'notify'; notification: CustomerMail; parcelId: string | null; on?: 'first_scan' }
  | { kind: 'tell_order'; event: ToOrder }
  | { kind: 'tell_supplier_order'; supplierOrderId: string; event: ToSupplierOrder };
