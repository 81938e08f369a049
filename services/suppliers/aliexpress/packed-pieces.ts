import type { PlacedLine } from '../adapter.ts';
import type { PackageItem } from './responses.ts';

const count = (items: readonly PackageItem[]): number =>
  items.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);

/** The only line has all that is in the parcel; of several, each has what is named by the number of an article of its. */
const itemsOfLine = (
  items: readonly PackageItem[],
  articles: readonly PlacedLine[],
  isOnly: boolean,
): readonly PackageItem[] =>
  isOnly
    ? items
    : items.filter(({ sku_id }) => articles.some(({ supplierVariantId }) => supplierVariantId === sku_id));

/**
 * Pieces in a parcel by line, as AliExpress says that it was packed. Null where that is nothing, or where the lines do
 * not account for everything packed: then nobody can tell.
 * @param lines a bundle stands there once for each of its articles.
 */
export function packedPieces(
  items: readonly PackageItem[],
  lines: readonly PlacedLine[],
): Record<string, number> | null {
  const articlesOf = Map.groupBy(lines, ({ lineId }) => lineId);
  const packed = [...articlesOf]
    .map(([lineId, articles]): [string, number] => [
      lineId,
      count(itemsOfLine(items, articles, articlesOf.size === 1)),
    ])
    .filter(([, pieces]) => pieces > 0);
  const isAll = packed.reduce((sum, [, pieces]) => sum + pieces, 0) === count(items);
  return packed.length > 0 && isAll ? Object.fromEntries(packed) : null;
}
