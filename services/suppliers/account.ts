import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql, Store } from '../store/store.ts';
import {
  type CallClaim,
  type ReportQuota,
  type ReserveCall,
  SupplierError,
  type SupplierToken,
  type TokenStore,
} from './adapter.ts';

/** Calls of a query may wait in line; those of a purchase always find the next place free but one. */
const QUERY_QUEUE = 1;
/** A pause that is nearly over is waited for; a longer one would outlast the patience of the call. */
const BEARABLE_PAUSE_MS = 2_000;

interface CallPauses {
  /** Milliseconds until the supplier takes calls again; 0: now. */
  readonly callsMs: number;
  /** Milliseconds until its budget, which is used up, has something again; 0: now. */
  readonly budgetMs: number;
}

/** As the supplier said to any copy. */
async function callPauses(sql: Sql, supplier: SupplierName): Promise<CallPauses> {
  const [row] = await sql.query<CallPauses>(
    `select greatest(extract(epoch from paused_until - now()) * 1000, 0)::float8 as "callsMs",
            greatest(extract(epoch from budget_paused_until - now()) * 1000, 0)::float8 as "budgetMs"
       from supplier_accounts where supplier = $1`,
    [supplier],
  );
  return row ?? { callsMs: 0, budgetMs: 0 };
}

/** Milliseconds until the supplier takes calls again that cost nothing of its budget, as purchases do; 0: now. */
export const callPauseMs = async (sql: Sql, supplier: SupplierName): Promise<number> =>
  (await callPauses(sql, supplier)).callsMs;

/** Keeps what the supplier told of its limits. Of two pauses the longer one counts; a pause ends by itself. */
export const createQuotaReporter =
  (sql: Sql, supplier: SupplierName): ReportQuota =>
  async ({ pausedUntil, budgetPausedUntil, remaining, total }) => {
    await sql.run(
      `insert into supplier_accounts (supplier, paused_until, budget_paused_until, quota_remaining, quota_total)
       values ($1, $2::timestamptz, $3::timestamptz, $4, $5)
       on conflict (supplier) do update
          set paused_until = greatest(supplier_accounts.paused_until, excluded.paused_until),
              budget_paused_until = greatest(supplier_accounts.budget_paused_until, excluded.budget_paused_until),
              quota_remaining = coalesce(excluded.quota_remaining, supplier_accounts.quota_remaining),
              quota_total = coalesce(excluded.quota_total, supplier_accounts.quota_total)`,
      [supplier, pausedUntil ?? null, budgetPausedUntil ?? null, remaining ?? null, total ?? null],
    );
  };

/**
 * One row per credential, shared by all copies: a call takes the next free moment in one statement and waits for it.
 * While the supplier wants no calls at all, or none of its budget, nothing of that is sent: `throttled`, evidence
 * `sent: false`, and `budgetUsedUp: true` where it is the budget that is waited for.
 * @param requestsPerSecond of the supplier's contract; spaced by 10 % more, since its clock is not ours.
 */
export async function createCallLimiter(
  store: Store,
  supplier: SupplierName,
  requestsPerSecond: number,
): Promise<ReserveCall> {
  const intervalMs = 1_100 / requestsPerSecond;
  await store.run(
    `insert into supplier_accounts (supplier, call_interval_ms) values ($1, $2)
     on conflict (supplier) do update set call_interval_ms = excluded.call_interval_ms`,
    [supplier, intervalMs],
  );
  const reserve = async ({ priority, usesBudget = false }: CallClaim): Promise<number | null> => {
    const [row] = await store.query<{ wait_ms: number }>(
      `update supplier_accounts
          set next_call_at = greatest(next_call_at, now()) + call_interval_ms * interval '1 millisecond'
        where supplier = $1 and (paused_until is null or paused_until <= now())
          and (not $4 or budget_paused_until is null or budget_paused_until <= now())
          and ($2 = 'purchase' or next_call_at <= now() + $3 * call_interval_ms * interval '1 millisecond')
       returning (extract(epoch from next_call_at - now()) * 1000 - call_interval_ms)::float8 as wait_ms`,
      [supplier, priority, QUERY_QUEUE, usesBudget],
    );
    return row?.wait_ms ?? null;
  };
  return async (claim, signal) => {
    for (;;) {
      signal.throwIfAborted();
      const waitMs = await reserve(claim);
      if (waitMs !== null) return wait(waitMs, signal);
      const { callsMs, budgetMs } = await callPauses(store, supplier);
      const pauseMs = Math.max(callsMs, claim.usesBudget === true ? budgetMs : 0);
      if (pauseMs > BEARABLE_PAUSE_MS) {
        const budgetUsedUp = pauseMs > callsMs;
        const evidence = { pausedForMs: Math.round(pauseMs), sent: false, budgetUsedUp };
        const why = budgetUsedUp ? 'its budget is used up' : 'the supplier wants no calls now';
        throw new SupplierError('throttled', `nothing sent: ${why}`, evidence);
      }
      await wait(Math.max(intervalMs, pauseMs), signal);
    }
  };
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    // An event of the past is not told again.
    if (signal.aborted) return reject(signal.reason);
    if (ms <= 0) return resolve();
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });

interface TokenRow {
  accessToken: string | null;
  accessExpiresAt: string | null;
  refreshToken: string | null;
  refreshExpiresAt: string | null;
  accountId: string | null;
}

const SELECT = `select access_token as "accessToken", access_expires_at as "accessExpiresAt",
  refresh_token as "refreshToken", refresh_expires_at as "refreshExpiresAt", account_id as "accountId"
  from supplier_accounts where supplier = $1`;

const toToken = (row: TokenRow | undefined): SupplierToken | null => {
  if (row === undefined) return null;
  const { accessToken, accessExpiresAt, refreshToken, refreshExpiresAt, accountId } = row;
  if (accessToken === null || accessExpiresAt === null) return null;
  return {
    accessToken,
    accessExpiresAt,
    refreshToken: refreshToken ?? '',
    refreshExpiresAt: refreshExpiresAt ?? accessExpiresAt,
    accountId,
  };
};

/** One after another, whatever became of the one before. */
function takingTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
}

/**
 * The token pair in the database: renewing holds a lock that all copies share, so that parallel renewals cannot lose a
 * pair. Within this process they wait in line without a connection: waiting in the database they would take the whole
 * pool away from the one that renews, which needs a connection to reserve its call.
 */
export function createTokenStore(store: Store, supplier: SupplierName): TokenStore {
  const inTurn = takingTurns();
  return {
    async read() {
      const [row] = await store.query<TokenRow>(SELECT, [supplier]);
      return toToken(row);
    },
    renew: (renew) => inTurn(() => renewLocked(store, supplier, renew)),
  };
}

const renewLocked = (
  store: Store,
  supplier: SupplierName,
  renew: Parameters<TokenStore['renew']>[0],
): Promise<SupplierToken> =>
  store.transaction(async (sql) => {
    // An advisory lock, not the row's: the limiter must be able to reserve the very call that renews.
    await sql.query('select pg_advisory_xact_lock(hashtext($1))', [`token:${supplier}`]);
    const [row] = await sql.query<TokenRow>(SELECT, [supplier]);
    const token = await renew(toToken(row));
    await sql.run(
      `update supplier_accounts set access_token = $2, access_expires_at = $3, refresh_token = $4,
                refresh_expires_at = $5, account_id = $6 where supplier = $1`,
      [
        supplier,
        token.accessToken,
        token.accessExpiresAt,
        token.refreshToken,
        token.refreshExpiresAt,
        token.accountId,
      ],
    );
    return token;
  });
