import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { z } from 'zod';
import { ONE_PROCESS, SERVICES } from '../../deploy/local/stack.ts';
import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import { benchOrder, percentile, runOrders } from './drive-orders.ts';
import { runFloor } from './floor.ts';
import { inLanes } from './in-lanes.ts';
import { cpuBetween, readUse, type Use } from './process-use.ts';
import { type RoadWorld, startRoadWorld } from './road-world.ts';
import { dearestStatements, logStatements } from './statement-log.ts';

/*
 * The whole road: orders by signed webhooks through the gateway, bought at two suppliers, fulfilled twice, mailed four
 * times, delivered; every process on this machine.
 *   npm run bench [-- --orders 2000 --concurrency 64 --all-in-one --profile DIR]
 */
const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '64' },
    /** Where each process leaves its `.cpuprofile`. */
    profile: { type: 'string' },
    /** Lists the statements of PostgreSQL by cost. */
    statements: { type: 'boolean', default: false },
    /** Every service in one process. */
    'all-in-one': { type: 'boolean', default: false },
  },
});
const ORDERS = Number(values.orders);
const CONCURRENCY = Number(values.concurrency);
const WARM_UP = 40;
const Ledger = z.object({
  calls: z.record(z.string(), z.number()),
  mails: z.array(z.object({ bytes: z.number() })),
});

const readLedger = async ({ control }: RoadWorld): Promise<z.infer<typeof Ledger>> =>
  Ledger.parse(await control('GET', '/ledger'));

/** Calls of each kind between two looks into the ledger, for each order. */
function callsPerOrder(
  before: z.infer<typeof Ledger>,
  after: z.infer<typeof Ledger>,
): ReadonlyMap<string, number> {
  const counts = Object.entries(after.calls).map(
    ([kind, count]) => [kind, (count - (before.calls[kind] ?? 0)) / ORDERS] as const,
  );
  return new Map(counts.filter(([, count]) => count > 0));
}

/** The best of several widths, each with orders of its own. */
async function measureFloor(
  { sandboxOrigin: origin, smtpPort, control }: RoadWorld,
  perOrder: ReadonlyMap<string, number>,
  mailBytes: number,
): Promise<{ perSecond: number; lanes: number }> {
  const mug = ALIEXPRESS_PRODUCTS.find(({ skus }) => skus.some(({ shopSku }) => shopSku === 'MUG-BLUE'));
  const sku = mug?.skus.find(({ shopSku }) => shopSku === 'MUG-BLUE');
  const lamp = CATALOGUE[0];
  if (mug === undefined || sku === undefined || lamp === undefined) throw new Error('articles are missing');
  const floorWorld = {
    origin,
    smtpPort,
    cj: { pid: lamp.supplierProductId, vid: lamp.supplierVariantId },
    aliexpress: { productId: mug.productId, skuId: sku.skuId, skuAttr: sku.skuAttr },
    mailBytes,
  };
  let best = { perSecond: 0, lanes: 0 };
  for (const [round, lanes] of [16, 32, 64].entries()) {
    const first = 2_000_000 + round * 100_000;
    const orders = Array.from({ length: Math.min(ORDERS, 500) }, (_, index) => benchOrder(first + index));
    await inLanes(orders, 8, async ({ body }) => {
      await control('POST', '/shop/orders', body);
    });
    const ids = orders.map(({ id }) => id);
    const perSecond = await runFloor(floorWorld, perOrder, ids, lanes, first);
    if (perSecond > best.perSecond) best = { perSecond, lanes };
  }
  return best;
}

const inhabitants: Record<string, string> = values.profile
  ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile} --cpu-prof-interval=500` }
  : {};

const world = await startRoadWorld('whole-road', inhabitants, values['all-in-one'] ? ONE_PROCESS : SERVICES);
const database = new Client({ connectionString: world.stack.connectionString });
try {
  await database.connect();
  const numbers = Array.from({ length: WARM_UP + ORDERS }, (_, index) => index);
  await runOrders(world, database, numbers.slice(0, WARM_UP), CONCURRENCY);
  const databaseLog = join(world.logDir, 'postgres.log');
  if (values.statements) await logStatements(database);
  const loggedBefore = statSync(databaseLog).size;
  const before = await readLedger(world);
  const useBefore = readUse(false);
  let peakKb = 0;
  let peak: ReadonlyMap<string, Use> = new Map();
  const watch = setInterval(() => {
    const use = readUse(true);
    let sum = 0;
    for (const [name, { pssKb }] of use) if (name !== 'sandbox' && name !== 'load') sum += pssKb;
    if (sum > peakKb) [peakKb, peak] = [sum, use];
  }, 1_000);
  const run = await runOrders(world, database, numbers.slice(WARM_UP), CONCURRENCY);
  clearInterval(watch);
  const useAfter = readUse(false);
  const after = await readLedger(world);
  const perSecond = ORDERS / run.seconds;
  console.log(`orders           ${ORDERS} in ${run.seconds.toFixed(1)} s: ${perSecond.toFixed(1)}/s`);
  console.log(
    `webhook ack      p50 ${percentile(run.acks, 0.5).toFixed(1)} ms  p99 ${percentile(run.acks, 0.99).toFixed(1)} ms`,
  );
  console.log(
    `received to delivered  p50 ${percentile(run.ends, 0.5).toFixed(0)} ms  p99 ${percentile(run.ends, 0.99).toFixed(0)} ms`,
  );
  console.log('CPU ms per order, and memory at its peak:');
  let cpu = 0;
  for (const [name, cpuMs] of cpuBetween(useBefore, useAfter)) {
    const ms = cpuMs / ORDERS;
    if (name !== 'sandbox' && name !== 'load') cpu += ms;
    const mb = (peak.get(name)?.pssKb ?? 0) / 1_024;
    console.log(`  ${name.padEnd(14)} ${ms.toFixed(2).padStart(7)} ms  ${mb.toFixed(0).padStart(5)} MB`);
  }
  console.log(
    `  ${'together'.padEnd(14)} ${cpu.toFixed(2).padStart(7)} ms  ${(peakKb / 1_024).toFixed(0).padStart(5)} MB (without sandbox and load)`,
  );
  console.log('outside calls per order:');
  const perOrder = callsPerOrder(before, after);
  for (const [kind, count] of perOrder) console.log(`  ${kind.padEnd(36)} ${count.toFixed(2)}`);
  const calls = [...perOrder.values()].reduce((sum, count) => sum + count, 0);
  console.log(`  ${'together'.padEnd(36)} ${calls.toFixed(2)}, ${(calls * perSecond).toFixed(0)}/s`);
  if (values.statements) {
    console.log('statements, per order:');
    for (const line of dearestStatements(databaseLog, loggedBefore, ORDERS)) console.log(line);
  }
  await database.end();
  await world.stack.stop();
  const mailBytes = after.mails.reduce((sum, { bytes }) => sum + bytes, 0) / after.mails.length;
  const floor = await measureFloor(world, perOrder, mailBytes);
  console.log(
    `floor            ${floor.perSecond.toFixed(1)} orders/s, ${floor.lanes} at once: the same calls by a plain script; ` +
      `the road reaches ${((100 * perSecond) / floor.perSecond).toFixed(0)} % of it`,
  );
} finally {
  await database.end().catch(() => {});
  await world.stop();
}
