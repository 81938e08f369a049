import { randomUUID } from 'node:crypto';
import { gatheringFor } from '../gathering.ts';
import { sendingUntil } from '../sending-until.ts';
import { throughOutage } from '../store/outage.ts';
import type { ShopPorts } from './shop-ports.ts';

/** Shopify may still be at work on a call whose answer we lost (facts, section 5.4). */
export const SETTLE_MS = 5_000;
/** When to look again for a lease that another copy has. */
export const LOCKED_MS = 1_000;

/** The longest that work under a lease may take: a killed copy keeps the others waiting as long. */
const leaseMs = ({ settings }: ShopPorts): number => settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 4_000;
/** Nothing is sent to the shop later than this, so that it is over with the lease. */
const sendingMs = ({ settings }: ShopPorts): number => settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 3_000;

interface Lease {
  readonly key: string;
  readonly owner: string;
}

/** Of those who ask for the same key in one round the first may have it. In the order of the keys, against deadlocks. */
const take = gatheringFor(
  async ({ store }: ShopPorts, asked: readonly (Lease & { readonly ms: number })[]) => {
    const first = new Map(asked.toReversed().map((one) => [one.key, one]));
    const rows = await store.query<{ key: string }>(
      `insert into shop_leases (order_id, owner, until)
     select key, owner, now() + ms * interval '1 millisecond'
       from json_to_recordset($1::json) as d(key text, owner text, ms float8) order by key
     on conflict (order_id) do update set owner = excluded.owner, until = excluded.until
      where shop_leases.until < now()
     returning order_id as key`,
      [JSON.stringify([...first.values()])],
    );
    const taken = new Set(rows.map(({ key }) => key));
    return asked.map((one) => first.get(one.key) === one && taken.has(one.key));
  },
);

/** In the order of the keys, as they are taken. */
const giveBack = gatheringFor(async ({ store }: ShopPorts, leases: readonly Lease[]) => {
  await store.run(
    `with mine as materialized (
       select l.order_id from shop_leases l
         join json_to_recordset($1::json) as d(key text, owner text) on l.order_id = d.key and l.owner = d.owner
        order by l.order_id for update of l)
     delete from shop_leases where order_id in (select order_id from mine)`,
    [JSON.stringify(leases)],
  );
  return leases.map(() => true);
});

/**
 * One process at a time writes to the shop for an order, or does what `key` names. A lease, since a killed process
 * gives nothing back. @returns what `work` came to; undefined when another copy has it.
 * @param work its calls end with the signal: beyond the lease another copy may be at the same.
 */
export async function underLease<T>(
  ports: ShopPorts,
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  // Another one each time: what gives an old lease back late must not take the new one away.
  const lease = { key, owner: `${ports.copyId}/${randomUUID()}` };
  // From before the lease on: a copy that stood still has neither the signal nor its lease any more, and knows of neither.
  const lastMoment = Date.now() + sendingMs(ports);
  if (!(await take(ports, { ...lease, ms: leaseMs(ports) }))) return undefined;
  try {
    return await sendingUntil(lastMoment, () => work(AbortSignal.timeout(sendingMs(ports))));
  } finally {
    // Not waited for: only what comes to this order next needs it, and it runs out.
    await giveBack(ports, lease).catch(() => {
      throughOutage(() => giveBack(ports, lease)).catch(() => {});
    });
  }
}
