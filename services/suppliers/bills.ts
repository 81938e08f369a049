import { inOrderOf, insertRows } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import type { Bill } from './adapter.ts';

export interface BillOfPurchase extends Bill {
  readonly supplierOrderId: string;
}

const keyOf = ({ supplierOrderId, id }: BillOfPurchase): string => JSON.stringify([supplierOrderId, id]);

/** Of several words about one bill that it is settled is the last, whenever it came: pushes have no order. */
function lastWords(bills: readonly BillOfPurchase[]): BillOfPurchase[] {
  const last = new Map<string, BillOfPurchase>();
  for (const bill of bills) if (last.get(keyOf(bill))?.isOpen !== false) last.set(keyOf(bill), bill);
  return inOrderOf([...last.values()], keyOf);
}

/**
 * Keeps the bills of pushes, in whatever state their purchases are: `bill-sweep.ts` holds and releases for them. One that
 * is settled is never open again.
 */
export const keepBills = (sql: Sql, bills: readonly BillOfPurchase[]): Promise<object[]> =>
  insertRows(
    sql,
    'supplier_bills',
    {
      supplier_order_id: 'text',
      bill_id: 'text',
      amount_minor: 'bigint',
      currency: 'text',
      is_open: 'boolean',
    },
    lastWords(bills).map(({ supplierOrderId, id, amountMinor, currency, isOpen }) => ({
      supplier_order_id: supplierOrderId,
      bill_id: id,
      amount_minor: amountMinor,
      currency,
      is_open: isOpen,
    })),
    `on conflict (supplier_order_id, bill_id) do update
        set is_open = false, is_pending = true, changed_at = excluded.changed_at
      where supplier_bills.is_open and not excluded.is_open`,
  );
