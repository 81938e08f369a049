import { type HoldReason, MENDED_BY_MAPPING } from '../../contracts/vocabulary.ts';
import type { Periodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';
import { startReleaseSweep } from './release-sweep.ts';

/**
 * Releases holds for want of a mapping that exists by now, and those that a mapping stored since may mend. A mapping
 * asks for this itself when it is stored; this finds the hold that was being opened at that very moment.
 */
export const startMappingSweep = (context: ServiceContext): Periodic =>
  startReleaseSweep(context, 'mapping sweep', 10_000, async (sql, after, limit) => {
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
        where h.released_at is null and h.reason = any($1::text[])
          and (h.reason = 'unmapped_line' or m.updated_at > h.opened_at) and h.id > $2 order by h.id limit $3`,
      [MENDED_BY_MAPPING, after, limit],
    );
    return mended.map(({ id, orderId, lineId, reason, opening }) => ({
      holdId: id,
      messageId: `mapped:${id}:${opening}`,
      data: { orderId, reason, lineIds: [lineId] },
    }));
  });
