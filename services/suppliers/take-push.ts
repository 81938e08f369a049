import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type Answer, no, yes } from '../../contracts/requests/request.ts';
import type { TAKE_PUSH } from '../../contracts/requests/take-push.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { insertRows } from '../store/rows.ts';
import { isStorable } from '../store/storable.ts';
import type { Sql } from '../store/store.ts';
import type { Push } from './adapter.ts';
import { type BillOfPurchase, keepBills } from './bills.ts';
import { type Asked, inRounds } from './in-rounds.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { knownBy } from './purchase-row.ts';
import { notSetUp, toFailure } from './request-failure.ts';
import { keepStrays, type NamedStray } from './stray-orders.ts';

type Told = Extract<Push, { kind: 'news' }>;
interface News extends Told {
  readonly supplier: SupplierName;
}

/** Names are short, and no index takes an endless text. */
const MOST_CHARACTERS = 200;
const isName = (text: string): boolean => text.length <= MOST_CHARACTERS && isStorable(text);
/** UTF-16, for in UTF-8 all halves of surrogate pairs are the same: two messages would pass for one. */
const storable = (text: string): string =>
  isName(text) ? text : createHash('sha256').update(text, 'utf16le').digest('hex');

/** The same message with names that can be kept; what is too odd for that names no order of anybody. */
const toStorable = ({ messageId, topic, references, ...rest }: Told): Told => ({
  ...rest,
  messageId: storable(messageId),
  topic: storable(topic),
  references: references.filter(isName),
});

const keyOf = ({ supplier, messageId }: Pick<News, 'supplier' | 'messageId'>): string =>
  `${supplier}/${messageId}`;

/** Those that did not come before, in the place of each. Bodies are not kept, only what tells one from others. */
async function firstOf(sql: Sql, news: readonly News[]): Promise<boolean[]> {
  const inserted = await insertRows<{ supplier: SupplierName; messageId: string }>(
    sql,
    'webhooks',
    {
      source: 'text',
      delivery_id: 'text',
      event_id: 'text',
      topic: 'text',
      api_version: 'text',
      body: 'text',
    },
    // Always in the same order: two rounds with the same messages would wait for each other.
    news
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .map(({ supplier, messageId, topic }) => ({
        source: supplier,
        delivery_id: messageId,
        event_id: messageId,
        topic,
        api_version: '',
        body: '',
      })),
    'on conflict (source, delivery_id) do nothing returning source as supplier, delivery_id as "messageId"',
  );
  const fresh = new Set(inserted.map(keyOf));
  // Of several with one id in the round the first is it.
  return news.map((one) => fresh.delete(keyOf(one)));
}

/** One of our orders that news means. */
interface Meant {
  readonly id: string;
  /** The supplier did not want to make it. */
  readonly isRefused: boolean;
}

/**
 * Has the status of the named orders asked for at once, of those that are watched. An order is named by any of its
 * references at the supplier, or by ours. Returns which of our orders each of the news means, watched or not.
 */
async function lookSoon(sql: Sql, news: readonly News[]): Promise<ReadonlyMap<News, readonly Meant[]>> {
  if (news.length === 0) return new Map();
  const meant = await sql.query<Meant & { readonly key: number }>(
    `with told as materialized (
       select key, supplier, refs from json_to_recordset($1::json) as d(key int, supplier text, refs text[])
     ), meant as materialized (
       select t.key, o.id from told t join supplier_orders o on o.id = any(t.refs) and o.supplier = t.supplier
       union
       select t.key, o.id from told t cross join lateral ${knownBy('t.refs')} o where o.supplier = t.supplier
     ), soon as (
       update supplier_orders set next_check_at = now()
        where id in (select id from supplier_orders where id in (select id from meant) and next_check_at > now()
                      order by id for update)
     )
     select key, id, exists (select 1 from purchase_intents i where i.supplier_order_id = meant.id and i.kind = 'create'
                                and i.state = 'refused') as "isRefused" from meant`,
    [JSON.stringify(news.map(({ supplier, references: refs }, key) => ({ key, supplier, refs })))],
  );
  return new Map(news.map((one, index) => [one, meant.filter(({ key }) => key === index)]));
}

/** In one transaction with all that come at the same time. False: this message came before. */
const takeNews = inRounds(async ({ store, log }: PurchasePorts, asked: readonly Asked<News>[]) =>
  store.transaction(async (sql) => {
    const isFirst = await firstOf(
      sql,
      asked.map(({ item }) => item),
    );
    const first = asked.filter((_, index) => isFirst[index]);
    const ours = await lookSoon(
      sql,
      first.map(({ item }) => item),
    );
    const strays: NamedStray[] = [];
    const bills: BillOfPurchase[] = [];
    for (const { item, within } of first) {
      const { supplier, topic, bill } = item;
      const [reference] = item.references;
      const orders = ours.get(item) ?? [];
      within(() => {
        if (bill?.isOpen === true) log.warn({ supplier, reference, bill }, 'the supplier wants more money');
        if (bill !== undefined)
          bills.push(...orders.map(({ id }) => ({ ...bill, id: storable(bill.id), supplierOrderId: id })));
        for (const { id, isRefused } of orders) {
          if (!isRefused) continue;
          log.warn({ supplier, topic, supplierOrderId: id }, 'a push about a purchase that was refused');
          strays.push({ supplier, reference: id, topic });
        }
        if (orders.length > 0 || reference === undefined) return;
        log.info({ supplier, topic, reference }, 'a push about an order that is none of ours');
        strays.push({ supplier, reference, topic });
      });
    }
    await keepBills(sql, bills);
    await keepStrays(sql, strays);
    return isFirst;
  }),
);

/**
 * Takes a supplier's push: verified by its adapter, remembered once, and believed in nothing but a bill, which is kept
 * and holds its order for a person. It only makes the watch read the truth sooner, or is kept as a stray when none of our
 * orders is meant.
 */
export async function takePush(
  ports: PurchasePorts,
  { supplier, headers, bodyBase64 }: z.output<typeof TAKE_PUSH.request>,
): Promise<Answer<z.input<typeof TAKE_PUSH.reply>>> {
  const { settings, log } = ports;
  const adapter = ports.adapterOf(supplier);
  if (adapter === undefined) return no(notSetUp(settings, supplier));
  let push: Push;
  try {
    push = await adapter.readPush({ headers, body: Buffer.from(bodyBase64, 'base64') });
  } catch (error) {
    return no(toFailure(error));
  }
  // Suppliers send again what is refused and close the address after a number of refusals: what we can never read gets
  // its yes. It was only a hint, and the watch reads the truth without it.
  if (push.kind === 'unreadable') log.warn({ supplier }, 'a signed push has a form that is not known');
  if (push.kind !== 'news') return yes({ result: push.kind });
  const news = { ...toStorable(push), supplier };
  return yes({ result: (await takeNews(ports, news)) ? 'accepted' : 'repeated' });
}
