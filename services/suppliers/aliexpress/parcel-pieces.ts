import type { OrderedLine } from '../adapter.ts';
import type { PackageItem } from './responses.ts';

const piecesOf = (items: readonly PackageItem[]): number =>
  items.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);

/** The only line has all that is in the parcel; of several, each has what is named by its number. */
const itemsOfLine = (
  items: readonly PackageItem[],
  { supplierVariantId }: OrderedLine,
  isOnly: boolean,
): readonly PackageItem[] => (isOnly ? items : items.filter(({ sku_id }) => sku_id === supplierVariantId));

/**
 * Pieces of each line in a parcel by what AliExpress says is packed. Null where that is nothing or does not account for
 * everything packed: then nobody can tell.
 */
export function piecesByLine(
  items: readonly PackageItem[],
  lines: readonly OrderedLine[],
): Record<string, number> | null {
  const packed = lines.map((line): [string, number] => [
    line.lineId,
    piecesOf(itemsOfLine(items, line, lines.length === 1)),
  ]);
  const found = packed.filter(([, pieces]) => pieces > 0);
  const sum = found.reduce((pieces, [, more]) => pieces + more, 0);
  return found.length === 0 || sum !== piecesOf(items) ? null : Object.fromEntries(found);
}
