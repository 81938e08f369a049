import { createHash } from 'node:crypto';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import {
  SUPPLIER_ORDER_ACCEPTED,
  SUPPLIER_ORDER_DEFERRED,
  SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  SUPPLIER_ORDER_PLACED,
  SUPPLIER_ORDER_PLACING,
  SUPPLIER_ORDER_REJECTED,
} from '../../contracts/events/purchase-outcome.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { type Moment, moment } from '../moments.ts';
import { DONE } from '../serve-commands.ts';
import type { Sql } from '../store/store.ts';
import type { PlacedOrder, PlaceRequest, SupplierError } from './adapter.ts';
import { begin, currentIntent, settle } from './ledger.ts';
import type { PatientAdapter } from './policy.ts';
import { prepare } from './prepare.ts';
import {
  callTimeoutMs,
  ceilingOf,
  NEEDS_A_PERSON,
  noCredentials,
  notNow,
  outcome,
  type PurchasePorts,
  spendingGate,
  toSupplierError,
  withheld,
  withhold,
} from './purchase-ports.ts';
import {
  lockPurchase,
  markPlacing,
  ownerOf,
  type PurchaseRow,
  readLines,
  readPurchase,
  rememberPlaced,
} from './purchase-row.ts';
import { readRecipient, withoutRecipient } from './recipient.ts';
import { seekPurchase } from './seek-purchase.ts';
import { standingCaps } from './standing-caps.ts';

/** Of what the supplier is sent: our own ceiling may change without making it another purchase. */
export const hashOf = ({ ceilingMinor: _, ...sent }: PlaceRequest): string =>
  createHash('sha256').update(JSON.stringify(sent)).digest('hex');

/** What the supplier is sent; undefined when the order has no address. */
export async function requestFor(
  sql: Sql,
  row: PurchaseRow,
  settings: Settings,
): Promise<PlaceRequest | undefined> {
  const recipient = await readRecipient(sql, row.orderId);
  if (recipient === undefined) return undefined;
  const lines = (await readLines(sql, row.id)).map(
    ({ lineId, supplierProductId, supplierVariantId, supplierUnits: units }) => ({
      lineId,
      supplierProductId,
      supplierVariantId,
      units,
    }),
  );
  const { id: callerRef, shipsFrom, shippingMethod, currency } = row;
  return {
    callerRef,
    recipient,
    shipsFrom,
    shippingMethod,
    lines,
    currency,
    ceilingMinor: ceilingOf(settings, row),
  };
}

/** Places one supplier order, at most once per attempt, whatever is repeated, late or killed. */
export async function buy(
  ports: PurchasePorts,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const { store, bus, settings, log } = ports;
  const row = await readPurchase(store, command.supplierOrderId);
  if (row === undefined || row.state !== 'draft') return DONE;
  const adapter = ports.adapterOf(row.supplier);
  const request = await requestFor(store, row, settings);
  if (adapter === undefined) {
    const { reason, evidence } = noCredentials(row.supplier);
    return withhold(ports, row, commandId, 0, reason, evidence);
  }
  if (request === undefined)
    return withhold(ports, row, commandId, 0, 'address_invalid', { missing: 'shipping address' });
  // Whatever forbids the call must do so before the intent is written.
  const wait = await notNow(ports, adapter);
  if (wait !== null) return wait;
  if (!row.isQuoted) return prepare(ports, adapter, row, commandId);
  const sought = await seek(ports, adapter, row, request, commandId);
  if (sought === 'not_now') return DONE;

  const begun = await commitAndPublish(store, bus, async (sql, say) => {
    const locked = await lockPurchase(sql, row.id);
    if (locked?.state !== 'draft' || locked.isHeld || !locked.isQuoted) return { may: 'wait' as const };
    // Read again under the lock: a change of the address or of the method locks here too, and comes before or after.
    const current = await requestFor(sql, locked, settings);
    if (current === undefined || hashOf(current) !== hashOf(request)) return { may: 'wait' as const };
    const closed = await spendingGate(sql, ports, row);
    if (closed !== null) {
      say(withheld(row, commandId, 0, closed.reason, closed.evidence));
      return { may: 'wait' as const };
    }
    const intent = {
      supplierOrderId: row.id,
      orderId: row.orderId,
      supplier: row.supplier,
      deed: 'create' as const,
      requestHash: hashOf(request),
      costMinor: row.expectedCostMinor,
      currency: row.currency,
      callTimeoutMs: callTimeoutMs(settings),
    };
    const result = await begin(sql, intent, await standingCaps(sql, settings, row, intent.costMinor));
    if (result.may === 'not') say(withheld(row, commandId, 0, result.reason, result.evidence));
    if (result.may === 'call') {
      await markPlacing(sql, row, commandId);
      say(outcome(row, SUPPLIER_ORDER_PLACING, `placing:${result.attempt}`, result.attempt, {}));
    }
    if (result.may === 'look_up') {
      // An outdated answer led back to draft. The ledger is right: nothing is called, and the doubt is taken up again.
      log.error({ supplierOrderId: row.id, attempt: result.attempt }, 'a draft with a purchase in doubt');
      await markPlacing(sql, row, commandId);
      const data = { evidence: { cause: 'a draft with a purchase in doubt' } };
      say(outcome(row, SUPPLIER_ORDER_OUTCOME_UNKNOWN, `unknown:${commandId}`, result.attempt, data));
    }
    if (result.may === 'call') moment('create: before intent commit');
    return result;
  });
  if (begun.may !== 'call') return DONE;

  const { attempt } = begun;
  if (sought !== undefined)
    log.warn({ supplierOrderId: row.id, attempt }, 'it was bought after the backup: it is adopted');
  moment('create: after intent commit before call');
  try {
    const placed = sought ?? (await adapter.place(request, AbortSignal.timeout(callTimeoutMs(settings))));
    moment('create: after call before record');
    await settlePlaced(ports, row, attempt, placed, 'create: after record before publish');
  } catch (error) {
    moment('create: after call before record');
    const failure = withoutRecipient(toSupplierError(error), request.recipient);
    await settleFailed(ports, row, attempt, failure);
  }
  return DONE;
}

/**
 * The purchase as it stands at the supplier already, from a time that the database lost; undefined: it was never made.
 * `not_now`: a person was called, or it is too early to tell; the order's deadline asks again.
 */
async function seek(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  row: PurchaseRow,
  request: PlaceRequest,
  commandId: string,
): Promise<PlacedOrder | undefined | 'not_now'> {
  try {
    const sought = await seekPurchase(ports, adapter, row, request);
    if (sought.how === 'clear') return undefined;
    if (sought.how === 'found') return sought.order;
    if (sought.how === 'held') await withhold(ports, row, commandId, 0, sought.reason, sought.evidence);
  } catch (error) {
    const { failureClass, evidence } = toSupplierError(error);
    ports.log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'a purchase could not be looked for');
    const reason = NEEDS_A_PERSON[failureClass];
    if (reason !== undefined) await withhold(ports, row, commandId, 0, reason, evidence);
  }
  return 'not_now';
}

/** Adopts a purchase that exists at the supplier as the one of this attempt. */
export async function settlePlaced(
  { store, bus, log }: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  placed: PlacedOrder,
  between?: Moment,
): Promise<void> {
  const { supplierReference, amountMinor, isPaid } = placed;
  await commitAndPublish(
    store,
    bus,
    async (sql, say) => {
      const key = { supplierOrderId: row.id, deed: 'create' as const, attempt };
      const known = await lockPurchase(sql, row.id);
      const owner = await ownerOf(sql, row, supplierReference);
      if (owner !== undefined) {
        log.error({ supplierOrderId: row.id, supplierReference, owner }, 'an order of two purchases');
        const evidence = {
          supplierReference,
          cause: 'the order is known as the purchase of another one',
          owner,
        };
        await settle(sql, key, 'unknown', evidence);
        say(withheld(row, `taken:${attempt}`, attempt, 'duplicate_suspected', evidence));
        return;
      }
      if (!(await settle(sql, key, 'done', { supplierReference }))) {
        const now = await currentIntent(sql, row.id, 'create');
        if (now?.state === 'done' && known?.supplierReference === supplierReference) return;
        log.error({ supplierOrderId: row.id, attempt }, 'a purchase answered after it had been given up');
        const evidence = { supplierReference, lateAttempt: attempt };
        say(withheld(row, `late:${attempt}`, attempt, 'duplicate_suspected', evidence));
        return;
      }
      await rememberPlaced(sql, row.id, placed);
      const type = isPaid ? SUPPLIER_ORDER_ACCEPTED : SUPPLIER_ORDER_PLACED;
      say(outcome(row, type, `placed:${attempt}`, attempt, { supplierReference, amountMinor }));
    },
    between,
  );
}

async function settleFailed(
  { store, bus, log }: PurchasePorts,
  row: PurchaseRow,
  attempt: number,
  error: SupplierError,
): Promise<void> {
  const { failureClass, evidence } = error;
  const key = { supplierOrderId: row.id, deed: 'create' as const, attempt };
  // "Exists already" is an answer to an earlier call of ours: the look-up finds and adopts it.
  const isDoubt = failureClass === 'unknown_outcome' || failureClass === 'duplicate_reference';
  const isNotNow = failureClass === 'transient' || failureClass === 'throttled';
  log.warn({ supplierOrderId: row.id, attempt, failureClass, evidence }, 'a purchase was not accepted');
  await commitAndPublish(
    store,
    bus,
    async (sql, say) => {
      if (
        !(await settle(sql, key, isDoubt ? 'unknown' : isNotNow ? 'absent' : 'refused', {
          ...evidence,
          failureClass,
        }))
      )
        return;
      if (isDoubt)
        say(outcome(row, SUPPLIER_ORDER_OUTCOME_UNKNOWN, `unknown:${attempt}`, attempt, { evidence }));
      else if (isNotNow)
        say(outcome(row, SUPPLIER_ORDER_DEFERRED, `deferred:${attempt}`, attempt, { evidence }));
      else
        say(
          outcome(row, SUPPLIER_ORDER_REJECTED, `rejected:${attempt}`, attempt, { failureClass, evidence }),
        );
    },
    'create: after record before publish',
  );
}
