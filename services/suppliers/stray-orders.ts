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
import { matchStrays, type OpenCall, type Stray, type StrayMatch } from './match-strays.ts';
import type { PatientAdapter } from './policy.ts';
import { EARLIER_MS } from './possible-since.ts';
import { settlePlaced } from './purchase.ts';
import { doubtReleased, NEEDS_A_PERSON, type PurchasePorts, withheld } from './purchase-ports.ts';
import { knownBy, type PurchaseRow, readPurchase } from './purchase-row.ts';
import { articlesKey } from './same-articles.ts';
import { SupplierError } from './supplier-error.ts';
import { whileCallable } from './while-callable.ts';

/** A supplier may take its time, and clocks differ: this much after the deadline of the call. */
export const LATER_MS = 600_000;
/** A push that old says nothing about a purchase in doubt now. */
const FORGOTTEN_DAYS = 3;
const LIMIT = 50;
/** A supplier may tell of an order before it shows it: what is not there is looked for again, for a while. */
const READ_AGAIN_SECONDS = 10;
const SHOWN_AFTER_SECONDS = 900;

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

const OPEN_CALLS = `from supplier_orders o join purchase_intents i on i.supplier_order_id = o.id and i.kind = 'create'
  where i.supplier = $1 and (i.state in ('calling', 'unknown')
    or (i.state = 'done' and i.repeats > 0 and i.updated_at > now() - interval '${FORGOTTEN_DAYS} days'))`;
const STATE = `case when i.state = 'done' then 'repeated'
  when o.state = 'outcome_unknown' and (i.state = 'unknown' or i.call_deadline < now()) then 'in_doubt'
  else 'under_way' end`;

async function readOpenCalls({ store }: PurchasePorts, supplier: SupplierName): Promise<OpenCall[]> {
  const rows = await store.query<{
    id: string;
    attempt: number;
    begunAt: Date;
    deadline: Date;
    state: OpenCall['state'];
    lines: FoundOrder['articles'];
  }>(
    `select o.id, i.attempt, i.created_at as "begunAt", i.call_deadline as deadline, ${STATE} as state,
            (select coalesce(json_agg(json_build_object('supplierVariantId', l.supplier_variant_id,
                      'units', l.supplier_units)), '[]')
               from supplier_order_lines l where l.supplier_order_id = o.id) as lines
       ${OPEN_CALLS} order by o.id`,
    [supplier],
  );
  return rows.map(({ id, attempt, begunAt, deadline, state, lines }) => ({
    id,
    attempt,
    state,
    fromMs: new Date(begunAt).getTime() - EARLIER_MS,
    toMs: new Date(deadline).getTime() + LATER_MS,
    articles: articlesKey(lines),
  }));
}

/** One that cannot be read for its own sake must not keep its neighbours back. */
async function readStray(
  { settings, log }: PurchasePorts,
  adapter: PatientAdapter,
  reference: string,
): Promise<FoundOrder | null> {
  try {
    return await adapter.read(reference, AbortSignal.timeout(callPatienceMs(settings)));
  } catch (error) {
    if (!(error instanceof SupplierError) || error.retryable || error.failureClass in NEEDS_A_PERSON)
      throw error;
    const { failureClass, evidence } = error;
    log.warn({ supplier: adapter.name, reference, failureClass, evidence }, 'a stray cannot be read');
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
    `select reference from stray_supplier_orders
      where supplier = $1 and seen_at > now() - $2 * interval '1 day'
        and (read_at is null or (found is null and read_at < now() - $3 * interval '1 second'
                                 and seen_at > now() - $4 * interval '1 second'))
      order by seen_at limit $5`,
    [name, FORGOTTEN_DAYS, READ_AGAIN_SECONDS, SHOWN_AFTER_SECONDS, LIMIT],
  );
  for (const { reference } of unread) {
    const found = await readStray(ports, adapter, reference);
    await store.run(
      'update stray_supplier_orders set read_at = now(), found = $3::json where supplier = $1 and reference = $2',
      [name, reference, found === null ? null : JSON.stringify(found)],
    );
  }
  const rows = await store.query<{ reference: string; seenAt: Date; found: unknown }>(
    `select reference, seen_at as "seenAt", found from stray_supplier_orders
      where supplier = $1 and found is not null
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
  { attempt }: OpenCall,
  stray: Stray,
): Promise<void> {
  const { supplierReference } = stray.found;
  ports.log.warn({ supplierOrderId: row.id, supplierReference }, 'a purchase in doubt was found by a push');
  const beside = doubtReleased(row, `adopted:${attempt}`);
  const placed = await asAdopted(ports, row.id, stray.found);
  await settlePlaced(ports, row, attempt, placed, { beside });
}

/** The supplier promised that the repetition buys nothing more, and here is an order that only the first call can have made. */
const suspect = (
  { store, bus, log }: PurchasePorts,
  row: PurchaseRow,
  { attempt }: OpenCall,
  { reference }: Stray,
): Promise<void> =>
  commitAndPublish(store, bus, async (sql, say) => {
    const references = `${row.supplierReference} ${reference}`;
    log.error({ supplierOrderId: row.id, references }, 'a repeated purchase was made twice');
    const cause = 'sent twice, and both times an order was made: one of them has to be given up';
    const evidence = { references, cause };
    say(withheld(row, `second:${reference}`, attempt, { reason: 'duplicate_suspected', evidence }));
    await sql.run('delete from stray_supplier_orders where supplier = $1 and reference = $2', [
      row.supplier,
      reference,
    ]);
  });

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
  const calls = await readOpenCalls(ports, adapter.name);
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
    if (match.kind === 'adopted' && row !== undefined)
      await (call.state === 'repeated' ? suspect : adopt)(ports, row, call, match.stray);
  }
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

/** For suppliers that only tell by push what became of a call: settles doubts also when they are held already. */
export const startStraySweep = (ports: PurchasePorts, adapter: PatientAdapter): Periodic =>
  startPeriodic(
    `strays ${adapter.name}`,
    2_000,
    ports.log,
    whileCallable(ports, adapter, async () => {
      const [doubt] = await ports.store.query(`select 1 ${OPEN_CALLS} and ${STATE} <> 'under_way' limit 1`, [
        adapter.name,
      ]);
      if (doubt !== undefined) await adoptTogether(ports, adapter);
      return 'idle';
    }),
  );
