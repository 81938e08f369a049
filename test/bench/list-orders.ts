import { parseArgs } from 'node:util';
import pino from 'pino';
import { OrderList, OrderListQuery } from '../../contracts/resources/order.ts';
import { readSettings } from '../../contracts/settings.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { orderListStatement } from '../../gateway/order-list.ts';
import { startGateway } from '../../gateway/service.ts';
import { openContext } from '../../services/run-service.ts';
import { migrate } from '../../services/store/migrate.ts';
import type { Sql } from '../../services/store/store.ts';
import { startServers } from './bench-servers.ts';

/*
 * How fast `GET /orders` answers under each filter, over HTTP, with many orders in the database:
 *   npm run bench:orders -- --orders 1000000 [--times 40] [--plans]
 * and how long a scrape of `/metrics` takes then. Pages are asked for at several places of the list. It fails when a filter's p95 is 50 ms or more.
 */
const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '40' },
    plans: { type: 'boolean', default: false },
  },
});
const ORDERS = Number(values.orders);
const TIMES = Number(values.times);
const LIMIT_MS = 50;
const KEY = 'a key of sixteen or more';

/** Two years of orders, most of them done; a few suppliers, SKUs and hold reasons are common, the rest is rare. */
const ROWS = [
  `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context, created_at,
                       archived_at)
   select 'ord_' || lpad(n::text, 13, '0'), 'bench.myshopify.com', n::text, '#' || (1000 + n), 'EUR', 1000 + n % 9000,
          '2026-01-01T00:00:00Z',
          case when n % 1000 = 1 then 'cancelling' when n % 100 = 2 then 'purchasing' when n % 50 = 3 then 'sourcing'
               when n % 20 = 4 then 'shipped' when n % 15 = 5 then 'cancelled' else 'delivered' end,
          '{}', timestamptz '2024-11-01' + n * (interval '730 days' / $1::float8),
          case when n % 15 = 5 or n % 25 = 0 then now() end
     from generate_series(1, $1::int) n`,
  `insert into order_lines (order_id, line_id, position, sku, title, unit_price_minor)
   select 'ord_' || lpad(n::text, 13, '0'), l::text, l,
          'SKU-' || case when (n + l) % 5 = 0 then 1 when (n + l) % 10 = 1 then 2 else n % 20000 end, 'Lamp', 1000
     from generate_series(1, $1::int) n, generate_series(1, 2) l`,
  `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                expected_cost_minor, currency, created_at, order_created_at)
   select 'sup_ord_' || lpad(n::text, 13, '0'), id, case when n % 211 = 7 then 'aliexpress' else 'cj_dropshipping' end,
          'delivered', '{}', 'CJPacket', 'CN', 800, 'USD', created_at, created_at
     from (select id, created_at, row_number() over (order by created_at) as n from orders where $1::int > 0) o`,
  `insert into holds (id, order_id, reason, evidence, opened_at, order_created_at)
   select 'hld_' || id, id, case when n % 5 = 0 then 'out_of_stock' when n % 5003 = 1 then 'account_risk'
                                 else 'unmapped_line' end, '{}', created_at, created_at
     from (select id, created_at, row_number() over (order by created_at) as n from orders
            where $1::int > 0 and state in ('sourcing', 'purchasing', 'shipped')) o`,
];

const FILTERS: readonly (readonly [name: string, query: Record<string, string>])[] = [
  ['no filter', {}],
  ['200 a page', { limit: '200' }],
  ['status, common', { status: 'delivered' }],
  ['status, rare', { status: 'cancelling' }],
  ['status and dates', { status: 'shipped', from: '2025-03-01T00:00:00Z', to: '2025-04-01T00:00:00Z' }],
  ['dates', { from: '2025-03-01T00:00:00Z', to: '2025-03-02T00:00:00Z' }],
  ['supplier, common', { supplier: 'cj_dropshipping' }],
  ['supplier, rare', { supplier: 'aliexpress' }],
  ['supplier and status', { supplier: 'aliexpress', status: 'purchasing' }],
  ['supplier and rare status', { supplier: 'aliexpress', status: 'cancelling' }],
  ['hold reason, common', { holdReason: 'unmapped_line' }],
  ['hold reason, rare', { holdReason: 'account_risk' }],
  ['hold reason, none', { holdReason: 'fraud_review' }],
  ['hold reason and status', { holdReason: 'out_of_stock', status: 'purchasing' }],
  ['name', { text: `#${1001 + Math.floor(ORDERS / 2)}` }],
  ['beginning of many names', { text: '#10' }],
  ['id', { text: `ord_${String(Math.floor(ORDERS / 3)).padStart(13, '0')}` }],
  ['SKU, common', { text: 'sku-1' }],
  ['SKU, rare', { text: 'SKU-777' }],
  ['SKU, none', { text: 'no-such-sku' }],
  ['SKU and status', { text: 'sku-1', status: 'shipped' }],
  ['archived', { archived: 'true' }],
  ['archived and status', { archived: 'true', status: 'cancelled' }],
];

const cleanups: (() => unknown)[] = [];

async function startWorld() {
  const { connectionString, natsUrl } = await startServers('list-orders', cleanups);
  const settings = readSettings({
    ORDER_MANAGER_DRAIN_SECONDS: '0',
    DB_CONNECTION_STRING: connectionString,
    NATS_URL: natsUrl,
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_API_KEY: KEY,
  });
  const context = await openContext(settings, 'bench', 4);
  cleanups.push(async () => {
    await context.bus.close();
    await context.store.close();
  });
  await migrate(context.store);
  cleanups.push(await startGateway({ ...context, log: pino({ level: 'silent' }) }));
  return { store: context.store, origin: `http://127.0.0.1:${settings.ORDER_MANAGER_PORT}` };
}

async function fill(
  sql: Sql,
  transaction: (work: (sql: Sql) => Promise<void>) => Promise<void>,
): Promise<void> {
  await transaction(async (inside) => {
    await inside.run('set local statement_timeout = 0');
    for (const rows of ROWS) await inside.run(rows, [ORDERS]);
  });
  await sql.run('set statement_timeout = 0');
  for (const table of ['orders', 'order_lines', 'supplier_orders', 'holds'])
    await sql.run(`vacuum analyze ${table}`);
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

try {
  const { store, origin } = await startWorld();
  console.log(`building ${ORDERS} orders`);
  await fill(store, (work) => store.transaction((sql) => work(sql)));
  const ask = async (query: Record<string, string>): Promise<{ ms: number; list: OrderList }> => {
    const startedAt = performance.now();
    const response = await fetch(`${origin}/orders?${new URLSearchParams(query)}`, {
      headers: { 'x-api-key': KEY },
    });
    const text = await response.text();
    const ms = performance.now() - startedAt;
    if (!response.ok) throw new Error(text);
    return { ms, list: OrderList.parse(JSON.parse(text)) };
  };
  await ask({});
  let slow = 0;
  for (const [name, query] of FILTERS) {
    const times: number[] = [];
    let cursor: string | null = null;
    let rows = 0;
    for (let time = 0; time < TIMES; time += 1) {
      const { ms, list } = await ask(cursor === null ? query : { ...query, cursor });
      times.push(ms);
      rows = Math.max(rows, list.items.length);
      cursor = list.nextCursor;
    }
    times.sort((a, b) => a - b);
    const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)];
    const statement = await orderListStatement(store, OrderListQuery.parse(query));
    const inDatabase: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      const startedAt = performance.now();
      await store.query(statement.text, statement.values);
      inDatabase.push(performance.now() - startedAt);
    }
    inDatabase.sort((a, b) => a - b);
    const ms = (value: number): string => `${value.toFixed(1).padStart(7)} ms`;
    if (p95 >= LIMIT_MS) slow += 1;
    console.log(
      `${name.padEnd(26)} p50 ${ms(p50)}  p95 ${ms(p95)}  ${rows} rows; its statement alone: p50 ` +
        `${ms(percentile(inDatabase, 0.5))}  p95 ${ms(percentile(inDatabase, 0.95))}`,
    );
    if (!values.plans && p95 < LIMIT_MS) continue;
    const plan = await store.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, buffers off, timing off) ${statement.text}`,
      statement.values,
    );
    for (const line of plan) console.log(`    ${line['QUERY PLAN']}`);
  }
  const scrapes: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const startedAt = performance.now();
    await (await fetch(`${origin}/metrics`)).text();
    scrapes.push(performance.now() - startedAt);
  }
  const [first = 0, ...later] = scrapes;
  later.sort((a, b) => a - b);
  console.log(
    `a scrape of /metrics, the first ${first.toFixed(1)} ms, later ones p50 ${percentile(later, 0.5).toFixed(1)} ms ` +
      `p95 ${percentile(later, 0.95).toFixed(1)} ms`,
  );
  console.log(slow === 0 ? 'every filter is within the limit' : `${slow} filters are over ${LIMIT_MS} ms`);
  process.exitCode = slow === 0 ? 0 : 1;
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
