import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import {
  SUPPLIER_ORDER_ABSENT,
  SUPPLIER_ORDER_PLACED,
  SUPPLIER_ORDER_REJECTED,
} from '../../contracts/events/purchase-outcome.ts';
import { type Evidence, FailureClass, type HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { DONE } from '../serve-commands.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { FoundOrder } from './adapter.ts';
import { asAdopted } from './adopted.ts';
import { type CurrentIntent, countAbsence, currentIntent } from './ledger.ts';
import { requestOf } from './place-request.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { possibleSince } from './possible-since.ts';
import { settlePlaced } from './purchase.ts';
import { factsNow, type PurchaseFacts } from './purchase-facts.ts';
import {
  doubtOf,
  doubtReleased,
  LONG_WINDOWS,
  NEEDS_A_PERSON,
  noCredentials,
  outcome,
  type PurchasePorts,
  saysNotYet,
  toSupplierError,
  waitFor,
  withhold,
} from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';
import { isReplaceable } from './refused-articles.ts';
import { repeatPurchase } from './repeat-purchase.ts';
import { sameArticles } from './same-articles.ts';
import { withholdDoubt } from './withhold-doubt.ts';

/** A supplier order that was sent and vanished this often needs a person, not another try. */
const MAX_ATTEMPTS = 5;
const UNTOLD = 'the supplier does not say whether it was bought: look for it on its site';

/**
 * Finds out what became of a purchase that never got its verdict: by our reference where the supplier can look it up,
 * else by its pushes and one safe repetition, else with a person's help.
 */
export async function lookUp(
  ports: PurchasePorts,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const { store, bus, settings, log } = ports;
  const facts = await factsNow(ports, command.supplierOrderId);
  if (facts === undefined || facts.row.state !== 'outcome_unknown') return DONE;
  const { row } = facts;
  const intent = await currentIntent(store, row.id, 'create');
  const adapter = ports.adapterOf(row.supplier);
  const request = requestOf(facts, settings);
  const giveUp = (reason: HoldReason, evidence: Evidence): Promise<CommandResult> =>
    withholdDoubt(ports, row, commandId, intent, { reason, evidence });
  if (intent === undefined || request === undefined)
    return giveUp('outcome_unknown', { cause: 'the ledger row is missing' });
  if (adapter === undefined)
    return withhold(ports, row, commandId, intent.attempt, noCredentials(row.supplier));
  // The caller may still be waiting for its answer.
  if (intent.state === 'calling' && !intent.overdue) return DONE;
  const { attempt } = intent;
  const settled =
    intent.state === 'refused'
      ? await refusalAgain(ports, facts, intent, commandId)
      : verdictAgain(row, intent, commandId, adapter.capabilities.looksUpByReference);
  if (settled !== null) {
    await commitAndPublish(store, bus, async (_sql, say) => say(settled));
    return DONE;
  }

  const { looksUpByReference, repeatableForMs } = adapter.capabilities;
  if (!looksUpByReference && repeatableForMs === null)
    return giveUp('outcome_unknown', { supplier: row.supplier, cause: 'it cannot look up by our reference' });
  const wait = await waitFor(adapter, facts.callPauseMs);
  if (wait !== null) return wait;
  if (!looksUpByReference) return repeatPurchase(ports, adapter, facts, intent, request, commandId);
  let found: readonly FoundOrder[];
  const since = await possibleSince(store, row.orderId);
  moment('look-up: before call');
  try {
    found = await adapter.lookUp(
      row.id,
      AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.lookUp),
      since,
    );
    moment('look-up: after call before record');
  } catch (error) {
    const failure = withoutRecipient(toSupplierError(error), facts.recipient);
    const { failureClass, evidence } = failure;
    log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'the look-up failed');
    const reason = NEEDS_A_PERSON[failureClass];
    if (reason !== undefined) return giveUp(reason, evidence);
    // It is answered, and will be answered so again: nobody would hear of the doubt.
    const isAnswer = !failure.retryable || saysNotYet(evidence);
    if (!isAnswer || intent.ageMs < doubtOf(settings).windowMs * LONG_WINDOWS) return DONE;
    return giveUp('outcome_unknown', { ...evidence, cause: UNTOLD });
  }
  const living = found.filter(({ isCancelled }) => !isCancelled);
  const [only] = living;
  const stranger = living.find((order) => !sameArticles(order, request));
  if (stranger !== undefined) {
    const { supplierReference } = stranger;
    return giveUp('duplicate_suspected', { supplierReference, cause: 'other articles' });
  }
  // Asked for by hand it is looked up in spite of its hold, which is about the doubt: that is over.
  const beside = facts.isHeld ? doubtReleased(row, `found:${attempt}`) : [];
  if (living.length > 1) return resolveTwice(ports, adapter, row, attempt, living, beside, giveUp);
  if (only !== undefined) {
    const placed = await asAdopted(ports, row.id, only);
    const recorded = 'look-up: after record before publish';
    await settlePlaced(ports, row, attempt, placed, { recorded, beside });
    return DONE;
  }
  if (found.length > 0)
    return giveUp('supplier_cancelled', { cause: 'found, but cancelled at the supplier' });
  const attempts = attempt - intent.deferrals;
  if (attempts >= MAX_ATTEMPTS) return giveUp('outcome_unknown', { attempts });
  await settleAbsence(ports, row, attempt, commandId);
  return DONE;
}

/**
 * The ledger knows the verdict, and the order still waits in doubt: what told it so was lost. It is said again under
 * another id, in case the first one was used up without effect.
 */
function verdictAgain(
  row: PurchaseRow,
  { attempt, state, evidence }: { attempt: number; state: string; evidence: Evidence | null },
  commandId: string,
  canLookUp: boolean,
): OutboxRow | null {
  const { supplierReference, amountMinor } = row;
  // Put off before anything was bought: where it can be looked up, a look comes first.
  if (state === 'absent' && !canLookUp)
    return outcome(row, SUPPLIER_ORDER_ABSENT, `absent:${attempt}:${commandId}`, attempt, { lookUps: 1 });
  if (state === 'done' && supplierReference !== null) {
    const heldBack = evidence?.heldBack;
    const stopped = typeof heldBack === 'string' ? { heldBack } : {};
    const data = { supplierReference, amountMinor, ...stopped };
    return outcome(row, SUPPLIER_ORDER_PLACED, `placed:${attempt}:${commandId}`, attempt, data);
  }
  return null;
}

/** The same of a clear no. */
async function refusalAgain(
  { store }: PurchasePorts,
  facts: PurchaseFacts,
  { attempt, evidence: told }: CurrentIntent,
  commandId: string,
): Promise<OutboxRow> {
  const evidence = told ?? {};
  const failureClass = FailureClass.catch('permanent').parse(evidence.failureClass);
  const isReplaced = await isReplaceable(store, facts, { failureClass, evidence });
  const data = { failureClass, evidence, ...(isReplaced ? { isReplaceable: true } : {}) };
  return outcome(facts.row, SUPPLIER_ORDER_REJECTED, `rejected:${attempt}:${commandId}`, attempt, data);
}

/** The supplier shows no order: often and long enough, and it was never made. */
async function settleAbsence(
  { store, bus, settings }: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  commandId: string,
): Promise<void> {
  await commitAndPublish(
    store,
    bus,
    async (sql, say) => {
      const key = { supplierOrderId: row.id, deed: 'create' as const, attempt };
      if ((await lockPurchase(sql, row.id))?.state !== 'outcome_unknown') return;
      if (await isKnownAbsent(sql, key)) {
        const suffix = `absent:${attempt}:${commandId}`;
        return say(outcome(row, SUPPLIER_ORDER_ABSENT, suffix, attempt, { lookUps: 1 }));
      }
      const { isAbsent, lookUps } = await countAbsence(sql, key, doubtOf(settings));
      if (isAbsent) say(outcome(row, SUPPLIER_ORDER_ABSENT, `absent:${attempt}`, attempt, { lookUps }));
    },
    'look-up: after record before publish',
  );
}

/**
 * The ledger settled this attempt as not made, and the order still waits in doubt: the answer that said so came after
 * the deadline of the call. It is said again under another id, for the first one is used up.
 */
async function isKnownAbsent(
  sql: Sql,
  { supplierOrderId, attempt }: { supplierOrderId: string; attempt: number },
): Promise<boolean> {
  const intent = await currentIntent(sql, supplierOrderId, 'create');
  return intent?.state === 'absent' && intent.attempt === attempt;
}

/** Two orders under one reference: the unpaid surplus is given up, a paid one is a matter for a person. */
async function resolveTwice(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  row: PurchaseRow,
  attempt: number,
  living: readonly FoundOrder[],
  beside: readonly OutboxRow[],
  giveUp: (reason: HoldReason, evidence: Evidence) => Promise<CommandResult>,
): Promise<CommandResult> {
  // What nobody can tell may be paid as well.
  const paid = living.filter(({ isPaid }) => isPaid !== false);
  const keep = paid[0] ?? living[0];
  const references = living.map(({ supplierReference }) => supplierReference).join(' ');
  if (paid.length > 1 || keep === undefined) return giveUp('duplicate_suspected', { references });
  try {
    for (const surplus of living) {
      if (surplus === keep) continue;
      const key = { supplierReference: surplus.supplierReference, callerRef: row.id };
      await adapter.cancel(key, AbortSignal.timeout(callPatienceMs(ports.settings)));
    }
  } catch {
    return giveUp('duplicate_suspected', { references });
  }
  ports.log.warn(
    { supplierOrderId: row.id, references },
    'a doubled unpaid order was given up at the supplier',
  );
  await settlePlaced(ports, row, attempt, await asAdopted(ports, row.id, keep), { beside });
  return DONE;
}
