import type { PlacedLine } from '../adapter.ts';
import type { PackageItem } from './responses.ts';

const count = (items: readonly PackageItem[]): number =>
  items.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);

/** The only line has all that is in the parcel; of several, each has what is named by its number. */
const itemsOfLine = (
  items: readonly PackageItem[],
  { supplierVariantId }: PlacedLine,
  isOnly: boolean,
): readonly PackageItem[] => (isOnly ? items : items.filter(({ sku_id }) => sku_id === supplierVariantId));

/**
 * Pieces in a parcel by line, as AliExpress says that it was packed. Null where that is nothing, or where the lines do
 * not account for everything packed: then nobody can tell.
 */
export function packedPieces(
  items: readonly PackageItem[],
  lines: readonly PlacedLine[],
): Record<string, number> | null {
  const packed = lines
    .map((line): [string, number] => [line.lineId, count(itemsOfLine(items, line, lines.length === 1))])
    .filter(([, pieces]) => pieces > 0);
  const isAll = packed.reduce((sum, [, pieces]) => sum + pieces, 0) === count(items);
  return packed.length > 0 && isAll ? Object.fromEntries(packed) : null;
}
