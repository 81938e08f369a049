import { SUPPLIER_ORDER_WITHHELD } from '../../contracts/events/purchase-outcome.ts';
import type { Settings } from '../../contracts/settings.ts';
import { purchaseMode } from '../../contracts/settings.ts';
import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { ServiceContext } from '../run-service.ts';
import { DONE } from '../serve-commands.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { SupplierError } from './adapter.ts';
import type { Caps, Doubt } from './ledger.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchaseRow } from './purchase-row.ts';

/** An open breaker refuses before anything is written; then the command comes again. */
export const BREAKER_PAUSE_MS = 5_000;

export interface PurchasePorts extends ServiceContext {
  adapterOf(supplier: PurchaseRow['supplier']): PatientAdapter | undefined;
}

/** Asked twice at least, over the window, before a doubtful deed counts as not done (design, section 5). */
const LOOK_UPS_TO_BE_SURE = 2;

export const doubtOf = (settings: Settings): Doubt => ({
  windowMs: settings.ORDER_MANAGER_DOUBT_WINDOW_SECONDS * 1_000,
  lookUps: LOOK_UPS_TO_BE_SURE,
});

export const capsOf = (settings: Settings): Caps => ({
  perOrderMinor: settings.ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER,
  perDayMinor: settings.ORDER_MANAGER_CAP_PER_SUPPLIER_DAY,
});

/** The most that a purchase may cost at the end: what was quoted, and a tolerance. */
export const ceilingOf = (settings: Settings, { expectedCostMinor }: PurchaseRow): number =>
  Math.floor(expectedCostMinor * (1 + settings.ORDER_MANAGER_COST_TOLERANCE_PERCENT / 100));

export const callTimeoutMs = (settings: Settings): number =>
  settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000;

/** `suffix` makes the id: the same outcome of the same attempt is the same message, however often it is said. */
export const outcome = (
  row: PurchaseRow,
  type: string,
  suffix: string,
  attempt: number,
  more: object,
): OutboxRow =>
  eventRow({
    messageId: `${row.id}:${suffix}`,
    source: '/suppliers',
    type,
    orderId: row.orderId,
    data: { orderId: row.orderId, supplierOrderId: row.id, attempt, ...more },
  });

export const withheld = (
  row: PurchaseRow,
  commandId: string,
  attempt: number,
  reason: HoldReason,
  evidence: Evidence,
): OutboxRow => outcome(row, SUPPLIER_ORDER_WITHHELD, `withheld:${commandId}`, attempt, { reason, evidence });

/** Says that a person has to look, and is done with the command. */
export async function withhold(
  { store, bus }: PurchasePorts,
  ...about: Parameters<typeof withheld>
): Promise<CommandResult> {
  await commitAndPublish(store, bus, async (_sql, say) => say(withheld(...about)));
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

/** Reasons not to spend that need no ledger: no adapter, switched off, or only playing. */
export function spendingGate(
  ports: PurchasePorts,
  row: PurchaseRow,
): { reason: HoldReason; evidence: Evidence } | null {
  const mode = purchaseMode(ports.settings, row.supplier);
  if (ports.adapterOf(row.supplier) === undefined) {
    return { reason: 'supplier_paused', evidence: { supplier: row.supplier, cause: 'no credentials' } };
  }
  if (mode === 'live') return null;
  const { supplier, expectedCostMinor, currency } = row;
  return {
    reason: 'supplier_paused',
    evidence: { supplier, mode, wouldCostMinor: expectedCostMinor, currency },
  };
}
