import { z } from 'zod';
import type { Journal } from './journal.ts';

/** What may be changed at an article: its price in US cents, its stock, and whether it is sold at all. */
export const ArticleChange = z
  .strictObject({ priceMinor: z.int().nonnegative(), stock: z.int().nonnegative(), isOnSale: z.boolean() })
  .partial();
export type ArticleChange = z.infer<typeof ArticleChange>;

export interface Shelf {
  /** What differs from the catalogue, by the supplier's variant id; empty when nothing does. */
  changesOf(variantId: string): ArticleChange;
  /** Adds to earlier changes and answers with all of them. */
  change(variantId: string, change: ArticleChange): ArticleChange;
}

/** Prices and stock as tests turned them; what they did not touch is as the catalogue says. */
export function createShelf(journal: Journal): Shelf {
  const kept = journal.collection('article', ArticleChange);
  const changesOf = (variantId: string): ArticleChange => kept.get(variantId) ?? {};
  return {
    changesOf,
    change(variantId, change) {
      const changes = { ...changesOf(variantId), ...change };
      kept.put(variantId, changes);
      return changes;
    },
  };
}
