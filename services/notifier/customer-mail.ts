import type { CustomerMail } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import { customerView, type OrderFacts, type ParcelFacts } from './customer-view.ts';
import { languageOf } from './locale.ts';
import type { BrandView } from './mail-shape.ts';
import type { RenderedMail, Templates } from './templates.ts';

/** How mails are written. */
export interface Writer {
  readonly templates: Templates;
  readonly brand: BrandView;
  /** For the operator, and for customers whose language has no templates. */
  readonly defaultLanguage: string;
}

export interface ComposedMail extends RenderedMail {
  readonly to: string;
}

/** What is known of an order and its customer when a mail is written. */
export interface OrderToTell extends OrderFacts {
  readonly email: string | null;
}

interface OrderRow extends Omit<OrderToTell, 'lines' | 'parcels'> {
  readonly orderId: string;
  readonly units: Record<string, { ordered: number; cancelled: number; outside: number }>;
}

const ORDERS = `select o.id as "orderId", c.email, c.locale, c.shipping_address ->> 'name' as "customerName",
    o.name as "orderName", o.total_minor::float8 as "totalMinor", o.currency, o.placed_at as "placedAt",
    o.context -> 'lines' as units
  from orders o left join customer_details c on c.order_id = o.id where o.id = any($1::text[])`;

const LINES = `select order_id as "orderId", line_id as "lineId", title from order_lines
  where order_id = any($1::text[]) order by order_id, position`;

const PARCELS = `select p.order_id as "orderId", p.id, p.carrier,
    coalesce(p.last_mile_tracking_number, p.tracking_number) as "trackingNumber", p.tracking_url as "trackingUrl",
    p.units, extract(epoch from p.left_at)::float8 * 1000 as "leftAtMs",
    (select delivery_days from supplier_orders s where s.id = p.supplier_order_id) as "deliveryDays"
  from parcels p
  where p.order_id = any($1::text[]) order by p.order_id, p.created_at, p.id`;

const NO_UNITS = { ordered: 0, cancelled: 0, outside: 0 };

/** By order id, for any number of mails at once. */
export async function ordersToTell(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, OrderToTell>> {
  if (orderIds.length === 0) return new Map();
  const orders = await sql.query<OrderRow>(ORDERS, [orderIds]);
  const lines = Map.groupBy(
    await sql.query<{ orderId: string; lineId: string; title: string }>(LINES, [orderIds]),
    ({ orderId }) => orderId,
  );
  const parcels = Map.groupBy(
    await sql.query<ParcelFacts & { orderId: string }>(PARCELS, [orderIds]),
    ({ orderId }) => orderId,
  );
  return new Map(
    orders.map(({ orderId, units, ...order }) => {
      const titles = lines.get(orderId) ?? [];
      return [
        orderId,
        {
          ...order,
          lines: titles.map(({ lineId, title }) => ({ lineId, title, ...(units[lineId] ?? NO_UNITS) })),
          parcels: parcels.get(orderId) ?? [],
        },
      ];
    }),
  );
}

/**
 * A mail to the customer of one order, in their language; undefined when there is nobody to write to.
 * @param parcelIds of the parcels that it is about; empty for the confirmation.
 */
export function composeCustomerMail(
  { templates, brand, defaultLanguage }: Writer,
  order: OrderToTell | undefined,
  { kind, parcelIds }: { readonly kind: CustomerMail; readonly parcelIds: readonly string[] },
): ComposedMail | undefined {
  if (order === undefined || order.email === null) return undefined;
  const language = languageOf(order.locale, templates.languages, defaultLanguage);
  const mail = customerView(kind, order, parcelIds, { language, now: new Date() });
  return { to: order.email, ...templates.render(language, brand, mail) };
}
