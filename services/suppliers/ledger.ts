import { type Evidence, type HoldReason, SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import { counter } from '../figures.ts';
import type { Sql } from '../store/store.ts';

/**
 * The purchase ledger: what we wished to buy or pay, written before the call, settled after it. A row per supplier
 * order and deed is the whole right to call; without a row in `calling` under one's own attempt nobody calls.
 */
export type Deed = 'create' | 'pay';

const verdicts = counter(
  {
    name: 'purchases_total',
    help: 'Verdicts on purchases and payments: absent means put off, nothing bought',
  },
  {
    supplier: SUPPLIERS,
    deed: ['create', 'pay'] as const,
    outcome: ['done', 'refused', 'unknown', 'absent'] as const,
  },
);

export interface Intent {
  readonly supplierOrderId: string;
  readonly orderId: string;
  readonly supplier: SupplierName;
  readonly deed: Deed;
  readonly requestHash: string;
  /** What the supplier will take for it, as far as we know before the call. */
  readonly costMinor: number;
  readonly currency: string;
  readonly callTimeoutMs: number;
}

export interface Caps {
  readonly perOrderMinor: number | undefined;
  readonly perDayMinor: number | undefined;
}

export interface Doubt {
  /** How long and how often a supplier must say "not there" before the deed may be tried again. */
  readonly windowMs: number;
  readonly lookUps: number;
}

export type Begun =
  | { may: 'call'; attempt: number }
  /** Somebody else is at it, or has done it. */
  | { may: 'wait' }
  /** An earlier call is in doubt. */
  | { may: 'look_up'; attempt: number }
  | { may: 'not'; reason: HoldReason; evidence: Evidence };

interface Row {
  attempt: number;
  state: 'calling' | 'unknown' | 'done' | 'refused' | 'absent';
  overdue: boolean;
}

async function capProblem(
  sql: Sql,
  intent: Intent,
  caps: Caps,
): Promise<{ reason: HoldReason; evidence: Evidence } | null> {
  const { costMinor, currency } = intent;
  if (caps.perOrderMinor !== undefined && costMinor > caps.perOrderMinor) {
    return { reason: 'cost_above_cap', evidence: { costMinor, capMinor: caps.perOrderMinor, currency } };
  }
  if (caps.perDayMinor === undefined) return null;
  // Two purchases at once must not both find the last of the day's money.
  await sql.query('select pg_advisory_xact_lock(hashtext($1))', [`spending:${intent.supplier}`]);
  const [row] = await sql.query<{ spent: number }>(
    `select coalesce(sum(expected_cost_minor), 0)::float8 as spent from purchase_intents
      where supplier = $1 and created_at >= date_trunc('day', now(), 'UTC') and kind = 'create'
        and state <> 'refused' and supplier_order_id <> $2`,
    [intent.supplier, intent.supplierOrderId],
  );
  const spentMinor = row?.spent ?? 0;
  if (spentMinor + costMinor <= caps.perDayMinor) return null;
  return {
    reason: 'daily_cap_reached',
    evidence: { costMinor, spentMinor, capMinor: caps.perDayMinor, currency },
  };
}

/**
 * Takes the right to call, in the caller's transaction, which must hold the supplier order's row. Exactly one caller
 * gets `call` for an attempt; the attempt's number goes back into `settle`.
 */
export async function begin(sql: Sql, intent: Intent, caps: Caps): Promise<Begun> {
  const [earlier] = await sql.query<Row>(
    `select attempt, state, call_deadline < now() as overdue from purchase_intents
      where supplier_order_id = $1 and kind = $2 for update`,
    [intent.supplierOrderId, intent.deed],
  );
  if (earlier !== undefined) {
    if (earlier.state === 'done') return { may: 'wait' };
    if (earlier.state === 'calling' && !earlier.overdue) return { may: 'wait' };
    if (earlier.state === 'calling' || earlier.state === 'unknown')
      return { may: 'look_up', attempt: earlier.attempt };
  }
  const problem = await capProblem(sql, intent, caps);
  if (problem !== null) return { may: 'not', ...problem };
  const attempt = (earlier?.attempt ?? 0) + 1;
  await sql.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state, request_hash,
                                   expected_cost_minor, currency, call_deadline)
     values ($1, $2, $3, $4, $1, $5, 'calling', $6, $7, $8, now() + $9::float8 * interval '1 millisecond')
     on conflict (supplier_order_id, kind) do update
        set attempt = excluded.attempt, state = 'calling', request_hash = excluded.request_hash,
            expected_cost_minor = excluded.expected_cost_minor, call_deadline = excluded.call_deadline,
            look_ups = 0, repeats = 0, first_absent_at = null, created_at = now(), updated_at = now()`,
    [
      intent.supplierOrderId,
      intent.deed,
      intent.orderId,
      intent.supplier,
      attempt,
      intent.requestHash,
      intent.costMinor,
      intent.currency,
      intent.callTimeoutMs,
    ],
  );
  return { may: 'call', attempt };
}

/**
 * Writes the verdict of a call. False: the row has moved on since (the call was given up as unknown, or another
 * attempt runs); the answer is late and must be looked at, not believed.
 */
export async function settle(
  sql: Sql,
  key: { supplierOrderId: string; deed: Deed; attempt: number },
  state: 'done' | 'refused' | 'unknown' | 'absent',
  evidence: Evidence,
): Promise<boolean> {
  const [row] = await sql.query<{ supplier: SupplierName }>(
    `update purchase_intents set state = $4, evidence = $5::json, updated_at = now(),
            deferrals = deferrals + case when $4 = 'absent' then 1 else 0 end
      where supplier_order_id = $1 and kind = $2 and attempt = $3 and state in ('calling', 'unknown')
      returning supplier`,
    [key.supplierOrderId, key.deed, key.attempt, state, JSON.stringify(evidence)],
  );
  if (row === undefined) return false;
  verdicts.count({ supplier: row.supplier, deed: key.deed, outcome: state });
  return true;
}

/**
 * Counts a look-up that found nothing. True once there were enough of them over enough time: then the deed has not
 * happened and the row allows the next attempt. A supplier shows new orders late, so one "no" means nothing.
 */
export async function countAbsence(
  sql: Sql,
  key: { supplierOrderId: string; deed: Deed; attempt: number },
  doubt: Doubt,
): Promise<{ isAbsent: boolean; lookUps: number }> {
  const [row] = await sql.query<{ look_ups: number; state: string }>(
    `update purchase_intents
        set look_ups = look_ups + 1, first_absent_at = coalesce(first_absent_at, now()), updated_at = now(),
            state = case when look_ups + 1 >= $4 and first_absent_at <= now()::timestamptz(3) - $5::float8 * interval '1 millisecond'
                         then 'absent' else 'unknown' end
      where supplier_order_id = $1 and kind = $2 and attempt = $3
        and (state = 'unknown' or (state = 'calling' and call_deadline < now()))
      returning look_ups, state`,
    [key.supplierOrderId, key.deed, key.attempt, doubt.lookUps, doubt.windowMs],
  );
  return { isAbsent: row?.state === 'absent', lookUps: row?.look_ups ?? 0 };
}

/**
 * Takes the right to send the very same call once more, where the supplier promises that it cannot buy twice. Exactly
 * one caller gets it, once: a call that ends in doubt again leaves no right to a third.
 * @param notBeforeMs age of the attempt in doubt from which on it may be repeated: its own news goes first.
 * @param promiseMs age at which the supplier's promise ends.
 */
export const beginRepeat = async (
  sql: Sql,
  key: { supplierOrderId: string; attempt: number },
  repeat: { requestHash: string; notBeforeMs: number; promiseMs: number; callTimeoutMs: number },
): Promise<boolean> =>
  (await sql.run(
    `update purchase_intents set state = 'calling', repeats = repeats + 1, updated_at = now(),
            call_deadline = now() + $6::float8 * interval '1 millisecond'
      where supplier_order_id = $1 and kind = 'create' and attempt = $2 and request_hash = $3 and repeats = 0
        and (state = 'unknown' or (state = 'calling' and call_deadline < now()))
        and created_at <= now() - $4::float8 * interval '1 millisecond'
        and created_at > now() - $5::float8 * interval '1 millisecond'`,
    [
      key.supplierOrderId,
      key.attempt,
      repeat.requestHash,
      repeat.notBeforeMs,
      repeat.promiseMs,
      repeat.callTimeoutMs,
    ],
  )) === 1;

/** The repetition never reached the supplier, or was turned away at its door: the right to it stands again. */
export const takeBackRepeat = async (
  sql: Sql,
  key: { supplierOrderId: string; attempt: number },
): Promise<boolean> =>
  (await sql.run(
    `update purchase_intents set state = 'unknown', repeats = 0, updated_at = now()
      where supplier_order_id = $1 and kind = 'create' and attempt = $2 and state = 'calling'`,
    [key.supplierOrderId, key.attempt],
  )) === 1;

export interface CurrentIntent extends Row {
  readonly evidence: Evidence | null;
  readonly requestHash: string;
  readonly repeats: number;
  /** Attempts that the supplier put off before anything was bought: they prove nothing and use nothing up. */
  readonly deferrals: number;
  /** It came with a backup that was restored: what followed it is not in the ledger. */
  readonly isFromBackup: boolean;
  /** Since the attempt began. */
  readonly ageMs: number;
}

export async function currentIntent(
  sql: Sql,
  supplierOrderId: string,
  deed: Deed,
): Promise<CurrentIntent | undefined> {
  const [row] = await sql.query<CurrentIntent>(
    `select attempt, state, call_deadline < now() as overdue, evidence, request_hash as "requestHash", repeats,
            deferrals, exists (select 1 from restorations r where r.restored_at > i.created_at) as "isFromBackup",
            (extract(epoch from now() - created_at) * 1000)::float8 as "ageMs"
       from purchase_intents i where supplier_order_id = $1 and kind = $2`,
    [supplierOrderId, deed],
  );
  return row;
}
