import { roundToMinor } from '../../../contracts/money.ts';
import { type CallPriority, type FoundOrder, type OrderKey, SupplierError } from '../adapter.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './freight.ts';
import { countsAsPaid, isCancelled } from './order-status.ts';
import { OrderPage, OrderRow } from './responses.ts';

/** States that a second order under our number can be in: all of ours are created unpaid; the last is paid by hand. */
const SIBLING_STATES = ['CREATED', 'IN_CART', 'UNPAID', 'UNSHIPPED'] as const;
const SIBLINGS_PAGE = '50';

export const isSdCode = (code: string): boolean => /^SD[\w-]+$/.test(code);

/**
 * CJ has three kinds of ids for one order. The SD code is what we keep and what every write takes. Reads are known to
 * answer to ours (`orderNum`); whether they answer to the SD code too is nowhere said. The internal number (`orderId`
 * of a row) is used nowhere.
 */
export const sdCodeOf = ({ cjOrderId, cjOrderCode }: OrderRow): string | null =>
  [cjOrderId, cjOrderCode].find((code) => code !== null && isSdCode(code)) ?? null;

type Amounts = Pick<OrderRow, 'orderAmount' | 'productAmount' | 'postageAmount'>;

/** US cents; null while CJ names no amount, which happens right after a creation. */
export function amountMinorOf({ orderAmount, productAmount, postageAmount }: Amounts): number | null {
  if (orderAmount !== null) return roundToMinor(orderAmount, CURRENCY);
  if (productAmount === null || postageAmount === null) return null;
  return roundToMinor(productAmount, CURRENCY) + roundToMinor(postageAmount, CURRENCY);
}

/** The row that CJ has under one kind of id; null when it says that there is none. */
async function readDetail(
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
      OrderRow.nullish(),
      signal,
    );
    return row ?? null;
  } catch (error) {
    if (error instanceof SupplierError && error.failureClass === 'not_found') return null;
    throw error;
  }
}

const REFUSALS: readonly string[] = ['not_found', 'invalid_input', 'permanent'];

/** Whether CJ plainly does not serve this question, so that asking it again is useless. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof SupplierError && REFUSALS.includes(error.failureClass);

/** Whether the row is the one order that is meant: under our number there may be another one as well. */
export const isRowOf = ({ supplierReference, callerRef }: OrderKey, row: OrderRow): boolean =>
  row.orderNum === callerRef && sdCodeOf(row) === supplierReference;

/**
 * The order as CJ has it: asked for by our number and, where that brings nothing or another order, by its SD code.
 * Null when neither brings it. Throws SupplierError; a refusal only when both questions were refused.
 */
export async function readOrder(
  client: CjClient,
  key: OrderKey,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<OrderRow | null> {
  let isNumberRefused = false;
  try {
    const row = await readDetail(client, key.callerRef, priority, signal);
    if (row !== null && isRowOf(key, row)) return row;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    isNumberRefused = true;
  }
  try {
    const row = await readDetail(client, key.supplierReference, priority, signal);
    return row !== null && sdCodeOf(row) === key.supplierReference ? row : null;
  } catch (error) {
    // A kind of id that CJ does not take here says nothing about the order.
    if (isRefusal(error) && !isNumberRefused) return null;
    throw error;
  }
}

async function readSiblings(client: CjClient, callerRef: string, signal: AbortSignal): Promise<OrderRow[]> {
  const rows: OrderRow[] = [];
  for (const status of SIBLING_STATES) {
    const query = Object.entries({ pageNum: '1', pageSize: SIBLINGS_PAGE, status, orderNumbers: callerRef });
    const page = await client.call(
      {
        method: 'GET',
        path: '/shopping/order/list',
        query,
        kind: 'read',
        priority: 'purchase',
        isLookUp: true,
      },
      OrderPage,
      signal,
    );
    rows.push(...page);
  }
  return rows;
}

function unitsByVariant({ productList }: OrderRow): FoundOrder['articles'] {
  const units = new Map<string, number>();
  for (const { vid, quantity } of productList ?? []) {
    if (vid !== null) units.set(vid, (units.get(vid) ?? 0) + (quantity ?? 0));
  }
  return [...units].map(([supplierVariantId, count]) => ({ supplierVariantId, units: count }));
}

function toFound(row: OrderRow, callerRef: string): FoundOrder {
  const supplierReference = sdCodeOf(row);
  if (supplierReference === null) {
    // It exists, so calling it absent could buy twice; the code appears a little after the creation.
    const evidence = { orderStatus: row.orderStatus, outage: false };
    throw new SupplierError('transient', 'order found, but without its code yet', evidence);
  }
  return {
    callerRef,
    supplierReference,
    amountMinor: amountMinorOf(row),
    currency: CURRENCY,
    isPaid: countsAsPaid(row.orderStatus),
    isCancelled: isCancelled(row.orderStatus),
    articles: unitsByVariant(row),
    createdAt: null,
  };
}

/**
 * Every order under our number; units are summed by variant. The detail call answers one row at most. When it says
 * that there is none, that settles it. When it shows one, there may be another: CJ was seen both to refuse and to
 * accept a repeated number. The list finds it, asked once per state because its default filter shows cancelled
 * orders only, and filtered here because its search by number is undocumented. Where CJ refuses that search, the
 * detail's row stands alone.
 */
export async function lookUpOrders(
  client: CjClient,
  callerRef: string,
  signal: AbortSignal,
): Promise<FoundOrder[]> {
  const first = await readDetail(client, callerRef, 'purchase', signal);
  if (first === null) return [];
  // Found, but not yet telling whose it is: neither ours nor absent.
  if (first.orderNum === null)
    throw new SupplierError('transient', 'order without a number yet', { outage: false });
  const siblings = await readSiblings(client, callerRef, signal).catch((error: unknown) => {
    if (isRefusal(error)) return [];
    throw error;
  });
  const mine = [first, ...siblings].filter(({ orderNum }) => orderNum === callerRef);
  const found = new Map(
    mine.map((row) => toFound(row, callerRef)).map((order) => [order.supplierReference, order]),
  );
  return [...found.values()];
}
