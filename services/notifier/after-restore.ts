import { CUSTOMER_MAILS } from '../../contracts/vocabulary.ts';
import { SENT_AGAIN } from '../store/notifications.ts';
import { restorationsOf } from '../store/restorations.ts';
import type { Sql } from '../store/store.ts';
import type { Claimed } from './mail-rows.ts';

/**
 * Those of the mails that may have been sent to the customer in a time that a restored database does not know, with why
 * nobody knows. A mail that was decided before the restoration, or one about the order itself, may have been. One about a
 * parcel was not when its purchase was looked at once before, after the restoration: that first look told all that the
 * lost time had brought. One that a person wants sent again is sent.
 */
export async function lostMails(sql: Sql, rows: readonly Claimed[]): Promise<ReadonlyMap<string, string>> {
  const toCustomers = rows.filter(({ kind }) => CUSTOMER_MAILS.some((known) => known === kind));
  const restorations = await restorationsOf(sql, [
    ...new Set(toCustomers.flatMap(({ orderId }) => orderId ?? [])),
  ]);
  const asked = toCustomers.flatMap(({ id, orderId }) => {
    const restoration = restorations.get(orderId ?? '');
    return restoration === undefined ? [] : [{ id, ...restoration }];
  });
  if (asked.length === 0) return new Map();
  const unsure = await sql.query<{ id: string; backupOf: string; restoredAt: string }>(
    `select n.id, d."backupOf", d."restoredAt"
       from json_to_recordset($1::json) as d(id text, "backupOf" text, "restoredAt" text)
       join notifications n on n.id = d.id left join parcels p on p.id = n.parcel_id
      where coalesce(n.evidence ->> '${SENT_AGAIN}', 'false') <> 'true' and not (n.created_at > d."restoredAt"::timestamptz and exists (
            select 1 from timeline t where t.order_id = n.order_id and t.supplier_order_id = p.supplier_order_id
               and t.type = 'supplier_order.observed' and t.at > d."restoredAt"::timestamptz and t.at < n.created_at))`,
    [JSON.stringify(asked)],
  );
  return new Map(
    unsure.map(({ id, backupOf, restoredAt }) => [
      id,
      `it may have been sent between the backup of ${backupOf} and its restoration at ${restoredAt}`,
    ]),
  );
}
