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

interface OrderRow extends Omit<OrderFacts, 'lines' | 'parcels'> {
  readonly email: string | null;
  readonly units: Record<string, { ordered: number; cancelled: number; outside: number }>;
}

const ORDER = `select c.email, c.locale, c.shipping_address ->> 'name' as "customerName", o.name as "orderName",
    o.total_minor::float8 as "totalMinor", o.currency, o.placed_at as "placedAt", o.context -> 'lines' as units
  from orders o left join customer_details c on c.order_id = o.id where o.id = $1`;

const PARCELS = `select p.id, p.carrier, coalesce(p.last_mile_tracking_number, p.tracking_number) as "trackingNumber",
    p.tracking_url as "trackingUrl", p.units, extract(epoch from p.left_at)::float8 * 1000 as "leftAtMs", s.delivery_days as "deliveryDays"
  from parcels p left join supplier_orders s on s.id = p.supplier_order_id
  where p.order_id = $1 order by p.created_at, p.id`;

const NO_UNITS = { ordered: 0, cancelled: 0, outside: 0 };

/**
 * A mail to the customer of one order, in their language; undefined when there is nobody to write to.
 * @param parcelIds of the parcels that it is about; empty for the confirmation.
 */
export async function composeCustomerMail(
  sql: Sql,
  { templates, brand, defaultLanguage }: Writer,
  { orderId, kind, parcelIds }: { orderId: string; kind: CustomerMail; parcelIds: readonly string[] },
): Promise<ComposedMail | undefined> {
  const [row] = await sql.query<OrderRow>(ORDER, [orderId]);
  if (row === undefined || row.email === null) return undefined;
  const { email, units, ...facts } = row;
  const titles = await sql.query<{ lineId: string; title: string }>(
    'select line_id as "lineId", title from order_lines where order_id = $1 order by position',
    [orderId],
  );
  const order: OrderFacts = {
    ...facts,
    lines: titles.map((line) => ({ ...line, ...(units[line.lineId] ?? NO_UNITS) })),
    parcels: await sql.query<ParcelFacts>(PARCELS, [orderId]),
  };
  const language = languageOf(facts.locale, templates.languages, defaultLanguage);
  const mail = customerView(kind, order, parcelIds, { language, now: new Date() });
  return { to: email, ...templates.render(language, brand, mail) };
}
