import { type ObservedStatus, SupplierError } from '../adapter.ts';
import type { CjClient } from './client.ts';
import { observedStatusOf } from './order-status.ts';
import { isRefusal, readOrder, sdCodeOf } from './orders.ts';
import { OrderRow, rowsOf } from './responses.ts';
import { readTracking, toParcels, trackingNumbersOf } from './tracking.ts';

/** CJ takes 100 and advises 20 to 50; when it refuses the batch, that many single calls must fit one timeout. */
export const STATUS_BATCH = 20;

async function readOneByOne(
  client: CjClient,
  sdCodes: readonly string[],
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const rows: OrderRow[] = [];
  for (const sdCode of sdCodes) {
    const row = await readOrder(client, sdCode, 'query', signal);
    if (row !== null) rows.push(row);
  }
  return rows;
}

async function readOrders(
  client: CjClient,
  sdCodes: readonly string[],
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const path = '/shopping/order/getOrderDetailBatch';
  const body = { orderIds: sdCodes };
  try {
    const request = { method: 'POST', path, body, kind: 'read', priority: 'query', isLookUp: true } as const;
    return await client.call(request, rowsOf(OrderRow), signal);
  } catch (error) {
    if (isRefusal(error)) return readOneByOne(client, sdCodes, signal);
    throw error;
  }
}

/**
 * What became of the orders, by SD code. Left out: orders that CJ does not show, and those in a state that is
 * unknown to us, for which the last known one still holds. Throws SupplierError.
 */
export async function readStatus(
  client: CjClient,
  sdCodes: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, ObservedStatus>> {
  if (sdCodes.length === 0) return new Map();
  if (sdCodes.length > STATUS_BATCH) {
    throw new SupplierError('invalid_input', `more than ${STATUS_BATCH} orders`, { sent: false });
  }
  const wanted = new Set(sdCodes);
  const known = (await readOrders(client, sdCodes, signal)).flatMap((row) => {
    const [sdCode, status] = [sdCodeOf(row), observedStatusOf(row.orderStatus)];
    return sdCode !== null && wanted.has(sdCode) && status !== null ? [{ sdCode, status, row }] : [];
  });
  const moving = known
    .filter(({ status }) => status === 'shipped')
    .flatMap(({ row }) => trackingNumbersOf(row));
  const tracking = await readTracking(client, [...new Set(moving)], signal);
  return new Map(
    known.map(({ sdCode, status, row }) => [
      sdCode,
      {
        status,
        parcels: status === 'cancelled' ? [] : toParcels(row, status, tracking),
        evidence: { orderStatus: row.orderStatus, logisticName: row.logisticName },
      },
    ]),
  );
}
