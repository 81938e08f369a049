import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, commitForSure } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { DONE } from '../serve-commands.ts';
import { throughOutage } from '../store/outage.ts';
import type { PlacedOrder, PlaceRequest } from './adapter.ts';
import { beginRepeat, type CurrentIntent, settle, takeBackRepeat } from './ledger.ts';
import type { StrayMatch } from './match-strays.ts';
import { hashOf } from './place-request.ts';
import type { PatientAdapter } from './policy.ts';
import { readAhead, settlePlaced } from './purchase.ts';
import { type PurchaseFacts, readFacts } from './purchase-facts.ts';
import {
  NEEDS_A_PERSON,
  type PurchasePorts,
  spendingCall,
  spendingGate,
  toSupplierError,
  type Withholding,
  withheld,
} from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';
import { findByPush } from './stray-orders.ts';
import { SupplierError } from './supplier-error.ts';
import { withholdDoubt } from './withhold-doubt.ts';

/** What the ledger forbids, said before anything is called; null: the repetition may be tried. */
function forbidden(
  intent: CurrentIntent,
  { isUnwanted }: PurchaseFacts,
  request: PlaceRequest,
  promiseMs: number,
): Withholding | null {
  const unknown = (cause: string): Withholding => ({
    reason: 'outcome_unknown',
    evidence: { ...intent.evidence, cause },
  });
  if (intent.evidence?.failureClass === 'duplicate_reference') {
    const cause = 'the supplier has an order under our reference and does not say which';
    return { reason: 'duplicate_suspected', evidence: { ...intent.evidence, cause } };
  }
  if (isUnwanted)
    return unknown('nobody wants it any more: it is not sent again, and may have been bought all the same');
  if (intent.isFromBackup)
    return unknown('it came with a restored backup: whether it was sent again since is not known');
  if (intent.repeats > 0) return unknown('sent twice, and both times without a clear answer');
  if (intent.requestHash !== hashOf(request))
    return unknown('the order has changed since: sent again it would be another purchase');
  if (intent.ageMs >= promiseMs) return unknown('too old: the supplier no longer knows a repetition as one');
  return null;
}

/** Nothing of the repetition can have been processed; what the first call did is as unknown as before. */
const wasTurnedAway = ({ failureClass, evidence }: SupplierError): boolean =>
  evidence.sent === false || failureClass === 'auth' || isNotNow(failureClass);

const isNotNow = (failureClass: FailureClass): boolean =>
  failureClass === 'transient' || failureClass === 'throttled';

/** Whom the end of a repetition calls; missing here: its outcome is unknown still, whatever the answer was. */
const HOLD_OF: Partial<Record<FailureClass, HoldReason>> = {
  ...NEEDS_A_PERSON,
  duplicate_reference: 'duplicate_suspected',
};

/** Takes the right to send the call again, unless that is forbidden by now; what forbids it is said. */
const takeRight = (
  ports: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  request: PlaceRequest,
  promiseMs: number,
  commandId: string,
): Promise<boolean> =>
  commitForSure(ports.store, ports.bus, async (sql, say) => {
    const { settings } = ports;
    // The switch before the row, as whoever claims holds them.
    const gate = await spendingGate(sql, ports, row);
    await lockPurchase(sql, row.id);
    const now = (await readFacts(sql, [row.id])).get(row.id);
    if (now?.row.state !== 'outcome_unknown' || now.isHeld || now.isUnwanted) return false;
    if (gate !== null) {
      say(withheld(row, commandId, attempt, gate));
      return false;
    }
    const isMine = await beginRepeat(
      sql,
      { supplierOrderId: row.id, attempt },
      {
        requestHash: hashOf(request),
        notBeforeMs: settings.ORDER_MANAGER_DOUBT_GRACE_SECONDS * 1_000,
        promiseMs,
        callTimeoutMs: callPatienceMs(settings),
      },
    );
    if (isMine) moment('repeat: before intent commit');
    return isMine;
  });

/** The repetition brought no order: its outcome is unknown still, or it never was one. */
async function settleRefused(
  { store, bus, log }: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  failure: SupplierError,
  commandId: string,
): Promise<void> {
  const { failureClass, evidence } = failure;
  log.warn({ supplierOrderId: row.id, attempt, failureClass, evidence }, 'the repetition brought no order');
  const key = { supplierOrderId: row.id, attempt };
  const verdict = { ...evidence, failureClass };
  await throughOutage(() =>
    commitAndPublish(
      store,
      bus,
      async (sql, say) => {
        const isMine = wasTurnedAway(failure)
          ? await takeBackRepeat(sql, key)
          : await settle(
              sql,
              { ...key, deed: 'create' },
              { state: 'unknown', evidence: verdict, repeats: 1 },
            );
        // Settled meanwhile by a push, or put off and asked for again: nobody has to look.
        if (!isMine || isNotNow(failureClass)) return;
        const reason = HOLD_OF[failureClass] ?? 'outcome_unknown';
        say(withheld(row, commandId, attempt, { reason, evidence: { supplier: row.supplier, ...verdict } }));
      },
      'repeat: after record before publish',
    ),
  );
}

/**
 * The way out of doubt where nothing can be looked up, but the supplier promises that the very same call buys once:
 * what its pushes told is adopted; else, after the grace, the call is sent again, once. Every other end is for a person.
 */
export async function repeatPurchase(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  facts: PurchaseFacts,
  intent: CurrentIntent,
  request: PlaceRequest,
  commandId: string,
): Promise<CommandResult> {
  const { settings, log } = ports;
  const { attempt } = intent;
  const { row } = facts;
  const hold = ({ reason, evidence }: Withholding): Promise<CommandResult> =>
    withholdDoubt(ports, row, commandId, intent, {
      reason,
      evidence: { supplier: row.supplier, ...evidence },
    });

  let told: StrayMatch;
  try {
    told = await findByPush(ports, adapter, row);
  } catch (error) {
    if (!(error instanceof SupplierError)) throw error;
    const { failureClass, evidence } = error;
    log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'an order named by a push cannot be read');
    const reason = NEEDS_A_PERSON[failureClass];
    return reason === undefined ? DONE : hold({ reason, evidence });
  }
  if (told.kind === 'adopted' || told.kind === 'undecided') return DONE;
  if (told.kind === 'ambiguous') {
    const cause = 'several orders at the supplier, or several of ours, fit each other';
    return hold({ reason: 'duplicate_suspected', evidence: { references: told.references, cause } });
  }
  const promiseMs = adapter.capabilities.repeatableForMs ?? 0;
  const closed = forbidden(intent, facts, request, promiseMs);
  if (closed !== null) return hold(closed);

  await readAhead(ports, adapter, row, request);
  const spend = spendingCall(settings);
  if (!(await takeRight(ports, row, attempt, request, promiseMs, commandId))) return DONE;

  moment('repeat: after intent commit before call');
  log.warn({ supplierOrderId: row.id, attempt }, 'a purchase in doubt is sent again, once');
  let placed: PlacedOrder;
  try {
    placed = await spend((signal) => adapter.place(request, signal));
    moment('repeat: after call before record');
  } catch (error) {
    moment('repeat: after call before record');
    const failure = withoutRecipient(toSupplierError(error), request.recipient);
    await settleRefused(ports, row, attempt, failure, commandId);
    return DONE;
  }
  await settlePlaced(ports, row, attempt, placed, { recorded: 'repeat: after record before publish' });
  return DONE;
}
