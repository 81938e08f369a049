import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MIGRATION_LOCK, migrate } from '../../services/store/migrate.ts';
import { MIGRATIONS } from '../../services/store/migrations/list.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { breaksOf, catalogOf, INDEX_BREAK } from '../fixtures/schema-catalog.ts';

/** Written before there was a database anywhere: the steps after it are looked at. */
const FIRST_SCHEMA = '0007-api-keys';

/** Up to this number of a migration no table was so big that making an index on it held anybody up. */
const LAST_OF_SMALL_TABLES = 14;

/** Breaks that were looked at and may stay, with the reason: `'0042-name: table.thing'`. */
const ACCEPTED: Readonly<Record<string, string>> = {};

const sourceOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../services/store/migrations/${name}.ts`, import.meta.url)), 'utf8');

test('each migration leaves the release before it working: it only adds, and stops no writes', async () => {
  const store = await aStore(await aDatabase({ isMigrated: false }), 2);
  const names = MIGRATIONS.map(({ name }) => name);
  const first = names.indexOf(FIRST_SCHEMA);
  const { migrator } = await store.orm();
  await migrator.up({ to: FIRST_SCHEMA });
  const found: string[] = [];
  let before = await catalogOf(store);
  for (const name of names.slice(first + 1)) {
    await migrator.up({ to: name });
    const after = await catalogOf(store);
    found.push(...breaksOf(before, after, sourceOf(name)).map((what) => `${name}: ${what}`));
    before = after;
  }
  const isAccepted = (what: string): boolean =>
    Object.keys(ACCEPTED).some((begin) => what.startsWith(begin)) ||
    (Number.parseInt(what, 10) <= LAST_OF_SMALL_TABLES && what.includes(INDEX_BREAK));
  expect(found.filter((what) => !isAccepted(what))).toEqual([]);
  // An exception that nothing needs any more would cover the next mistake.
  expect(Object.keys(ACCEPTED).filter((begin) => !found.some((what) => what.startsWith(begin)))).toEqual([]);
});

const OLD = [
  'create table things (id int primary key, name text, size int not null default 1, code text not null)',
  'create unique index things_code on things (code)',
];

test.each([
  ['drop table things', 'things is gone'],
  ['alter table things drop column name', 'things.name is gone'],
  ['alter table things rename column name to title', 'things.name is gone'],
  ['alter table things alter column size type bigint', 'things.size was integer and is bigint'],
  ['alter table things alter column name set not null', 'things.name may not be null any more'],
  ['alter table things alter column code drop not null', 'things.code may be null now'],
  ['alter table things alter column size drop default', 'things.size lost its default'],
  ['alter table things add column new int not null', 'things.new is new, and no insert'],
  ['drop index things_code', 'things.things_code is gone or another one'],
  ['alter table things drop constraint things_pkey', 'things.things_pkey is gone or another one'],
  ['alter table things add constraint small check (size < 9)', 'things.small may refuse'],
  ['create unique index things_name on things (name)', 'things.things_name may refuse'],
  ['create index things_size on things (size)', 'things.things_size is made while nobody may write'],
])('what breaks the release before is found: %s', async (change, what) => {
  const store = await aStore(await aDatabase({ isMigrated: false }), 2);
  for (const statement of OLD) await store.run(statement);
  const before = await catalogOf(store);
  await store.run(change);
  expect(breaksOf(before, await catalogOf(store), change).join()).toContain(what);
});

test('what only adds is no break', async () => {
  const store = await aStore(await aDatabase({ isMigrated: false }), 2);
  for (const statement of OLD) await store.run(statement);
  const before = await catalogOf(store);
  const changes = [
    'alter table things add column new int, add column other int not null default 0',
    'create index concurrently things_size on things (size)',
    'create table others (id int primary key, thing int not null)',
    'create index others_thing on others (thing)',
  ];
  for (const change of changes) await store.run(change);
  expect(breaksOf(before, await catalogOf(store), changes.join())).toEqual([]);
});

test('a set-up step that waits its turn holds up no index that is made concurrently meanwhile', async () => {
  const url = await aDatabase();
  const [other, waiting] = [await aStore(url, 1), await aStore(url, 2)];
  await other.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
  const migrated = migrate(waiting);
  await expect
    .poll(() =>
      other.query(
        `select 1 from pg_stat_activity where query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()`,
      ),
    )
    .not.toEqual([]);
  await other.run('create index concurrently orders_currency on orders (currency)');
  await other.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  expect(await migrated).toEqual([]);
});

test('an index whose making was cut off is made by the next set-up step', async () => {
  const store = await aStore(await aDatabase());
  const invalid = () =>
    store.query('select indexrelid::regclass::text as name from pg_index where not indisvalid');
  await store.run('create index parcels_order_ccnew on parcels (order_id)');
  for (const name of ['parcels_order', 'parcels_order_ccnew'])
    await store.run('update pg_index set indisvalid = false where indexrelid = $1::regclass', [name]);
  await store.run("delete from migrations where name = '0022-parcels-of-an-order'");
  expect(await invalid()).toHaveLength(2);
  expect(await migrate(store)).toEqual(['0022-parcels-of-an-order']);
  expect(await invalid()).toEqual([]);
  const made = "select indexname as name from pg_indexes where indexname like 'parcels_order%'";
  expect(await store.query(made)).toEqual([{ name: 'parcels_order' }]);
});

test('a set-up step waits for a backup that is under way, and then makes what it waited with', async () => {
  const url = await aDatabase({ isMigrated: false });
  const [setup, backup] = [await aStore(url, 2), await aStore(url, 1)];
  const { migrator } = await setup.orm();
  await migrator.up({ to: '0036-login-pause' });
  const reading = await backup.pool.connect();
  const begin = async (table: string): Promise<void> => {
    await reading.query('begin isolation level repeatable read, read only');
    await reading.query(`select count(*) from ${table}`);
  };
  const waits = Promise.withResolvers<void>();
  let times = 0;
  // First it reads a table that is to have a new column; then only its snapshot is in the way of an index.
  await begin('supplier_order_lines');
  const onWait = (): void => {
    times += 1;
    if (times === 1) void reading.query('commit').then(() => begin('api_keys'));
    else waits.resolve();
  };
  const migrated = migrate(setup, { onWait, tryAgainMs: 500 });
  await waits.promise;
  await expect
    .poll(() => reading.query("select 1 from pg_locks where locktype = 'virtualxid' and not granted"))
    .toMatchObject({ rowCount: 1 });
  await reading.query('commit');
  reading.release();
  expect(await migrated).toEqual(expect.arrayContaining(['0037-mapped-variant', '0041-refused-calls']));
  expect(await setup.query('select 1 from pg_index where not indisvalid')).toEqual([]);
  expect(await migrate(setup)).toEqual([]);
});

/** Purchase intents are read by their supplier order; by the order only when a customer is erased. */
const NOT_READ_BY_ORDER = ['purchase_intents'];

test('what belongs to an order is found by it, however many orders there are', async () => {
  const store = await aStore(await aDatabase());
  const missing = await store.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'order_id'
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and not exists (select 1 from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indpred is null)
      order by 1`,
  );
  expect(missing.map(({ name }) => name)).toEqual(NOT_READ_BY_ORDER);
});
