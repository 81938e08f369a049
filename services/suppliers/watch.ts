import { createHash } from 'node:crypto';
import {
  SUPPLIER_ORDER_OBSERVED,
  type SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { Sql } from '../store/store.ts';
import type { ObservedStatus } from './adapter.ts';
import { inOrderUnits } from './parcel-units.ts';
import type { PatientAdapter } from './policy.ts';
import { callTimeoutMs, type PurchasePorts } from './purchase-ports.ts';

interface Watched {
  readonly id: string;
  readonly orderId: string;
  readonly reference: string;
  readonly observation: string | null;
}

/** Takes the longest due; the next look is set before the call, so that a crash costs one round and no order. */
const claimWatched = (sql: Sql, supplier: string, limit: number, everyMs: number): Promise<Watched[]> =>
  sql.query<Watched>(
    `update supplier_orders o
        set next_check_at = now() + $3::float8 * (0.9 + random() * 0.2) * interval '1 millisecond'
       from (select id from supplier_orders
              where supplier = $1 and next_check_at <= now() and supplier_reference is not null
              order by next_check_at limit $2 for update skip locked) d
      where o.id = d.id
     returning o.id, o.order_id as "orderId", o.supplier_reference as reference, o.observation`,
    [supplier, limit, everyMs],
  );

/** What counts as news; the evidence only explains it. */
const fingerprint = ({ status, parcels }: ObservedStatus): string =>
  createHash('sha256')
    .update(JSON.stringify([status, parcels]))
    .digest('hex')
    .slice(0, 32);

/** Asks for the status of bought orders, many in one call, and says what is new. Any number of copies may run it. */
export const startWatch = (ports: PurchasePorts, adapter: PatientAdapter): Periodic => {
  const { store, bus, settings, log } = ports;
  const everyMs = settings.ORDER_MANAGER_POLL_SECONDS * 1_000;
  const limit = adapter.capabilities.statusBatchSize;
  return startPeriodic(`watch ${adapter.name}`, Math.min(1_000, everyMs), log, async () => {
    if (adapter.breakerState() === 'open') return 'idle';
    const watched = await claimWatched(store, adapter.name, limit, everyMs);
    if (watched.length === 0) return 'idle';
    const keys = watched.map(({ id, reference }) => ({ supplierReference: reference, callerRef: id }));
    const seen = await adapter.status(keys, AbortSignal.timeout(callTimeoutMs(settings) * 2));
    await commitAndPublish(store, bus, async (sql, say) => {
      for (const { id, orderId, reference, observation } of watched) {
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
      }
    });
    return watched.length === limit ? 'more' : 'idle';
  });
};
