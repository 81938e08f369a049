import { createHash } from 'node:crypto';
import { callPatienceMs } from '../../contracts/call-patience.ts';
import { HOUR_MS } from '../../contracts/durations.ts';
import { SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import type { ObservedStatus, PlacedLine } from './adapter.ts';
import { type OrderedLine, toOrderUnits } from './parcel-units.ts';
import type { PatientAdapter } from './policy.ts';
import { ceilingOf, doubtOf, type PurchasePorts } from './purchase-ports.ts';
import { lockPurchases, rememberAmounts } from './purchase-row.ts';
import { type Observation, tellObserved } from './tell-observed.ts';
import { lossOf, rememberUnseen, statusIn, UNSEEN_MS } from './unseen.ts';
import { whileCallable } from './while-callable.ts';

interface Watched {
  readonly id: string;
  readonly orderId: string;
  readonly state: SupplierOrderStateName;
  /** How long it has been in that state. */
  readonly stateAgeMs: number;
  readonly reference: string;
  /** The reference of ours that the supplier has it under. */
  readonly placedAs: string;
  readonly observation: string | null;
  /** How long its supplier has shown nothing of it; null: it did, the last time. */
  readonly unseenMs: number | null;
  readonly expectedCostMinor: number;
  /** What the supplier says that it costs. */
  readonly amountMinor: number | null;
  readonly currency: string;
  readonly lines: readonly (PlacedLine & OrderedLine)[];
}

/** Looks at one order drift apart by this share of the pause, and those that are due so soon fill up a call. */
const SPREAD = 0.2;
/** After a look that failed; a pause that is shorter than this counts instead. */
const AGAIN_MS = 5_000;

/** Paid, and not there yet. */
const ON_THE_WAY: readonly SupplierOrderStateName[] = [
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
];
/**
 * The longer such an order has stood where it is, the longer is the pause, for some are never heard of again: this part
 * of its time, divided by the orders in a call. Pushes bring its news sooner.
 */
const PART_OF_ITS_TIME = 1 / 48;
const LONGEST_PAUSE_MS = 6 * HOUR_MS;

/**
 * Takes the longest due and, since a call may ask for many, those due next. The next look is set before the call, so
 * that a crash costs one round and no order.
 */
const claimWatched = (sql: Sql, supplier: string, limit: number, everyMs: number): Promise<Watched[]> =>
  sql.query<Watched>(
    `update supplier_orders o
        set next_check_at = now() + (1 - $4::float8 * random()) * interval '1 millisecond' * greatest($3::float8,
              case when o.state in (${literals(ON_THE_WAY)})
                   then least(${LONGEST_PAUSE_MS}, extract(epoch from now() - o.entered_at) * 1000 * ${PART_OF_ITS_TIME} / $2) end)
       from (select id from supplier_orders
              where supplier = $1 and supplier_reference is not null
                and next_check_at <= now() + $3::float8 * $4::float8 * interval '1 millisecond'
                and exists (select 1 from supplier_orders
                             where supplier = $1 and next_check_at <= now() and supplier_reference is not null)
              order by next_check_at limit $2 for update skip locked) d
      where o.id = d.id
     returning o.id, o.order_id as "orderId", o.state,
       (extract(epoch from now() - o.entered_at) * 1000)::float8 as "stateAgeMs", o.supplier_reference as reference,
       coalesce(o.placed_as, o.id) as "placedAs", o.observation,
       ${UNSEEN_MS} as "unseenMs",
       o.expected_cost_minor::float8 as "expectedCostMinor", o.amount_minor::float8 as "amountMinor", o.currency,
       (select coalesce(json_agg(json_build_object('lineId', line_id, 'supplierVariantId', supplier_variant_id,
                 'units', units, 'supplierUnits', supplier_units) order by line_id), '[]')
          from supplier_order_lines where supplier_order_id = o.id) as lines`,
    [supplier, limit, everyMs, SPREAD],
  );

/** The look that failed is made up for soon, behind all that are due by now. */
const lookAgain = (sql: Sql, watched: readonly Watched[], everyMs: number): Promise<number> =>
  sql.run(
    `update supplier_orders set next_check_at = now() + $2::float8 * interval '1 millisecond'
      where id in (select id from supplier_orders where id = any($1::text[]) and next_check_at > now()
                    order by id for update)`,
    [watched.map(({ id }) => id), Math.min(everyMs, AGAIN_MS)],
  );

/** What counts as news; the evidence only explains it. Without attention as the release before this one has it. */
const fingerprintOf = ({ status, parcels, attention }: Observation['seen']): string =>
  createHash('sha256')
    .update(JSON.stringify(attention === undefined ? [status, parcels] : [status, parcels, attention]))
    .digest('hex')
    .slice(0, 32);

/** Remembered in the place of a fingerprint: seen once, and looked at again before it is told. */
const seenOnce = (fingerprint: string): string => `once ${fingerprint}`;

/** An end that nobody expected is looked at again soon, and told when it is shown again. */
const lookTwice = (
  store: PurchasePorts['store'],
  ends: readonly { readonly id: string; readonly fingerprint: string }[],
  everyMs: number,
): Promise<void> =>
  store.transaction(async (sql) => {
    await lockPurchases(
      sql,
      ends.map(({ id }) => id),
    );
    await sql.run(
      `update supplier_orders o
          set observation = d.observation, next_check_at = now() + $2::float8 * interval '1 millisecond'
         from json_to_recordset($1::json) as d(id text, observation text)
        where o.id = d.id and o.next_check_at is not null`,
      [
        JSON.stringify(ends.map(({ id, fingerprint }) => ({ id, observation: seenOnce(fingerprint) }))),
        Math.min(everyMs, AGAIN_MS),
      ],
    );
  });

/** Asks for the status of bought orders, many in one call, and says what is new. Any number of copies may run it. */
export const startWatch = (ports: PurchasePorts, adapter: PatientAdapter): Periodic => {
  const { store, settings, log } = ports;
  const everyMs = settings.ORDER_MANAGER_POLL_SECONDS * 1_000;
  const limit = adapter.capabilities.statusBatchSize;
  const lanes = lanesFor(settings[SUPPLIER_VARIABLES[adapter.name].requestsPerSecond]);
  const round = async (): Promise<'more' | 'idle'> => {
    const looks: Promise<void>[] = [];
    let isMore = true;
    while (isMore && looks.length < lanes) {
      const watched = await claimWatched(store, adapter.name, limit, everyMs);
      isMore = watched.length === limit;
      if (watched.length === 0) break;
      const looking = look(ports, adapter, watched);
      // Heard below; meanwhile it must not pass for an error that nobody handles.
      looking.catch(() => {});
      looks.push(looking);
    }
    await Promise.allSettled(looks);
    await Promise.all(looks);
    return isMore ? 'more' : 'idle';
  };
  const rounds = whileCallable(ports, adapter, round);
  return startPeriodic(`watch ${adapter.name}`, Math.min(1_000, everyMs), log, rounds);
};

const TAKEN_FOR_PAID: readonly SupplierOrderStateName[] = ['accepted', 'processing'];

/**
 * An order that we take for paid and that its supplier shows unpaid still, when a payment must have had time to show, is
 * for a person: nobody pays it any more.
 */
function withUnpaid(
  settings: PurchasePorts['settings'],
  { state, stateAgeMs, reference }: Watched,
  status: ObservedStatus,
): ObservedStatus {
  const isMeant = status.status === 'awaiting_payment' && TAKEN_FOR_PAID.includes(state);
  if (!isMeant || status.attention !== undefined || stateAgeMs < doubtOf(settings).windowMs) return status;
  const cause = 'the supplier shows it unpaid, though it was taken for paid: see to the payment on its site';
  return {
    ...status,
    attention: { reason: 'operator', evidence: { supplierReference: reference, cause } },
  };
}

/**
 * Whoever takes the money with the order has taken it before anybody could compare: more than the purchase may cost is
 * for a person.
 */
function withOvercharge(
  { settings }: Pick<PurchasePorts, 'settings'>,
  { capabilities }: Pick<PatientAdapter, 'capabilities'>,
  order: Watched,
  status: ObservedStatus,
): ObservedStatus {
  const {
    state,
    reference: supplierReference,
    amountMinor,
    expectedCostMinor: expectedMinor,
    currency,
  } = order;
  const isMeant = capabilities.payment === 'with_order' && state !== 'awaiting_payment';
  if (!isMeant || status.attention !== undefined) return status;
  if (amountMinor === null || amountMinor <= ceilingOf(settings, order)) return status;
  const cause = 'the supplier took more than the purchase may cost: see to it on its site';
  const evidence = { supplierReference, amountMinor, expectedMinor, currency, cause };
  return { ...status, attention: { reason: 'cost_above_cap', evidence } };
}

/** A supplier that allows many calls is asked by several at once. */
const lanesFor = (requestsPerSecond: number): number =>
  Math.min(8, Math.max(1, Math.floor(requestsPerSecond / 25)));

async function look(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  watched: readonly Watched[],
): Promise<void> {
  const { store, settings, log } = ports;
  const everyMs = settings.ORDER_MANAGER_POLL_SECONDS * 1_000;
  const keys = watched.map(({ reference, placedAs, lines }) => ({
    supplierReference: reference,
    callerRef: placedAs,
    lines,
  }));
  const signal = AbortSignal.timeout(callPatienceMs(settings) * 2);
  const seen = await adapter.status(keys, signal).catch(async (error: unknown) => {
    await lookAgain(store, watched, everyMs);
    throw error;
  });
  const amounts = watched.flatMap(({ id, reference, amountMinor: known }) => {
    const amountMinor = seen.get(reference)?.amountMinor;
    return amountMinor === undefined || amountMinor === known ? [] : [{ id, amountMinor }];
  });
  if (amounts.length > 0) await store.transaction((sql) => rememberAmounts(sql, amounts));
  // It may only not have been read in time: a supplier that does not know it says so again.
  const untold = watched.filter(({ reference, unseenMs }) => !seen.has(reference) && unseenMs === null);
  if (untold.length > 0) {
    await rememberUnseen(store, untold);
    await lookAgain(store, untold, everyMs);
  }
  const news = watched.flatMap((order) => {
    const { id, orderId, state, reference, observation, lines } = order;
    const status = seen.get(reference);
    if (status === undefined) {
      if (order.unseenMs !== null)
        log.warn({ supplierOrderId: id }, 'the supplier told nothing about an order that we bought');
      const loss = ON_THE_WAY.includes(state) ? lossOf(order) : null;
      return loss === null ? [] : [{ ...loss, isSure: true }];
    }
    const { amountMinor = order.amountMinor, ...shown } = status;
    const inUnits = {
      ...withOvercharge(ports, adapter, { ...order, amountMinor }, withUnpaid(settings, order, shown)),
      isAttentive: true as const,
      status: status.status ?? statusIn(state),
      parcels: toOrderUnits(status.parcels, lines),
      // For whoever has to look there.
      evidence: { supplierReference: reference, ...status.evidence },
    };
    const fingerprint = fingerprintOf(inUnits);
    if (fingerprint === observation) return [];
    // Nobody expects that of these: a supplier that takes it back at once would be heard too late.
    const isEnd = inUnits.status === 'cancelled' && ON_THE_WAY.includes(state);
    const isSure = !isEnd || observation === seenOnce(fingerprint);
    return [{ id, orderId, state, seen: inUnits, fingerprint, isSure }];
  });
  const unsure = news.filter(({ isSure }) => !isSure);
  if (unsure.length > 0) await lookTwice(store, unsure, everyMs);
  await Promise.all(news.filter(({ isSure }) => isSure).map((each) => tellObserved(ports, each)));
}
