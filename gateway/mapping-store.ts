import { randomUUID } from 'node:crypto';
import { RELEASE_REQUESTED, type ReleaseRequested } from '../contracts/events/release-requested.ts';
import {
  type MappingEntry,
  type ProductMapping,
  StoredCandidates,
} from '../contracts/resources/product-mapping.ts';
import { type HoldReason, MENDED_BY_MAPPING, type SupplierName } from '../contracts/vocabulary.ts';
import type { Bus } from '../services/bus/bus.ts';
import { commitAndPublish, eventRow } from '../services/bus/commit-and-publish.ts';
import { inOrderOf, insertRows, isoInstant, updateRows } from '../services/store/rows.ts';
import type { Sql, Store } from '../services/store/store.ts';

const GONE = `from shop_variants v where v.variant_id = product_mappings.variant_id and v.gone_at is not null`;

const MAPPING_COLUMNS = `variant_id as "variantId", sku, candidates, ${isoInstant('updated_at')} as "updatedAt",
  (select ${isoInstant('v.gone_at')} ${GONE}) as "goneFromShopAt"`;

interface Row extends Omit<ProductMapping, 'candidates'> {
  readonly candidates: unknown;
}

const toMapping = (row: Row): ProductMapping => ({
  ...row,
  candidates: StoredCandidates.parse(row.candidates),
});

const toRow = ({ variantId, sku = null, candidates }: MappingEntry): object => ({
  variant_id: variantId,
  sku,
  candidates,
});

/** Lines whose holds a new mapping of these variants may mend, by order and reason. */
const waitingLines = (
  sql: Sql,
  variantIds: readonly string[],
): Promise<{ orderId: string; reason: HoldReason; lineIds: string[] }[]> =>
  sql.query(
    `select h.order_id as "orderId", h.reason, json_agg(h.line_id order by h.line_id) as "lineIds"
       from order_lines l join holds h on h.order_id = l.order_id and h.line_id = l.line_id
      where l.variant_id = any($1::text[]) and h.reason = any($2::text[]) and h.released_at is null
      group by h.order_id, h.reason`,
    [variantIds, MENDED_BY_MAPPING],
  );

/** Holds of refused purchases whose units wait for a new mapping of these variants. A draft keeps its articles. */
const refusedPurchases = (
  sql: Sql,
  variantIds: readonly string[],
): Promise<{ orderId: string; reason: HoldReason; holdId: string }[]> =>
  sql.query(
    `select distinct h.order_id as "orderId", h.reason, h.id as "holdId"
       from order_lines l join holds h on h.order_id = l.order_id and h.released_at is null
       join supplier_orders s on s.id = h.supplier_order_id and s.state = 'rejected'
       join supplier_order_lines r on r.supplier_order_id = s.id and r.line_id = l.line_id
      where l.variant_id = any($1::text[]) and h.reason = any($2::text[])`,
    [variantIds, MENDED_BY_MAPPING],
  );

/**
 * Stores mappings, all of them or none, each in the place of the one that its variant had, and lets the orders go on that
 * waited for them. A SKU that is left out stays what it was.
 * @returns them as they are stored, in the order of their variants.
 */
export const storeMappings = (
  store: Store,
  bus: Bus,
  mappings: readonly MappingEntry[],
): Promise<ProductMapping[]> => {
  // The same mapping put again may release holds opened since, so it must not look like a repeat.
  const request = randomUUID();
  const entries = inOrderOf(mappings, ({ variantId }) => variantId);
  return commitAndPublish(store, bus, async (sql, say) => {
    if (entries.length === 0) return [];
    const variantIds = entries.map(({ variantId }) => variantId);
    const stored = await insertRows<Row>(
      sql,
      'product_mappings',
      { variant_id: 'text', sku: 'text', candidates: 'jsonb' },
      entries.map(toRow),
      `on conflict (variant_id) do update set candidates = excluded.candidates, updated_at = now(),
         sku = coalesce(excluded.sku, product_mappings.sku) returning ${MAPPING_COLUMNS}`,
    );
    for (const { orderId, reason, lineIds } of await waitingLines(sql, variantIds)) {
      const data: ReleaseRequested = { orderId, reason, lineIds };
      const messageId = `mapping:${request}:${orderId}:${reason}`;
      say(eventRow({ messageId, source: '/gateway', type: RELEASE_REQUESTED, data }));
    }
    for (const data of await refusedPurchases(sql, variantIds)) {
      const messageId = `mapping:${request}:${data.holdId}`;
      say(eventRow({ messageId, source: '/gateway', type: RELEASE_REQUESTED, data }));
    }
    return stored.map(toMapping);
  });
};

/**
 * Notes what was heard of mapped articles, a price or a SKU. It mends nothing: no order that waits for another mapping
 * goes on for it, and the mapping is as old as its last choice of articles.
 * @param entriesFrom reads the mappings that it is noted in, and locks them: nobody changes them meanwhile.
 * @returns how many they are.
 */
export const noteInMappings = (
  store: Store,
  entriesFrom: (sql: Sql) => Promise<readonly MappingEntry[]>,
): Promise<number> =>
  store.transaction(async (sql) =>
    updateRows(
      sql,
      'product_mappings',
      { variant_id: 'text', sku: 'text', candidates: 'jsonb' },
      (await entriesFrom(sql)).map(toRow),
      'candidates = d.candidates, sku = coalesce(d.sku, o.sku)',
      'o.variant_id = d.variant_id',
    ),
  );

export interface MappingFilter {
  /** Only those behind this variant. */
  readonly after?: string | undefined;
  readonly sku?: string | undefined;
  readonly supplier?: SupplierName | undefined;
  /** Of any article, one that a bundle brings along too. */
  readonly supplierProductId?: string | undefined;
  /** The shop has deleted the variant, or has not. */
  readonly gone?: boolean | undefined;
}

/** `for update` keeps what is found as it is until the transaction ends. */
type Lock = '' | 'for update';

/** In the order of their variants. */
export async function findMappings(
  sql: Sql,
  { after, sku, supplier, supplierProductId, gone }: MappingFilter,
  limit: number,
  lock: Lock = '',
): Promise<ProductMapping[]> {
  const article = supplierProductId === undefined ? {} : { supplierProductId };
  const from = supplier === undefined ? {} : { supplier };
  const rows = await sql.query<Row>(
    `select ${MAPPING_COLUMNS} from product_mappings
      where ($1::text is null or variant_id > $1) and ($2::text is null or sku = $2)
        and (candidates @> $3::jsonb or candidates @> $4::jsonb)
        and ($6::boolean is null or $6 = exists (select 1 ${GONE}))
      order by variant_id limit $5 ${lock}`,
    [
      after ?? null,
      sku ?? null,
      JSON.stringify([{ ...from, ...article }]),
      JSON.stringify([{ ...from, bundledWith: [article] }]),
      limit,
      gone ?? null,
    ],
  );
  return rows.map(toMapping);
}

export async function findMapping(
  sql: Sql,
  variantId: string,
  lock: Lock = '',
): Promise<ProductMapping | undefined> {
  const [row] = await sql.query<Row>(
    `select ${MAPPING_COLUMNS} from product_mappings where variant_id = $1 ${lock}`,
    [variantId],
  );
  return row && toMapping(row);
}

/** False: there was none. */
export const deleteMapping = async (sql: Sql, variantId: string): Promise<boolean> =>
  (await sql.run('delete from product_mappings where variant_id = $1', [variantId])) > 0;
