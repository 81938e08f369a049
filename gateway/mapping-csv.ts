import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { MappingEntry, RowProblem } from '../contracts/resources/product-mapping.ts';

/** One candidate in each row; those of one variant stand under its id, in their order. */
const COLUMNS = [
  'variantId',
  'sku',
  'supplier',
  'supplierProductId',
  'supplierVariantId',
  'unitsPerItem',
  'countries',
  'shipsFrom',
  'shippingMethod',
  'priority',
  'bundledWith',
  'seen',
] as const;
type Column = (typeof COLUMNS)[number];
type Cells = Partial<Record<Column, string>>;

/** A row of the file as a spreadsheet counts them, with what it says of one candidate. */
export interface CandidateRow {
  readonly row: number;
  readonly variantId: string;
  readonly sku: string | null;
  readonly candidate: unknown;
}

export interface CsvRows {
  readonly rows: readonly CandidateRow[];
  readonly problems: readonly RowProblem[];
}

const HEADING = 1;

/** What a spreadsheet would run as a formula, with the quotes that stand before it already. */
const FORMULA = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
/** A quote makes it a text there as well. */
const toCell = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
const fromCell = (cell: string): string =>
  cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;

/** What is no number stays text, for the contract to refuse. */
const toNumber = (cell: string): unknown => (/^\d+$/.test(cell) ? Number(cell) : cell);

const toList = (cell: string): string[] => cell.split(/[\s,;]+/).filter((part) => part !== '');

function toJson(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}

const READ: Partial<Record<Column, (cell: string) => unknown>> = {
  unitsPerItem: toNumber,
  countries: toList,
  priority: toNumber,
  bundledWith: toJson,
  seen: toJson,
};

function toRow(cells: Cells, row: number): CandidateRow {
  const { variantId = '', sku, ...rest } = cells;
  const candidate = Object.fromEntries(
    Object.entries(rest).map(([column, cell]) => [column, READ[column as Column]?.(cell) ?? cell]),
  );
  return { row, variantId, sku: sku ?? null, candidate };
}

/**
 * Reads commas or semicolons, with or without a byte order mark. Empty cells take their default, empty rows are skipped;
 * columns may stand in any order, and those with a default may be missing.
 */
export function readMappingCsv(text: string): CsvRows {
  let table: string[][];
  try {
    table = parse(text, { bom: true, delimiter: [',', ';'], relax_column_count: true, trim: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const row = typeof error.lines === 'number' ? error.lines : HEADING;
    return { rows: [], problems: [{ row, field: 'row', problem: `cannot be read as CSV (${error.code})` }] };
  }
  const [heading = [], ...body] = table;
  const unknown = heading.filter((name) => !COLUMNS.some((column) => column === name));
  if (unknown.length > 0 || !heading.includes('variantId')) {
    const problem = `the heading names columns among ${COLUMNS.join(', ')}, and variantId before all`;
    return { rows: [], problems: [{ row: HEADING, field: unknown[0] ?? 'variantId', problem }] };
  }
  const rows: CandidateRow[] = [];
  const problems: RowProblem[] = [];
  for (const [index, cells] of body.entries()) {
    const row = index + HEADING + 1;
    if (cells.every((cell) => cell === '')) continue;
    if (cells.length > heading.length)
      problems.push({ row, field: 'row', problem: 'has more cells than the heading' });
    rows.push(
      toRow(
        Object.fromEntries(
          heading.flatMap((column, place) => {
            const cell = fromCell(cells[place] ?? '');
            return cell === '' ? [] : [[column, cell]];
          }),
        ),
        row,
      ),
    );
  }
  return { rows, problems };
}

const jsonCell = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));

const toCells = ({ variantId, sku, candidates }: MappingEntry): Record<Column, string>[] =>
  candidates.map((candidate) => ({
    variantId,
    sku: sku ?? '',
    supplier: candidate.supplier,
    supplierProductId: candidate.supplierProductId,
    supplierVariantId: candidate.supplierVariantId,
    unitsPerItem: String(candidate.unitsPerItem),
    countries: candidate.countries.join(' '),
    shipsFrom: candidate.shipsFrom,
    shippingMethod: candidate.shippingMethod ?? '',
    priority: String(candidate.priority),
    bundledWith: candidate.bundledWith.length === 0 ? '' : jsonCell(candidate.bundledWith),
    seen: jsonCell(candidate.seen),
  }));

/** A piece of the file: the first with its heading, the others without. */
export const writeMappingCsv = (entries: readonly MappingEntry[], isFirst: boolean): string =>
  // A semicolon outside of quotes would be read as the end of a cell.
  stringify(entries.flatMap(toCells), {
    columns: [...COLUMNS],
    header: isFirst,
    quoted_match: /;/,
    cast: { string: toCell },
  });
