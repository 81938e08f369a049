import type { Sql } from '../store/store.ts';
import type { PatientAdapter } from './policy.ts';
import { callTimeoutMs, type PurchasePorts, type Withholding } from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';

/** A purchase of the same lines before this one, over by what its supplier said then. */
export interface EndedPurchase extends Pick<PurchaseRow, 'id' | 'supplier'> {
  readonly reference: string;
}

/**
 * SQL for the purchases of some of the lines of the supplier order `o` that stand at a supplier and are over; null where
 * there are none.
 */
export const ENDED_BEFORE = `(select json_agg(json_build_object('id', e.id, 'supplier', e.supplier,
                                      'reference', e.supplier_reference) order by e.id)
   from supplier_orders e
  where e.order_id = o.order_id and e.id <> o.id and e.state in ('cancelled', 'lapsed')
    and e.supplier_reference is not null
    and exists (select 1 from supplier_order_lines a join supplier_order_lines b on b.line_id = a.line_id
                 where a.supplier_order_id = e.id and b.supplier_order_id = o.id))`;

/** Where our money is in it, or nobody can tell. */
const isAlive = (status: string | null): boolean => status !== 'cancelled' && status !== 'awaiting_payment';

/** A person released what was held for this very order: they have looked at the supplier's, and it is to be bought. */
async function hasPersonLooked(sql: Sql, { id }: PurchaseRow, reference: string): Promise<boolean> {
  const [hold] = await sql.query(
    `select 1 from holds where supplier_order_id = $1 and released_at is not null and evidence ->> 'aliveAgain' = $2`,
    [id, reference],
  );
  return hold !== undefined;
}

/** What their supplier says of it now. Nothing: it does not show it, or cannot be asked. */
async function statusNow(
  { settings }: PurchasePorts,
  adapter: PatientAdapter | undefined,
  { id, reference }: EndedPurchase,
): Promise<string | null | undefined> {
  if (adapter === undefined) return undefined;
  const signal = AbortSignal.timeout(callTimeoutMs(settings) * 2);
  const seen = await adapter.status([{ supplierReference: reference, callerRef: id }], signal);
  return seen.get(reference)?.status;
}

/**
 * Why units must not be bought anew yet: a supplier that had cancelled them shows its order alive again. A supplier that
 * takes back what it said would otherwise send them twice.
 * @throws SupplierError when a supplier does not answer.
 */
export async function livingAgain(
  ports: PurchasePorts,
  row: PurchaseRow,
  ended: readonly EndedPurchase[],
): Promise<Withholding | undefined> {
  for (const before of ended) {
    const { id, supplier, reference } = before;
    const status = await statusNow(ports, ports.adapterOf(supplier), before);
    if (status === undefined || !isAlive(status)) continue;
    if (await hasPersonLooked(ports.store, row, reference)) continue;
    const cause =
      'the supplier had cancelled these units and shows its order alive again: have it cancelled there and release ' +
      'this hold, which buys them anew, or give up this purchase';
    const evidence = { supplier, aliveAgain: reference, shownAs: status ?? 'unknown', before: id, cause };
    return { reason: 'duplicate_suspected', evidence };
  }
  return undefined;
}
