import { callPatienceMs } from '../../contracts/call-patience.ts';
import { supplierOrderIdOf } from '../../contracts/ids.ts';
import { purchaseMode } from '../../contracts/supplier-variables.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Restoration } from '../store/restorations.ts';
import type { Sql } from '../store/store.ts';
import type { FoundOrder, PlaceRequest } from './adapter.ts';
import { partKey, withNumber } from './allocate.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { possibleSince } from './possible-since.ts';
import {
  doubtOf,
  LONG_WINDOWS,
  NEEDS_A_PERSON,
  type PurchasePorts,
  saysNotYet,
  toSupplierError,
  type Withholding,
} from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';
import { readCandidates } from './read-candidates.ts';
import { withoutRecipient } from './recipient.ts';
import { sameArticles } from './same-articles.ts';

/**
 * `clear`: this purchase was never made. `found`: it stands at the supplier under our reference. `wait`: it is too early
 * to tell. `held`: a person has to look.
 */
export type Sought =
  | { readonly how: 'clear' | 'wait' }
  | { readonly how: 'found'; readonly order: FoundOrder }
  | ({ readonly how: 'held' } & Withholding);

/** Rounds of sourcing beyond the one we know of: holds that were released in the time that is not in the database. */
const LOST_ROUNDS = 2;

const UNTOLD =
  'a supplier does not say whether this order was bought after the backup: look for it on its site; released, it is bought';

/** A person released what was held for this restoration: they have looked at the supplier's, and it is to be bought. */
async function hasPersonLooked(
  sql: Sql,
  { id }: PurchaseRow,
  { restoredAt, backupOf }: Restoration,
): Promise<boolean> {
  const [hold] = await sql.query(
    `select 1 from holds where supplier_order_id = $1 and released_at > $2::timestamptz and evidence ->> 'backupOf' = $3`,
    [id, restoredAt, backupOf],
  );
  return hold !== undefined;
}

type Mapped = Awaited<ReturnType<typeof readCandidates>>[number];

/** Where the shop is asked first, its answer begins another round. */
const ROUNDS_EACH = 2;

/** Rounds that nobody had to ask for: one may follow each candidate of a line, for the next one or a new quote. */
const replacingRounds = (lines: readonly Mapped[]): number => lines.length * ROUNDS_EACH;

/** What comes to the same purchase in several rounds of trying candidates is several, told apart by a number. */
const numbered = (part: string, times: number): string[] =>
  Array.from({ length: times }, (_, index) => withNumber(part, index));

/**
 * The parts of an order that this candidate can have been bought in: with others, or by itself where its supplier
 * combines no lines, where there is more than one way to buy the order, or some of its units can have been bought alone.
 */
function partsOf(
  lines: readonly Mapped[],
  { lineId, candidate }: Mapped,
  { isCombined, isPartly }: { readonly isCombined: boolean; readonly isPartly: boolean },
): string[] {
  const ofLine = [...Map.groupBy(lines, (one) => one.lineId).values()];
  const together = numbered(partKey(candidate, ''), Math.max(...ofLine.map(({ length }) => length)));
  if (isCombined && lines.length < 2 && !isPartly) return together;
  const alone = partKey(candidate, lineId);
  const times = lines.filter(
    (one) => one.lineId === lineId && partKey(one.candidate, lineId) === alone,
  ).length;
  return [...(isCombined ? together : []), ...numbered(alone, times)];
}

/** Suppliers that may have had the order, and the references that sourcing can have given it there. */
async function whereElse(
  sql: Sql,
  ports: PurchasePorts,
  { orderId }: PurchaseRow,
): Promise<{
  readonly suppliers: ReadonlySet<SupplierName>;
  readonly references: ReadonlyMap<PatientAdapter, readonly string[]>;
}> {
  const [order] = await sql.query<{ round: number; isPartly: boolean }>(
    `select coalesce((context ->> 'round')::int, 1) as round,
            coalesce((context -> 'rules' ->> 'partialPurchase')::boolean, false) as "isPartly" from orders where id = $1`,
    [orderId],
  );
  const { round: lastRound = 1, isPartly = false } = order ?? {};
  const known = new Set(
    (await sql.query<{ id: string }>('select id from supplier_orders where order_id = $1', [orderId])).map(
      ({ id }) => id,
    ),
  );
  const suppliers = new Set<SupplierName>();
  const references = new Map<PatientAdapter, string[]>();
  const lines = await readCandidates(sql, orderId);
  const endRound = lastRound + LOST_ROUNDS + replacingRounds(lines);
  for (const line of lines) {
    const { supplier } = line.candidate;
    const adapter = ports.adapterOf(supplier);
    if (adapter === undefined || purchaseMode(ports.settings, supplier) !== 'live') continue;
    suppliers.add(supplier);
    const { looksUpByReference, combinesLines: isCombined } = adapter.capabilities;
    if (!looksUpByReference) continue;
    for (const part of partsOf(lines, line, { isCombined, isPartly }))
      for (let round = 1; round <= endRound; round += 1) {
        const reference = supplierOrderIdOf(orderId, supplier, part, round);
        const here = references.get(adapter) ?? [];
        if (!known.has(reference) && !here.includes(reference)) references.set(adapter, [...here, reference]);
      }
  }
  return { suppliers, references };
}

/** How many purchases that stand are asked for with those that are sought: one may have been deleted since. */
const WITNESSES = 3;

/**
 * The references that have to be asked for one by one. Where a supplier can be asked for many at once, those that it
 * does not show are left out, if it shows a purchase of ours in the same answer: not every supplier answers to our
 * references there.
 */
export async function mayStand(
  sql: Sql,
  adapter: PatientAdapter,
  references: readonly string[],
  signal: () => AbortSignal,
): Promise<readonly string[]> {
  const { standing, capabilities } = adapter;
  const size = capabilities.statusBatchSize - WITNESSES;
  if (standing === undefined || size < 1) return references;
  const witnesses = (
    await sql.query<{ id: string }>(
      `select id from supplier_orders where supplier = $1 and supplier_reference is not null
          and state in ('accepted', 'processing', 'partially_shipped', 'shipped')
        order by created_at desc, id desc limit ${WITNESSES}`,
      [adapter.name],
    )
  ).map(({ id }) => id);
  if (witnesses.length === 0) return references;
  const standingHere: string[] = [];
  for (let from = 0; from < references.length; from += size) {
    const some = references.slice(from, from + size);
    const shown = await standing([...witnesses, ...some], signal());
    const isAnswer = shown !== null && witnesses.some((witness) => shown.has(witness));
    standingHere.push(...some.filter((reference) => !isAnswer || shown.has(reference)));
  }
  return standingHere;
}

/**
 * Before anything is bought for an order that lived through a restoration: whether it was bought in the time that is not
 * in the database, under this purchase's reference or under another that the order may have had. All are asked for at
 * suppliers that can look up; an order that one of the others may have had is for a person, and so is one of which a
 * supplier has refused for long to say anything.
 * @throws SupplierError when a supplier does not answer.
 */
export async function seekPurchase(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  row: PurchaseRow,
  request: PlaceRequest,
  restoration: Restoration,
): Promise<Sought> {
  try {
    return await askFor(ports, adapter, row, request, restoration);
  } catch (error) {
    const failure = withoutRecipient(toSupplierError(error), request.recipient);
    const { failureClass, evidence } = failure;
    const { windowMs } = doubtOf(ports.settings);
    // Answered, and to be answered so again: as of a purchase in doubt, nobody would hear of it.
    const isAnswer = !failure.retryable || saysNotYet(evidence);
    if (NEEDS_A_PERSON[failureClass] !== undefined || !isAnswer) throw error;
    if (restoration.ageMs < windowMs * LONG_WINDOWS) throw error;
    if (await hasPersonLooked(ports.store, row, restoration)) return { how: 'clear' };
    const { backupOf } = restoration;
    return {
      how: 'held',
      reason: 'outcome_unknown',
      evidence: { ...evidence, supplier: row.supplier, cause: UNTOLD, backupOf },
    };
  }
}

async function askFor(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  row: PurchaseRow,
  request: PlaceRequest,
  restoration: Restoration,
): Promise<Sought> {
  const { store, settings } = ports;
  const { backupOf, ageMs } = restoration;
  // Suppliers show new orders late.
  if (ageMs < doubtOf(settings).windowMs) return { how: 'wait' };
  const held = (
    reason: Withholding['reason'],
    cause: string,
    more: Withholding['evidence'] = {},
  ): Sought => ({ how: 'held', reason, evidence: { supplier: row.supplier, cause, backupOf, ...more } });
  const signal = (): AbortSignal => AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.lookUp);
  const since = await possibleSince(store, row.orderId);

  if (adapter.capabilities.looksUpByReference) {
    const found = await adapter.lookUp(row.id, signal(), since);
    const living = found.filter(({ isCancelled }) => !isCancelled);
    const [only] = living;
    const references = found.map(({ supplierReference }) => supplierReference).join(' ');
    if (living.length > 1)
      return held('duplicate_suspected', 'several orders stand under our reference', { references });
    if (only !== undefined)
      return sameArticles(only, request)
        ? { how: 'found', order: only }
        : held('duplicate_suspected', 'other articles stand under our reference', { references });
    if (found.length > 0 && !(await hasPersonLooked(store, row, restoration)))
      return held('supplier_cancelled', 'bought after the backup, and cancelled at the supplier', {
        references,
      });
  }
  if (await hasPersonLooked(store, row, restoration)) return { how: 'clear' };
  const { suppliers, references } = await whereElse(store, ports, row);
  const blind = [row.supplier, ...suppliers].find(
    (supplier) => ports.adapterOf(supplier)?.capabilities.looksUpByReference === false,
  );
  if (blind !== undefined)
    return held('outcome_unknown', `${blind} may have had this order after the backup and cannot be asked`);
  for (const [other, itsReferences] of references)
    for (const reference of await mayStand(store, other, itsReferences, signal)) {
      const living = (await other.lookUp(reference, signal(), since)).filter(
        ({ isCancelled }) => !isCancelled,
      );
      const [first] = living;
      if (first !== undefined)
        return held('duplicate_suspected', `${other.name} has this order under another reference of ours`, {
          reference,
          supplierReference: first.supplierReference,
        });
    }
  return { how: 'clear' };
}
