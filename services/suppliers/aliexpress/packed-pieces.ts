import type { PlacedLine } from '../adapter.ts';
import type { PackageItem } from './responses.ts';

const count = (items: readonly PackageItem[]): number =>
  items.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);

/**
 * Pieces by line in each of these parcels, as AliExpress says that they were packed. Null where that is nothing, or where
 * the lines do not account for everything packed: then nobody can tell. An article of several lines is shared out over
 * them in the order in which the parcels stand, which makes no difference to anybody, once the parcels together hold all
 * of it: sooner it would be shared out anew with every parcel that comes.
 * @param lines a bundle stands there once for each of its articles.
 */
export function packedInEach(
  parcels: readonly (readonly PackageItem[])[],
  lines: readonly PlacedLine[],
): (Record<string, number> | null)[] {
  const articlesOf = Map.groupBy(lines, ({ lineId }) => lineId);
  const kinds = [...Map.groupBy(lines, ({ supplierVariantId }) => supplierVariantId).values()];
  // Where nothing else was ordered, it does not matter what it is called.
  const isOneKind = articlesOf.size === 1 || kinds.length === 1;
  const piecesOf = (items: readonly PackageItem[], articles: readonly PlacedLine[]): number =>
    articles.length === 0
      ? 0
      : count(
          items.filter(({ sku_id }) => isOneKind || articles.some((one) => one.supplierVariantId === sku_id)),
        );

  const shared = kinds.filter((same) => new Set(same.map(({ lineId }) => lineId)).size > 1);
  const all = parcels.flat();
  // A stranger among them may be any article under another name.
  const isKnown = kinds.reduce((sum, same) => sum + piecesOf(all, same), 0) === count(all);
  const isWhole = (same: readonly PlacedLine[]): boolean =>
    piecesOf(all, same) === same.reduce((sum, { supplierUnits = Number.NaN }) => sum + supplierUnits, 0);
  const wholes = isKnown ? shared.filter(isWhole) : [];
  const left = new Map(wholes.flat().map((line) => [line, line.supplierUnits ?? 0]));

  return parcels.map((items) => {
    const units = new Map<string, number>();
    const add = (lineId: string, pieces: number): void => {
      if (pieces > 0) units.set(lineId, (units.get(lineId) ?? 0) + pieces);
    };
    for (const [lineId, articles] of articlesOf)
      add(
        lineId,
        piecesOf(
          items,
          articles.filter((article) => !shared.some((same) => same.includes(article))),
        ),
      );
    for (const same of wholes) {
      let pieces = piecesOf(items, same);
      for (const line of same) {
        const room = left.get(line) ?? 0;
        const taken = Math.min(pieces, room);
        left.set(line, room - taken);
        add(line.lineId, taken);
        pieces -= taken;
      }
    }
    const told = [...units.values()].reduce((sum, pieces) => sum + pieces, 0);
    return told > 0 && told === count(items) ? Object.fromEntries(units) : null;
  });
}

/** What is in one parcel, beside which there are no others; see {@link packedInEach}. */
export const packedPieces = (
  items: readonly PackageItem[],
  lines: readonly PlacedLine[],
): Record<string, number> | null => packedInEach([items], lines)[0] ?? null;
