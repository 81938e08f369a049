import { randomUUID } from 'node:crypto';
import { AppError } from '../contracts/errors.ts';
import {
  SUPPLIER_ORDER_CANCEL_REQUESTED,
  SUPPLIER_ORDER_CONTENTS_TOLD,
  SUPPLIER_ORDER_RETRY_REQUESTED,
  type SupplierOrderContentsTold,
} from '../contracts/events/operator-requests.ts';
import type {
  ParcelContents,
  PutSupplierOrder,
  SupplierOrderReceipt,
} from '../contracts/resources/supplier-order-requests.ts';
import type { SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { LEFT } from '../machines/cancel-cost.ts';
import { DEAD, isStopped } from '../machines/hold-scope.ts';
import type { OrderContext } from '../machines/order-context.ts';
import { eventRow } from '../services/bus/commit-and-publish.ts';
import type { Say } from '../services/store/outbox.ts';
import type { Sql } from '../services/store/store.ts';
import { customerErased } from './customer-row.ts';
import { conflict, refusal } from './problem.ts';
import { invalid } from './read-input.ts';

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
async function lockSupplierOrder(sql: Sql, id: string): Promise<LockedSupplierOrder> {
  const [row] = await sql.query<LockedSupplierOrder>(
    `select id, order_id as "orderId", state, next_check_at is not null as "isWatched"
       from supplier_orders where id = $1 for update`,
    [id],
  );
  if (row !== undefined) return row;
  throw noSuchSupplierOrder(id);
}

/** @throws AppError `supplier_order_not_found`. */
export async function requireSupplierOrder(sql: Sql, id: string): Promise<void> {
  const [row] = await sql.query('select 1 from supplier_orders where id = $1', [id]);
  if (row === undefined) throw noSuchSupplierOrder(id);
}

/** For a note: whoever erases its customer locks the order first, and one of both then sees what the other did. */
const lockOrderOf = (sql: Sql, id: string): Promise<unknown> =>
  sql.query(
    'select 1 from orders where id = (select order_id from supplier_orders where id = $1) for update',
    [id],
  );

/** @throws 409 when the customer was erased: what was written now nobody would erase any more. */
async function putNote(sql: Sql, { id, orderId }: LockedSupplierOrder, note: string): Promise<void> {
  const [erased] = await sql.query(
    'select 1 from customer_details where order_id = $1 and redacted_at is not null',
    [orderId],
  );
  if (erased !== undefined) throw customerErased();
  await sql.run('update supplier_orders set note = $2 where id = $1', [id, note]);
}

/** Changes a draft, which is then quoted anew; a note at any time. @throws 409 `too_late`. */
export async function changeSupplierOrder(
  sql: Sql,
  say: Say,
  id: string,
  body: PutSupplierOrder,
): Promise<SupplierOrderReceipt> {
  const { note, shipping_method: method, items = [] } = body;
  if (note !== undefined) await lockOrderOf(sql, id);
  const row = await lockSupplierOrder(sql, id);
  const isNoteAlone = method === undefined && items.length === 0;
  if (!isNoteAlone && row.state !== 'draft') {
    const detail = `it is ${row.state}: only its note can still be changed; DELETE asks the supplier to give it up`;
    throw refusal({ status: 409, code: 'too_late', detail });
  }
  if (note !== undefined) await putNote(sql, row, note);
  for (const [index, item] of items.entries()) {
    const articles = await sql.query(
      'select 1 from supplier_order_lines where supplier_order_id = $1 and line_id = $2',
      [id, item.line_id],
    );
    if (articles.length !== 1) {
      const message =
        articles.length === 0
          ? 'the purchase has no such line'
          : 'is a bundle of several articles: put its product mapping, DELETE the purchase, and release its holds';
      throw invalid('body', [{ path: `items.${index}.line_id`, message }]);
    }
    await sql.run(
      `update supplier_order_lines set supplier_variant_id = $3, supplier_product_id = coalesce($4, supplier_product_id),
              mapped_variant_id = null
        where supplier_order_id = $1 and line_id = $2`,
      [id, item.line_id, item.supplier_variant_id, item.supplier_product_id ?? null],
    );
  }
  if (!isNoteAlone) {
    await sql.run(
      `update supplier_orders set is_quoted = false, edits = edits + 1, shipping_method = coalesce($2, shipping_method)
        where id = $1`,
      [id, method ?? null],
    );
    // From now on it is a person's choice.
    await sql.run(
      `update supplier_order_lines set properties = '{}' where supplier_order_id = $1 and properties is null`,
      [id],
    );
    sayRetry(say, row);
  }
  return { id, orderId: row.orderId, status: row.state };
}

function sayRetry(say: Say, { id, orderId }: LockedSupplierOrder): void {
  const data = { orderId, supplierOrderId: id };
  const messageId = `api:${randomUUID()}`;
  say(eventRow({ messageId, source: '/gateway', type: SUPPLIER_ORDER_RETRY_REQUESTED, data }));
}

/** Asks to give it up. It is `cancelled` when nothing was bought or the supplier says so, and not before. */
export async function cancelSupplierOrder(sql: Sql, say: Say, id: string): Promise<SupplierOrderReceipt> {
  const row = await lockSupplierOrder(sql, id);
  const { orderId, state } = row;
  if (DEAD.includes(state)) return { id, orderId, status: state };
  if (LEFT.includes(state)) {
    const detail = `it is ${state}: what has left cannot be called back; settle a return with the supplier`;
    throw refusal({ status: 409, code: 'too_late', detail });
  }
  const data = { orderId, supplierOrderId: id };
  const messageId = `api:${randomUUID()}`;
  say(eventRow({ messageId, source: '/gateway', type: SUPPLIER_ORDER_CANCEL_REQUESTED, data }));
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
  const [order] = await sql.query<{ context: OrderContext }>('select context from orders where id = $1', [
    orderId,
  ]);
  const isSpending = state === 'draft' || state === 'awaiting_payment';
  if (isSpending && order !== undefined && isStopped(order.context, id)) {
    const fields = Object.keys(order.context.holds).map((path) => ({ path, message: 'open' }));
    throw conflict('it is held, and nothing is spent on it: POST /holds/{id}/release first', fields);
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

/**
 * Takes a person's word for what a parcel holds, and has the supplier looked at anew: the next look shows it so. @throws
 * 409 `conflict` where nobody looks at its parcels, AppError `body_invalid` for units that the purchase does not have.
 */
export async function tellParcelContents(
  sql: Sql,
  say: Say,
  id: string,
  { tracking_number: trackingNumber, items }: ParcelContents,
): Promise<SupplierOrderReceipt> {
  const { orderId, state, isWatched } = await lockSupplierOrder(sql, id);
  if (!isWatched || state === 'awaiting_payment')
    throw conflict(`it is ${state}: nobody looks at its parcels`);
  const rows = await sql.query<{ lineId: string; units: number }>(
    `select line_id as "lineId", sum(units)::int as units from supplier_order_lines
      where supplier_order_id = $1 group by line_id`,
    [id],
  );
  const bought = new Map(rows.map(({ lineId, units }) => [lineId, units]));
  const fields = items.flatMap(({ line_id: lineId, quantity }, index) => {
    const units = bought.get(lineId) ?? 0;
    const message = `the purchase has ${units} units of this line`;
    return quantity <= units ? [] : [{ path: `items.${index}.quantity`, message }];
  });
  if (fields.length > 0) throw invalid('body', fields);
  const data: SupplierOrderContentsTold = {
    orderId,
    supplierOrderId: id,
    trackingNumber,
    units: Object.fromEntries(items.map(({ line_id: lineId, quantity }) => [lineId, quantity])),
  };
  const messageId = `api:${randomUUID()}`;
  say(eventRow({ messageId, source: '/gateway', type: SUPPLIER_ORDER_CONTENTS_TOLD, data }));
  // What was seen last is told once more, though nothing of it is new at the supplier.
  await sql.run('update supplier_orders set observation = null, next_check_at = now() where id = $1', [id]);
  return { id, orderId, status: state };
}
