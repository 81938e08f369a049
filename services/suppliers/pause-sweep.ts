import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';

const LIMIT = 500;

/**
 * Releases the holds of a kill switch that is open again, and no other: also those that were being raised at the very
 * moment of the resume. Asking twice for one opening is the same message.
 */
export const startPauseSweep = ({ store, bus, log }: ServiceContext): Periodic =>
  startPeriodic('pause sweep', 2_000, log, () =>
    commitAndPublish(store, bus, async (sql, say) => {
      const over = await sql.query<{ id: string; orderId: string; opening: string }>(
        `select h.id, h.order_id as "orderId", (extract(epoch from h.opened_at) * 1000)::bigint::text as opening
           from holds h join supplier_orders o on o.id = h.supplier_order_id
          where h.released_at is null and h.reason = 'supplier_paused' and h.evidence ->> 'switch' is not null
            and not exists (select 1 from purchasing_pauses p where p.scope in ('all', o.supplier))
          limit $1`,
        [LIMIT],
      );
      for (const { id, orderId, opening } of over) {
        const data: ReleaseRequested = { orderId, reason: 'supplier_paused', holdId: id };
        const messageId = `unpaused:${id}:${opening}`;
        say(eventRow({ messageId, source: '/suppliers', type: RELEASE_REQUESTED, orderId, data }));
      }
      return 'idle' as const;
    }),
  );
