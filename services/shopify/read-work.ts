import type { z } from 'zod';
import type { AdminClient } from './admin-client.ts';
import { allNodes } from './connection.ts';
import type { OpenWork } from './plan-fulfillments.ts';
import type { Priority } from './setback.ts';
import {
  FIRST_SHIPMENTS,
  SHIPMENTS,
  type Shipment,
  ShipmentsAnswer,
  WORK_AND_SHIPMENTS,
  WorkAndShipmentsAnswer,
} from './shipment-operations.ts';
import {
  FULFILLMENT_ORDER_LINES,
  FULFILLMENT_ORDERS,
  FulfillmentOrderLinesAnswer,
  FulfillmentOrdersAnswer,
  type WorkPage,
} from './work-operations.ts';

/** One question to the shop, with priority and patience already chosen. */
export type Ask = <T>(
  operation: string,
  variables: Record<string, unknown>,
  schema: z.ZodType<T>,
) => Promise<T>;

const readOrderWork = async (ask: Ask, orderId: string, after: string | null) =>
  (await ask(FULFILLMENT_ORDERS, { orderId, after }, FulfillmentOrdersAnswer)).order?.fulfillmentOrders;

/** An order's fulfilment orders with all their lines, from the first page on. */
export async function allWork(ask: Ask, orderId: string, first: WorkPage | undefined): Promise<OpenWork[]> {
  const nodes = await allNodes(first, (after) => readOrderWork(ask, orderId, after));
  const work: OpenWork[] = [];
  for (const { lineItems, ...fulfillmentOrder } of nodes) {
    const lines = await allNodes(lineItems, async (after) => {
      const variables = { fulfillmentOrderId: fulfillmentOrder.id, after };
      const answer = await ask(FULFILLMENT_ORDER_LINES, variables, FulfillmentOrderLinesAnswer);
      return answer.fulfillmentOrder?.lineItems;
    });
    work.push({ ...fulfillmentOrder, lines });
  }
  return work;
}

/** The same, read anew; empty when this app does not see the order. */
export const readWork = async (ask: Ask, orderId: string): Promise<OpenWork[]> =>
  allWork(ask, orderId, await readOrderWork(ask, orderId, null));

const unitsOf = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/**
 * What may still be sent of an order, and what was sent; null when this app does not see it. Whoever ships while the two
 * are read must show in the second, or his units are sent again: where the units that are gone from the work are not
 * those of the fulfilments, the fulfilments are read once more, after the work.
 */
export async function readWorkAndShipments(ask: Ask, orderId: string) {
  const { order } = await ask(WORK_AND_SHIPMENTS, { orderId }, WorkAndShipmentsAnswer);
  if (order === null) return null;
  const work = await allWork(ask, orderId, order.fulfillmentOrders);
  const lines = work.flatMap((one) => one.lines);
  const gone = unitsOf(
    lines.map(({ totalQuantity, remainingQuantity }) => totalQuantity - remainingQuantity),
  );
  const living = order.fulfillments.filter(({ status }) => status !== 'CANCELLED');
  const sent = unitsOf(living.map(({ totalQuantity }) => totalQuantity));
  let shipments: readonly Shipment[] | undefined = order.fulfillments;
  if (gone !== sent || shipments.length >= FIRST_SHIPMENTS)
    shipments = (await ask(SHIPMENTS, { orderId }, ShipmentsAnswer)).order?.fulfillments;
  return shipments === undefined ? null : { work, shipments, isCancelled: order.cancelledAt !== null };
}

export const asking =
  (client: AdminClient, priority: Priority, signal?: AbortSignal): Ask =>
  (operation, variables, schema) =>
    client.request(operation, variables, schema, { priority, signal });
