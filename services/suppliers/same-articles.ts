import type { FoundOrder, PlaceRequest } from './adapter.ts';

/** The same text for the same articles, in whatever order and however divided they are named. */
export const articlesKey = (articles: FoundOrder['articles']): string => {
  const units = new Map<string, number>();
  for (const article of articles)
    units.set(article.supplierVariantId, (units.get(article.supplierVariantId) ?? 0) + article.units);
  return JSON.stringify([...units].sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Whether an order found at the supplier holds exactly what we asked for, in any order of its lines. */
export const sameArticles = (
  found: Pick<FoundOrder, 'articles'>,
  request: Pick<PlaceRequest, 'lines'>,
): boolean => articlesKey(found.articles) === articlesKey(request.lines);
