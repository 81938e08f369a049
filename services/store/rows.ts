import type { Sql } from './store.ts';

/** Column name to PostgreSQL type, as `json_to_recordset` wants it. */
export type Columns = Readonly<Record<string, string>>;

/** SQL for a timestamp as an ISO instant in UTC: as text it is the same whatever reads it. */
export const isoInstant = (timestamp: string): string =>
  `to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Words of our own as an SQL list: as parameters they would not match the condition of a partial index. */
export const literals = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

const list = (columns: Columns): string => Object.keys(columns).join(', ');

const recordset = (columns: Columns): string =>
  `json_to_recordset($1::json) as d(${Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})`;

/**
 * Inserts any number of rows with one bound parameter; an empty list costs nothing.
 * @param suffix what follows the select: `on conflict …`, `returning …`.
 */
export async function insertRows<Row extends object = object>(
  sql: Sql,
  table: string,
  columns: Columns,
  rows: readonly object[],
  suffix = '',
): Promise<Row[]> {
  if (rows.length === 0) return [];
  const names = list(columns);
  const statement = `insert into ${table} (${names}) select ${names} from ${recordset(columns)} ${suffix}`;
  return sql.query<Row>(statement, [JSON.stringify(rows)]);
}

/**
 * Runs `update <table> o set <assignments> from <rows as d> where <condition>` and returns the rows touched.
 */
export async function updateRows(
  sql: Sql,
  table: string,
  columns: Columns,
  rows: readonly object[],
  assignments: string,
  condition: string,
): Promise<number> {
  if (rows.length === 0) return 0;
  return sql.run(`update ${table} o set ${assignments} from ${recordset(columns)} where ${condition}`, [
    JSON.stringify(rows),
  ]);
}
