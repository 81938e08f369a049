import type { PlacedLine } from '../adapter.ts';
import type { PackageItem } from './responses.ts';

const count = (items: readonly PackageItem[]): number =>
  items.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);

/** What is named by the numbers of these articles; all that there is where there are no others. */
const named = (
  items: readonly PackageItem[],
  articles: readonly PlacedLine[],
  areAll: boolean,
): readonly PackageItem[] =>
  areAll
    ? items
    : items.filter(({ sku_id }) => articles.some(({ supplierVariantId }) => supplierVariantId === sku_id));

/**
 * Pieces in a parcel by line, as AliExpress says that it was packed. Null where that is nothing, or where the lines do
 * not account for everything packed, or only a part of an article of several lines: then nobody can tell.
 * @param lines a bundle stands there once for each of its articles.
 */
export function packedPieces(
  items: readonly PackageItem[],
  lines: readonly PlacedLine[],
): Record<string, number> | null {
  const articlesOf = Map.groupBy(lines, ({ lineId }) => lineId);
  const isOneArticle = new Set(lines.map(({ supplierVariantId }) => supplierVariantId)).size === 1;
  const ofSeveral = (article: PlacedLine): boolean =>
    lines.some(
      (other) => other.supplierVariantId === article.supplierVariantId && other.lineId !== article.lineId,
    );

  const shareOf = (article: PlacedLine): number => {
    const pieces = count(named(items, [article], isOneArticle));
    const ordered = lines
      .filter(({ supplierVariantId }) => supplierVariantId === article.supplierVariantId)
      .reduce((sum, { supplierUnits = Number.NaN }) => sum + supplierUnits, 0);
    if (pieces === 0) return 0;
    return pieces === ordered ? (article.supplierUnits ?? Number.NaN) : Number.NaN;
  };
  const packed = [...articlesOf]
    .map(([lineId, articles]): [string, number] => {
      const own = articles.filter((article) => !ofSeveral(article));
      const pieces = count(named(items, own, articlesOf.size === 1));
      return [lineId, articles.filter(ofSeveral).reduce((sum, article) => sum + shareOf(article), pieces)];
    })
    .filter(([, pieces]) => pieces !== 0);
  const isAll = packed.reduce((sum, [, pieces]) => sum + pieces, 0) === count(items);
  return packed.length > 0 && isAll ? Object.fromEntries(packed) : null;
}

/**
 * Pieces in each of these parcels, as {@link packedPieces}. Which of its lines a piece of an article is of makes no
 * difference: once the parcels together hold all of it, its lines share it out in the order in which the parcels stand.
 * Sooner it would be shared out anew with every parcel that comes.
 */
export function packedInEach(
  parcels: readonly (readonly PackageItem[])[],
  lines: readonly PlacedLine[],
): (Record<string, number> | null)[] {
  const alone = parcels.map((items) => packedPieces(items, lines));
  if (!alone.includes(null) || packedPieces(parcels.flat(), lines) === null) return alone;
  const isOneArticle = new Set(lines.map(({ supplierVariantId }) => supplierVariantId)).size === 1;
  const ofArticle = [...Map.groupBy(lines, ({ supplierVariantId }) => supplierVariantId).values()].map(
    (same) => {
      const isOnly = new Set(same.map(({ lineId }) => lineId)).size === 1;
      return same.map((line) => ({
        line,
        left: isOnly ? Number.POSITIVE_INFINITY : (line.supplierUnits ?? 0),
      }));
    },
  );
  return parcels.map((items, index) => {
    const known = alone[index] ?? null;
    if (known !== null || count(items) === 0) return known;
    const units: Record<string, number> = {};
    for (const same of ofArticle) {
      let pieces = count(
        named(
          items,
          same.map(({ line }) => line),
          isOneArticle,
        ),
      );
      for (const share of same) {
        const taken = Math.min(pieces, share.left);
        if (taken > 0) units[share.line.lineId] = (units[share.line.lineId] ?? 0) + taken;
        share.left -= taken;
        pieces -= taken;
      }
    }
    return units;
  });
}
