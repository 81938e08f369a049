import type { Sql } from './store.ts';

/** Has the drafts of these orders quoted anew: the parcels go to another address, with a method that goes there. */
export const forgetQuotes = (sql: Sql, orderIds: readonly string[]): Promise<number> =>
  sql.run(
    `update supplier_orders set is_quoted = false, edits = edits + 1, shipping_method = ''
      where order_id = any($1::text[]) and state = 'draft'`,
    [orderIds],
  );
