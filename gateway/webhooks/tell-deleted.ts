import { Envelope } from '../../contracts/envelope.ts';
import { OrderReceived } from '../../contracts/events/order-received.ts';
import type { OutboxRow } from '../../services/store/outbox.ts';
import type { Sql } from '../../services/store/store.ts';
import type { Taken } from './topics.ts';

/** The body as that of an order which is cancelled. */
function asCancelled(row: OutboxRow): OutboxRow {
  const message = Envelope.parse(JSON.parse(row.payload));
  const data: OrderReceived = { ...OrderReceived.parse(message.data), cancelled: true };
  return { ...row, payload: JSON.stringify({ ...message, data }) };
}

/**
 * What deliveries say, whose webhooks are written. That the shop deleted an order may be told before the
 * order's own body is: it is told as cancelled then, and nothing is bought or mailed for it.
 */
export async function messagesOf(
  sql: Sql,
  deliveries: readonly (Pick<Taken, 'customer' | 'message'> & { readonly orderId: string | null })[],
): Promise<OutboxRow[]> {
  // A customer comes with the body of an order, and with nothing else.
  const bodies = deliveries.flatMap(({ orderId, customer }) => (customer === null ? [] : (orderId ?? [])));
  if (bodies.length === 0) return deliveries.flatMap(({ message }) => message ?? []);
  const rows = await sql.query<{ orderId: string }>(
    `select distinct order_id as "orderId" from webhooks
      where order_id = any($1::text[]) and topic = 'orders/delete'`,
    [bodies],
  );
  const deleted = new Set(rows.map(({ orderId }) => orderId));
  return deliveries.flatMap(({ orderId, customer, message }) => {
    if (message === null) return [];
    return customer !== null && orderId !== null && deleted.has(orderId) ? asCancelled(message) : message;
  });
}
