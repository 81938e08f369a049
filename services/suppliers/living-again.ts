import type { Sql } from '../store/store.ts';
import type { PatientAdapter } from './policy.ts';
import {
  callTimeoutMs,
  NEEDS_A_PERSON,
  type PurchasePorts,
  toSupplierError,
  type Withholding,
} from './purchase-ports.ts';
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

const ASK_FIRST =
  'the supplier had cancelled these units and does not say whether its order lives again: see to it there, and release ' +
  'this hold, which buys them anew';
const ALIVE =
  'the supplier had cancelled these units and shows its order alive again: have it cancelled there and release this ' +
  'hold, which buys them anew; or let it come, enter its parcel in the shop by hand, which gives up this purchase, ' +
  'and release this hold then';

/** Why a person has to look before the units of this one are bought anew. Throws SupplierError for what passes by itself. */
async function objectionOf(
  { settings }: PurchasePorts,
  adapter: PatientAdapter,
  { id, supplier, reference }: EndedPurchase,
): Promise<Withholding | undefined> {
  const known = { supplier, aliveAgain: reference, before: id };
  try {
    const signal = AbortSignal.timeout(callTimeoutMs(settings) * 2);
    const seen = (await adapter.status([{ supplierReference: reference, callerRef: id }], signal)).get(
      reference,
    );
    if (seen === undefined || !isAlive(seen.status)) return undefined;
    const evidence = { ...known, shownAs: seen.status ?? 'unknown', cause: ALIVE };
    return { reason: 'duplicate_suspected', evidence };
  } catch (error) {
    const { failureClass, evidence, retryable } = toSupplierError(error);
    if (failureClass === 'not_found') return undefined;
    if (retryable) throw error;
    const reason = NEEDS_A_PERSON[failureClass] ?? 'duplicate_suspected';
    return { reason, evidence: { ...evidence, ...known, cause: ASK_FIRST } };
  }
}

/**
 * Why units must not be bought anew yet: a supplier that had cancelled them shows its order alive again, or will not say.
 * A supplier that takes back what it said would otherwise send them twice.
 * @throws SupplierError when a supplier does not answer now.
 */
export async function livingAgain(
  ports: PurchasePorts,
  row: PurchaseRow,
  ended: readonly EndedPurchase[],
): Promise<Withholding | undefined> {
  for (const before of ended) {
    const adapter = ports.adapterOf(before.supplier);
    if (adapter === undefined || (await hasPersonLooked(ports.store, row, before.reference))) continue;
    const objection = await objectionOf(ports, adapter, before);
    if (objection !== undefined) return objection;
  }
  return undefined;
}
