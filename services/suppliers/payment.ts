import { createHash } from 'node:crypto';
import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SUPPLIER_ORDER_ACCEPTED } from '../../contracts/events/purchase-outcome.ts';
import { SUPPLIER_ORDER_OBSERVED } from '../../contracts/events/supplier-order-observed.ts';
import type { FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { readPauses } from '../purchasing-switch.ts';
import { DONE } from '../serve-commands.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import { readAcceptances } from './acceptances.ts';
import type { PaymentDue } from './adapter.ts';
import { claim } from './claim.ts';
import { type Asked, inRounds } from './in-rounds.ts';
import { type Doubt, settleShownPaid } from './ledger.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { factsNow, type PurchaseFacts } from './purchase-facts.ts';
import {
  ceilingOf,
  doubtOf,
  gateOf,
  LONG_WINDOWS,
  NO_REFERENCE,
  outcome,
  type PurchasePorts,
  paymentReleased,
  saysNotYet,
  spendingCall,
  toSupplierError,
  type Withholding,
  waitFor,
  withheld,
  withhold,
} from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow, rememberPlaced } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';
import { settleCall } from './settle-call.ts';
import { isCostAccepted } from './standing-caps.ts';

/** Refusals before any money moved: which person has to look. Those missing here mend themselves and are asked again. */
const HOLD_OF: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  funds: 'insufficient_funds',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  price_changed: 'cost_above_cap',
  account_blocked: 'account_risk',
  not_found: 'outcome_unknown',
  invalid_input: 'supplier_rejected',
  permanent: 'supplier_rejected',
};

/** What was in doubt and then seen unpaid so often is no accident: nobody would hear of it until it lapses. */
const DOUBTS_TO_TELL = 5;
const LEFT_IN_DOUBT =
  'each payment was left in doubt and then shown unpaid: pay it on the supplier’s site, or release it to try again';
const doubtHold = (attempt: number): HoldReason | undefined =>
  attempt % DOUBTS_TO_TELL === 0 ? 'outcome_unknown' : undefined;

/** It has waited for its payment for longer than any supplier takes to show what was bought. */
async function isLongUnpaid(sql: Sql, { id }: PurchaseRow, { windowMs }: Doubt): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 from supplier_orders where id = $1 and entered_at < now() - $2::float8 * interval '1 millisecond'`,
    [id, windowMs * LONG_WINDOWS],
  );
  return row !== undefined;
}

const pausesNow = inRounds(async ({ store }: PurchasePorts, asked: readonly Asked<PurchaseRow>[]) => {
  const pauses = await readPauses(store);
  return asked.map(() => pauses);
});

/**
 * Pays one placed order. The supplier is asked first what is due; a payment in doubt is only repeated after the
 * supplier has said "still unpaid" often and long enough.
 */
export async function pay(
  ports: PurchasePorts,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const { store, bus, settings, log } = ports;
  const facts = await factsNow(ports, command.supplierOrderId);
  if (facts === undefined || facts.row.state !== 'awaiting_payment') return DONE;
  const { row, restoration } = facts;
  const hold = (why: Withholding): Promise<CommandResult> => withhold(ports, row, commandId, 0, why);
  const adapter = ports.adapterOf(row.supplier);
  // Asked here as well: a supplier that is only played with is not even asked what is due.
  const closed = gateOf(ports, row, await pausesNow(ports, row));
  if (closed !== null) return hold(closed);
  const reference = row.supplierReference;
  if (adapter === undefined || reference === null) return hold(NO_REFERENCE);
  const wait = await waitFor(adapter, facts.callPauseMs);
  if (wait !== null) return wait;
  // A payment from the time that a restored database lost must have had time to show.
  if (restoration !== undefined && restoration.ageMs < doubtOf(settings).windowMs) return DONE;

  let due: PaymentDue;
  try {
    const key = { supplierReference: reference, callerRef: row.placedAs };
    due = await adapter.preparePayment(
      key,
      AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.preparePayment),
    );
  } catch (error) {
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), facts.recipient);
    log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'what is due could not be asked');
    const reason = HOLD_OF[failureClass];
    if (reason !== undefined) return hold({ reason, evidence });
    if (!saysNotYet(evidence) || !(await isLongUnpaid(store, row, doubtOf(settings)))) return DONE;
    const cause = 'bought, and not shown by the supplier so that it can be paid: look for it on its site';
    return hold({
      reason: 'outcome_unknown',
      evidence: { ...evidence, supplierReference: reference, cause },
    });
  }
  await rememberBalance(store, row, due);
  if (due.state === 'cancelled') {
    const evidence = { supplierReference: reference, cause: 'closed at the supplier before it was paid' };
    const data = { status: 'cancelled', parcels: [], evidence };
    const said = outcome(row, SUPPLIER_ORDER_OBSERVED, `unpaid:${commandId}`, 0, data);
    await commitAndPublish(store, bus, async (sql, say) => {
      for (const message of [said, ...(await paymentReleased(sql, row, `unpaid:${commandId}`))]) say(message);
    });
    return DONE;
  }
  if (due.state === 'paid') {
    await commitAndPublish(store, bus, (sql, say) => settleSeenPaid(sql, say, row, due, commandId));
    return DONE;
  }
  const payable = await payableAmount(ports, row, due, adapter.capabilities.payment);
  if (typeof payable !== 'number') return hold(payable);
  return callOnce(ports, adapter, facts, reference, payable, commandId);
}

/** What we pay of what the supplier shows as due, or why a person has to look. */
async function payableAmount(
  { store, settings }: PurchasePorts,
  row: PurchaseRow,
  due: PaymentDue,
  payment: PatientAdapter['capabilities']['payment'],
): Promise<number | Withholding> {
  const { supplierReference } = row;
  const { amountMinor, balanceMinor, currency } = due;
  if (due.state === 'unclear') {
    const cause = 'the supplier shows it in a state that is not known: it may be paid';
    const evidence = { cause, supplierReference, shownAs: due.shownAs ?? null };
    return { reason: 'outcome_unknown', evidence };
  }
  // Our own estimate is no answer: it would always be found to fit.
  if (amountMinor === null)
    return { reason: 'cost_above_cap', evidence: { cause: 'the supplier names no amount' } };
  const ceilingMinor = ceilingOf(settings, row);
  const isAbove =
    amountMinor > ceilingMinor &&
    !isCostAccepted(await readAcceptances(store, row.orderId), 'cost_above_cap', row, amountMinor);
  if (currency !== row.currency || isAbove) {
    const evidence = { amountMinor, expectedMinor: row.expectedCostMinor, ceilingMinor, currency };
    return { reason: 'cost_above_cap', evidence };
  }
  if (payment !== 'by_call') {
    const cause = `pay by hand at the supplier${due.payUntil == null ? '' : ` until ${due.payUntil}`}`;
    const within = due.payWithinSeconds === undefined ? {} : { payWithinSeconds: due.payWithinSeconds };
    const evidence = { cause, supplierReference, amountMinor, currency, ...within };
    return { reason: 'payment_pending', evidence };
  }
  if (balanceMinor !== null && balanceMinor < amountMinor)
    return { reason: 'insufficient_funds', evidence: { balanceMinor, amountMinor, currency } };
  return amountMinor;
}

/** What a person sees of the prepaid account; no payment is decided by it. */
async function rememberBalance(
  sql: Sql,
  { supplier }: PurchaseRow,
  { balanceMinor, currency }: PaymentDue,
): Promise<void> {
  if (balanceMinor === null) return;
  await sql.run(
    'update supplier_accounts set balance_minor = $2, balance_currency = $3 where supplier = $1',
    [supplier, balanceMinor, currency],
  );
}

async function callOnce(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  { row, recipient }: PurchaseFacts,
  reference: string,
  amountMinor: number,
  commandId: string,
): Promise<CommandResult> {
  const { settings, log } = ports;
  const requestHash = createHash('sha256').update(`${reference}:${amountMinor}`).digest('hex');
  const deed = 'pay' as const;
  const spend = spendingCall(settings);
  const begun = await claim(ports, { row, deed, commandId, requestHash, costMinor: amountMinor });
  if (begun.may !== 'call') return DONE;

  const { attempt } = begun;
  moment('pay: after intent commit before call');
  const call = { row, deed, attempt, recorded: 'pay: after record before publish' as const };
  try {
    await spend((signal) => adapter.pay(reference, signal));
  } catch (error) {
    moment('pay: after call before record');
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), recipient);
    log.warn({ supplierOrderId: row.id, attempt, failureClass, evidence }, 'a payment got no clear yes');
    const isDoubt = failureClass === 'unknown_outcome';
    const reason = isDoubt ? doubtHold(attempt) : HOLD_OF[failureClass];
    const why = isDoubt
      ? { ...evidence, supplierReference: reference, attempts: attempt, cause: LEFT_IN_DOUBT }
      : evidence;
    const message =
      reason === undefined ? null : withheld(row, commandId, attempt, { reason, evidence: why });
    const state = isDoubt ? 'unknown' : 'refused';
    await settleCall(ports, { ...call, verdict: { state, evidence }, message });
    return DONE;
  }
  moment('pay: after call before record');
  const placed = { supplierReference: reference, amountMinor };
  const verdict = { state: 'done' as const, evidence: { supplierReference: reference } };
  const message = outcome(row, SUPPLIER_ORDER_ACCEPTED, 'paid', attempt, placed);
  await settleCall(ports, { ...call, verdict, placed, message });
  return DONE;
}

/** The supplier's word alone says that it is paid. */
async function settleSeenPaid(
  sql: Sql,
  say: (message: OutboxRow) => void,
  row: PurchaseRow,
  { amountMinor }: PaymentDue,
  commandId: string,
): Promise<void> {
  const placed = { supplierReference: row.supplierReference ?? '', amountMinor };
  await lockPurchase(sql, row.id);
  await settleShownPaid(sql, [row.id]);
  await rememberPlaced(sql, [{ ...placed, supplierOrderId: row.id }]);
  say(outcome(row, SUPPLIER_ORDER_ACCEPTED, 'paid', 0, placed));
  for (const release of await paymentReleased(sql, row, `paid:${commandId}`)) say(release);
}
