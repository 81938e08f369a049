import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';

/** One way to get an article. Of the candidates that deliver to the destination, the lowest `priority` is taken. */
export const MappingCandidate = z.strictObject({
  supplier: SupplierName,
  supplierProductId: z.string().trim().min(1).max(100),
  supplierVariantId: z.string().trim().min(1).max(100),
  /** Pieces to buy for one unit sold. */
  unitsPerItem: z.int().min(1).max(1_000).default(1),
  /** Destination countries (ISO 3166-1 alpha-2); empty: everywhere. */
  countries: z.array(z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code')).default([]),
  /** Warehouse country to ship from. */
  shipsFrom: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code')
    .default('CN'),
  /** The supplier's own name of the shipping method, taken when it is offered; else the cheapest. */
  shippingMethod: z.string().trim().min(1).max(100).optional(),
  priority: z.int().min(1).max(1_000).default(1),
});
export type MappingCandidate = z.infer<typeof MappingCandidate>;

/** Body of `PUT /product-mappings/{variantId}`; it replaces what was there. */
export const PutProductMapping = z.strictObject({ candidates: z.array(MappingCandidate).min(1).max(20) });
export type PutProductMapping = z.infer<typeof PutProductMapping>;

export const ProductMapping = z.object({
  variantId: z.string(),
  candidates: z.array(MappingCandidate),
  updatedAt: z.iso.datetime(),
});
export type ProductMapping = z.infer<typeof ProductMapping>;
