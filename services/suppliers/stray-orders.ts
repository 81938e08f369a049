import { z } from 'zod';
import { callPatienceMs } from '../../contracts/call-patience.ts';
import { HOUR_MS } from '../../contracts/durations.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { insertRows } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import type { FoundOrder } from './adapter.ts';
import { asAdopted } from './adopted.ts';
import { matchStrays, matchSurplus, type Stray, type StrayCall, type StrayMatch } from './match-strays.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { EARLIER_MS, possibleSince } from './possible-since.ts';
import { settlePlaced } from './purchase.ts';
import { doubtReleased, NEEDS_A_PERSON, type PurchasePorts, withheld } from './purchase-ports.ts';
import { knownBy, type PurchaseRow, readPurchase } from './purchase-row.ts';
import { REFUSED_AND_MADE, refusedAndMade } from './refused-and-made.ts';
import { articlesKey } from './same-articles.ts';
import { FORGOTTEN_DAYS, readCalls, SOME_REFUSED, SOME_TO_SETTLE } from './stray-calls.ts';
import { SupplierError } from './supplier-error.ts';
import { whileCallable } from './while-callable.ts';

const LIMIT = 50;
/** A supplier may tell of an order before it shows it: what is not there is looked for again, for a while. */
const READ_AGAIN_SECONDS = 10;
const SHOWN_AFTER_SECONDS = 900;
/** Of a stray `s`: what it is has not been seen yet. */
const IS_UNREAD = `(s.read_at is null or (s.found is null and s.read_at < now() - interval '${READ_AGAIN_SECONDS} seconds'
                     and s.seen_at > now() - interval '${SHOWN_AFTER_SECONDS} seconds'))`;

export interface NamedStray {
  readonly supplier: SupplierName;
  readonly reference: string;
  readonly topic: string;
}

/** Keeps what pushes named and nobody here answers to. Again and again the same: once. */
export const keepStrays = (sql: Sql, strays: readonly NamedStray[]): Promise<object[]> =>
  insertRows(
    sql,
    'stray_supplier_orders',
    { supplier: 'text', reference: 'text', topic: 'text' },
    strays.toSorted((a, b) => (a.reference < b.reference ? -1 : 1)),
    'on conflict do nothing',
  );

const Found: z.ZodType<FoundOrder> = z.object({
  supplierReference: z.string(),
  amountMinor: z.int().nullable(),
  currency: z.string(),
  isPaid: z.boolean().nullable(),
  callerRef: z.string(),
  isCancelled: z.boolean(),
  articles: z.array(z.object({ supplierVariantId: z.string(), units: z.int() })),
  createdAt: z.string().nullable(),
  createdLocally: z.string().optional(),
});

/** One that cannot be read for its own sake must not keep its neighbours back. */
export async function orNull<T>(
  { log }: PurchasePorts,
  supplier: SupplierName,
  reference: string,
  reading: Promise<T>,
): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof SupplierError) || error.retryable || error.failureClass in NEEDS_A_PERSON)
      throw error;
    const { failureClass, evidence } = error;
    log.warn({ supplier, reference, failureClass, evidence }, 'a stray cannot be read');
    return null;
  }
}

/** Those that are ours by now: adopted, or the answer to our own call came after its push. */
async function readOwned(
  { store }: PurchasePorts,
  supplier: SupplierName,
  references: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await store.query<{ reference: string }>(
    `select reference from unnest($2::text[]) as reference
      where exists (select from ${knownBy('array[reference]')} o where o.supplier = $1)`,
    [supplier, references],
  );
  return new Set(rows.map(({ reference }) => reference));
}

/** The zones of the world. Those off the full hour are left out: each more lets in more orders of another time. */
const ZONE_HOURS = Array.from({ length: 27 }, (_, index) => index - 12);

/** When it may have been made; a push tells of it, however late, and never before. */
export function instantsOf({ createdAt, createdLocally }: FoundOrder, seenAt: Date): number[] {
  const seenMs = new Date(seenAt).getTime();
  if (createdAt !== null) return [Date.parse(createdAt)];
  // Where the supplier names no time, the push itself came soon after.
  if (createdLocally === undefined) return [seenMs];
  const inUtcMs = Date.parse(`${createdLocally}Z`);
  return ZONE_HOURS.map((hours) => inUtcMs - hours * HOUR_MS).filter((atMs) => atMs <= seenMs + EARLIER_MS);
}

/** Reads each stray once while a purchase is in doubt; the supplier's word is kept beside it. */
async function readStrays(ports: PurchasePorts, adapter: PatientAdapter): Promise<Stray[]> {
  const { store } = ports;
  const { name } = adapter;
  // Adopted by now, or the answer to our own call came after its push: no stray any more.
  await store.run(
    `delete from stray_supplier_orders s where s.supplier = $1
        and exists (select from ${knownBy('array[s.reference]')} o where o.supplier = s.supplier)`,
    [name],
  );
  const unread = await store.query<{ reference: string }>(
    `select reference from stray_supplier_orders s
      where supplier = $1 and seen_at > now() - $2 * interval '1 day' and ${IS_UNREAD} order by seen_at limit $3`,
    [name, FORGOTTEN_DAYS, LIMIT],
  );
  for (const { reference } of unread) {
    const reading = adapter.read(reference, AbortSignal.timeout(callPatienceMs(ports.settings)));
    const found = await orNull(ports, name, reference, reading);
    await store.run(
      'update stray_supplier_orders set read_at = now(), found = $3::json where supplier = $1 and reference = $2',
      [name, reference, found === null ? null : JSON.stringify(found)],
    );
  }
  const rows = await store.query<{ reference: string; seenAt: Date; found: unknown }>(
    `select reference, seen_at as "seenAt", found from stray_supplier_orders
      where supplier = $1 and found is not null and told_at is null
        and seen_at > now() - $2 * interval '1 day' order by reference`,
    [name, FORGOTTEN_DAYS],
  );
  return rows.map(({ reference, seenAt, found: stored }) => {
    const found = Found.parse(stored);
    return { reference, instantsMs: instantsOf(found, seenAt), found, articles: articlesKey(found.articles) };
  });
}

async function adopt(
  ports: PurchasePorts,
  row: PurchaseRow,
  { attempt }: StrayCall,
  stray: Stray,
): Promise<void> {
  const { supplierReference } = stray.found;
  ports.log.warn({ supplierOrderId: row.id, supplierReference }, 'a purchase in doubt was found by a push');
  const beside = doubtReleased(row, `adopted:${attempt}`);
  const placed = await asAdopted(ports, row.id, stray.found);
  await settlePlaced(ports, row, attempt, placed, { beside });
}

const SENT_TWICE = 'sent twice, and both times an order was made: one of them has to be given up';
/** What became of its units since is not known here: they may have been bought elsewhere. */
/** A person has to look at what the supplier made beside, or in spite of, its answer: once. */
async function suspectSurplus(
  { store, bus, log }: PurchasePorts,
  calls: readonly StrayCall[],
  strays: readonly Stray[],
): Promise<void> {
  for (const { call, stray, fitting } of matchSurplus(calls, strays)) {
    const row = await readPurchase(store, call.id);
    if (row === undefined) continue;
    const { reference } = stray;
    const references = [row.supplierReference, reference].filter((name) => name !== null).join(' ');
    const cause = call.state === 'repeated' ? SENT_TWICE : REFUSED_AND_MADE;
    const evidence = {
      references,
      cause: fitting > 1 ? `${cause} (or another of ${fitting} purchases that it fits)` : cause,
    };
    await commitAndPublish(store, bus, async (sql, say) => {
      // Another copy may have told it meanwhile, beside another call that it fits.
      const first = await sql.run(
        'update stray_supplier_orders set told_at = now() where supplier = $1 and reference = $2 and told_at is null',
        [row.supplier, reference],
      );
      if (first === 0) return;
      log.error({ supplierOrderId: row.id, references }, 'the supplier may have a purchase twice');
      say(withheld(row, `second:${reference}`, call.attempt, { reason: 'duplicate_suspected', evidence }));
    });
  }
}

/**
 * Adopts whatever fits one purchase in doubt and no other call without a verdict. @returns how it stands with each of
 * those that are without, by the id of its supplier order.
 */
async function adoptStrays(
  ports: PurchasePorts,
  adapter: PatientAdapter,
): Promise<ReadonlyMap<string, StrayMatch>> {
  const seen = (await readStrays(ports, adapter)).filter(({ found }) => !found.isCancelled);
  if (seen.length === 0) return new Map();
  // After the strays: whoever bought one of them had written its intent before.
  const calls = await readCalls(ports.store, adapter.name);
  // After the calls: one of them may have been answered while the strays were read, and is open no more.
  const owned = await readOwned(
    ports,
    adapter.name,
    seen.map(({ reference }) => reference),
  );
  const strays = seen.filter(({ reference }) => !owned.has(reference));
  const matches = matchStrays(calls, strays);
  for (const [call, match] of matches) {
    const row = match.kind === 'adopted' ? await readPurchase(ports.store, call.id) : undefined;
    if (match.kind === 'adopted' && row !== undefined) await adopt(ports, row, call, match.stray);
  }
  await suspectSurplus(ports, calls, strays);
  return new Map([...matches].map(([{ id }, match]) => [id, match]));
}

/** Once for all who ask at the same time: it reads and settles everything that is in doubt at the supplier. */
const adoptTogether = gatheringFor(async (ports: PurchasePorts, adapters: readonly PatientAdapter[]) => {
  const asked = new Map(adapters.map((adapter) => [adapter.name, adapter]));
  const runs = new Map([...asked].map(([name, adapter]) => [name, adoptStrays(ports, adapter)]));
  // What fails, fails for all of its supplier: each of them alone would call again.
  await Promise.allSettled(runs.values());
  return adapters.map(({ name }) => runs.get(name));
});

/** What pushes have told about this purchase in doubt. @throws SupplierError when a stray cannot be read. */
export const findByPush = async (
  ports: PurchasePorts,
  adapter: PatientAdapter,
  { id }: PurchaseRow,
): Promise<StrayMatch> => (await adoptTogether(ports, adapter))?.get(id) ?? { kind: 'none' };

/** How often strays are matched that nothing new is known of: a doubt that a person has settled may leave them over. */
const ANEW_MS = 60_000;
/** Strays are matched while something waits for them, and for a while after they came. @param $2 those of before too. */
const SOME_TO_MATCH = `select 1 where ${SOME_TO_SETTLE} or (${SOME_REFUSED} and exists (
  select 1 from stray_supplier_orders s where s.supplier = $1 and s.told_at is null
     and s.seen_at > now() - interval '${FORGOTTEN_DAYS} days'
     and ($2 or s.read_at is null or s.seen_at > now() - interval '${SHOWN_AFTER_SECONDS} seconds')))`;

/**
 * A purchase that was refused, and that a push names as the supplier has it under our reference: looked up until it is
 * shown.
 */
async function lookUpRefused(ports: PurchasePorts, adapter: PatientAdapter): Promise<void> {
  const { store, bus, log, settings } = ports;
  const named = await store.query<{ id: string; attempt: number }>(
    `select i.supplier_order_id as id, i.attempt
       from stray_supplier_orders s
       join purchase_intents i on i.supplier_order_id = s.reference and i.kind = 'create' and i.state = 'refused'
      where s.supplier = $1 and s.seen_at > now() - $2 * interval '1 day' and ${IS_UNREAD} order by s.seen_at limit $3`,
    [adapter.name, FORGOTTEN_DAYS, LIMIT],
  );
  for (const { id, attempt } of named) {
    const row = await readPurchase(store, id);
    if (row === undefined) continue;
    const since = await possibleSince(store, row.orderId);
    const looking = adapter.lookUp(
      id,
      AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.lookUp),
      since,
    );
    const orders = (await orNull(ports, adapter.name, id, looking)) ?? [];
    const living = orders.filter(({ isCancelled }) => !isCancelled);
    await commitAndPublish(store, bus, async (sql, say) => {
      await sql.run(
        'update stray_supplier_orders set read_at = now(), found = $3::json where supplier = $1 and reference = $2',
        [adapter.name, id, orders[0] === undefined ? null : JSON.stringify(orders[0])],
      );
      if (living.length > 0) say(refusedAndMade(log, row, attempt, living));
    });
  }
}

/**
 * For what pushes tell of calls that have ended: where nothing else can tell it, they settle doubts, also when those are
 * held already; and everywhere they give away what was refused and made all the same.
 */
export function startStraySweep(ports: PurchasePorts, adapter: PatientAdapter): Periodic {
  const { store, log } = ports;
  let matchedAt = Number.NEGATIVE_INFINITY;
  const matchAll = async (): Promise<void> => {
    const isAnew = performance.now() - matchedAt > ANEW_MS;
    if ((await store.query(SOME_TO_MATCH, [adapter.name, isAnew])).length === 0) return;
    matchedAt = performance.now();
    await adoptTogether(ports, adapter);
  };
  const round = async (): Promise<'idle'> => {
    await (adapter.capabilities.looksUpByReference ? lookUpRefused(ports, adapter) : matchAll());
    return 'idle';
  };
  return startPeriodic(`strays ${adapter.name}`, 2_000, log, whileCallable(ports, adapter, round));
}
