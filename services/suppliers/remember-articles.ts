import { isDeepStrictEqual } from 'node:util';
import {
  type MappedArticle,
  type MappingCandidate,
  StoredCandidates,
} from '../../contracts/resources/product-mapping.ts';
import type { Sql } from '../store/store.ts';
import type { WantedLine } from './plan-sourcing.ts';
import { type SeenNow, sameLabels } from './quote-desk.ts';

const showing = (seen: readonly SeenNow[]) => {
  const now = new Map(seen.map((article) => [keyOf(article.supplier, article), article.seen]));
  const see = <Article extends MappedArticle>(supplier: string, article: Article): Article => {
    const shown = now.get(keyOf(supplier, article));
    const { optionLabels = shown?.optionLabels ?? [] } = article.seen ?? {};
    // Other labels were confirmed meanwhile: they are the shop keeper's word.
    if (shown === undefined || !sameLabels(optionLabels, shown.optionLabels)) return article;
    return { ...article, seen: { ...shown, optionLabels } };
  };
  return (candidates: readonly MappingCandidate[]): MappingCandidate[] =>
    candidates.map((candidate) => {
      const { supplier } = candidate;
      const bundledWith = candidate.bundledWith.map((article) => see(supplier, article));
      return { ...see(supplier, candidate), bundledWith };
    });
};

const keyOf = (
  supplier: string,
  { supplierProductId, supplierVariantId }: Pick<MappedArticle, 'supplierProductId' | 'supplierVariantId'>,
): string => [supplier, supplierProductId, supplierVariantId].join('/');

/** Lines whose mapping has something to learn; nearly always none. */
export function articleNews(lines: readonly WantedLine[], seen: readonly SeenNow[]): readonly WantedLine[] {
  const show = showing(seen);
  return lines.filter(
    ({ candidates, sku, isSkuMapped }) =>
      candidates.length > 0 &&
      ((sku !== null && !isSkuMapped) || !isDeepStrictEqual(show(candidates), [...candidates])),
  );
}

/**
 * Mappings learn labels and prices from quotes that were good, and the shop's SKU from its order. Their `updated_at` is
 * the shop keeper's and stays.
 */
export async function rememberArticles(
  sql: Sql,
  news: readonly WantedLine[],
  seen: readonly SeenNow[],
): Promise<void> {
  const show = showing(seen);
  const variantIds = [...new Set(news.flatMap(({ variantId }) => variantId ?? []))].sort();
  const rows = await sql.query<{ variantId: string; candidates: unknown }>(
    `select variant_id as "variantId", candidates from product_mappings
      where variant_id = any($1::text[]) order by variant_id for update`,
    [variantIds],
  );
  for (const { variantId, candidates } of rows) {
    const sku = news.find((line) => line.variantId === variantId)?.sku ?? null;
    await sql.run(
      'update product_mappings set candidates = $2::jsonb, sku = coalesce(sku, $3) where variant_id = $1',
      [variantId, JSON.stringify(show(StoredCandidates.parse(candidates))), sku],
    );
  }
}
