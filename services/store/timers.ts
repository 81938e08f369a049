import type { Sql } from './store.ts';

export interface DueTimer {
  readonly orderId: string;
  readonly deadline: string;
  readonly supplierOrderId: string | null;
  readonly parcelId: string | null;
  readonly setting: string;
  readonly attempt: number;
  readonly traceparent: string | null;
}

/** Whether a timer is due, and somebody may read that it has elapsed. */
export const isAnyDue = async (sql: Sql): Promise<boolean> =>
  (
    await sql.query(
      `select from timers
        where due_at <= now() and exists (select from event_partitions where halted is null) limit 1`,
    )
  ).length > 0;

/**
 * Claims what is due and moves it on by fifteen minutes: if the elapsed event is lost on its way, it comes again.
 * Call inside the transaction that queues the events.
 */
export const claimDue = (sql: Sql, limit: number): Promise<DueTimer[]> =>
  sql.query<DueTimer>(
    `update timers t set due_at = now() + interval '15 minutes', attempt = t.attempt + 1
       from (select order_id, key from timers where due_at <= now() order by due_at limit $1 for update skip locked) d
      where t.order_id = d.order_id and t.key = d.key
     returning t.order_id as "orderId", t.deadline, t.supplier_order_id as "supplierOrderId",
               t.parcel_id as "parcelId", t.setting, t.attempt, t.traceparent`,
    [limit],
  );
