import { PERSONAL_DATA } from './personal-data.ts';
import type { Store } from './store.ts';

/**
 * Every row that belongs to these orders, by table and as it is stored, as it was at one moment. Tables that have none
 * are left out.
 */
export const exportOrders = (
  store: Store,
  orderIds: readonly string[],
): Promise<Record<string, Record<string, unknown>[]>> =>
  store.transaction(async (sql) => {
    await sql.run('set transaction isolation level repeatable read, read only');
    const data: Record<string, Record<string, unknown>[]> = {};
    for (const [table, { ofOrders }] of Object.entries(PERSONAL_DATA)) {
      if (ofOrders === null) continue;
      const rows = await sql.query<{ row: Record<string, unknown> }>(
        `select row_to_json(t) as row from ${table} t where ${ofOrders}`,
        [orderIds],
      );
      if (rows.length > 0) data[table] = rows.map(({ row }) => row);
    }
    return data;
  });
