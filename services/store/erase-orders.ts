import { z } from 'zod';
import { evidenceWithout, isTelling, withoutValues } from '../../contracts/redact.ts';
import { Evidence } from '../../contracts/vocabulary.ts';
import { knownValues } from './known-values.ts';
import { type Holding, PERSONAL_DATA, type TableData } from './personal-data.ts';
import type { Sql } from './store.ts';

const Json = z.record(z.string(), z.unknown());

/** The evidence in a message, at any depth, and nothing else of it: what it says besides is told again by the audit. */
function cleanMessage(value: unknown, values: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => cleanMessage(item, values));
  const fields = Json.safeParse(value);
  if (!fields.success) return value;
  return Object.fromEntries(
    Object.entries(fields.data).map(([name, field]) => {
      const evidence = name === 'evidence' ? Evidence.safeParse(field) : undefined;
      return [name, evidence?.success ? evidenceWithout(evidence.data, values) : cleanMessage(field, values)];
    }),
  );
}

/** A message that nobody can read is no JSON: all of it is text. */
function cleaned(of: 'text' | 'evidence' | 'message', text: string, values: readonly string[]): string {
  if (of === 'text') return withoutValues(text, values);
  try {
    const json: unknown = JSON.parse(text);
    return JSON.stringify(
      of === 'evidence' ? evidenceWithout(Evidence.parse(json), values) : cleanMessage(json, values),
    );
  } catch {
    return withoutValues(text, values);
  }
}

/**
 * A webhook that could not be read may name a person and no order: where it holds what is known of one of these
 * customers, its body goes.
 */
async function emptyUnreadBodies(sql: Sql, known: ReadonlyMap<string, readonly string[]>): Promise<void> {
  // As they stand in a JSON text; shorter ones are in every other body.
  const values = [...known.values()]
    .flat()
    .filter(isTelling)
    .map((value) => JSON.stringify(value).slice(1, -1).toLowerCase());
  if (values.length === 0) return;
  const rows = await sql.query<{ id: string; body: string }>(
    `select w.id::text, w.body from dead_letters d
       join webhooks w on w.source = d.payload::json ->> 'source' and w.delivery_id = d.payload::json ->> 'deliveryId'
      where d.kind = 'webhook' and d.order_id is null and w.order_id is null and w.body <> '{}'
      order by w.id for update of w`,
  );
  const naming = rows.filter(({ body }) => values.some((value) => body.toLowerCase().includes(value)));
  await sql.run("update webhooks set body = '{}' where id = any($1::bigint[])", [naming.map(({ id }) => id)]);
}

type Quote = Extract<Holding, { is: 'quote' }>;
const isQuote = (entry: [string, Holding]): entry is [string, Quote] =>
  typeof entry[1] === 'object' && entry[1].is === 'quote';

/** Takes what is known of each order's customer out of what others said. */
async function cleanQuotes(
  sql: Sql,
  table: string,
  { ofOrders, columns }: TableData,
  orderIds: readonly string[],
  known: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const quotes = Object.entries(columns).filter(isQuote);
  if (ofOrders === null || quotes.length === 0) return;
  const isWorthReading = quotes
    .map(([name, { of }]) => (of === 'message' ? `${name}::text like '%"evidence"%'` : `${name} is not null`))
    .join(' or ');
  const rows = await sql.query<Record<string, string | null> & { place: string; order_id: string }>(
    `select ctid::text as place, order_id, ${quotes.map(([name]) => `${name}::text as ${name}`).join(', ')}
       from ${table} where ${ofOrders} and (${isWorthReading}) for update`,
    [orderIds],
  );
  for (const row of rows) {
    const values = known.get(row.order_id) ?? [];
    const news = quotes.map(([name, { of }]) => {
      const text = row[name];
      return text === null || text === undefined ? null : cleaned(of, text, values);
    });
    if (quotes.every(([name], index) => row[name] === news[index])) continue;
    const sets = quotes.map(([name, { type }], index) => `${name} = $${index + 2}::${type}`);
    await sql.run(`update ${table} set ${sets.join(', ')} where ctid = $1::tid`, [row.place, ...news]);
  }
}

async function emptyPersons(
  sql: Sql,
  table: string,
  { ofOrders, columns }: TableData,
  orderIds: readonly string[],
): Promise<void> {
  const persons = Object.entries(columns).flatMap(([name, holding]) =>
    typeof holding === 'object' && holding.is === 'person' ? [{ name, erasedTo: holding.erasedTo }] : [],
  );
  if (ofOrders === null || persons.length === 0) return;
  const sets = persons.map(({ name, erasedTo }) => `${name} = ${erasedTo}`).join(', ');
  const isThere = persons
    .map(({ name, erasedTo }) => (erasedTo === 'null' ? `${name} is not null` : `${name} <> ${erasedTo}`))
    .join(' or ');
  await sql.run(`update ${table} set ${sets} where ${ofOrders} and (${isThere})`, [orderIds]);
}

/**
 * Takes the customers of these orders out of every table, and leaves the books. Whatever comes in late about them is not
 * kept either: intake, rereading and backfill heed the mark. To do it again does no harm.
 * @param orderIds also of orders that were never heard of.
 * @returns what was known of the customers, by order, to look for what is left.
 */
export async function eraseOrders(sql: Sql, orderIds: readonly string[]): Promise<Map<string, string[]>> {
  const ids = [...new Set(orderIds)];
  // As the order host's batches do: the order first, then what hangs on it.
  await sql.query('select id from orders where id = any($1::text[]) order by id for update', [ids]);
  await sql.run(
    `insert into customer_details (order_id, source_updated_at, redacted_at)
     select id, now(), now() from unnest($1::text[]) as id order by id
     on conflict (order_id) do update set redacted_at = coalesce(customer_details.redacted_at, now())`,
    [ids],
  );
  const known = await knownValues(sql, ids);
  for (const [table, data] of Object.entries(PERSONAL_DATA)) {
    await cleanQuotes(sql, table, data, ids, known);
    await emptyPersons(sql, table, data, ids);
  }
  await emptyUnreadBodies(sql, known);
  await sql.run('update orders set erased_at = now() where id = any($1::text[]) and erased_at is null', [
    ids,
  ]);
  return known;
}
