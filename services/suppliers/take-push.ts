import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type Answer, no, yes } from '../../contracts/requests/request.ts';
import type { TAKE_PUSH } from '../../contracts/requests/take-push.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import type { Push } from './adapter.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { notSetUp, toFailure } from './request-failure.ts';
import { keepStray } from './stray-orders.ts';

type News = Extract<Push, { kind: 'news' }>;

/** Names are short; the database takes no NUL, and no index an endless text. */
const MOST_CHARACTERS = 200;
const isStorable = (text: string): boolean => text.length <= MOST_CHARACTERS && !text.includes('\u0000');
const storable = (text: string): string =>
  isStorable(text) ? text : createHash('sha256').update(text).digest('hex');

/** The same message with names that can be kept; what is too odd for that names no order of anybody. */
const toStorable = ({ messageId, topic, references, ...news }: News): News => ({
  ...news,
  messageId: storable(messageId),
  topic: storable(topic),
  references: references.filter(isStorable),
});

/** False: this message came before. Its body is not kept, only what tells it from others. */
const remember = async (sql: Sql, supplier: SupplierName, { messageId, topic }: News): Promise<boolean> =>
  (await sql.run(
    `insert into webhooks (source, delivery_id, event_id, topic, api_version, body)
     values ($1, $2, $2, $3, '', '') on conflict (source, delivery_id) do nothing`,
    [supplier, messageId, topic],
  )) === 1;

/**
 * Has the status of the named orders asked for at once, of those that are watched. An order is named by any of its
 * references at the supplier, or by ours. Returns how many of ours are meant, watched or not.
 */
async function lookSoon(sql: Sql, supplier: SupplierName, references: readonly string[]): Promise<number> {
  const meant = await sql.query<{ id: string }>(
    `select id from supplier_orders
      where supplier = $1 and (id = any($2::text[]) or string_to_array(supplier_reference, ',') && $2::text[])`,
    [supplier, references],
  );
  await sql.run(
    `update supplier_orders set next_check_at = now()
      where id in (select id from supplier_orders where id = any($1::text[]) and next_check_at > now()
                    order by id for update)`,
    [meant.map(({ id }) => id)],
  );
  return meant.length;
}

/**
 * Takes a supplier's push: verified by its adapter, remembered once, and believed in nothing. It only makes the watch
 * read the truth sooner, or is kept as a stray when none of our orders is meant.
 */
export async function takePush(
  ports: PurchasePorts,
  { supplier, headers, bodyBase64 }: z.output<typeof TAKE_PUSH.request>,
): Promise<Answer<z.input<typeof TAKE_PUSH.reply>>> {
  const { store, settings, log } = ports;
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
  const news = toStorable(push);
  return store.transaction(async (sql) => {
    if (!(await remember(sql, supplier, news))) return yes({ result: 'repeated' });
    const [stray] = news.references;
    if ((await lookSoon(sql, supplier, news.references)) === 0 && stray !== undefined) {
      log.info(
        { supplier, topic: news.topic, reference: stray },
        'a push about an order that is none of ours',
      );
      await keepStray(sql, supplier, stray, news.topic);
    }
    return yes({ result: 'accepted' });
  });
}
