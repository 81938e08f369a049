import { AppError } from '../../contracts/errors.ts';
import { isTelling } from '../../contracts/redact.ts';
import { PERSONAL_DATA } from './personal-data.ts';
import type { Sql } from './store.ts';

export interface Finding {
  /** `table.column`. */
  readonly column: string;
  readonly rows: number;
}

/** Every column that can hold text, as the database itself lists them. */
export const textColumns = (sql: Sql): Promise<{ table: string; columns: string[] }[]> =>
  sql.query(
    `select c.table_name as table, array_agg(c.column_name::text order by c.ordinal_position) as columns
       from information_schema.columns c
       join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
      where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.table_name <> 'migrations'
        and c.data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'bytea', 'USER-DEFINED')
      group by c.table_name order by c.table_name`,
  );

/** As part of a text, and as it stands in JSON. */
const patternsOf = (value: string): string[] => {
  const inJson = JSON.stringify(value).slice(1, -1);
  return [...new Set([value, inJson])].map((text) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`);
};

/**
 * Looks for the values, in any case, in every column that can hold text: also in those that nobody thought of. Reads
 * whole tables, one after the other, unless it is told where.
 * @param values those that are too short to tell a person are left out.
 * @param orderIds looks only at the rows of these orders, which their indexes find.
 */
export async function searchPersonalData(
  sql: Sql,
  values: readonly string[],
  orderIds?: readonly string[],
): Promise<Finding[]> {
  const patterns = values
    .map((value) => value.trim())
    .filter(isTelling)
    .flatMap(patternsOf);
  if (patterns.length === 0) return [];
  const findings: Finding[] = [];
  const tables = await textColumns(sql);
  // Of the wrong database it must not be said that nobody is in it.
  if (tables.length === 0)
    throw new AppError('settings_invalid', 'this database has no tables', { retryable: false });
  for (const { table, columns } of tables) {
    const ofOrders = PERSONAL_DATA[table]?.ofOrders ?? null;
    if (orderIds !== undefined && ofOrders === null) continue;
    const parameter = orderIds === undefined ? '$1' : '$2';
    const counts = columns.map(
      (column, index) =>
        `count(*) filter (where "${column}"::text ilike any(${parameter}::text[]))::int as "${index}"`,
    );
    const [row] = await sql.query<Record<string, number>>(
      `select ${counts.join(', ')} from "${table}"${orderIds === undefined ? '' : ` where ${ofOrders}`}`,
      orderIds === undefined ? [patterns] : [orderIds, patterns],
    );
    for (const [index, column] of columns.entries()) {
      const rows = row?.[index] ?? 0;
      if (rows > 0) findings.push({ column: `${table}.${column}`, rows });
    }
  }
  return findings;
}
