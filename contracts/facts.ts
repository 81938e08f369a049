import { z } from 'zod';
import { HoldReason } from './vocabulary.ts';

/** What other agents may hear. Past tense; the data says ids and states, never a person. */
export const FACT_TYPES = [
  'order.received',
  'order.updated',
  'order.held',
  'order.released',
  'order.sourced',
  'order.purchased',
  'order.partially_shipped',
  'order.shipped',
  'order.partially_delivered',
  'order.delivered',
  'order.cancelled',
  'supplier_order.created',
  'supplier_order.placing',
  'supplier_order.outcome_unknown',
  'supplier_order.placed',
  'supplier_order.accepted',
  'supplier_order.rejected',
  'supplier_order.shipped',
  'supplier_order.delivered',
  'supplier_order.cancelled',
  'parcel.announced',
  'parcel.first_scan',
  'parcel.in_transit',
  'parcel.out_for_delivery',
  'parcel.available_for_pickup',
  'parcel.attempt_failed',
  'parcel.delayed',
  'parcel.exception',
  'parcel.lost',
  'parcel.returned',
  'parcel.delivered',
  'fulfillment.synced',
  'product.stock_alert',
  'notification.sent',
  'notification.failed',
  'dead_letter.opened',
  'dead_letter.replayed',
  'dead_letter.skipped',
] as const;
export const FactType = z.enum(FACT_TYPES);
export type FactType = z.infer<typeof FactType>;

export const FactData = z.object({
  orderId: z.string(),
  /** Counts the changes of the order: a reader may drop a fact older than one it has seen. */
  version: z.int().optional(),
  supplierOrderId: z.string().optional(),
  parcelId: z.string().optional(),
  lineId: z.string().optional(),
  reason: HoldReason.optional(),
  state: z.string().optional(),
});
export type FactData = z.infer<typeof FactData>;
