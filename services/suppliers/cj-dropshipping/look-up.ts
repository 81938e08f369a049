import type { FoundOrder } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import type { BatchCall } from './batch-call.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { isCancelled, isPaidIn } from './order-status.ts';
import { amountMinorOf, isCodeOf, readDetail, sdCodeOf } from './orders.ts';
import { isRefusal, orIfRefused } from './refusal.ts';
import { OrderPage, type OrderRow } from './responses.ts';
import { isSdCode, stemOf } from './sd-code.ts';

/** States that an order under our number can be in that we do not know of: created unpaid, or paid by hand since. */
const SIBLING_STATES = ['CREATED', 'IN_CART', 'UNPAID', 'UNSHIPPED', 'SHIPPED'] as const;
const ALL_STATES = [...SIBLING_STATES, 'DELIVERED', 'CANCELLED'] as const;
const PAGE_SIZE = '50';
/** Of one state: two hundred orders, reached only where CJ does not search. More would outlast the patience of a call. */
const MAX_PAGES = 4;

interface Search {
  readonly states: readonly string[];
  readonly callerRef?: string;
}

/** The meant rows of one state. A page that holds others as well was not searched by our number: the next one follows. */
async function listState(
  client: CjClient,
  { status, callerRef }: { readonly status: string; readonly callerRef?: string },
  isMeant: (row: OrderRow) => boolean,
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const meant: OrderRow[] = [];
  let seen = 0;
  for (let pageNum = 1; pageNum <= MAX_PAGES; pageNum += 1) {
    const search = callerRef === undefined ? {} : { orderNumbers: callerRef };
    const { list, total } = await client.call(
      {
        method: 'GET',
        path: '/shopping/order/list',
        query: Object.entries({ pageNum: String(pageNum), pageSize: PAGE_SIZE, status, ...search }),
        kind: 'read',
        priority: 'purchase',
        isLookUp: true,
      },
      OrderPage,
      signal,
    );
    meant.push(...list.filter(isMeant));
    seen += list.length;
    const isLast = list.length === 0 || (total !== null && seen >= total);
    if (isLast || (callerRef !== undefined && list.every(isMeant))) break;
  }
  return meant;
}

/**
 * The meant rows of the list. It is asked once per state, because its default filter shows cancelled orders only, and
 * filtered here, because its search by number is undocumented. A state that CJ does not list is passed over; throws
 * SupplierError, a refusal only when it lists none of them.
 */
export async function listOrders(
  client: CjClient,
  { states, ...search }: Search,
  isMeant: (row: OrderRow) => boolean,
  signal: AbortSignal,
): Promise<OrderRow[]> {
  const meant: OrderRow[] = [];
  const refusals: unknown[] = [];
  for (const status of states) {
    try {
      meant.push(...(await listState(client, { status, ...search }, isMeant, signal)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
      if (refusals.length === states.length) throw error;
    }
  }
  return meant;
}

function unitsByVariant(rows: readonly OrderRow[]): FoundOrder['articles'] {
  const units = new Map<string, number>();
  for (const { vid, quantity } of rows.flatMap(({ productList }) => productList)) {
    if (vid !== null) units.set(vid, (units.get(vid) ?? 0) + (quantity ?? 0));
  }
  return [...units].map(([supplierVariantId, count]) => ({ supplierVariantId, units: count }));
}

function sumOrNull(amounts: readonly (number | null)[]): number | null {
  const known = amounts.filter((amount) => amount !== null);
  return known.length === amounts.length ? known.reduce((sum, amount) => sum + amount, 0) : null;
}

function codeOf(row: OrderRow): string {
  const code = sdCodeOf(row);
  if (code !== null) return code;
  // It exists, so calling it absent could buy twice; the code appears a little after the creation.
  const evidence = { orderStatus: row.orderStatus, outage: false };
  throw new SupplierError('transient', 'order found, but without its code yet', evidence);
}

/** Found, but not yet telling whose it is: neither ours nor absent. */
function numberOf({ orderNum }: OrderRow): string {
  if (orderNum !== null) return orderNum;
  throw new SupplierError('transient', 'order without a number yet', { outage: false });
}

/** One paid part is the payment of all; a state that is not known leaves it open. */
function isPaidOf(rows: readonly OrderRow[]): boolean | null {
  const paid = rows.map(({ orderStatus }) => isPaidIn(orderStatus));
  if (paid.includes(true)) return true;
  return paid.includes(null) ? null : false;
}

/** One order out of its row or, once it is split, out of its parts. */
function toFound(supplierReference: string, rows: readonly OrderRow[], callerRef: string): FoundOrder {
  const whole = rows.filter((row) => sdCodeOf(row) === supplierReference);
  const members = whole.length > 0 ? whole.slice(0, 1) : rows;
  const created = members.flatMap(({ createDate }) => createDate ?? []).sort();
  return {
    callerRef,
    supplierReference,
    amountMinor: sumOrNull(members.map(amountMinorOf)),
    currency: CURRENCY,
    isPaid: isPaidOf(rows),
    isCancelled: rows.every(({ orderStatus }) => isCancelled(orderStatus)),
    articles: unitsByVariant(members),
    createdAt: created[0] ?? null,
  };
}

/** The same row may come from several calls, the detail's first. */
const unique = (rows: readonly OrderRow[]): OrderRow[] =>
  [...Map.groupBy(rows, codeOf).values()].flatMap(([first]) => first ?? []);

/** The codes are promised for the detail, and for the list only CJ's internal number. */
const withoutNameless = (rows: readonly OrderRow[], detailed: readonly OrderRow[]): OrderRow[] => {
  const known = new Set(detailed.map(({ orderId }) => orderId));
  return rows.filter((row) => sdCodeOf(row) !== null || row.orderId === null || !known.has(row.orderId));
};

/**
 * Every order under our number; units are summed by variant, and parts of a split order are that one order, never a
 * second. The detail call answers one row at most, while CJ was seen both to refuse and to accept a repeated number:
 * the list finds the other one, and the batch its code. It also decides where the detail shows nothing, since not every
 * CJ may answer to our number there. Where CJ refuses the list, the detail's word stands alone; where it refuses the
 * detail, only what the list shows counts, which may not have been searched to its end.
 */
export async function lookUpOrders(
  { client, readBatch }: { readonly client: CjClient; readonly readBatch: BatchCall },
  callerRef: string,
  signal: AbortSignal,
): Promise<FoundOrder[]> {
  let refusal: unknown = null;
  const first = await readDetail(client, callerRef, 'purchase', signal).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
    refusal = error;
    return null;
  });
  if (first !== null) numberOf(first);
  const isMine = ({ orderNum }: OrderRow): boolean => orderNum === callerRef;
  const search = { states: SIBLING_STATES, callerRef };
  const listed = await listOrders(client, search, isMine, signal).catch(orIfRefused([]));
  const detailed = [first].filter((row) => row !== null).filter(isMine);
  let siblings = withoutNameless(listed, detailed);
  if (siblings.some((row) => sdCodeOf(row) === null)) {
    const batch = ((await readBatch([callerRef], signal)) ?? []).filter(isMine);
    siblings = [...withoutNameless(siblings, batch), ...batch];
  }
  const mine = unique([...detailed, ...siblings]);
  if (mine.length === 0 && refusal !== null) throw refusal;
  return [...Map.groupBy(mine, (row) => stemOf(codeOf(row)))].map(([code, rows]) =>
    toFound(code, rows, callerRef),
  );
}

/** Our numbers in an answer; null for a refusal. */
export const standingIn = (rows: readonly OrderRow[] | null): ReadonlySet<string> | null =>
  rows && new Set(rows.flatMap(({ orderNum }) => orderNum ?? []));

/**
 * The order under its SD code; null when there is none. Where CJ's detail does not answer to that code, the list is gone
 * through, as far as a few hundred orders of each state.
 */
export async function readByCode(
  client: CjClient,
  supplierReference: string,
  signal: AbortSignal,
): Promise<FoundOrder | null> {
  // No row has another name, and the list is long.
  if (!isSdCode(supplierReference)) return null;
  const isMeant = (row: OrderRow): boolean => isCodeOf(supplierReference, sdCodeOf(row));
  const row = await readDetail(client, supplierReference, 'query', signal).catch(orIfRefused(null));
  const rows =
    row !== null && isMeant(row)
      ? [row]
      : await listOrders(client, { states: ALL_STATES }, isMeant, signal).catch(orIfRefused([]));
  const [first] = rows;
  return first === undefined ? null : toFound(supplierReference, unique(rows), numberOf(first));
}
