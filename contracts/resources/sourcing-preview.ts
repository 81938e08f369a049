import { z } from 'zod';
import { OrderRefusal, RefusedLine, SourcedPart } from '../events/order-sourced.ts';
import { Evidence, HoldReason, SupplierName } from '../vocabulary.ts';
import { Sku, VariantId } from './product-mapping.ts';
import { DeliveryDays } from './supplier-product.ts';

/** Body of `POST /sourcing-preview`: an order that nobody has made. */
export const PreviewSourcing = z.strictObject({
  lines: z
    .array(
      z
        .strictObject({
          variantId: VariantId.optional(),
          sku: Sku.optional(),
          units: z.int().min(1).max(10_000),
          /** What the customer would pay for one; without it the margin is unknown. In minor units of `currency`. */
          unitPriceMinor: z.int().min(0).max(1_000_000_000).optional(),
        })
        .refine(({ variantId, sku }) => (variantId === undefined) !== (sku === undefined), {
          message: 'names its variant either by variantId or by sku',
        }),
    )
    .min(1)
    .max(100),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code'),
  zip: z.string().trim().max(20).default(''),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a currency code')
    .default('USD'),
});
export type PreviewSourcing = z.infer<typeof PreviewSourcing>;

/** Amounts of a part are in its own currency. `lines` count a bundle's units with its first article. */
export const PreviewedPart = SourcedPart.omit({ part: true }).extend({
  goodsMinor: z.int(),
  /** Freight, duty, tax and fees, as far as the supplier names them. */
  shippingMinor: z.int(),
  deliveryDays: DeliveryDays.nullable(),
});

/** What would be bought where, and what not. Nothing was bought, and nothing is stored. */
export const SourcingPreview = z.object({
  strategy: z.enum(['preferred', 'cheapest', 'fastest']),
  /** False: `stops` or `refused` keep all of it from being bought. */
  wouldBuy: z.boolean(),
  parts: z.array(PreviewedPart),
  /** Lines that would be held, in whole or for the units that no part takes. */
  refused: z.array(RefusedLine),
  /** Holds on the whole order. */
  stops: z.array(OrderRefusal),
  /** Candidates that could not give what was wanted of them. */
  passedOver: z.array(
    z.object({
      lineId: z.string(),
      supplier: SupplierName,
      supplierProductId: z.string(),
      supplierVariantId: z.string(),
      shipsFrom: z.string(),
      reasons: z.array(z.object({ reason: HoldReason, evidence: Evidence })),
    }),
  ),
  /** What a supplier would be sent instead of what the customer wrote. Personal data: shown here and nowhere else. */
  repairs: z.array(z.object({ supplier: SupplierName, field: z.string(), from: z.string(), to: z.string() })),
  /** In one currency; null: unknown, for want of an exchange rate or of a price. */
  currency: z.string(),
  costMinor: z.int().nullable(),
  revenueMinor: z.int().nullable(),
  marginMinor: z.int().nullable(),
  marginPercent: z.number().nullable(),
  /** A currency of costs that no exchange rate leads from. */
  missingRate: z.string().nullable(),
  /** Until the last of it has arrived; null: a supplier does not say. */
  deliveryDays: DeliveryDays.nullable(),
});
export type SourcingPreview = z.infer<typeof SourcingPreview>;
