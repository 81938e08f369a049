import { z } from 'zod';
import { Evidence } from '../vocabulary.ts';

const OfSupplierOrder = z.object({ orderId: z.string(), supplierOrderId: z.string() });

/** The supplier says that it has given the order up. */
export const SUPPLIER_ORDER_CANCEL_CONFIRMED = 'supplier_order.cancel_confirmed';
export const SupplierOrderCancelConfirmed = OfSupplierOrder.extend({ evidence: Evidence });
export type SupplierOrderCancelConfirmed = z.infer<typeof SupplierOrderCancelConfirmed>;

/** The supplier will not give it up by itself; `isPaid` says whether our money is in it. */
export const SUPPLIER_ORDER_CANCEL_REFUSED = 'supplier_order.cancel_refused';
export const SupplierOrderCancelRefused = OfSupplierOrder.extend({ isPaid: z.boolean(), evidence: Evidence });
export type SupplierOrderCancelRefused = z.infer<typeof SupplierOrderCancelRefused>;
