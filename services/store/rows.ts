import type { Sql } from './store.ts';

/**
 * Stands in the `from` of an update that is a transaction by itself: its commit does not wait for the disk. For what may
 * be done once more, or left out, after the server has crashed.
 */
export const UNHURRIED = "(select set_config('synchronous_commit', 'off', true)) unhurried";

/** Column name to PostgreSQL type, as `json_to_recordset` wants it. */
export type Columns = Readonly<Record<string, string>>;

/** SQL for a timestamp as an ISO instant in UTC: as text it is the same whatever reads it. */
export const isoInstant = (timestamp: string): string =>
  `to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Words of our own as an SQL list: as parameters they would not match the condition of a partial index. */
export const literals = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

const list = (columns: Columns): string => Object.keys(columns).join(', ');

/** SQL for rows that are bound as JSON to the parameter. */
export const recordset = (columns: Columns, parameter: string): string =>
  `json_to_recordset(${parameter}::json) as d(${Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})`;

/** Text of a statement that writes the rows bound to its one parameter, as `$1`. */
export type Write = (parameter: string) => string;

/** @param suffix what follows the select: `on conflict …`, `returning …`. */
export const insertion =
  (table: string, columns: Columns, suffix = ''): Write =>
  (parameter) =>
    `insert into ${table} (${list(columns)}) select ${list(columns)} from ${recordset(columns, parameter)} ${suffix}`;

/** `update <table> o set <assignments> from <rows as d> where <condition>` */
export const update =
  (table: string, columns: Columns, assignments: string, condition: string): Write =>
  (parameter) =>
    `update ${table} o set ${assignments} from ${recordset(columns, parameter)} where ${condition}`;

/** The rows in the order of their keys: who writes some of the same locks them in the same order. */
export function inOrderOf<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ row }) => row);
}

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
  return sql.query<Row>(insertion(table, columns, suffix)('$1'), [JSON.stringify(rows)]);
}

/**
 * Updates the rows by `update`, and returns the rows touched; an empty list costs nothing. They are locked in the order of
 * their first column, so that two who update the same ones cannot deadlock.
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
  const [key = ''] = Object.keys(columns);
  return sql.run(update(table, columns, assignments, condition)('$1'), [
    JSON.stringify(inOrderOf(rows, (row) => String(Reflect.get(row, key)))),
  ]);
}
