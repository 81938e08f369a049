import type { Settings } from '../../contracts/settings.ts';
import type { Sql } from '../store/store.ts';
import { type Acceptance, isAccepted, readAcceptances } from './acceptances.ts';
import type { Caps } from './ledger.ts';
import { capsOf } from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';

/** Whether a person has said of this supplier order: go on, it may cost that much. */
export const isCostAccepted = (
  acceptances: readonly Acceptance[],
  reason: 'cost_above_cap' | 'daily_cap_reached',
  { id: supplierOrderId, currency }: PurchaseRow,
  costMinor: number,
): boolean => isAccepted(acceptances, { reason, supplierOrderId }, { costMinor, currency });

/** The caps but for those that a person has waived for this supplier order, at no less than it costs now. */
export async function standingCaps(
  sql: Sql,
  settings: Settings,
  row: PurchaseRow,
  costMinor: number,
): Promise<Caps> {
  const { perOrderMinor, perDayMinor } = capsOf(settings);
  if (perOrderMinor === undefined && perDayMinor === undefined) return { perOrderMinor, perDayMinor };
  const acceptances = await readAcceptances(sql, row.orderId);
  const waived = (reason: 'cost_above_cap' | 'daily_cap_reached'): boolean =>
    isCostAccepted(acceptances, reason, row, costMinor);
  return {
    perOrderMinor: waived('cost_above_cap') ? undefined : perOrderMinor,
    perDayMinor: waived('daily_cap_reached') ? undefined : perDayMinor,
  };
}
