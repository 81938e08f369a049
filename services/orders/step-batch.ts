import { isDeepStrictEqual } from 'node:util';
import { type DeadlineName, TIMER_ELAPSED } from '../../contracts/deadlines.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { ORDER_RECEIVED, ORDER_UPDATED, type OrderReceived } from '../../contracts/events/order-received.ts';
import { type OrderRules, orderRules, USUAL_RULES } from '../../contracts/order-rules.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { OrderState, SupplierOrderState } from '../../machines/decide.ts';
import { type OrderActor, stepOrderActor } from '../../machines/order-actor.ts';
import { describeError } from '../logger.ts';
import type { LoadedBatch } from '../store/batch.ts';
import { type BatchWrites, noWrites } from '../store/batch-writes.ts';
import { carryOut, lineRows, setTimer } from './carry-out.ts';
import type { DecodedMessage } from './decode-message.ts';
import { unitChanges } from './unit-changes.ts';

/** Whose status is asked for until they arrive; one that waits for its payment may be paid on the supplier's own site. */
const WATCHED: readonly SupplierOrderStateName[] = [
  'awaiting_payment',
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
  'cancelling',
];

interface Actor {
  order: OrderState | null;
  supplierOrders: Map<string, SupplierOrderState>;
  /** Steps so far, on top of the stored version. */
  changes: number;
  received: OrderReceived | null;
}

export interface BatchContext {
  readonly loaded: LoadedBatch;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  /** ISO instant of the batch, for the messages it sends. */
  readonly now: string;
}

/**
 * Steps the machines of a batch in stream order and collects everything that has to be written. Pure but for what it
 * is given; an event that throws becomes a dead letter, and its order's later events wait behind it.
 */
export function stepBatch(messages: readonly DecodedMessage[], context: BatchContext): BatchWrites {
  const { loaded } = context;
  const writes = noWrites();
  const actors = new Map<string, Actor>();
  const blocked = new Set(loaded.blocked);

  const actorOf = (orderId: string): Actor => {
    const known = actors.get(orderId);
    if (known !== undefined) return known;
    const supplierOrders = new Map<string, SupplierOrderState>();
    for (const [id, row] of loaded.supplierOrders)
      if (row.orderId === orderId) supplierOrders.set(id, row.state);
    const actor = {
      order: loaded.orders.get(orderId)?.state ?? null,
      supplierOrders,
      changes: 0,
      received: null,
    };
    actors.set(orderId, actor);
    return actor;
  };

  for (const message of messages) {
    const { orderId, event } = message;
    if (event !== null && !blocked.has(event.data.orderId)) {
      const actor = actorOf(event.data.orderId);
      const failure = tryStep(
        actor,
        message,
        withRules(event, orderRules(context.settings)),
        writes,
        context,
      );
      if (failure === null) continue;
      blocked.add(event.data.orderId);
      writes.deadLetters.push(deadLetter(message, 'open', failure));
      continue;
    }
    const isParked = event !== null || (orderId !== null && blocked.has(orderId));
    if (!isParked && orderId !== null) blocked.add(orderId);
    writes.deadLetters.push(deadLetter(message, isParked ? 'parked' : 'open', message.failure));
  }
  writeActors(actors, loaded, context.now, writes);
  return writes;
}

/** The rules of the shop go into each body that is taken, but for the usual ones. */
const withRules = (event: OrderEvent, rules: OrderRules): OrderEvent =>
  (event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED) && !isDeepStrictEqual(rules, USUAL_RULES)
    ? { ...event, data: { ...event.data, rules } }
    : event;

const deadLetter = (message: DecodedMessage, state: 'open' | 'parked', failure: string | null) => ({
  order_id: message.orderId,
  message_id: message.messageId,
  subject: message.log.subject,
  seq: message.log.seq,
  payload: message.log.payload,
  state,
  failure,
});

function tryStep(
  actor: Actor,
  message: DecodedMessage,
  event: OrderEvent,
  writes: BatchWrites,
  context: BatchContext,
): string | null {
  const { orderId } = event.data;
  const before: OrderActor = { order: actor.order, supplierOrders: actor.supplierOrders };
  try {
    const isBody = event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED;
    const stored = context.loaded.orders.get(orderId);
    if (isBody && stored !== undefined && stored.shopOrderId !== event.data.shopOrderId) {
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
    const version = (stored?.version ?? 0) + actor.changes;
    const { delays, settings, now } = context;
    const orderCreatedAt = stored?.createdAt ?? now;
    const carry = {
      writes,
      orderId,
      cause: message.messageId,
      version,
      delays,
      settings,
      now,
      orderCreatedAt,
      traceparent: message.traceparent,
    };
    for (const [index, effect] of step.effects.entries()) carryOut(effect, index, carry);
    return null;
  } catch (error) {
    return JSON.stringify(describeError(error));
  }
}

function writeActors(
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
        total_minor: received.totalMinor,
        placed_at: received.placedAt,
        created_at: now,
        state: order.value,
        context: order.context,
        version: changes,
      });
      // Before what later bodies of the same batch say about them: the last word counts.
      writes.orderLines.unshift(...lineRows(orderId, received.lines));
    } else if (stored !== undefined && stored.state !== order) {
      writes.changedOrders.push({
        id: orderId,
        version: stored.version,
        changes,
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
