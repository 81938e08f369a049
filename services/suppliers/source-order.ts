import type { SourceOrder } from '../../contracts/commands/source-order.ts';
import { ORDER_SOURCED, OrderSourced, type RefusedLine } from '../../contracts/events/order-sourced.ts';
import { MENDED_BY_MAPPING } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { markOf } from '../order-facts.ts';
import { DONE, later } from '../serve-commands.ts';
import { planSourcing, type Wanted } from './plan-sourcing.ts';
import { BREAKER_PAUSE_MS, type PurchasePorts, sayToOrder } from './purchase-ports.ts';
import { readOrdersToSource, toWanted } from './read-wanted.ts';
import { articleNews, rememberArticles } from './remember-articles.ts';

/** The order as it stands, read together with all that are to be sourced at the same time. */
const orderNow = gatheringFor(async ({ store }: PurchasePorts, orderIds: readonly string[]) => {
  const orders = await readOrdersToSource(store, orderIds);
  return orderIds.map((id) => orders.get(id));
});

/** With the mark of the address, if there is one. */
type WantedNow = Wanted & { readonly shipToMark?: string };

/** What is to be sourced; undefined when that was asked for in another round, or before the order moved on. */
async function wantedNow(
  ports: PurchasePorts,
  { orderId, round, lines }: SourceOrder,
): Promise<WantedNow | undefined> {
  const order = await orderNow(ports, orderId);
  // In a crowd an order's deadline asks more than once for the same round, and quotes are dear.
  if (order?.state !== 'sourcing' || order.context.round !== round) return undefined;
  const address = order.customer?.address ?? null;
  return {
    ...toWanted(order, new Map(lines.map(({ lineId, units }) => [lineId, units]))),
    ...(address === null ? {} : { shipToMark: markOf(orderId, address) }),
  };
}

/**
 * Finds who delivers the wanted units and answers with `order.sourced`: parts to buy, and each line that cannot be
 * had with its reason. Buys nothing. When a supplier does not answer, nothing is said: the order's deadline asks again.
 * @returns `later` when a breaker is open.
 * @param around decides what becomes of it; `ask` asks the suppliers.
 */
export async function sourceOrder(
  ports: PurchasePorts,
  command: SourceOrder,
  around: (wanted: Wanted, ask: () => Promise<CommandResult>) => Promise<CommandResult> = (_, ask) => ask(),
): Promise<CommandResult> {
  const wanted = await wantedNow(ports, command);
  return wanted === undefined ? DONE : around(wanted, () => sourceWanted(ports, command, wanted));
}

/** Says which mapping the line was refused by: one that was put while suppliers were asked may be had by the next round. */
const dated = ({ lines }: Wanted) => {
  const times = new Map(lines.map(({ lineId, mappedAt }) => [lineId, mappedAt ?? null]));
  return (line: RefusedLine): RefusedLine => {
    const mappedAt = times.get(line.lineId) ?? null;
    const isMended = MENDED_BY_MAPPING.some((reason) => reason === line.reason);
    return mappedAt === null || !isMended ? line : { ...line, evidence: { ...line.evidence, mappedAt } };
  };
};

async function sourceWanted(
  ports: PurchasePorts,
  { orderId, round }: SourceOrder,
  wanted: WantedNow,
): Promise<CommandResult> {
  const { store, bus, log } = ports;
  const answer = await planSourcing(ports, wanted);
  if (answer.result === 'ask_again') {
    const { evidence } = answer.failure;
    log.warn({ orderId, evidence }, 'a quote failed, sourcing will be asked for again');
    // All that were asking when it opened would stand aside until their deadlines.
    return evidence.breaker === 'open' ? later(BREAKER_PAUSE_MS) : DONE;
  }
  const { parts, refused, stops, seen } = answer.plan;
  const data = OrderSourced.parse({
    orderId,
    round,
    parts: parts.map((part) => ({ ...part, quotedFor: wanted.shipToMark })),
    refused: refused.map(dated(wanted)),
    stops,
  });
  const messageId = `src:${orderId}:${round}`;
  const message = eventRow({ messageId, source: '/suppliers', type: ORDER_SOURCED, data });
  const news = articleNews(wanted.lines, seen);
  if (news.length === 0) await sayToOrder(ports, message);
  else
    await commitAndPublish(store, bus, async (sql, say) => {
      await rememberArticles(sql, news, seen);
      say(message);
    });
  return DONE;
}
