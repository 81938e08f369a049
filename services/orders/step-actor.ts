import { isDeepStrictEqual } from 'node:util';
import { type DeadlineName, TIMER_ELAPSED } from '../../contracts/deadlines.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { ORDER_RECEIVED, ORDER_UPDATED, type OrderReceived } from '../../contracts/events/order-received.ts';
import { ORDER_VERIFIED } from '../../contracts/events/order-verified.ts';
import { type OrderRules, orderRules, USUAL_RULES } from '../../contracts/order-rules.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { OrderState, SupplierOrderState } from '../../machines/decide.ts';
import { type OrderActor, stepOrderActor } from '../../machines/order-actor.ts';
import { MACHINE_VERSION } from '../../machines/replay.ts';
import { describeError } from '../logger.ts';
import type { BatchWrites } from '../store/batch-writes.ts';
import type { LoadedBatch } from '../store/load-batch.ts';
import { type Carry, carryOut, lineRows, setTimer } from './carry-out.ts';
import type { DecodedMessage } from './decode-message.ts';
import { unitChanges } from './unit-changes.ts';
import type { WaitingLines } from './waiting-line.ts';

/** Whose status is asked for until they arrive; one that waits for its payment may be paid on the supplier's own site. */
const WATCHED: readonly SupplierOrderStateName[] = [
  'awaiting_payment',
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
  'cancelling',
];

/** An order with its purchases while a batch is stepped. */
export interface Actor {
  order: OrderState | null;
  supplierOrders: Map<string, SupplierOrderState>;
  /** Steps so far, on top of the stored version. */
  changes: number;
  received: OrderReceived | null;
}

export interface BatchContext {
  readonly loaded: LoadedBatch;
  readonly lines: WaitingLines;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  /** ISO instant of the batch, for the messages it sends. */
  readonly now: string;
}

/** What no shop says goes into each body that is taken: the shop's rules, but for the usual ones, and a restoration. */
function completed(event: OrderEvent, rules: OrderRules, isFromBackup: boolean): OrderEvent {
  const ours = {
    ...(isDeepStrictEqual(rules, USUAL_RULES) ? {} : { rules }),
    ...(isFromBackup ? { isFromBackup: true as const } : {}),
  };
  if (event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED)
    return { ...event, data: { ...event.data, ...ours } };
  if (event.type === ORDER_VERIFIED && event.data.body !== null)
    return { ...event, data: { ...event.data, body: { ...event.data.body, ...ours } } };
  return event;
}

/** What an effect of the actor's present step needs to be carried out. */
export function carryOf(
  actor: Actor,
  orderId: string,
  cause: string,
  writes: BatchWrites,
  { loaded, delays, settings, now }: BatchContext,
): Carry {
  const stored = loaded.orders.get(orderId);
  const version = (stored?.version ?? 0) + actor.changes;
  const orderCreatedAt = stored?.createdAt ?? now;
  const supplierOf: Carry['supplierOf'] = (supplierOrderId) => {
    const known = loaded.supplierOrders.get(supplierOrderId);
    // What this step has planned stands at the end.
    return (known ?? writes.newSupplierOrders.findLast(({ id }) => id === supplierOrderId))?.supplier;
  };
  const hasShop = actor.order?.context.isWithoutShop !== true;
  return { writes, orderId, cause, version, delays, settings, now, orderCreatedAt, hasShop, supplierOf };
}

/** Steps the actor and collects what follows. @returns why it cannot, with nothing changed; null: it is done. */
export function stepActor(
  actor: Actor,
  message: DecodedMessage,
  bare: OrderEvent,
  writes: BatchWrites,
  context: BatchContext,
): string | null {
  const { orderId } = bare.data;
  const isFromBackup = context.loaded.orders.get(orderId)?.isFromBackup === true;
  const event = completed(bare, orderRules(context.settings), isFromBackup);
  const before: OrderActor = { order: actor.order, supplierOrders: actor.supplierOrders };
  try {
    const isBody = event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED;
    const known = context.loaded.orders.get(orderId) ?? actor.received;
    if (isBody && known !== null && known.shopOrderId !== event.data.shopOrderId) {
      throw new RangeError(`two shop orders share the id ${orderId}`);
    }
    const step = stepOrderActor(before, event);
    const supplierOrderId = 'supplierOrderId' in event.data ? (event.data.supplierOrderId ?? null) : null;
    const purchaseIn = ({ supplierOrders }: OrderActor) =>
      supplierOrderId === null ? null : (supplierOrders.get(supplierOrderId)?.value ?? null);
    writes.timeline.push({
      order_id: orderId,
      message_id: message.messageId,
      type: event.type,
      accepted: step.accepted,
      from_state: before.order?.value ?? null,
      to_state: step.actor.order?.value ?? null,
      supplier_order_id: supplierOrderId,
      supplier_from: purchaseIn(before),
      supplier_to: purchaseIn(step.actor),
      actor: message.source,
      cause: message.causationId,
      data: step.accepted ? event.data : null,
      machine_version: MACHINE_VERSION,
    });
    if (!step.accepted) {
      // A timer that nobody waits for any more would otherwise elapse for ever.
      if (event.type === TIMER_ELAPSED) setTimer(writes, orderId, event.data, null);
      return null;
    }
    writes.unitChanges.push(...unitChanges(event, message.messageId, before.order, step.actor.order));
    if (isBody && before.order === null) actor.received = event.data;
    actor.order = step.actor.order;
    actor.supplierOrders = new Map(step.actor.supplierOrders);
    actor.changes += 1;
    const told = carryOf(actor, orderId, message.messageId, writes, context);
    const carry = { ...told, traceparent: message.traceparent };
    for (const [index, effect] of step.effects.entries()) carryOut(effect, index, carry);
    return null;
  } catch (error) {
    return JSON.stringify(describeError(error));
  }
}

/** The states that changed, and the orders that came to be. */
export function writeActors(
  actors: ReadonlyMap<string, Actor>,
  loaded: LoadedBatch,
  now: string,
  writes: BatchWrites,
): void {
  const created = new Map(writes.newSupplierOrders.map((row) => [row.id, row]));
  for (const [orderId, { order, supplierOrders, received, changes }] of actors) {
    if (order === null || changes === 0) continue;
    const stored = loaded.orders.get(orderId);
    if (stored === undefined && received !== null) {
      writes.newOrders.push({
        id: orderId,
        shop: received.shop,
        shop_order_id: received.shopOrderId,
        name: received.name,
        currency: received.currency,
        total_minor: order.context.totalMinor ?? received.totalMinor,
        placed_at: received.placedAt,
        created_at: now,
        state: order.value,
        context: order.context,
        version: changes,
        machine_version: MACHINE_VERSION,
      });
      // Before what later bodies of the same batch say about them: the last word counts.
      writes.orderLines.unshift(...lineRows(orderId, received.lines));
    } else if (stored !== undefined && stored.state !== order) {
      writes.changedOrders.push({
        id: orderId,
        version: stored.version,
        changes,
        total_minor: order.context.totalMinor ?? null,
        state: order.value,
        context: order.context,
      });
    }
    for (const [id, state] of supplierOrders) {
      const before = loaded.supplierOrders.get(id);
      const fresh = created.get(id);
      if (fresh !== undefined) Object.assign(fresh, { state: state.value, context: state.context });
      else if (before !== undefined && before.state !== state) {
        writes.changedSupplierOrders.push({
          id,
          version: before.version,
          state: state.value,
          context: state.context,
          watched: WATCHED.includes(state.value),
        });
      }
    }
  }
}
