import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { SERVICES } from '../../deploy/local/stack.ts';
import { openOrderCopier } from './copy-orders.ts';
import { openSender, placeOrders, runOrders, untilOver } from './drive-orders.ts';
import { inLanes } from './in-lanes.ts';
import { cpuBetween, readUse, type Use } from './process-use.ts';
import { startRoadWorld } from './road-world.ts';
import { dearestStatements, logStatements } from './statement-log.ts';

/*
 * What an order costs, and how fast the order host is, with many orders in the database:
 *   npm run bench:growth [-- --sizes 0,100000,1000000 --orders 200 --backlog 500 --timers 200000 --statements]
 */
const { values } = parseArgs({
  options: {
    /** How many finished orders are there, ascending. */
    sizes: { type: 'string', default: '0,100000,1000000' },
    /** That go the whole road at each size. */
    orders: { type: 'string', default: '200' },
    /** Webhooks that the order host finds when it comes back. */
    backlog: { type: 'string', default: '500' },
    /** That are due at once. */
    timers: { type: 'string', default: '200000' },
    /** Lists the statements of PostgreSQL by cost, at the price of their being logged. */
    statements: { type: 'boolean', default: false },
  },
});
const SIZES = values.sizes.split(',').map(Number);
const ORDERS = Number(values.orders);
const BACKLOG = Number(values.backlog);
const TIMERS = Number(values.timers);
const WARM_UP = 60;
const STAGE_MS = 900_000;
const CONCURRENCY = 64;
const HOSTS = ['orders', 'orders-2'];
const OTHERS = ['suppliers', 'shopify', 'notifier'];
/** Tables are named whose rows were read without an index, so many for each order. */
const SCANNED = 20;

const world = await startRoadWorld('growth', {}, { ...SERVICES, 'orders-2': SERVICES.orders });
const database = new Client({ connectionString: world.stack.connectionString });
const databaseLog = join(world.logDir, 'postgres.log');
let placed = 0;
const nextNumbers = (count: number): number[] => Array.from({ length: count }, () => placed++);

async function one<T extends object>(text: string, parameters: readonly unknown[] = []): Promise<T> {
  const { rows } = await database.query<T>(text, [...parameters]);
  const [row] = rows;
  if (row === undefined) throw new Error('a statement without an answer');
  return row;
}

const signal = (names: readonly string[], kind: NodeJS.Signals): void => {
  for (const name of names) world.stack.services[name]?.kill(kind);
};

const wake = (names: readonly string[]): void => signal(names, 'SIGCONT');
// Who is frozen cannot end.
for (const kind of ['SIGINT', 'SIGTERM'] as const) process.once(kind, () => wake([...HOSTS, ...OTHERS]));

/** Freezes processes, none of them in the middle of a transaction, whose locks would stop the others. */
async function freeze(names: readonly string[]): Promise<void> {
  for (;;) {
    signal(names, 'SIGSTOP');
    await delay(400);
    const { held } = await one<{ held: number }>(
      `select count(*)::int as held from pg_stat_activity
        where state like 'idle in transaction%' and state_change < clock_timestamp() - interval '300 milliseconds'`,
    );
    if (held === 0) return;
    wake(names);
    await delay(50);
  }
}

/** A stage that stands still says so instead of standing there for ever. @returns throws once the time is over. */
function within(what: string, limitMs: number): () => void {
  const end = performance.now() + limitMs;
  return () => {
    if (performance.now() > end) throw new Error(`within ${limitMs / 1_000} s not reached: ${what}`);
  };
}

async function awaitHosts(copies: number): Promise<void> {
  const checkTime = within('the order hosts share the partitions', 60_000);
  for (;;) {
    checkTime();
    const { owners, leased } = await one<{ owners: number; leased: boolean }>(
      `select count(distinct owner)::int as owners, count(*) = (select count(*) from event_partitions) as leased
         from event_partitions where lease_until > now()`,
    );
    if (owners === copies && leased) return;
    await delay(50);
  }
}

interface Cost {
  readonly use: ReadonlyMap<string, Use>;
  /** Of PostgreSQL's statements. */
  readonly busyMs: number;
  /** Rows read without an index, by table. */
  readonly scanned: ReadonlyMap<string, number>;
}

async function readCost(): Promise<Cost> {
  // A backend tells what it did with a delay, and an idle one at the latest after ten seconds.
  await delay(1_500);
  const { ms } = await one<{ ms: number }>(
    'select active_time as ms from pg_stat_database where datname = current_database()',
  );
  const { rows } = await database.query<{ name: string; count: string }>(
    'select relname as name, seq_tup_read as count from pg_stat_user_tables',
  );
  return {
    use: readUse(false),
    busyMs: ms,
    scanned: new Map(rows.map(({ name, count }) => [name, Number(count)])),
  };
}

/** For each order: milliseconds of each part, and the tables that were read without an index. */
async function costOfRoad() {
  const before = await readCost();
  const { seconds } = await runOrders(world, database, nextNumbers(ORDERS), CONCURRENCY);
  const after = await readCost();
  const cpuMs = cpuBetween(before.use, after.use);
  const cpu = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (cpuMs.get(name) ?? 0), 0) / ORDERS;
  const scans = [...after.scanned]
    .map(([name, count]) => [name, (count - (before.scanned.get(name) ?? 0)) / ORDERS] as const)
    .filter(([, count]) => count >= SCANNED)
    .toSorted(([, a], [, b]) => b - a);
  return {
    perSecond: ORDERS / seconds,
    database: cpu(['postgresql']),
    services: cpu(Object.keys(SERVICES)),
    nats: cpu(['nats']),
    busy: (after.busyMs - before.busyMs) / ORDERS,
    scans: scans.map(([name, count]) => `${name} ${count.toFixed(0)}`).join(', ') || 'none',
  };
}

/**
 * Webhooks pile up in the log while no host runs; then so many copies step them, and the timers they set, alone on the
 * machine. @returns events per second from the first batch to the end of the log.
 */
async function backlogRate(copies: number): Promise<number> {
  // Who takes part holds its share before: how long it takes to share is another question.
  await freeze(HOSTS.slice(copies));
  wake(HOSTS.slice(0, copies));
  await awaitHosts(copies);
  await freeze([...HOSTS, ...OTHERS]);
  const deliveries = await placeOrders(world, nextNumbers(BACKLOG));
  const sender = openSender(world, CONCURRENCY);
  await inLanes(deliveries, CONCURRENCY, async (delivery) => {
    await sender.send(delivery);
  });
  sender.close();
  // Nobody takes what the other holds because it was frozen.
  if (copies > 1) {
    await database.query("update copies set seen_at = now() + interval '10 seconds'");
    await database.query(
      "update event_partitions set lease_until = now() + interval '10 seconds' where owner is not null",
    );
  }
  const { now: since } = await one<{ now: Date }>('select clock_timestamp() as now');
  wake(HOSTS.slice(0, copies));
  // Each order is received, and its time of grace, which is none, ends.
  const expected = 2 * BACKLOG;
  const checkTime = within('the backlog is stepped', STAGE_MS);
  for (;;) {
    checkTime();
    const { events, seconds } = await one<{ events: number; seconds: number }>(
      `select count(*)::int as events, extract(epoch from clock_timestamp() - min(at))::float8 as seconds
         from inbox where at >= $1`,
      [since],
    );
    if (events >= expected) return events / seconds;
    await delay(50);
  }
}

let timersSet = 0;

/** Timers of finished orders' parcels, all due at once, until each one's event is stepped. @returns seconds. */
async function drainTimers(): Promise<number> {
  // Seen together with their statistics, as those of a long outage would be.
  await database.query('begin');
  await database.query(
    `with done as (select id, row_number() over () - 1 as place
                     from (select id from orders where state = 'delivered' limit $1) o)
     insert into timers (order_id, key, setting, deadline, parcel_id, due_at)
     select id, 'transit:pcl_bench_' || n, n, 'transit', 'pcl_bench_' || n, now()
       from generate_series($2::int + 1, $2::int + $1::int) n join done on place = n % (select count(*) from done)`,
    // Numbered on from round to round: the same timer again would be an event that was seen already.
    [TIMERS, timersSet],
  );
  timersSet += TIMERS;
  await database.query('analyze timers');
  const startedAt = performance.now();
  await database.query('commit');
  const checkTime = within('no timer is left', STAGE_MS);
  for (;;) {
    checkTime();
    const { left } = await one<{ left: number }>(
      "select count(*)::int as left from timers where parcel_id like 'pcl\\_bench\\_%'",
    );
    if (left === 0) return (performance.now() - startedAt) / 1_000;
    await delay(500);
  }
}

/** What is done next, for who waits; the table alone goes to standard output. */
const say = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

async function measure() {
  say('warming up');
  await runOrders(world, database, nextNumbers(WARM_UP), CONCURRENCY);
  say(`${ORDERS} orders go the whole road`);
  const from = statSync(databaseLog).size;
  const road = await costOfRoad();
  if (values.statements) for (const line of dearestStatements(databaseLog, from, ORDERS)) console.log(line);
  const { now: since } = await one<{ now: Date }>('select clock_timestamp() as now');
  say('a backlog for two copies of the order host, one for one');
  const [two, alone] = [await backlogRate(2), await backlogRate(1)];
  wake(OTHERS);
  say('the other services catch up');
  await untilOver(database, 2 * BACKLOG, since.toISOString());
  say(`${TIMERS} timers are due`);
  const timers = await drainTimers();
  const { bytes } = await one<{ bytes: number }>(
    'select pg_database_size(current_database())::float8 as bytes',
  );
  return { road, two, alone, timers, bytes };
}

type Measured = Awaited<ReturnType<typeof measure>>;
const ROWS: readonly (readonly [string, (measured: Measured) => string])[] = [
  ['database, MB', ({ bytes }) => (bytes / 1_048_576).toFixed(0)],
  ['orders per second, the whole road', ({ road }) => road.perSecond.toFixed(1)],
  ['CPU ms per order: PostgreSQL', ({ road }) => road.database.toFixed(1)],
  ['CPU ms per order: all services', ({ road }) => road.services.toFixed(1)],
  ['CPU ms per order: NATS', ({ road }) => road.nats.toFixed(1)],
  ['ms of statements per order', ({ road }) => road.busy.toFixed(1)],
  [`rows read without an index per order (from ${SCANNED})`, ({ road }) => road.scans],
  ['events per second, one copy of the order host', ({ alone }) => alone.toFixed(0)],
  ['events per second, two copies', ({ two }) => two.toFixed(0)],
  [`seconds for ${TIMERS} due timers, one copy`, ({ timers }) => timers.toFixed(1)],
  ['timers per second', ({ timers }) => (TIMERS / timers).toFixed(0)],
];

const results: (readonly [number, Measured])[] = [];
try {
  await database.connect();
  await freeze(['orders-2']);
  await awaitHosts(1);
  await runOrders(world, database, nextNumbers(WARM_UP), CONCURRENCY);
  const { id } = await one<{ id: string }>(
    "select id from orders where state = 'delivered' order by created_at desc, id limit 1",
  );
  const copier = await openOrderCopier(world.stack.connectionString, id);
  if (values.statements) await logStatements(database);
  for (const [index, size] of SIZES.entries()) {
    const filledAt = performance.now();
    await copier.add(size - (SIZES[index - 1] ?? 0));
    say(`${size} orders: filled in ${((performance.now() - filledAt) / 1_000).toFixed(0)} s`);
    const measured = await measure();
    results.push([size, measured]);
  }
} finally {
  if (results.length > 0) {
    console.log(`| finished orders in the database | ${results.map(([size]) => size).join(' | ')} |`);
    console.log(`|---|${results.map(() => '---').join('|')}|`);
    for (const [name, show] of ROWS)
      console.log(`| ${name} | ${results.map(([, measured]) => show(measured)).join(' | ')} |`);
  }
  wake([...HOSTS, ...OTHERS]);
  await database.end().catch(() => {});
  await world.stop();
}
