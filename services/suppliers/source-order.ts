import type { SourceOrder } from '../../contracts/commands/source-order.ts';
import { ORDER_SOURCED, OrderSourced } from '../../contracts/events/order-sourced.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import type { Sql } from '../store/store.ts';
import { planSourcing } from './plan-sourcing.ts';
import { type PurchasePorts, sayToOrder } from './purchase-ports.ts';
import { readWanted } from './read-wanted.ts';
import { articleNews, rememberArticles } from './remember-articles.ts';

/** Whether the order still waits for this round: in a crowd its deadline asks more than once, and quotes are dear. */
async function isWanted(sql: Sql, { orderId, round }: SourceOrder): Promise<boolean> {
  const [order] = await sql.query<{ state: string; round: number }>(
    `select state, (context ->> 'round')::int as round from orders where id = $1`,
    [orderId],
  );
  return order?.state === 'sourcing' && order.round === round;
}

/**
 * Finds who delivers the wanted units and answers with `order.sourced`: parts to buy, and each line that cannot be
 * had with its reason. Buys nothing. When a supplier does not answer, nothing is said: the order's deadline asks again.
 */
export async function sourceOrder(ports: PurchasePorts, command: SourceOrder): Promise<CommandResult> {
  const { store, bus, log } = ports;
  const { orderId, round, lines } = command;
  if (!(await isWanted(store, command))) return DONE;
  const units = new Map(lines.map((line) => [line.lineId, line.units]));
  const wanted = await readWanted(store, orderId, () => units);
  const answer = await planSourcing(ports, wanted);
  if (answer.result === 'ask_again') {
    const { evidence } = answer.failure;
    log.warn({ orderId, evidence }, 'a quote failed, sourcing will be asked for again');
    return DONE;
  }
  const { parts, refused, stops, seen } = answer.plan;
  const data = OrderSourced.parse({ orderId, round, parts, refused, stops });
  const messageId = `src:${orderId}:${round}`;
  const message = eventRow({ messageId, source: '/suppliers', type: ORDER_SOURCED, orderId, data });
  const news = articleNews(wanted.lines, seen);
  if (news.length === 0) await sayToOrder(ports, message);
  else
    await commitAndPublish(store, bus, async (sql, say) => {
      await rememberArticles(sql, news, seen);
      say(message);
    });
  return DONE;
}
