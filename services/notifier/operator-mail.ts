import { z } from 'zod';
import type { DeadLetterKind } from '../../contracts/dead-letters.ts';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import type { Evidence, HoldReason, OperatorMail } from '../../contracts/vocabulary.ts';
import { cutTo } from '../store/storable.ts';
import type { Sql } from '../store/store.ts';
import type { ComposedMail, Writer } from './customer-mail.ts';
import { formatCount, formatDate } from './locale.ts';
import type { MailView, OperatorView } from './mail-shape.ts';
import type { Reasons } from './templates.ts';

/** More would hide the first ones; the API lists them all. */
const MOST_ITEMS = 30;
const MOST_CHARACTERS = 240;

const short = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${cutTo(MOST_CHARACTERS, text)}…` : text;

/** One line of codes and texts, as the supplier or the mail server gave them. */
const detailsOf = (evidence: Evidence | null): string =>
  short(
    Object.entries(evidence ?? {})
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => `${name}: ${value}`)
      .join(', '),
  );

/** The lines of our code that a failure names besides are for the log. */
const Failure = z.object({
  name: z.string(),
  code: z.string().nullable().default(null),
  message: z.string().nullable().default(null),
});

function failureDetails(failure: string | null): string {
  try {
    return detailsOf(Failure.parse(JSON.parse(failure ?? '')));
  } catch {
    return short(failure ?? '');
  }
}

interface Concerned {
  readonly orderId: string | null;
  readonly orderName: string | null;
  readonly shop: string | null;
  readonly shopOrderId: string | null;
  readonly sinceMs: number;
}

const ORDER_COLUMNS = `o.id as "orderId", o.name as "orderName", o.shop, o.shop_order_id as "shopOrderId"`;

const concerned = ({ orderName, shop, shopOrderId, sinceMs }: Concerned, locale: string) => ({
  orderName: orderName ?? '',
  // An order that no shop stands behind has no page there.
  orderUrl: shop === null || shop === NO_SHOP ? '' : `https://${shop}/admin/orders/${shopOrderId}`,
  since: formatDate(new Date(sinceMs), locale),
});

const explained = (row: Concerned, locale: string) => ({
  ...concerned(row, locale),
  explain: row.orderId === null ? '' : `GET /orders/${row.orderId}/explain`,
});

/** What is read for one mail. What was mended meanwhile is not found any more, and not told. */
interface Reading {
  readonly sql: Sql;
  /** Of the rows that wait: ids of holds, letters or notifications, or suppliers with their reasons. */
  readonly about: readonly string[];
  readonly locale: string;
  readonly reasons: Reasons;
}

async function heldOrders({
  sql,
  about,
  locale,
  reasons,
}: Reading): Promise<MailView<'order_held'>['items']> {
  const rows = await sql.query<Concerned & { reason: HoldReason; evidence: Evidence }>(
    `select ${ORDER_COLUMNS}, h.reason, h.evidence, extract(epoch from h.opened_at)::float8 * 1000 as "sinceMs"
       from holds h join orders o on o.id = h.order_id
      where h.id = any($1::text[]) and h.released_at is null order by h.opened_at, h.id`,
    [about],
  );
  return rows.map((row) => ({
    ...explained(row, locale),
    reason: row.reason,
    meaning: reasons[row.reason],
    details: detailsOf(row.evidence),
  }));
}

async function deadLetters({ sql, about, locale }: Reading): Promise<MailView<'dead_letter'>['items']> {
  const rows = await sql.query<
    Concerned & {
      id: string;
      kind: DeadLetterKind;
      subject: string;
      failure: string | null;
      waiting: number;
    }
  >(
    `select ${ORDER_COLUMNS}, d.id::text, d.kind, d.subject, d.failure, extract(epoch from d.opened_at)::float8 * 1000 as "sinceMs",
            (select count(*)::int from dead_letters p where d.kind = 'event' and p.order_id = d.order_id and p.state = 'parked') as waiting
       from dead_letters d left join orders o on o.id = d.order_id
      where d.id = any($1::bigint[]) and d.state = 'open' order by d.id`,
    [about],
  );
  return rows.map((row) => ({
    ...explained(row, locale),
    message: row.subject,
    details: failureDetails(row.failure),
    waiting: row.waiting === 0 ? '' : formatCount(row.waiting, locale),
    settle: `POST /dead-letters/${row.id}/replay, skip${row.kind === 'command' ? '' : ', edit'}`,
  }));
}

async function troubles({
  sql,
  about,
  locale,
  reasons,
}: Reading): Promise<MailView<'supplier_trouble'>['items']> {
  const rows = await sql.query<{
    supplier: string;
    reason: HoldReason;
    orders: number;
    sinceMs: number;
    evidence: Evidence;
  }>(
    `select s.supplier, h.reason, count(distinct h.order_id)::int as orders,
            extract(epoch from min(h.opened_at))::float8 * 1000 as "sinceMs",
            (array_agg(h.evidence order by h.opened_at desc))[1] as evidence
       from holds h join supplier_orders s on s.id = h.supplier_order_id
      where h.released_at is null and s.supplier || ':' || h.reason = any($1::text[])
        and h.evidence ->> 'refusedBy' is distinct from 'shop'
      group by s.supplier, h.reason order by s.supplier, h.reason`,
    [about],
  );
  return rows.map(({ supplier, reason, orders, sinceMs, evidence }) => ({
    supplier,
    reason,
    meaning: reasons[reason],
    orders: formatCount(orders, locale),
    since: formatDate(new Date(sinceMs), locale),
    details: detailsOf(evidence),
  }));
}

async function failedMails({ sql, about, locale }: Reading): Promise<MailView<'mail_failed'>['items']> {
  const rows = await sql.query<
    Concerned & { orderId: string; kind: string; state: string; evidence: Evidence | null }
  >(
    `select ${ORDER_COLUMNS}, n.kind, n.state, n.evidence,
            extract(epoch from n.created_at)::float8 * 1000 as "sinceMs"
       from notifications n join orders o on o.id = n.order_id where n.id = any($1::text[])
      order by n.created_at, n.id`,
    [about],
  );
  return rows.map((row) => ({
    ...concerned(row, locale),
    mail: row.kind,
    isDoubt: row.state === 'doubt',
    sendAgain: `POST /orders/${row.orderId}/mails/send-again`,
    details: detailsOf(row.evidence),
  }));
}

async function privacyRequests({
  sql,
  about,
  locale,
}: Reading): Promise<MailView<'privacy_request'>['items']> {
  const rows = await sql.query<{
    number: string;
    shop: string;
    orders: number;
    sinceMs: number;
    dueMs: number;
  }>(
    `select id::text as number, shop, json_array_length(order_ids)::int as orders,
            extract(epoch from received_at)::float8 * 1000 as "sinceMs", extract(epoch from due_at)::float8 * 1000 as "dueMs"
       from privacy_requests where id = any($1::bigint[]) and closed_at is null order by due_at, id`,
    [about],
  );
  return rows.map(({ number, shop, orders, sinceMs, dueMs }) => ({
    number,
    shop,
    orders: formatCount(orders, locale),
    since: formatDate(new Date(sinceMs), locale),
    due: formatDate(new Date(dueMs), locale),
  }));
}

/** The first items, and how many there are. */
function listed<Item>(items: readonly Item[], locale: string) {
  const left = items.length - MOST_ITEMS;
  return {
    items: items.slice(0, MOST_ITEMS),
    count: formatCount(items.length, locale),
    more: left > 0 ? formatCount(left, locale) : '',
  };
}

async function viewOf(kind: OperatorMail, reading: Reading): Promise<OperatorView | undefined> {
  const { locale } = reading;
  const read = async (): Promise<OperatorView> => {
    switch (kind) {
      case 'order_held':
        return { kind, view: listed(await heldOrders(reading), locale) };
      case 'dead_letter':
        return { kind, view: listed(await deadLetters(reading), locale) };
      case 'supplier_trouble':
        return { kind, view: listed(await troubles(reading), locale) };
      case 'mail_failed':
        return { kind, view: listed(await failedMails(reading), locale) };
      case 'privacy_request':
        return { kind, view: listed(await privacyRequests(reading), locale) };
    }
  };
  const mail = await read();
  return mail.view.items.length === 0 ? undefined : mail;
}

/**
 * One mail to the operator for everything that waits, in the default language; undefined when nothing of it stands any
 * more. Personal data is not in it: order names, codes and links only.
 */
export async function composeOperatorMail(
  sql: Sql,
  { templates, brand, defaultLanguage }: Writer,
  { kind, about, to }: { kind: OperatorMail; about: readonly string[]; to: string },
): Promise<ComposedMail | undefined> {
  const mail = await viewOf(kind, {
    sql,
    about,
    locale: defaultLanguage,
    reasons: templates.reasonsIn(defaultLanguage),
  });
  return mail === undefined ? undefined : { to, ...templates.render(defaultLanguage, brand, mail) };
}
