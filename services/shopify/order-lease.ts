import type { ShopPorts } from './shop-ports.ts';

/** Shopify may still be at work on a call whose answer we lost (facts, section 5.4). */
export const SETTLE_MS = 5_000;
/** When to look again for a lease that another copy has. */
export const LOCKED_MS = 1_000;

/** The longest that work under a lease may take: a killed copy keeps the others waiting as long. */
const leaseMs = ({ settings }: ShopPorts): number => settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 4_000;

/**
 * One process at a time writes to the shop for an order, or does what `key` names. A lease, since a killed process
 * gives nothing back. @returns what `work` came to; undefined when another copy has it.
 */
export async function underLease<T>(
  ports: ShopPorts,
  key: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const { store, copyId } = ports;
  const taken = await store.run(
    `insert into shop_leases (order_id, owner, until) values ($1, $2, now() + $3::float8 * interval '1 millisecond')
     on conflict (order_id) do update set owner = excluded.owner, until = excluded.until
      where shop_leases.until < now()`,
    [key, copyId, leaseMs(ports)],
  );
  if (taken === 0) return undefined;
  try {
    return await work();
  } finally {
    await store
      .run('delete from shop_leases where order_id = $1 and owner = $2', [key, copyId])
      .catch(() => {});
  }
}
