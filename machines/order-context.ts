import { NO_SHOP, type OrderReceived } from '../contracts/events/order-received.ts';
import type { RiskLevel } from '../contracts/events/order-risk-assessed.ts';
import type { OrderRules } from '../contracts/order-rules.ts';
import type { HoldReason, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { HoldScope } from './effect.ts';

/** Where the units of one order line are, besides those on supplier orders. */
export interface LineUnits {
  readonly ordered: number;
  /** Delivered by nobody or by another service: not ours to buy. */
  readonly outside: number;
  readonly unallocated: number;
  readonly held: number;
  readonly cancelled: number;
}

/** What the newest body says of a line. */
export interface ShopUnits {
  /** Ordered, less what was taken away since. */
  readonly units: number;
  /** Of those, ours to deliver and shown by no fulfilment yet, not even by one of ours. */
  readonly ours: number;
  /** The shop gave what is open of it to somebody else's service. */
  readonly isOthers?: true;
  /** It gave them a part of what is open of it, which is not among ours. */
  readonly isShared?: true;
  /** No service has it: the shop has it delivered so, without a carrier. */
  readonly deliveryMethod?: string;
}

export interface SupplierOrderUnits {
  readonly state: SupplierOrderStateName;
  readonly units: Readonly<Record<string, number>>;
  /** Given back while the rest of it went on its way. */
  readonly returned?: Readonly<Record<string, number>>;
  /** Mark of the address that its supplier was told; absent: it was told none yet, or nobody wrote it down. */
  readonly sentTo?: string | undefined;
  /** A parcel of it was delivered, while others were still to come. */
  readonly hasArrived?: true;
}

export interface OpenHold extends HoldScope {
  readonly reason: HoldReason;
  /** Its cause is seen at the supplier, and the hold goes when that is seen no more. */
  readonly isObserved?: true;
  /** The shop holds it as well, and nothing but its own release counts. */
  readonly isHeldInShop?: true;
  /** The purchase is on its way to another address than the order has, and the hold goes when that is so no more. */
  readonly isSentElsewhere?: true;
  /** Somebody shipped its units in the shop before we saw a parcel of them, and the hold goes when that was the parcel. */
  readonly isShippedEarly?: true;
}

/** Of one address: the mark as the shop told it, and the mark as it was read there. */
export interface ShipToMarks {
  readonly shipToMark?: string | undefined;
  readonly shipToMarkRead?: string | undefined;
}

/** Counts, flags and ids only: guards need no more, and nothing here names a person. */
export interface OrderContext {
  readonly orderId: string;
  readonly sourceUpdatedAt: string;
  /** What the order came to by the newest body; absent where none was taken since it is kept here. */
  readonly totalMinor?: number;
  readonly payment: OrderReceived['payment'];
  readonly cancelledInShop: boolean;
  readonly test: boolean;
  readonly hasAddress: boolean;
  /** Of the last whole address that the shop told; absent: none told since it is kept here. */
  readonly shipToMark?: string | undefined;
  /** Of the last one that was read there, and is the same as the one told: shops may write it differently. */
  readonly shipToMarkRead?: string | undefined;
  /** Both marks of the address before, while the one now is known by one of them: they show whether the shop writes alike. */
  readonly shipToBefore?: ShipToMarks | undefined;
  /** Told, while the address is known from readings alone: the next reading says whether it is another one. */
  readonly shipToUnclear?: string | undefined;
  readonly graceOver: boolean;
  /** Brought in as history: nobody is told now that it was received. */
  readonly isHistory?: boolean | undefined;
  /** There is a shop to ask before buying. */
  readonly canBeReread?: boolean | undefined;
  /** Of that question, until all is bought: absent before it is put, or when it has to be put again. */
  readonly verification?: 'asked' | 'done' | undefined;
  readonly round: number;
  readonly lines: Readonly<Record<string, LineUnits>>;
  readonly inShop: Readonly<Record<string, ShopUnits>>;
  readonly supplierOrders: Readonly<Record<string, SupplierOrderUnits>>;
  readonly holds: Readonly<Record<string, OpenHold>>;
  /** As the shop last said; absent: it has not said anything. */
  readonly risk?: RiskLevel;
  /** Ids of holds whose release was a person's "go on with this". */
  readonly accepted?: readonly string[];
  /** Of the newest body that was taken; absent: the usual ones. */
  readonly rules?: OrderRules;
  /** Its database was restored since it was placed: purchases of it may have been forgotten. */
  readonly isFromBackup?: true;
  /** Made by the API: no shop is told of its parcels, and payment is said here. */
  readonly isWithoutShop?: true;
  /** An operator cancelled it here; the shop may still want it. */
  readonly cancelledHere?: true;
  /** `wanted`: to be put away once nothing of it moves any more. */
  readonly archive?: 'wanted' | 'done';
  /** The address was put in here; what the shop says of addresses counts no more. */
  readonly hasAddressHere?: true;
  /** Units by line that were taken back here, of those that the shop still wants. */
  readonly withdrawn?: Readonly<Record<string, number>>;
  /** Units by line that the shop counts no more because they came back after they had been shipped; absent: none. */
  readonly returned?: Readonly<Record<string, number>> | undefined;
}

/** Where the units of a body's lines are before anything is sourced. */
export const unitsOfBody = (received: OrderReceived): OrderContext['lines'] =>
  Object.fromEntries(
    received.lines.map(({ lineId, units, openUnits, deliveredBy }) => {
      const ours = deliveredBy === 'us' ? openUnits : 0;
      const othersHeld = deliveredBy === 'other_service' ? openUnits : 0;
      const outside = units - ours - othersHeld;
      return [lineId, { ordered: units, outside, unallocated: ours, held: othersHeld, cancelled: 0 }];
    }),
  );

export const shopUnitsOf = (received: OrderReceived): OrderContext['inShop'] =>
  Object.fromEntries(
    received.lines.map(({ lineId, units, openUnits, deliveredBy, isShared, deliveryMethod }) => [
      lineId,
      {
        units,
        ours: deliveredBy === 'us' ? openUnits : 0,
        ...(deliveredBy === 'other_service' ? { isOthers: true as const } : {}),
        ...(isShared === undefined ? {} : { isShared }),
        ...(deliveryMethod === undefined ? {} : { deliveryMethod }),
      },
    ]),
  );

/** The mark of a body's address, by how the body came. */
export const marksOf = ({
  reread,
  shipToMark,
}: Pick<OrderReceived, 'reread' | 'shipToMark'>): ShipToMarks => {
  if (shipToMark === undefined) return {};
  return reread === true ? { shipToMarkRead: shipToMark } : { shipToMark };
};

/** The context of an order never seen before. */
export const newOrderContext = (received: OrderReceived): OrderContext => ({
  orderId: received.orderId,
  sourceUpdatedAt: received.sourceUpdatedAt,
  totalMinor: received.totalMinor,
  payment: received.payment,
  cancelledInShop: received.cancelled,
  test: received.test,
  hasAddress: received.hasAddress,
  ...marksOf(received),
  graceOver: false,
  isHistory: received.history,
  canBeReread: received.canBeReread,
  round: 1,
  lines: unitsOfBody(received),
  inShop: shopUnitsOf(received),
  supplierOrders: {},
  holds: {},
  ...(received.rules === undefined ? {} : { rules: received.rules }),
  ...(received.shop === NO_SHOP ? { isWithoutShop: true } : {}),
});
