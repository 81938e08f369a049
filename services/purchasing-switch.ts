import type { PauseScope, PurchasingPause } from '../contracts/resources/purchasing-pause.ts';
import type { SupplierName } from '../contracts/vocabulary.ts';
import type { Sql, Store } from './store/store.ts';

/** Shared by those who write an intent, alone for those who throw the switch: neither overtakes the other. */
const LOCK = "hashtext('purchasing-switch')";

const COLUMNS = 'scope, cause, reason, paused_at as "pausedAt"';

const toPause = (row: Omit<PurchasingPause, 'pausedAt'> & { pausedAt: Date | string }): PurchasingPause => ({
  ...row,
  pausedAt: new Date(row.pausedAt).toISOString(),
});

/** Every pause that stands. */
export const readPauses = async (sql: Sql): Promise<PurchasingPause[]> =>
  (await sql.query<PurchasingPause>(`select ${COLUMNS} from purchasing_pauses order by scope`)).map(toPause);

/**
 * Stops buying from one supplier or from all. When it returns, no transaction that saw the switch open is still to
 * commit its intent: only calls that had begun before go on. Pausing again keeps the time of the first pause.
 */
export const pausePurchasing = (
  store: Store,
  pause: Pick<PurchasingPause, 'scope' | 'cause' | 'reason'>,
): Promise<PurchasingPause[]> =>
  store.transaction(async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(${LOCK})`);
    await sql.run(
      `insert into purchasing_pauses (scope, cause, reason) values ($1, $2, $3)
       on conflict (scope) do update set cause = excluded.cause, reason = excluded.reason`,
      [pause.scope, pause.cause, pause.reason],
    );
    return readPauses(sql);
  });

/** Takes the pause of this scope away; what it held is released by the suppliers service within seconds. */
export const resumePurchasing = (store: Store, scope: PauseScope): Promise<PurchasingPause[]> =>
  store.transaction(async (sql) => {
    await sql.run('delete from purchasing_pauses where scope = $1', [scope]);
    return readPauses(sql);
  });

/**
 * Every pause that stands, and that will until the end of the transaction: nobody can throw the switch before. To be
 * asked in the transaction that writes the intent.
 */
export async function holdPauses(sql: Sql): Promise<PurchasingPause[]> {
  await sql.query(`select pg_advisory_xact_lock_shared(${LOCK})`);
  return readPauses(sql);
}

/** The pause that stops purchases from this supplier: one of all before its own. */
export const pauseOf = (
  pauses: readonly PurchasingPause[],
  supplier: SupplierName,
): PurchasingPause | undefined =>
  pauses.find(({ scope }) => scope === 'all') ?? pauses.find(({ scope }) => scope === supplier);
