import { randomUUID } from 'node:crypto';
import {
  CANCEL_REQUESTED,
  type CancelRequested,
  CHANGE_REQUESTED,
  type ChangeRequested,
} from '../contracts/events/operator-requests.ts';
import { NO_SHOP, ORDER_RECEIVED, type OrderReceived } from '../contracts/events/order-received.ts';
import type { OrderReceipt, PostOrder, PutOrder } from '../contracts/resources/order-requests.ts';
import { toShippingAddress } from '../contracts/resources/posted-address.ts';
import { hasEnded, type SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { cancelCostOf } from '../machines/cancel-cost.ts';
import { DEAD } from '../machines/hold-scope.ts';
import { mayChange } from '../machines/requests.ts';
import { isOff } from '../machines/wanted-units.ts';
import { eventRow } from '../services/bus/commit-and-publish.ts';
import { forgetQuotes } from '../services/store/forget-quotes.ts';
import type { Say } from '../services/store/outbox.ts';
import type { Sql } from '../services/store/store.ts';
import { putCustomer } from './customer-row.ts';
import { type LockedOrder, lockKnownOrder } from './locked-order.ts';
import { refusal } from './problem.ts';
import { invalid } from './read-input.ts';

/** An order of our own making as the shop would have told it. @param lines with the units ordered. */
export const anOwnOrder = (
  orderId: string,
  body: Pick<PostOrder, 'currency' | 'payment' | 'name'>,
  lines: readonly {
    sku?: string | undefined;
    variant_id?: string | undefined;
    title?: string | undefined;
    quantity: number;
    unit_price_minor: number;
  }[],
): OrderReceived => {
  const now = new Date().toISOString();
  return {
    orderId,
    shop: NO_SHOP,
    shopOrderId: orderId,
    name: body.name ?? `#${orderId.slice(-6)}`,
    currency: body.currency,
    totalMinor: lines.reduce((sum, line) => sum + line.unit_price_minor * line.quantity, 0),
    placedAt: now,
    sourceUpdatedAt: now,
    test: false,
    cancelled: false,
    payment: body.payment,
    hasAddress: true,
    lines: lines.map((line, index) => ({
      lineId: String(index + 1),
      variantId: line.variant_id ?? null,
      productId: null,
      sku: line.sku ?? null,
      title: line.title ?? line.sku ?? 'Article',
      unitPriceMinor: line.unit_price_minor,
      units: line.quantity,
      openUnits: line.quantity,
      deliveredBy: 'us',
    })),
  };
};

/** Writes an order that no shop stands behind: it goes the road of every other order. */
export async function createOrder(
  sql: Sql,
  say: Say,
  orderId: string,
  body: PostOrder,
): Promise<OrderReceipt> {
  const { shipping_address: address, customs, note } = body;
  const { email, phone } = address;
  const [earlier] = await sql.query('select 1 from orders where id = $1', [orderId]);
  if (earlier !== undefined) {
    const detail = `${orderId} was made under this Idempotency-Key long ago: take a new key for a new request`;
    throw refusal({ status: 409, code: 'idempotency_key_reused', detail });
  }
  await putCustomer(sql, orderId, {
    address: toShippingAddress(address),
    email: email || undefined,
    phone: phone || undefined,
    customs,
    note,
  });
  const data = anOwnOrder(orderId, body, body.items);
  say(eventRow({ messageId: `api:${orderId}`, source: '/gateway', type: ORDER_RECEIVED, data }));
  return { id: orderId, status: 'received' };
}

/** Purchases that the supplier knows of, or may know of. */
const beyondReturn = ({ purchases }: LockedOrder): string[] =>
  [...purchases].filter(([, state]) => state !== 'draft' && !DEAD.includes(state)).map(([id]) => id);

const tooLate = (detail: string, fields: readonly { path: string; message: string }[] = []): Error =>
  refusal({ status: 409, code: 'too_late', detail, fields });

/** What is still possible, line by line, for somebody who asked for too much. */
const freeByLine = ({ context }: LockedOrder): { path: string; message: string }[] =>
  Object.keys(context.lines).map((lineId) => {
    const { free, mustAsk, tooLate: late } = cancelCostOf(context, lineId);
    const message = `${free} units can be taken back freely, ${mustAsk} only with the supplier's consent, ${late} are on their way`;
    return { path: `items.${lineId}`, message };
  });

const IN_DOUBT: readonly SupplierOrderStateName[] = ['placing', 'outcome_unknown'];

function refuseLate(order: LockedOrder, body: PutOrder): void {
  if (order.isArchived || isOff(order.context))
    throw tooLate(`the order is ${order.state}: only its note can still be changed`);
  const bought = beyondReturn(order);
  const { shipping_address: address, contact, customs } = body;
  const isAboutParcel = [address, contact?.phone, customs].some((part) => part !== undefined);
  // Mails follow the address of the contact; a call that may have to be repeated is repeated as it was.
  const isOfDoubt =
    contact !== undefined && [...order.purchases.values()].some((state) => IN_DOUBT.includes(state));
  if ((isAboutParcel || isOfDoubt) && bought.length > 0) {
    const detail =
      `${bought.join(', ')} went to the supplier with the address, contact and customs data of that time. ` +
      'Still possible: the note; contact.email, unless a purchase is being made or in doubt; fewer units of what is not bought yet; DELETE /supplier-orders/{id} asks the supplier to give one up';
    throw tooLate(detail, freeByLine(order));
  }
}

/** @throws AppError `body_invalid`: what is no line of the order will never be one that can be changed. */
function requireLines({ context }: LockedOrder, items: PutOrder['items'] = []): void {
  const fields = items.flatMap(({ line_id }, index) =>
    Object.hasOwn(context.lines, line_id)
      ? []
      : [{ path: `items.${index}.line_id`, message: 'the order has no such line' }],
  );
  if (fields.length > 0) throw invalid('body', fields);
}

/**
 * Changes an order as far as nobody has to be asked. @throws 409 `too_late` that says what is still possible, AppError
 * `body_invalid` for lines that are none of its own.
 */
export async function changeOrder(
  sql: Sql,
  say: Say,
  orderId: string,
  body: PutOrder,
): Promise<OrderReceipt> {
  const { shipping_address: address, contact, customs, note, payment, items } = body;
  const order = await lockKnownOrder(sql, orderId);
  requireLines(order, items);
  const units =
    items === undefined ? undefined : Object.fromEntries(items.map((item) => [item.line_id, item.quantity]));
  const isNoteAlone = Object.keys(body).every((name) => name === 'note');
  if (!isNoteAlone) refuseLate(order, body);
  const change: ChangeRequested = {
    orderId,
    ...(address === undefined ? {} : { hasAddress: true as const }),
    ...(payment === undefined ? {} : { payment }),
    ...(units === undefined ? {} : { units }),
  };
  if (payment !== undefined && order.context.isWithoutShop !== true)
    throw tooLate('the shop says whether this order is paid; mark it there');
  if (!isNoteAlone && !mayChange(order.context, change))
    throw tooLate('units can be made fewer, and only those that can be taken back freely', freeByLine(order));
  // Of a customer who was erased nothing is taken; units and payment are the order's.
  if ([address, contact, customs, note].some((part) => part !== undefined))
    await putCustomer(sql, orderId, {
      address: address === undefined ? undefined : toShippingAddress(address),
      email: contact?.email ?? (address?.email || undefined),
      phone: contact?.phone ?? (address?.phone || undefined),
      isPhoneOurs: contact?.phone !== undefined || (address === undefined ? undefined : false),
      customs,
      note,
    });
  if (address !== undefined) await forgetQuotes(sql, [orderId]);
  const messageId = `api:${randomUUID()}`;
  if (Object.keys(change).length > 1)
    say(eventRow({ messageId, source: '/gateway', type: CHANGE_REQUESTED, data: change }));
  return { id: orderId, status: order.state };
}

/** Cancels what can be cancelled; the order is put away when nothing of it moves any more. */
export async function cancelOrder(sql: Sql, say: Say, orderId: string): Promise<OrderReceipt> {
  const order = await lockKnownOrder(sql, orderId);
  // What was cancelled before and is not over is what the suppliers keep.
  if (order.isArchived || (order.context.cancelledHere && !hasEnded(order.state)))
    return { id: orderId, status: order.state };
  const data: CancelRequested = { orderId };
  // The same request again is the same message; what has gone on since, though to the same state, is asked for anew.
  const messageId = `api:cancel:${orderId}:${order.version}`;
  say(eventRow({ messageId, source: '/gateway', type: CANCEL_REQUESTED, data }));
  if (hasEnded(order.state)) return { id: orderId, status: order.state };
  return { id: orderId, status: beyondReturn(order).length > 0 ? 'cancelling' : 'cancelled' };
}
