import type { H3Event } from 'h3';
import { AppError } from '../contracts/errors.ts';
import { ENDED_ORDERS, type OrderStateName, type SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { OrderContext } from '../machines/order-context.ts';
import { literals } from '../services/store/rows.ts';
import type { Sql } from '../services/store/store.ts';
import { readParam } from './read-input.ts';

export interface LockedOrder {
  readonly id: string;
  readonly state: OrderStateName;
  readonly version: number;
  readonly context: OrderContext;
  /** Releases before left the mark on orders that went on: those are not put away. */
  readonly isArchived: boolean;
  /** Of its purchases, as the rows say: an intent that was just written shows here first. */
  readonly purchases: ReadonlyMap<string, SupplierOrderStateName>;
}

const noSuchOrder = (orderId: string): AppError =>
  new AppError('order_not_found', `there is no order ${JSON.stringify(orderId.slice(0, 80))}`, {
    retryable: false,
  });

/** What is said of an order that is not there: where something of it came and waits for a person, that. */
export async function absentOrder(sql: Sql, orderId: string): Promise<AppError> {
  const [letter] = await sql.query<{ id: string }>(
    "select id from dead_letters where order_id = $1 and state in ('open', 'parked') order by id limit 1",
    [orderId],
  );
  if (letter === undefined) return noSuchOrder(orderId);
  const message = `nothing is known of the order ${orderId} yet: what was said of it first could not be taken, and waits for a person as the dead letter ${letter.id} (GET /dead-letters/${letter.id})`;
  return new AppError('order_not_found', message, { retryable: false });
}

/** The order of the path. @throws AppError `order_not_found` for what can be no id of ours. */
export function orderIdIn(event: H3Event): string {
  const orderId = readParam(event, 'orderId');
  if (/^ord_\w{1,60}$/.test(orderId)) return orderId;
  throw noSuchOrder(orderId);
}

/**
 * Holds the order and its purchases until the end of the transaction, in the same order as the host's batch does. What
 * is found holds until the request is committed, and no purchase begins meanwhile.
 */
export async function lockOrder(sql: Sql, orderId: string): Promise<LockedOrder | null> {
  const [order] = await sql.query<Omit<LockedOrder, 'purchases'>>(
    `select id, state, version, context, archived_at is not null and state in (${literals(ENDED_ORDERS)}) as "isArchived"
       from orders where id = $1 for update`,
    [orderId],
  );
  if (order === undefined) return null;
  const rows = await sql.query<{ id: string; state: SupplierOrderStateName }>(
    'select id, state from supplier_orders where order_id = $1 order by id for update',
    [orderId],
  );
  return { ...order, purchases: new Map(rows.map(({ id, state }) => [id, state])) };
}

/** @throws AppError `order_not_found`. */
export async function lockKnownOrder(sql: Sql, orderId: string): Promise<LockedOrder> {
  const order = await lockOrder(sql, orderId);
  if (order === null) throw await absentOrder(sql, orderId);
  return order;
}
