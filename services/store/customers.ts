import type { ShippingAddress } from '../../contracts/resources/order.ts';
import { insertRows } from './rows.ts';
import type { Sql } from './store.ts';

/** A row of `customer_details`, the only place for what names a person. */
export interface CustomerRow {
  readonly order_id: string;
  /** Version of the body in UTC: an older one never replaces a newer one. */
  readonly source_updated_at: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly tax_id: string | null;
  readonly shipping_address: ShippingAddress | null;
}

const COLUMNS = {
  order_id: 'text',
  source_updated_at: 'timestamptz',
  email: 'text',
  phone: 'text',
  locale: 'text',
  tax_id: 'text',
  shipping_address: 'jsonb',
};

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The newest of each order, in the order of their ids: one statement cannot touch a row twice, nor may two batches deadlock. */
function newestOf(customers: readonly CustomerRow[]): CustomerRow[] {
  const newest = new Map<string, CustomerRow>();
  for (const customer of customers) {
    const known = newest.get(customer.order_id);
    if (known === undefined || known.source_updated_at < customer.source_updated_at)
      newest.set(customer.order_id, customer);
  }
  return [...newest.values()].sort((a, b) => byText(a.order_id, b.order_id));
}

/** Keeps what is newer than what stands there, but for what was put in here by hand. Whoever was redacted stays so, whatever comes late. */
export async function saveCustomers(sql: Sql, customers: readonly CustomerRow[]): Promise<void> {
  await insertRows(
    sql,
    'customer_details',
    COLUMNS,
    newestOf(customers),
    `on conflict (order_id) do update set source_updated_at = excluded.source_updated_at,
       email = case when customer_details.is_contact_ours then customer_details.email else excluded.email end,
       phone = case when customer_details.is_contact_ours then customer_details.phone else excluded.phone end,
       locale = excluded.locale, tax_id = excluded.tax_id,
       shipping_address = case when customer_details.is_address_ours then customer_details.shipping_address
                               else excluded.shipping_address end
     where customer_details.source_updated_at < excluded.source_updated_at and customer_details.redacted_at is null`,
  );
}

/** The orders' customers have no name any more; the books stay. Orders not heard of yet are remembered as well. */
export async function redactCustomers(sql: Sql, orderIds: readonly string[]): Promise<void> {
  await sql.run(
    `insert into customer_details (order_id, source_updated_at, redacted_at)
     select id, now(), now() from unnest($1::text[]) as id order by id
     on conflict (order_id) do update set email = null, phone = null, locale = null, tax_id = null,
       shipping_address = null, note = null, redacted_at = now()`,
    [[...new Set(orderIds)]],
  );
  await emptyRedactedBodies(sql, orderIds);
}

/** Bodies of redacted orders say nothing, also those that come in late. Rows stay: they know repeats. */
export async function emptyRedactedBodies(sql: Sql, orderIds: readonly string[]): Promise<void> {
  await sql.run(
    `update webhooks w set body = '{}' from customer_details c
      where w.order_id = any($1::text[]) and c.order_id = w.order_id and c.redacted_at is not null and w.body <> '{}'`,
    [orderIds],
  );
}
