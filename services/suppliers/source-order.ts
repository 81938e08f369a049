import type { SourceOrder } from '../../contracts/commands/source-order.ts';
import { ORDER_SOURCED, type OrderSourced } from '../../contracts/events/order-sourced.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import type { Sql } from '../store/store.ts';
import { planSourcing, type WantedLine } from './plan-sourcing.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { readRecipient } from './recipient.ts';

async function readWanted(sql: Sql, command: SourceOrder): Promise<WantedLine[]> {
  const rows = await sql.query<{
    lineId: string;
    variantId: string | null;
    sku: string | null;
    candidates: MappingCandidate[] | null;
  }>(
    `select l.line_id as "lineId", l.variant_id as "variantId", l.sku, m.candidates
       from order_lines l left join product_mappings m on m.variant_id = l.variant_id
      where l.order_id = $1 order by l.position`,
    [command.orderId],
  );
  const units = new Map(command.lines.map((line) => [line.lineId, line.units]));
  return rows.flatMap((row) => {
    const count = units.get(row.lineId);
    return count === undefined ? [] : [{ ...row, units: count, candidates: row.candidates ?? [] }];
  });
}

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
  const { orderId, round } = command;
  if (!(await isWanted(store, command))) return DONE;
  const recipient = await readRecipient(store, orderId);
  const plan = await planSourcing(ports, await readWanted(store, command), recipient);
  if (plan.result === 'ask_again') {
    log.warn({ orderId, evidence: plan.evidence }, 'a quote failed, sourcing will be asked for again');
    return DONE;
  }
  const data: OrderSourced = { orderId, round, parts: plan.parts, refused: plan.refused };
  const messageId = `src:${orderId}:${round}`;
  await commitAndPublish(store, bus, async (_sql, say) =>
    say(eventRow({ messageId, source: '/suppliers', type: ORDER_SOURCED, orderId, data })),
  );
  return DONE;
}
