import type { ShippingAddress } from '../../contracts/resources/order.ts';
import { mailAddressed } from './notifications.ts';
import { inOrderOf, insertRows } from './rows.ts';
import type { Sql } from './store.ts';

/** A row of `customer_details`, the only place for what names a person. */
export interface CustomerRow {
  readonly order_id: string;
  /** The shop's own, null where it does not say. */
  readonly customer_id: string | null;
  /** Of whoever bought, who may not be the one who gets it. */
  readonly name: string | null;
  /** What they were asked for, in their own currency; null where nobody says it. */
  readonly total_minor: number | null;
  readonly total_currency: string | null;
  /** Version of the body in UTC: an older one never replaces a newer one. */
  readonly source_updated_at: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly tax_id: string | null;
  /** ISO date. */
  readonly birthday: string | null;
  readonly national_address: string | null;
  readonly shipping_address: ShippingAddress | null;
}

const COLUMNS = {
  order_id: 'text',
  customer_id: 'text',
  name: 'text',
  total_minor: 'bigint',
  total_currency: 'text',
  source_updated_at: 'timestamptz',
  email: 'text',
  phone: 'text',
  locale: 'text',
  tax_id: 'text',
  birthday: 'text',
  national_address: 'text',
  shipping_address: 'jsonb',
};

/** The newest of each order, in the order of their ids: one statement cannot touch a row twice, nor may two batches deadlock. */
function newestOf(customers: readonly CustomerRow[]): CustomerRow[] {
  const newest = new Map<string, CustomerRow>();
  for (const customer of customers) {
    const known = newest.get(customer.order_id);
    if (known === undefined || known.source_updated_at < customer.source_updated_at)
      newest.set(customer.order_id, customer);
  }
  return inOrderOf([...newest.values()], ({ order_id }) => order_id);
}

const IS_NEWER = 'customer_details.source_updated_at < excluded.source_updated_at';
const IS_AS_OLD = 'customer_details.source_updated_at = excluded.source_updated_at';
const IS_ADDRESS_OTHER = `not customer_details.is_address_ours
  and customer_details.shipping_address is distinct from excluded.shipping_address`;

/** What a body may lack: readings do not see the customer behind the order, webhooks not the shop's own fields for customs. */
const FILLED = [
  'customer_id',
  'name',
  'total_minor',
  'total_currency',
  'email',
  'phone',
  'locale',
  'tax_id',
  'birthday',
  'national_address',
] as const;
type Filled = (typeof FILLED)[number];

/** The last version counts, where it says anything; any other only fills gaps. */
const fill = (column: Filled, isLast = IS_NEWER): string =>
  `case when ${isLast} then coalesce(excluded.${column}, customer_details.${column})
        else coalesce(customer_details.${column}, excluded.${column}) end`;

const IS_MAIL_OTHER = `not customer_details.is_contact_ours
  and customer_details.email is distinct from coalesce(excluded.email, customer_details.email)`;

/** Of equally old numbers the first stays: a reading does not see the customer's own, and names that of the bill instead. */
const contact = (isLast: string): string =>
  [
    ['email', fill('email', isLast)],
    ['phone', fill('phone')],
  ]
    .map(
      ([column, filled]) =>
        `${column} = case when customer_details.is_contact_ours then customer_details.${column} else ${filled} end`,
    )
    .join(', ');

/** What was for another country goes, and does not come where the address is ours. */
const CUSTOMS = (['tax_id', 'birthday', 'national_address'] as const)
  .map(
    (column) =>
      `${column} = case when customer_details.is_address_ours and customer_details.shipping_address ->> 'countryCode'
                             <> excluded.shipping_address ->> 'countryCode' then customer_details.${column}
                        when customer_details.is_customs_ours then coalesce(customer_details.${column}, excluded.${column})
                        when ${IS_NEWER} and customer_details.shipping_address ->> 'countryCode'
                             is distinct from excluded.shipping_address ->> 'countryCode' then excluded.${column}
                        else ${fill(column)} end`,
  )
  .join(', ');

const FILLS = FILLED.map(
  (column) => `excluded.${column} is not null and customer_details.${column} is null`,
).join(' or ');

/**
 * Keeps what is newer than what stands there, but for what was put in here by hand, and what the same version says
 * beyond it. What a newer one does not say of the person stays. Whoever was redacted stays so, whatever comes late.
 * @param isRead by us in the shop just now: of two changes within its clock's second the address and
 * the mail address read are the last ones.
 */
export async function saveCustomers(
  sql: Sql,
  customers: readonly CustomerRow[],
  isRead = false,
): Promise<void> {
  const newest = newestOf(customers);
  const isLast = isRead ? `(${IS_NEWER} or ${IS_AS_OLD})` : IS_NEWER;
  await insertRows(
    sql,
    'customer_details',
    COLUMNS,
    newest,
    `on conflict (order_id) do update set source_updated_at = excluded.source_updated_at,
       customer_id = ${fill('customer_id')}, name = ${fill('name')},
       total_minor = ${fill('total_minor')}, total_currency = ${fill('total_currency')}, ${contact(isLast)}, locale = ${fill('locale')}, ${CUSTOMS},
       shipping_address = case when customer_details.is_address_ours or not ${isLast}
                               then customer_details.shipping_address else excluded.shipping_address end
     where customer_details.redacted_at is null
       and (${IS_NEWER} or ${IS_AS_OLD} and (${FILLS}${isRead ? ` or ${IS_ADDRESS_OTHER} or ${IS_MAIL_OTHER}` : ''}))`,
  );
  await mailAddressed(
    sql,
    newest.flatMap(({ order_id, email }) => (email === null ? [] : [order_id])),
  );
}

/** Bodies of redacted orders say nothing, also those that come in late. Rows stay: they know repeats. */
export async function emptyRedactedBodies(sql: Sql, orderIds: readonly string[]): Promise<void> {
  await sql.run(
    // Not as a join: its plan may go through all redacted customers.
    `update webhooks w set body = '{}'
      where w.order_id = any($1::text[]) and w.body <> '{}'
        and (select c.redacted_at from customer_details c where c.order_id = w.order_id) is not null`,
    [orderIds],
  );
}

/**
 * The orders of one person: all under the same customer number or mail address.
 * @param person the shop's number of the customer, their mail address, or the id of one of their orders.
 */
export async function ordersOfPerson(sql: Sql, person: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `with named as (
       select customer_id, email from customer_details where order_id = $1
       union select customer_id, email from customer_details where customer_id = $1
       union select customer_id, email from customer_details where lower(email) = lower($1))
     select id from orders where id = $1
     union select order_id from customer_details where order_id = $1
     union select c.order_id from named n join customer_details c on c.customer_id = n.customer_id
     union select c.order_id from named n join customer_details c on lower(c.email) = lower(n.email)
     order by id`,
    [person],
  );
  return rows.map(({ id }) => id);
}
