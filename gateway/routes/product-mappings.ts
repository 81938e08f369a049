import { randomUUID } from 'node:crypto';
import type { H3Event } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { type ProductMapping, PutProductMapping } from '../../contracts/resources/product-mapping.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { commitAndPublish, eventRow } from '../../services/bus/commit-and-publish.ts';
import { Mapping } from '../../services/store/entities/outside.ts';
import type { Sql, Store } from '../../services/store/store.ts';
import { readJson, readParam } from '../read-input.ts';
import type { Route } from '../route.ts';

function variantIdIn(event: H3Event): string {
  const variantId = readParam(event, 'variantId');
  if (/^\d{1,20}$/.test(variantId)) return variantId;
  throw new AppError('body_invalid', 'the path is not as it must be', {
    retryable: false,
    fields: [{ path: 'variantId', message: 'must be the numeric id of a shop variant' }],
  });
}

/** Lines that wait for a mapping of this variant, by order. */
const waitingLines = (sql: Sql, variantId: string): Promise<{ order_id: string; line_ids: string[] }[]> =>
  sql.query(
    `select h.order_id, json_agg(h.line_id order by h.line_id) as line_ids
       from order_lines l join holds h on h.order_id = l.order_id and h.line_id = l.line_id
      where l.variant_id = $1 and h.reason = 'unmapped_line' and h.released_at is null
      group by h.order_id`,
    [variantId],
  );

export const productMappingRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'PUT',
    path: '/product-mappings/:variantId',
    handle: async (event): Promise<ProductMapping> => {
      const variantId = variantIdIn(event);
      const { candidates } = await readJson(event, PutProductMapping);
      // The same mapping put again may release holds opened since, so it must not look like a repeat.
      const request = randomUUID();
      const updatedAt = new Date().toISOString();
      await commitAndPublish(store, bus, async (sql, say) => {
        await sql.run(
          `insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, $3::timestamptz)
           on conflict (variant_id) do update set candidates = excluded.candidates, updated_at = excluded.updated_at`,
          [variantId, JSON.stringify(candidates), updatedAt],
        );
        for (const { order_id: orderId, line_ids: lineIds } of await waitingLines(sql, variantId)) {
          const data: ReleaseRequested = { orderId, reason: 'unmapped_line', lineIds };
          const messageId = `mapping:${request}:${orderId}`;
          say(eventRow({ messageId, source: '/gateway', type: RELEASE_REQUESTED, orderId, data }));
        }
      });
      return { variantId, candidates, updatedAt };
    },
  },
  {
    method: 'GET',
    path: '/product-mappings/:variantId',
    handle: async (event): Promise<ProductMapping> => {
      const variantId = variantIdIn(event);
      const mapping = await store.em().findOne(Mapping, { variantId });
      if (mapping === null)
        throw new AppError('not_found', `there is no mapping of variant ${variantId}`, { retryable: false });
      return { variantId, candidates: mapping.candidates, updatedAt: mapping.updatedAt.toISOString() };
    },
  },
];
