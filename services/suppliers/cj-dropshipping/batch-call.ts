import { setTimeout } from 'node:timers/promises';
import { beforeSending } from '../exchange.ts';
import type { CjClient } from './client.ts';
import { orIfRefused } from './refusal.ts';
import { type OrderRow, OrderRows } from './responses.ts';

/** The orders under these ids, at most a hundred; null when CJ refuses the batch. Throws SupplierError. */
export type BatchCall = (orderIds: readonly string[], signal: AbortSignal) => Promise<OrderRow[] | null>;

/** CJ takes two batches a second at most, however many calls the account has. */
export const BATCH_GAP_MS = 550;

/** @param gapMs between the answer to one batch and the next one. */
export function createBatchCall(client: CjClient, gapMs = BATCH_GAP_MS): BatchCall {
  const path = '/shopping/order/getOrderDetailBatch';
  let freeAt = 0;
  return async (orderIds, signal) => {
    const now = performance.now();
    const startAt = Math.max(now, freeAt);
    freeAt = startAt + gapMs;
    if (startAt > now) await beforeSending('gap', () => setTimeout(startAt - now, undefined, { signal }));
    const body = { orderIds };
    const request = { method: 'POST', path, body, kind: 'read', priority: 'query', isLookUp: true } as const;
    try {
      return await client.call(request, OrderRows, signal).catch(orIfRefused(null));
    } finally {
      // It may have waited long for leave to be sent.
      freeAt = Math.max(freeAt, performance.now() + gapMs);
    }
  };
}
