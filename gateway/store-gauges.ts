import type { Sql } from '../services/store/store.ts';

export const GAUGE_NAMES = [
  'orders',
  'supplier_orders',
  'open_holds',
  'dead_letters',
  'dead_letters_parked',
  'stuck',
  'outbox_age',
  'timers_overdue',
  'partitions_halted',
  'shop_gap',
  'shop_webhook_delay',
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

/** One round trip for a scrape. Ages are in seconds by the database's clock. */
export const readStoreGauges = (sql: Sql): Promise<GaugeValue[]> =>
  sql.query<GaugeValue>(`
    select 'orders' as name, state as label, '' as by, count(*)::float8 as value from orders group by state
    union all
    select 'supplier_orders', state, '', count(*)::float8 from supplier_orders group by state
    union all
    select 'open_holds', reason, '', count(*)::float8 from holds where released_at is null group by reason
    union all
    select 'dead_letters', kind, reason, count(*)::float8 from dead_letters where state = 'open' group by kind, reason
    union all
    select 'dead_letters_parked', '', '', count(*)::float8 from dead_letters where state = 'parked'
    union all
    select 'outbox_age', '', '', coalesce(extract(epoch from now() - min(created_at)), 0)::float8
      from outbox where published_at is null
    union all
    select 'timers_overdue', '', '', count(*)::float8 from timers where due_at < now()
    union all
    select 'partitions_halted', '', '', count(*)::float8 from event_partitions where halted is not null
    union all
    (select 'shop_gap', kind, '', value::float8
       from (select seen, by_webhook, only_by_sweep, missing from gap_reports order by day desc limit 1) last,
            lateral (values ('seen', seen), ('by_webhook', by_webhook), ('only_by_sweep', only_by_sweep),
                            ('missing', missing)) as counts (kind, value))
    union all
    (select 'shop_webhook_delay', '', '', coalesce(mean_delay_seconds, 0) from gap_reports order by day desc limit 1)`);
