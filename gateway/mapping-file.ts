import {
  type ImportReport,
  MappingCandidate,
  MappingEntry,
  type RowProblem,
  Sku,
  VariantId,
} from '../contracts/resources/product-mapping.ts';
import { readMappingCsv } from './mapping-csv.ts';
import { fieldsOf } from './read-input.ts';

export interface ReadMappings {
  readonly entries: readonly MappingEntry[];
  readonly problems: readonly RowProblem[];
}

/** A mapping takes no more candidates. */
const MOST_CANDIDATES = 20;

/** Mappings of a JSON file; each is a row, counted from 1. */
export function readJsonMappings(mappings: readonly unknown[]): ReadMappings {
  const entries = new Map<string, MappingEntry>();
  const problems: RowProblem[] = [];
  for (const [index, mapping] of mappings.entries()) {
    const row = index + 1;
    const result = MappingEntry.safeParse(mapping);
    if (!result.success) {
      for (const { path, message } of fieldsOf(result.error, 'mapping'))
        problems.push({ row, field: path, problem: message });
    } else if (entries.has(result.data.variantId)) {
      problems.push({ row, field: 'variantId', problem: 'has a mapping in this file already' });
    } else entries.set(result.data.variantId, result.data);
  }
  return { entries: [...entries.values()], problems };
}

/** Mappings of a CSV file: the rows of one variant together, wherever they stand. */
export function readCsvMappings(text: string): ReadMappings {
  const { rows, problems: unread } = readMappingCsv(text);
  const entries = new Map<string, MappingEntry>();
  const problems = [...unread];
  for (const { row, variantId, sku, candidate } of rows) {
    const say = (field: string, problem: string): void => void problems.push({ row, field, problem });
    const checkedVariant = VariantId.safeParse(variantId);
    if (!checkedVariant.success) say('variantId', 'must be the numeric id of a shop variant');
    const checkedSku = Sku.nullable().safeParse(sku);
    if (!checkedSku.success) say('sku', checkedSku.error.issues[0]?.message ?? 'is not a SKU');
    const checked = MappingCandidate.safeParse(candidate);
    if (!checked.success) {
      for (const { path, message } of fieldsOf(checked.error, 'row')) say(path, message);
      continue;
    }
    const known = entries.get(variantId);
    if (known === undefined) {
      entries.set(variantId, { variantId, sku, candidates: [checked.data] });
      continue;
    }
    if (sku !== null && known.sku !== null && known.sku !== sku)
      say('sku', 'differs from an earlier row of this variant');
    if (known.candidates.length >= MOST_CANDIDATES)
      say('row', `a variant has ${MOST_CANDIDATES} candidates at most`);
    known.sku ??= sku;
    known.candidates.push(checked.data);
  }
  return { entries: [...entries.values()], problems };
}

export const toReport = ({ entries, problems }: ReadMappings, dryRun: boolean): ImportReport => ({
  dryRun,
  mappings: entries.length,
  candidates: entries.reduce((sum, { candidates }) => sum + candidates.length, 0),
  problems: problems.toSorted((a, b) => a.row - b.row),
});
