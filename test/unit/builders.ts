import { type DeadlineName, TIMER_ELAPSED } from '../../contracts/deadlines.ts';
import {
  SUPPLIER_ORDER_CANCEL_CONFIRMED,
  SUPPLIER_ORDER_CANCEL_REFUSED,
} from '../../contracts/events/cancel-outcome.ts';
import {
  FULFILLMENT_SYNCED,
  FULFILLMENT_WITHHELD,
  type FulfillmentSynced,
} from '../../contracts/events/fulfillment-outcome.ts';
import { HELD_IN_SHOP } from '../../contracts/events/held-in-shop.ts';
import { NOTIFICATION_FAILED, NOTIFICATION_SENT } from '../../contracts/events/notification-outcome.ts';
import {
  CANCEL_REQUESTED,
  CHANGE_REQUESTED,
  type ChangeRequested,
  HOLD_REQUESTED,
  PURCHASE_REQUESTED,
  SUPPLIER_ORDER_CANCEL_REQUESTED,
  SUPPLIER_ORDER_CONTENTS_TOLD,
  SUPPLIER_ORDER_RETRY_REQUESTED,
} from '../../contracts/events/operator-requests.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import {
  ORDER_RECEIVED,
  ORDER_UPDATED,
  type OrderReceived,
  type ReceivedLine,
} from '../../contracts/events/order-received.ts';
import { ORDER_RISK_ASSESSED, type RiskLevel } from '../../contracts/events/order-risk-assessed.ts';
import { ORDER_SOURCED, type OrderSourced, type SourcedPart } from '../../contracts/events/order-sourced.ts';
import { ORDER_VERIFIED, type OrderVerified } from '../../contracts/events/order-verified.ts';
import {
  SUPPLIER_ORDER_ABSENT,
  SUPPLIER_ORDER_ACCEPTED,
  SUPPLIER_ORDER_DEFERRED,
  SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  SUPPLIER_ORDER_PLACED,
  SUPPLIER_ORDER_PLACING,
  SUPPLIER_ORDER_REJECTED,
  SUPPLIER_ORDER_WITHHELD,
} from '../../contracts/events/purchase-outcome.ts';
import { RELEASE_REQUESTED } from '../../contracts/events/release-requested.ts';
import {
  type ObservedParcel,
  SUPPLIER_ORDER_OBSERVED,
  type SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import { SUPPLIER_ORDER_PREPARED } from '../../contracts/events/supplier-order-prepared.ts';
import { orderIdOf, supplierOrderIdOf } from '../../contracts/ids.ts';
import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';

export const SHOP = 'lantern-and-larch.myshopify.com';
export const ORDER_ID = orderIdOf(SHOP, '5550001112223334445');

export const aLine = (over: Partial<ReceivedLine> = {}): ReceivedLine => {
  const units = over.units ?? 2;
  return {
    lineId: 'L1',
    variantId: '41234567890123456',
    productId: '71234567890123456',
    sku: 'MUG-RED',
    title: 'Enamel mug',
    unitPriceMinor: 1_990,
    units,
    openUnits: units,
    deliveredBy: 'us',
    ...over,
  };
};

/** Paid, with an address, one line `L1` of two units, unless told otherwise. */
export const aReceivedOrder = (over: Partial<OrderReceived> = {}): OrderReceived => ({
  orderId: ORDER_ID,
  shop: SHOP,
  shopOrderId: '5550001112223334445',
  name: '#1042',
  currency: 'EUR',
  totalMinor: 3_980,
  placedAt: '2026-11-22T09:00:00+01:00',
  sourceUpdatedAt: '2026-11-22T08:00:00.000Z',
  test: false,
  cancelled: false,
  payment: 'paid',
  hasAddress: true,
  lines: [aLine()],
  ...over,
});

export const received = (over?: Partial<OrderReceived>): OrderEvent => ({
  type: ORDER_RECEIVED,
  data: aReceivedOrder(over),
});

/** Hours after the first body. */
export const at = (hour: number): { sourceUpdatedAt: string } => ({
  sourceUpdatedAt: `2026-11-22T${String(8 + hour).padStart(2, '0')}:00:00.000Z`,
});

/** A later body: an hour after the first one, unless told otherwise. */
export const updated = (over?: Partial<OrderReceived>): OrderEvent => ({
  type: ORDER_UPDATED,
  data: aReceivedOrder({ sourceUpdatedAt: '2026-11-22T09:00:00.000Z', ...over }),
});

/** Buys the given units, one supplier piece each, in one part. */
export const aPart = (
  units: Readonly<Record<string, number>> = { L1: 2 },
  over: Partial<SourcedPart> = {},
): SourcedPart => ({
  supplier: 'cj_dropshipping',
  part: 'CN',
  shippingMethod: 'CJPacket Ordinary',
  shipsFrom: 'CN',
  expectedCostMinor: 840,
  currency: 'USD',
  lines: Object.entries(units).map(([lineId, count]) => ({
    lineId,
    units: count,
    supplierProductId: `p-${lineId}`,
    supplierVariantId: `v-${lineId}`,
    supplierUnits: count,
  })),
  ...over,
});

const aSourcedOrder = (over: Partial<OrderSourced> = {}): OrderSourced => ({
  orderId: ORDER_ID,
  round: 1,
  parts: [aPart()],
  refused: [],
  ...over,
});

/** The shop's last word before buying: nothing else than what is known, unless told otherwise. */
export const heldInShop = (reason: HoldReason = 'fraud_review'): OrderEvent => ({
  type: HELD_IN_SHOP,
  data: { orderId: ORDER_ID, reason, evidence: { heldInShop: 'HIGH_RISK_OF_FRAUD' } },
});

export const verified = (over: Partial<OrderVerified> = {}): OrderEvent => ({
  type: ORDER_VERIFIED,
  data: { orderId: ORDER_ID, body: null, holds: [], ...over },
});

export const sourced = (over?: Partial<OrderSourced>): OrderEvent => ({
  type: ORDER_SOURCED,
  data: aSourcedOrder(over),
});

/** The plan says no to these lines. */
export const refusedLines = (
  reason: HoldReason,
  lineIds: readonly string[],
  over?: Partial<OrderSourced>,
): OrderEvent =>
  sourced({
    parts: [],
    refused: lineIds.map((lineId) => ({ lineId, reason, evidence: { variant: 'unknown' } })),
    ...over,
  });

/** The whole order must not be bought. */
export const stoppedPlan = (reason: HoldReason, over?: Partial<OrderSourced>): OrderEvent =>
  sourced({ stops: [{ reason, evidence: { costMinor: 900 } }], ...over });

export const riskAssessed = (level: RiskLevel): OrderEvent => ({
  type: ORDER_RISK_ASSESSED,
  data: { orderId: ORDER_ID, level, evidence: { provider: 'shop' } },
});

export const releaseRequested = (reason: HoldReason, lineIds?: string[]): OrderEvent => ({
  type: RELEASE_REQUESTED,
  data: { orderId: ORDER_ID, reason, ...(lineIds === undefined ? {} : { lineIds }) },
});

export const elapsed = (deadline: DeadlineName, supplierOrderId?: string, parcelId?: string): OrderEvent => ({
  type: TIMER_ELAPSED,
  data: {
    orderId: ORDER_ID,
    deadline,
    ...(supplierOrderId === undefined ? {} : { supplierOrderId }),
    ...(parcelId === undefined ? {} : { parcelId }),
  },
});

export const cjOrder = (part: string, round = 1): string =>
  supplierOrderIdOf(ORDER_ID, 'cj_dropshipping', part, round);

/** The supplier order that {@link sourced} leads to. */
export const SUPPLIER_ORDER_ID = cjOrder('CN');

const attempted = (supplierOrderId: string, attempt: number) => ({
  orderId: ORDER_ID,
  supplierOrderId,
  attempt,
});

export const placing = (
  supplierOrderId = SUPPLIER_ORDER_ID,
  attempt = 1,
  more: { shipToMark?: string } = {},
): OrderEvent => ({
  type: SUPPLIER_ORDER_PLACING,
  data: { ...attempted(supplierOrderId, attempt), ...more },
});

export const placed = (
  supplierOrderId = SUPPLIER_ORDER_ID,
  attempt = 1,
  more: { heldBack?: string } = {},
): OrderEvent => ({
  type: SUPPLIER_ORDER_PLACED,
  data: {
    ...attempted(supplierOrderId, attempt),
    supplierReference: 'SD2611220001',
    amountMinor: 840,
    ...more,
  },
});

export const accepted = (supplierOrderId = SUPPLIER_ORDER_ID, attempt = 1): OrderEvent => ({
  type: SUPPLIER_ORDER_ACCEPTED,
  data: { ...attempted(supplierOrderId, attempt), supplierReference: 'SD2611220001', amountMinor: 840 },
});

export const deferred = (supplierOrderId = SUPPLIER_ORDER_ID, attempt = 1): OrderEvent => ({
  type: SUPPLIER_ORDER_DEFERRED,
  data: { ...attempted(supplierOrderId, attempt), evidence: { code: 1_600_200 } },
});

export const rejected = (
  failureClass: FailureClass = 'unavailable',
  supplierOrderId = SUPPLIER_ORDER_ID,
  attempt = 1,
  over: Evidence = {},
): OrderEvent => ({
  type: SUPPLIER_ORDER_REJECTED,
  data: { ...attempted(supplierOrderId, attempt), failureClass, evidence: { code: 1_603_000, ...over } },
});

/** Refused, and its mapping has another candidate that has not been. */
export const replaceable = (
  supplierOrderId = SUPPLIER_ORDER_ID,
  failureClass: FailureClass = 'unavailable',
): OrderEvent => ({
  type: SUPPLIER_ORDER_REJECTED,
  data: { ...attempted(supplierOrderId, 1), failureClass, evidence: {}, isReplaceable: true },
});

export const outcomeUnknown = (supplierOrderId = SUPPLIER_ORDER_ID, attempt = 1): OrderEvent => ({
  type: SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  data: { ...attempted(supplierOrderId, attempt), evidence: { cause: 'timeout' } },
});

export const absent = (supplierOrderId = SUPPLIER_ORDER_ID, attempt = 1): OrderEvent => ({
  type: SUPPLIER_ORDER_ABSENT,
  data: { ...attempted(supplierOrderId, attempt), lookUps: 2 },
});

export const withheld = (
  reason: HoldReason = 'insufficient_funds',
  supplierOrderId = SUPPLIER_ORDER_ID,
  attempt = 1,
  evidence: Evidence = { mode: 'off' },
): OrderEvent => ({
  type: SUPPLIER_ORDER_WITHHELD,
  data: { ...attempted(supplierOrderId, attempt), reason, evidence },
});

export const TRACKING_NUMBER = 'CJPKL7100001234YQ';

export const aParcel = (over: Partial<ObservedParcel> = {}): ObservedParcel => ({
  trackingNumber: TRACKING_NUMBER,
  lastMileTrackingNumber: null,
  carrier: 'CJPacket',
  trackingUrl: null,
  state: 'in_transit',
  ...over,
});

export const observed = (
  status: SupplierOrderObserved['status'],
  parcels: ObservedParcel[] = [],
  supplierOrderId = SUPPLIER_ORDER_ID,
  over: Pick<SupplierOrderObserved, 'attention' | 'isAttentive'> = {},
): OrderEvent => ({
  type: SUPPLIER_ORDER_OBSERVED,
  data: { orderId: ORDER_ID, supplierOrderId, status, parcels, evidence: { status }, ...over },
});

/** By a person's word the shop is not told of it. */
export const letBe = (parcelId: string, supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: FULFILLMENT_SYNCED,
  data: { orderId: ORDER_ID, supplierOrderId, parcelId, shopFulfillmentId: null, how: 'let_be' },
});

export const synced = (
  parcelId: string,
  supplierOrderId = SUPPLIER_ORDER_ID,
  more: Partial<FulfillmentSynced> = {},
): OrderEvent => ({
  type: FULFILLMENT_SYNCED,
  data: {
    orderId: ORDER_ID,
    supplierOrderId,
    parcelId,
    shopFulfillmentId: '4455667788990011223',
    how: 'created',
    ...more,
  },
});

export const fulfillmentWithheld = (parcelId: string, supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: FULFILLMENT_WITHHELD,
  data: {
    orderId: ORDER_ID,
    supplierOrderId,
    parcelId,
    reason: 'fulfillment_not_ours',
    evidence: { cause: 'moved location' },
  },
});

export const fulfillmentUndone = (
  parcelId: string,
  undoneFulfillmentId = '4455667788990011223',
  supplierOrderId = SUPPLIER_ORDER_ID,
): OrderEvent => ({
  type: FULFILLMENT_WITHHELD,
  data: {
    orderId: ORDER_ID,
    supplierOrderId,
    parcelId,
    reason: 'fulfillment_not_ours',
    evidence: { cause: 'cancelled in the shop' },
    undoneFulfillmentId,
  },
});

export const mailSent = (): OrderEvent => ({
  type: NOTIFICATION_SENT,
  data: { orderId: ORDER_ID, notificationId: 'ntf_1', kind: 'order_confirmed' },
});

export const mailFailed = (): OrderEvent => ({
  type: NOTIFICATION_FAILED,
  data: {
    orderId: ORDER_ID,
    notificationId: 'ntf_1',
    kind: 'order_confirmed',
    doubt: false,
    evidence: { code: 550 },
  },
});

export const holdRequested = (lineId?: string): OrderEvent => ({
  type: HOLD_REQUESTED,
  data: { orderId: ORDER_ID, ...(lineId === undefined ? {} : { lineId }) },
});

export const cancelRequested = (): OrderEvent => ({ type: CANCEL_REQUESTED, data: { orderId: ORDER_ID } });

export const changeRequested = (change: Omit<ChangeRequested, 'orderId'>): OrderEvent => ({
  type: CHANGE_REQUESTED,
  data: { orderId: ORDER_ID, ...change },
});

/** Asked for by hand; the id of the supplier order that it makes. */
export const BY_HAND = cjOrder('by hand', 0);

export const purchaseRequested = (
  units: Readonly<Record<string, number>> = { L1: 2 },
  newSupplierOrderId = BY_HAND,
): OrderEvent => ({
  type: PURCHASE_REQUESTED,
  data: {
    orderId: ORDER_ID,
    newSupplierOrderId,
    supplier: 'cj_dropshipping',
    shippingMethod: '',
    lines: Object.entries(units).map(([lineId, count]) => ({
      lineId,
      units: count,
      supplierProductId: `p-${lineId}`,
      supplierVariantId: '',
      properties: { Color: 'Blue' },
    })),
  },
});

export const prepared = (
  units?: Readonly<Record<string, number>>,
  supplierOrderId = BY_HAND,
): OrderEvent => ({
  type: SUPPLIER_ORDER_PREPARED,
  data: { orderId: ORDER_ID, supplierOrderId, part: aPart(units) },
});

const aimedAt = (supplierOrderId: string) => ({ orderId: ORDER_ID, supplierOrderId });

export const supplierCancelRequested = (supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: SUPPLIER_ORDER_CANCEL_REQUESTED,
  data: aimedAt(supplierOrderId),
});

export const contentsTold = (
  trackingNumber: string,
  units: Readonly<Record<string, number>>,
  supplierOrderId = SUPPLIER_ORDER_ID,
): OrderEvent => ({
  type: SUPPLIER_ORDER_CONTENTS_TOLD,
  data: { ...aimedAt(supplierOrderId), trackingNumber, units },
});

export const retryRequested = (supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: SUPPLIER_ORDER_RETRY_REQUESTED,
  data: aimedAt(supplierOrderId),
});

export const cancelConfirmed = (supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: SUPPLIER_ORDER_CANCEL_CONFIRMED,
  data: { ...aimedAt(supplierOrderId), evidence: {} },
});

export const cancelRefused = (isPaid: boolean, supplierOrderId = SUPPLIER_ORDER_ID): OrderEvent => ({
  type: SUPPLIER_ORDER_CANCEL_REFUSED,
  data: { ...aimedAt(supplierOrderId), isPaid, evidence: { code: 1_603_002 } },
});
