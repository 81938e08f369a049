import { z } from 'zod';
import { Evidence, HoldReason, SupplierName } from '../vocabulary.ts';

/** Suppliers says which supplier delivers which unit, or why a line cannot be had. */
export const ORDER_SOURCED = 'order.sourced';

export const SourcedLine = z.object({
  lineId: z.string(),
  /** Units of the order line. The first article of a bundle counts them, the others that come with it say 0. */
  units: z.int().nonnegative(),
  supplierProductId: z.string(),
  supplierVariantId: z.string(),
  /** As its mapping names it; absent: as above. */
  mappedVariantId: z.string().optional(),
  /** Pieces to buy at the supplier for these units. */
  supplierUnits: z.int().positive(),
});
export type SourcedLine = z.infer<typeof SourcedLine>;

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
  /** Mark of the address that it was quoted for; absent: the release before did not say. */
  quotedFor: z.string().optional(),
  lines: z.array(SourcedLine).min(1),
});
export type SourcedPart = z.infer<typeof SourcedPart>;

/** What no part takes of this line cannot be had. */
export const RefusedLine = z.object({ lineId: z.string(), reason: HoldReason, evidence: Evidence });
export type RefusedLine = z.infer<typeof RefusedLine>;

/** Why the order as a whole must not be bought. */
export const OrderRefusal = z.object({ reason: HoldReason, evidence: Evidence });
export type OrderRefusal = z.infer<typeof OrderRefusal>;

export const OrderSourced = z.object({
  orderId: z.string(),
  /** The round the command asked for; an answer to an older round is refused. */
  round: z.int().positive(),
  parts: z.array(SourcedPart),
  refused: z.array(RefusedLine),
  /** With any of them nothing of the plan is bought. */
  stops: z.array(OrderRefusal).optional(),
});
export type OrderSourced = z.infer<typeof OrderSourced>;
