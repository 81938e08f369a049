import { type HoldReason, MENDED_BY_MAPPING } from '../../contracts/vocabulary.ts';
import type { Periodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';
import { startReleaseSweep } from './release-sweep.ts';

/** The mapping is another one than that which its line was sourced by; of other holds, one that was stored since. */
const IS_NEWER = "m.updated_at > coalesce((h.evidence ->> 'mappedAt')::timestamptz, h.opened_at)";

/** Lines of the refused purchase that a hold is about. */
const REFUSED_LINES = `select r.line_id from supplier_order_lines r join supplier_orders s on s.id = r.supplier_order_id
   where s.id = h.supplier_order_id and s.state = 'rejected'`;

/**
 * Releases holds for want of a mapping that exists by now, and those that a mapping stored since may mend. A mapping
 * asks for this itself when it is stored; this finds the hold that was opened later, for the mapping of before.
 */
export const startMappingSweep = (context: ServiceContext): Periodic =>
  startReleaseSweep(context, 'mapping sweep', 10_000, async (sql, after, limit) => {
    const mended = await sql.query<{
      id: string;
      orderId: string;
      lineId: string | null;
      reason: HoldReason;
      opening: string;
    }>(
      `select h.id, h.order_id as "orderId", h.line_id as "lineId", h.reason, (extract(epoch from h.opened_at) * 1000)::bigint::text as opening
         from holds h
        where h.released_at is null and h.reason = any($1::text[]) and h.id > $2
          and exists (select 1 from order_lines l join product_mappings m on m.variant_id = l.variant_id
                       where l.order_id = h.order_id and (l.line_id = h.line_id or l.line_id in (${REFUSED_LINES}))
                         and (h.reason = 'unmapped_line' or ${IS_NEWER}))
        order by h.id limit $3`,
      [MENDED_BY_MAPPING, after, limit],
    );
    return mended.map(({ id, orderId, lineId, reason, opening }) => ({
      holdId: id,
      messageId: `mapped:${id}:${opening}`,
      data: { orderId, reason, ...(lineId === null ? { holdId: id } : { lineIds: [lineId] }) },
    }));
  });
