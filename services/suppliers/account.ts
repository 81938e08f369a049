import { createHash } from 'node:crypto';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { throughOutage } from '../store/outage.ts';
import { IDLE_IN_TRANSACTION_MS } from '../store/pool.ts';
import type { Sql, Store } from '../store/store.ts';
import type { ReportQuota, SupplierToken, TokenStore } from './adapter-parts.ts';

interface CallPauses {
  /** Milliseconds until the supplier takes calls again; 0: now. */
  readonly callsMs: number;
  /** Milliseconds until its budget, which is used up, has something again; 0: now. */
  readonly budgetMs: number;
  /** Milliseconds until the next call that keeps its distance from others of its kind; 0: now. */
  readonly spacingMs: number;
}

const msUntil = (instant: string): string =>
  `greatest(extract(epoch from ${instant} - now()) * 1000, 0)::float8`;

/** SQL for the milliseconds until the supplier takes calls again; 0: now. @param supplier names the column. */
export const callPauseOf = (supplier: string): string =>
  `coalesce((select ${msUntil('a.paused_until')} from supplier_accounts a where a.supplier = ${supplier}), 0)`;

/** As the supplier said to any copy. */
export async function callPauses(sql: Sql, supplier: SupplierName): Promise<CallPauses> {
  const [pauses] = await sql.query<CallPauses>(
    `select ${msUntil('paused_until')} as "callsMs", ${msUntil('budget_paused_until')} as "budgetMs",
            ${msUntil('next_spaced_call_at')} as "spacingMs"
       from supplier_accounts where supplier = $1`,
    [supplier],
  );
  return pauses ?? { callsMs: 0, budgetMs: 0, spacingMs: 0 };
}

const SLOWER = 1.5;
/** No supplier grants less than one call in a second; 10 % more, since its clock is not ours. */
const SLOWEST_INTERVAL_MS = 1_100;

/** How long it still is until then, by the clock that the instant was reckoned with: this machine's. */
const msTo = (instant: string | undefined): number | null =>
  instant === undefined ? null : Date.parse(instant) - Date.now();

/**
 * Keeps what the supplier told of its limits. Of two pauses the longer one counts; a pause ends by itself. Calls that were
 * too fast are told apart, for a pause alone leads back to the same rate. All copies wait by the database's clock.
 */
export const createQuotaReporter =
  (sql: Sql, supplier: SupplierName): ReportQuota =>
  async ({ pausedUntil, budgetPausedUntil, remaining, total, isTooFast = false }) => {
    await sql.run(
      `insert into supplier_accounts (supplier, paused_until, budget_paused_until, quota_remaining, quota_total)
       values ($1, now() + $2::float8 * interval '1 millisecond', now() + $3::float8 * interval '1 millisecond', $4, $5)
       on conflict (supplier) do update
          set paused_until = greatest(supplier_accounts.paused_until, excluded.paused_until),
              budget_paused_until = greatest(supplier_accounts.budget_paused_until, excluded.budget_paused_until),
              quota_remaining = coalesce(excluded.quota_remaining, supplier_accounts.quota_remaining),
              quota_total = coalesce(excluded.quota_total, supplier_accounts.quota_total),
              call_interval_ms = case when $6
                then least(supplier_accounts.call_interval_ms * $7::float8,
                           greatest(supplier_accounts.call_interval_ms, $8::float8))
                else supplier_accounts.call_interval_ms end`,
      [
        supplier,
        msTo(pausedUntil),
        msTo(budgetPausedUntil),
        remaining ?? null,
        total ?? null,
        isTooFast,
        SLOWER,
        SLOWEST_INTERVAL_MS,
      ],
    );
  };

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

/**
 * From now on everything that the supplier told of an account is about the one of this key: what it told about another
 * key's is forgotten, its tokens first of all. Of what is older than this memory the key is taken to be the same.
 */
export async function rememberKey(sql: Sql, supplier: SupplierName, key: string): Promise<void> {
  const fingerprint = createHash('sha256').update(key).digest('hex');
  await sql.run(
    `update supplier_accounts
        set access_token = null, access_expires_at = null, refresh_token = null, refresh_expires_at = null,
            account_id = null, login_paused_until = null, paused_until = null, budget_paused_until = null, quota_remaining = null,
            quota_total = null, balance_minor = null, balance_currency = null
      where supplier = $1 and key_fingerprint <> $2`,
    [supplier, fingerprint],
  );
  await sql.run(
    `update supplier_accounts set key_fingerprint = $2
      where supplier = $1 and key_fingerprint is distinct from $2`,
    [supplier, fingerprint],
  );
}

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
    async loginPauseMs() {
      const [row] = await store.query<{ ms: number }>(
        `select ${msUntil('login_paused_until')} as ms from supplier_accounts where supplier = $1`,
        [supplier],
      );
      return row?.ms ?? 0;
    },
    async pauseLogins(ms) {
      await store.run(
        `update supplier_accounts set login_paused_until = now() + $2::float8 * interval '1 millisecond'
          where supplier = $1`,
        [supplier, ms],
      );
    },
  };
}

/** The session only waits meanwhile, and is ended when it waits too long; what was brought must still be kept. */
const RENEWAL_MS = IDLE_IN_TRANSACTION_MS - 3_000;

/** What was brought is not asked for again when it cannot be kept at once: a refresh token may be good for one pair only. */
async function renewLocked(
  store: Store,
  supplier: SupplierName,
  renew: Parameters<TokenStore['renew']>[0],
): Promise<SupplierToken> {
  let brought: { readonly insteadOf: string | undefined; readonly token: SupplierToken } | undefined;
  const outcome = await throughOutage(() =>
    store.transaction(async (sql) => {
      // An advisory lock, not the row's: the limiter must be able to reserve the very call that renews.
      await sql.query('select pg_advisory_xact_lock(hashtext($1))', [`token:${supplier}`]);
      const [row] = await sql.query<TokenRow>(SELECT, [supplier]);
      const current = toToken(row);
      // Another copy may have put a pair in its place since ours was brought.
      if (brought === undefined || brought.insteadOf !== current?.accessToken) {
        try {
          const token = await renew(current, AbortSignal.timeout(RENEWAL_MS));
          brought = { insteadOf: current?.accessToken, token };
        } catch (error) {
          // The supplier's outage is not the database's.
          return { error };
        }
      }
      const { token } = brought;
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
      return { token };
    }),
  );
  if ('error' in outcome) throw outcome.error;
  return outcome.token;
}
