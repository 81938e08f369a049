import { roundToMinor } from '../../../contracts/money.ts';
import type { OrderKey } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { isRefusal } from './refusal.ts';
import { OrderDetail, type OrderRow } from './responses.ts';
import { isPartCode, isSdCode, partCode, stemOf } from './sd-code.ts';

/**
 * CJ has three kinds of ids for one order. The SD code is what we keep and what every write takes. Reads are known to
 * answer to ours (`orderNum`); whether they answer to the SD code too is nowhere said. The internal number, `orderId` of
 * a row where that is not the code as in a creation's answer, is used nowhere.
 */
export function sdCodeOf({ cjOrderId, cjOrderCode, orderId }: OrderRow): string | null {
  const codes = [cjOrderId, cjOrderCode, orderId].filter((code) => code !== null).filter(isSdCode);
  // A part may name the order that it came from as well.
  return codes.find(isPartCode) ?? codes[0] ?? null;
}

type Amounts = Pick<OrderRow, 'orderAmount' | 'productAmount' | 'postageAmount'>;

/**
 * US cents; null while CJ names no amount, which happens right after a creation. Zero is none: CJ gives nothing away,
 * and a payment without an amount to compare takes whatever the order costs.
 */
export function amountMinorOf({ orderAmount, productAmount, postageAmount }: Amounts): number | null {
  if (orderAmount !== null && orderAmount > 0) return roundToMinor(orderAmount, CURRENCY);
  if (productAmount === null || postageAmount === null) return null;
  return roundToMinor(productAmount, CURRENCY) + roundToMinor(postageAmount, CURRENCY) || null;
}

/** The row that CJ has under one kind of id; null when it says that there is none. */
export async function readDetail(
  client: CjClient,
  reference: string,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<OrderRow | null> {
  const path = '/shopping/order/getOrderDetail';
  const query = [['orderId', reference]] as const;
  try {
    const row = await client.call(
      { method: 'GET', path, query, kind: 'read', priority, isLookUp: true },
      OrderDetail,
      signal,
    );
    return row ?? null;
  } catch (error) {
    if (error instanceof SupplierError && error.failureClass === 'not_found') return null;
    throw error;
  }
}

/** Whether the code is the order's own or that of a part of it. */
export const isCodeOf = (supplierReference: string, code: string | null): boolean =>
  code !== null && (code === supplierReference || stemOf(code) === supplierReference);

/** Whether the row is the one order that is meant or a part of it: under our number there may be another one as well. */
export const isRowOf = ({ supplierReference, callerRef }: OrderKey, row: OrderRow): boolean =>
  row.orderNum === callerRef && isCodeOf(supplierReference, sdCodeOf(row));

const isUnderCode = ({ supplierReference }: OrderKey, row: OrderRow): boolean =>
  isCodeOf(supplierReference, sdCodeOf(row));

/**
 * The order as CJ has it, or one of its parts once it is split: asked for by our number and, where that brings nothing
 * or another order, by its SD code and by that of its first part. Null when none brings it. Throws SupplierError; a
 * refusal only when every question was refused.
 */
export async function readOrder(
  client: CjClient,
  key: OrderKey,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<OrderRow | null> {
  const { callerRef, supplierReference } = key;
  let answers = 0;
  let refusal: unknown = null;
  for (const reference of [callerRef, supplierReference, partCode(supplierReference, 1)]) {
    try {
      const row = await readDetail(client, reference, priority, signal);
      const isMeant = reference === callerRef ? isRowOf : isUnderCode;
      if (row !== null && isMeant(key, row)) return row;
      answers += 1;
    } catch (error) {
      // A kind of id that CJ does not take here says nothing about the order.
      if (!isRefusal(error)) throw error;
      refusal = error;
    }
  }
  if (answers === 0) throw refusal;
  return null;
}
