import type { SupplierName } from '../../contracts/vocabulary.ts';
import { UNHURRIED } from '../store/rows.ts';
import type { Sql, Store } from '../store/store.ts';
import { callPauses } from './account.ts';
import type { CallClaim, ReserveCall } from './adapter-parts.ts';
import { SupplierError } from './supplier-error.ts';

/** A query takes a place at most so far ahead, one of the line at least: a purchase finds no longer line before it. */
const QUERY_QUEUE_MS = 20;
/** A pause that is nearly over is waited for; a longer one would outlast the patience of the call. */
const BEARABLE_PAUSE_MS = 2_000;

/** Of the distance that calls keep since some were too fast, each call takes so much back. */
const QUICKER = 0.99;

interface Granted {
  readonly supplier: SupplierName;
  /** Between two calls by the supplier's contract. */
  readonly intervalMs: number;
}

type Kind = Required<Omit<CallClaim, 'spacingMs'>>;

/** What stands in line, in the order in which it is served. */
const KINDS: readonly Kind[] = [
  { priority: 'purchase', usesBudget: false },
  { priority: 'purchase', usesBudget: true },
  { priority: 'query', usesBudget: false },
  { priority: 'query', usesBudget: true },
];

/**
 * Takes up to `wanted` of the next free moments in one statement and answers how long to wait for each; fewer when
 * queries would wait too long, none in a pause of the supplier's or, for calls that cost of it, of its budget's.
 * @param spacingMs with it one place is taken, and none so soon after the last one that was taken with it.
 */
async function takePlaces(
  sql: Sql,
  { supplier, intervalMs }: Granted,
  { priority, usesBudget }: Kind,
  wanted: number,
  spacingMs: number | null = null,
): Promise<number[]> {
  const [row] = await sql.query<{ places: number; first_ms: number; interval_ms: number }>(
    `with line as (
       select supplier, call_interval_ms as interval_ms, greatest(next_call_at, now()) as free_at,
              next_call_at <= now() + greatest(call_interval_ms, $3) * interval '1 millisecond' as has_room,
              floor((extract(epoch from now() - greatest(next_call_at, now())) * 1000
                     + greatest(call_interval_ms, $3)) / call_interval_ms)::int + 1 as room
         from supplier_accounts
        where supplier = $1 and (paused_until is null or paused_until <= now())
          and (not $5 or budget_paused_until is null or budget_paused_until <= now())
          and ($6::float8 is null or next_spaced_call_at <= now())
          for update
     ), taken as (
       select supplier, interval_ms, free_at, case when $2 = 'purchase' then $4::int else least($4::int, room) end as places
         from line where $2 = 'purchase' or has_room
     )
     update supplier_accounts a
        set next_call_at = t.free_at + t.places * t.interval_ms * interval '1 millisecond',
            call_interval_ms = greatest($7::float8, a.call_interval_ms * power(${QUICKER}, t.places)),
            next_spaced_call_at = coalesce(t.free_at + $6 * interval '1 millisecond', next_spaced_call_at)
       from taken t, ${UNHURRIED} where a.supplier = t.supplier
     returning t.places, t.interval_ms, (extract(epoch from t.free_at - now()) * 1000)::float8 as first_ms`,
    [supplier, priority, QUERY_QUEUE_MS, wanted, usesBudget, spacingMs, intervalMs],
  );
  if (row === undefined) return [];
  const { places, first_ms: first, interval_ms: interval } = row;
  return Array.from({ length: places }, (_, index) => first + index * interval);
}

interface Waiting {
  readonly kind: Kind;
  readonly go: (waitMs: number | null) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Calls that ask while a statement is under way share the next one: the row is locked and committed once for all of
 * them, and a purchase that comes meanwhile still goes before all queries of its batch.
 */
function createLine(store: Store, granted: Granted) {
  let waiting: Waiting[] = [];
  let isTaking = false;

  const takeFor = async (kind: Kind): Promise<void> => {
    const batch = waiting.filter((each) => each.kind === kind);
    if (batch.length === 0) return;
    waiting = waiting.filter((each) => each.kind !== kind);
    try {
      const places = await takePlaces(store, granted, kind, batch.length);
      for (const [index, { go }] of batch.entries()) go(places[index] ?? null);
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  };
  const take = async (): Promise<void> => {
    if (isTaking) return;
    isTaking = true;
    while (waiting.length > 0) for (const kind of KINDS) await takeFor(kind);
    isTaking = false;
  };
  /** Milliseconds to wait for the place that was taken; null when there is none now. */
  return async ({ priority, usesBudget = false, spacingMs }: CallClaim): Promise<number | null> => {
    if (spacingMs !== undefined) {
      const [waitMs = null] = await takePlaces(store, granted, { priority, usesBudget }, 1, spacingMs);
      return waitMs;
    }
    return new Promise((go, fail) => {
      const kind = KINDS.find((each) => each.priority === priority && each.usesBudget === usesBudget);
      if (kind === undefined) throw new TypeError(`no such priority: ${priority}`);
      waiting.push({ kind, go, fail });
      void take();
    });
  };
}

/**
 * One row per credential, shared by all copies: a call takes the next free moment and waits for it.
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
  const reserve = createLine(store, { supplier, intervalMs });
  const keepDistance = createDistance(1_000 / requestsPerSecond);
  return async (claim, signal) => {
    for (;;) {
      signal.throwIfAborted();
      const waitMs = await reserve(claim);
      if (waitMs !== null) {
        await wait(waitMs, signal);
        return keepDistance(signal);
      }
      const { callsMs, budgetMs, spacingMs } = await callPauses(store, supplier);
      const pauseMs = Math.max(callsMs, claim.usesBudget === true ? budgetMs : 0);
      if (pauseMs > BEARABLE_PAUSE_MS) {
        const budgetUsedUp = pauseMs > callsMs;
        const evidence = { pausedForMs: Math.round(pauseMs), sent: false, budgetUsedUp };
        const why = budgetUsedUp ? 'its budget is used up' : 'the supplier wants no calls now';
        throw new SupplierError('throttled', `nothing sent: ${why}`, evidence);
      }
      await wait(Math.max(intervalMs, pauseMs, claim.spacingMs === undefined ? 0 : spacingMs), signal);
    }
  };
}

/** For a process that stood still: the moments that passed meanwhile would all be used at once. */
function createDistance(distanceMs: number): (signal: AbortSignal) => Promise<void> {
  let freeAt = 0;
  return async (signal) => {
    for (;;) {
      const restMs = freeAt - performance.now();
      if (restMs < FINEST_MS) break;
      await wait(restMs, signal);
    }
    freeAt = performance.now() + distanceMs;
  };
}

/** Timers are not finer than this: what is shorter would only be waited too long for. */
const FINEST_MS = 1;

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    // An event of the past is not told again.
    if (signal.aborted) return reject(signal.reason);
    if (ms < FINEST_MS) return resolve();
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
