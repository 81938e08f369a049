import type { NotificationKind } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import { formatMoney, languageOf } from './locale.ts';
import type { MailVariables, RenderedMail, Templates } from './templates.ts';

export interface MailContent extends RenderedMail {
  readonly to: string;
}

interface Facts {
  readonly email: string | null;
  readonly locale: string | null;
  readonly customerName: string | null;
  readonly orderName: string;
  readonly totalMinor: number;
  readonly currency: string;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly trackingUrl: string | null;
  readonly parcelUnits: Record<string, number> | null;
  readonly context: { lines: Record<string, { ordered: number; cancelled: number; outside: number }> };
}

const SELECT = `select c.email, c.locale, c.shipping_address ->> 'name' as "customerName", o.name as "orderName",
    o.total_minor::float8 as "totalMinor", o.currency, p.carrier,
    coalesce(p.last_mile_tracking_number, p.tracking_number) as "trackingNumber", p.tracking_url as "trackingUrl",
    p.units as "parcelUnits", o.context
  from notifications n join orders o on o.id = n.order_id
  left join customer_details c on c.order_id = n.order_id left join parcels p on p.id = n.parcel_id
  where n.id = $1`;

export interface Brand {
  readonly name: string;
  readonly supportEmail: string;
  readonly defaultLanguage: string;
}

/** The mail of one notification row, in the customer's language; undefined when there is nobody to write to. */
export async function composeMail(
  sql: Sql,
  templates: Templates,
  brand: Brand,
  notification: { readonly id: string; readonly orderId: string; readonly kind: NotificationKind },
): Promise<MailContent | undefined> {
  const [facts] = await sql.query<Facts>(SELECT, [notification.id]);
  if (facts === undefined || facts.email === null) return undefined;
  const titles = await sql.query<{ lineId: string; title: string }>(
    'select line_id as "lineId", title from order_lines where order_id = $1 order by position',
    [notification.orderId],
  );
  const { parcelUnits, context } = facts;
  const unitsOf = (lineId: string): number => {
    const units = context.lines[lineId];
    return (
      parcelUnits?.[lineId] ??
      (parcelUnits === null && units !== undefined ? units.ordered - units.cancelled : 0)
    );
  };
  const toShip = Object.values(context.lines).reduce(
    (sum, line) => sum + line.ordered - line.cancelled - line.outside,
    0,
  );
  const inParcel = Object.values(parcelUnits ?? {}).reduce((sum, units) => sum + units, 0);
  const language = languageOf(facts.locale, templates.languages, brand.defaultLanguage);
  const variables: MailVariables = {
    brandName: brand.name,
    orderName: facts.orderName,
    customerName: facts.customerName ?? '',
    lines: titles.flatMap(({ lineId, title }) => {
      const units = unitsOf(lineId);
      return units > 0 ? [{ title, units }] : [];
    }),
    // In the mail's own language: a locale that we do not write may bring foreign digits.
    total: formatMoney(facts.totalMinor, facts.currency, language),
    carrier: facts.carrier ?? '',
    trackingNumber: facts.trackingNumber ?? '',
    trackingUrl: facts.trackingUrl ?? '',
    hasTracking: facts.trackingNumber !== null,
    isPartial: parcelUnits !== null && inParcel < toShip,
    supportEmail: brand.supportEmail,
  };
  return { to: facts.email, ...templates.render(language, notification.kind, variables) };
}
