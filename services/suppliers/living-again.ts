import { callPatienceMs } from '../../contracts/call-patience.ts';
import type { Sql } from '../store/store.ts';
import type { PlacedOrder, PlaceRequest } from './adapter.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchaseNow } from './purchase-facts.ts';
import { NEEDS_A_PERSON, type PurchasePorts, toSupplierError, type Withholding } from './purchase-ports.ts';
import type { PurchaseRow, TakenOver } from './purchase-row.ts';
import { withoutRecipient } from './recipient.ts';
import { sameArticles } from './same-articles.ts';

/** A purchase of the same lines before this one, over by what its supplier said then. */
export interface EndedPurchase extends Pick<PurchaseRow, 'id' | 'supplier' | 'placedAs'> {
  readonly reference: string;
  /** Mark of the address that it was sent with; null: nobody wrote it down. */
  readonly sentTo: string | null;
  /** Nobody wanted it any more when it ended. */
  readonly isUnwanted: boolean;
}

/** Whether the purchases before this one are over still. */
export type Looked =
  | { readonly how: 'over' }
  | { readonly how: 'held'; readonly why: Withholding }
  /** One of them is what this one would buy. */
  | { readonly how: 'lives'; readonly order: PlacedOrder; readonly takesOver: TakenOver };

/**
 * SQL for the purchases of some of the lines of the supplier order `o` that stand at a supplier and are over; null where
 * there are none.
 */
export const ENDED_BEFORE = `(select json_agg(json_build_object('id', e.id, 'supplier', e.supplier,
                                      'placedAs', coalesce(e.placed_as, e.id), 'reference', e.supplier_reference,
                                      'sentTo', e.context ->> 'sentTo',
                                      'isUnwanted', e.context ->> 'unwantedBy' is not null) order by e.id)
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

/**
 * The living order, where it is what this purchase would buy: the same articles, paid, to the same address. Not of a
 * supplier that cannot be asked for it once this purchase is in doubt, nor of what a person had given up.
 */
async function sameOrder(
  adapter: PatientAdapter,
  { row, shipToMark }: PurchaseNow,
  request: PlaceRequest,
  before: EndedPurchase,
  signal: AbortSignal,
): Promise<PlacedOrder | undefined> {
  const isSame =
    before.supplier === row.supplier &&
    adapter.capabilities.looksUpByReference &&
    !before.isUnwanted &&
    before.sentTo !== null &&
    before.sentTo === shipToMark;
  if (!isSame) return undefined;
  const found = await adapter.read(before.reference, signal).catch((error: unknown) => {
    // It was shown a moment ago: that it is not found now does not make it absent.
    if (toSupplierError(error).failureClass === 'not_found') return null;
    throw error;
  });
  return found?.isPaid === true && !found.isCancelled && sameArticles(found, request) ? found : undefined;
}

/** @throws SupplierError for what passes by itself. */
async function lookAt(
  { settings }: PurchasePorts,
  adapter: PatientAdapter,
  facts: PurchaseNow,
  request: PlaceRequest,
  before: EndedPurchase,
): Promise<Looked> {
  const { id, supplier, reference, placedAs } = before;
  const known = { supplier, aliveAgain: reference, before: id };
  try {
    const signal = AbortSignal.timeout(callPatienceMs(settings) * 2);
    const key = { supplierReference: reference, callerRef: placedAs };
    const seen = (await adapter.status([key], signal)).get(reference);
    if (seen === undefined || !isAlive(seen.status)) return { how: 'over' };
    const evidence = { ...known, shownAs: seen.status ?? 'unknown', cause: ALIVE };
    const held = { how: 'held', why: { reason: 'duplicate_suspected', evidence } } as const;
    // Of several that live again one is too many.
    if (seen.status === null || facts.ended.length > 1) return held;
    const order = await sameOrder(adapter, facts, request, before, signal);
    return order === undefined ? held : { how: 'lives', order, takesOver: { id, placedAs } };
  } catch (error) {
    const { failureClass, evidence, retryable } = withoutRecipient(toSupplierError(error), request.recipient);
    if (failureClass === 'not_found') return { how: 'over' };
    if (retryable) throw error;
    const reason = NEEDS_A_PERSON[failureClass] ?? 'duplicate_suspected';
    return { how: 'held', why: { reason, evidence: { ...evidence, ...known, cause: ASK_FIRST } } };
  }
}

/**
 * Whether units may be bought anew: a supplier that takes back that it had cancelled them would otherwise send them twice.
 * What lives again is held for a person where it is not the very same.
 * @throws SupplierError when a supplier does not answer now.
 */
export async function livingAgain(
  ports: PurchasePorts,
  facts: PurchaseNow,
  request: PlaceRequest,
): Promise<Looked> {
  for (const before of facts.ended) {
    const adapter = ports.adapterOf(before.supplier);
    if (adapter === undefined || (await hasPersonLooked(ports.store, facts.row, before.reference))) continue;
    const looked = await lookAt(ports, adapter, facts, request, before);
    if (looked.how !== 'over') return looked;
  }
  return { how: 'over' };
}
