import { createHash } from 'node:crypto';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SUPPLIER_ORDER_ACCEPTED } from '../../contracts/events/purchase-outcome.ts';
import { SUPPLIER_ORDER_OBSERVED } from '../../contracts/events/supplier-order-observed.ts';
import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { DONE } from '../serve-commands.ts';
import { restorationOf } from '../store/restorations.ts';
import type { Sql } from '../store/store.ts';
import { readAcceptances } from './acceptances.ts';
import type { PaymentDue } from './adapter.ts';
import { begin, countAbsence, settle } from './ledger.ts';
import {
  callTimeoutMs,
  ceilingOf,
  doubtOf,
  notNow,
  outcome,
  type PurchasePorts,
  spendingGate,
  toSupplierError,
  withheld,
  withhold,
} from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow, readPurchase, rememberPlaced } from './purchase-row.ts';
import { isCostAccepted, standingCaps } from './standing-caps.ts';

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
  const row = await readPurchase(store, command.supplierOrderId);
  if (row === undefined || row.state !== 'awaiting_payment') return DONE;
  const hold = (reason: HoldReason, evidence: Evidence): Promise<CommandResult> =>
    withhold(ports, row, commandId, 0, reason, evidence);
  const adapter = ports.adapterOf(row.supplier);
  // Asked here as well: a supplier that is only played with is not even asked what is due.
  const closed = await spendingGate(store, ports, row);
  if (closed !== null) return hold(closed.reason, closed.evidence);
  const reference = row.supplierReference;
  if (adapter === undefined || reference === null)
    return hold('outcome_unknown', { cause: 'no supplier reference' });
  const wait = await notNow(ports, adapter);
  if (wait !== null) return wait;
  // A payment from the time that a restored database lost must have had time to show.
  const restoration = await restorationOf(store, row.orderId);
  if (restoration !== undefined && restoration.ageMs < doubtOf(settings).windowMs) return DONE;

  let due: PaymentDue;
  try {
    const key = { supplierReference: reference, callerRef: row.id };
    due = await adapter.preparePayment(key, AbortSignal.timeout(callTimeoutMs(settings) * 2));
  } catch (error) {
    const { failureClass, evidence } = toSupplierError(error);
    log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'what is due could not be asked');
    const reason = HOLD_OF[failureClass];
    return reason === undefined ? DONE : hold(reason, evidence);
  }
  await rememberBalance(store, row, due);
  if (due.state === 'cancelled') {
    const evidence = { supplierReference: reference, cause: 'closed at the supplier before it was paid' };
    const data = { status: 'cancelled', parcels: [], evidence };
    await commitAndPublish(store, bus, async (_sql, say) =>
      say(outcome(row, SUPPLIER_ORDER_OBSERVED, `unpaid:${commandId}`, 0, data)),
    );
    return DONE;
  }
  if (due.state === 'paid') {
    await commitAndPublish(store, bus, (sql, say) => settlePaid(sql, say, row, due.amountMinor, null));
    return DONE;
  }
  const { amountMinor } = due;
  // Our own estimate is no answer: it would always be found to fit.
  if (amountMinor === null) return hold('cost_above_cap', { cause: 'the supplier names no amount' });
  const ceilingMinor = ceilingOf(settings, row);
  const isAbove =
    amountMinor > ceilingMinor &&
    !isCostAccepted(await readAcceptances(store, row.orderId), 'cost_above_cap', row, amountMinor);
  if (due.currency !== row.currency || isAbove) {
    const { expectedCostMinor: expectedMinor } = row;
    return hold('cost_above_cap', { amountMinor, expectedMinor, ceilingMinor, currency: due.currency });
  }
  if (adapter.capabilities.payment !== 'by_call') {
    const cause = `pay by hand at the supplier${due.payUntil == null ? '' : ` until ${due.payUntil}`}`;
    return hold('payment_pending', {
      cause,
      supplierReference: reference,
      amountMinor,
      currency: due.currency,
    });
  }
  if (due.balanceMinor !== null && due.balanceMinor < amountMinor) {
    const { balanceMinor, currency } = due;
    return hold('insufficient_funds', { balanceMinor, amountMinor, currency });
  }
  return callOnce(ports, row, reference, amountMinor, commandId);
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
  row: PurchaseRow,
  reference: string,
  amountMinor: number,
  commandId: string,
): Promise<CommandResult> {
  const { store, bus, settings, log } = ports;
  const adapter = ports.adapterOf(row.supplier);
  if (adapter === undefined) return DONE;
  const key = { supplierOrderId: row.id, deed: 'pay' as const };
  const begun = await commitAndPublish(store, bus, async (sql, say) => {
    const locked = await lockPurchase(sql, row.id);
    if (locked?.state !== 'awaiting_payment' || locked.isHeld) return { may: 'wait' as const };
    const closed = await spendingGate(sql, ports, row);
    if (closed !== null) {
      say(withheld(row, commandId, 0, closed.reason, closed.evidence));
      return { may: 'wait' as const };
    }
    const intent = {
      ...key,
      orderId: row.orderId,
      supplier: row.supplier,
      requestHash: createHash('sha256').update(`${reference}:${amountMinor}`).digest('hex'),
      costMinor: amountMinor,
      currency: row.currency,
      callTimeoutMs: callTimeoutMs(settings),
    };
    const { perOrderMinor } = await standingCaps(sql, settings, row, amountMinor);
    const result = await begin(sql, intent, { perOrderMinor, perDayMinor: undefined });
    if (result.may === 'not') say(withheld(row, commandId, 0, result.reason, result.evidence));
    // It was just seen unpaid: that counts as a look-up of the payment in doubt.
    if (result.may === 'look_up')
      await countAbsence(sql, { ...key, attempt: result.attempt }, doubtOf(settings));
    if (result.may === 'call') moment('pay: before intent commit');
    return result;
  });
  if (begun.may !== 'call') return DONE;

  const { attempt } = begun;
  moment('pay: after intent commit before call');
  const recorded = 'pay: after record before publish';
  try {
    await adapter.pay(reference, AbortSignal.timeout(callTimeoutMs(settings)));
    moment('pay: after call before record');
    await commitAndPublish(
      store,
      bus,
      (sql, say) => settlePaid(sql, say, row, amountMinor, attempt),
      recorded,
    );
  } catch (error) {
    moment('pay: after call before record');
    const { failureClass, evidence } = toSupplierError(error);
    log.warn({ supplierOrderId: row.id, attempt, failureClass, evidence }, 'a payment got no clear yes');
    const isDoubt = failureClass === 'unknown_outcome';
    const reason = HOLD_OF[failureClass];
    await commitAndPublish(
      store,
      bus,
      async (sql, say) => {
        if (!(await settle(sql, { ...key, attempt }, isDoubt ? 'unknown' : 'refused', evidence))) return;
        if (!isDoubt && reason !== undefined) say(withheld(row, commandId, attempt, reason, evidence));
      },
      recorded,
    );
  }
  return DONE;
}

/** @param attempt of our own call; null when the supplier's word alone says that it is paid. */
async function settlePaid(
  sql: Parameters<typeof settle>[0],
  say: (message: ReturnType<typeof outcome>) => void,
  row: PurchaseRow,
  amountMinor: number | null,
  attempt: number | null,
): Promise<void> {
  const supplierReference = row.supplierReference ?? '';
  await lockPurchase(sql, row.id);
  if (attempt === null) {
    await sql.run(
      `update purchase_intents set state = 'done', updated_at = now()
        where supplier_order_id = $1 and kind = 'pay' and state in ('calling', 'unknown')`,
      [row.id],
    );
  } else {
    await settle(sql, { supplierOrderId: row.id, deed: 'pay', attempt }, 'done', { supplierReference });
  }
  await rememberPlaced(sql, row.id, { supplierReference, amountMinor });
  say(outcome(row, SUPPLIER_ORDER_ACCEPTED, 'paid', attempt ?? 0, { supplierReference, amountMinor }));
}
