import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';
import { ListQuery } from './list-query.ts';

const country = z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code');
const id = z.string().trim().min(1).max(100);

export const VariantId = z.string().regex(/^\d{1,20}$/, 'must be the numeric id of a shop variant');
export const Sku = z.string().trim().min(1).max(100);

/**
 * An article as the supplier last showed it, or as the shop keeper confirmed it: labels as `Color: Black`, the price of
 * one piece. Other labels at a purchase mean another article, which is not bought. Left out: the next quote is believed.
 */
export const SeenArticle = z.strictObject({
  optionLabels: z.array(z.string().max(200)).max(20),
  unitPriceMinor: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code'),
});
export type SeenArticle = z.infer<typeof SeenArticle>;

/** What a supplier sells, and how much of it makes one unit of the shop's variant. */
export const MappedArticle = z.strictObject({
  supplierProductId: id,
  /** The supplier's variant id, or its text of options where it names variants by that. */
  supplierVariantId: id,
  /** Pieces to buy for one unit sold. */
  unitsPerItem: z.int().min(1).max(1_000).default(1),
  seen: SeenArticle.optional(),
});
export type MappedArticle = z.infer<typeof MappedArticle>;

/** One way to get an article. Which of those that deliver to the destination is taken, the shop's strategy says. */
export const MappingCandidate = z
  .strictObject({
    supplier: SupplierName,
    ...MappedArticle.shape,
    /** Bought along, from the same supplier and warehouse: all of them together are one unit. */
    bundledWith: z.array(MappedArticle).max(10).default([]),
    /** Destination countries (ISO 3166-1 alpha-2); empty: everywhere. */
    countries: z.array(country).default([]),
    /** Warehouse country to ship from. */
    shipsFrom: country.default('CN'),
    /** The supplier's own name of the shipping method, taken when it is offered. */
    shippingMethod: z.string().trim().min(1).max(100).optional(),
    /** The lowest number first. */
    priority: z.int().min(1).max(1_000).default(1),
  })
  .refine(
    ({ supplierVariantId, bundledWith }) =>
      new Set([supplierVariantId, ...bundledWith.map((article) => article.supplierVariantId)]).size ===
      bundledWith.length + 1,
    { path: ['bundledWith'], message: 'names a variant twice: say its pieces in unitsPerItem' },
  );
export type MappingCandidate = z.infer<typeof MappingCandidate>;

/** As they were stored: what a newer contract adds has a default. */
export const StoredCandidates = z.array(MappingCandidate);

export const MOST_CANDIDATES = 20;
export const MappingCandidates = z.array(MappingCandidate).min(1).max(MOST_CANDIDATES);

/** Body of `PUT /product-mappings/{variantId}`; it replaces what was there. */
export const PutProductMapping = z.strictObject({
  /** The shop's own; learned from its orders when it is left out. */
  sku: Sku.nullish(),
  candidates: MappingCandidates,
});
export type PutProductMapping = z.infer<typeof PutProductMapping>;

/** One mapping of an import, and of an export in the same form. */
export const MappingEntry = PutProductMapping.extend({ variantId: VariantId });
export type MappingEntry = z.infer<typeof MappingEntry>;

export const ProductMapping = z.object({
  variantId: z.string(),
  sku: z.string().nullable(),
  candidates: z.array(MappingCandidate),
  updatedAt: z.iso.datetime(),
  /** When the shop told that it has deleted the variant; null: it has not, as far as is known. */
  goneFromShopAt: z.iso.datetime().nullable(),
});
export type ProductMapping = z.infer<typeof ProductMapping>;

export const ProductMappingList = z.object({
  items: z.array(ProductMapping),
  nextCursor: z.string().nullable(),
});
export type ProductMappingList = z.infer<typeof ProductMappingList>;

export const ProductMappingQuery = ListQuery.extend({
  supplier: SupplierName.optional(),
  supplierProductId: id.optional(),
  sku: Sku.optional(),
  /** Only those whose variant the shop has deleted, or only the others. */
  gone: z.stringbool().optional(),
});

/** Body of `POST /product-mappings/import` as JSON, and what the export answers. As CSV each candidate is a row. */
export const MappingFile = z.strictObject({ mappings: z.array(z.unknown()).max(100_000) });

export const ImportQuery = z.strictObject({ dryRun: z.stringbool().default(false) });
export const ExportQuery = z.strictObject({ format: z.enum(['csv', 'json']).optional() });

/** `row` as a spreadsheet counts: the heading is row 1. Of a JSON file the place in the list, from 1. */
export const RowProblem = z.object({ row: z.int().positive(), field: z.string(), problem: z.string() });
export type RowProblem = z.infer<typeof RowProblem>;

/** All rows or none: with a problem nothing was imported. */
export const ImportReport = z.object({
  dryRun: z.boolean(),
  /** Mappings that the file holds without a problem. */
  mappings: z.int(),
  candidates: z.int(),
  problems: z.array(RowProblem),
});
export type ImportReport = z.infer<typeof ImportReport>;

export const SuggestionQuery = z.strictObject({ sku: Sku, country: country.default('US') });

/** Candidates for a SKU: those of other mappings of it, and what suppliers sell under the same SKU. */
export const MappingSuggestions = z.object({
  sku: z.string(),
  suggestions: z.array(
    z.object({
      candidate: MappingCandidate,
      /** The shop variant whose mapping it stands in; null: found in the supplier's catalogue. */
      fromVariantId: z.string().nullable(),
      title: z.string().nullable(),
    }),
  ),
  /** Suppliers that could not be asked, with what they said. */
  unanswered: z.array(z.object({ supplier: SupplierName, message: z.string() })),
});
export type MappingSuggestions = z.infer<typeof MappingSuggestions>;
