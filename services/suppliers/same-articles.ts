import type { FoundOrder, PlaceRequest } from './adapter.ts';

const count = (articles: FoundOrder['articles']): string => {
  const units = new Map<string, number>();
  for (const article of articles)
    units.set(article.supplierVariantId, (units.get(article.supplierVariantId) ?? 0) + article.units);
  return JSON.stringify([...units].sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Whether an order found at the supplier holds exactly what we asked for, in any order of its lines. */
export const sameArticles = (
  found: Pick<FoundOrder, 'articles'>,
  request: Pick<PlaceRequest, 'lines'>,
): boolean => count(found.articles) === count(request.lines);
