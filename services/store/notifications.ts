import {
  CUSTOMER_MAILS,
  ENDED_ORDERS,
  type NotificationKind,
  ORDER_STATES,
} from '../../contracts/vocabulary.ts';
import type { Write } from './rows.ts';
import type { Sql } from './store.ts';

export interface NewNotification {
  /** Follows from order, fact and parcel (or what it is about): one row each. The kind says who receives it. */
  readonly id: string;
  readonly order_id: string | null;
  readonly kind: NotificationKind;
  readonly parcel_id: string | null;
  /** Of a mail to the operator: the hold, letter, supplier or notification that it tells of. */
  readonly about: string | null;
  /** Rows of one bundle that wait at the same time are one mail; null: a mail by itself. */
  readonly bundle: string | null;
  readonly delay_ms: number;
}

export const addingNotifications: Write = (parameter) =>
  `insert into notifications (id, order_id, kind, parcel_id, about, bundle, state, next_try_at)
   select id, order_id, kind, parcel_id, about, bundle, 'pending', now() + delay_ms * interval '1 millisecond'
     from json_to_recordset(${parameter}::json) as d(id text, order_id text, kind text, parcel_id text, about text,
                                                     bundle text, delay_ms float8)
   on conflict do nothing`;

/** Adds mails to be sent; one that is there already stays as it is. @returns how many were new. */
export const writeNotifications = async (sql: Sql, rows: readonly NewNotification[]): Promise<number> =>
  rows.length === 0 ? 0 : sql.run(addingNotifications('$1'), [JSON.stringify(rows)]);

/** In the evidence of a mail that a person wants sent although the customer may have it. */
export const SENT_AGAIN = 'sentAgain';

/** Mails to the customer that were refused for good, or may have been sent, wait again: by a person's word. @returns their kinds. */
export const sendAgain = async (sql: Sql, orderId: string): Promise<NotificationKind[]> => {
  const rows = await sql.query<{ kind: NotificationKind }>(
    `update notifications set state = 'pending', next_try_at = now(), evidence = json_build_object('${SENT_AGAIN}', true)
      where order_id = $1 and kind = any($2::text[]) and state in ('failed', 'doubt') returning kind`,
    [orderId, CUSTOMER_MAILS],
  );
  return rows.map(({ kind }) => kind);
};

/** Why a mail to a customer was skipped who may still name an address. */
export const NO_ADDRESS = 'the order has no e-mail address';

/** An order that has come further was confirmed by what came of it. */
const UNCONFIRMED = ORDER_STATES.slice(0, ORDER_STATES.indexOf('partially_shipped'));

/**
 * Mails that were skipped for want of an address are sent after all, where the order has one by now and goes on, and
 * what they tell of a parcel is still so. Call it in the transaction that writes addresses, after them.
 */
export async function mailAddressed(sql: Sql, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  await sql.run(
    // The lock waits for a sender that is about to skip one; a sender that comes later reads the address.
    `with waiting as (
       select n.id, n.order_id, n.kind, n.state, n.evidence from notifications n
        where n.order_id = any($1::text[]) and n.kind = any($2::text[]) and n.state in ('pending', 'skipped')
        order by n.id for update)
     update notifications n set state = 'pending', next_try_at = now(), evidence = null
       from waiting w join orders o on o.id = w.order_id join customer_details c on c.order_id = w.order_id
      where n.id = w.id and w.state = 'skipped' and w.evidence ->> 'cause' = $3 and c.email is not null
        and o.state <> all($4::text[]) and (w.kind <> 'order_confirmed' or o.state = any($5::text[]))
        and not exists (select 1 from parcels p where p.id = n.parcel_id
                           and (p.state in ('lost', 'returned') and w.kind <> 'parcel_delivered'
                                or p.state <> 'delayed' and w.kind = 'parcel_delayed'))`,
    [orderIds, CUSTOMER_MAILS, NO_ADDRESS, ENDED_ORDERS, UNCONFIRMED],
  );
}
