import { notificationIdOf } from '../../contracts/ids.ts';
import type { Settings } from '../../contracts/settings.ts';
import { type HoldReason, OPERATOR_MAILS, type OperatorMail } from '../../contracts/vocabulary.ts';
import { type NewNotification, writeNotifications } from '../store/notifications.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';

/** Held for the supplier's account and not for the order: told once for all orders that wait behind it. */
const ACCOUNT_REASONS: readonly HoldReason[] = [
  'supplier_paused',
  'credentials_expired',
  'quota_exhausted',
  'insufficient_funds',
  'account_risk',
];

interface Untold {
  readonly orderId: string | null;
  readonly about: string;
  /** Tells one occurrence from the next of the same thing. */
  readonly occurrence: string;
}

/** Not what the shop refused of a parcel, which has the same reasons and is its order's. */
const OF_ACCOUNT = `h.reason in (${literals(ACCOUNT_REASONS)})
       and h.evidence ->> 'refusedBy' is distinct from 'shop'`;

/** At most so many new rows in a round; the next one takes the rest. */
const LIMIT = 1_000;

/** For each kind, what stands open in the database and has not been told. */
const UNTOLD: Readonly<Record<OperatorMail, string>> = {
  // An unpaid order is no trouble yet, its own deadline makes it one; a purchase that somebody has to pay by hand is.
  order_held: `select h.order_id as "orderId", h.id as about, extract(epoch from h.opened_at)::text as occurrence
      from holds h where h.released_at is null and (h.reason <> 'payment_pending' or h.supplier_order_id is not null)
       and not (h.supplier_order_id is not null and ${OF_ACCOUNT})
       and not exists (select 1 from notifications n
                        where n.about = h.id and n.kind = 'order_held' and n.created_at >= h.opened_at)
     order by h.opened_at limit $1`,
  dead_letter: `select d.order_id as "orderId", d.id::text as about, extract(epoch from d.opened_at)::text as occurrence
      from dead_letters d where d.state = 'open'
       and not exists (select 1 from notifications n
                        where n.about = d.id::text and n.kind = 'dead_letter' and n.created_at >= d.opened_at)
     order by d.id limit $1`,
  // Once a day for as long as it lasts. What was over before it was told may come back any minute.
  supplier_trouble: `select null as "orderId", s.supplier || ':' || h.reason as about,
           to_char(now(), 'YYYYMMDDHH24MI') as occurrence
      from holds h join supplier_orders s on s.id = h.supplier_order_id
     where h.released_at is null and ${OF_ACCOUNT}
       and not exists (select 1 from notifications n where n.about = s.supplier || ':' || h.reason
                          and n.kind = 'supplier_trouble' and n.state <> 'skipped' and n.created_at > now() - interval '1 day')
     group by s.supplier, h.reason limit $1`,
  // By its end, and not long before by its beginning, which the index knows.
  mail_failed: `select f.order_id as "orderId", f.id as about, '' as occurrence
      from notifications f
     where f.state in ('failed', 'doubt') and f.about is null
       and f.next_try_at > now() - interval '7 days' and f.created_at > now() - interval '90 days'
       and not exists (select 1 from notifications n where n.about = f.id and n.kind = 'mail_failed')
     order by f.created_at limit $1`,
  // Once, and again in the last week before it is due.
  privacy_request: `select null as "orderId", r.id::text as about,
           case when r.due_at < now() + interval '7 days' then 'due' else '' end as occurrence
      from privacy_requests r where r.closed_at is null and r.kind = 'data_requested'
       and not exists (select 1 from notifications n where n.about = r.id::text and n.kind = 'privacy_request'
                          and (r.due_at >= now() + interval '7 days' or n.created_at >= r.due_at - interval '7 days'))
     order by r.id limit $1`,
};

/**
 * Decides the operator's mails from what stands open, whoever opened it: a row each, to be sent together once the time
 * for company is over. Any number of copies may do so.
 */
export async function decideOperatorMails(sql: Sql, settings: Settings): Promise<'more' | 'idle'> {
  if (settings.ORDER_MANAGER_OPERATOR_EMAIL === undefined) return 'idle';
  let most = 0;
  for (const kind of OPERATOR_MAILS.filter((known) => settings.ORDER_MANAGER_MAILS.includes(known))) {
    const untold = await sql.query<Untold>(UNTOLD[kind], [LIMIT]);
    most = Math.max(most, untold.length);
    const rows = untold.map(
      ({ orderId, about, occurrence }): NewNotification => ({
        id: notificationIdOf(orderId ?? '', kind, [about, occurrence].join('@')),
        order_id: orderId,
        kind,
        parcel_id: null,
        about,
        bundle: kind,
        delay_ms: settings.ORDER_MANAGER_OPERATOR_SECONDS * 1_000,
      }),
    );
    await writeNotifications(sql, rows);
  }
  return most === LIMIT ? 'more' : 'idle';
}
