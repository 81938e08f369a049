import { randomUUID } from 'node:crypto';
import { AppError, type FieldProblem } from '../contracts/errors.ts';
import {
  PURCHASE_REQUESTED,
  type PurchaseRequested,
  type RequestedArticle,
  SUPPLIER_ORDER_CANCEL_REQUESTED,
  SUPPLIER_ORDER_RETRY_REQUESTED,
} from '../contracts/events/operator-requests.ts';
import { ORDER_RECEIVED } from '../contracts/events/order-received.ts';
import { supplierOrderIdOf } from '../contracts/ids.ts';
import { toShippingAddress } from '../contracts/resources/posted-address.ts';
import type {
  PostSupplierOrder,
  PutSupplierOrder,
  SupplierOrderReceipt,
} from '../contracts/resources/supplier-order-requests.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { LineUnits } from '../machines/order-units.ts';
import { mayPurchase } from '../machines/requests.ts';
import { eventRow } from '../services/bus/commit-and-publish.ts';
import type { OutboxRow } from '../services/store/outbox.ts';
import type { Sql } from '../services/store/store.ts';
import { putCustomer } from './customer-row.ts';
import { type LockedOrder, lockOrder } from './locked-order.ts';
import { anOwnOrder } from './order-requests.ts';
import { refusal } from './problem.ts';

type Say = (row: OutboxRow) => void;

const conflict = (detail: string, fields: readonly FieldProblem[] = []): Error =>
  refusal({ status: 409, code: 'conflict', detail, fields });

const article = (
  item: PostSupplierOrder['items'][number],
  lineId: string,
  units: number,
): RequestedArticle => ({
  lineId,
  units,
  supplierProductId: item.supplier_product_id,
  supplierVariantId: item.supplier_variant_id ?? '',
  properties: item.properties,
});

/** Units of a line that are not bought yet. */
const waiting = (units: LineUnits | undefined): number => (units?.unallocated ?? 0) + (units?.held ?? 0);

/** Each item takes its units from the lines of its SKU, in their order. @throws 409, 422 naming the items. */
function allocate(
  { context }: LockedOrder,
  lines: readonly { lineId: string; sku: string | null }[],
  items: PostSupplierOrder['items'],
): RequestedArticle[] {
  const taken = new Set<string>();
  const problems: FieldProblem[] = [];
  const articles = items.flatMap((item, index) => {
    const ofSku = lines.filter(({ sku }) => sku?.toLowerCase() === item.sku.toLowerCase());
    let missing = item.quantity;
    const parts: RequestedArticle[] = [];
    for (const { lineId } of ofSku) {
      const units = Math.min(missing, taken.has(lineId) ? 0 : waiting(context.lines[lineId]));
      if (units === 0) continue;
      taken.add(lineId);
      missing -= units;
      parts.push(article(item, lineId, units));
    }
    const path = `items.${index}`;
    if (ofSku.length === 0) problems.push({ path, message: 'the order has no line with this SKU' });
    else if (missing > 0)
      problems.push({ path, message: `${item.quantity - missing} units of this SKU are not bought yet` });
    return parts;
  });
  if (problems.length > 0)
    throw conflict('the order does not have these units to buy; one line takes one item', problems);
  return articles;
}

async function requireSameAddress(sql: Sql, orderId: string, body: PostSupplierOrder): Promise<void> {
  if (body.shipping_address === undefined) return;
  const wanted = toShippingAddress(body.shipping_address);
  const [row] = await sql.query<{ address: Record<string, string> | null }>(
    'select shipping_address as address from customer_details where order_id = $1',
    [orderId],
  );
  const same = (['name', 'address1', 'address2', 'city', 'zip', 'countryCode'] as const).every(
    (field) => (row?.address?.[field] ?? '').trim().toLowerCase() === wanted[field].toLowerCase(),
  );
  if (!same)
    throw conflict(
      'the order goes to another address: leave shipping_address out, or put it with PUT /orders/{id} first',
    );
}

/** @param key of the request, so that its repetition finds the same purchase. */
export async function createSupplierOrder(
  sql: Sql,
  say: Say,
  body: PostSupplierOrder,
  key: string,
): Promise<SupplierOrderReceipt> {
  const { order_id: orderId, supplier, items, shipping_address: address } = body;
  const newSupplierOrderId = supplierOrderIdOf(orderId, supplier, `api:${key}`, 0);
  const request = (lines: RequestedArticle[]): PurchaseRequested => ({
    orderId,
    newSupplierOrderId,
    supplier,
    shippingMethod: body.shipping_method ?? '',
    lines,
  });
  const ask = (data: PurchaseRequested): SupplierOrderReceipt => {
    const messageId = `api:${newSupplierOrderId}`;
    say(eventRow({ messageId, source: '/gateway', type: PURCHASE_REQUESTED, orderId, data }));
    return { id: newSupplierOrderId, orderId, status: 'draft' };
  };
  // Two requests for one new order: the second one has to see what the first one committed.
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`order ${orderId}`]);
  const order = await lockOrder(sql, orderId);
  if (order !== null) {
    await requireSameAddress(sql, orderId, body);
    const lines = await sql.query<{ lineId: string; sku: string | null }>(
      'select line_id as "lineId", sku from order_lines where order_id = $1 order by position',
      [orderId],
    );
    const data = request(allocate(order, lines, items));
    if (
      order.isArchived ||
      !mayPurchase(order.context, data) ||
      ['cancelling', 'delivered'].includes(order.state)
    )
      throw conflict(
        `the order is ${order.state}: only a paid order that is not cancelled can be bought for`,
      );
    return ask(data);
  }
  const [coming] = await sql.query('select 1 from customer_details where order_id = $1', [orderId]);
  if (coming !== undefined) throw conflict('the order is just being made: ask again in a moment');
  if (address === undefined) {
    const fields = [{ path: 'shipping_address', message: 'must be there, since we do not know the order' }];
    throw new AppError('body_invalid', 'the body is not as it must be', { retryable: false, fields });
  }
  const { email, phone } = address;
  await putCustomer(sql, orderId, {
    address: toShippingAddress(address),
    email: email || undefined,
    phone: phone || undefined,
    note: body.note,
  });
  const received = anOwnOrder(
    orderId,
    { currency: 'USD', payment: 'paid' },
    items.map(({ sku, quantity }) => ({ sku, quantity, unit_price_minor: 0 })),
  );
  say(
    eventRow({
      messageId: `api:${orderId}`,
      source: '/gateway',
      type: ORDER_RECEIVED,
      orderId,
      data: received,
    }),
  );
  return ask(request(items.map((item, index) => article(item, String(index + 1), item.quantity))));
}

export interface LockedSupplierOrder {
  readonly id: string;
  readonly orderId: string;
  readonly state: SupplierOrderStateName;
  readonly isWatched: boolean;
}

export const noSuchSupplierOrder = (id: string): AppError =>
  new AppError('supplier_order_not_found', `there is no supplier order ${JSON.stringify(id.slice(0, 80))}`, {
    retryable: false,
  });

/** @throws AppError `supplier_order_not_found`. */
export async function lockSupplierOrder(sql: Sql, id: string): Promise<LockedSupplierOrder> {
  const [row] = await sql.query<LockedSupplierOrder>(
    `select id, order_id as "orderId", state, next_check_at is not null as "isWatched"
       from supplier_orders where id = $1 for update`,
    [id],
  );
  if (row !== undefined) return row;
  throw noSuchSupplierOrder(id);
}

/** Changes a draft, which is then quoted anew; a note at any time. @throws 409 `too_late`. */
export async function changeSupplierOrder(
  sql: Sql,
  say: Say,
  id: string,
  body: PutSupplierOrder,
): Promise<SupplierOrderReceipt> {
  const row = await lockSupplierOrder(sql, id);
  const { note, shipping_method: method, items = [] } = body;
  const isNoteAlone = method === undefined && items.length === 0;
  if (!isNoteAlone && row.state !== 'draft') {
    const detail = `it is ${row.state}: only its note can still be changed; DELETE asks the supplier to give it up`;
    throw refusal({ status: 409, code: 'too_late', detail });
  }
  if (note !== undefined) await sql.run('update supplier_orders set note = $2 where id = $1', [id, note]);
  for (const [index, item] of items.entries()) {
    const touched = await sql.run(
      `update supplier_order_lines set supplier_variant_id = $3, supplier_product_id = coalesce($4, supplier_product_id)
        where supplier_order_id = $1 and line_id = $2`,
      [id, item.line_id, item.supplier_variant_id, item.supplier_product_id ?? null],
    );
    if (touched === 1) continue;
    const fields = [{ path: `items.${index}.line_id`, message: 'the purchase has no such line' }];
    throw new AppError('body_invalid', 'the body is not as it must be', { retryable: false, fields });
  }
  if (!isNoteAlone) {
    await sql.run(
      `update supplier_orders set is_quoted = false, shipping_method = coalesce($2, shipping_method) where id = $1`,
      [id, method ?? null],
    );
    sayRetry(say, row);
  }
  return { id, orderId: row.orderId, status: row.state };
}

function sayRetry(say: Say, { id, orderId }: LockedSupplierOrder): void {
  const data = { orderId, supplierOrderId: id };
  const messageId = `api:${randomUUID()}`;
  say(eventRow({ messageId, source: '/gateway', type: SUPPLIER_ORDER_RETRY_REQUESTED, orderId, data }));
}

const OVER: readonly SupplierOrderStateName[] = ['rejected', 'cancelled', 'lapsed'];
const GONE: readonly SupplierOrderStateName[] = ['partially_shipped', 'shipped', 'delivered'];

/** Asks to give it up. It is `cancelled` when nothing was bought or the supplier says so, and not before. */
export async function cancelSupplierOrder(sql: Sql, say: Say, id: string): Promise<SupplierOrderReceipt> {
  const row = await lockSupplierOrder(sql, id);
  const { orderId, state } = row;
  if (OVER.includes(state)) return { id, orderId, status: state };
  if (GONE.includes(state)) {
    const detail = `it is ${state}: what has left cannot be called back; settle a return with the supplier`;
    throw refusal({ status: 409, code: 'too_late', detail });
  }
  const data = { orderId, supplierOrderId: id };
  const messageId = `api:${randomUUID()}`;
  say(eventRow({ messageId, source: '/gateway', type: SUPPLIER_ORDER_CANCEL_REQUESTED, orderId, data }));
  return { id, orderId, status: 'cancelling' };
}

/** States whose deadline does something at the supplier. */
const ASKING: readonly SupplierOrderStateName[] = [
  'draft',
  'outcome_unknown',
  'awaiting_payment',
  'cancelling',
];

/** Does at once what its deadline would do. @throws 409 `conflict` where there is nothing to try, or a hold forbids it. */
export async function retrySupplierOrder(sql: Sql, say: Say, id: string): Promise<SupplierOrderReceipt> {
  const row = await lockSupplierOrder(sql, id);
  const { orderId, state } = row;
  if (!ASKING.includes(state)) throw conflict(`it is ${state}: there is nothing to try again`);
  const held = await sql.query<{ id: string }>(
    'select id from holds where order_id = $1 and released_at is null order by id',
    [orderId],
  );
  if (held.length > 0 && (state === 'draft' || state === 'awaiting_payment')) {
    const fields = held.map(({ id: path }) => ({ path, message: 'open' }));
    throw conflict('its order is held, and nothing is spent on it: POST /holds/{id}/release first', fields);
  }
  sayRetry(say, row);
  return { id, orderId, status: state };
}

/** Reads its state at the supplier now. @throws 409 `conflict` when the supplier has nothing to tell. */
export async function refreshSupplierOrder(sql: Sql, say: Say, id: string): Promise<SupplierOrderReceipt> {
  const row = await lockSupplierOrder(sql, id);
  const { orderId, state, isWatched } = row;
  if (isWatched) await sql.run('update supplier_orders set next_check_at = now() where id = $1', [id]);
  else if (state === 'outcome_unknown') sayRetry(say, row);
  else throw conflict(`it is ${state}: there is no news to ask the supplier for`);
  return { id, orderId, status: state };
}
