import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { type CustomerMail, ENDED_PARCELS } from '../../contracts/vocabulary.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import { customerView, type OrderFacts } from './customer-view.ts';
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

interface OrderRow extends Omit<OrderToTell, 'lines'> {
  readonly orderId: string;
  readonly units: Record<string, { ordered: number; cancelled: number; outside: number }>;
  readonly titles: readonly { readonly lineId: string; readonly title: string }[];
}

const TITLES = `select coalesce(json_agg(json_build_object('lineId', l.line_id, 'title', l.title) order by l.position), '[]')
  from order_lines l where l.order_id = o.id`;

const PARCELS = `select coalesce(json_agg(json_build_object('id', p.id, 'carrier', p.carrier,
    'trackingNumber', coalesce(p.last_mile_tracking_number, p.tracking_number), 'trackingUrl', p.tracking_url,
    'units', p.units, 'leftAtMs', extract(epoch from p.left_at)::float8 * 1000,
    'hasEnded', p.state in (${literals(ENDED_PARCELS)}), 'isAstray', p.state in ('lost', 'returned'), 'deliveryDays',
    (select delivery_days from supplier_orders s where s.id = p.supplier_order_id))
    order by p.created_at, p.id), '[]')
  from parcels p where p.order_id = o.id`;

const ORDERS = `select o.id as "orderId", c.email, c.locale, coalesce(c.name, c.shipping_address ->> 'name') as "customerName",
    o.name as "orderName",
    case when o.shop <> '${NO_SHOP}' or o.total_minor > 0
         then coalesce(c.total_minor, o.total_minor)::float8 end as "totalMinor",
    coalesce(c.total_currency, o.currency) as currency, o.placed_at as "placedAt",
    (select time_zone from shop_status s where s.shop = o.shop) as "timeZone",
    o.context -> 'lines' as units, (${TITLES}) as titles, (${PARCELS}) as parcels
  from orders o left join customer_details c on c.order_id = o.id where o.id = any($1::text[])`;

const NO_UNITS = { ordered: 0, cancelled: 0, outside: 0 };

/** By order id, for any number of mails at once. */
export async function ordersToTell(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, OrderToTell>> {
  if (orderIds.length === 0) return new Map();
  const rows = await sql.query<OrderRow>(ORDERS, [orderIds]);
  return new Map(
    rows.map(({ orderId, units, titles, ...order }) => [
      orderId,
      { ...order, lines: titles.map((line) => ({ ...line, ...(units[line.lineId] ?? NO_UNITS) })) },
    ]),
  );
}

/** An order that was cancelled before its confirmation went out has nothing to confirm. */
export const isNothingLeft = ({ lines }: OrderFacts): boolean =>
  lines.length > 0 && lines.every(({ ordered, cancelled }) => cancelled >= ordered);

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
