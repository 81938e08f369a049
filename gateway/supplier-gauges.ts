import { Counter, Gauge, type Registry } from 'prom-client';
import type { Sql } from '../services/store/store.ts';

const PREFIX = 'order_manager_';

interface CallRow {
  supplier: string;
  operation: string;
  outcome: string;
  calls: number;
  seconds: number;
}

interface AccountRow {
  supplier: string;
  remaining: number | null;
  total: number | null;
  pauseSeconds: number;
  budgetPauseSeconds: number;
  tokenExpiresAt: string | null;
  isStopped: number;
}

const readCalls = (sql: Sql): Promise<CallRow[]> =>
  sql.query('select supplier, operation, outcome, calls::float8 as calls, seconds from supplier_calls');

const readAccounts = (sql: Sql): Promise<AccountRow[]> =>
  sql.query(
    `select supplier, quota_remaining as remaining, quota_total as total, access_expires_at as "tokenExpiresAt",
            greatest(extract(epoch from paused_until - now()), 0)::float8 as "pauseSeconds",
            greatest(extract(epoch from budget_paused_until - now()), 0)::float8 as "budgetPauseSeconds",
            (exists (select 1 from purchasing_pauses p where p.scope in ('all', a.supplier)))::int as "isStopped"
       from supplier_accounts a`,
  );

const readBreakers = (sql: Sql): Promise<{ supplier: string; state: string; copies: number }[]> =>
  sql.query(
    `select supplier, state, count(*)::int as copies from supplier_breakers
      where seen_at > now() - interval '30 seconds' group by supplier, state`,
  );

const readPurchases = (
  sql: Sql,
): Promise<{ supplier: string; deed: string; outcome: string; count: number }[]> =>
  sql.query(
    `select supplier, kind as deed, state as outcome, count(*)::float8 as count from purchase_intents
      group by supplier, kind, state`,
  );

/**
 * What the copies of the suppliers service reported, for one scrape. They have no port of their own: the counters
 * stand in the database, so that they outlive every copy.
 */
export function createSupplierGauges(registry: Registry): (sql: Sql) => Promise<void> {
  const registers = [registry];
  const gauge = (name: string, help: string, ...labelNames: string[]): Gauge =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers });

  const calls = counter(
    'supplier_calls_total',
    'Calls by supplier, operation and outcome',
    'supplier',
    'operation',
    'outcome',
  );
  const seconds = counter(
    'supplier_call_seconds_total',
    'Time spent in calls, their retries and waits included',
    'supplier',
    'operation',
    'outcome',
  );
  const breakers = gauge('supplier_breaker', 'Copies by the state of their breaker', 'supplier', 'state');
  const remaining = gauge(
    'supplier_quota_remaining',
    "What is left of the supplier's own budget",
    'supplier',
  );
  const total = gauge('supplier_quota_total', "The supplier's own budget", 'supplier');
  const pause = gauge(
    'supplier_pause_seconds',
    'Time until the supplier takes calls again: any (calls), or those that cost of its budget (budget)',
    'supplier',
    'stops',
  );
  const expiry = gauge('supplier_token_expiry_timestamp_seconds', 'When the access token ends', 'supplier');
  const stopped = gauge('supplier_purchasing_stopped', 'Whether the kill switch stops purchases', 'supplier');
  const purchases = gauge(
    'purchases',
    'Purchases and payments in the ledger by their outcome',
    'supplier',
    'deed',
    'outcome',
  );

  return async (sql) => {
    for (const metric of [calls, seconds, breakers, remaining, total, pause, expiry, stopped, purchases])
      metric.reset();
    for (const { supplier, operation, outcome, ...row } of await readCalls(sql)) {
      calls.inc({ supplier, operation, outcome }, row.calls);
      seconds.inc({ supplier, operation, outcome }, row.seconds);
    }
    for (const { supplier, state, copies } of await readBreakers(sql))
      breakers.set({ supplier, state }, copies);
    for (const { supplier, deed, outcome, count } of await readPurchases(sql))
      purchases.set({ supplier, deed, outcome }, count);
    for (const { supplier, ...account } of await readAccounts(sql)) {
      pause.set({ supplier, stops: 'calls' }, account.pauseSeconds);
      pause.set({ supplier, stops: 'budget' }, account.budgetPauseSeconds);
      stopped.set({ supplier }, account.isStopped);
      if (account.remaining !== null) remaining.set({ supplier }, account.remaining);
      if (account.total !== null) total.set({ supplier }, account.total);
      const expiresAt = Date.parse(account.tokenExpiresAt ?? '');
      if (Number.isFinite(expiresAt)) expiry.set({ supplier }, expiresAt / 1_000);
    }
  };
}
