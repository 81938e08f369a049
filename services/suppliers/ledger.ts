import { type Evidence, type HoldReason, SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import { counter } from '../figures.ts';
import type { Sql } from '../store/store.ts';
import { capProblem, type Expense, holdSpending, type Spending } from './spending.ts';

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

export interface Intent extends Expense {
  readonly orderId: string;
  readonly requestHash: string;
  readonly callTimeoutMs: number;
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

function judge(intent: Intent, earlier: Row | undefined, spending: Spending): Begun {
  if (earlier !== undefined) {
    if (earlier.state === 'done') return { may: 'wait' };
    if (earlier.state === 'calling' && !earlier.overdue) return { may: 'wait' };
    if (earlier.state === 'calling' || earlier.state === 'unknown')
      return { may: 'look_up', attempt: earlier.attempt };
  }
  const problem = capProblem(intent, spending);
  if (problem !== null) return { may: 'not', ...problem };
  return { may: 'call', attempt: (earlier?.attempt ?? 0) + 1 };
}

const keyOf = ({ supplierOrderId, deed }: Pick<Intent, 'supplierOrderId' | 'deed'>): string =>
  `${deed}/${supplierOrderId}`;

/**
 * The purchase ledger: what we wished to buy or pay, written before the call, settled after it. A row per supplier
 * order and deed is the whole right to call; without a row in `calling` under one's own attempt nobody calls.
 *
 * Takes the right to call for each of the intents, in the caller's transaction, which must hold the rows of their
 * supplier orders. Exactly one caller gets `call` for an attempt; the attempt's number goes back into `settle`. Answers
 * stand in the order of the intents; what one of them spends is no longer there for those behind it.
 */
export async function begin(sql: Sql, intents: readonly Intent[]): Promise<readonly Begun[]> {
  if (intents.length === 0) return [];
  const rows = await sql.query<Row & Pick<Intent, 'supplierOrderId' | 'deed'>>(
    `select supplier_order_id as "supplierOrderId", kind as deed, attempt, state, call_deadline < now() as overdue
       from purchase_intents where supplier_order_id = any($1::text[])
      order by supplier_order_id, kind for update`,
    [intents.map(({ supplierOrderId }) => supplierOrderId)],
  );
  const earlier = new Map<string, Row>(rows.map((row) => [keyOf(row), row]));
  const spending = await holdSpending(sql, intents);
  const written: object[] = [];
  const begun = intents.map((intent) => {
    const verdict = judge(intent, earlier.get(keyOf(intent)), spending);
    if (verdict.may !== 'call') return verdict;
    const { attempt } = verdict;
    earlier.set(keyOf(intent), { attempt, state: 'calling', overdue: false });
    spending.add(intent);
    written.push({
      supplier_order_id: intent.supplierOrderId,
      kind: intent.deed,
      order_id: intent.orderId,
      supplier: intent.supplier,
      attempt,
      request_hash: intent.requestHash,
      expected_cost_minor: intent.costMinor,
      currency: intent.currency,
      call_timeout_ms: intent.callTimeoutMs,
    });
    return verdict;
  });
  if (written.length === 0) return begun;
  await sql.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state, request_hash,
                                   expected_cost_minor, currency, call_deadline)
     select supplier_order_id, kind, order_id, supplier, supplier_order_id, attempt, 'calling', request_hash,
            expected_cost_minor, currency, now() + call_timeout_ms * interval '1 millisecond'
       from json_to_recordset($1::json) as d(supplier_order_id text, kind text, order_id text, supplier text,
              attempt int, request_hash text, expected_cost_minor bigint, currency text, call_timeout_ms float8)
     on conflict (supplier_order_id, kind) do update
        set attempt = excluded.attempt, state = 'calling', request_hash = excluded.request_hash,
            expected_cost_minor = excluded.expected_cost_minor, call_deadline = excluded.call_deadline,
            look_ups = 0, repeats = 0, first_absent_at = null, created_at = now(), updated_at = now()`,
    [JSON.stringify(written)],
  );
  return begun;
}

export interface IntentKey {
  readonly supplierOrderId: string;
  readonly deed: Deed;
  readonly attempt: number;
}

export interface Verdict {
  readonly state: 'done' | 'refused' | 'unknown' | 'absent';
  readonly evidence: Evidence;
  /** Which call of the attempt it is about: 1 for its repetition. */
  readonly repeats?: 0 | 1;
}

/**
 * Writes the verdicts of calls, of one supplier order and deed not more than one, and answers which of them were taken.
 * Not taken: the row has moved on since (the call was given up as unknown, or another attempt runs); the answer is late
 * and must be looked at, not believed. Whatever but a yes the first call brings after its repetition has begun is late.
 */
export async function settleAll<Settled extends IntentKey & Verdict>(
  sql: Sql,
  settled: readonly Settled[],
): Promise<ReadonlySet<Settled>> {
  if (settled.length === 0) return new Set();
  // By the ids as well: a plan may look for all that are open first, and go through the whole ledger for them.
  const rows = await sql.query<{ key: number; supplier: SupplierName }>(
    `update purchase_intents i set state = d.state, evidence = d.evidence, updated_at = now(),
            deferrals = deferrals + case when d.state = 'absent' then 1 else 0 end
       from json_to_recordset($1::json) as d(key int, supplier_order_id text, kind text, attempt int, state text,
                                             evidence json, repeats int)
      where i.supplier_order_id = any($2::text[])
        and i.supplier_order_id = d.supplier_order_id and i.kind = d.kind and i.attempt = d.attempt
        and i.state in ('calling', 'unknown') and (d.state = 'done' or i.repeats = d.repeats)
      returning d.key, i.supplier`,
    [
      JSON.stringify(
        settled.map(({ supplierOrderId, deed, attempt, state, evidence, repeats = 0 }, key) => ({
          key,
          supplier_order_id: supplierOrderId,
          kind: deed,
          attempt,
          state,
          evidence,
          repeats,
        })),
      ),
      settled.map(({ supplierOrderId }) => supplierOrderId),
    ],
  );
  return new Set(
    rows.flatMap(({ key, supplier }) => {
      const taken = settled[key];
      if (taken === undefined) return [];
      verdicts.count({ supplier, deed: taken.deed, outcome: taken.state });
      return [taken];
    }),
  );
}

/** As `settleAll`, for one. */
export const settle = async (sql: Sql, key: IntentKey, verdict: Verdict): Promise<boolean> =>
  (await settleAll(sql, [{ ...key, ...verdict }])).size === 1;

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

/** The supplier shows them paid, by us or by hand on its site: no payment of theirs is in doubt any more. */
export const settleShownPaid = (sql: Sql, supplierOrderIds: readonly string[]): Promise<number> =>
  sql.run(
    `update purchase_intents set state = 'done', updated_at = now()
      where supplier_order_id = any($1::text[]) and kind = 'pay' and state in ('calling', 'unknown')`,
    [supplierOrderIds],
  );

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
  /** Since its last call was over at the latest; negative before. */
  readonly quietMs: number;
}

export async function currentIntent(
  sql: Sql,
  supplierOrderId: string,
  deed: Deed,
): Promise<CurrentIntent | undefined> {
  const [row] = await sql.query<CurrentIntent>(
    `select attempt, state, call_deadline < now() as overdue, evidence, request_hash as "requestHash", repeats,
            deferrals, exists (select 1 from restorations r where r.restored_at > i.created_at) as "isFromBackup",
            (extract(epoch from now() - created_at) * 1000)::float8 as "ageMs",
            (extract(epoch from now() - call_deadline) * 1000)::float8 as "quietMs"
       from purchase_intents i where supplier_order_id = $1 and kind = $2`,
    [supplierOrderId, deed],
  );
  return row;
}
