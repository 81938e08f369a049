import { Client, escapeIdentifier } from 'pg';

/** What the database is filled with: the rows that one finished order left, again and again. */
export interface OrderCopier {
  /** Adds so many orders, spread over the time before now, and has the tables vacuumed and analysed. */
  add(orders: number): Promise<void>;
}

/** Within the 180 days after which a customer is forgotten, or the services would be busy with that. */
const SPREAD_DAYS = 170;
/** Below what the services keep (30 days, a day), so that they have nothing to tidy up meanwhile. */
const KEPT_DAYS: Readonly<Record<string, number>> = { inbox: 29, outbox: 0.9 };
const BODY_DAYS = 29;
/** Takes the place of what differs between two orders in the model. */
const MARK = '§';
/** Copies are numbered from here: nine digits, none of them leading, within ids of the usual length. */
const FIRST = 100_000_000;
const CHUNK = 20_000;
const LANES = 2;

/** Where the rows of the order `$1` are, besides the tables that name it in `order_id`. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  orders: 'id = $1',
  supplier_order_lines: 'supplier_order_id in (select id from supplier_orders where order_id = $1)',
  inbox: 'message_id in (select message_id from timeline where order_id = $1)',
  outbox: 'position($1 in payload) > 0',
};

/** Everything that names this order alone; the number under which the shop placed it comes last, being part of others. */
const OWN_IDS = `
  select id from (
    select $1::text as id union all select shop_order_id from orders where id = $1
    union all select unnest(array[id, supplier_reference]) from supplier_orders where order_id = $1
    union all select unnest(array[id, tracking_number, shop_fulfillment_id]) from parcels where order_id = $1
    union all select id from notifications where order_id = $1
    union all select unnest(array[delivery_id, event_id]) from webhooks where order_id = $1
    union all select substr(name, 3) from orders where id = $1) ids
   where id is not null order by length(id) desc`;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly numbersItself: boolean;
}

const isText = ({ type }: Column): boolean => ['text', 'json', 'jsonb'].includes(type);

/** An id with a mark where the copy's number goes; its end stays, by which ids of one order differ. */
const marked = (id: string): string => {
  const [, prefix = '', rest = ''] = /^(gid:.*\/|(?:[a-z]+_)+|[A-Z]+|)(.*)$/.exec(id) ?? [];
  return `${prefix || rest.slice(0, 1)}${MARK}${rest.slice(-4)}`;
};

/** @param age of the copy: an interval. */
function copiedValue(column: Column, age: string): string {
  const value = `m.${escapeIdentifier(column.name)}`;
  if (column.type.startsWith('timestamp')) return `${value} - ${age}`;
  if (!isText(column)) return value;
  const copied = `replace(${value}::text, '${MARK}', (${FIRST} + n)::text)`;
  if (column.table === 'webhooks' && column.name === 'body')
    return `case when ${age} > interval '${BODY_DAYS} days' then '{}' else ${copied} end`;
  return `${copied}::${column.type}`;
}

const COLUMNS = `
  select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
         a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval%', false) as "numbersItself"
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
   order by c.relname, a.attnum`;

/** The order's rows, with marks in its ids, as tables of the schema `model`. @returns the columns of those that have any. */
async function makeModel(client: Client, orderId: string): Promise<ReadonlyMap<string, readonly Column[]>> {
  const { rows: ids } = await client.query<{ id: string }>(OWN_IDS, [orderId]);
  const { rows: columns } = await client.query<Column>(COLUMNS);
  const model = new Map<string, readonly Column[]>();
  await client.query('create schema model');
  for (const [table, its] of Map.groupBy(columns, (column) => column.table)) {
    const where =
      ELSEWHERE[table] ?? (its.some(({ name }) => name === 'order_id') ? 'order_id = $1' : undefined);
    if (where === undefined) continue;
    await client.query(`create table model.${table} as select * from ${table} limit 0`);
    const { rowCount } = await client.query(
      `insert into model.${table} select * from ${table} where ${where}`,
      [orderId],
    );
    if (rowCount === 0) continue;
    const withMarks = its.filter(isText).map(({ name, type }) => {
      const value = ids.reduce(
        (text, _, index) => `replace(${text}, $${2 * index + 1}, $${2 * index + 2})`,
        `"${name}"::text`,
      );
      return `"${name}" = (${value})::${type}`;
    });
    await client.query(
      `update model.${table} set ${withMarks.join(', ')}`,
      ids.flatMap(({ id }) => [id, marked(id)]),
    );
    model.set(table, its);
  }
  return model;
}

/** @param orderId of a finished order, which becomes the model. */
export async function openOrderCopier(connectionString: string, orderId: string): Promise<OrderCopier> {
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString });
    await client.connect();
    await client.query('set statement_timeout = 0; set synchronous_commit = off');
    return client;
  };
  const client = await connect();
  const model = await makeModel(client, orderId).finally(() => client.end());
  let copied = 0;

  /** Copies the model's rows of a table for the numbers of a chunk; `step` is the days from one copy to the next. */
  const statement = (
    table: string,
    columns: readonly Column[],
    from: number,
    to: number,
    last: number,
    step: number,
  ) => {
    const age = `(${last} - n) * interval '${step.toFixed(9)} days'`;
    const own = columns.filter((column) => !column.numbersItself);
    const kept = KEPT_DAYS[table];
    return `insert into ${table} (${own.map(({ name }) => escapeIdentifier(name)).join(', ')})
      select ${own.map((column) => copiedValue(column, age)).join(', ')}
        from generate_series(${from}, ${to}) n cross join model.${table} m
       ${kept === undefined ? '' : `where ${age} < interval '${kept} days'`}`;
  };

  return {
    async add(orders) {
      if (orders === 0) return;
      const [first, last] = [copied + 1, copied + orders];
      const chunks = Array.from({ length: Math.ceil(orders / CHUNK) }, (_, index) => first + index * CHUNK);
      const work = chunks.flatMap((from) =>
        [...model].map(([table, columns]) =>
          statement(table, columns, from, Math.min(from + CHUNK - 1, last), last, SPREAD_DAYS / orders),
        ),
      );
      const lanes = await Promise.all(Array.from({ length: LANES }, connect));
      try {
        const queue = work.values();
        await Promise.all(
          lanes.map(async (lane) => {
            for (const text of queue) await lane.query(text);
          }),
        );
        await lanes[0]?.query('vacuum analyze');
      } finally {
        await Promise.all(lanes.map((lane) => lane.end()));
      }
      copied = last;
    },
  };
}
