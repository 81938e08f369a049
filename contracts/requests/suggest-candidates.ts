import { MappingSuggestions, SuggestionQuery } from '../resources/product-mapping.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: what they sell under a SKU. Candidates of other mappings are not among it. */
export const SUGGEST_CANDIDATES = {
  service: 'suppliers',
  verb: 'suggest_candidates',
  request: SuggestionQuery,
  reply: MappingSuggestions,
} satisfies RequestContract;
