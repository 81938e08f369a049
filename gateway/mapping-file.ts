import type { z } from 'zod';
import {
  type ImportReport,
  MappingCandidate,
  MappingEntry,
  MOST_CANDIDATES,
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
    const found: RowProblem[] = [];
    const say = (field: string, problem: string): void => void found.push({ row, field, problem });
    const check = (field: string, result: z.ZodSafeParseResult<unknown>): void => {
      if (result.success) return;
      for (const { path, message } of fieldsOf(result.error, field)) say(path, message);
    };
    check('variantId', VariantId.safeParse(variantId));
    check('sku', Sku.nullable().safeParse(sku));
    const checked = MappingCandidate.safeParse(candidate);
    check('row', checked);
    const known = entries.get(variantId);
    if (sku !== null && typeof known?.sku === 'string' && known.sku !== sku)
      say('sku', 'differs from an earlier row of this variant');
    if (known?.candidates.length === MOST_CANDIDATES)
      say('row', `a variant has ${MOST_CANDIDATES} candidates at most`);
    problems.push(...found);
    if (found.length > 0 || !checked.success) continue;
    entries.set(variantId, {
      variantId,
      sku: known?.sku ?? sku,
      candidates: [...(known?.candidates ?? []), checked.data],
    });
  }
  return { entries: [...entries.values()], problems };
}

export const toReport = ({ entries, problems }: ReadMappings, dryRun: boolean): ImportReport => ({
  dryRun,
  mappings: entries.length,
  candidates: entries.reduce((sum, { candidates }) => sum + candidates.length, 0),
  problems: problems.toSorted((a, b) => a.row - b.row),
});
