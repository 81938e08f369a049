import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import {
  SUPPLIER_ORDER_ACCEPTED,
  SUPPLIER_ORDER_DEFERRED,
  SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  SUPPLIER_ORDER_PLACED,
  SUPPLIER_ORDER_REJECTED,
} from '../../contracts/events/purchase-outcome.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { moment } from '../moments.ts';
import { DONE } from '../serve-commands.ts';
import { forgetQuotes } from '../store/forget-quotes.ts';
import { throughOutage } from '../store/outage.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { PlacedOrder, PlaceRequest } from './adapter.ts';
import { claim } from './claim.ts';
import { livingAgain } from './living-again.ts';
import { hashOf, requestOf } from './place-request.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { possibleSince } from './possible-since.ts';
import { prepare } from './prepare.ts';
import { factsNow, isQuotedForHere, type PurchaseFacts, type PurchaseNow } from './purchase-facts.ts';
import {
  gateOf,
  NEEDS_A_PERSON,
  NO_ADDRESS,
  noCredentials,
  outcome,
  type PurchasePorts,
  spendingCall,
  toSupplierError,
  waitFor,
  withhold,
} from './purchase-ports.ts';
import type { PurchaseRow, TakenOver } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';
import { isReplaceable } from './refused-articles.ts';
import { seekPurchase } from './seek-purchase.ts';
import { type Settlement, settleCall } from './settle-call.ts';
import type { SupplierError } from './supplier-error.ts';

/** Places one supplier order, at most once per attempt, whatever is repeated, late or killed. */
export async function buy(
  ports: PurchasePorts,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const { settings, log } = ports;
  const facts = await factsHere(ports, command.supplierOrderId);
  if (facts === undefined || facts.row.state !== 'draft') return DONE;
  const { row } = facts;
  const adapter = ports.adapterOf(row.supplier);
  const request = requestOf(facts, settings);
  if (adapter === undefined) return withhold(ports, row, commandId, 0, noCredentials(row.supplier));
  if (request === undefined) return withhold(ports, row, commandId, 0, NO_ADDRESS);
  // Whatever forbids the call must do so before the intent is written.
  const wait = await waitFor(adapter, facts.callPauseMs);
  if (wait !== null) return wait;
  if (!row.isQuoted) return prepare(ports, adapter, facts, commandId);
  const sought = await seek(ports, adapter, facts, request, commandId);
  if (sought === 'not_now') return DONE;
  const { order: found, takesOver } = sought ?? {};

  if (found === undefined) await readAhead(ports, adapter, row, request);
  const requestHash = hashOf(request);
  const costMinor = row.expectedCostMinor;
  const spend = spendingCall(settings);
  const begun = await claim(ports, { row, deed: 'create', commandId, requestHash, costMinor });
  if (begun.may !== 'call') return DONE;

  const { attempt } = begun;
  if (takesOver !== undefined)
    log.warn({ supplierOrderId: row.id, before: takesOver.id }, 'what was cancelled lives again: taken over');
  else if (found !== undefined)
    log.warn({ supplierOrderId: row.id, attempt }, 'it was bought after the backup: it is adopted');
  moment('create: after intent commit before call');
  let placed: PlacedOrder;
  try {
    placed = found ?? (await spend((signal) => adapter.place(request, signal)));
  } catch (error) {
    moment('create: after call before record');
    const failure = withoutRecipient(toSupplierError(error), request.recipient);
    await settleFailed(ports, adapter, facts, attempt, failure);
    return DONE;
  }
  moment('create: after call before record');
  const recorded = 'create: after record before publish';
  await settlePlaced(ports, row, attempt, placed, { recorded, takesOver });
  return DONE;
}

/** The purchase as it stands; where it was planned for another address than its order has now, as one to be quoted. */
async function factsHere(ports: PurchasePorts, supplierOrderId: string): Promise<PurchaseNow | undefined> {
  const facts = await factsNow(ports, supplierOrderId);
  if (facts === undefined || !facts.row.isQuoted || isQuotedForHere(facts)) return facts;
  await forgetQuotes(ports.store, [facts.row.orderId]);
  return factsNow(ports, supplierOrderId);
}

/** What the call has to know is asked before its time runs. What cannot be had now is for the call itself to say. */
export async function readAhead(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  row: PurchaseRow,
  request: PlaceRequest,
): Promise<void> {
  // A supplier that is only played with is not asked.
  if (gateOf(ports, row, []) !== null) return;
  const signal = AbortSignal.timeout(callPatienceMs(ports.settings) * REQUESTS_OF.quote);
  await adapter.beforePlace?.(request, signal).catch(() => {});
}

interface SoughtOrder {
  readonly order: PlacedOrder;
  readonly takesOver?: TakenOver;
}

/**
 * The purchase as it stands at the supplier already: from a time that the database lost, or because what it takes the
 * place of lives again. Undefined: neither.
 * `not_now`: a person was called, or it is too early to tell; the order's deadline asks again.
 */
async function seek(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  facts: PurchaseNow,
  request: PlaceRequest,
  commandId: string,
): Promise<SoughtOrder | undefined | 'not_now'> {
  const { row, restoration } = facts;
  try {
    const before = await livingAgain(ports, facts, request);
    if (before.how === 'held') {
      await withhold(ports, row, commandId, 0, before.why);
      return 'not_now';
    }
    if (before.how === 'lives') return before;
    if (restoration === undefined) return undefined;
    const sought = await seekPurchase(ports, adapter, row, request, restoration);
    if (sought.how === 'clear') return undefined;
    if (sought.how === 'found') return sought;
    if (sought.how === 'held') await withhold(ports, row, commandId, 0, sought);
  } catch (error) {
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), request.recipient);
    ports.log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'a purchase could not be looked for');
    const reason = NEEDS_A_PERSON[failureClass];
    if (reason !== undefined) await withhold(ports, row, commandId, 0, { reason, evidence });
  }
  return 'not_now';
}

/**
 * Adopts a purchase that exists at the supplier as the one of this attempt.
 * @param more what goes with it, as `Settlement` says.
 */
export async function settlePlaced(
  ports: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  placed: PlacedOrder,
  more: Pick<Settlement, 'beside' | 'recorded' | 'takesOver'> = {},
): Promise<void> {
  const { supplierReference, amountMinor, isPaid, heldBack } = placed;
  const stopped = isPaid === true || heldBack === undefined ? {} : { heldBack };
  const type = isPaid === true ? SUPPLIER_ORDER_ACCEPTED : SUPPLIER_ORDER_PLACED;
  await settleCall(ports, {
    row,
    deed: 'create',
    attempt,
    verdict: { state: 'done', evidence: { supplierReference, ...stopped } },
    placed: { supplierReference, amountMinor },
    message: outcome(row, type, `placed:${attempt}`, attempt, {
      supplierReference,
      amountMinor,
      ...stopped,
    }),
    ...more,
  });
}

/**
 * Whether the supplier shows an order under our reference although it refused to make one: asked, where it can be, before
 * its units may be bought anew. A refusal is believed when the question fails, or takes longer than the call's own time: it
 * is asked for again later.
 */
async function isMadeAllTheSame(
  { store, settings, log }: PurchasePorts,
  adapter: PatientAdapter,
  { row: { id, orderId }, recipient }: PurchaseFacts,
  { evidence: { sent } }: SupplierError,
): Promise<boolean> {
  if (!adapter.capabilities.looksUpByReference || sent === false) return false;
  try {
    const since = await possibleSince(store, orderId);
    const found = await adapter.lookUp(id, AbortSignal.timeout(callPatienceMs(settings)), since);
    return found.some(({ isCancelled }) => !isCancelled);
  } catch (error) {
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), recipient);
    log.warn({ supplierOrderId: id, failureClass, evidence }, 'a refused purchase could not be looked for');
    return false;
  }
}

async function settleFailed(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  facts: PurchaseFacts,
  attempt: number,
  error: SupplierError,
): Promise<void> {
  const { row } = facts;
  const { failureClass, evidence } = error;
  const isNotNow = failureClass === 'transient' || failureClass === 'throttled';
  ports.log.warn({ supplierOrderId: row.id, attempt, failureClass, evidence }, 'a purchase was not accepted');
  // "Exists already" is an answer to an earlier call of ours: the look-up finds and adopts it.
  const isDoubt =
    failureClass === 'unknown_outcome' ||
    failureClass === 'duplicate_reference' ||
    (!isNotNow && (await isMadeAllTheSame(ports, adapter, facts, error)));
  // The answer is known here alone, and waits for the database as its record does.
  const isReplaced = await throughOutage(() => isReplaceable(ports.store, facts, error));
  const message = (): OutboxRow => {
    if (isDoubt)
      return outcome(row, SUPPLIER_ORDER_OUTCOME_UNKNOWN, `unknown:${attempt}`, attempt, { evidence });
    if (isNotNow) return outcome(row, SUPPLIER_ORDER_DEFERRED, `deferred:${attempt}`, attempt, { evidence });
    const data = { failureClass, evidence, ...(isReplaced ? { isReplaceable: true } : {}) };
    return outcome(row, SUPPLIER_ORDER_REJECTED, `rejected:${attempt}`, attempt, data);
  };
  const state = isDoubt ? 'unknown' : isNotNow ? 'absent' : 'refused';
  await settleCall(ports, {
    row,
    deed: 'create',
    attempt,
    verdict: { state, evidence: { ...evidence, failureClass } },
    message: message(),
    recorded: 'create: after record before publish',
  });
}
