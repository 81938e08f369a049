import { z } from 'zod';
import { TIMER_ELAPSED, TimerElapsed } from '../deadlines.ts';
import {
  SUPPLIER_ORDER_CANCEL_CONFIRMED,
  SUPPLIER_ORDER_CANCEL_REFUSED,
  SupplierOrderCancelConfirmed,
  SupplierOrderCancelRefused,
} from './cancel-outcome.ts';
import { DEAD_LETTER_SETTLE_REQUESTED, DeadLetterSettleRequested } from './dead-letter-settlement.ts';
import {
  FULFILLMENT_SYNCED,
  FULFILLMENT_WITHHELD,
  FulfillmentSynced,
  FulfillmentWithheld,
} from './fulfillment-outcome.ts';
import { HELD_IN_SHOP, HeldInShop } from './held-in-shop.ts';
import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  NotificationFailed,
  NotificationSent,
} from './notification-outcome.ts';
import {
  CANCEL_REQUESTED,
  CancelRequested,
  CHANGE_REQUESTED,
  ChangeRequested,
  HOLD_REQUESTED,
  HoldRequested,
  PURCHASE_REQUESTED,
  PurchaseRequested,
  SUPPLIER_ORDER_CANCEL_REQUESTED,
  SUPPLIER_ORDER_CONTENTS_TOLD,
  SUPPLIER_ORDER_RETRY_REQUESTED,
  SupplierOrderCancelRequested,
  SupplierOrderContentsTold,
  SupplierOrderRetryRequested,
} from './operator-requests.ts';
import { ORDER_RECEIVED, ORDER_UPDATED, OrderReceived } from './order-received.ts';
import { ORDER_RISK_ASSESSED, OrderRiskAssessed } from './order-risk-assessed.ts';
import { ORDER_SOURCED, OrderSourced } from './order-sourced.ts';
import { ORDER_VERIFIED, OrderVerified } from './order-verified.ts';
import {
  SUPPLIER_ORDER_ABSENT,
  SUPPLIER_ORDER_ACCEPTED,
  SUPPLIER_ORDER_DEFERRED,
  SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  SUPPLIER_ORDER_PLACED,
  SUPPLIER_ORDER_PLACING,
  SUPPLIER_ORDER_REJECTED,
  SUPPLIER_ORDER_WITHHELD,
  SupplierOrderAbsent,
  SupplierOrderAccepted,
  SupplierOrderDeferred,
  SupplierOrderOutcomeUnknown,
  SupplierOrderPlaced,
  SupplierOrderPlacing,
  SupplierOrderRejected,
  SupplierOrderWithheld,
} from './purchase-outcome.ts';
import { RELEASE_REQUESTED, ReleaseRequested } from './release-requested.ts';
import { SUPPLIER_ORDER_OBSERVED, SupplierOrderObserved } from './supplier-order-observed.ts';
import { SUPPLIER_ORDER_PREPARED, SupplierOrderPrepared } from './supplier-order-prepared.ts';

const event = <T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.object({ type: z.literal(type), data });

/** Everything that may stand in a partition of the event log. */
export const OrderEvent = z.discriminatedUnion('type', [
  event(ORDER_RECEIVED, OrderReceived),
  event(ORDER_UPDATED, OrderReceived),
  event(ORDER_VERIFIED, OrderVerified),
  event(ORDER_RISK_ASSESSED, OrderRiskAssessed),
  event(ORDER_SOURCED, OrderSourced),
  event(HELD_IN_SHOP, HeldInShop),
  event(RELEASE_REQUESTED, ReleaseRequested),
  event(HOLD_REQUESTED, HoldRequested),
  event(CANCEL_REQUESTED, CancelRequested),
  event(CHANGE_REQUESTED, ChangeRequested),
  event(PURCHASE_REQUESTED, PurchaseRequested),
  event(SUPPLIER_ORDER_PREPARED, SupplierOrderPrepared),
  event(SUPPLIER_ORDER_PLACING, SupplierOrderPlacing),
  event(SUPPLIER_ORDER_PLACED, SupplierOrderPlaced),
  event(SUPPLIER_ORDER_ACCEPTED, SupplierOrderAccepted),
  event(SUPPLIER_ORDER_DEFERRED, SupplierOrderDeferred),
  event(SUPPLIER_ORDER_REJECTED, SupplierOrderRejected),
  event(SUPPLIER_ORDER_OUTCOME_UNKNOWN, SupplierOrderOutcomeUnknown),
  event(SUPPLIER_ORDER_ABSENT, SupplierOrderAbsent),
  event(SUPPLIER_ORDER_WITHHELD, SupplierOrderWithheld),
  event(SUPPLIER_ORDER_OBSERVED, SupplierOrderObserved),
  event(SUPPLIER_ORDER_CANCEL_REQUESTED, SupplierOrderCancelRequested),
  event(SUPPLIER_ORDER_CANCEL_CONFIRMED, SupplierOrderCancelConfirmed),
  event(SUPPLIER_ORDER_CANCEL_REFUSED, SupplierOrderCancelRefused),
  event(SUPPLIER_ORDER_CONTENTS_TOLD, SupplierOrderContentsTold),
  event(SUPPLIER_ORDER_RETRY_REQUESTED, SupplierOrderRetryRequested),
  event(FULFILLMENT_SYNCED, FulfillmentSynced),
  event(FULFILLMENT_WITHHELD, FulfillmentWithheld),
  event(NOTIFICATION_SENT, NotificationSent),
  event(NOTIFICATION_FAILED, NotificationFailed),
  event(DEAD_LETTER_SETTLE_REQUESTED, DeadLetterSettleRequested),
  event(TIMER_ELAPSED, TimerElapsed),
]);
export type OrderEvent = z.infer<typeof OrderEvent>;
