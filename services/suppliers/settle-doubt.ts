import type { z } from 'zod';
import {
  SUPPLIER_ORDER_ABSENT,
  SUPPLIER_ORDER_REJECTED,
  type SupplierOrderRejected,
} from '../../contracts/events/purchase-outcome.ts';
import { type Answer, yes } from '../../contracts/requests/request.ts';
import type {
  ADOPT_PURCHASE,
  SETTLE_NOT_BOUGHT,
  WordAnswered,
} from '../../contracts/requests/settle-doubt.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { FoundOrder } from './adapter.ts';
import { asAdopted } from './adopted.ts';
import { ask } from './catalogue.ts';
import { type CurrentIntent, currentIntent, settle } from './ledger.ts';
import { EARLIER_MS, possibleSince } from './possible-since.ts';
import { settlePlaced } from './purchase.ts';
import { factsNow } from './purchase-facts.ts';
import { doubtOf, doubtReleased, outcome, type PurchasePorts, released } from './purchase-ports.ts';
import { lockPurchase, ownersOf, type PurchaseRow, readPurchase } from './purchase-row.ts';
import { articlesKey } from './same-articles.ts';
import { LATER_MS } from './stray-calls.ts';
import { instantsOf } from './stray-orders.ts';

type Difference = Extract<WordAnswered, { result: 'refused' }>['differs'][number];

const refused = (detail: string, differs: Difference[] = []): WordAnswered => ({
  result: 'refused',
  detail,
  differs,
});

const taken = ({ id, orderId, state: status }: PurchaseRow): WordAnswered => ({
  result: 'taken',
  receipt: { id, orderId, status },
});

interface InDoubt {
  readonly row: PurchaseRow;
  readonly intent: CurrentIntent;
}

const NO_SUCH = 'there is no such supplier order';
const KNOWN_NOW = 'its outcome became known in this very moment: look at it again';

/** A purchase whose outcome nobody knows and nobody is finding out at this moment; else why a person's word is not taken. */
function inDoubt(row: PurchaseRow | undefined, intent: CurrentIntent | undefined): InDoubt | string {
  if (row === undefined) return NO_SUCH;
  if (row.state !== 'outcome_unknown')
    return `it is ${row.state}: only a purchase in doubt (outcome_unknown) is settled by a person's word`;
  if (intent === undefined) return 'the ledger has no call of it';
  if (intent.state === 'calling' && !intent.overdue)
    return 'a call for it is under way, and its answer comes first: ask again in a minute';
  if (intent.state !== 'calling' && intent.state !== 'unknown')
    return 'its outcome is known by now: POST /supplier-orders/{id}/retry has it said again';
  return { row, intent };
}

const instant = (ms: number): string => new Date(ms).toISOString();

/** Why the order at the supplier was not made in the time of the purchase's calls; nothing where either is not told. */
async function timeDifference(sql: Sql, { row, intent }: InDoubt, found: FoundOrder): Promise<Difference[]> {
  const madeAt = found.createdAt ?? found.createdLocally;
  if (madeAt === undefined) return [];
  const [time] = await sql.query<{ plannedMs: number; nowMs: number }>(
    `select (extract(epoch from created_at) * 1000)::float8 as "plannedMs",
            (extract(epoch from now()) * 1000)::float8 as "nowMs" from supplier_orders where id = $1`,
    [row.id],
  );
  if (time === undefined) return [];
  // An attempt before this one may have made it after all; and those that followed a backup are in no ledger.
  const fromMs = time.plannedMs - EARLIER_MS;
  const toMs = (intent.isFromBackup ? time.nowMs : time.nowMs - intent.quietMs) + LATER_MS;
  if (instantsOf(found, new Date(time.nowMs)).some((atMs) => atMs >= fromMs && atMs <= toMs)) return [];
  const zone = found.createdAt === null ? ' of a zone that the supplier does not name' : '';
  const message = `it was made at ${madeAt}${zone}, and the purchase can have made it between ${instant(fromMs)} and ${instant(toMs)} only`;
  return [{ path: 'created_at', message }];
}

type Articles = FoundOrder['articles'];

async function readDoubt(
  ports: PurchasePorts,
  id: string,
): Promise<(InDoubt & { readonly wanted: Articles }) | string> {
  const facts = await factsNow(ports, id);
  const doubt = inDoubt(facts?.row, await currentIntent(ports.store, id, 'create'));
  if (typeof doubt === 'string') return doubt;
  if (facts === undefined) return NO_SUCH;
  const { lines } = facts;
  const wanted = lines.map(({ supplierVariantId, supplierUnits: units }) => ({ supplierVariantId, units }));
  return { ...doubt, wanted };
}

const listed = (articles: Articles): string =>
  articles.map(({ supplierVariantId, units }) => `${units} of ${supplierVariantId}`).join(', ');

/** What keeps that order from being the purchase; none: it fits. */
async function differencesOf(
  sql: Sql,
  doubt: InDoubt & { readonly wanted: Articles },
  found: FoundOrder,
): Promise<Difference[]> {
  const { row, wanted } = doubt;
  const differs: Difference[] = [];
  if (articlesKey(found.articles) !== articlesKey(wanted))
    differs.push({
      path: 'articles',
      message: `it holds ${listed(found.articles)}; wanted: ${listed(wanted)}`,
    });
  // Where the supplier repeats no reference of ours, the other facts have to do.
  if (found.callerRef !== '' && found.callerRef !== row.id)
    differs.push({ path: 'our_reference', message: `it was made under ${found.callerRef}, not ${row.id}` });
  if (found.isCancelled)
    differs.push({ path: 'status', message: 'it is cancelled there, and nothing will come of it' });
  const owner = (await ownersOf(sql, [{ row, supplierReference: found.supplierReference }])).get(row.id);
  if (owner !== undefined) differs.push({ path: 'owner', message: `it is the purchase ${owner}` });
  return [...differs, ...(await timeDifference(sql, doubt, found))];
}

async function adopt(
  ports: PurchasePorts,
  { supplierOrderId, supplier_reference: reference }: z.output<typeof ADOPT_PURCHASE.request>,
): Promise<Answer<WordAnswered>> {
  const { store, log } = ports;
  const doubt = await readDoubt(ports, supplierOrderId);
  if (typeof doubt === 'string') return yes(refused(doubt));
  const { row, intent } = doubt;

  const read = await ask(ports, row.supplier, (adapter, signal) => adapter.read(reference, signal));
  if (!read.ok) return read;
  const { value: found } = read;
  if (found === null) return yes(refused(`${row.supplier} shows no order ${reference} of this account`));
  const differs = await differencesOf(store, doubt, found);
  if (differs.length > 0)
    return yes(refused(`the order ${reference} at ${row.supplier} is not this purchase`, differs));

  log.warn({ supplierOrderId: row.id, reference }, 'a purchase in doubt is adopted on a person’s word');
  const beside = doubtReleased(row, `adopted:${intent.attempt}`);
  const placed = await asAdopted(ports, row.id, found);
  await settlePlaced(ports, row, intent.attempt, placed, { beside });
  const after = await readPurchase(store, row.id);
  return yes(after?.supplierReference === reference ? taken(after) : refused(KNOWN_NOW));
}

/**
 * Adopts the order at the supplier that a person names as the purchase in doubt. What does not fit is refused and changes
 * nothing; of all who settle the doubt at the same moment one is taken, and the same order named again is it still.
 */
export async function adoptNamed(
  ports: PurchasePorts,
  word: z.output<typeof ADOPT_PURCHASE.request>,
): Promise<Answer<WordAnswered>> {
  const answer = await adopt(ports, word);
  if (!answer.ok || answer.value.result === 'taken') return answer;
  const now = await readPurchase(ports.store, word.supplierOrderId);
  return now?.supplierReference === word.supplier_reference ? yes(taken(now)) : answer;
}

/** What may still be on its way to the supplier is waited for as long as look-ups wait before they believe in absence. */
function tooEarly({ settings }: PurchasePorts, { intent }: InDoubt): string | null {
  const { windowMs } = doubtOf(settings);
  if (intent.quietMs >= windowMs) return null;
  const from = instant(Date.now() + windowMs - intent.quietMs);
  return `its last call may still come to be an order at the supplier: say it again after ${from}`;
}

const CAUSE = 'a person says that nothing was bought';

/**
 * The supplier does not take the number of this purchase any more, so that none of its attempts could succeed: it ends,
 * and its units are sourced anew, which gives them another number.
 */
function endedByHand(row: PurchaseRow, { attempt }: CurrentIntent): OutboxRow[] {
  const data: Pick<SupplierOrderRejected, 'failureClass' | 'evidence'> = {
    failureClass: 'permanent',
    evidence: { cause: CAUSE, next: 'the supplier refuses its number: bought anew under another' },
  };
  return [
    outcome(row, SUPPLIER_ORDER_REJECTED, `rejected:${attempt}:by-hand`, attempt, data),
    released(row, 'supplier_rejected', `not-bought:${attempt}`),
  ];
}

const absentByHand = (row: PurchaseRow, { attempt }: CurrentIntent): OutboxRow[] => [
  outcome(row, SUPPLIER_ORDER_ABSENT, `absent:${attempt}:by-hand`, attempt, {
    lookUps: 1,
    saidBy: 'operator',
  }),
];

/** Nobody wants it any more: it is given up instead of bought again, under whatever number. */
async function isUnwanted(sql: Sql, { id }: PurchaseRow): Promise<boolean> {
  const [unwanted] = await sql.query(
    "select 1 from supplier_orders where id = $1 and context ->> 'unwantedBy' is not null",
    [id],
  );
  return unwanted !== undefined;
}

/**
 * Settles a purchase in doubt as never made, on a person's word: it is bought anew through all its gates, or given up when
 * nobody wants it. A supplier that can look up is asked first, and what it has is not talked away.
 */
export async function settleNotBought(
  ports: PurchasePorts,
  { supplierOrderId, note }: z.output<typeof SETTLE_NOT_BOUGHT.request>,
): Promise<Answer<WordAnswered>> {
  const { store, bus, log } = ports;
  const doubt = await readDoubt(ports, supplierOrderId);
  if (typeof doubt === 'string') return yes(refused(doubt));
  const early = tooEarly(ports, doubt);
  if (early !== null) return yes(refused(early));

  const { supplier } = doubt.row;
  // Without credentials there is nobody to ask, and the person's word is all there is.
  const canAsk = ports.adapterOf(supplier)?.capabilities.looksUpByReference === true;
  const since = await possibleSince(store, doubt.row.orderId);
  const looked = canAsk
    ? await ask(ports, supplier, (adapter, signal) => adapter.lookUp(supplierOrderId, signal, since))
    : yes<readonly FoundOrder[]>([]);
  if (!looked.ok) return looked;
  const living = looked.value.find(({ isCancelled }) => !isCancelled);
  if (living !== undefined) {
    const isWanted = articlesKey(living.articles) === articlesKey(doubt.wanted);
    const next = isWanted
      ? 'POST /supplier-orders/{id}/adopt takes it'
      : 'it holds other articles: cancel it there first';
    return yes(refused(`${supplier} has it, as ${living.supplierReference}: ${next}`));
  }

  return commitAndPublish(store, bus, async (sql, say) => {
    const row = await lockPurchase(sql, supplierOrderId);
    const now = inDoubt(row, await currentIntent(sql, supplierOrderId, 'create'));
    if (typeof now === 'string') return yes(refused(now));
    const tooSoon = tooEarly(ports, now);
    if (tooSoon !== null) return yes(refused(tooSoon));
    const { intent } = now;
    const isNumberUsed = looked.value.length > 0 || intent.evidence?.failureClass === 'duplicate_reference';
    const isOver = isNumberUsed && !(await isUnwanted(sql, now.row));
    const key = { supplierOrderId, deed: 'create', attempt: intent.attempt } as const;
    const evidence = isOver ? { cause: CAUSE, failureClass: 'permanent' } : { cause: CAUSE };
    const state = isOver ? 'refused' : 'absent';
    const repeats = intent.repeats > 0 ? 1 : 0;
    if (!(await settle(sql, key, { state, evidence, repeats }))) return yes(refused(KNOWN_NOW));
    log.warn({ supplierOrderId, attempt: intent.attempt, isNumberUsed }, CAUSE);
    await sql.run(`update supplier_orders set note = concat_ws(e'\\n', note, $2::text) where id = $1`, [
      supplierOrderId,
      note,
    ]);
    const said = isOver ? endedByHand(now.row, intent) : absentByHand(now.row, intent);
    for (const message of [...said, ...doubtReleased(now.row, `not-bought:${intent.attempt}`)]) say(message);
    return yes(taken(now.row));
  });
}
