import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';

const LIMIT = 500;

/**
 * Releases the holds of a kill switch that is open again, and no other: also those that were being raised at the very
 * moment of the resume. Asking twice for one opening is the same message.
 */
export function startPauseSweep({ store, bus, log }: ServiceContext): Periodic {
  /** What is committed is promised: an order that takes its time, or waits behind a dead letter, is not asked again. */
  let asked: ReadonlySet<string> = new Set();
  /** Of this going through all of them, page by page: the last hold of the page before, and what stood on all. */
  let seen = '';
  let standing: string[] = [];
  return startPeriodic('pause sweep', 2_000, log, async () => {
    const over = await store.query<{ messageId: string; id: string; orderId: string }>(
      `select 'unpaused:' || h.id || ':' || (extract(epoch from h.opened_at) * 1000)::bigint as "messageId",
              h.id, h.order_id as "orderId"
         from holds h join supplier_orders o on o.id = h.supplier_order_id
        where h.released_at is null and h.reason = 'supplier_paused' and h.evidence ->> 'switch' is not null
          and not exists (select 1 from purchasing_pauses p where p.scope in ('all', o.supplier))
          and h.id > $2
        order by h.id limit $1`,
      [LIMIT, seen],
    );
    const fresh = over.filter(({ messageId }) => !asked.has(messageId));
    if (fresh.length > 0)
      await commitAndPublish(store, bus, async (_sql, say) => {
        for (const { messageId, id, orderId } of fresh) {
          const data: ReleaseRequested = { orderId, reason: 'supplier_paused', holdId: id };
          say(eventRow({ messageId, source: '/suppliers', type: RELEASE_REQUESTED, data }));
        }
      });
    standing.push(...over.map(({ messageId }) => messageId));
    const isPage = over.length === LIMIT;
    seen = isPage ? (over.at(-1)?.id ?? '') : '';
    if (isPage) return 'more';
    asked = new Set(standing);
    standing = [];
    return 'idle';
  });
}
