import { roundToMinor } from '../../../contracts/money.ts';
import type { FoundOrder, OrderKey, PaymentDue } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { isCancelled, isPaidIn, stageOf } from './order-status.ts';
import { CURRENCY } from './products.ts';
import { isIdText, OrderBody, type OrderRow } from './responses.ts';

const SEPARATOR = ',';

/** One call may make several orders: their ids together are what we call the purchase by. */
export const toReference = (orderIds: readonly string[]): string => orderIds.join(SEPARATOR);
export const orderIdsOf = (reference: string): string[] => reference.split(SEPARATOR);

/** The order under that id; null when it is not there or not ours. Throws SupplierError. */
export async function readOrder(
  client: AliExpressClient,
  orderId: string,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<OrderRow | null> {
  if (!isIdText(orderId)) return null;
  const parameters = { single_order_query: JSON.stringify({ order_id: orderId }) };
  const method = 'aliexpress.trade.ds.order.get';
  try {
    const request = { method, parameters, kind: 'read', priority, isLookUp: true } as const;
    const { result } = await client.call(request, OrderBody, signal);
    return result == null || result.order_status === null ? null : result;
  } catch (error) {
    if (error instanceof SupplierError && error.failureClass === 'not_found') return null;
    throw error;
  }
}

/** All orders of a reference; null when one of them is missing. Throws SupplierError. */
async function readAll(
  client: AliExpressClient,
  reference: string,
  signal: AbortSignal,
): Promise<OrderRow[] | null> {
  const rows: OrderRow[] = [];
  for (const orderId of orderIdsOf(reference)) {
    const row = await readOrder(client, orderId, 'purchase', signal);
    if (row === null) return null;
    rows.push(row);
  }
  return rows;
}

interface Amount {
  readonly amountMinor: number | null;
  readonly currency: string;
}

/** The order's own total: what its parts cost need not add up to it. Null unless all name one in the same currency. */
function totalOf(rows: readonly OrderRow[]): Amount {
  const [first] = rows;
  const currency = first?.order_amount?.currency_code ?? CURRENCY;
  let amountMinor: number | null = first === undefined ? null : 0;
  for (const { order_amount: money } of rows) {
    const amount = (money?.currency_code ?? currency) === currency ? (money?.amount ?? null) : null;
    amountMinor =
      amount === null || amountMinor === null ? null : amountMinor + roundToMinor(amount, currency);
  }
  return { amountMinor, currency };
}

/** AliExpress names no zone as a rule, and nowhere says which one it means. */
function creationOf(text: string | null): Pick<FoundOrder, 'createdAt' | 'createdLocally'> {
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?$/.exec(text ?? '') ?? [];
  const createdLocally = `${day}T${time}`;
  if (Number.isNaN(Date.parse(`${createdLocally}${zone ?? 'Z'}`))) return { createdAt: null };
  if (zone === undefined) return { createdAt: null, createdLocally };
  return { createdAt: new Date(`${createdLocally}${zone}`).toISOString() };
}

function unitsBySku(rows: readonly OrderRow[]): FoundOrder['articles'] {
  const units = new Map<string, number>();
  for (const { sku_id, product_count } of rows.flatMap(({ child_order_list }) => child_order_list)) {
    if (sku_id !== null) units.set(sku_id, (units.get(sku_id) ?? 0) + (product_count ?? 0));
  }
  return [...units].map(([supplierVariantId, count]) => ({ supplierVariantId, units: count }));
}

/** All of it; null where that cannot be told. */
function isPaidOf(living: readonly OrderRow[]): boolean | null {
  const paid = living.map(isPaidIn);
  if (paid.length === 0 || paid.includes(false)) return false;
  return paid.includes(null) ? null : true;
}

function toFound(reference: string, rows: readonly OrderRow[]): FoundOrder {
  const living = rows.filter((row) => !isCancelled(row));
  return {
    // No answer repeats it.
    callerRef: '',
    supplierReference: reference,
    ...totalOf(living.length === 0 ? rows : living),
    isPaid: isPaidOf(living),
    isCancelled: living.length === 0,
    articles: unitsBySku(living.length === 0 ? rows : living),
    ...creationOf(rows[0]?.gmt_create ?? null),
  };
}

/** Throws SupplierError as SupplierAdapter.read says. `callerRef` stays empty: AliExpress does not repeat it. */
export async function readFound(
  client: AliExpressClient,
  reference: string,
  signal: AbortSignal,
): Promise<FoundOrder | null> {
  const rows = await readAll(client, reference, signal);
  return rows === null ? null : toFound(reference, rows);
}

/** The first to end counts. No instant: AliExpress names no zone for that of the order. */
function patienceOf(unpaid: readonly OrderRow[]): Pick<PaymentDue, 'payWithinSeconds'> {
  const seconds = unpaid.flatMap(({ pay_timeout_second }) => pay_timeout_second ?? []);
  return seconds.length === 0 ? {} : { payWithinSeconds: Math.min(...seconds) };
}

/** Throws SupplierError as SupplierAdapter.preparePayment says: there is nothing to prepare, only to read. */
export async function readPaymentDue(
  client: AliExpressClient,
  { supplierReference }: OrderKey,
  signal: AbortSignal,
): Promise<PaymentDue> {
  const rows = await readAll(client, supplierReference, signal);
  if (rows === null) {
    // We were given its id, so it exists: it is only not shown yet.
    const evidence = { supplierReference, notYet: 'visible', outage: false };
    throw new SupplierError('transient', `order ${supplierReference} is not visible yet`, evidence);
  }
  const living = rows.filter((row) => !isCancelled(row));
  const unpaid = living.filter((row) => stageOf(row) === 'awaiting_payment');
  const unclear = living.find((row) => isPaidIn(row) === null)?.order_status;
  const settled = living.length === 0 ? 'cancelled' : unclear == null ? 'paid' : 'unclear';
  return {
    state: unpaid.length > 0 ? 'due' : settled,
    ...patienceOf(unpaid),
    ...(settled === 'unclear' && unclear != null ? { shownAs: unclear } : {}),
    ...totalOf(living.length === 0 ? rows : living),
    balanceMinor: null,
  };
}
