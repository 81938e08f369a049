import type { Settings } from '../../contracts/settings.ts';
import type { Sql } from '../store/store.ts';
import { type Acceptance, isAccepted, readAcceptancesOf } from './acceptances.ts';
import { capsOf } from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';
import type { Caps } from './spending.ts';

/** Whether a person has said of this supplier order: go on, it may cost that much. */
export const isCostAccepted = (
  acceptances: readonly Acceptance[],
  reason: 'cost_above_cap' | 'daily_cap_reached',
  { id: supplierOrderId, currency }: PurchaseRow,
  costMinor: number,
): boolean => isAccepted(acceptances, { reason, supplierOrderId }, { costMinor, currency });

/** The caps of each but for those that a person has waived for the supplier order, at no less than it costs now. */
export async function standingCaps(
  sql: Sql,
  settings: Settings,
  purchases: readonly { readonly row: PurchaseRow; readonly costMinor: number }[],
): Promise<Caps[]> {
  const caps = capsOf(settings);
  const { perOrderMinor, perDayMinor } = caps;
  if (perOrderMinor === undefined && perDayMinor === undefined) return purchases.map(() => caps);
  const acceptances = await readAcceptancesOf(
    sql,
    purchases.map(({ row }) => row.orderId),
  );
  return purchases.map(({ row, costMinor }) => {
    const waived = (reason: 'cost_above_cap' | 'daily_cap_reached'): boolean =>
      isCostAccepted(acceptances.get(row.orderId) ?? [], reason, row, costMinor);
    return {
      ...caps,
      perOrderMinor: waived('cost_above_cap') ? undefined : perOrderMinor,
      perDayMinor: waived('daily_cap_reached') ? undefined : perDayMinor,
    };
  });
}
