import { callPatienceMs } from '../../contracts/call-patience.ts';
import { SUPPLIER_ORDER_WITHHELD } from '../../contracts/events/purchase-outcome.ts';
import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { holdIdOf } from '../../contracts/ids.ts';
import type { PurchasingPause } from '../../contracts/resources/purchasing-pause.ts';
import type { Settings } from '../../contracts/settings.ts';
import { purchaseMode } from '../../contracts/supplier-variables.ts';
import type { Evidence, FailureClass, HoldReason, SupplierName } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { holdPauses, pauseOf } from '../purchasing-switch.ts';
import type { ServiceContext } from '../run-service.ts';
import { sendingUntil } from '../sending-until.ts';
import { DONE, laterInHand } from '../serve-commands.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import { callPauses } from './account.ts';
import type { SupplierCapabilities } from './adapter.ts';
import { type Asked, inRounds } from './in-rounds.ts';
import type { Doubt } from './ledger.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchaseRow } from './purchase-row.ts';
import type { Caps } from './spending.ts';
import { SupplierError } from './supplier-error.ts';

/** An open breaker refuses before anything is written; then the command comes again. */
export const BREAKER_PAUSE_MS = 5_000;
/** A command that waits longer keeps a place in the queue for nothing: the order's own deadline asks again. */
const LONGEST_WAIT_MS = 10_000;

export interface PurchasePorts extends ServiceContext {
  adapterOf(supplier: PurchaseRow['supplier']): PatientAdapter | undefined;
}

/** Asked twice at least, over the window, before a doubtful deed counts as not done (design, section 5). */
const LOOK_UPS_TO_BE_SURE = 2;

export const doubtOf = (settings: Settings): Doubt => ({
  windowMs: settings.ORDER_MANAGER_DOUBT_WINDOW_SECONDS * 1_000,
  lookUps: LOOK_UPS_TO_BE_SURE,
});

/** A supplier that is slow to show an order is waited for, by the usual setting an hour longer; unpaid, some end after a day. */
export const LONG_WINDOWS = 7;

/** Of a question that failed in a way that passes: its answer was sound, and says that it is too early. */
export const saysNotYet = ({ outage, sent }: Evidence): boolean => outage === false && sent !== false;

export const capsOf = (settings: Settings): Caps => ({
  perOrderMinor: settings.ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER,
  perDayMinor: settings.ORDER_MANAGER_CAP_PER_SUPPLIER_DAY,
  rates: settings.ORDER_MANAGER_EXCHANGE_RATES,
});

/** The most that a purchase may cost at the end: what was quoted, and a tolerance. */
export const ceilingOf = (
  settings: Settings,
  { expectedCostMinor }: Pick<PurchaseRow, 'expectedCostMinor'>,
): number => Math.floor((expectedCostMinor * (100 + settings.ORDER_MANAGER_COST_TOLERANCE_PERCENT)) / 100);

/** For the intent to be written. */
const INTENT_MS = 1_000;

/**
 * Makes a call that spends. It has to be sent within a call's time from when its intent is written: others take whoever
 * is later for dead, and go on in its place.
 */
export function spendingCall(
  settings: Settings,
): <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T> {
  const timeoutMs = callPatienceMs(settings);
  const lastMoment = Date.now() + INTENT_MS + timeoutMs;
  return (call) => sendingUntil(lastMoment, () => call(AbortSignal.timeout(timeoutMs)));
}

/** `suffix` makes the id: the same outcome of the same attempt is the same message, however often it is said. */
export const outcome = (
  row: Pick<PurchaseRow, 'id' | 'orderId'>,
  type: string,
  suffix: string,
  attempt: number,
  more: object,
): OutboxRow =>
  eventRow({
    messageId: `${row.id}:${suffix}`,
    source: '/suppliers',
    type,
    data: { orderId: row.orderId, supplierOrderId: row.id, attempt, ...more },
  });

export const withheld = (
  row: Pick<PurchaseRow, 'id' | 'orderId'>,
  commandId: string,
  attempt: number,
  { reason, evidence }: Withholding,
): OutboxRow => outcome(row, SUPPLIER_ORDER_WITHHELD, `withheld:${commandId}`, attempt, { reason, evidence });

/** Asks that this supplier order's hold of that reason be released, if it stands: what it waited for has come. */
export const released = (
  { id, orderId }: Pick<PurchaseRow, 'id' | 'orderId'>,
  reason: HoldReason,
  suffix: string,
): OutboxRow => {
  const data: ReleaseRequested = { orderId, reason, holdId: holdIdOf(orderId, reason, id) };
  const messageId = `${id}:${suffix}:${reason}`;
  return eventRow({ messageId, source: '/suppliers', type: RELEASE_REQUESTED, data });
};

/** Reasons that a payment waits for, whoever makes it. */
export const PAYMENT_HOLDS = [
  'payment_pending',
  'insufficient_funds',
  'cost_above_cap',
  'outcome_unknown',
] as const;

/** As `released`, for whatever the payment of this purchase is held by: it is paid, or nobody is to pay it any more. */
export async function paymentReleased(
  sql: Sql,
  row: Pick<PurchaseRow, 'id' | 'orderId'>,
  suffix: string,
): Promise<OutboxRow[]> {
  const holds = await sql.query<{ reason: HoldReason }>(
    `select reason from holds where supplier_order_id = $1 and released_at is null
        and reason in (${literals(PAYMENT_HOLDS)}) order by reason`,
    [row.id],
  );
  return holds.map(({ reason }) => released(row, reason, suffix));
}

/** Reasons why a purchase in doubt may be held; its outcome is the end of them. */
const DOUBT_HOLDS = ['outcome_unknown', 'duplicate_suspected', 'supplier_cancelled'] as const;

/** As `released`, for whatever the doubt about this purchase is held by. */
export const doubtReleased = (row: PurchaseRow, suffix: string): OutboxRow[] =>
  DOUBT_HOLDS.map((reason) => released(row, reason, suffix));

/** Says it to the order, in one transaction with all who have something to say at the same time. */
export const sayToOrder = inRounds(
  async ({ store, bus }: PurchasePorts, asked: readonly Asked<OutboxRow>[]) => {
    await commitAndPublish(store, bus, async (_sql, say) => {
      for (const { item } of asked) say(item);
    });
    return asked.map(() => undefined);
  },
);

/** Says that a person has to look, and is done with the command. */
export async function withhold(
  ports: PurchasePorts,
  ...about: Parameters<typeof withheld>
): Promise<CommandResult> {
  await sayToOrder(ports, withheld(...about));
  return DONE;
}

export const toSupplierError = (error: unknown): SupplierError =>
  error instanceof SupplierError
    ? error
    : new SupplierError(
        'unknown_outcome',
        'the call failed in a way nobody foresaw',
        { cause: 'unforeseen' },
        error,
      );

const MODE_MEANING = {
  off: 'buys nothing: every purchase is held',
  shadow: 'does everything but the purchase, which is held with what it would have cost',
  live: 'buys and pays',
} as const satisfies Record<ReturnType<typeof purchaseMode>, string>;

/** For the log at the start and for whoever asks. @param payment undefined: the supplier is not set up. */
export const modeMeaning = (
  mode: ReturnType<typeof purchaseMode>,
  payment: SupplierCapabilities['payment'] | undefined,
): string =>
  mode === 'live' && payment === 'by_hand' ? 'buys; a person pays on its site' : MODE_MEANING[mode];

/** @returns milliseconds until it can be called; @param callPauseMs until the supplier takes calls again. */
const pauseOfCalls = (adapter: PatientAdapter, callPauseMs: number): number =>
  adapter.breakerState() === 'open' ? BREAKER_PAUSE_MS : callPauseMs;

/**
 * What becomes of a command while the supplier cannot or will not be called; null: go on. Nothing is used up by it.
 * @param callPauseMs until the supplier takes calls again.
 */
export async function waitFor(adapter: PatientAdapter, callPauseMs: number): Promise<CommandResult | null> {
  const pauseMs = pauseOfCalls(adapter, callPauseMs);
  if (pauseMs === 0) return null;
  if (pauseMs > LONGEST_WAIT_MS) return DONE;
  return laterInHand(pauseMs);
}

/** For those that look by themselves, now and then: whether the supplier cannot or will not be called. */
export const isCallable = async ({ store }: PurchasePorts, adapter: PatientAdapter): Promise<boolean> =>
  pauseOfCalls(adapter, (await callPauses(store, adapter.name)).callsMs) === 0;

/** Failures of a mere question that no repetition mends: asked again for ever, they would never be heard of. */
export const NEEDS_A_PERSON: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  account_blocked: 'account_risk',
};

export interface Withholding {
  readonly reason: HoldReason;
  readonly evidence: Evidence;
}

export const NO_ADDRESS: Withholding = {
  reason: 'address_invalid',
  evidence: { missing: 'shipping address' },
};

export const NO_REFERENCE: Withholding = {
  reason: 'outcome_unknown',
  evidence: { cause: 'no supplier reference' },
};

export const noCredentials = (supplier: SupplierName): Withholding => ({
  reason: 'supplier_paused',
  evidence: { supplier, cause: 'no credentials' },
});

/**
 * Reasons not to spend that need no ledger: no adapter, switched off, only playing, or the kill switch.
 * @param pauses of purchasing; those that `holdPauses` brings in the transaction that writes the intent.
 */
export function gateOf(
  ports: PurchasePorts,
  { supplier, expectedCostMinor, currency }: PurchaseRow,
  pauses: readonly PurchasingPause[],
): Withholding | null {
  if (ports.adapterOf(supplier) === undefined) return noCredentials(supplier);
  const mode = purchaseMode(ports.settings, supplier);
  if (mode !== 'live') {
    const evidence = { supplier, mode, wouldCostMinor: expectedCostMinor, currency };
    return { reason: 'supplier_paused', evidence };
  }
  const pause = pauseOf(pauses, supplier);
  if (pause === undefined) return null;
  // The pause sweep finds its own holds by `switch`.
  return { reason: 'supplier_paused', evidence: { supplier, switch: pause.scope, cause: pause.cause } };
}

/** As `gateOf`, asked in the transaction that writes the intent. */
export const spendingGate = async (
  sql: Sql,
  ports: PurchasePorts,
  row: PurchaseRow,
): Promise<Withholding | null> => gateOf(ports, row, await holdPauses(sql));
