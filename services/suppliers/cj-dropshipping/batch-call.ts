import { SupplierError } from '../supplier-error.ts';
import type { CjClient, CjRequest } from './client.ts';
import { orIfRefused } from './refusal.ts';
import { type OrderRow, OrderRows } from './responses.ts';

/** The orders under these ids, at most a hundred; null when CJ refuses the batch. Throws SupplierError. */
export type BatchCall = (orderIds: readonly string[], signal: AbortSignal) => Promise<OrderRow[] | null>;

/** CJ takes two batches a second at most, however many calls the account has; 10 % more, since its clock is not ours. */
const SPACING_MS = 550;
/** Of CJ's highest level. Whoever grants more is no CJ, and may not count batches apart. */
const MOST_PER_SECOND = 6;

/** @param requestsPerSecond that the account is granted. */
export function createBatchCall(client: CjClient, requestsPerSecond: number): BatchCall {
  let isSpaced = requestsPerSecond <= MOST_PER_SECOND;
  return async (orderIds, signal) => {
    const request: CjRequest = {
      method: 'POST',
      path: '/shopping/order/getOrderDetailBatch',
      body: { orderIds },
      kind: 'read',
      priority: 'query',
      isLookUp: true,
      ...(isSpaced ? { spacingMs: SPACING_MS } : {}),
    };
    try {
      return await client.call(request, OrderRows, signal).catch(orIfRefused(null));
    } catch (error) {
      const isThrottled = error instanceof SupplierError && error.failureClass === 'throttled';
      isSpaced ||= isThrottled && error.evidence.sent !== false;
      throw error;
    }
  };
}
