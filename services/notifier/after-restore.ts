import { CUSTOMER_MAILS } from '../../contracts/vocabulary.ts';
import { restorationOf } from '../store/restorations.ts';
import type { Sql } from '../store/store.ts';
import { type Claimed, idsOf } from './mail-rows.ts';

/** Mails of one order that may have been sent already, and why nobody knows. */
export interface LostMails {
  readonly ids: ReadonlySet<string>;
  readonly cause: string;
}

/**
 * Those of an order's mails that may have been sent to the customer in a time that a restored database does not know. A
 * mail that was decided before the restoration, or one about the order itself, may have been. One about a parcel was not
 * when its purchase was looked at once before, after the restoration: that first look told all that the lost time had
 * brought.
 */
export async function lostMails(sql: Sql, rows: readonly Claimed[]): Promise<LostMails> {
  const none: LostMails = { ids: new Set(), cause: '' };
  const [first] = rows;
  if (first === undefined || first.orderId === null) return none;
  if (!CUSTOMER_MAILS.some((known) => known === first.kind)) return none;
  const restoration = await restorationOf(sql, first.orderId);
  if (restoration === undefined) return none;
  const { backupOf, restoredAt } = restoration;
  const unsure = await sql.query<{ id: string }>(
    `select n.id from notifications n left join parcels p on p.id = n.parcel_id
      where n.id = any($1::text[]) and not (n.created_at > $2::timestamptz and exists (
            select 1 from timeline t where t.order_id = n.order_id and t.supplier_order_id = p.supplier_order_id
               and t.type = 'supplier_order.observed' and t.at > $2::timestamptz and t.at < n.created_at))`,
    [idsOf(rows), restoredAt],
  );
  const cause = `it may have been sent between the backup of ${backupOf} and its restoration at ${restoredAt}`;
  return { ids: new Set(unsure.map(({ id }) => id)), cause };
}
