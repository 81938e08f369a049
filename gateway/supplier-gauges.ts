import { Counter, Gauge, type Registry } from 'prom-client';
import { PREFIX } from '../services/figures.ts';
import type { Sql } from '../services/store/store.ts';

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
  consentExpiresAt: string | null;
  isStopped: number;
}

const readCalls = (sql: Sql): Promise<CallRow[]> =>
  sql.query('select supplier, operation, outcome, calls::float8 as calls, seconds from supplier_calls');

const readAccounts = (sql: Sql): Promise<AccountRow[]> =>
  sql.query(
    `select supplier, quota_remaining as remaining, quota_total as total, access_expires_at as "tokenExpiresAt",
            refresh_expires_at as "consentExpiresAt",
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

/**
 * What the copies of the suppliers service reported, for one scrape: counters that outlive every copy, and what all of
 * them share. How long calls take is told by each copy itself.
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
  const consent = gauge(
    'supplier_consent_expiry_timestamp_seconds',
    'When the consent ends by which tokens are renewed',
    'supplier',
  );

  return async (sql) => {
    for (const metric of [calls, seconds, breakers, remaining, total, pause, expiry, consent, stopped])
      metric.reset();
    for (const { supplier, operation, outcome, ...row } of await readCalls(sql)) {
      calls.inc({ supplier, operation, outcome }, row.calls);
      seconds.inc({ supplier, operation, outcome }, row.seconds);
    }
    for (const { supplier, state, copies } of await readBreakers(sql))
      breakers.set({ supplier, state }, copies);
    for (const { supplier, ...account } of await readAccounts(sql)) {
      pause.set({ supplier, stops: 'calls' }, account.pauseSeconds);
      pause.set({ supplier, stops: 'budget' }, account.budgetPauseSeconds);
      stopped.set({ supplier }, account.isStopped);
      if (account.remaining !== null) remaining.set({ supplier }, account.remaining);
      if (account.total !== null) total.set({ supplier }, account.total);
      for (const [metric, instant] of [
        [expiry, account.tokenExpiresAt],
        [consent, account.consentExpiresAt],
      ] as const) {
        const expiresAt = Date.parse(instant ?? '');
        if (Number.isFinite(expiresAt)) metric.set({ supplier }, expiresAt / 1_000);
      }
    }
  };
}
