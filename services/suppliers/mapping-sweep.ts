import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { type HoldReason, MENDED_BY_MAPPING } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';

const LIMIT = 100;

/**
 * Releases holds for want of a mapping that exists by now, and those that a mapping stored since may mend. A mapping
 * asks for this itself when it is stored; this finds the hold that was being opened at that very moment. Asking twice
 * for one opening is the same message.
 */
export function startMappingSweep({ store, bus, log }: ServiceContext): Periodic {
  /** The last hold of the page before: what stays though its release was asked for must not be all that is ever seen. */
  let seen = '';
  return startPeriodic('mapping sweep', 10_000, log, () =>
    commitAndPublish(store, bus, async (sql, say) => {
      const mended = await sql.query<{
        id: string;
        orderId: string;
        lineId: string;
        reason: HoldReason;
        opening: string;
      }>(
        `select h.id, h.order_id as "orderId", h.line_id as "lineId", h.reason, (extract(epoch from h.opened_at) * 1000)::bigint::text as opening
           from holds h join order_lines l on l.order_id = h.order_id and l.line_id = h.line_id
           join product_mappings m on m.variant_id = l.variant_id
          where h.released_at is null and h.reason = any($2::text[])
            and (h.reason = 'unmapped_line' or m.updated_at > h.opened_at) and h.id > $3 order by h.id limit $1`,
        [LIMIT, MENDED_BY_MAPPING, seen],
      );
      for (const { id, orderId, lineId, reason, opening } of mended) {
        const data: ReleaseRequested = { orderId, reason, lineIds: [lineId] };
        const messageId = `mapped:${id}:${opening}`;
        say(eventRow({ messageId, source: '/suppliers', type: RELEASE_REQUESTED, data }));
      }
      const isPage = mended.length === LIMIT;
      seen = isPage ? (mended.at(-1)?.id ?? '') : '';
      return isPage ? ('more' as const) : ('idle' as const);
    }),
  );
}
