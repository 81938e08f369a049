import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import {
  SUPPLIER_ORDER_CANCEL_CONFIRMED,
  SUPPLIER_ORDER_CANCEL_REFUSED,
} from '../../contracts/events/cancel-outcome.ts';
import type { Evidence } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import { currentIntent, settleShownPaid } from './ledger.ts';
import { factsNow } from './purchase-facts.ts';
import {
  NEEDS_A_PERSON,
  NO_REFERENCE,
  noCredentials,
  outcome,
  type PurchasePorts,
  toSupplierError,
  waitFor,
  withhold,
} from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';

/** Classes after which the next try may go well: the deadline of the cancel asks again. */
const PASSES = ['transient', 'throttled', 'unknown_outcome'];

/**
 * Gives a purchase up at the supplier, and says so only when the supplier does. What is paid, or cannot be given up by a
 * call, is refused: a person has to see to it. Spends nothing; any repetition does no harm.
 */
export async function cancel(
  ports: PurchasePorts,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const { store, settings, log } = ports;
  const facts = await factsNow(ports, command.supplierOrderId);
  if (facts === undefined || facts.row.state !== 'cancelling') return DONE;
  const { row } = facts;
  const adapter = ports.adapterOf(row.supplier);
  const reference = row.supplierReference;
  if (adapter === undefined) return withhold(ports, row, commandId, 0, noCredentials(row.supplier));
  if (reference === null) return withhold(ports, row, commandId, 0, NO_REFERENCE);
  const wait = await waitFor(adapter, facts.callPauseMs);
  if (wait !== null) return wait;
  // A payment may be on its way this very moment: what comes of it decides what there is to be undone.
  const payment = await currentIntent(store, row.id, 'pay');
  if (payment?.state === 'calling' && !payment.overdue) return DONE;

  const key = { supplierReference: reference, callerRef: row.placedAs };
  const signal = (): AbortSignal => AbortSignal.timeout(callPatienceMs(settings) * 2);
  try {
    const status = (await adapter.status([key], signal())).get(reference)?.status;
    if (status === 'cancelled') return await confirm(ports, row, commandId, { status });
    if (status === null) {
      const cause = 'the supplier shows it in a state that is not known: it may be paid';
      return await refuse(ports, row, commandId, payment?.state === 'done', { cause });
    }
    if (status !== undefined && status !== 'awaiting_payment')
      return await refuse(ports, row, commandId, true, {
        status,
        supplierReference: reference,
        cause: 'it is paid, which no call takes back: cancel it on its site, or let it come',
      });
    if (!adapter.capabilities.cancelsBeforePayment) {
      const cause =
        'this supplier has no call to give up an order: cancel it on its site, or leave it unpaid until it is closed there';
      return await refuse(ports, row, commandId, payment?.state === 'done', {
        supplierReference: reference,
        cause,
      });
    }
  } catch (error) {
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), facts.recipient);
    log.warn(
      { supplierOrderId: row.id, failureClass, evidence, err: error },
      'the state before a cancel could not be read',
    );
    const reason = NEEDS_A_PERSON[failureClass];
    // What is paid may be sent meanwhile.
    return reason === undefined ? DONE : withhold(ports, row, commandId, 0, { reason, evidence });
  }
  try {
    await adapter.cancel(key, signal());
  } catch (error) {
    const { failureClass, evidence } = withoutRecipient(toSupplierError(error), facts.recipient);
    log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'a cancel got no clear yes');
    if (PASSES.includes(failureClass)) return DONE;
    return refuse(ports, row, commandId, payment?.state === 'done', { ...evidence, failureClass });
  }
  return confirm(ports, row, commandId, {});
}

async function confirm(
  { store, bus }: PurchasePorts,
  row: PurchaseRow,
  commandId: string,
  evidence: Evidence,
): Promise<CommandResult> {
  await commitAndPublish(store, bus, async (_sql, say) =>
    say(outcome(row, SUPPLIER_ORDER_CANCEL_CONFIRMED, `cancelled:${commandId}`, 0, { evidence })),
  );
  return DONE;
}

/** @param isPaid our money is in it, as far as anybody knows. */
async function refuse(
  { store, bus }: PurchasePorts,
  row: PurchaseRow,
  commandId: string,
  isPaid: boolean,
  evidence: Evidence,
): Promise<CommandResult> {
  await commitAndPublish(store, bus, async (sql, say) => {
    if (isPaid) await settleShownPaid(sql, [row.id]);
    say(outcome(row, SUPPLIER_ORDER_CANCEL_REFUSED, `uncancelled:${commandId}`, 0, { isPaid, evidence }));
  });
  return DONE;
}
