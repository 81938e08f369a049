import { z } from 'zod';
import { Evidence, HoldReason, SupplierName } from '../vocabulary.ts';

/** Suppliers says which supplier delivers which unit, or why a line cannot be had. */
export const ORDER_SOURCED = 'order.sourced';

export const SourcedLine = z.object({
  lineId: z.string(),
  /** Units of the order line. */
  units: z.int().positive(),
  supplierProductId: z.string(),
  supplierVariantId: z.string(),
  /** Pieces to buy at the supplier for these units. */
  supplierUnits: z.int().positive(),
});

export const SourcedPart = z.object({
  supplier: SupplierName,
  /** Tells purchases of one supplier apart: the warehouse country. */
  part: z.string(),
  shippingMethod: z.string(),
  shipsFrom: z.string().length(2),
  /** Goods and freight as quoted. */
  expectedCostMinor: z.int().nonnegative(),
  currency: z.string().length(3),
  /** The longest that the quote promises for this lane; absent where the supplier promises nothing. */
  deliveryDays: z.int().nonnegative().optional(),
  lines: z.array(SourcedLine).min(1),
});
export type SourcedPart = z.infer<typeof SourcedPart>;

export const RefusedLine = z.object({ lineId: z.string(), reason: HoldReason, evidence: Evidence });
export type RefusedLine = z.infer<typeof RefusedLine>;

export const OrderSourced = z.object({
  orderId: z.string(),
  /** The round the command asked for; an answer to an older round is refused. */
  round: z.int().positive(),
  parts: z.array(SourcedPart),
  refused: z.array(RefusedLine),
});
export type OrderSourced = z.infer<typeof OrderSourced>;
