import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';

/** What a person asks for by the API. Names of people, addresses and notes stay in the database. */
const OfOrder = z.object({ orderId: z.string() });
const OfSupplierOrder = OfOrder.extend({ supplierOrderId: z.string() });

/** Nothing goes on until this hold is released; without a line of the whole order. */
export const HOLD_REQUESTED = 'order.hold_requested';
export const HoldRequested = OfOrder.extend({ lineId: z.string().optional() });
export type HoldRequested = z.infer<typeof HoldRequested>;

/** Give up what can still be given up, and put the order away once nothing of it moves any more. */
export const CANCEL_REQUESTED = 'order.cancel_requested';
export const CancelRequested = OfOrder;
export type CancelRequested = z.infer<typeof CancelRequested>;

/** The customer's details were changed here, or fewer units are wanted. Taken whole or not at all. */
export const CHANGE_REQUESTED = 'order.change_requested';
export const ChangeRequested = OfOrder.extend({
  /** A complete address was put into the customer's row; later bodies of the shop do not replace it. */
  hasAddress: z.literal(true).optional(),
  /** Only for orders that no shop stands behind: there nobody else says it. */
  payment: z.literal('paid').optional(),
  /** Units that are wanted from now on, by line; never more than before. */
  units: z.record(z.string(), z.int().nonnegative()).optional(),
});
export type ChangeRequested = z.infer<typeof ChangeRequested>;

export const RequestedArticle = z.object({
  lineId: z.string(),
  units: z.int().positive(),
  supplierProductId: z.string(),
  /** Empty: the suppliers service finds it by the properties before anything is bought. */
  supplierVariantId: z.string(),
  properties: z.record(z.string(), z.string()),
});
export type RequestedArticle = z.infer<typeof RequestedArticle>;

/** Buy these units of the order here and not by sourcing. */
export const PURCHASE_REQUESTED = 'order.purchase_requested';
export const PurchaseRequested = OfOrder.extend({
  /** Of the supplier order to be made. Not named `supplierOrderId`, because it is the order that decides. */
  newSupplierOrderId: z.string(),
  supplier: SupplierName,
  /** The supplier's own name; empty: the cheapest. */
  shippingMethod: z.string(),
  lines: z.array(RequestedArticle).min(1),
});
export type PurchaseRequested = z.infer<typeof PurchaseRequested>;

/** Give this purchase up, at the supplier too when it stands there. */
export const SUPPLIER_ORDER_CANCEL_REQUESTED = 'supplier_order.cancel_requested';
export const SupplierOrderCancelRequested = OfSupplierOrder;
export type SupplierOrderCancelRequested = z.infer<typeof SupplierOrderCancelRequested>;

/** What is in the parcel of this number, whatever the supplier says; without units it is no box of this purchase. */
export const SUPPLIER_ORDER_CONTENTS_TOLD = 'supplier_order.contents_told';
export const SupplierOrderContentsTold = OfSupplierOrder.extend({
  trackingNumber: z.string().min(1),
  /** By order line. */
  units: z.record(z.string(), z.int().positive()),
});
export type SupplierOrderContentsTold = z.infer<typeof SupplierOrderContentsTold>;

/** Do now what its deadline would do later: buy, look up, pay or cancel, whatever its state is waiting for. */
export const SUPPLIER_ORDER_RETRY_REQUESTED = 'supplier_order.retry_requested';
export const SupplierOrderRetryRequested = OfSupplierOrder;
export type SupplierOrderRetryRequested = z.infer<typeof SupplierOrderRetryRequested>;
