import { roundToMinor } from '../../../contracts/money.ts';
import type { OrderKey, PaymentDue } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { BatchCall } from './batch-call.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { wordsOf } from './held-back.ts';
import { isCancelled, isPaidIn, needsConfirmation } from './order-status.ts';
import { amountMinorOf, isRowOf, readOrder } from './orders.ts';
import { BalanceData, ConfirmedData, type OrderRow, Whatever } from './responses.ts';

const notYet = (sdCode: string, what: string): SupplierError =>
  new SupplierError('transient', `order ${sdCode} is not ${what} yet`, {
    sdCode,
    notYet: what,
    outage: false,
  });

/** The order as it is now. Throws SupplierError `transient` while CJ does not show it or names no state. */
async function readKnown(client: CjClient, key: OrderKey, signal: AbortSignal): Promise<OrderRow> {
  const row = await readOrder(client, key, 'purchase', signal);
  // We hold its code, so it exists: CJ does not show a new order for a while.
  if (row === null) throw notYet(key.supplierReference, 'visible');
  if (row.orderStatus === null) throw notYet(key.supplierReference, 'in a state');
  return row;
}

async function confirm(client: CjClient, key: OrderKey, signal: AbortSignal): Promise<OrderRow> {
  const request = {
    method: 'PATCH',
    path: '/shopping/order/confirmOrder',
    body: { orderId: key.supplierReference },
  } as const;
  let stopped: string | null = null;
  try {
    const reasons = await client.call(
      { ...request, kind: 'read', priority: 'purchase' },
      ConfirmedData,
      signal,
    );
    stopped = wordsOf(reasons);
  } catch (refusal) {
    // An earlier confirmation, whose answer was lost, makes this one fail: the order itself decides.
    const row = await readKnown(client, key, signal);
    if (needsConfirmation(row.orderStatus)) throw refusal;
    return row;
  }
  const row = await readKnown(client, key, signal);
  if (!needsConfirmation(row.orderStatus)) return row;
  if (stopped !== null) {
    const evidence = { path: request.path, heldBack: stopped };
    throw new SupplierError('permanent', `order ${key.supplierReference} is held back`, evidence);
  }
  throw notYet(key.supplierReference, 'confirmed');
}

/** A balance that was read counts for so long, less what was due since, while it covers a payment so many times. */
const BALANCE_KEPT_MS = 30_000;
const COMFORTABLE = 10;

/**
 * The prepaid balance as it was read lately. Others may spend it too, and CJ's refusal for want of money does not always
 * say so: it is only relied on while far more is left than is due. A mistake is no harm, only a doubt to be looked up.
 */
export function createBalance() {
  let known = { leftMinor: 0, until: 0 };
  return {
    /** Whether the account surely has that much; then it counts as spent. */
    covers(amountMinor: number): boolean {
      if (performance.now() > known.until || known.leftMinor < amountMinor * COMFORTABLE) return false;
      known = { ...known, leftMinor: known.leftMinor - amountMinor };
      return true;
    },
    remember(balanceMinor: number, dueMinor: number): void {
      known = { leftMinor: balanceMinor - dueMinor, until: performance.now() + BALANCE_KEPT_MS };
    },
  };
}
export type Balance = ReturnType<typeof createBalance>;

/** US cents of the prepaid balance, frozen ones included: CJ does not say whether it counts them. Null on any failure. */
async function readBalance(client: CjClient, signal: AbortSignal): Promise<number | null> {
  const path = '/shopping/pay/getBalance';
  try {
    const request = { method: 'GET', path, kind: 'read', priority: 'purchase' } as const;
    const { amount } = await client.call(request, BalanceData, signal);
    return amount === null ? null : roundToMinor(amount, CURRENCY);
  } catch (error) {
    // It only warns early; the payment itself says for certain whether the money is there.
    if (error instanceof SupplierError) return null;
    throw error;
  }
}

/** Null also when it was read lately and is far more than is due. */
async function balanceFor(
  client: CjClient,
  balance: Balance,
  dueMinor: number,
  signal: AbortSignal,
): Promise<number | null> {
  if (balance.covers(dueMinor)) return null;
  const balanceMinor = await readBalance(client, signal);
  if (balanceMinor !== null) balance.remember(balanceMinor, dueMinor);
  return balanceMinor;
}

function paymentStateOf({ orderStatus }: OrderRow): PaymentDue['state'] {
  if (isCancelled(orderStatus)) return 'cancelled';
  const isPaid = isPaidIn(orderStatus);
  if (isPaid === null) return 'unclear';
  return isPaid ? 'paid' : 'due';
}

/** Throws SupplierError as SupplierAdapter.preparePayment says. @param balance null: no money is needed. */
export async function preparePayment(
  client: CjClient,
  balance: Balance | null,
  key: OrderKey,
  signal: AbortSignal,
): Promise<PaymentDue> {
  const seen = await readKnown(client, key, signal);
  const row = needsConfirmation(seen.orderStatus) ? await confirm(client, key, signal) : seen;
  const state = paymentStateOf(row);
  const amountMinor = amountMinorOf(row);
  const owes = state === 'due' && amountMinor !== null && amountMinor > 0;
  const isAsked = owes && balance !== null;
  return {
    state,
    ...(state === 'unclear' && row.orderStatus !== null ? { shownAs: row.orderStatus } : {}),
    amountMinor,
    currency: CURRENCY,
    balanceMinor: isAsked ? await balanceFor(client, balance, amountMinor, signal) : null,
  };
}

/** CJ takes whatever the order costs now: compare the amount first. Throws SupplierError. */
export async function payOrder(client: CjClient, sdCode: string, signal: AbortSignal): Promise<void> {
  const request = { method: 'POST', path: '/shopping/pay/payBalance', body: { orderId: sdCode } } as const;
  await client.call({ ...request, kind: 'write', priority: 'purchase' }, Whatever, signal);
}

/** As `payOrder`, for a test order: CJ takes it for paid, and takes no money. */
export async function payTestOrder(client: CjClient, sdCode: string, signal: AbortSignal): Promise<void> {
  const path = '/shopping/sandbox/simulatePay';
  const request = { method: 'POST', path, body: { orderId: sdCode } } as const;
  await client.call({ ...request, kind: 'write', priority: 'purchase' }, Whatever, signal);
}

/** Also of what an earlier deletion took away: an order that no read shows any more is not waiting to be paid. */
const DELETE_FAILED = 1603002;

/** CJ deletes what is not yet confirmed and may refuse the rest as `permanent`. An order that is gone counts as done. */
export async function cancelOrder(
  { client, readBatch }: { readonly client: CjClient; readonly readBatch: BatchCall },
  key: OrderKey,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    method: 'DELETE',
    path: '/shopping/order/deleteOrder',
    query: [['orderId', key.supplierReference]],
  } as const;
  try {
    await client.call({ ...request, kind: 'read', priority: 'purchase', isLookUp: true }, Whatever, signal);
  } catch (refusal) {
    const row =
      (await readOrder(client, key, 'purchase', signal)) ??
      (await readBatch([key.callerRef], signal))?.find((shown) => isRowOf(key, shown)) ??
      null;
    const saysGone =
      refusal instanceof SupplierError &&
      (refusal.failureClass === 'not_found' || refusal.evidence.code === DELETE_FAILED);
    if (row === null ? !saysGone : !isCancelled(row.orderStatus)) throw refusal;
  }
}
