import { createHash } from 'node:crypto';
import {
  SUPPLIER_ORDER_OBSERVED,
  type SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import { SUPPLIER_VARIABLES } from '../../contracts/settings.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { ObservedStatus, PlacedLine } from './adapter.ts';
import { inOrderUnits } from './parcel-units.ts';
import type { PatientAdapter } from './policy.ts';
import { callTimeoutMs, notNow, type PurchasePorts, released } from './purchase-ports.ts';
import { lockPurchases } from './purchase-row.ts';

interface Watched {
  readonly id: string;
  readonly orderId: string;
  readonly state: SupplierOrderStateName;
  readonly reference: string;
  readonly observation: string | null;
  readonly lines: readonly PlacedLine[];
}

/** Looks at one order drift apart by this share of the pause, and those that are due so soon fill up a call. */
const SPREAD = 0.2;
/** After a look that failed; a pause that is shorter than this counts instead. */
const AGAIN_MS = 5_000;

/**
 * Takes the longest due and, since a call may ask for many, those due next. The next look is set before the call, so
 * that a crash costs one round and no order.
 */
const claimWatched = (sql: Sql, supplier: string, limit: number, everyMs: number): Promise<Watched[]> =>
  sql.query<Watched>(
    `update supplier_orders o
        set next_check_at = now() + $3::float8 * (1 - $4::float8 * random()) * interval '1 millisecond'
       from (select id from supplier_orders
              where supplier = $1 and supplier_reference is not null
                and next_check_at <= now() + $3::float8 * $4::float8 * interval '1 millisecond'
                and exists (select 1 from supplier_orders
                             where supplier = $1 and next_check_at <= now() and supplier_reference is not null)
              order by next_check_at limit $2 for update skip locked) d
      where o.id = d.id
     returning o.id, o.order_id as "orderId", o.state, o.supplier_reference as reference, o.observation,
       (select coalesce(json_agg(json_build_object('lineId', line_id, 'supplierVariantId', supplier_variant_id)), '[]')
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

/** What counts as news; the evidence only explains it. */
const fingerprint = ({ status, parcels }: ObservedStatus): string =>
  createHash('sha256')
    .update(JSON.stringify([status, parcels]))
    .digest('hex')
    .slice(0, 32);

/** Reasons that a payment waits for, whoever makes it. */
const PAYMENT_HOLDS = ['payment_pending', 'insufficient_funds', 'cost_above_cap'] as const;

/**
 * An order that waited for its money got it, from us or by hand on the supplier's site: the ledger needs no further
 * look, and what was held for the payment goes on.
 */
async function settlePaidElsewhere(
  sql: Sql,
  say: (row: OutboxRow) => void,
  { id, orderId, state }: Watched,
  { status }: ObservedStatus,
): Promise<void> {
  if (state !== 'awaiting_payment' || status === 'awaiting_payment') return;
  if (status !== 'cancelled') {
    await sql.run(
      `update purchase_intents set state = 'done', updated_at = now()
        where supplier_order_id = $1 and kind = 'pay' and state in ('calling', 'unknown')`,
      [id],
    );
  }
  // A hold that is just being raised is not in the table yet; a release that finds none changes nothing.
  for (const reason of PAYMENT_HOLDS) say(released({ id, orderId }, reason, 'paid'));
}

/** Asks for the status of bought orders, many in one call, and says what is new. Any number of copies may run it. */
export const startWatch = (ports: PurchasePorts, adapter: PatientAdapter): Periodic => {
  const { store, settings, log } = ports;
  const everyMs = settings.ORDER_MANAGER_POLL_SECONDS * 1_000;
  const limit = adapter.capabilities.statusBatchSize;
  const lanes = lanesFor(settings[SUPPLIER_VARIABLES[adapter.name].requestsPerSecond]);
  return startPeriodic(`watch ${adapter.name}`, Math.min(1_000, everyMs), log, async () => {
    if ((await notNow(ports, adapter)) !== null) return 'idle';
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
  });
};

/** A supplier that allows many calls is asked by several at once. */
const lanesFor = (requestsPerSecond: number): number =>
  Math.min(8, Math.max(1, Math.floor(requestsPerSecond / 25)));

async function look(
  { store, bus, settings, log }: PurchasePorts,
  adapter: PatientAdapter,
  watched: readonly Watched[],
): Promise<void> {
  const everyMs = settings.ORDER_MANAGER_POLL_SECONDS * 1_000;
  const keys = watched.map(({ id, reference, lines }) => ({
    supplierReference: reference,
    callerRef: id,
    lines,
  }));
  const signal = AbortSignal.timeout(callTimeoutMs(settings) * 2);
  const seen = await adapter.status(keys, signal).catch(async (error: unknown) => {
    await lookAgain(store, watched, everyMs);
    throw error;
  });
  await commitAndPublish(store, bus, async (sql, say) => {
    // In the order in which everybody locks them: several are written here, and purchases are settled many at once.
    await lockPurchases(
      sql,
      watched.map(({ id }) => id),
    );
    for (const one of watched) {
      const { id, orderId, reference, observation } = one;
      const status = seen.get(reference);
      if (status === undefined) {
        log.warn({ supplierOrderId: id }, 'the supplier told nothing about an order that we bought');
        continue;
      }
      const observed = { ...status, parcels: await inOrderUnits(sql, id, status.parcels) };
      const news = fingerprint(observed);
      if (news === observation) continue;
      const [row] = await sql.query<{ observations: number }>(
        `update supplier_orders set observation = $2, observations = observations + 1
            where id = $1 and observation is distinct from $2 returning observations`,
        [id, news],
      );
      if (row === undefined) continue;
      const data: SupplierOrderObserved = { orderId, supplierOrderId: id, ...observed };
      const messageId = `${id}:observed:${row.observations}`;
      say(eventRow({ messageId, source: '/suppliers', type: SUPPLIER_ORDER_OBSERVED, orderId, data }));
      await settlePaidElsewhere(sql, say, one, status);
    }
  });
}
