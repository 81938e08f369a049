import {
  ENDED_ORDERS,
  ENDED_SUPPLIER_ORDERS,
  ORDER_STATES,
  SUPPLIER_ORDER_STATES,
} from '../contracts/vocabulary.ts';
import type { Sql } from '../services/store/store.ts';

/** What only the database knows, by the names of its metrics. */
export const GAUGE_NAMES = [
  'orders',
  'supplier_orders',
  'purchases_in_doubt',
  'purchase_doubt_oldest_age_seconds',
  'open_holds',
  'dead_letters',
  'dead_letters_parked',
  'stuck',
  'outbox_oldest_unpublished_age_seconds',
  'timers_overdue',
  'timer_oldest_overdue_seconds',
  'mails_waiting',
  'partitions_halted',
  'partitions_unowned',
  'shop_gap_orders',
  'shop_webhook_delay_mean_seconds',
] as const;
export type GaugeName = (typeof GAUGE_NAMES)[number];

export interface GaugeValue {
  readonly name: GaugeName;
  /** State or reason; empty where there is but one value. */
  readonly label: string;
  /** Of the second label; empty where there is none. */
  readonly by: string;
  readonly value: number;
}

const without = (all: readonly string[], ended: readonly string[]): string[] =>
  all.filter((state) => !ended.includes(state));
const OPEN_ORDERS = without(ORDER_STATES, ENDED_ORDERS);
const OPEN_SUPPLIER_ORDERS = without(SUPPLIER_ORDER_STATES, ENDED_SUPPLIER_ORDERS);

/**
 * One round trip for a scrape; each part reads along an index only what is open, so that its cost follows the work at
 * hand and not what was ever done. Ages are in seconds by the database's clock.
 */
export const readStoreGauges = (sql: Sql): Promise<GaugeValue[]> =>
  sql.query<GaugeValue>(
    `
    select 'orders' as name, state as label, '' as by, count(*)::float8 as value from orders
     where state = any($1::text[]) and archived_at is null group by state
    union all
    select 'supplier_orders', state, '', count(*)::float8 from supplier_orders
     where state = any($2::text[]) group by state
    union all
    select d.* from (
      select supplier, count(*)::float8 as purchases, extract(epoch from now() - min(began_at))::float8 as age
        from (select s.supplier, min(i.created_at) as began_at from supplier_orders s
                join purchase_intents i on i.supplier_order_id = s.id and i.state in ('calling', 'unknown')
               where s.state = 'outcome_unknown' group by s.id) doubts
       group by supplier) per_supplier,
      lateral (values ('purchases_in_doubt', supplier, '', purchases), ('purchase_doubt_oldest_age_seconds', supplier, '', age)) d
    union all
    select 'open_holds', reason, '', count(*)::float8 from holds where released_at is null group by reason
    union all
    select 'dead_letters', kind, reason, count(*)::float8 from dead_letters where state = 'open' group by kind, reason
    union all
    select 'dead_letters_parked', '', '', count(*)::float8 from dead_letters where state = 'parked'
    union all
    select 'outbox_oldest_unpublished_age_seconds', '', '', coalesce((select extract(epoch from now() - created_at)::float8
                                        from outbox_pending order by first_id limit 1), 0)
    union all
    select 'timers_overdue', '', '', count(*)::float8 from timers where due_at < now()
    union all
    select 'timer_oldest_overdue_seconds', '', '', coalesce(extract(epoch from now() - min(due_at)), 0)::float8
      from timers where due_at < now()
    union all
    select 'mails_waiting', kind, '', count(*)::float8 from notifications
     where state in ('pending', 'sending') and (next_try_at < now() or (state = 'pending' and attempt > 0)) group by kind
    union all
    select 'partitions_halted', '', '', count(*)::float8 from event_partitions where halted is not null
    union all
    select 'partitions_unowned', '', '', count(*)::float8 from event_partitions
     where halted is null and lease_until < now()
    union all
    (select 'shop_gap_orders', kind, '', value::float8
       from (select seen, by_webhook, only_by_sweep, missing from gap_reports order by day desc limit 1) last,
            lateral (values ('seen', seen), ('by_webhook', by_webhook), ('only_by_sweep', only_by_sweep),
                            ('missing', missing)) as counts (kind, value))
    union all
    (select 'shop_webhook_delay_mean_seconds', '', '', coalesce(mean_delay_seconds, 0) from gap_reports order by day desc limit 1)`,
    [OPEN_ORDERS, OPEN_SUPPLIER_ORDERS],
  );

/** After years nearly all orders are here: too many to be counted while somebody waits for the scrape. */
export const countEnded = (sql: Sql): Promise<GaugeValue[]> =>
  sql.query<GaugeValue>(
    `select 'orders' as name, state as label, '' as by, count(*)::float8 as value from orders
      where state = any($1::text[]) and archived_at is null group by state
     union all
     select 'supplier_orders', state, '', count(*)::float8 from supplier_orders
      where state = any($2::text[]) group by state`,
    [ENDED_ORDERS, ENDED_SUPPLIER_ORDERS],
  );
