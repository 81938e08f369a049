import { z } from 'zod';
import { MappingCandidates, Sku, VariantId } from '../resources/product-mapping.ts';
import { SupplierName } from '../vocabulary.ts';

/** Another agent made a variant in the shop, or changed it. With `candidates` it also says where it is bought. */
export const ProductNews = z.strictObject({
  variantId: VariantId,
  sku: Sku.nullish(),
  candidates: MappingCandidates.optional(),
});
export type ProductNews = z.infer<typeof ProductNews>;

/** What a supplier asks for one piece now, as another agent saw it; in minor units of the currency. */
export const PriceNews = z.strictObject({
  supplier: SupplierName,
  supplierProductId: z.string().trim().min(1).max(100),
  supplierVariantId: z.string().trim().min(1).max(100),
  unitPriceMinor: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code'),
});
export type PriceNews = z.infer<typeof PriceNews>;

/** Mappings that the news changed. */
export const NewsTaken = z.object({ mappings: z.int().nonnegative() });
export type NewsTaken = z.infer<typeof NewsTaken>;

/** The names that the crew's documents plan; nats.conf brings them here from the account CREW. */
export const AGENT_NEWS = {
  'product.created': ProductNews,
  'product.updated': ProductNews,
  'price.changed': PriceNews,
} as const;
export type AgentNewsType = keyof typeof AGENT_NEWS;

export const newsSubject = (type: AgentNewsType): string => `agents.${type}`;
