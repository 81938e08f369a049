import { z } from 'zod';
import { SourcedPart } from './order-sourced.ts';

/** A purchase that was asked for by hand is quoted, each article resolved to one variant: now it can be bought. */
export const SUPPLIER_ORDER_PREPARED = 'supplier_order.prepared';
export const SupplierOrderPrepared = z.object({
  orderId: z.string(),
  supplierOrderId: z.string(),
  part: SourcedPart,
  /** How often the draft had been changed when it was read; absent: the release before did not say. */
  edits: z.int().optional(),
});
export type SupplierOrderPrepared = z.infer<typeof SupplierOrderPrepared>;
