import { ordersOfPerson } from './customers.ts';
import { askErasure, recordRequest } from './privacy.ts';
import type { Sql } from './store.ts';

/** What a delivery that is about no single order changes; carried out in the transaction that keeps the delivery. */
export type ShopNews =
  | {
      readonly kind: 'product_changed';
      readonly productId: string;
      /** All variants that it has now; null: the product is gone. */
      readonly variantIds: readonly string[] | null;
      /** ISO instant of the change; null where the shop does not say. */
      readonly at: string | null;
    }
  | { readonly kind: 'uninstalled' }
  | { readonly kind: 'scopes_changed'; readonly scopes: readonly string[] }
  | {
      readonly kind: 'data_requested' | 'customer_redacted';
      /** That the shop names; those that we know the customer by are added. */
      readonly orderIds: readonly string[];
      /** The shop's number; null where it does not say. */
      readonly customerId: string | null;
    }
  | { readonly kind: 'shop_redacted' };

/**
 * Remembers which variants a product has: those that it had and has no more are gone from the shop. News that comes after
 * newer news of the product says nothing.
 */
async function markProduct(
  sql: Sql,
  { productId, variantIds, at }: Extract<ShopNews, { kind: 'product_changed' }>,
): Promise<void> {
  const [newer] = await sql.query(
    'select 1 from shop_variants where product_id = $1 and greatest(seen_at, gone_at) > $2::timestamptz limit 1',
    [productId, at],
  );
  if (newer !== undefined) return;
  await sql.run(
    `insert into shop_variants (variant_id, product_id, seen_at)
     select id, $1, coalesce($3::timestamptz, now()) from unnest($2::text[]) as id order by id
     on conflict (variant_id) do update set product_id = excluded.product_id, seen_at = excluded.seen_at, gone_at = null`,
    [productId, [...new Set(variantIds)], at],
  );
  await sql.run(
    `update shop_variants set gone_at = coalesce($3::timestamptz, now())
      where product_id = $1 and gone_at is null and not variant_id = any($2::text[])`,
    [productId, variantIds ?? [], at],
  );
}

const ordersOf = async (
  sql: Sql,
  { orderIds, customerId }: { readonly orderIds: readonly string[]; readonly customerId: string | null },
): Promise<string[]> => {
  const known = customerId === null ? [] : await ordersOfPerson(sql, customerId);
  return [...new Set([...orderIds, ...known])];
};

/** @param shop myshopify domain that sent the news. */
export async function applyShopNews(sql: Sql, shop: string, news: ShopNews): Promise<void> {
  switch (news.kind) {
    case 'product_changed':
      return markProduct(sql, news);
    case 'uninstalled':
      await sql.run(
        `insert into shop_status (shop, uninstalled_at) values ($1, now())
         on conflict (shop) do update set uninstalled_at = now()`,
        [shop],
      );
      return;
    case 'scopes_changed':
      await sql.run(
        `insert into shop_status (shop, scopes) values ($1, $2::json)
         on conflict (shop) do update set scopes = excluded.scopes`,
        [shop, JSON.stringify(news.scopes)],
      );
      return;
    case 'data_requested':
      await recordRequest(sql, shop, news.kind, await ordersOf(sql, news));
      return;
    case 'customer_redacted':
      await askErasure(sql, shop, await ordersOf(sql, news));
      return;
    case 'shop_redacted':
      await recordRequest(sql, shop, news.kind, []);
      return;
  }
}
