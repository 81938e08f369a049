import type { z } from 'zod';
import { REREAD_ORDER, type RereadOrder } from '../../contracts/commands/reread-order.ts';
import { envelope } from '../../contracts/envelope.ts';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import { describeError } from '../logger.ts';
import { paymentOf } from '../order-facts.ts';
import { commandLetter } from '../store/command-letter.ts';
import { type DeadLetterRow, layDownCommand } from '../store/dead-letters.ts';
import { isOutage } from '../store/outage.ts';
import { insertRows } from '../store/rows.ts';
import { oneReading } from './one-reading.ts';
import { ORDERS_CHANGED, OrdersChangedAnswer } from './order-operations.ts';
import { lineIdOf } from './plan-fulfillments.ts';
import { readOrder } from './read-order.ts';
import type { Ask } from './read-work.ts';
import { tellOrder } from './reread-order.ts';
import { isAboutOrder, ShopError } from './shop-error.ts';
import type { ShopPorts } from './shop-ports.ts';

/** Orders read at the same time: enough for a bucket of the smallest plan. */
const AT_ONCE = 4;

export interface Sweep {
  /** Row of `shop_sweeps` that remembers the mark. */
  readonly name: string;
  readonly shop: string;
  /** Of history nobody is told by mail. */
  readonly isHistory: boolean;
}

export interface PageDone {
  /** Orders on the page, and of those how many we knew less of and told. */
  readonly seen: number;
  readonly told: number;
  /** Of those seen, how many changed later than the moment from which the sweep looks. */
  readonly later: number;
  /** When the last of them changed; absent: there was none. */
  readonly last?: Date;
}

interface ChangedOrder {
  readonly orderId: string;
  readonly shopOrderId: string;
  readonly updatedAt: string;
  readonly isCancelled: boolean;
  readonly payment: OrderReceived['payment'];
}

const COLUMNS = { order_id: 'text', shop: 'text', shop_updated_at: 'timestamptz' };

/**
 * Those of which neither a webhook nor an earlier sweep told this version. What is paid, refunded or cancelled otherwise
 * than we know it, in the very second of the version that we know, is another version; and a webhook may have lacked the
 * address that the shop shows.
 */
async function unknownOf({ store }: ShopPorts, page: readonly ChangedOrder[]): Promise<ChangedOrder[]> {
  const rows = await store.query<{ orderId: string }>(
    `select d."orderId"
       from json_to_recordset($1::json)
            as d("orderId" text, "updatedAt" timestamptz, "isCancelled" boolean, payment text)
       left join orders o on o.id = d."orderId"
       left join swept_orders s on s.order_id = d."orderId"
      where case
        when (o.context ->> 'sourceUpdatedAt')::timestamptz = d."updatedAt"
        then o.state not in ('cancelled', 'refunded')
             and (o.context ->> 'payment' <> d.payment
                  or d."isCancelled" and not (o.context ->> 'cancelledInShop')::boolean
                  or not coalesce(s.shop_updated_at >= d."updatedAt", false) and exists (
                       select 1 from holds h
                        where h.order_id = o.id and h.released_at is null and h.reason = 'address_invalid'
                          and h.evidence ->> 'missing' is not null))
        else not coalesce((o.context ->> 'sourceUpdatedAt')::timestamptz > d."updatedAt", false)
             and not coalesce(s.shop_updated_at >= d."updatedAt", false) end`,
    [JSON.stringify(page)],
  );
  const unknown = new Set(rows.map(({ orderId }) => orderId));
  return page.filter(({ orderId }) => unknown.has(orderId));
}

/** The wish to read it again, set aside until a person asks for it: sweeps pass over what they have seen. */
function letterOf(
  { shop, isHistory }: Sweep,
  { orderId, shopOrderId, updatedAt }: ChangedOrder,
  error: unknown,
): DeadLetterRow {
  const data: RereadOrder = { shop, shopOrderId, ...(isHistory ? { history: true as const } : {}) };
  const message = envelope({
    id: `sweep:${orderId}:${updatedAt}:reread`,
    source: '/shopify',
    type: `shopify.${REREAD_ORDER}`,
    subject: shopOrderId,
    time: new Date().toISOString(),
    data,
  });
  const command = {
    subject: commandSubject('shopify', REREAD_ORDER, `${shopOrderId}-sweep`),
    payload: JSON.stringify(message),
  };
  const failure = JSON.stringify(describeError(error));
  return { ...commandLetter(command, 'unreadable', failure), order_id: orderId };
}

/** False: the shop does not show it any more, or it cannot be taken in and waits for a person. */
async function tell(ports: ShopPorts, ask: Ask, sweep: Sweep, order: ChangedOrder): Promise<boolean> {
  try {
    const truth = await readOrder(
      ask,
      { shop: sweep.shop, buysAuthorized: ports.settings.ORDER_MANAGER_BUY_AUTHORIZED },
      order.shopOrderId,
    );
    if (truth === null) return false;
    const received = sweep.isHistory ? { ...truth.received, history: true as const } : truth.received;
    // The same version found again, by whichever sweep, is the same message; as fine as the shop's list writes it.
    const { payment, cancelled } = received;
    const version = new Date(order.updatedAt).toISOString();
    const messageId = `sweep:${order.orderId}:${version}:${payment}${cancelled ? ':cancelled' : ''}`;
    await tellOrder(ports, messageId, { ...truth, received });
    return true;
  } catch (error) {
    // What the shop refuses it refuses for all of them, and an outage ends the round: the next one begins where this one
    // stopped.
    if ((error instanceof ShopError && !isAboutOrder(error)) || isOutage(error)) throw error;
    // One order that cannot be understood must not keep back those behind it.
    ports.log.error({ orderId: order.orderId, err: error }, 'an order of the shop could not be taken in');
    await layDownCommand(ports.store, letterOf(sweep, order, error));
    return false;
  }
}

async function takePage(
  ports: ShopPorts,
  ask: Ask,
  sweep: Sweep,
  from: Date,
  page: readonly ChangedOrder[],
): Promise<PageDone> {
  const unknown = await unknownOf(ports, page);
  let told = 0;
  for (let start = 0; start < unknown.length; start += AT_ONCE) {
    const some = unknown.slice(start, start + AT_ONCE);
    const areTold = await Promise.all(
      some.map((order) => oneReading(order.shopOrderId, () => tell(ports, ask, sweep, order))),
    );
    told += areTold.filter(Boolean).length;
  }
  const [last] = page.slice(-1);
  await ports.store.transaction(async (sql) => {
    if (!sweep.isHistory) {
      await insertRows(
        sql,
        'swept_orders',
        COLUMNS,
        page.map(({ orderId, updatedAt }) => ({
          order_id: orderId,
          shop: sweep.shop,
          shop_updated_at: updatedAt,
        })),
        `on conflict (order_id) do update
           set shop_updated_at = greatest(swept_orders.shop_updated_at, excluded.shop_updated_at)`,
      );
    }
    if (last !== undefined)
      await sql.run('update shop_sweeps set mark = greatest(mark, $2::timestamptz) where name = $1', [
        sweep.name,
        last.updatedAt,
      ]);
  });
  const later = page.filter(({ updatedAt }) => Date.parse(updatedAt) > from.getTime());
  const seen = { seen: page.length, told, later: later.length };
  return last === undefined ? seen : { ...seen, last: new Date(last.updatedAt) };
}

export const changedSince = (from: Date): string => `updated_at:>='${from.toISOString()}'`;

/**
 * Tells every order changed in the shop since `from` of which we know less, in the order of their changes. The mark
 * follows page by page, so that whoever dies goes on from there. The shop ends a search after 25,000 orders and does not
 * say so: what is behind is found from the mark on. Throws ShopError when the shop cannot be read.
 */
export async function sweepOrders(
  ports: ShopPorts,
  ask: Ask,
  sweep: Sweep,
  from: Date,
  onPage: (done: PageDone) => void = () => {},
): Promise<void> {
  const query = changedSince(from);
  const buysAuthorized = ports.settings.ORDER_MANAGER_BUY_AUTHORIZED;
  let after: string | null = null;
  do {
    const { orders }: { orders: Page } = await ask(ORDERS_CHANGED, { query, after }, OrdersChangedAnswer);
    const page = orders.nodes.map((node) => {
      const shopOrderId = lineIdOf(node);
      return {
        orderId: orderIdOf(sweep.shop, shopOrderId),
        shopOrderId,
        updatedAt: node.updatedAt,
        isCancelled: node.cancelledAt !== null,
        payment: paymentOf(node.displayFinancialStatus?.toLowerCase() ?? null, buysAuthorized),
      };
    });
    onPage(await takePage(ports, ask, sweep, from, page));
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after !== null);
}

type Page = z.infer<typeof OrdersChangedAnswer>['orders'];
