import type { z } from 'zod';
import type { AdminClient } from './admin-client.ts';
import {
  allNodes,
  FULFILLMENT_ORDER_LINES,
  FULFILLMENT_ORDERS,
  FulfillmentOrderLinesAnswer,
  FulfillmentOrdersAnswer,
} from './operations.ts';
import type { OpenWork } from './plan-fulfillments.ts';
import type { Priority } from './setback.ts';

/** One question to the shop, with priority and patience already chosen. */
export type Ask = <T>(
  operation: string,
  variables: Record<string, unknown>,
  schema: z.ZodType<T>,
) => Promise<T>;
/** An order's fulfilment orders with all their lines; null when this app does not see the order. */
export async function readWork(ask: Ask, orderId: string) {
  const readOrder = async (after: string | null) =>
    (await ask(FULFILLMENT_ORDERS, { orderId, after }, FulfillmentOrdersAnswer)).order;
  const order = await readOrder(null);
  if (order === null) return null;
  const nodes = await allNodes(
    order.fulfillmentOrders,
    async (after) => (await readOrder(after))?.fulfillmentOrders,
  );
  const work: OpenWork[] = [];
  for (const { lineItems, ...fulfillmentOrder } of nodes) {
    const lines = await allNodes(lineItems, async (after) => {
      const variables = { fulfillmentOrderId: fulfillmentOrder.id, after };
      const answer = await ask(FULFILLMENT_ORDER_LINES, variables, FulfillmentOrderLinesAnswer);
      return answer.fulfillmentOrder?.lineItems;
    });
    work.push({ ...fulfillmentOrder, lines });
  }
  return { work, isCancelled: order.cancelledAt !== null };
}

export const asking =
  (client: AdminClient, priority: Priority, signal?: AbortSignal): Ask =>
  (operation, variables, schema) =>
    client.request(operation, variables, schema, { priority, signal });
