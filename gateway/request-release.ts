import { randomUUID } from 'node:crypto';
import { RELEASE_REQUESTED, type ReleaseRequested } from '../contracts/events/release-requested.ts';
import type { ReleaseReceipt } from '../contracts/resources/hold.ts';
import type { HoldReason } from '../contracts/vocabulary.ts';
import type { Bus } from '../services/bus/bus.ts';
import { commitAndPublish, eventRow } from '../services/bus/commit-and-publish.ts';
import type { Store } from '../services/store/store.ts';

const released = (messageId: string, data: ReleaseRequested) =>
  eventRow({ messageId, source: '/gateway', type: RELEASE_REQUESTED, data });

/** Asks for the release of one hold; undefined when there is no such hold. One that is released already is left alone. */
export const requestRelease = (store: Store, bus: Bus, holdId: string): Promise<ReleaseReceipt | undefined> =>
  commitAndPublish(store, bus, async (sql, say) => {
    const [hold] = await sql.query<{
      orderId: string;
      reason: HoldReason;
      opening: string;
      isOpen: boolean;
    }>(
      `select order_id as "orderId", reason, released_at is null as "isOpen",
              (extract(epoch from opened_at) * 1000)::bigint::text as opening from holds where id = $1`,
      [holdId],
    );
    if (hold === undefined) return undefined;
    // Released already: what was asked for is so.
    if (!hold.isOpen) return { requested: 0, more: false };
    const { orderId, reason, opening } = hold;
    // The same release of the same opening is the same message.
    say(released(`api:release:${holdId}:${opening}`, { orderId, reason, holdId }));
    return { requested: 1, more: false };
  });

/** Asks for the release of all holds of a reason, those that have stood longest first, for at most `limit` orders. */
export function requestReleases(
  store: Store,
  bus: Bus,
  { reason, limit }: { readonly reason: HoldReason; readonly limit: number },
): Promise<ReleaseReceipt> {
  const request = randomUUID();
  return commitAndPublish(store, bus, async (sql, say) => {
    const rows = await sql.query<{ orderId: string }>(
      `select order_id as "orderId" from holds where reason = $1 and released_at is null
        group by order_id order by min(opened_at), order_id limit $2`,
      [reason, limit + 1],
    );
    for (const { orderId } of rows.slice(0, limit))
      say(released(`api:release:${request}:${orderId}`, { orderId, reason }));
    return { requested: Math.min(rows.length, limit), more: rows.length > limit };
  });
}
