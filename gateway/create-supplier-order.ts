import type { FieldProblem } from '../contracts/errors.ts';
import {
  PURCHASE_REQUESTED,
  type PurchaseRequested,
  type RequestedArticle,
} from '../contracts/events/operator-requests.ts';
import { ORDER_RECEIVED } from '../contracts/events/order-received.ts';
import { supplierOrderIdOf } from '../contracts/ids.ts';
import { toShippingAddress } from '../contracts/resources/posted-address.ts';
import type {
  PostSupplierOrder,
  SupplierOrderReceipt,
} from '../contracts/resources/supplier-order-requests.ts';
import type { LineUnits } from '../machines/order-context.ts';
import { mayPurchase } from '../machines/requests.ts';
import { eventRow } from '../services/bus/commit-and-publish.ts';
import type { Say } from '../services/store/outbox.ts';
import type { Sql } from '../services/store/store.ts';
import { addNote, putCustomer } from './customer-row.ts';
import { type LockedOrder, lockOrder } from './locked-order.ts';
import { anOwnOrder } from './order-requests.ts';
import { conflict } from './problem.ts';
import { invalid } from './read-input.ts';

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

interface Line {
  readonly lineId: string;
  readonly sku: string | null;
}

const isOf = ({ sku, line_id }: PostSupplierOrder['items'][number], line: Line): boolean =>
  (line_id === undefined || line_id === line.lineId) &&
  (sku === undefined || sku.toLowerCase() === line.sku?.toLowerCase());

/** Each item takes its units from the lines that it means, in their order. @throws 409 naming the items. */
function allocate(
  { context }: LockedOrder,
  lines: readonly Line[],
  items: PostSupplierOrder['items'],
): RequestedArticle[] {
  const taken = new Set<string>();
  const problems: FieldProblem[] = [];
  const articles = items.flatMap((item, index) => {
    const meant = lines.filter((line) => isOf(item, line));
    let missing = item.quantity;
    const parts: RequestedArticle[] = [];
    for (const { lineId } of meant) {
      const units = Math.min(missing, taken.has(lineId) ? 0 : waiting(context.lines[lineId]));
      if (units === 0) continue;
      taken.add(lineId);
      missing -= units;
      parts.push(article(item, lineId, units));
    }
    const path = `items.${index}`;
    if (meant.length === 0) problems.push({ path, message: 'the order has no such line' });
    else if (missing > 0)
      problems.push({ path, message: `${item.quantity - missing} of these units are not bought yet` });
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
    say(eventRow({ messageId, source: '/gateway', type: PURCHASE_REQUESTED, data }));
    return { id: newSupplierOrderId, orderId, status: 'draft' };
  };
  // Two requests for one new order: the second one has to see what the first one committed.
  await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`order ${orderId}`]);
  const order = await lockOrder(sql, orderId);
  if (order !== null) {
    await requireSameAddress(sql, orderId, body);
    const lines = await sql.query<Line>(
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
    if (body.note) await addNote(sql, orderId, body.note);
    return ask(data);
  }
  const [coming] = await sql.query('select 1 from customer_details where order_id = $1', [orderId]);
  if (coming !== undefined) throw conflict('the order is just being made: ask again in a moment');
  if (address === undefined) {
    const message = 'must be there, since we do not know the order';
    throw invalid('body', [{ path: 'shipping_address', message }]);
  }
  const unnamed = items.flatMap(({ sku }, index) =>
    sku === undefined
      ? [{ path: `items.${index}.sku`, message: 'must be there, since we do not know the order' }]
      : [],
  );
  if (unnamed.length > 0) throw invalid('body', unnamed);
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
  say(eventRow({ messageId: `api:${orderId}`, source: '/gateway', type: ORDER_RECEIVED, data: received }));
  return ask(request(items.map((item, index) => article(item, String(index + 1), item.quantity))));
}
