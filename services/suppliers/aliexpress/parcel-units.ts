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
 * Order line units in a parcel by what AliExpress says is packed. Null where that is nothing, is no whole number of
 * units, or does not account for everything packed: then nobody can tell.
 */
export function unitsOf(
  items: readonly PackageItem[],
  lines: readonly OrderedLine[],
): Record<string, number> | null {
  const packed = lines.map((line) => ({
    line,
    pieces: piecesOf(itemsOfLine(items, line, lines.length === 1)),
  }));
  const found = packed.filter(({ pieces }) => pieces > 0);
  if (found.length === 0 || found.reduce((sum, { pieces }) => sum + pieces, 0) !== piecesOf(items))
    return null;
  const units = found.map(({ line, pieces }): [string, number] => [
    line.lineId,
    (pieces * line.units) / line.supplierUnits,
  ]);
  return units.every(([, count]) => Number.isInteger(count)) ? Object.fromEntries(units) : null;
}
