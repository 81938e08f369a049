import type { Periodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';
import { startReleaseSweep } from './release-sweep.ts';

/**
 * Releases the holds of a kill switch that is open again, and no other: also those that were being raised at the very
 * moment of the resume.
 */
export const startPauseSweep = (context: ServiceContext): Periodic =>
  startReleaseSweep(context, 'pause sweep', 2_000, async (sql, after, limit) => {
    const over = await sql.query<{ messageId: string; holdId: string; orderId: string }>(
      `select 'unpaused:' || h.id || ':' || (extract(epoch from h.opened_at) * 1000)::bigint as "messageId",
              h.id as "holdId", h.order_id as "orderId"
         from holds h join supplier_orders o on o.id = h.supplier_order_id
        where h.released_at is null and h.reason = 'supplier_paused' and h.evidence ->> 'switch' is not null
          and not exists (select 1 from purchasing_pauses p where p.scope in ('all', o.supplier))
          and h.id > $1 order by h.id limit $2`,
      [after, limit],
    );
    return over.map(({ messageId, holdId, orderId }) => ({
      messageId,
      holdId,
      data: { orderId, reason: 'supplier_paused', holdId },
    }));
  });
