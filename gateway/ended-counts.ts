import type { OrderStateName, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { Sql } from '../services/store/store.ts';
import type { GaugeValue } from './store-gauges.ts';

/** Where orders and purchases end: after years nearly all of them are here. The others are counted at each scrape. */
export const ENDED_ORDERS = [
  'delivered',
  'cancelled',
  'refunded',
] as const satisfies readonly OrderStateName[];
export const ENDED_SUPPLIER_ORDERS = [
  'delivered',
  'rejected',
  'cancelled',
  'lapsed',
] as const satisfies readonly SupplierOrderStateName[];

/** Counting may take this share of one connection's time, whatever it has grown to. */
const SHARE = 0.01;
const FRESH_MS = 5_000;

export const countEnded = (sql: Sql): Promise<GaugeValue[]> =>
  sql.query<GaugeValue>(
    `select 'orders' as name, state as label, '' as by, count(*)::float8 as value from orders
      where state = any($1::text[]) and archived_at is null group by state
     union all
     select 'supplier_orders', state, '', count(*)::float8 from supplier_orders
      where state = any($2::text[]) group by state`,
    [ENDED_ORDERS, ENDED_SUPPLIER_ORDERS],
  );

/**
 * Has what is dear to count be counted behind the scrape's back: an answer is the count of a moment ago, and only the
 * first one is waited for. The longer a count takes, the longer it is good.
 */
export function countedBehind(
  count: () => Promise<readonly GaugeValue[]>,
): () => Promise<readonly GaugeValue[]> {
  let last: readonly GaugeValue[] | undefined;
  let counting: Promise<readonly GaugeValue[]> | undefined;
  let nextAt = 0;

  const countAgain = async (): Promise<readonly GaugeValue[]> => {
    const begun = performance.now();
    try {
      last = await count();
      return last;
    } finally {
      const now = performance.now();
      nextAt = now + Math.max(FRESH_MS, (now - begun) / SHARE);
      counting = undefined;
    }
  };

  return async () => {
    if (performance.now() >= nextAt) counting ??= countAgain();
    if (last !== undefined) {
      // A count that fails leaves the last one standing; the scrape's own reading tells that the database is away.
      counting?.catch(() => {});
      return last;
    }
    return counting ?? [];
  };
}
