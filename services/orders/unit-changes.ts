import type { OrderEvent } from '../../contracts/events/order-event.ts';
import type { OrderReceived } from '../../contracts/events/order-received.ts';
import type { UnitChangeCause } from '../../contracts/vocabulary.ts';
import type { OrderState } from '../../machines/decide.ts';
import type { UnitChangeRow } from '../store/batch-writes.ts';

/** What the shop said of the order, by itself or when it was asked. */
function bodyOf(event: OrderEvent): OrderReceived | null {
  if (event.type === 'order.verified') return event.data.body;
  return event.type === 'order.updated' || event.type === 'order.received' ? event.data : null;
}

function causeOf(event: OrderEvent, lineId: string): UnitChangeCause {
  if (event.type === 'order.change_requested') return 'edit_here';
  if (event.type === 'order.cancel_requested') return 'cancel_here';
  const body = bodyOf(event);
  if (body === null) return 'undone';
  const { cancelled, payment, lines } = body;
  if (cancelled || payment === 'voided') return 'cancel';
  const isRefunded = (lines.find((line) => line.lineId === lineId)?.refundedUnits ?? 0) > 0;
  return payment === 'refunded' || isRefunded ? 'refund' : 'edit';
}

/** How the step changed what is ordered and what is cancelled of each line; nothing for an order's first step. */
export function unitChanges(
  event: OrderEvent,
  messageId: string,
  before: OrderState | null,
  after: OrderState | null,
): UnitChangeRow[] {
  if (before === null || after === null || before.context.lines === after.context.lines) return [];
  const [was, is] = [before.context.lines, after.context.lines];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((lineId) => {
    const ordered = (is[lineId]?.ordered ?? 0) - (was[lineId]?.ordered ?? 0);
    const cancelled = (is[lineId]?.cancelled ?? 0) - (was[lineId]?.cancelled ?? 0);
    if (ordered === 0 && cancelled === 0) return [];
    const order_id = event.data.orderId;
    return [
      { order_id, line_id: lineId, message_id: messageId, cause: causeOf(event, lineId), ordered, cancelled },
    ];
  });
}
